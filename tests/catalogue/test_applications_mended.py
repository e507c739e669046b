"""What a stranger found on the pages of applications: papers that get lost or never came, who sent it, what is said."""

import io
import re
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from portal.catalogue.models.applications import ApplicationChannel, ApplicationState, PaperState, Score
from portal.catalogue.service.applications import deciding, filing, receiving
from portal.core.clock import today
from portal.core.db import db
from portal.core.outbox import OutboxRow
from portal.identity.models import Account
from portal.notifications import wording
from portal.registry.models import AgentState, FamilyAgent, Person
from tests.acting import actor_of
from tests.catalogue import applying
from tests.catalogue.applying import act, read
from tests.client import Client
from tests.make import Make

S, P = ApplicationState, PaperState


@pytest.fixture
def stand(make: Make):
    person = make.person()
    return person, make.resident(person), make.worker(name="周洁"), applying.item(make)


def agent(make: Make, person: Person) -> Account:
    daughter: Account = make.resident(make.person("李小红"))
    make.add(
        FamilyAgent(
            account_id=daughter.id,
            person_id=person.id,
            principal_name=person.name,
            relation="daughter",
            actions="catalogue.book",
            until=today(),
            requested_at=daughter.created_at,
            state=AgentState.ACCEPTED,
        )
    )
    return daughter


def photo(*papers: int) -> dict[str, Any]:
    return {f"paper-{paper}": (io.BytesIO(applying.photograph()), "票据.jpg") for paper in papers}


def send(client: Client, address: str, data: dict[str, Any]) -> Any:
    return client.post(address, data=data, content_type="multipart/form-data")


def test_a_photograph_sent_without_words_is_kept_with_the_draft(make, client: Client, stand):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    paper = read(made).papers[1].id
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}/edit"
    answer = send(client, address, {"said": "", "send": "1", **photo(paper)})
    assert answer.status_code == 303
    page = client.get(address).text
    assert "照片存好了，还没有提交" in page
    (shown,) = re.findall(r'<img[^>]*src="([^"]+)"', page[page.index("<form") :])
    assert client.get(shown).status_code == 200
    assert (read(made).state, read(made).papers[1].state) == (S.DRAFT, P.GIVEN)


def test_a_refused_sending_shows_what_is_there_and_says_that_the_photographs_are_gone(make, client: Client, stand):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    paper = read(made).papers[1].id
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}/edit"
    too_long = send(client, address, {"said": "漏" * 1001, "send": "1", **photo(paper)})
    assert too_long.status_code == 422
    assert "请重新选照片" in too_long.text
    for _turn in range(filing.PICTURES):
        assert send(client, address, {"said": "漏水", "keep": "1", **photo(paper)}).status_code == 303
    seventh = send(client, address, {"said": "漏水", "send": "1", **photo(paper)})
    assert seventh.status_code == 422
    assert "请重新选照片" in seventh.text
    assert seventh.text.count("paper-thumb") == filing.PICTURES
    assert read(made).state is S.DRAFT


def test_a_photograph_is_deleted_under_it_and_the_words_typed_are_kept(make, client: Client, stand):
    person, account, _worker, item = stand
    made = applying.draft(item, person, account)
    paper = read(made).papers[1].id
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}/edit"
    send(client, address, {"said": "漏水", "keep": "1", **photo(paper)})
    (drop,) = re.findall(r'name="drop"\s+value="([^"]+)"', client.get(address).text)
    assert client.post(address, data={"said": "漏水，又改了", "drop": drop}).status_code == 303
    found = read(made)
    assert (found.said, found.papers[1].pictures, found.papers[1].state) == ("漏水，又改了", [], P.TO_BRING)


