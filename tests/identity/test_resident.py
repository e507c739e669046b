"""Residents sign in, forget passwords, see their sessions, and sign out."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.access import safe_next
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.identity import service
from portal.identity.models import OneTimeCode, SignedSession
from tests.identity.conftest import PASSWORD

SIGN_IN = "/account/sign-in"
CODE, CODE_CHECK = "/account/sign-in/code", "/account/sign-in/code/check"
ME = "/people/identity"
WRONG = "手机号或密码不对"
STALE = "验证码不对或已过期"


def sign_in(client, phone="13812345678", password=PASSWORD, address=SIGN_IN):
    return client.post(address, data={"phone": phone, "password": password})


def start_code(client, phone="13812345678", address=CODE):
    return client.post(address, data={"phone": phone})


def same_but_for(text, *words):
    """A page without its CSRF tokens and what was typed into it."""
    text = re.sub(r'(name="csrf_token" value|name="csrf-token" content)="[^"]*"', "", text)
    for word in words:
        text = text.replace(word, "…")
    return text


def test_a_resident_signs_in_with_mobile_and_password(client, resident):
    assert client.get(ME).status_code == 303
    answer = sign_in(client, " 138 1234 5678 ")
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get(ME).status_code == 200


def test_sign_in_leads_back_to_where_one_was_going(client, resident):
    asked = client.get("/people/agents")
    assert asked.location == "/account/sign-in?next=/people/agents"
    assert sign_in(client, address=asked.location).location == "/people/agents"


def test_an_unknown_phone_and_a_wrong_password_read_the_same(client, resident):
    client.get(SIGN_IN)
    wrong = sign_in(client, password="nicht das")
    unknown = sign_in(client, phone="13900000000", password="nicht das")
    assert wrong.status_code == unknown.status_code == 422
    assert WRONG in wrong.text
    assert same_but_for(wrong.text, "13812345678") == same_but_for(unknown.text, "13900000000")
    assert set(wrong.headers.keys()) == set(unknown.headers.keys())


def test_a_disabled_account_reads_the_same_as_a_wrong_password(client, resident):
    wrong = sign_in(client, password="nicht das").text
    with transaction():
        service.disable(service.account(resident.id))
    assert same_but_for(sign_in(client).text) == same_but_for(wrong)


def test_an_unknown_phone_costs_a_hash_like_a_wrong_password(client, resident, monkeypatch):
    seen = []
    held = service.passwords.matches
    monkeypatch.setattr(service.passwords, "matches", lambda *told: (seen.append(told[1]), held(*told))[1])
    sign_in(client, password="x")
    sign_in(client, phone="13900000000", password="x")
    assert [bool(stored) for stored in seen] == [True, False]


def test_a_failed_sign_in_leaves_an_audit_row(client, resident):
    sign_in(client, password="x")
    assert db.session.scalar(sa.select(AuditRow.action)) == "identity.sign_in_failed"


@pytest.mark.parametrize(
    "trick",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
        "http:evil.example", "javascript:alert(1)", "/\t/evil.example", "\t//evil.example", "/\n/evil.example",
        " //evil.example", "/\r\nLocation: https://evil.example", "evil.example", "//evil.example/people/agents",
        "/\\/evil.example", "data:text/html,x", "//user@evil.example", "/ /evil.example", "?//evil.example",
        "/account/../\\evil.example", "", "\x00/evil.example",
    ],
)  # fmt: skip
def test_next_cannot_leave_the_portal(client, resident, trick):
    assert safe_next(trick, "/") == "/"
    answer = client.post(SIGN_IN, query_string={"next": trick}, data={"phone": "13812345678", "password": PASSWORD})
    assert answer.location == "/"


def test_the_cookie_changes_at_sign_in_and_the_old_one_is_dead(client, resident):
    client.sign_in(resident)
    before = client.get_cookie("sid").value
    with time_machine.travel(now() + timedelta(minutes=5)):
        sign_in(client)
        after = client.get_cookie("sid").value
        assert client.get(ME).status_code == 200
        client.set_cookie("sid", before)
        assert client.get(ME).status_code == 303
    assert after != before


def test_a_cookie_that_somebody_set_beforehand_is_not_taken_over(client, resident):
    client.set_cookie("sid", "chosen-by-somebody-else")
    sign_in(client)
    assert client.get_cookie("sid").value != "chosen-by-somebody-else"


def test_the_database_does_not_hold_the_cookie(client, resident):
    sign_in(client)
    assert client.get_cookie("sid").value not in str(db.session.scalars(sa.select(SignedSession.sid_hash)).all())


def test_signing_out_ends_the_session_and_clears_what_the_browser_kept(client, resident):
    sign_in(client)
    cookie = client.get_cookie("sid").value
    answer = client.post("/account/sign-out")
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    client.set_cookie("sid", cookie)
    assert client.get(ME).status_code == 303


def test_signing_out_by_a_link_is_not_possible(client, resident):
    assert client.sign_in(resident).get("/account/sign-out").status_code == 405


def test_a_post_without_its_csrf_token_is_refused(app, client, resident):
    app.config["WTF_CSRF_ENABLED"] = True
    assert sign_in(client).status_code == 400
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(SIGN_IN).text).group(1)
    answer = client.post(SIGN_IN, data={"phone": "13812345678", "password": PASSWORD, "csrf_token": token})
    assert answer.status_code == 303
    assert client.post("/account/sign-out").status_code == 400
    assert client.get(ME).status_code == 200


def test_disabling_an_account_ends_its_sessions_at_once(client, resident):
    sign_in(client)
    with transaction():
        service.disable(service.account(resident.id))
    assert client.get(ME).status_code == 303


def test_a_session_ends_after_a_day_without_use(client, resident):
    client.sign_in(resident)
    with time_machine.travel(now() + timedelta(hours=23, minutes=50)):
        assert client.get(ME).status_code == 200
    with time_machine.travel(now() + timedelta(hours=47, minutes=40)):
        assert client.get(ME).status_code == 200
    with time_machine.travel(now() + timedelta(hours=72)):
        assert client.get(ME).status_code == 303


def test_a_session_ends_after_a_fortnight_however_much_it_is_used(client, resident):
    client.sign_in(resident)
    start = now()
    for hours in range(20, 14 * 24, 20):
        with time_machine.travel(start + timedelta(hours=hours)):
            assert client.get(ME).status_code == 200
    with time_machine.travel(start + timedelta(days=14, minutes=1)):
        assert client.get(ME).status_code == 303


def test_a_resident_sees_her_sessions_and_ends_another(app, client, resident):
    other = app.test_client().sign_in(resident)
    sign_in(client)
    page = client.get("/account/sessions").text
    assert page.count("退出这台设备") == 1
    client.post(re.search(r"/account/sessions/\d+/end\b(?!-)", page).group())
    assert other.get(ME).status_code == 303
    assert client.get(ME).status_code == 200


def test_a_resident_ends_all_other_sessions(app, client, resident):
    others = [app.test_client().sign_in(resident) for _other in range(2)]
    sign_in(client)
    client.post("/account/sessions/end-others")
    assert [other.get(ME).status_code for other in others] == [303, 303]
    assert client.get(ME).status_code == 200


def test_nobody_ends_a_session_of_somebody_else(client, make, resident):
    neighbour = make.resident()
    client.sign_in(neighbour)
    theirs = db.session.scalar(sa.select(SignedSession.id))
    client.sign_in(resident)
    assert client.post(f"/account/sessions/{theirs}/end").status_code == 404
    assert make.read(db.session.get(SignedSession, theirs)).ended_at is None


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(app, client, resident):
    other = app.test_client().sign_in(resident)
    sign_in(client)
    typed = {"password": "xia tian de feng", "again": "xia tian de feng"}
    refused = client.post("/account/password", data={"current": "nicht das", **typed})
    assert refused.status_code == 422
    assert "密码不对" in refused.text
    assert client.post("/account/password", data={"current": PASSWORD, **typed}).status_code == 303
    assert other.get(ME).status_code == 303
    assert client.get(ME).status_code == 200
    assert sign_in(client, password="xia tian de feng").status_code == 303


@pytest.mark.parametrize(
    ("password", "words"), [("kurz", "至少 8 个字符"), ("12345678", "太容易被猜到"), ("x" * 200, "最多 128 个字符")]
)
def test_a_weak_password_is_refused_in_words(client, resident, password, words):
    client.sign_in(resident)
    answer = client.post("/account/password", data={"current": PASSWORD, "password": password, "again": password})
    assert answer.status_code == 422
    assert words in answer.text


def test_a_code_signs_in_once(client, resident, telephone):
    assert start_code(client).location.startswith(CODE_CHECK)
    code = telephone.code("13812345678")
    assert client.post(CODE_CHECK, data={"code": code}).status_code == 303
    assert client.get(ME).status_code == 200


def test_a_code_is_used_once(app, client, resident, telephone):
    start_code(client)
    thief = app.test_client()
    thief.set_cookie("form", client.get_cookie("form").value)
    code = telephone.code("13812345678")
    assert client.post(CODE_CHECK, data={"code": code}).status_code == 303
    again = thief.post(CODE_CHECK, data={"code": code})
    assert again.status_code == 422
    assert STALE in again.text


def test_a_code_dies_after_five_tries(client, resident, telephone):
    start_code(client)
    code = telephone.code("13812345678")
    wrong = "000000" if code != "000000" else "111111"
    for _try in range(5):
        assert client.post(CODE_CHECK, data={"code": wrong}).status_code == 422
    dead = client.post(CODE_CHECK, data={"code": code})
    assert dead.status_code == 422
    assert STALE in dead.text


def test_the_fifth_try_may_still_be_right(client, resident, telephone):
    start_code(client)
    code = telephone.code("13812345678")
    wrong = "000000" if code != "000000" else "111111"
    for _try in range(4):
        client.post(CODE_CHECK, data={"code": wrong})
    assert client.post(CODE_CHECK, data={"code": code}).status_code == 303


def test_a_code_dies_after_five_minutes(client, resident, telephone):
    start_code(client)
    code = telephone.code("13812345678")
    with time_machine.travel(now() + timedelta(minutes=5, seconds=1)):
        assert client.post(CODE_CHECK, data={"code": code}).status_code == 422


def test_a_code_does_not_work_for_another_flow(client, resident, telephone):
    start_code(client)
    code = telephone.code("13812345678")
    with client.session_transaction() as held:
        held["reset_flow"] = held["sign_in_flow"]
    answer = client.post("/account/reset/check", data={"code": code})
    assert answer.status_code == 422
    assert STALE in answer.text


def test_a_code_does_not_work_in_another_browser(app, client, resident, telephone):
    start_code(client)
    stranger = app.test_client()
    answer = stranger.post(CODE_CHECK, data={"code": telephone.code("13812345678")})
    assert answer.location.startswith(CODE)
    assert stranger.get(ME).status_code == 303


def test_a_phone_without_account_is_answered_alike_and_gets_no_code(app, client, resident, telephone):
    known, unknown = start_code(client), start_code(app.test_client(), "13900000000")
    assert (known.status_code, known.location, known.text) == (unknown.status_code, unknown.location, unknown.text)
    assert "还没有账号" in telephone.last("13900000000")
    assert not re.search(r"\d{6}", telephone.last("13900000000"))
    assert len(db.session.scalars(sa.select(OneTimeCode)).all()) == 2


def test_a_second_code_within_a_minute_is_refused_with_when_to_come_back(client, resident, telephone):
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        start_code(client)
        answer = start_code(client)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "1 分钟后再试" in answer.text


def test_a_forgotten_password_is_replaced_by_proving_the_phone(app, client, resident, telephone):
    other = app.test_client().sign_in(resident)
    client.post("/account/reset", data={"phone": "13812345678"})
    checked = client.post("/account/reset/check", data={"code": telephone.code("13812345678")})
    assert checked.location == "/account/reset/password"
    typed = {"password": "xia tian de feng", "again": "xia tian de feng"}
    assert client.post("/account/reset/password", data=typed).status_code == 303
    assert client.get(ME).status_code == 200
    assert other.get(ME).status_code == 303
    assert sign_in(client).status_code == 422
    assert sign_in(client, password="xia tian de feng").status_code == 303


def test_the_step_of_a_new_password_is_not_reached_without_a_code(client, resident, telephone):
    client.post("/account/reset", data={"phone": "13812345678"})
    typed = {"password": "xia tian de feng", "again": "xia tian de feng"}
    assert client.post("/account/reset/password", data=typed).location == "/account/reset"
    assert sign_in(client).status_code == 303


def test_a_proven_phone_sets_one_password_only(app, client, resident, telephone):
    client.post("/account/reset", data={"phone": "13812345678"})
    client.post("/account/reset/check", data={"code": telephone.code("13812345678")})
    late = app.test_client()
    late.set_cookie("form", client.get_cookie("form").value)
    typed = {"password": "xia tian de feng", "again": "xia tian de feng"}
    client.post("/account/reset/password", data=typed)
    assert late.post("/account/reset/password", data=typed).location == "/account/reset"


def test_a_worker_does_not_sign_in_where_residents_do(client, worker):
    assert sign_in(client, phone="worker1").status_code == 422
    assert client.sign_in(worker).get("/account/sessions").status_code == 403
