"""The roll of a vote on both platforms: made, published, asked about, put right, printed; who sees what of it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import local, now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import AskState, Body, Stage, VoteState
from portal.deliberation.models.topics import TopicEntry
from portal.deliberation.models.votes import RollCorrection, RollEntry, Vote
from portal.deliberation.roll_jobs import load_rules
from portal.deliberation.service import roll_doors, rolls
from portal.identity.permissions import Role
from tests.client import Client
from tests.counting import count_queries
from tests.deliberating import Deliberating
from tests.make import Make


@pytest.fixture
def vote(deliberating: Deliberating) -> Vote:
    """A draft that opens in five days."""
    load_rules()
    made = deliberating.vote(
        deliberating.topic(stage=Stage.VOTING),
        state=VoteState.DRAFT,
        body=Body.RESIDENTS_PERSONS,
        opens_at=now() + timedelta(days=5),
        closes_at=now() + timedelta(days=9),
        frozen_at=None,
    )
    made.rule = {}
    db.session.commit()
    return made


@pytest.fixture
def desk(make: Make, client: Client) -> Client:
    return client.sign_in(make.worker(Role.COMMITTEE_MEMBER))


def _until(days: int = 3) -> dict[str, str]:
    moment = local(now() + timedelta(days=days))
    return {"day": moment.date().isoformat(), "hour": moment.strftime("%H:%M")}


def _published(vote: Vote, deliberating: Deliberating) -> None:
    by = deliberating.committee()
    with transaction():
        held = db.session.get_one(Vote, vote.id)
        rolls.build(held, by=by)
        rolls.publish(held, until=now() + timedelta(days=3), by=by)


def _at(vote: Vote, rest: str = "", *, desk: bool = True) -> str:
    return f"{'/desk' if desk else ''}/deliberation/votes/{vote.id}/roll{rest}"


def _audited(action: str) -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(AuditRow.id)).where(AuditRow.action == action)) or 0


def test_the_committee_makes_looks_at_and_publishes_a_roll(make: Make, desk: Client, vote: Vote) -> None:
    make.person("王秀英")
    make.person("周无日", born=None)
    assert "还没有名册" in desk.get(_at(vote)).text
    assert desk.post(_at(vote, "/build")).status_code == 303
    page = desk.get(_at(vote))
    assert "王秀英" in page.text
    assert "周无日" not in page.text
    form = desk.get(_at(vote, "/publish"))
    assert "周无日" in form.text
    refused = desk.post(_at(vote, "/publish"), data=_until())
    assert refused.status_code == 422
    assert "登记还有缺漏" in refused.text
    assert desk.post(_at(vote, "/publish"), data=_until() | {"knows_gaps": "y"}).status_code == 303
    assert make.read(vote).state is VoteState.ROLL
    assert desk.post(_at(vote, "/publish"), data=_until() | {"knows_gaps": "y"}).status_code == 422
    assert _audited("deliberation.roll_published") == 1
    entry = db.session.scalars(sa.select(TopicEntry).where(TopicEntry.deed == "roll_published")).one()
    assert "王秀英" not in str(entry.facts)


def test_the_corrections_end_before_the_vote_begins(make: Make, desk: Client, vote: Vote) -> None:
    make.person()
    desk.post(_at(vote, "/build"))
    for days, words in ((6, "开始投票以前"), (-1, "现在以后")):
        answer = desk.post(_at(vote, "/publish"), data=_until(days))
        assert answer.status_code == 422
        assert words in answer.text


def test_somebody_is_struck_off_and_put_back_with_a_reason(make: Make, desk: Client, vote: Vote) -> None:
    make.person("王秀英")
    desk.post(_at(vote, "/build"))
    assert desk.post(_at(vote, "/1/strike"), data={"reason": ""}).status_code == 422
    assert desk.post(_at(vote, "/1/strike"), data={"reason": "长期不在本地"}).status_code == 303
    assert desk.post(_at(vote, "/1/strike"), data={"reason": "再划一次"}).status_code == 422
    assert "长期不在本地" in desk.get(_at(vote)).text
    log = db.session.scalars(sa.select(TopicEntry).where(TopicEntry.deed == "roll_struck")).one()
    assert log.why == "长期不在本地"
    assert "王秀英" not in str(log.facts)
    assert desk.post(_at(vote, "/1/restore"), data={"reason": "回来了"}).status_code == 303
    assert desk.get(_at(vote, "/99/strike")).status_code == 404


def test_somebody_is_added_by_hand_once(make: Make, desk: Client, vote: Vote) -> None:
    make.person("王秀英")
    late = make.person("周无日", born=None)
    desk.post(_at(vote, "/build"))
    said = {"person": late.public_id, "reason": "身份证核对过，已满十八周岁", "idem": "k" * 20}
    assert desk.post(_at(vote, "/add"), data={"reason": "没有选人", "idem": "k" * 20}).status_code == 422
    assert desk.post(_at(vote, "/add"), data=said).status_code == 303
    assert "已经在名册上" in desk.post(_at(vote, "/add"), data=said).text
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count(RollEntry.id))) == 2


def test_a_name_is_found_on_the_roll(make: Make, desk: Client, vote: Vote) -> None:
    make.person("王秀英")
    make.person("李小红")
    desk.post(_at(vote, "/build"))
    found = desk.post(_at(vote), data={"q": "李小"})
    assert "李小红" in found.text
    assert "王秀英" not in found.text
    assert "没有找到" in desk.post(_at(vote), data={"q": "没有这个人"}).text


def test_the_sheet_for_the_wall_shows_names_and_buildings_alone(make: Make, desk: Client, vote: Vote) -> None:
    home = make.household()
    make.person("王秀英", household_id=home.id, phone="13800001234")
    desk.post(_at(vote, "/build"))
    sheet = desk.post(_at(vote, "/print")).text
    assert "王秀英" in sheet
    assert "6号楼" in sheet
    for hidden in ("2单元", "301", "1380000", "****"):
        assert hidden not in sheet
    assert _audited("deliberation.roll_printed") == 1


def test_another_communitys_roll_does_not_exist_and_the_street_only_reads(
    make: Make, client: Client, vote: Vote
) -> None:
    client.sign_in(make.worker(scope=make.community("别处社区")))
    assert client.get(_at(vote)).status_code == 404
    assert client.post(_at(vote, "/build")).status_code == 404
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert client.get(_at(vote)).status_code == 200
    assert "生成名册</" not in client.get(_at(vote)).text
    assert client.post(_at(vote, "/build")).status_code == 404


def test_a_resident_finds_herself_and_nobody_else_on_the_roll(
    make: Make, client: Client, vote: Vote, deliberating: Deliberating
) -> None:
    _person, account = deliberating.person_with_account("王秀英")
    make.person("李小红")
    client.sign_in(account)
    assert client.get(_at(vote, desk=False)).status_code == 404
    _published(vote, deliberating)
    page = client.get(_at(vote, desk=False))
    assert "您在名册上" in page.text
    assert "李小红" not in page.text
    client.sign_in(make.resident())
    assert "还没有和居民登记对上" in client.get(_at(vote, desk=False)).text


def test_a_resident_asks_to_have_the_roll_put_right_and_is_told(
    make: Make, client: Client, vote: Vote, deliberating: Deliberating
) -> None:
    make.person("王秀英")
    young, account = deliberating.person_with_account("周无日", born=None)
    _published(vote, deliberating)
    client.sign_in(account)
    page = client.get(_at(vote, desk=False))
    assert "名册上没有您" in page.text
    assert client.post(_at(vote, "/ask", desk=False), data={"words": "", "idem": "k"}).status_code == 422
    said = {"words": "我 1980 年生的，名册没有我", "idem": "k" * 20}
    assert client.post(_at(vote, "/ask", desk=False), data=said).status_code == 303
    assert client.post(_at(vote, "/ask", desk=False), data=said | {"idem": "l" * 20}).status_code == 422
    assert "等答复" in client.get(_at(vote, desk=False)).text
    asked = db.session.scalars(sa.select(RollCorrection)).one()
    public_id, asked_id = asked.public_id, asked.id

    client.sign_in(make.worker(Role.COMMITTEE_MEMBER))
    assert "名册没有我" in client.get(_at(vote)).text
    answer = _at(vote, f"/corrections/{public_id}")
    assert client.post(answer, data={"upheld": "yes", "words": ""}).status_code == 422
    assert client.post(answer, data={"upheld": "yes", "words": "核对过，已加上"}).status_code == 303
    assert client.post(answer, data={"upheld": "no", "words": "不改"}).status_code == 422
    db.session.rollback()
    assert db.session.get_one(RollCorrection, asked_id).state is AskState.UPHELD
    told = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "deliberation.roll_answered")).one()
    assert told.recipient_id == young.public_id


def test_a_correction_is_withdrawn_by_whoever_asked_alone(
    make: Make, client: Client, vote: Vote, deliberating: Deliberating
) -> None:
    _person, account = deliberating.person_with_account("王秀英")
    _other, stranger = deliberating.person_with_account("李小红")
    _published(vote, deliberating)
    client.sign_in(account)
    client.post(_at(vote, "/ask", desk=False), data={"words": "名字写错了", "idem": "k" * 20})
    public_id = db.session.scalars(sa.select(RollCorrection.public_id)).one()
    address = _at(vote, f"/corrections/{public_id}/withdraw", desk=False)
    assert client.sign_in(stranger).post(address).status_code == 404
    assert client.sign_in(account).post(address).status_code == 303
    assert db.session.scalars(sa.select(RollCorrection.state)).one() is AskState.WITHDRAWN


def test_after_the_vote_has_opened_nothing_of_the_roll_is_changed(
    make: Make, desk: Client, vote: Vote, deliberating: Deliberating
) -> None:
    make.person("王秀英")
    _published(vote, deliberating)
    with transaction():
        held = db.session.get_one(Vote, vote.id)
        rolls.freeze(held, at=now() + timedelta(days=4))
        held.state = VoteState.OPEN
    page = desk.get(_at(vote))
    assert "不能再改" in page.text
    assert "划掉</a>" not in page.text
    assert desk.post(_at(vote, "/1/strike"), data={"reason": "晚了"}).status_code == 422
    before = _audited("deliberation.roll_built")
    desk.post(_at(vote, "/build"))
    assert _audited("deliberation.roll_built") == before


def test_a_long_roll_takes_few_questions(make: Make, desk: Client, vote: Vote, deliberating: Deliberating) -> None:
    for number in range(15):
        make.person(f"居民{number}")
    _published(vote, deliberating)
    with count_queries() as asked:
        assert desk.get(_at(vote)).status_code == 200
    assert len(asked) <= 8, asked


def test_a_correction_waits_on_the_desks_list_and_in_ones_own_copy(
    make: Make, client: Client, vote: Vote, deliberating: Deliberating
) -> None:
    person, account = deliberating.person_with_account("王秀英")
    _published(vote, deliberating)
    client.sign_in(account)
    client.post(_at(vote, "/ask", desk=False), data={"words": "我住 6 号楼", "idem": "k" * 20})
    (todo,) = roll_doors.todo_of(deliberating.committee())
    assert (todo.endpoint, todo.values, todo.count) == ("deliberation.worker.roll_page", {"vote_id": vote.id}, 1)
    assert roll_doors.todo_of(deliberating.committee(make.community("别处社区"))) == []
    (copied,) = roll_doors.export(person)
    assert "我住 6 号楼" in copied.values()
    assert [line.text for line in roll_doors.timeline(person)] == [vote.question]
    (step,) = roll_doors.steps(db.session.get_one(Vote, vote.id).topic, person, now())
    assert step.now
    assert roll_doors.purge(local(now()).date()) == 0
    with transaction():
        held = db.session.get_one(Vote, vote.id)
        held.state, held.opens_at, held.closes_at = (
            VoteState.COUNTED,
            now() - timedelta(days=9),
            now() - timedelta(days=2),
        )
    with transaction():
        assert roll_doors.purge(local(now()).date()) == 1
