"""Delivery: a notice is placed once, a lost answer is never hidden, and a code is never sent again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.config import Config
from portal.core import outbox
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import Delivery, OutboxRow, Recipient
from portal.identity import codes
from portal.identity import service as identity
from portal.identity.models import Account, CodePurpose
from portal.notifications import wording
from portal.notifications.models import Notice
from portal.notifications.service import delivery
from portal.notifications.service.gateways import (
    Answer,
    ConsoleGateway,
    HttpGateway,
    Message,
    NoGateway,
    Outcome,
    gateway_for,
)
from portal.registry.models import AgentState, FamilyAgent, Person
from tests.make import Make


@dataclass
class Recorder:
    """A gateway that keeps what it was given and answers as told."""

    answer: Answer = field(default_factory=lambda: Answer(Outcome.SENT))
    messages: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Answer:
        assert not db.session.in_transaction(), "a transaction stood open while the gateway was asked"
        self.messages.append(message)
        return self.answer


@pytest.fixture
def gateway(app: Flask) -> Iterator[Recorder]:
    """The application's own delivery, woken by each commit, goes to nobody: the test delivers by itself."""
    before = app.extensions["portal.jobs"].works.pop(outbox.DELIVER)
    yield Recorder()
    app.extensions["portal.jobs"].works[outbox.DELIVER] = before


def tell(to: Recipient, topic: str = "meals.no_such_event", **facts: Any) -> None:
    with transaction():
        outbox.enqueue(topic, to=to, **facts)


def deliver(gateway: Recorder, config: Config) -> int:
    count = delivery.deliver_due(gateway, config)
    db.session.rollback()
    return count


def row() -> OutboxRow:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id)).one()


def notices() -> list[Notice]:
    return list(db.session.scalars(sa.select(Notice).order_by(Notice.id)))


def make_due() -> None:
    with transaction():
        row().due_at = now() - timedelta(seconds=1)


def send_code(make: Make) -> Account:
    account = make.resident(phone="13800005678")
    with transaction():
        codes.send(CodePurpose.SIGN_IN, "13800005678")
    return account


def an_agent(make: Make, person: Person) -> Account:
    account = make.resident(make.person("李小红"))
    make.add(
        FamilyAgent(
            account_id=account.id,
            person_id=person.id,
            principal_name=person.name,
            relation="女儿",
            state=AgentState.ACCEPTED,
            until=date(2099, 1, 1),
            requested_at=now(),
        )
    )
    return account


def test_a_notice_is_placed_once_in_the_inbox_of_its_person(make: Make, gateway: Recorder, config: Config) -> None:
    person = make.person()
    account = make.resident(person)
    tell(person.ref, dish="红烧带鱼")
    assert deliver(gateway, config) == 1
    assert deliver(gateway, config) == 0
    (notice,) = notices()
    assert (notice.account_id, notice.facts, notice.read_at) == (account.id, {"dish": "红烧带鱼"}, None)
    assert row().state is Delivery.DELIVERED
    assert gateway.messages == []


def test_a_notice_for_a_merged_record_reaches_who_it_stands_for(make: Make, gateway: Recorder, config: Config) -> None:
    kept = make.person()
    alias = make.person(merged_into_id=kept.id)
    account = make.resident(kept)
    tell(alias.ref)
    deliver(gateway, config)
    assert [notice.account_id for notice in notices()] == [account.id]


def test_an_accepted_agent_hears_that_nobody_collected_but_not_of_every_order(
    make: Make, gateway: Recorder, config: Config
) -> None:
    person = make.person()
    own, agent = make.resident(person), an_agent(make, person)
    tell(person.ref, "meals.order_placed")
    tell(person.ref, "meals.no_show")
    deliver(gateway, config)
    heard = [(notice.topic, notice.account_id) for notice in notices()]
    assert heard == [
        ("meals.order_placed", own.id),
        ("meals.no_show", own.id),
        ("meals.no_show", agent.id),
    ]


def test_a_disabled_account_gets_no_notices(make: Make, gateway: Recorder, config: Config) -> None:
    account = make.resident(make.person())
    with transaction():
        identity.disable(db.session.get_one(Account, account.id))
    tell(Recipient("account", account.public_id))
    deliver(gateway, config)
    assert notices() == []