@pytest.mark.parametrize("ticked", [True, False])
def test_an_empty_addition_is_refused_whatever_the_worker_ticked(make, client: Client, stand, ticked):
    person, account, worker, item = stand
    made = applying.draft(item, person, account)
    paper = read(made).papers[1].id
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}"
    send(client, f"{address}/edit", {"said": "漏水", "send": "1", **photo(paper)})
    act(receiving.take, made, by=actor_of(worker))
    act(deciding.ask, made, [paper] if ticked else [], "看不清，请重拍", by=actor_of(worker))
    empty = client.post(f"{address}/add", data={"said": ""})
    assert empty.status_code == 422
    assert "我送到社区窗口" in empty.text
    assert read(made).state is S.ASKED
    assert read(made).papers[1].state is (P.ASKED if ticked else P.GIVEN)
    assert send(client, f"{address}/add", {"said": "", **photo(paper)}).status_code == 303
    assert (read(made).state, read(made).papers[1].state) == (S.COMPLETED, P.GIVEN)


def test_what_goes_to_the_counter_stands_so_until_a_worker_ticks_it(make, client: Client, app, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    paper = read(made).papers[1].id
    act(deciding.ask, made, [paper], "请补困难说明", by=actor_of(worker))
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}"
    assert client.post(f"{address}/add", data={"said": "送过去"}).status_code == 422
    assert client.post(f"{address}/add", data={"said": "", f"window-{paper}": "1"}).status_code == 303
    assert read(made).papers[1].state is P.WINDOW
    assert "送到窗口" in client.get(address).text
    desk: Client = app.test_client().sign_in(worker)
    assert "送到窗口" in desk.get(f"/desk{address}").text
    assert desk.post(f"/desk{address}/papers/{paper}").status_code == 303
    assert read(made).papers[1].state is P.GIVEN


def test_accepting_and_granting_without_a_required_paper_needs_a_tick(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}"
    for tail, said in (("accept", {}), ("grant", {"result": "救助 800 元"})):
        assert "还没有收到：困难说明" in client.get(f"{address}/{tail}").text
        unseen = client.post(f"{address}/{tail}", data=said)
        assert unseen.status_code == 422
        assert "请勾选" in unseen.text
        assert client.post(f"{address}/{tail}", data={**said, "seen": "y"}).status_code == 303
        if tail == "accept":
            act(deciding.begin_work, made, "", by=actor_of(worker))
    assert read(made).state is S.GRANTED
    assert "已知还缺：困难说明" in client.get(address).text
    assert "已知还缺" not in client.get(address.removeprefix("/desk")).text


def test_with_every_required_paper_there_is_nothing_to_tick(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}"
    client.post(f"{address}/papers/{read(made).papers[1].id}")
    assert 'name="seen"' not in client.get(f"{address}/accept").text
    assert client.post(f"{address}/accept", data={}).status_code == 303


def test_what_the_agent_sends_is_on_record_as_hers_whoever_began_it(make, client: Client, app, stand):
    person, account, worker, item = stand
    daughter = agent(make, person)
    made = applying.draft(item, person, account)
    client.sign_in(daughter)
    address = f"/services/applications/{made.public_id}"
    assert client.post(f"{address}/edit", data={"said": "漏水", "send": "1"}).status_code == 303
    found = read(made)
    assert (found.channel, found.placed_by) == (ApplicationChannel.AGENT, daughter.public_id)
    assert "亲情代办，李小红" in client.get(address).text
    desk: Client = app.test_client().sign_in(worker)
    assert "亲情代办，李小红" in desk.get(f"/desk{address}").text
    told = sa.select(OutboxRow.recipient_id).where(OutboxRow.topic == "catalogue.application_submitted")
    assert set(db.session.scalars(told)) == {person.public_id, daughter.public_id}


def test_what_she_sends_herself_is_hers_though_the_agent_began_it(make, client: Client, stand):
    person, account, _worker, item = stand
    daughter = agent(make, person)
    client.sign_in(daughter)
    client.post(f"/services/{item.id}/apply", data={"whose": person.public_id})
    (made,) = applying.everything()
    assert made.channel is ApplicationChannel.AGENT
    act(filing.submit, made, "漏水", by=actor_of(account))
    assert (read(made).channel, read(made).placed_by) == (ApplicationChannel.SELF, account.public_id)


