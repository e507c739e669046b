"""The role matrix: every endpoint with what it asks for, every role with what it gets. A new endpoint needs its row."""

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter

from portal.core import access
from portal.core.access import Platform
from portal.identity.permissions import GRANTS, Role
from tests.client import Client
from tests.make import Make
from tests.matrix import (
    booking,
    cases,
    deliberation_casting,
    deliberation_ideas,
    deliberation_map,
    deliberation_meetings,
    deliberation_opinions,
    deliberation_outcomes,
    deliberation_paper,
    deliberation_roll,
    deliberation_topics,
    desk_cases,
    items,
    others,
    registry,
    rooms,
    volunteer_activities,
    volunteer_attendance,
    volunteer_people,
    volunteer_plans,
    volunteer_points,
    volunteer_records,
    volunteer_roster,
    volunteer_signups,
)
from tests.matrix.roles import MAY

# What each endpoint asks for, written down by hand: a guard that changes must change here too. "fresh" is a password
# given within five minutes.
ASKS = {}
for part in (
    others,
    registry,
    items,
    booking,
    rooms,
    cases,
    desk_cases,
    volunteer_activities,
    volunteer_attendance,
    volunteer_points,
    volunteer_people,
    volunteer_plans,
    volunteer_records,
    volunteer_roster,
    volunteer_signups,
    deliberation_casting,
    deliberation_ideas,
    deliberation_map,
    deliberation_meetings,
    deliberation_opinions,
    deliberation_outcomes,
    deliberation_paper,
    deliberation_roll,
    deliberation_topics,
):
    ASKS |= part.ASKS


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
