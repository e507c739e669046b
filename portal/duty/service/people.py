"""Who of the desk belongs to a community, and which communities an account sees the rota of."""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.duty.models import WorkPhone
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission

AREA_KINDS = frozenset(kind.value for kind in AreaKind)


def reach(actor: Actor) -> tuple[Scope, ...]:
    """Where an account is at home: every area it holds any role on. A canteen or the whole site is no area."""
    return tuple(dict.fromkeys(grant.scope for grant in actor.grants if grant.scope.kind in AREA_KINDS))


def communities(within: Collection[Scope]) -> list[Area]:
    query = sa.select(Area).where(Area.id.in_(areas.touched(within)))
    return list(db.session.scalars(query.order_by(Area.code)))


def community_in(within: Collection[Scope], code: str) -> Area:
    return one_of(communities(within), code)


def hold(community: Area) -> None:
    """Let nobody else plan this community meanwhile: two presses of one button must not both act."""
    db.session.execute(sa.select(Area.id).where(Area.id == community.id).with_for_update())


def one_of(found: Collection[Area], code: str) -> Area:
    """One of some communities by code, the first without one; Missing where there is none."""
    chosen = next((area for area in found if area.code == code), None) if code else next(iter(found), None)
    if chosen is None:
        raise Missing
    return chosen


def desk_of(community: Area) -> list[Account]:
    """The open desk accounts of a community: its own, its grids' and its street's; by name."""
    street = db.session.get(Area, community.parent_id) if community.parent_id else None
    around = [community, *areas.grids(community), *([street] if street else [])]
    return staff.workers_on(Permission.DESK, [area.code for area in around])


def chosen(community: Area, public_ids: Collection[str]) -> list[Account]:
    """The accounts of a community that a form named, in the form's order; one that is none of hers is refused."""
    known = {account.public_id: account for account in desk_of(community)}
    if any(public_id not in known for public_id in public_ids):
        raise Refused(_("选的人已不在这个社区，请重新选。"), field="people")
    return [known[public_id] for public_id in dict.fromkeys(public_ids)]


def phones(accounts: Collection[Account]) -> dict[int, str]:
    """The work telephones of some accounts, by account id."""
    query = sa.select(WorkPhone).where(WorkPhone.account_id.in_([account.id for account in accounts]))
    return {row.account_id: row.phone for row in db.session.scalars(query.order_by(WorkPhone.id))}
