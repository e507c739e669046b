"""Family agents: asking to act for somebody, consenting, and ending it."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.registry.models import AgentState, FamilyAgent
from portal.registry.service import people

AGENTS, ASK = "/people/agents", "/people/agents/ask"


def typed(number, **more):
    return {
        "name": "王秀英",
        "number": number,
        "relation": "child",
        "actions": ["meals.order"],
        "until": (today() + timedelta(days=90)).isoformat(),
        **more,
    }


def only_agent():
    return db.session.scalars(sa.select(FamilyAgent)).one()


@pytest.fixture
def mother(make):
    return make.person("王秀英", phone="13900000001")


@pytest.fixture
def daughter(make):
    return make.resident(make.person("李小红"))


@pytest.fixture
def asked(client, mother, daughter):
    """A request of the daughter's, which waits for her mother."""
    client.sign_in(daughter).post(ASK, data=typed("13900000001"))
    return only_agent()


@pytest.fixture
def accepted(make, asked, mother):
    with transaction():
        agent = db.session.merge(asked)
        agent.state, agent.decided_at = AgentState.ACCEPTED, now()
    return make.read(asked)


def topics():
    return sorted((row.topic, row.recipient_kind) for row in db.session.scalars(sa.select(OutboxRow)))


@pytest.mark.parametrize("by", ["phone", "id_number"])
def test_a_daughter_asks_with_mobile_or_id_number(client, mother, daughter, by):
    answer = client.sign_in(daughter).post(ASK, data=typed(getattr(mother, by)))
    assert (answer.status_code, answer.location) == (303, AGENTS)
    agent = only_agent()
    assert (agent.person_id, agent.state) == (mother.id, AgentState.REQUESTED)
    assert topics() == [("registry.agent_requested", "person")]
    assert "等待对方同意" in client.get(AGENTS).text


@pytest.mark.parametrize(
    ("name", "number"), [("王秀英", "13911111111"), ("王秀荣", "13900000001"), ("李小红", "13900000002")]
)
def test_a_request_that_reached_nobody_reads_the_same(app, make, mother, name, number):
    make.person("李小红", phone="13900000002")
    pages, answers = [], []
    for typed_name, typed_number in (("王秀英", "13900000001"), (name, number)):
        account = make.resident(make.person("陈平", phone="13900000002"))
        client = app.test_client().sign_in(account)
        answer = client.post(ASK, data=typed(typed_number, name=typed_name))
        answers.append((answer.status_code, answer.location))
        page = client.get(AGENTS).text
        pages.append(page[page.index("我为谁代办") : page.index("申请为亲友代办")].replace(typed_name, "…"))
    assert answers[0] == answers[1]
    assert _without_ids(pages[0]) == _without_ids(pages[1])


def _without_ids(page):
    for agent in db.session.scalars(sa.select(FamilyAgent)):
        page = page.replace(agent.public_id, "…")
    return "".join(line for line in page.splitlines() if "csrf_token" not in line)


def test_asking_again_is_refused_whether_or_not_it_reached_somebody(app, make, mother):
    answers = []
    for number in ("13900000001", "13911111111"):
        client = app.test_client().sign_in(make.resident())
        client.post(ASK, data=typed(number))
        again = client.post(ASK, data=typed(number))
        answers.append((again.status_code, "已经申请过" in again.text))
    assert answers == [(422, True), (422, True)]


def test_nobody_acts_for_herself_by_asking(client, make):
    person = make.person("王秀英", phone="13900000001")
    client.sign_in(make.resident(person)).post(ASK, data=typed("13900000001"))
    assert only_agent().person_id is None


def test_an_account_acts_for_five_people_at_most(client, make, daughter):
    client.sign_in(daughter)
    for turn in range(5):
        make.person(f"王秀{'梅兰竹菊荷'[turn]}", phone=f"1390000010{turn}")
        client.post(ASK, data=typed(f"1390000010{turn}", name=f"王秀{'梅兰竹菊荷'[turn]}"))
    answer = client.post(ASK, data=typed("13900000001"))
    assert answer.status_code == 422
    assert "最多为 5 位" in answer.text


def test_the_limit_is_a_parameter(client, make, daughter):
    with transaction():
        settings.put("agents.most_principals", 1, valid_from=today(), by="test")
    client.sign_in(daughter)
    client.post(ASK, data=typed("13900000001"))
    assert client.post(ASK, data=typed("13900000002", name="李桂芳")).status_code == 422


