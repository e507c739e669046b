"""The role matrix: every endpoint with what it asks for, every role with what it gets. A new endpoint needs its row."""

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter

from portal.core import access
from portal.core.access import Platform
from portal.identity.permissions import GRANTS, Role
from tests.client import Client
from tests.make import Make

# What each endpoint asks for, written down by hand: a guard that changes must change here too. "fresh" is a password
# given within five minutes.
ASKS = {
    "administration.worker.account": "accounts.manage",
    "administration.worker.accounts": "accounts.manage",
    "administration.worker.clear_holiday": "settings.edit",
    "administration.worker.disable_account": "accounts.manage fresh",
    "administration.worker.enable_account": "accounts.manage fresh",
    "administration.worker.fill_holidays": "settings.edit",
    "administration.worker.grant_role": "accounts.manage fresh",
    "administration.worker.holiday": "settings.edit",
    "administration.worker.holidays": "settings.edit",
    "administration.worker.open_account": "accounts.manage fresh",
    "administration.worker.parameter": "settings.edit",
    "administration.worker.reset_password": "accounts.manage fresh",
    "administration.worker.reset_totp": "accounts.manage fresh",
    "administration.worker.revoke_role": "accounts.manage fresh",
    "administration.worker.settings": "settings.edit",
    "audit.worker.chain": "audit.read",
    "audit.worker.entry": "audit.read",
    "audit.worker.head": "audit.read",
    "audit.worker.index": "audit.read",
    "health.alive": "public",
    "health.ready": "public",
    "home.resident.index": "public",
    "home.resident.looked": "self",
    "home.resident.me": "self",
    "home.resident.preferences": "public",
    "home.worker.index": "desk",
    "home.worker.person": "people.read",
    "identity.resident.end_other_sessions": "self",
    "identity.resident.end_session": "self",
    "identity.resident.password": "self",
    "identity.resident.reset": "public",
    "identity.resident.reset_check": "public",
    "identity.resident.reset_password": "public",
    "identity.resident.sessions": "self",
    "identity.resident.sign_in": "public",
    "identity.resident.sign_in_code": "public",
    "identity.resident.sign_in_code_check": "public",
    "identity.resident.sign_out": "public",
    "identity.worker.confirm": "desk",
    "identity.worker.end_other_sessions": "desk",
    "identity.worker.end_session": "desk",
    "identity.worker.password": "desk",
    "identity.worker.sessions": "desk",
    "identity.worker.sign_in": "public",
    "identity.worker.sign_in_totp": "public",
    "identity.worker.sign_out": "public",
    "identity.worker.totp": "desk fresh",
    "meals.resident.cancel": "meals.order",
    "meals.resident.change": "meals.order",
    "meals.resident.menus": "meals.order",
    "meals.resident.order": "meals.order",
    "meals.resident.orders": "meals.order",
    "meals.resident.placed": "meals.order",
    "meals.worker.canteen": "meals.menus",
    "meals.worker.canteen_new": "meals.menus",
    "meals.worker.declare_outage": "meals.redeem",
    "meals.worker.dish": "meals.menus",
    "meals.worker.dish_new": "meals.menus",
    "meals.worker.dish_restore": "meals.menus",
    "meals.worker.dish_retire": "meals.menus",
    "meals.worker.dishes": "meals.menus",
    "meals.worker.kitchen": "meals.kitchen",
    "meals.worker.kitchen_names": "meals.kitchen",
    "meals.worker.kitchen_sheet": "meals.kitchen",
    "meals.worker.labels": "meals.kitchen",
    "meals.worker.menu": "meals.menus",
    "meals.worker.menu_week_copy": "meals.menus",
    "meals.worker.menu_week_publish": "meals.menus",
    "meals.worker.menu_withdraw": "meals.menus",
    "meals.worker.menus": "meals.menus",
    "meals.worker.order": "meals.order_for",
    "meals.worker.order_cancel": "meals.order_for",
    "meals.worker.order_change": "meals.order_for",
    "meals.worker.order_menus": "meals.order_for",
    "meals.worker.order_new": "meals.order_for",
    "meals.worker.outage": "meals.redeem",
    "meals.worker.person_orders": "meals.order_for",
    "meals.worker.phone_order": "meals.order_for",
    "meals.worker.redeem": "meals.redeem",
    "meals.worker.redeem_order": "meals.redeem",
    "meals.worker.redeem_undo": "meals.redeem",
    "meals.worker.rule_edit": "meals.rules",
    "meals.worker.rule_end": "meals.rules",
    "meals.worker.rule_new": "meals.rules",
    "meals.worker.rules": "meals.rules",
    "notifications.resident.index": "self",
    "notifications.resident.read_all": "self",
    "registry.resident.agent_accept": "self",
    "registry.resident.agent_ask": "self",
    "registry.resident.agent_decline": "self",
    "registry.resident.agent_end": "self",
    "registry.resident.agents": "self",
    "registry.resident.claim_again": "self",
    "registry.resident.identity": "self",
    "registry.resident.privacy": "public",
    "registry.resident.register": "public",
    "registry.resident.register_code": "public",
    "registry.worker.agent": "claims.decide",
    "registry.worker.agents": "claims.decide",
    "registry.worker.claim": "claims.decide",
    "registry.worker.claims": "claims.decide",
    "registry.worker.edit": "people.edit",
    "registry.worker.edit_tags": "people.edit",
    "registry.worker.end_tag": "people.edit",
    "registry.worker.import_cancel": "people.import",
    "registry.worker.import_columns": "people.import",
    "registry.worker.import_confirm": "people.import",
    "registry.worker.import_preview": "people.import",
    "registry.worker.import_progress": "people.import",
    "registry.worker.import_refused": "people.import fresh",
    "registry.worker.import_rows": "people.import",
    "registry.worker.import_undo": "people.import fresh",
    "registry.worker.imports": "people.import",
    "registry.worker.reveal": "people.reveal",
    "registry.worker.reveal_number": "people.reveal fresh",
    "registry.worker.search": "people.read",
}

