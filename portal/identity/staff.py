"""Who works where: desk accounts in use that hold a role on an area; an account as an actor without a session."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.areas.models import AreaKind
from portal.core.access import Actor, Grant, Platform, Scope
from portal.core.clock import now, today
from portal.core.db import db
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import GRANTS, Permission

AREA_KINDS = tuple(kind.value for kind in AreaKind)


def holders(permission: Permission, codes: Collection[str]) -> list[tuple[Account, RoleGrant]]:
    """Desk accounts in use that hold a permission on areas of these codes, each with the grant; by name."""
    roles = [role for role, granted in GRANTS.items() if permission in granted]
    query = (
        sa.select(Account, RoleGrant)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(Account.platform == Platform.DESK, Account.disabled_at.is_(None), RoleGrant.role.in_(roles))
        .where(RoleGrant.scope_kind.in_(AREA_KINDS), RoleGrant.scope_ref.in_(codes))
        .options(selectinload(Account.grants))
        .order_by(Account.name, Account.id, RoleGrant.id)
    )
    moment, day = now(), today()
    return [
        (account, grant) for account, grant in db.session.execute(query) if account.is_open(day) and grant.holds(moment)
    ]


def workers_on(permission: Permission, codes: Collection[str]) -> list[Account]:
    """The same accounts, each once."""
    return list(dict.fromkeys(account for account, _grant in holders(permission, codes)))


def ever_on(permission: Permission, codes: Collection[str], others: Collection[str] = ()) -> list[Account]:
    """Desk accounts, stopped ones too, with a grant on areas of these codes (over or not), and some others by name."""
    roles = [role for role, granted in GRANTS.items() if permission in granted]
    granted = sa.select(RoleGrant.account_id).where(
        RoleGrant.role.in_(roles), RoleGrant.scope_kind.in_(AREA_KINDS), RoleGrant.scope_ref.in_(codes)
    )
    query = sa.select(Account).where(
        Account.platform == Platform.DESK, sa.or_(Account.id.in_(granted), Account.public_id.in_(others))
    )
    return list(db.session.scalars(query.order_by(Account.name, Account.id)))


def as_actor(account: Account) -> Actor:
    """An account as the doors of a capability ask about it, with what it holds now and no session."""
    moment = now()
    held = [grant for grant in account.grants if grant.holds(moment)]
    grants = tuple(Grant(grant.role.value, Scope(grant.scope_kind, grant.scope_ref)) for grant in held)
    return Actor(account.id, account.public_id, account.name, account.platform, grants, 0, moment)


def everywhere(permission: Permission) -> list[Account]:
    """Desk accounts in use that hold a permission, wherever; by name."""
    roles = [role for role, granted in GRANTS.items() if permission in granted]
    query = (
        sa.select(Account)
        .where(Account.platform == Platform.DESK, Account.disabled_at.is_(None))
        .options(selectinload(Account.grants))
        .order_by(Account.name, Account.id)
    )
    moment, day = now(), today()
    return [
        account
        for account in db.session.scalars(query)
        if account.is_open(day) and any(grant.role in roles and grant.holds(moment) for grant in account.grants)
    ]
