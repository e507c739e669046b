"""What tests of the rights over one's data share: a voice, an actor, a proposal, its answer."""

from portal.core.access import Actor, Grant, Scope
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.identity.models import Account
from portal.registry.models import (
    Channel,
    Person,
    RightField,
    RightsRequest,
)
from portal.registry.service.consents import Voice
from portal.registry.service.rights import corrections
from tests.make import Make

SELF = Voice(Channel.SELF, "account", "王秀英")


def actor_of(account: Account) -> Actor:
    grants = tuple(Grant(grant.role.value, Scope(grant.scope_kind, grant.scope_ref)) for grant in account.grants)
    return Actor(account.id, account.public_id, account.name, account.platform, grants, 0, now())


def proposed(person: Person, field: RightField, value: object, **more: object) -> RightsRequest:
    said = value if isinstance(value, dict) else {"value": value}
    with transaction():
        return corrections.propose(db.session.merge(person), field, said, why="登记错了", voice=SELF, **more)


def granted(request: RightsRequest, make: Make) -> Person:
    by = actor_of(make.worker())
    with transaction():
        corrections.grant(db.session.get_one(RightsRequest, request.id), by=by)
    db.session.rollback()
    return db.session.get_one(Person, request.person_id)