# What each role reaches beyond its own platform's public pages, by the first word of the permission.
MAY = {
    Role.RESIDENT: {"self", "meals.order"},
    Role.CANTEEN_OPERATOR: {"desk", "meals.menus", "meals.kitchen", "meals.redeem"},
    Role.GRID_WORKER: {"desk", "people.read", "people.reveal", "meals.order_for"},
    Role.COMMUNITY_WORKER: {
        "desk",
        "people.read",
        "people.reveal",
        "people.edit",
        "people.import",
        "claims.decide",
        "meals.order_for",
        "meals.menus",
        "meals.kitchen",
        "meals.redeem",
    },
    Role.STREET_ADMINISTRATOR: {"desk", "people.read", "people.reveal", "claims.decide", "meals.menus", "meals.rules"},
    Role.SYSTEM_ADMINISTRATOR: {"desk", "settings.edit"},
    Role.SECURITY_ADMINISTRATOR: {"desk", "accounts.manage"},
    Role.AUDITOR: {"desk", "audit.read"},
}


def _asked(app: Flask, endpoint: str) -> str:
    guard = access.guard_of(app.view_functions[endpoint])
    assert guard is not None
    return "public" if guard.public else guard.permission + (" fresh" if guard.fresh else "")


def test_every_endpoint_has_its_row_and_no_row_is_idle(bare_app: Flask):
    assert {endpoint: _asked(bare_app, endpoint) for endpoint in bare_app.view_functions} == ASKS


def test_the_grants_are_the_ones_written_here():
    asked = {asks.split()[0] for asks in ASKS.values()} - {"public"}
    assert {role: {str(held) for held in held_by & asked} for role, held_by in GRANTS.items()} == MAY


def _path(app: Flask, endpoint: str) -> tuple[str, str]:
    """An address of the endpoint that names nothing real, and a method it takes."""
    rule = next(app.url_map.iter_rules(endpoint))
    converters = {
        name: "999" if isinstance(kind, IntegerConverter) else "no-such-thing"
        for name, kind in rule._converters.items()
    }
    address = app.url_map.bind("").build(endpoint, converters)
    return address, "GET" if "GET" in (rule.methods or ()) else "POST"


# Public, and ending the very session that the other rows need.
ENDING = {"identity.resident.sign_out", "identity.worker.sign_out"}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_in_where_the_matrix_says_and_nowhere_else(make: Make, app: Flask, role: Role):
    account = make.resident(make.person()) if role is Role.RESIDENT else make.worker(role)
    client: Client = app.test_client().sign_in(account)  # type: ignore[attr-defined]
    wrong = []
    for endpoint, asks in ASKS.items():
        if endpoint in ENDING:
            continue
        address, method = _path(app, endpoint)
        status = client.open(address, method=method).status_code
        allowed = asks == "public" or asks.split()[0] in MAY[role]
        if (status == 403) is allowed or (status >= 500 and endpoint != "health.ready"):
            wrong.append((endpoint, status))
    assert not wrong, wrong


def test_a_stranger_is_sent_to_the_sign_in_of_the_platform(make: Make, app: Flask):
    wrong = []
    for endpoint, asks in ASKS.items():
        if asks == "public":
            continue
        address, method = _path(app, endpoint)
        answer = app.test_client().open(address, method=method)
        platform = Platform.DESK if address.startswith("/desk") else Platform.RESIDENT
        door = "/desk/account/sign-in" if platform is Platform.DESK else "/account/sign-in"
        if answer.status_code != 303 or not answer.location.startswith(door):
            wrong.append((endpoint, answer.status_code, answer.location))
    assert not wrong, wrong
