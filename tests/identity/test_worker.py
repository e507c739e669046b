"""Workers sign in at the desk: password, authenticator, and what comes before anything else."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
import time_machine

from portal.core.access import Platform
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity import credentials, service, sessions
from portal.identity.models import SignedSession
from tests.identity.conftest import DESK_PASSWORD

SIGN_IN, TOTP = "/desk/account/sign-in", "/desk/account/sign-in/totp"
DESK = "/desk/account/sessions"
NEW = "yi ju geng chang de xin de hua"
CODES = re.compile(r"\b[2-9A-Z]{5}-[2-9A-Z]{5}\b")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def sign_in(client, worker, password=DESK_PASSWORD, address=SIGN_IN):
    return client.post(address, data={"username": worker.username, "password": password})


@pytest.fixture
def with_totp(make, worker):
    with transaction():
        service.account(worker.id).totp_secret = SECRET
    return make.read(worker)


@pytest.fixture
def totp_required(app):
    held = app.extensions["portal.config"]
    app.extensions["portal.config"] = replace(held, worker_totp=True)
    yield
    app.extensions["portal.config"] = held


def test_a_worker_signs_in_with_user_name_and_password(client, worker):
    asked = client.get("/desk/people/claims")
    assert asked.location == "/desk/account/sign-in?next=/desk/people/claims"
    assert sign_in(client, worker, address=asked.location).location == "/desk/people/claims"
    assert client.get(DESK).status_code == 200


def test_an_unknown_user_name_and_a_wrong_password_read_the_same(client, worker):
    wrong = sign_in(client, worker, "x" * 15)
    unknown = client.post(SIGN_IN, data={"username": "nobody", "password": "x" * 15})
    assert wrong.status_code == unknown.status_code == 422
    tokens = re.compile(r'"[^"]{60,}"')
    assert tokens.sub("", wrong.text.replace(worker.username, "…")) == tokens.sub(
        "", unknown.text.replace("nobody", "…")
    )


def test_an_account_with_an_authenticator_is_asked_for_its_code(client, with_totp):
    with time_machine.travel(now(), tick=False):
        answer = sign_in(client, with_totp, address=f"{SIGN_IN}?next=/desk/people/claims")
        assert answer.location == f"{TOTP}?next=/desk/people/claims"
        assert client.get(DESK).status_code == 303
        answer = client.post(answer.location, data={"code": pyotp.TOTP(SECRET).now()})
    assert answer.location == "/desk/people/claims"
    assert client.get(DESK).status_code == 200


def test_a_code_of_the_authenticator_is_used_once(app, client, with_totp):
    with time_machine.travel(now(), tick=False):
        sign_in(client, with_totp)
        code = pyotp.TOTP(SECRET).now()
        assert client.post(TOTP, data={"code": code}).status_code == 303
        thief = app.test_client()
        sign_in(thief, with_totp)
        replayed = thief.post(TOTP, data={"code": code})
    assert replayed.status_code == 422
    assert "已用过" in replayed.text
    assert thief.get(DESK).status_code == 303


def test_an_older_code_is_refused_after_a_newer_one(app, client, with_totp):
    with time_machine.travel(now(), tick=False):
        older = pyotp.TOTP(SECRET).at(now() - timedelta(seconds=30))
        sign_in(client, with_totp)
        client.post(TOTP, data={"code": pyotp.TOTP(SECRET).now()})
        other = app.test_client()
        sign_in(other, with_totp)
        assert other.post(TOTP, data={"code": older}).status_code == 422


def test_codes_of_the_authenticator_cannot_be_guessed_for_long(client, with_totp):
    with time_machine.travel(now().replace(minute=0, second=0, microsecond=0), tick=False):
        sign_in(client, with_totp)
        wrong = "000000" if pyotp.TOTP(SECRET).now() != "000000" else "111111"
        for _try in range(5):
            assert client.post(TOTP, data={"code": wrong}).status_code == 422
        answer = client.post(TOTP, data={"code": pyotp.TOTP(SECRET).now()})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "300"


def test_the_second_step_is_open_for_five_minutes(client, with_totp):
    sign_in(client, with_totp)
    with time_machine.travel(now() + timedelta(minutes=5, seconds=2), tick=False):
        answer = client.post(TOTP, data={"code": pyotp.TOTP(SECRET).now()})
    assert answer.location.startswith(SIGN_IN)
    assert client.get(DESK).status_code == 303


def test_the_second_step_is_not_reached_without_the_first(client, with_totp):
    answer = client.post(TOTP, data={"code": pyotp.TOTP(SECRET).now()})
    assert answer.location.startswith(SIGN_IN)


def test_a_dismissal_between_the_steps_is_noticed(client, with_totp):
    sign_in(client, with_totp)
    with transaction():
        service.disable(service.account(with_totp.id))
    assert client.post(TOTP, data={"code": pyotp.TOTP(SECRET).now()}).location.startswith(SIGN_IN)


def test_where_the_authenticator_is_required_nothing_else_comes_first(client, worker, totp_required):
    sign_in(client, worker)
    for address in ("/desk/people/claims", DESK, "/desk/", "/", "/people/privacy", "/desk/account/password"):
        assert client.get(address).location == "/desk/account/totp"
    assert client.post("/desk/account/sessions/end-others").location == "/desk/account/totp"
    page = client.get("/desk/account/totp")
    assert page.status_code == 200
    assert '<svg class="qr"' in page.text


def test_an_authenticator_is_bound_by_its_first_code(client, worker, totp_required):
    sign_in(client, worker)
    page = client.get("/desk/account/totp").text
    secret = re.search(r'id="totp-secret">([A-Z2-7 ]+)<', page).group(1).replace(" ", "")
    signed = re.search(r'name="secret"[^>]*value="([^"]+)"', page).group(1)
    refused = client.post("/desk/account/totp", data={"secret": signed, "code": "000000"})
    assert refused.status_code == 422
    assert signed in refused.text
    code = pyotp.TOTP(secret).now()
    shown = client.post("/desk/account/totp", data={"secret": signed, "code": code})
    assert shown.status_code == 200
    assert len(CODES.findall(shown.text)) == 10
    assert client.get(DESK).status_code == 200
    assert service.account(worker.id).totp_secret == secret


def test_a_secret_of_ones_own_choosing_is_not_bound(client, worker):
    client.sign_in(worker)
    code = pyotp.TOTP(SECRET).now()
    answer = client.post("/desk/account/totp", data={"secret": SECRET, "code": code})
    assert answer.status_code == 422
    assert service.account(worker.id).totp_secret is None


def test_a_first_password_is_changed_before_anything_else(client, make, worker):
    with transaction():
        service.account(worker.id).must_change_password = True
    sign_in(client, worker)
    for address in ("/desk/people/claims", DESK, "/desk/", "/desk/account/totp"):
        assert client.get(address).location == "/desk/account/password"
    same = {"current": DESK_PASSWORD, "password": DESK_PASSWORD, "again": DESK_PASSWORD}
    assert client.post("/desk/account/password", data=same).status_code == 422
    fresh = {"current": DESK_PASSWORD, "password": NEW, "again": NEW}
    assert client.post("/desk/account/password", data=fresh).status_code == 303
    assert client.get(DESK).status_code == 200


def test_an_actor_whose_duties_are_unknown_is_held_back(app, client, worker, monkeypatch):
    held = sessions._actor
    monkeypatch.setattr(sessions, "_actor", lambda *told: replace(held(*told), cache={}))
    assert client.sign_in(worker).get(DESK).location == "/desk/account/password"


def test_a_desk_password_has_fifteen_characters(client, worker):
    client.sign_in(worker)
    short = {"current": DESK_PASSWORD, "password": "vierzehnlang14", "again": "vierzehnlang14"}
    answer = client.post("/desk/account/password", data=short)
    assert answer.status_code == 422
    assert "至少 15 个字符" in answer.text


def test_the_desk_keeps_at_most_two_sessions(app, worker):
    clients = [app.test_client() for _turn in range(3)]
    for turn, client in enumerate(clients):
        with time_machine.travel(now() + timedelta(minutes=turn)):
            sign_in(client, worker)
    with time_machine.travel(now() + timedelta(minutes=3)):
        assert [client.get(DESK).status_code for client in clients] == [303, 200, 200]


def test_a_desk_session_ends_after_fifteen_idle_minutes(client, worker):
    client.sign_in(worker)
    with time_machine.travel(now() + timedelta(minutes=14)):
        assert client.get(DESK).status_code == 200
    with time_machine.travel(now() + timedelta(minutes=28)):
        assert client.get(DESK).status_code == 200
    with time_machine.travel(now() + timedelta(minutes=44)):
        assert client.get(DESK).status_code == 303


def test_a_desk_session_ends_after_ten_hours_of_work(client, worker):
    client.sign_in(worker)
    start = now()
    for minutes in range(10, 600, 10):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert client.get(DESK).status_code == 200
    with time_machine.travel(start + timedelta(hours=10, minutes=1)):
        assert client.get(DESK).status_code == 303


def test_the_password_again_makes_a_session_fresh(client, make, worker):
    client.sign_in(worker)
    later = now() + timedelta(minutes=6)
    with time_machine.travel(later, tick=False):
        asked = client.get("/desk/account/totp")
        assert asked.location == "/desk/account/confirm?next=/desk/account/totp"
        assert client.post(asked.location, data={"password": "nicht das richtige"}).status_code == 422
        assert client.get("/desk/account/totp").status_code == 303
        assert client.post(asked.location, data={"password": DESK_PASSWORD}).location == "/desk/account/totp"
        assert client.get("/desk/account/totp").status_code == 200


def test_the_password_again_cannot_be_guessed_for_long(client, worker):
    client.sign_in(worker)
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        for _try in range(5):
            client.post("/desk/account/confirm", data={"password": "nicht das richtige"})
        assert client.post("/desk/account/confirm", data={"password": DESK_PASSWORD}).status_code == 429


def test_a_worker_without_any_role_can_still_sign_out(app, client, desk_hash, make):
    with transaction():
        account = service.open_desk_account(username="new", name="新来的", password_hash=desk_hash)
    client.sign_in(account)
    assert client.get(DESK).status_code == 403
    answer = client.post("/desk/account/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert db.session.scalar(sa.select(SignedSession.ended_at)) is not None


def test_signing_in_and_out_leave_audit_rows(client, worker):
    sign_in(client, worker)
    client.post("/desk/account/sign-out")
    actions = list(db.session.scalars(sa.select(AuditRow.action).order_by(AuditRow.id)))
    assert actions == ["identity.signed_in", "identity.signed_out"]


def test_a_password_hashed_with_older_settings_is_hashed_anew_at_sign_in(client, make, worker):
    older = service.passwords.HASHERS[Platform.RESIDENT].hash(DESK_PASSWORD)
    with transaction():
        service.account(worker.id).password_hash = older
    assert sign_in(client, worker).status_code == 303
    assert not service.passwords.is_outdated(service.account(worker.id).password_hash, Platform.DESK)


def test_a_half_way_word_is_for_its_own_step_only(make, worker):
    word = credentials.half_way(worker, "totp")
    assert credentials.half_way_account(word, "totp") == worker
    assert credentials.half_way_account(word, "reset") is None


def test_an_outdated_hash_is_made_anew_on_the_way_to_the_authenticator_too(client, make, with_totp):
    older = service.passwords.HASHERS[Platform.RESIDENT].hash(DESK_PASSWORD)
    with transaction():
        service.account(with_totp.id).password_hash = older
    assert sign_in(client, with_totp).status_code == 303
    assert not service.passwords.is_outdated(service.account(with_totp.id).password_hash, Platform.DESK)
    assert client.post(TOTP, data={"code": pyotp.TOTP(SECRET).now()}).status_code == 303


def test_a_bound_authenticator_is_not_replaced_with_the_password_alone(make, worker):
    with transaction():
        service.account(worker.id).totp_secret = SECRET
    with pytest.raises(Refused, match="安全管理员"), transaction():
        credentials.set_totp(service.account(worker.id), credentials.pyotp.random_base32(), "000000")
