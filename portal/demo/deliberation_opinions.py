"""What neighbours say of the demonstration's topics: statements, stands, comments, some of them waiting or hidden."""

from collections.abc import Sequence
from datetime import time, timedelta
from itertools import cycle

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.core.clock import now
from portal.deliberation.models.codes import OpinionState, SheetState, Stage, Stand
from portal.deliberation.models.opinions import Comment, Opinion, OpinionSheet, OpinionVote
from portal.deliberation.models.topics import Topic, TopicEntry
from portal.deliberation.service.moderating import Why, hidden_said
from portal.identity.models import Account
from portal.registry.models import Person

BY = "周洁"
# A statement, whose it is ("" the committee's, "1" a resident's, "p" off paper), and how many agree, disagree, pass.
Statement = tuple[str, str, int, int, int]
# A comment; its answer, and whether that is the committee's.
Thread = tuple[str, tuple[str, bool]]
SAID: tuple[Statement, ...] = (
    ("愿意为加装电梯出一部分钱", "", 14, 5, 3),
    ("电梯装在北面，不挡南面的窗", "", 12, 4, 5),
    ("一楼不出钱，还应该得一点补偿", "1", 11, 6, 4),
    ("费用按楼层分摊，越高出得越多", "1", 13, 4, 3),
    ("施工时间要提前一周告诉大家，晚上七点以后不做", "1", 19, 0, 1),
    ("先请设计院来看看地下管线，再谈钱", "1", 16, 1, 2),
    ("电费和维修费由坐电梯的人家出", "p", 10, 7, 3),
    ("不装电梯，装爬楼机就够了", "1", 3, 13, 4),
    ("担心采光和噪声，要有办法再装", "1", 2, 1, 0),
)
WAITING = ("红绿灯装了也没人看，不如设护学岗", "早上七点半到八点最危险，先管这半个小时")
THREADS: tuple[Thread, ...] = (
    ("一楼最担心采光和一进一出的声音，这个有没有人来量过？", ("上周五设计院来量过，结果下周三贴在单元门口。", True)),
    (
        "我妈八十三了，去年冬天只下过四次楼。钱的事可以慢慢谈，希望能装上。",
        ("同意。我们家在五楼，愿意多出一点。", False),
    ),
    ("政府补贴 20 万是装好才给，还是先给？", ("验收后由街道拨给建设单位，不用各家先垫这一部分。", True)),
)
STANDS = (Stand.AGREE, Stand.DISAGREE, Stand.PASS)


def build_opinions(session: Session, community: Area) -> None:
    """After the topics: talk about the first that collects opinions, and two statements that wait in the street's."""
    query = sa.select(Topic).where(Topic.stage == Stage.COLLECTING).order_by(Topic.id)
    found = list(session.scalars(query))
    mine = next((one for one in found if one.area_id == community.id), None)
    if mine is None:
        return
    adults = sa.select(Person.id).where(Person.community_id == community.id).order_by(Person.id).limit(40)
    people = list(session.scalars(adults))
    statements(session, mine, people, SAID, 8)
    threads(session, mine, people, THREADS, 6)
    _hidden(session, mine, people[5])
    _papers(session, mine, people[7])
    for streets in (one for one in found if one.area_id != community.id):
        streets.looks_first = True
        session.add_all(
            Opinion(topic_id=streets.id, words=words, person_id=who, state=OpinionState.PENDING)
            for words, who in zip(WAITING, people[3:], strict=False)
        )
    session.flush()


def statements(session: Session, topic: Topic, people: list[int], said: Sequence[Statement], ago: int) -> None:
    """Statements and where neighbours stand on them, the first made `ago` days ago."""
    writers = cycle(people[20:])
    for turn, (words, whose, *counts) in enumerate(said):
        made = Opinion(topic_id=topic.id, words=words, state=OpinionState.SHOWN, on_paper=whose == "p")
        made.at = now() - timedelta(days=ago - turn * 0.7)
        made.person_id = next(writers) if whose else None
        made.entered_by_name = "" if whose == "1" else BY
        session.add(made)
        session.flush()
        taken = [stand for stand, count in zip(STANDS, counts, strict=True) for _one in range(count)]
        # Each statement is answered by others first, so that nobody agrees with all of them.
        whom = people[turn * 3 :] + people[: turn * 3]
        facts = {"topic_id": topic.id, "opinion_id": made.id, "on_paper": False, "at": made.at + timedelta(hours=5)}
        rows = [{**facts, "person_id": who, "stand": stand} for who, stand in zip(whom, taken, strict=False)]
        session.execute(sa.insert(OpinionVote), rows)


def threads(session: Session, topic: Topic, people: list[int], said: Sequence[Thread], ago: int) -> None:
    """Comments, each with its answer, the first made `ago` days ago."""
    for turn, (words, (answer, official)) in enumerate(said):
        at = clock.at(clock.today() - timedelta(days=ago - turn), time(9 + turn, 20))
        first = Comment(topic_id=topic.id, words=words, person_id=people[turn], state=OpinionState.SHOWN, at=at)
        session.add(first)
        session.flush()
        whose = {"by_name": BY} if official else {"person_id": people[turn + 10]}
        later = at + timedelta(hours=4)
        reply = Comment(
            topic_id=topic.id, parent_id=first.id, words=answer, state=OpinionState.SHOWN, at=later, **whose
        )
        session.add(reply)


def _hidden(session: Session, topic: Topic, person_id: int) -> None:
    made = Opinion(topic_id=topic.id, person_id=person_id, words="专业安装，全市最低价", state=OpinionState.HIDDEN)
    made.hidden_why = Why.ADVERT.value
    session.add(made)
    session.flush()
    facts = {"deed": "opinion_hidden", "by_name": BY, "why": hidden_said(made.hidden_why)}
    session.add(TopicEntry(topic_id=topic.id, facts={"number": made.id}, **facts))


def _papers(session: Session, topic: Topic, person_id: int) -> None:
    """Two papers out of the box at the counter: one waits for a second person, one was read in two ways."""
    first = session.scalars(sa.select(Account).where(Account.username == "committee")).one()
    asked = session.scalars(sa.select(Opinion.id).where(Opinion.topic_id == topic.id).order_by(Opinion.id).limit(3))
    stands = {str(number): Stand.AGREE.value for number in asked}
    facts = {"topic_id": topic.id, "first_by": first.public_id, "first_by_name": first.name}
    facts["first_at"] = clock.at(clock.days_before(clock.today(), 1), time(16, 20))
    read = {"words": "楼道里要先装好扶手，老人等不了两年", "stands": {}}
    other = {**read, "words": "楼道里要先装好扶手，老人等不起两年"}
    session.add(
        OpinionSheet(number=1, signed=True, person_id=person_id, first={"words": "", "stands": stands}, **facts)
    )
    twice = {
        "state": SheetState.DIFFERS,
        "second_by_name": BY,
        "second_at": clock.at(clock.days_before(clock.today(), 1), time(17, 5)),
    }
    session.add(OpinionSheet(number=2, signed=False, first=read, second=other, **twice, **facts))