@pytest.mark.parametrize("days", [-1, 366])
def test_an_agent_acts_for_a_year_at_most(client, mother, daughter, days):
    until = (today() + timedelta(days=days)).isoformat()
    answer = client.sign_in(daughter).post(ASK, data=typed("13900000001", until=until))
    assert answer.status_code == 422
    assert "代办期限请选今天到" in answer.text


def test_a_wrong_entry_is_named_beside_its_field(client, daughter):
    answer = client.sign_in(daughter).post(ASK, data={"name": "", "number": "123", "until": "gestern"})
    assert answer.status_code == 422
    for words in ("请填写您要代办的人的姓名", "手机号码应为 11 位", "请选择您和对方的关系"):
        assert words in answer.text


def test_requests_are_few_enough_to_annoy_nobody(client, make, daughter):
    client.sign_in(daughter)
    with time_machine.travel(now().replace(hour=1), tick=False):
        for turn in range(10):
            client.post(ASK, data=typed(f"139000001{turn:02d}", name=f"某人{turn}"))
        assert client.post(ASK, data=typed("13900000001")).status_code == 429


def test_the_principal_accepts_and_the_agent_may_act(client, make, mother, daughter, asked):
    client.sign_in(make.resident(mother))
    assert "有人申请为您代办" in client.get(AGENTS).text
    assert client.post(f"{AGENTS}/{asked.public_id}/accept").status_code == 303
    assert make.read(asked).state is AgentState.ACCEPTED
    assert topics() == [
        ("registry.agent_accepted", "account"),
        ("registry.agent_accepted", "person"),
        ("registry.agent_requested", "person"),
    ]
    assert [person.id for person in principals(daughter)] == [mother.id]


def principals(account):
    return people.principals_of(FakeActor(account.id), "meals.order")


class FakeActor:
    """As much of an actor as principals_of() reads."""

    def __init__(self, account_id):
        self.account_id = account_id


def test_the_principal_declines(client, make, mother, daughter, asked):
    client.sign_in(make.resident(mother)).post(f"{AGENTS}/{asked.public_id}/decline")
    assert make.read(asked).state is AgentState.DECLINED
    assert principals(daughter) == []
    assert "对方没有同意" in client.sign_in(daughter).get(AGENTS).text


def test_nobody_accepts_for_somebody_else(client, make, mother, daughter, asked):
    neighbour = make.resident(make.person("邻居"))
    for account in (neighbour, daughter):
        assert client.sign_in(account).post(f"{AGENTS}/{asked.public_id}/accept").status_code == 404
    assert make.read(asked).state is AgentState.REQUESTED


@pytest.mark.parametrize("side", ["mother", "daughter"])
def test_either_side_ends_it_and_the_next_act_is_not_possible(client, make, mother, daughter, accepted, side):
    account = make.resident(mother) if side == "mother" else daughter
    assert [person.id for person in principals(daughter)] == [mother.id]
    assert client.sign_in(account).post(f"{AGENTS}/{accepted.public_id}/end").status_code == 303
    assert make.read(accepted).state is AgentState.ENDED
    assert principals(daughter) == []
    assert ("registry.agent_ended", "account") in topics()
    assert ("registry.agent_ended", "person") in topics()


def test_a_neighbour_does_not_end_it(client, make, accepted):
    neighbour = make.resident(make.person("邻居"))
    assert client.sign_in(neighbour).post(f"{AGENTS}/{accepted.public_id}/end").status_code == 404
    assert make.read(accepted).state is AgentState.ACCEPTED


def test_an_accepted_agent_stops_after_the_agreed_day(make, mother, daughter, accepted):
    with time_machine.travel(now() + timedelta(days=90)):
        assert [person.id for person in principals(daughter)] == [mother.id]
    with time_machine.travel(now() + timedelta(days=91)):
        assert principals(daughter) == []


def test_what_has_run_out_may_be_asked_for_anew(client, make, mother, daughter, accepted):
    with time_machine.travel(now() + timedelta(days=91)):
        client.sign_in(daughter)
        assert "已过期" in client.get(AGENTS).text
        assert client.post(ASK, data=typed("13900000001")).status_code == 303
    states = list(db.session.scalars(sa.select(FamilyAgent.state).order_by(FamilyAgent.id)))
    assert states == [AgentState.ENDED, AgentState.REQUESTED]


def test_a_request_lapses_after_thirty_days(client, make, mother, asked):
    account = make.resident(mother)
    with time_machine.travel(now() + timedelta(days=31)):
        client.sign_in(account)
        assert "有人申请为您代办" not in client.get(AGENTS).text
        late = client.post(f"{AGENTS}/{asked.public_id}/accept")
    assert late.status_code == 422
    assert "已经过期" in late.text


