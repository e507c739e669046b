"""Who may not be what at once, how an account ends with a day, and what ends when somebody leaves."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.access import Platform, Scope
from portal.core.clock import day_bounds, now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity import passwords
from portal.identity import service as identity
from portal.identity.models import Account, SignedSession
from portal.identity.permissions import EXCLUSIVE, Role
from tests.administration.test_accounts import PAGE, actions, is_in, opened


@pytest.fixture
def chief(make):
    return make.worker(Role.SECURITY_ADMINISTRATOR, name="孙安")


@pytest.fixture
def security(client, chief):
    return client.sign_in(chief)


@pytest.fixture
def other(app):
    """A browser of the worker whose account is changed."""
    return app.test_client()


@pytest.mark.parametrize("held", sorted(EXCLUSIVE))
@pytest.mark.parametrize("given", [role for role in Role if role is not Role.RESIDENT])
def test_an_administrator_takes_no_other_role_and_nobody_else_becomes_one(make, held, given):
    worker = make.worker(held)
    if held is given:
        return
    with pytest.raises(Refused, match="三者互斥"), transaction():
        identity.grant(identity.account(worker.id), given, Scope("all", ""))
    other = make.worker(given) if given is not Role.CANTEEN_OPERATOR else make.worker(given, make.canteen())
    with pytest.raises(Refused, match="三者互斥"), transaction():
        identity.grant(identity.account(other.id), held, Scope("all", ""))
    assert [len(make.read(one).grants) for one in (worker, other)] == [1, 1]


def test_a_role_that_ended_still_excludes_until_it_is_taken_away(make):
    worker = make.worker(Role.AUDITOR)
    with transaction() as session:
        session.get(Account, worker.id).grants[0].until = now() - timedelta(days=1)
    with pytest.raises(Refused, match="三者互斥"), transaction():
        identity.grant(identity.account(worker.id), Role.GRID_WORKER, Scope("grid", "1"))


def test_a_leavers_sessions_all_end_at_once(security, app, make):
    worker = make.worker()
    browsers = [app.test_client().sign_in(worker) for _browser in range(2)]
    assert all(is_in(browser) for browser in browsers)
    assert security.post(f"{PAGE}/{worker.public_id}/disable").status_code == 303
    assert not any(is_in(browser) for browser in browsers)
    left = sa.select(SignedSession.ended_at).where(SignedSession.account_id == worker.id)
    assert all(db.session.scalars(left))


def expiry(account):
    return f"{PAGE}/{account.public_id}/expiry"


def test_an_account_is_opened_until_a_day(security):
    day = today() + timedelta(days=30)
    sent = {"name": "李华", "username": "lihua", "expires_on": day.isoformat()}
    assert security.post(f"{PAGE}/new", data=sent).status_code == 200
    assert opened().expires_on == day
    words = f"{day.year}年{day.month}月{day.day}日"
    assert words in security.get(PAGE).text
    assert words in security.get(f"{PAGE}/{opened().public_id}").text


def test_an_account_cannot_end_before_today(security, make):
    yesterday = {"expires_on": (today() - timedelta(days=1)).isoformat()}
    refused = security.post(expiry(make.worker()), data=yesterday)
    assert refused.status_code == 422
    assert "不能早于今天" in refused.text.split('id="expires_on-error"')[1]
    assert security.post(f"{PAGE}/new", data={"name": "李华", "username": "lihua", **yesterday}).status_code == 422
    assert opened() is None


def test_an_expired_accounts_session_ends_with_its_last_day(security, other, make):
    worker = make.worker()
    assert security.post(expiry(worker), data={"expires_on": today().isoformat()}).status_code == 303
    assert "identity.expiry_set" in actions()
    last = day_bounds(today())[1]
    with time_machine.travel(last - timedelta(minutes=1), tick=False):
        other.sign_in(make.read(worker))
        assert is_in(other)
    with time_machine.travel(last + timedelta(seconds=1), tick=False):
        assert not is_in(other)


def test_an_expired_account_cannot_sign_in_and_reads_like_a_wrong_password(security, other, make):
    first = "zhe shi yi ju hen chang de hua"
    worker = make.worker(password_hash=passwords.hashed(first, Platform.DESK))
    sent = {"username": worker.username, "password": first}
    with transaction() as session:
        session.get_one(Account, worker.id).expires_on = today() - timedelta(days=1)
    refused = other.post("/desk/account/sign-in", data=sent)
    assert refused.status_code == 422
    assert "用户名或密码不对" in refused.text
    assert security.get(PAGE).text.count("已到期") == 1
    assert "已到期" in security.get(f"{PAGE}/{worker.public_id}").text
    security.post(expiry(worker), data={"expires_on": ""})
    assert other.post("/desk/account/sign-in", data=sent).status_code == 303


def test_nobody_sets_her_own_last_day(security, chief):
    assert security.post(expiry(chief), data={"expires_on": ""}).status_code == 422
    assert "设到期日" not in security.get(f"{PAGE}/{chief.public_id}").text
