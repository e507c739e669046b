"""Who may open the administrators' and the auditor's pages: each of the three her own, nobody else any."""

import pytest

from portal.identity.permissions import Role

DOORS = {
    "/desk/administration/settings": Role.SYSTEM_ADMINISTRATOR,
    "/desk/administration/holidays": Role.SYSTEM_ADMINISTRATOR,
    "/desk/administration/holidays/day": Role.SYSTEM_ADMINISTRATOR,
    "/desk/administration/accounts": Role.SECURITY_ADMINISTRATOR,
    "/desk/administration/accounts/new": Role.SECURITY_ADMINISTRATOR,
    "/desk/audit/": Role.AUDITOR,
    "/desk/audit/chain": Role.AUDITOR,
    "/desk/audit/chain/head": Role.AUDITOR,
}
BUTTONS = {
    "/desk/administration/settings/meals.any": Role.SYSTEM_ADMINISTRATOR,
    "/desk/administration/holidays/2025/fill": Role.SYSTEM_ADMINISTRATOR,
    "/desk/administration/holidays/2025-10-01/clear": Role.SYSTEM_ADMINISTRATOR,
    "/desk/administration/accounts/nobody/disable": Role.SECURITY_ADMINISTRATOR,
    "/desk/administration/accounts/nobody/enable": Role.SECURITY_ADMINISTRATOR,
    "/desk/administration/accounts/nobody/password": Role.SECURITY_ADMINISTRATOR,
    "/desk/administration/accounts/nobody/totp": Role.SECURITY_ADMINISTRATOR,
    "/desk/administration/accounts/nobody/roles/1/revoke": Role.SECURITY_ADMINISTRATOR,
    "/desk/administration/accounts/nobody/roles/auditor": Role.SECURITY_ADMINISTRATOR,
    "/desk/audit/chain": Role.AUDITOR,
}
WORKERS = [role for role in Role if role is not Role.RESIDENT]


@pytest.mark.parametrize("role", WORKERS)
def test_each_page_opens_for_its_own_administrator_only(make, client, role):
    client.sign_in(make.worker(role))
    answers = {door: client.get(door).status_code for door in DOORS}
    assert answers == {door: 200 if owner is role else 403 for door, owner in DOORS.items()}


@pytest.mark.parametrize("role", WORKERS)
def test_each_button_works_for_its_own_administrator_only(make, client, role):
    client.sign_in(make.worker(role))
    refused = {door for door in BUTTONS if client.post(door).status_code == 403}
    assert refused == {door for door, owner in BUTTONS.items() if owner is not role}


def test_a_resident_is_refused(make, client):
    client.sign_in(make.resident())
    assert {client.get(door).status_code for door in DOORS} == {403}
    assert {client.post(door).status_code for door in BUTTONS} == {403}


@pytest.mark.parametrize("door", [*DOORS])
def test_who_is_signed_out_is_sent_to_sign_in_and_back(client, door):
    answer = client.get(door)
    assert answer.status_code == 303
    assert answer.location.startswith("/desk/account/sign-in?next=/desk/")


def test_who_is_signed_out_presses_no_button(client):
    assert {client.post(door).status_code for door in BUTTONS} == {303}
