"""Workers' accounts as the security administrator sees and changes them; never her own."""

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _

from portal.core.access import Actor, Platform, Scope
from portal.core.clock import day_bounds, now, today
from portal.core.errors import Missing, Refused
from portal.identity import scopes
from portal.identity import service as identity
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import SCOPE_KINDS, Role, label


@dataclass(frozen=True)
class Held:
    """A role that an account holds, with its scope in words."""

    id: int
    role: str
    scope: str
    until: datetime | None
    ended: bool


@dataclass(frozen=True)
class Line:
    """One account in the list."""

    account: Account
    roles: tuple[Held, ...]
    last_sign_in: datetime | None

    @property
    def expired(self) -> bool:
        return self.account.has_expired(today())


def lines(words: str = "", role: Role | None = None) -> list[Line]:
    found = identity.desk_accounts(words, role)
    names = scopes.names(_scope(held) for account in found for held in account.grants)
    last = identity.last_sign_ins(found)
    return [Line(account, _held(account, names), last.get(account.id)) for account in found]


def line(account: Account) -> Line:
    names = scopes.names(_scope(held) for held in account.grants)
    return Line(account, _held(account, names), identity.last_sign_ins([account]).get(account.id))


def _scope(held: RoleGrant) -> Scope:
    return Scope(held.scope_kind, held.scope_ref)


def _held(account: Account, names: dict[Scope, str]) -> tuple[Held, ...]:
    moment = now()
    return tuple(
        Held(held.id, label(held.role), names[_scope(held)], held.until, ended=not held.holds(moment))
        for held in account.grants
    )


def desk_account(public_id: str) -> Account:
    found = identity.account_by_public_id(public_id)
    if found.platform is not Platform.DESK:
        raise Missing
    return found


def account_to_change(public_id: str, *, by: Actor) -> Account:
    """An account that this security administrator may change: any but her own."""
    found = desk_account(public_id)
    if found.id == by.account_id:
        raise Refused(_("不能修改自己的账号和权限，请另一位安全管理员办理"))
    return found


DESK_ROLES = tuple(role for role in Role if role is not Role.RESIDENT)


def desk_role(name: str) -> Role:
    if name not in DESK_ROLES:
        raise Missing
    return Role(name)


def role_duties(role: Role) -> str:
    """What a role does, in a line."""
    return {
        Role.CANTEEN_OPERATOR: _("一个助餐点的菜单、备餐单和核销；不能看居民档案"),
        Role.GRID_WORKER: _("一个网格的居民查询和导出、探访、诉求办理、代客订餐、代办预约"),
        Role.CASE_WORKER: _("一个社区的个案：可看受限标签，探访，办理诉求"),
        Role.COMMITTEE_MEMBER: _("一个社区的议题、协商会和表决；不能看居民档案"),
        Role.COMMUNITY_WORKER: _(
            "一个社区的全部工作：居民档案和导入、账号认领、探访、服务资源、助餐、服务预约、诉求派单、志愿服务、协商议事、值班"
        ),
        Role.STREET_ADMINISTRATOR: _(
            "一个街道的居民查询、账号认领、各项工作的督办和统计，定补贴、探访、诉求、志愿服务和协商的规则"
        ),
        Role.SYSTEM_ADMINISTRATOR: _("参数、节假日和节假日值班的规定；不能看居民和审计"),
        Role.SECURITY_ADMINISTRATOR: _("账号和权限；不能看居民和审计"),
        Role.AUDITOR: _("审计记录，只读；不能办理业务"),
    }[role]


def scope_choices(role: Role) -> list[tuple[str, str]]:
    """The scopes that exist for a role, as (kind:reference, name)."""
    return [(f"{scope.kind}:{scope.ref}", name) for scope, name in scopes.choices(SCOPE_KINDS[role])]


def grant_role(account: Account, role: Role, *, scope: str, until: date | None = None) -> None:
    """Give a role on a scope (kind:reference), until the end of a day or for good."""
    if until and until < today():
        raise Refused(_("到期日不能早于今天"), field="until")
    kind, _colon, ref = scope.partition(":")
    identity.grant(account, role, Scope(kind, ref), until=day_bounds(until)[1] if until else None)
