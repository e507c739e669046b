"""Who works where: desk accounts in use that hold a role on an area; an account as an actor without a session."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.core.access import Actor, Grant, Platform, Scope
from portal.core.clock import now, today
from portal.core.db import db
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import GRANTS, Permission


def workers_on(scopes: Collection[Scope], permission: Permission) -> list[Account]:
    """Desk accounts in use that hold a permission on exactly one of these scopes; by name."""
    roles = [role for role, granted in GRANTS.items() if permission in granted]
    on = [sa.and_(RoleGrant.scope_kind == scope.kind, RoleGrant.scope_ref == scope.ref) for scope in scopes]
    query = (
        sa.select(Account)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .where(Account.platform == Platform.DESK, Account.disabled_at.is_(None), RoleGrant.role.in_(roles))
        .where(sa.or_(sa.false(), *on), sa.or_(RoleGrant.until.is_(None), RoleGrant.until > now()))
        .options(selectinload(Account.grants))
        .distinct()
        .order_by(Account.name, Account.id)
    )
    return [account for account in db.session.scalars(query) if account.is_open(today())]


def as_actor(account: Account) -> Actor:
    """An account as the doors of a capability ask about it, with what it holds now and no session."""
    held = tuple(Grant(grant.role.value, Scope(grant.scope_kind, grant.scope_ref)) for grant in account.grants
                 if grant.holds(now()))  # fmt: skip
    return Actor(account.id, account.public_id, account.name, account.platform, held, 0, now())
