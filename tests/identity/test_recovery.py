"""Recovery codes stand in for the authenticator: ten, shown once, each good once."""

import re
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa
import time_machine

from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity import passwords, recovery, service
from portal.identity.models import RecoveryCode
from tests.identity.test_worker import CODES, DESK, SECRET, SIGN_IN, TOTP, sign_in

PAGE = "/desk/account/recovery-codes"


@pytest.fixture
def drawn(make, worker):
    """A bound authenticator with its ten codes."""
    made = recovery.draw()
    with transaction():
        signed = service.account(worker.id)
        signed.totp_secret = SECRET
        recovery.keep(signed, made)
    return made.codes


def actions():
    return list(db.session.scalars(sa.select(AuditRow.action).order_by(AuditRow.id)))


def test_ten_codes_are_shown_once_and_only_hashes_are_kept(client, worker):
    client.sign_in(worker)
    page = client.get("/desk/account/totp").text
    secret = re.search(r'id="totp-secret">([A-Z2-7 ]+)<', page).group(1).replace(" ", "")
    word = re.search(r'name="secret"[^>]*value="([^"]+)"', page).group(1)
    shown = client.post("/desk/account/totp", data={"secret": word, "code": pyotp.TOTP(secret).now()})
    codes = CODES.findall(shown.text)
    assert len(set(codes)) == 10
    assert "data-print" in shown.text
    kept = list(db.session.scalars(sa.select(RecoveryCode)))
    assert len(kept) == 10
    assert not any(code.replace("-", "") in str(vars(row)) for row in kept for code in codes)
    assert not CODES.findall(client.get(PAGE).text)
    assert "还有 10 个没有用过" in client.get(PAGE).text


def test_a_wrong_first_code_leaves_no_recovery_codes(client, worker):
    client.sign_in(worker)
    page = client.get("/desk/account/totp").text
    word = re.search(r'name="secret"[^>]*value="([^"]+)"', page).group(1)
    assert client.post("/desk/account/totp", data={"secret": word, "code": "000000"}).status_code == 422
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RecoveryCode)) == 0


@pytest.mark.parametrize("written", [str, str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_recovery_code_signs_in_however_it_was_copied(client, worker, drawn, written):
    sign_in(client, worker)
    assert client.post(TOTP, data={"code": written(drawn[3])}).status_code == 303
    page = client.get(DESK)
    assert page.status_code == 200
    assert "还剩 9 个" in page.text
    assert "identity.recovery_used" in actions()
    told = db.session.scalar(sa.select(OutboxRow.facts).where(OutboxRow.topic == "identity.recovery_used"))
    assert told == {"left": 9}


def test_a_recovery_code_is_used_once(app, client, worker, drawn):
    sign_in(client, worker)
    assert client.post(TOTP, data={"code": drawn[0]}).status_code == 303
    thief = app.test_client()
    sign_in(thief, worker)
    again = thief.post(TOTP, data={"code": drawn[0]})
    assert again.status_code == 422
    assert thief.get(DESK).status_code == 303


def test_a_used_and_an_unknown_code_read_the_same(client, worker, drawn):
    with transaction():
        db.session.execute(sa.update(RecoveryCode).values(used_at=now()))
    sign_in(client, worker)
    pages = [client.post(TOTP, data={"code": code}) for code in (drawn[0], "22222-22222", "000000")]
    words = [re.findall(r"动态口令不对或已用过[^<]*", page.text) for page in pages]
    assert words[0] == words[1] == words[2] != []


def test_codes_of_a_colleague_are_no_use(client, make, worker, drawn, desk_hash):
    colleague = make.worker(password_hash=desk_hash)
    with transaction():
        service.account(colleague.id).totp_secret = SECRET
    sign_in(client, colleague)
    assert client.post(TOTP, data={"code": drawn[0]}).status_code == 422
    assert recovery.left(worker.id) == 10


def test_an_account_without_codes_costs_the_same_hash(client, make, worker, monkeypatch):
    with transaction():
        service.account(worker.id).totp_secret = SECRET
    seen = []
    held = passwords.derived
    monkeypatch.setattr(passwords, "derived", lambda *told: (seen.append(len(told[0])), held(*told))[1])
    sign_in(client, worker)
    assert client.post(TOTP, data={"code": "22222-22222"}).status_code == 422
    assert seen == [1]


def test_a_recovery_code_is_hashed_outside_any_transaction(client, worker, drawn, monkeypatch):
    seen = []
    held = passwords.derived
    monkeypatch.setattr(passwords, "derived", lambda *told: (seen.append(db.session.in_transaction()), held(*told))[1])
    sign_in(client, worker)
    client.post(TOTP, data={"code": drawn[0]})
    assert seen == [False]


def test_recovery_codes_count_as_tries_like_the_authenticators(client, worker, drawn):
    with time_machine.travel(now().replace(minute=0, second=0, microsecond=0), tick=False):
        sign_in(client, worker)
        for _try in range(5):
            assert client.post(TOTP, data={"code": "22222-22222"}).status_code == 422
        assert client.post(TOTP, data={"code": drawn[0]}).status_code == 429


def test_a_dismissal_while_the_code_is_hashed_is_noticed(client, worker, drawn, monkeypatch):
    held, stopped = passwords.derived, worker.id

    def slow(*told):
        with transaction():
            service.disable(service.account(stopped))
        return held(*told)

    sign_in(client, worker)
    monkeypatch.setattr(passwords, "derived", slow)
    client.post(TOTP, data={"code": drawn[0]})
    assert (client.get(DESK).location or "").startswith(SIGN_IN)


def test_whoever_holds_a_session_and_the_password_draws_no_codes_without_the_second_factor(client, worker, drawn):
    client.sign_in(worker)
    for code in ("", "000000", "22222-22222"):
        answer = client.post(PAGE, data={"code": code})
        assert answer.status_code == 422
        assert set(CODES.findall(answer.text)) <= {code}
    assert recovery.left(worker.id) == 10
    assert len(CODES.findall(client.post(PAGE, data={"code": drawn[1]}).text)) == 10
    told = db.session.scalar(sa.select(OutboxRow.recipient_id).where(OutboxRow.topic == "identity.recovery_drawn"))
    assert told == worker.public_id


def test_an_authenticators_code_draws_codes_once(client, worker, drawn):
    client.sign_in(worker)
    code = pyotp.TOTP(SECRET).now()
    assert client.post(PAGE, data={"code": code}).status_code == 200
    assert client.post(PAGE, data={"code": code}).status_code == 422


def test_new_codes_end_the_old_ones_and_want_the_password_given_lately(client, worker, drawn):
    client.sign_in(worker)
    shown = client.post(PAGE, data={"code": pyotp.TOTP(SECRET).now()})
    fresh = CODES.findall(shown.text)
    assert len(fresh) == 10
    assert "identity.recovery_drawn" in actions()
    assert not recovery.spend(worker.id, drawn[0])
    assert recovery.spend(worker.id, fresh[0])
    with time_machine.travel(now() + timedelta(minutes=6), tick=False):
        assert client.get(PAGE).location.startswith("/desk/account/confirm")
        assert client.post(PAGE).location.startswith("/desk/account/confirm")


def test_without_an_authenticator_there_are_no_recovery_codes(client, worker):
    client.sign_in(worker)
    assert "请先绑定动态口令" in client.get(PAGE).text
    assert client.post(PAGE, data={"code": "000000"}).status_code == 422


def test_a_lost_authenticator_takes_its_codes_with_it(worker, drawn):
    with transaction():
        service.reset_totp(service.account(worker.id))
    assert recovery.left(worker.id) == 0
