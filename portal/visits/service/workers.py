"""Who visits whom: the grid's worker, the community's workers, and their names."""

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.outbox import Recipient
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import GRANTS, Permission, Role, label
from portal.registry.models import Person


def _holding(permission: Permission, codes: Collection[str]) -> list[tuple[Account, RoleGrant]]:
    """The open accounts that hold a permission on areas of these codes, with the grant; ordered by account."""
    roles = [role for role, held in GRANTS.items() if permission in held]
    query = (
        sa.select(Account, RoleGrant)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(RoleGrant.role.in_(roles), RoleGrant.scope_ref.in_(codes), Account.disabled_at.is_(None))
        .order_by(Account.id, RoleGrant.id)
    )
    moment = now()
    return [
        (account, grant)
        for account, grant in db.session.execute(query)
        if account.is_open(today()) and grant.holds(moment)
    ]


def grid_workers(community: Area) -> dict[int, str]:
    """The grid worker of each grid of a community: area id to account; of several the first."""
    query = sa.select(Area.code, Area.id).where(Area.parent_id == community.id).order_by(Area.id)
    grids = {row.code: row.id for row in db.session.execute(query)}
    found: dict[int, str] = {}
    for account, grant in _holding(Permission.VISITS_DO, list(grids)):
        if grant.role is Role.GRID_WORKER and grant.scope_kind == AreaKind.GRID.value:
            found.setdefault(grids[grant.scope_ref], account.public_id)
    return found


def visitors(community: Area, grid: Area | None = None) -> list[tuple[str, str]]:
    """Who may visit in a community (and, of grid workers, in that grid): account and name with role."""
    grids = [grid.code] if grid else []
    if grid is None:
        grids = list(db.session.scalars(sa.select(Area.code).where(Area.parent_id == community.id)))
    held = _holding(Permission.VISITS_DO, [community.code, *grids])
    return list(
        dict.fromkeys(
            (account.public_id, _("%(name)s（%(role)s）", name=account.name, role=label(grant.role)))
            for account, grant in held
        )
    )


def visitors_of(person: Person) -> list[tuple[str, str]]:
    return visitors(person.community, person.grid)


def leaders(community: Area) -> list[Recipient]:
    """Who is told when something of a community must not wait: those who manage its visits there."""
    held = _holding(Permission.VISITS_MANAGE, [community.code])
    return list(dict.fromkeys(Recipient("account", account.public_id) for account, _grant in held))


def names(public_ids: Iterable[str]) -> dict[str, str]:
    wanted = {public_id for public_id in public_ids if public_id}
    query = sa.select(Account.public_id, Account.name).where(Account.public_id.in_(wanted)).order_by(Account.id)
    return {row.public_id: row.name for row in db.session.execute(query)} if wanted else {}


def role_words(actor: Actor) -> str:
    """As what somebody visits (探访人身份), the first of her roles."""
    return label(Role(actor.grants[0].role)) if actor.grants else ""
