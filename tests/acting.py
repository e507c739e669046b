"""An account as a request would see it, for services that are handed who acts."""

from portal.core.access import Actor, Grant, Scope
from portal.core.clock import now
from portal.identity.models import Account


def actor_of(account: Account) -> Actor:
    grants = tuple(Grant(held.role, Scope(held.scope_kind, held.scope_ref)) for held in account.grants)
    return Actor(account.id, account.public_id, account.name, account.platform, grants, 0, now())