def test_the_asker_withdraws_a_request(client, make, daughter, asked):
    client.sign_in(daughter).post(f"{AGENTS}/{asked.public_id}/end")
    assert make.read(asked).state is AgentState.ENDED
    assert topics() == [("registry.agent_requested", "person")]


def test_a_worker_records_consent_with_how_it_was_given(client, make, mother, daughter, asked):
    client.sign_in(make.worker(name="周洁"))
    assert asked.public_id in client.get("/desk/people/agents").text
    address = f"/desk/people/agents/{asked.public_id}"
    assert client.post(address, data={"decision": "accept"}).status_code == 422
    said = {"decision": "accept", "way": "phone", "note": "上午打登记的电话，本人同意"}
    assert client.post(address, data=said).status_code == 303
    agent = make.read(asked)
    assert (agent.state, agent.decided_by) == (AgentState.ACCEPTED, "周洁")
    assert agent.consent == "电话核实：上午打登记的电话，本人同意"
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.agent_accepted")).one()
    assert row.reason == agent.consent


def test_a_worker_records_a_no_or_an_end(client, make, mother, daughter, accepted):
    client.sign_in(make.worker())
    assert accepted.public_id in client.get("/desk/people/agents?state=accepted").text
    said = {"decision": "end", "way": "window", "note": "本人来窗口说不用了"}
    client.post(f"/desk/people/agents/{accepted.public_id}", data=said)
    assert make.read(accepted).state is AgentState.ENDED


def test_a_decision_that_is_none_of_the_buttons_is_refused(client, make, asked):
    client.sign_in(make.worker())
    said = {"decision": "steal", "way": "window", "note": "x"}
    assert client.post(f"/desk/people/agents/{asked.public_id}", data=said).status_code == 422
    assert make.read(asked).state is AgentState.REQUESTED


def test_a_request_for_somebody_in_another_community_is_404(client, make, asked):
    elsewhere = make.worker(Role.COMMUNITY_WORKER, make.community("荷塘社区"))
    client.sign_in(elsewhere)
    address = f"/desk/people/agents/{asked.public_id}"
    assert client.get(address).status_code == 404
    said = {"decision": "accept", "way": "phone", "note": "x"}
    assert client.post(address, data=said).status_code == 404
    assert asked.public_id not in client.get("/desk/people/agents").text


def test_a_request_to_a_merged_record_reaches_the_one_it_stands_for(client, make, daughter, mother, asked):
    kept = make.person("王秀英", phone="13900000005")
    with transaction():
        db.session.merge(mother).merged_into_id = kept.id
    client.sign_in(make.resident(kept)).post(f"{AGENTS}/{asked.public_id}/accept")
    assert [person.id for person in principals(daughter)] == [kept.id]


def test_the_declared_bounds_are_those_of_the_rules():
    declared = settings.DECLARED
    assert (declared["agents.most_principals"].default, declared["agents.longest_days"].default) == (5, 365)


def test_an_agent_says_whether_it_allows_an_act_on_a_day(accepted):
    assert accepted.allows("meals.order", today())
    assert not accepted.allows("votes.cast", today())
    assert not accepted.allows("meals.order", date(2999, 1, 1))


@pytest.fixture
def merged_elsewhere(make, asked, mother):
    """The mother's record, merged into one of another community; returns the worker here and the one there."""
    away = make.community("荷塘社区")
    kept = make.person("王秀英", community=away)
    here = make.worker(Role.COMMUNITY_WORKER, make.community())
    there = make.worker(Role.COMMUNITY_WORKER, away)
    with transaction():
        db.session.merge(mother).merged_into_id = kept.id
    return here, there


def test_a_request_to_a_merged_record_is_for_the_worker_of_the_one_it_stands_for(app, asked, merged_elsewhere):
    here, there = (app.test_client().sign_in(worker) for worker in merged_elsewhere)
    address = f"/desk/people/agents/{asked.public_id}"
    assert [here.get(address).status_code, there.get(address).status_code] == [404, 200]
    pages = [browser.get("/desk/people/agents").text for browser in (here, there)]
    assert [asked.public_id in page for page in pages] == [False, True]


def test_the_worker_of_a_merged_record_no_longer_decides_for_it(app, make, asked, merged_elsewhere):
    here = app.test_client().sign_in(merged_elsewhere[0])
    answer = here.post(f"/desk/people/agents/{asked.public_id}", data={"act": "accept", "consent": "当面同意"})
    assert answer.status_code == 404
    assert make.read(asked).state is AgentState.REQUESTED
