"""Who visits whom: the grid's worker, the community's workers, and their names."""

from collections.abc import Iterable

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind
from portal.core.access import Actor
from portal.core.db import db
from portal.core.outbox import Recipient
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission, Role, label
from portal.registry.models import Person
from portal.visits.models import OPEN, REFERRAL_OPEN, CareSubject, Referral, Visit


def grid_workers(community: Area) -> dict[int, str]:
    """The grid worker of each grid of a community: area id to account; of several the first."""
    query = sa.select(Area.code, Area.id).where(Area.parent_id == community.id).order_by(Area.id)
    grids = {row.code: row.id for row in db.session.execute(query)}
    found: dict[int, str] = {}
    held = staff.holders(Permission.VISITS_DO, list(grids))
    for account, grant in sorted(held, key=lambda one: (one[0].id, one[1].id)):
        if grant.role is Role.GRID_WORKER and grant.scope_kind == AreaKind.GRID.value:
            found.setdefault(grids[grant.scope_ref], account.public_id)
    return found


def visitors(community: Area, grid: Area | None = None) -> list[tuple[str, str]]:
    """Who may visit in a community (and, of grid workers, in that grid): account and name with role."""
    grids = [grid.code] if grid else []
    if grid is None:
        grids = list(db.session.scalars(sa.select(Area.code).where(Area.parent_id == community.id)))
    held = staff.holders(Permission.VISITS_DO, [community.code, *grids])
    return list(
        dict.fromkeys(
            (account.public_id, _("%(name)s（%(role)s）", name=account.name, role=label(grant.role)))
            for account, grant in held
        )
    )


def owners_in(area: Area) -> list[str]:
    """Who has open work with the people of a grid, by public id: those who left too."""
    here = sa.select(Person.id).where(Person.grid_id == area.id)
    owned = sa.union(
        sa.select(CareSubject.worker).where(CareSubject.person_id.in_(here)),
        sa.select(CareSubject.assigned_to).where(CareSubject.person_id.in_(here)),
        sa.select(Visit.worker).where(Visit.person_id.in_(here), Visit.state.in_(OPEN)),
        sa.select(Referral.owner).where(Referral.person_id.in_(here), Referral.state.in_(REFERRAL_OPEN)),
    )
    return sorted(public_id for public_id in db.session.scalars(owned) if public_id)


def visitors_of(person: Person) -> list[tuple[str, str]]:
    return visitors(person.community, person.grid)


def leaders(community: Area) -> list[Recipient]:
    """Who is told when something of a community must not wait: those who manage its visits there."""
    held = staff.holders(Permission.VISITS_MANAGE, [community.code])
    return list(dict.fromkeys(Recipient("account", account.public_id) for account, _grant in held))


def names(public_ids: Iterable[str]) -> dict[str, str]:
    wanted = {public_id for public_id in public_ids if public_id}
    query = sa.select(Account.public_id, Account.name).where(Account.public_id.in_(wanted)).order_by(Account.id)
    return {row.public_id: row.name for row in db.session.execute(query)} if wanted else {}


def role_of(actor: Actor) -> str:
    """As what somebody visits (探访人身份), the first of her roles, as a code."""
    return actor.grants[0].role if actor.grants else ""
