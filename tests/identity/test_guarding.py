"""What guards signing in: how often it is tried, what changes while a password is hashed, what a code leaves behind."""

import base64

import sqlalchemy as sa
import time_machine

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity import service
from tests.identity.test_resident import ME, SIGN_IN, sign_in, start_code


def test_too_many_tries_are_answered_429_with_when_to_come_back(client, resident):
    with time_machine.travel(now().replace(minute=0, second=0, microsecond=0), tick=False):
        for _try in range(10):
            assert sign_in(client, password="x").status_code == 422
        answer = sign_in(client)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "600"
    assert "10 分钟后再试" in answer.text
    assert 'value="13812345678"' in answer.text


def test_other_spellings_of_a_phone_get_no_tries_of_their_own(client, resident):
    with time_machine.travel(now().replace(minute=0, second=0, microsecond=0), tick=False):
        for _try in range(10):
            sign_in(client, phone="+86 138-1234-5678", password="x")
        assert sign_in(client).status_code == 429


def test_who_tries_a_name_elsewhere_does_not_lock_its_owner_out(client, resident):
    elsewhere = {
        "environ_overrides": {"REMOTE_ADDR": "198.51.100.7"},
        "data": {"phone": "13812345678", "password": "x"},
    }
    with time_machine.travel(now().replace(minute=0, second=0, microsecond=0), tick=False):
        assert [client.post(SIGN_IN, **elsewhere).status_code for _try in range(11)] == [422] * 10 + [429]
        assert sign_in(client).status_code == 303


def test_tries_of_one_name_from_everywhere_end_too(client, resident):
    with time_machine.travel(now().replace(minute=0, second=0, microsecond=0), tick=False):
        for last in range(20):
            told = {"data": {"phone": "13812345678", "password": "x"}}
            assert (
                client.post(SIGN_IN, environ_overrides={"REMOTE_ADDR": f"198.51.100.{last}"}, **told).status_code == 422
            )
        assert sign_in(client).status_code == 429


def test_ten_names_a_minute_are_tried_from_one_address(client, resident):
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        for last in range(10):
            assert sign_in(client, phone=f"1390000000{last}", password="x").status_code == 422
        answer = sign_in(client)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"


def test_a_password_changed_while_the_old_one_was_checked_lets_nobody_in(client, make, resident, monkeypatch):
    held, changed = service.passwords.matches, resident.id

    def slow(*told):
        good = held(*told)
        with transaction():
            service.account(changed).password_hash = "another"
        return good

    monkeypatch.setattr(service.passwords, "matches", slow)
    assert sign_in(client).status_code == 422
    assert client.get(ME).status_code == 303


def test_a_reset_overtaken_while_its_password_is_hashed_does_not_say_it_is_done(
    client, make, resident, telephone, monkeypatch
):
    client.post("/account/reset", data={"phone": "13812345678"})
    client.post("/account/reset/check", data={"code": telephone.code("13812345678")})
    held, changed = service.passwords.hashed, resident.id

    def slow(*told):
        with transaction():
            service.account(changed).epoch += 1
        return held(*told)

    monkeypatch.setattr(service.passwords, "hashed", slow)
    typed = {"password": "xia tian de feng", "again": "xia tian de feng"}
    assert client.post("/account/reset/password", data=typed).location == "/account/reset"


def test_the_outbox_does_not_hold_a_code_in_the_clear(client, resident, telephone):
    start_code(client)
    held = db.session.scalar(sa.select(OutboxRow.facts).where(OutboxRow.topic == "identity.code"))["sealed"]
    read = b"".join(base64.b64decode(f"{part.replace('-', '+').replace('_', '/')}==") for part in held.split("."))
    assert telephone.code("13812345678").encode() not in read
