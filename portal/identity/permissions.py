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
    CATALOGUE_USE = "catalogue.use"
    CATALOGUE_KEEP = "catalogue.keep"
    CATALOGUE_SERVE = "catalogue.serve"
    CATALOGUE_FIGURES = "catalogue.figures"
    CASES_REPORT = "cases.report"
    CASES_HANDLE = "cases.handle"
    CASES_DISPATCH = "cases.dispatch"
    CASES_SUPERVISE = "cases.supervise"
    CASES_RULES = "cases.rules"
    VOLUNTEERS_USE = "volunteers.use"
    VOLUNTEERS_KEEP = "volunteers.keep"
    VOLUNTEERS_CERTIFY = "volunteers.certify"
    VOLUNTEERS_RULES = "volunteers.rules"
    DELIBERATION_USE = "deliberation.use"
    DELIBERATION_KEEP = "deliberation.keep"
    DELIBERATION_VOTES = "deliberation.votes"
    DELIBERATION_RULES = "deliberation.rules"
    DESK = "desk"
    PEOPLE_READ = "people.read"
    PEOPLE_REVEAL = "people.reveal"
    PEOPLE_EDIT = "people.edit"
    PEOPLE_IMPORT = "people.import"
    PEOPLE_MERGE = "people.merge"
    PEOPLE_RESTRICTED = "people.restricted"
    PEOPLE_EXPORT = "people.export"
    EXPORTS_APPROVE = "exports.approve"
    HAND_OVER = "hand_over"
    RIGHTS_ANSWER = "rights.answer"
    RESOURCES_READ = "resources.read"
    RESOURCES_EDIT = "resources.edit"
    VISITS_PEOPLE = "visits.people"
    VISITS_DO = "visits.do"
    VISITS_MANAGE = "visits.manage"
    VISITS_RULES = "visits.rules"
    DUTY_MANAGE = "duty.manage"
    ANNOUNCE = "announcements.write"
    CLAIMS_DECIDE = "claims.decide"
    SETTINGS_EDIT = "settings.edit"
    ACCOUNTS_MANAGE = "accounts.manage"
    AUDIT_READ = "audit.read"


class Role(StrEnum):
    RESIDENT = "resident"
    CANTEEN_OPERATOR = "canteen_operator"
    GRID_WORKER = "grid_worker"
    CASE_WORKER = "case_worker"
    COMMUNITY_WORKER = "community_worker"
    COMMITTEE_MEMBER = "committee_member"
    STREET_ADMINISTRATOR = "street_administrator"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    SECURITY_ADMINISTRATOR = "security_administrator"
    AUDITOR = "auditor"


P = Permission
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.RESIDENT: frozenset(
        {P.SELF, P.MEALS_ORDER, P.CATALOGUE_USE, P.CASES_REPORT, P.VOLUNTEERS_USE, P.DELIBERATION_USE}
    ),
    Role.CANTEEN_OPERATOR: frozenset({P.DESK, P.MEALS_MENUS, P.MEALS_KITCHEN, P.MEALS_REDEEM, P.MEALS_TODAY}),
    Role.GRID_WORKER: frozenset(
        {
            P.DESK,
            P.PEOPLE_READ,
            P.PEOPLE_REVEAL,
            P.PEOPLE_EXPORT,
            P.RESOURCES_READ,
            P.VISITS_PEOPLE,
            P.VISITS_DO,
            P.MEALS_ORDER_FOR,
            P.MEALS_TODAY,
            P.CATALOGUE_SERVE,
            P.CATALOGUE_FIGURES,
            P.CASES_HANDLE,
        }
    ),
    # Who looks after single cases is the one role that sees restricted tags: need to know, on one community.
    Role.CASE_WORKER: frozenset(
        {P.DESK, P.PEOPLE_READ, P.PEOPLE_REVEAL, P.PEOPLE_RESTRICTED, P.VISITS_PEOPLE, P.VISITS_DO, P.CASES_HANDLE}
    ),
    Role.COMMUNITY_WORKER: frozenset(
        {
            P.DESK,
            P.PEOPLE_READ,
            P.PEOPLE_REVEAL,
            P.PEOPLE_EDIT,
            P.PEOPLE_IMPORT,
            P.PEOPLE_MERGE,
            P.PEOPLE_EXPORT,
            P.EXPORTS_APPROVE,
            P.HAND_OVER,
            P.RIGHTS_ANSWER,
            P.CLAIMS_DECIDE,
            P.RESOURCES_READ,
            P.RESOURCES_EDIT,
            P.VISITS_PEOPLE,
            P.VISITS_DO,
            P.VISITS_MANAGE,
            P.DUTY_MANAGE,
            P.ANNOUNCE,
            P.MEALS_ORDER_FOR,
            P.MEALS_MENUS,
            P.MEALS_KITCHEN,
            P.MEALS_REDEEM,
            P.MEALS_TODAY,
            P.CATALOGUE_KEEP,
            P.CATALOGUE_SERVE,
            P.CATALOGUE_FIGURES,
            P.CASES_HANDLE,
            P.CASES_DISPATCH,
            P.CASES_SUPERVISE,
            P.VOLUNTEERS_KEEP,
            P.VOLUNTEERS_CERTIFY,
            P.DELIBERATION_KEEP,
            P.DELIBERATION_VOTES,
        }
    ),
    # Members of the residents' committee (居委会): topics, meetings and votes, and nothing of the register.
    Role.COMMITTEE_MEMBER: frozenset({P.DESK, P.DELIBERATION_KEEP, P.DELIBERATION_VOTES}),
    Role.STREET_ADMINISTRATOR: frozenset(
        {
            P.DESK,
            P.PEOPLE_READ,
            P.PEOPLE_REVEAL,
            P.PEOPLE_EXPORT,
            P.EXPORTS_APPROVE,
            P.CLAIMS_DECIDE,
            P.RESOURCES_READ,
            P.VISITS_PEOPLE,
            P.VISITS_MANAGE,
            P.VISITS_RULES,
            P.DUTY_MANAGE,
            P.ANNOUNCE,
            P.MEALS_MENUS,
            P.MEALS_RULES,
            P.MEALS_TODAY,
            P.CATALOGUE_KEEP,
            P.CATALOGUE_FIGURES,
            P.CASES_SUPERVISE,
            P.CASES_RULES,
            P.VOLUNTEERS_KEEP,
            P.VOLUNTEERS_RULES,
            P.DELIBERATION_KEEP,
            P.DELIBERATION_VOTES,
            P.DELIBERATION_RULES,
        }
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
    Role.CASE_WORKER: frozenset({"community"}),
    Role.COMMUNITY_WORKER: frozenset({"community"}),
    Role.COMMITTEE_MEMBER: frozenset({"community"}),
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
        Role.CASE_WORKER: _("个案社工"),
        Role.COMMUNITY_WORKER: _("社区工作者"),
        Role.COMMITTEE_MEMBER: _("居委会成员"),
        Role.STREET_ADMINISTRATOR: _("街道管理员"),
        Role.SYSTEM_ADMINISTRATOR: _("系统管理员"),
        Role.SECURITY_ADMINISTRATOR: _("安全管理员"),
        Role.AUDITOR: _("审计员"),
    }[role]
