"""A code sent again: nothing typed is lost, the throttle holds, and nobody learns whose telephone it is."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.identity import codes
from portal.identity.models import CodePurpose, OneTimeCode
from portal.registry.models import Claim

SIGN_IN, RESET, REGISTER = "/account/sign-in/code", "/account/reset", "/people/register"
PHONE, OTHER = "13812345678", "13900000000"
CHECK = {SIGN_IN: "/account/sign-in/code/check", RESET: "/account/reset/check", REGISTER: "/people/register/code"}
AGAIN = {"again": "1"}


def start(client, make, address, phone=PHONE):
    typed = {"phone": phone}
    if address == REGISTER:
        typed |= {"name": "王秀英", "id_number": make.id_number(), "password": "春天的花-2026", "consent": "y"}
        typed["community"] = make.community().code
    answer = client.post(address, data=typed)
    assert answer.status_code == 303, answer.text
    return CHECK[address]


def later(minutes=2):
    return time_machine.travel(now() + timedelta(minutes=minutes), tick=False)


def plain(text, *words):
    """A page without what differs in every answer."""
    text = re.sub(r'(name="csrf_token" value|name="csrf-token" content)="[^"]*"', "", text)
    for word in words:
        text = text.replace(word, "…")
    return text


@pytest.mark.parametrize("address", CHECK)
def test_the_button_that_sends_another_code_is_on_every_page_that_asks_for_one(client, make, telephone, address):
    page = client.get(start(client, make, address)).text
    assert re.search(r'<button[^>]*name="again"[^>]*>', page)
    assert "重新发送" in page


def test_another_code_signs_in_and_the_first_no_longer_does(app, client, make, resident, telephone):
    check = start(client, make, SIGN_IN)
    first = telephone.code(PHONE)
    with later():
        sent = client.post(f"{check}?next=/people/agents", data=AGAIN)
        assert (sent.status_code, sent.location) == (303, f"{check}?next=/people/agents")
        assert "新的验证码已经发出" in client.get(check).text
        second = telephone.code(PHONE)
        if first != second:
            assert client.post(check, data={"code": first}).status_code == 422
        assert client.post(f"{check}?next=/people/agents", data={"code": second}).location == "/people/agents"


def test_a_registration_keeps_all_that_was_typed_through_another_code(client, make, telephone):
    check = start(client, make, REGISTER)
    before = db.session.scalar(sa.select(OneTimeCode.payload))
    with later():
        client.post(check, data=AGAIN)
        assert db.session.scalars(sa.select(OneTimeCode.payload).order_by(OneTimeCode.id.desc())).first() == before
        assert client.post(check, data={"code": telephone.code(PHONE)}).location == "/people/identity"
    assert db.session.scalar(sa.select(Claim.name)) == "王秀英"


def test_a_password_is_reset_with_another_code(client, make, resident, telephone):
    check = start(client, make, RESET)
    with later():
        client.post(check, data=AGAIN)
        assert client.post(check, data={"code": telephone.code(PHONE)}).location == "/account/reset/password"


def test_another_code_is_sent_after_the_first_has_run_out(client, make, resident, telephone):
    check = start(client, make, SIGN_IN)
    with later(30):
        client.post(check, data=AGAIN)
        assert client.post(check, data={"code": telephone.code(PHONE)}).status_code == 303


def test_a_flow_of_long_ago_is_begun_anew(client, make, resident, telephone):
    check = start(client, make, SIGN_IN)
    with later(70):
        answer = client.post(check, data=AGAIN)
    assert answer.status_code == 422
    assert "请返回上一步重新填写" in answer.text
    assert len(telephone.messages) == 1


def test_a_used_flow_sends_nothing_more(make, resident):
    with transaction():
        flow = codes.send(CodePurpose.SIGN_IN, PHONE)
        db.session.execute(sa.update(OneTimeCode).values(used_at=now()))
    with pytest.raises(Refused, match="重新填写"), transaction():
        codes.send_again(CodePurpose.SIGN_IN, flow, address="")


def test_a_flow_of_another_purpose_sends_nothing(make, resident):
    with transaction():
        flow = codes.send(CodePurpose.SIGN_IN, PHONE)
    with pytest.raises(Refused), transaction():
        codes.send_again(CodePurpose.RESET, flow, address="")


def test_another_code_within_the_minute_is_refused_on_the_same_page(client, make, resident, telephone):
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        check = start(client, make, SIGN_IN)
        answer = client.post(check, data=AGAIN)
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "60"
        assert "1 分钟后再试" in answer.text
        assert 'name="code"' in answer.text
        assert len(telephone.messages) == 1
        assert client.post(check, data={"code": telephone.code(PHONE)}).status_code == 303


@pytest.mark.parametrize("address", CHECK)
def test_who_asks_for_a_code_too_soon_keeps_what_was_typed_and_reads_when_to_try_again(
    client, make, resident, telephone, address
):
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        client.post(SIGN_IN, data={"phone": OTHER})
        typed = {"phone": OTHER, "name": "赵新民", "password": "春天的花-2026", "consent": "y"}
        typed |= {"id_number": make.id_number(), "community": make.community().code}
        client.shows_numbers = True
        answer = client.post(address, data=typed)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "1 分钟后再试" in answer.text
    assert f'value="{OTHER}"' in answer.text
    if address == REGISTER:
        assert 'value="赵新民"' in answer.text
        assert f'value="{typed["id_number"]}"' in answer.text


def test_five_codes_an_hour_are_sent_to_one_phone_however_they_are_asked_for(client, make, resident, telephone):
    begun = now().replace(minute=0, second=0, microsecond=0)
    with time_machine.travel(begun, tick=False) as clock:
        check = start(client, make, SIGN_IN)
        statuses = []
        for minute in range(1, 7):
            clock.move_to(begun + timedelta(minutes=minute))
            statuses.append(client.post(check, data=AGAIN).status_code)
    assert statuses == [303] * 4 + [429] * 2
    assert len(telephone.messages) == 5


@pytest.mark.parametrize("address", CHECK)
def test_a_known_and_an_unknown_phone_are_answered_alike(app, make, resident, telephone, address):
    """For a registration the known one is taken, for the others the unknown one reaches nobody."""
    seen = []
    for phone in (PHONE, OTHER):
        client = app.test_client()
        check = start(client, make, address, phone)
        with later():
            sent = client.post(check, data=AGAIN)
            page = client.get(check)
            wrong = client.post(check, data={"code": "x"})
        seen.append((sent.status_code, sent.location, plain(page.text), wrong.status_code, plain(wrong.text)))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("address", CHECK)
def test_a_known_and_an_unknown_phone_cost_the_same_work(app, make, resident, telephone, address):
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_more):
        asked.append(re.sub(r"\s+", " ", statement))

    work = []
    for phone in (PHONE, OTHER):
        client = app.test_client()
        check = start(client, make, address, phone)
        with later():
            asked.clear()
            sa.event.listen(db.engine, "before_cursor_execute", note)
            client.post(check, data=AGAIN)
            sa.event.remove(db.engine, "before_cursor_execute", note)
        # What follows the commit is the delivery, which in tests runs in the same thread and in life elsewhere.
        last = max(number for number, words in enumerate(asked) if words.startswith("INSERT INTO outbox"))
        work.append(asked[: last + 1])
    assert work[0] == work[1]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) == 4
