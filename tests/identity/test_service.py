"""Accounts and signing in: what the service promises, whoever shows the pages."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import settings
from portal.core.access import Platform, Scope
from portal.core.audit import AuditRow
from portal.core.clock import day_bounds, now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused, TooMany
from portal.core.outbox import OutboxRow
from portal.identity import codes, jobs, service, sessions
from portal.identity.models import CodePurpose, OneTimeCode, SignedSession
from portal.identity.permissions import Role
from tests.identity.conftest import DESK_PASSWORD, PASSWORD

PHONE = "13812345678"


def actions():
    return list(db.session.scalars(sa.select(AuditRow.action).order_by(AuditRow.id)))


def check(login, password, platform=Platform.DESK):
    return service.check_password(login, password, platform=platform, address="192.0.2.1")


def session_of(account, *, began, ended=None):
    """A session as a browser left it."""
    with transaction() as session:
        row = SignedSession(
            sid_hash=f"{account.id}|{began.isoformat()}",
            account_id=account.id,
            platform=account.platform,
            epoch=account.epoch,
            created_at=began,
            seen_at=began,
            authenticated_at=began,
            ended_at=ended,
        )
        session.add(row)
    return row.id


def test_a_right_password_finds_the_account_however_the_name_is_spelt(app, make, worker, resident):
    assert check(f" {worker.username.upper()} ", DESK_PASSWORD).account_id == worker.id
    assert check("+86 138-1234-5678", PASSWORD, Platform.RESIDENT).account_id == resident.id


@pytest.mark.parametrize("why", ["unknown", "wrong", "disabled", "expired", "other_platform"])
def test_whatever_was_wrong_is_refused_in_the_same_words(app, make, worker, resident, why):
    login, password = worker.username, DESK_PASSWORD
    with transaction():
        signed = service.account(worker.id)
        if why == "disabled":
            service.disable(signed)
        if why == "expired":
            signed.expires_on = today() - timedelta(days=1)
    if why == "unknown":
        login = "nobody"
    if why == "wrong":
        password = "x" * 15
    if why == "other_platform":
        login, password = PHONE, PASSWORD
    with pytest.raises(Refused) as refused:
        check(login, password)
    assert refused.value.message == "用户名或密码不对，请核对后再试。忘记密码请联系安全管理员重设。"
    assert refused.value.field == ""


def test_a_failure_is_recorded_with_the_account_it_was_aimed_at(app, make, worker):
    for login in (worker.username, "nobody"):
        with pytest.raises(Refused):
            check(login, "x" * 15)
    known, unknown = db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id))
    assert (known.action, known.object_type, known.object_id) == (
        "identity.sign_in_failed",
        "Account",
        worker.public_id,
    )
    assert (unknown.action, unknown.object_type, unknown.object_id) == ("identity.sign_in_failed", "", "")
    assert known.facts == unknown.facts == {"platform": "desk"}


def test_a_wrong_authenticators_code_and_a_wrong_password_again_name_the_account_too(client, make, worker):
    client.sign_in(worker).post("/desk/account/confirm", data={"password": "nicht das richtige"})
    row = db.session.scalars(sa.select(AuditRow).order_by(AuditRow.id.desc())).first()
    assert (row.action, row.object_id) == ("identity.sign_in_failed", worker.public_id)


def test_an_account_that_is_not_there_is_missing(app, make):
    with pytest.raises(Missing):
        service.account(999)
    with pytest.raises(Missing):
        service.account_by_public_id("no-such")
    assert service.account_of_phone(PHONE) is None


def test_a_telephone_has_one_account(app, make, resident):
    with pytest.raises(Refused, match="已有账号"), transaction():
        service.open_resident_account(phone=PHONE, name="李小红", password_hash="!")
    assert service.account_of_phone(PHONE).id == resident.id


def test_a_resident_holds_the_residents_role_on_herself_only(app, make):
    with transaction():
        made = service.open_resident_account(phone=PHONE, name="李小红", password_hash="!")
    assert [(held.role, held.scope_kind) for held in make.read(made).grants] == [(Role.RESIDENT, "self")]


def test_a_user_name_is_one_persons_whatever_its_letters(app, make):
    with transaction():
        made = service.open_desk_account(username="LiHua", name="李华", password_hash="!")
    assert (made.username, made.must_change_password, made.grants) == ("lihua", True, [])
    with pytest.raises(Refused, match="已有人用"), transaction():
        service.open_desk_account(username="lihua ", name="李华", password_hash="!")


def test_a_role_is_held_on_scopes_of_its_kind_only(app, make, worker):
    with pytest.raises(Refused, match="不能用在这个范围"), transaction():
        service.grant(service.account(worker.id), Role.COMMUNITY_WORKER, Scope("street", "999901001"))
    with transaction():
        service.grant(service.account(worker.id), Role.GRID_WORKER, Scope("grid", "1"), until=now())
    assert not make.read(worker).grants[-1].holds(now())


def test_a_grant_that_is_not_there_is_not_taken_back(app, make, worker):
    with pytest.raises(Missing), transaction():
        service.revoke(service.account(worker.id), 999)


@pytest.mark.parametrize(
    "change",
    [
        lambda signed: service.grant(signed, Role.GRID_WORKER, Scope("grid", "1")),
        lambda signed: service.revoke(signed, signed.grants[0].id),
        service.disable,
        service.reset_totp,
        lambda signed: service.reset_password(signed, "!"),
    ],
)
def test_a_change_of_what_somebody_may_ends_what_she_has_open(client, make, worker, change):
    client.sign_in(worker)
    with transaction():
        change(service.account(worker.id))
    assert sessions.live(worker.id) == []
    assert client.get("/desk/account/sessions").status_code == 303


def test_a_new_password_ends_every_other_session_and_is_told(app, make, worker):
    kept, other = (session_of(worker, began=now() - timedelta(seconds=age)) for age in (1, 2))
    with transaction():
        service.set_password(service.account(worker.id), "!", keep_session=kept)
    assert [one.id for one in sessions.live(worker.id)] == [kept]
    assert db.session.get(SignedSession, other).ended_at is not None
    assert db.session.scalar(sa.select(OutboxRow.topic)) == "identity.password_set"


def test_the_last_day_of_an_account_counts(app, make, worker):
    with transaction():
        service.expire(service.account(worker.id), today())
    signed = make.read(worker)
    assert signed.is_open(today())
    assert not signed.is_open(today() + timedelta(days=1))
    with pytest.raises(Refused, match="不能早于今天"), transaction():
        service.expire(service.account(worker.id), today() - timedelta(days=1))
    with transaction():
        service.expire(service.account(worker.id), None)
    assert not make.read(worker).has_expired(today() + timedelta(days=9999))


def test_an_expired_accounts_telephone_gets_words_and_no_code(app, make, resident, telephone):
    with transaction():
        service.account(resident.id).expires_on = today()
    with time_machine.travel(day_bounds(today())[1] + timedelta(hours=1), tick=False), transaction():
        codes.send(CodePurpose.SIGN_IN, PHONE)
    assert db.session.scalar(sa.select(OutboxRow.topic)) == "identity.phone_unknown"


def test_codes_to_one_phone_are_throttled_whoever_asks(app, make):
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        codes.throttle(PHONE, address="192.0.2.1")
        with pytest.raises(TooMany):
            codes.throttle(PHONE, address="198.51.100.7")
        codes.throttle("13900000000", address="198.51.100.7")


def test_a_code_is_good_once_for_its_flow_and_purpose(app, make, resident):
    with transaction():
        flow = codes.send(CodePurpose.SIGN_IN, PHONE, payload={"name": "王秀英"})
        sealed = db.session.scalar(sa.select(OutboxRow.facts))["sealed"]
        phone, code = codes.message(flow, sealed)
    assert phone == PHONE
    with pytest.raises(Refused, match="不对或已过期"), transaction():
        codes.finish(flow, code, CodePurpose.RESET)
    with transaction():
        assert codes.finish(flow, code, CodePurpose.SIGN_IN) == (PHONE, {"name": "王秀英"})
    with pytest.raises(Refused, match="不对或已过期"), transaction():
        codes.finish(flow, code, CodePurpose.SIGN_IN)
    assert codes.message(flow, sealed) is None


def test_codes_are_forgotten_a_day_after_they_ran_out(app, make, resident):
    with transaction():
        codes.send(CodePurpose.SIGN_IN, PHONE)
    with time_machine.travel(now() + timedelta(hours=23), tick=False):
        jobs.purge()
        assert db.session.scalar(sa.select(sa.func.count()).select_from(OneTimeCode)) == 1
    with time_machine.travel(now() + timedelta(days=1, minutes=6), tick=False):
        jobs.purge()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OneTimeCode)) == 0


def test_sessions_are_forgotten_half_a_year_after_they_ended(app, make, worker):
    old, ran_out, lately, newest = (
        session_of(worker, began=now() - timedelta(days=190), ended=now() - timedelta(days=181)),
        session_of(worker, began=now() - timedelta(days=182)),
        session_of(worker, began=now() - timedelta(days=179, hours=2), ended=now() - timedelta(days=179)),
        session_of(worker, began=now() - timedelta(minutes=1)),
    )
    jobs.purge()
    left = set(db.session.scalars(sa.select(SignedSession.id)))
    assert left == {lately, newest}
    assert not {old, ran_out} & left


def test_when_somebody_was_here_last_is_not_forgotten(app, make, worker):
    began = now() - timedelta(days=400)
    session_of(worker, began=began - timedelta(days=1), ended=began)
    session_of(worker, began=began, ended=began)
    jobs.purge()
    assert service.last_sign_ins([worker]) == {worker.id: began}


def test_how_long_sessions_are_kept_is_a_setting(app, make, worker):
    assert settings.DECLARED["identity.sessions_kept_days"].default == 180
    session_of(worker, began=now() - timedelta(days=50), ended=now() - timedelta(days=40))
    session_of(worker, began=now())
    with transaction(), app.test_request_context():
        settings.put("identity.sessions_kept_days", 30, valid_from=today(), by="test")
    jobs.purge()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SignedSession)) == 1


def test_a_workers_roles_are_asked_for_by_name_and_role(app, make):
    make.worker(Role.AUDITOR, name="郑审")
    make.worker(Role.GRID_WORKER, name="吴格")
    assert [one.name for one in service.desk_accounts("郑")] == ["郑审"]
    assert [one.name for one in service.desk_accounts(role=Role.GRID_WORKER)] == ["吴格"]
    assert service.desk_accounts("_") == []


def test_every_act_on_an_account_is_on_record(app, make, worker):
    with transaction():
        signed = service.account(worker.id)
        service.expire(signed, today())
        service.disable(signed)
        service.enable(signed)
        service.reset_password(signed, "!")
    assert actions() == [
        "identity.expiry_set",
        "identity.account_disabled",
        "identity.account_enabled",
        "identity.password_reset",
    ]