def test_each_act_of_a_worker_has_words_of_its_own(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    client.sign_in(worker)
    address = f"/desk/services/applications/{made.public_id}"
    client.post(f"{address}/accept", data={"seen": "y"})
    assert "受理了" in client.get(address).text
    client.post(f"{address}/work", data={})
    assert "开始办理了" in client.get(address).text
    client.post(f"{address}/ask", data={"note": "请补票据"})
    page = client.get(address).text
    assert "已一次告知申请人" in page
    assert "办好了，已记下并通知" not in page


def test_the_form_says_when_a_score_needs_words(make, client: Client, stand):
    person, account, worker, item = stand
    made = applying.in_hand(item, person, account, worker)
    act(deciding.grant, made, "救助 800 元", by=actor_of(worker))
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}/rate"
    page = client.get(address).text
    assert "选“不满意”的请写原因" in page
    assert "（选填）" not in page
    assert client.post(address, data={"score": "dissatisfied"}).status_code == 422
    assert client.post(address, data={"score": "dissatisfied", "words": "太慢"}).status_code == 303
    assert read(made).score is Score.DISSATISFIED


def test_she_sees_her_pictures_after_sending_and_adds_a_missing_paper_unasked(make, client: Client, app, stand):
    person, account, worker, item = stand
    made = applying.draft(item, person, account)
    second, third = (paper.id for paper in read(made).papers[1:])
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}"
    send(client, f"{address}/edit", {"said": "漏水", "send": "1", **photo(second)})
    page = client.get(address).text
    (shown,) = re.findall(r'<img[^>]*class="paper-thumb"[^>]*src="([^"]+)"', page)
    assert client.get(shown).headers["Cache-Control"] == "private, no-store"
    neighbour: Client = app.test_client().sign_in(make.resident(make.person("邻居")))
    assert neighbour.get(shown).status_code == 404
    assert f"{address}/add" in page
    assert client.post(f"{address}/add", data={"said": "随便"}).status_code == 422
    assert send(client, f"{address}/add", {"said": "", **photo(third)}).status_code == 303
    found = read(made)
    assert (found.state, [paper.state for paper in found.papers]) == (S.SUBMITTED, [P.KNOWN, P.GIVEN, P.GIVEN])
    assert "现在不用补材料" in client.get(f"{address}/add").text
    act(receiving.take, made, by=actor_of(worker))
    act(deciding.refuse_to_accept, made, "不归社区办", "街道", by=actor_of(worker))
    assert send(client, f"{address}/add", {"said": "", **photo(third)}).status_code == 422


def test_a_message_says_the_day_as_people_do(app, make, stand):
    person, account, _worker, item = stand
    with time_machine.travel(applying.MONDAY, tick=False):
        applying.filed(item, person, account)
    row = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "catalogue.application_submitted")).one()
    with app.test_request_context("/"):
        said = wording.words_for(row.topic, row.facts).body
    assert "最晚 3月3日 周二" in said
    assert "2026-" not in said


def test_what_was_asked_for_is_wanted_no_more_once_it_came(make: Make, client: Client, stand: Any) -> None:
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    second = read(made).papers[1].id
    act(deciding.ask, made, [second], "请补困难说明", by=actor_of(worker))
    address = f"/desk/services/applications/{made.public_id}"
    client.sign_in(worker)
    assert all("要补的" in client.get(page).text for page in (address, f"{address}/receipt"))
    client.sign_in(account)
    sent = {"said": "", f"paper-{second}": (io.BytesIO(applying.photograph()), "b.jpg")}
    added = f"/services/applications/{made.public_id}/add"
    assert client.post(added, data=sent, content_type="multipart/form-data").status_code == 303
    client.sign_in(worker)
    assert not any("要补的" in client.get(page).text for page in (address, f"{address}/receipt"))