def test_a_person_without_an_account_gets_a_message(make: Make, gateway: Recorder, config: Config) -> None:
    tell(make.person(phone="13800005678").ref)
    deliver(gateway, config)
    assert [message.phone for message in gateway.messages] == ["13800005678"]
    assert row().state is Delivery.DELIVERED


def test_a_person_without_account_and_mobile_stops_nothing(make: Make, gateway: Recorder, config: Config) -> None:
    tell(make.person(phone="0571-88880000").ref)
    deliver(gateway, config)
    assert gateway.messages == []
    assert row().state is Delivery.DELIVERED


def test_a_code_is_sent_once_with_its_words(make: Make, gateway: Recorder, config: Config) -> None:
    send_code(make)
    deliver(gateway, config)
    deliver(gateway, config)
    (message,) = gateway.messages
    assert message.phone == "13800005678"
    assert message.text.startswith("验证码 ")
    assert "5 分钟内有效" in message.text
    assert "如非本人操作请忽略" in message.text


def test_a_code_whose_answer_was_lost_is_never_sent_again(make: Make, gateway: Recorder, config: Config) -> None:
    send_code(make)
    gateway.answer = Answer(Outcome.UNKNOWN, "ReadTimeout")
    deliver(gateway, config)
    make_due()
    deliver(gateway, config)
    assert len(gateway.messages) == 1
    assert row().state is Delivery.UNKNOWN


def test_a_code_left_by_a_deliverer_that_died_becomes_unknown(make: Make, gateway: Recorder, config: Config) -> None:
    send_code(make)
    with transaction():
        taken = row()
        taken.move(Delivery.SENDING)
        taken.due_at = now() - timedelta(minutes=6)
    deliver(gateway, config)
    assert gateway.messages == []
    assert row().state is Delivery.UNKNOWN


def test_a_row_still_being_delivered_by_another_is_left_alone(make: Make, gateway: Recorder, config: Config) -> None:
    send_code(make)
    with transaction():
        taken = row()
        taken.move(Delivery.SENDING)
        taken.due_at = now()
    deliver(gateway, config)
    assert row().state is Delivery.SENDING


def test_a_notice_left_by_a_deliverer_that_died_is_placed_later(make: Make, gateway: Recorder, config: Config) -> None:
    person = make.person()
    make.resident(person)
    tell(person.ref)
    with transaction():
        taken = row()
        taken.move(Delivery.SENDING)
        taken.due_at = now() - timedelta(minutes=6)
    deliver(gateway, config)
    make_due()
    deliver(gateway, config)
    assert len(notices()) == 1
    assert row().state is Delivery.DELIVERED


def test_another_message_whose_answer_was_lost_goes_again_under_the_same_key(
    make: Make, gateway: Recorder, config: Config
) -> None:
    tell(make.person(phone="13800005678").ref)
    gateway.answer = Answer(Outcome.UNKNOWN, "HTTP 500")
    deliver(gateway, config)
    assert row().state is Delivery.WAITING
    make_due()
    gateway.answer = Answer(Outcome.SENT)
    deliver(gateway, config)
    first, second = gateway.messages
    assert first.key == second.key
    assert row().state is Delivery.DELIVERED


def test_a_busy_gateway_is_tried_later_and_given_up_in_the_end(make: Make, gateway: Recorder, config: Config) -> None:
    tell(make.person(phone="13800005678").ref)
    gateway.answer = Answer(Outcome.TRY_LATER, "HTTP 503")
    deliver(gateway, config)
    assert deliver(gateway, config) == 0
    for _time in range(5):
        make_due()
        deliver(gateway, config)
    assert len(gateway.messages) == 6
    assert row().state is Delivery.FAILED
    assert row().error == "HTTP 503"


def test_a_refused_message_is_not_tried_again(make: Make, gateway: Recorder, config: Config) -> None:
    tell(make.person(phone="13800005678").ref)
    gateway.answer = Answer(Outcome.REFUSED, "HTTP 400")
    deliver(gateway, config)
    assert row().state is Delivery.FAILED


def test_a_code_that_has_expired_is_not_sent(make: Make, gateway: Recorder, config: Config) -> None:
    send_code(make)
    with transaction():
        row().facts = {"sealed": "forged"}
    deliver(gateway, config)
    assert gateway.messages == []
    assert row().state is Delivery.FAILED


