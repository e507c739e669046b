"""Who may do what, on one page."""

from enum import StrEnum

from flask_babel import gettext as _


class Permission(StrEnum):
    SELF = "self"
    MEALS_ORDER = "meals.order"
    MEALS_ORDER_FOR = "meals.order_for"
    MEALS_MENUS = "meals.menus"
    MEALS_KITCHEN = "meals.kitchen"
    MEALS_REDEEM = "meals.redeem"
    MEALS_RULES = "meals.rules"
    MEALS_TODAY = "meals.today"
    DESK = "desk"
    PEOPLE_READ = "people.read"
    PEOPLE_REVEAL = "people.reveal"
    PEOPLE_EDIT = "people.edit"
    PEOPLE_IMPORT = "people.import"
    CLAIMS_DECIDE = "claims.decide"
    SETTINGS_EDIT = "settings.edit"
    ACCOUNTS_MANAGE = "accounts.manage"
    AUDIT_READ = "audit.read"


class Role(StrEnum):
    RESIDENT = "resident"
    CANTEEN_OPERATOR = "canteen_operator"
    GRID_WORKER = "grid_worker"
    COMMUNITY_WORKER = "community_worker"
    STREET_ADMINISTRATOR = "street_administrator"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDITOR = "auditor"


P = Permission
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: frozenset({P.SELF, P.MEALS_ORDER}),
    Role.CANTEEN_OPERATOR: frozenset({P.DESK, P.MEALS_MENUS, P.MEALS_KITCHEN, P.MEALS_REDEEM, P.MEALS_TODAY}),
    Role.GRID_WORKER: frozenset({P.DESK, P.PEOPLE_READ, P.PEOPLE_REVEAL, P.MEALS_ORDER_FOR, P.MEALS_TODAY}),
    Role.COMMUNITY_WORKER: frozenset(
        {
            P.DESK,
            P.PEOPLE_READ,
            P.PEOPLE_REVEAL,
            P.PEOPLE_EDIT,
            P.PEOPLE_IMPORT,
            P.CLAIMS_DECIDE,
            P.MEALS_ORDER_FOR,
            P.MEALS_MENUS,
            P.MEALS_KITCHEN,
            P.MEALS_REDEEM,
            P.MEALS_TODAY,
        }
    ),
    Role.STREET_ADMINISTRATOR: frozenset(
        {P.DESK, P.PEOPLE_READ, P.PEOPLE_REVEAL, P.CLAIMS_DECIDE, P.MEALS_MENUS, P.MEALS_RULES, P.MEALS_TODAY}
    ),
    # The three administrators exclude each other and everything else (三员).
    Role.SYSTEM_ADMINISTRATOR: frozenset({P.DESK, P.SETTINGS_EDIT}),
    Role.SECURITY_ADMINISTRATOR: frozenset({P.DESK, P.ACCOUNTS_MANAGE}),
    Role.AUDITOR: frozenset({P.DESK, P.AUDIT_READ}),
}

EXCLUSIVE = frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR})

# What each role's scope may be: the kinds that areas and capabilities resolve.
SCOPE_KINDS: dict[Role, frozenset[str]] = {
    Role.RESIDENT: frozenset({"self"}),
    Role.CANTEEN_OPERATOR: frozenset({"canteen"}),
    Role.GRID_WORKER: frozenset({"grid"}),
    Role.COMMUNITY_WORKER: frozenset({"community"}),
    Role.STREET_ADMINISTRATOR: frozenset({"street"}),
    Role.SYSTEM_ADMINISTRATOR: frozenset({"all"}),
    Role.SECURITY_ADMINISTRATOR: frozenset({"all"}),
    Role.AUDITOR: frozenset({"all"}),
}


def grants(role: str, permission: str) -> bool:
    return role in set(Role) and permission in GRANTS[Role(role)]


def label(role: Role) -> str:
    return {
        Role.RESIDENT: _("居民"),
        Role.CANTEEN_OPERATOR: _("助餐点人员"),
        Role.GRID_WORKER: _("网格员"),
        Role.COMMUNITY_WORKER: _("社区工作者"),
        Role.STREET_ADMINISTRATOR: _("街道管理员"),
        Role.SYSTEM_ADMINISTRATOR: _("系统管理员"),
        Role.SECURITY_ADMINISTRATOR: _("安全管理员"),
        Role.AUDITOR: _("审计员"),
    }[role]