def test_on_a_trial_only_listed_telephones_get_messages(make: Make, gateway: Recorder, config: Config) -> None:
    trial = replace(config, notify_allow=("13900000000",))
    send_code(make)
    deliver(gateway, trial)
    assert gateway.messages == []
    assert row().state is Delivery.FAILED
    assert "NOTIFY_ALLOW" in row().error


def test_a_commit_wakes_the_delivery_once_and_a_rollback_never(make: Make, app: Flask) -> None:
    jobs = app.extensions["portal.jobs"]
    before, woken = jobs.works[outbox.DELIVER], []
    jobs.works[outbox.DELIVER] = lambda: woken.append(1)
    person = make.person()
    try:
        with transaction():
            outbox.enqueue("a.b", to=person.ref)
            outbox.enqueue("a.c", to=person.ref)
        assert woken == [1]
        with pytest.raises(ZeroDivisionError), transaction():
            outbox.enqueue("a.d", to=person.ref)
            raise ZeroDivisionError
        assert woken == [1]
    finally:
        jobs.works[outbox.DELIVER] = before


def test_the_applications_own_job_delivers(make: Make) -> None:
    person = make.person()
    make.resident(person)
    tell(person.ref)
    assert row().state is Delivery.DELIVERED
    assert len(notices()) == 1


def test_the_console_shows_the_words_and_masks_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleGateway().send(Message("outbox-1", "13800005678", "验证码 123456，5 分钟内有效。"))
    shown = capsys.readouterr().out
    assert "123456" in shown
    assert "138****5678" in shown
    assert "13800005678" not in shown


def test_production_without_a_gateway_prints_nothing(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    production = type(config.mode)("production")
    gateway = gateway_for(replace(config, mode=production, sms_url=""))
    assert isinstance(gateway, NoGateway)
    assert gateway.send(Message("outbox-1", "13800005678", "验证码 123456")).outcome is Outcome.REFUSED
    assert capsys.readouterr().out == ""


class Provider(BaseHTTPRequestHandler):
    """A gateway at the other end of a loopback connection; `status` 0 hangs up without an answer."""

    status = 200
    heard: list[tuple[dict[str, Any], str | None, str | None]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).heard.append((body, self.headers["Idempotency-Key"], self.headers["Authorization"]))
        if not self.status:
            self.close_connection = True
            return
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:9/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[tuple[type[Provider], str]]:
    Provider.status, Provider.heard = 200, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Provider, f"http://127.0.0.1:{server.server_address[1]}/sms"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.SENT),
        (202, Outcome.SENT),
        (302, Outcome.REFUSED),
        (400, Outcome.REFUSED),
        (401, Outcome.REFUSED),
        (429, Outcome.TRY_LATER),
        (500, Outcome.UNKNOWN),
        (502, Outcome.UNKNOWN),
        (503, Outcome.TRY_LATER),
        (0, Outcome.UNKNOWN),
    ],
)
def test_a_providers_answer_is_read(provider: tuple[type[Provider], str], status: int, outcome: Outcome) -> None:
    server, url = provider
    server.status = status
    answer = HttpGateway(url, "secret").send(Message("outbox-7", "13800005678", "您好"))
    assert answer.outcome is outcome
    assert server.heard == [({"to": "13800005678", "text": "您好"}, "outbox-7", "Bearer secret")]
    assert "secret" not in answer.error
    assert url not in answer.error


def test_a_provider_that_is_not_there_is_tried_later() -> None:
    gone = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    port = gone.server_address[1]
    gone.server_close()
    answer = HttpGateway(f"http://127.0.0.1:{port}/", "secret").send(Message("outbox-7", "13800005678", "您好"))
    assert answer.outcome is Outcome.TRY_LATER


def test_a_topic_without_words_says_something_true(make: Make) -> None:
    words = wording.words_for("nothing.at_all", {})
    assert words.title == "您有一条新通知"
    assert words.body


def test_words_are_text_and_not_escaped_twice(make: Make) -> None:
    assert wording.words_for("identity.code", {"code": "<&>"}).title == "验证码 <&>，5 分钟内有效。"
