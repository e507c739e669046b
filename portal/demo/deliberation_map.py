"""A topic of the demonstration on which nearly a hundred neighbours took their stands, with its map of opinion."""

import random
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core.clock import now
from portal.deliberation.mapping import holding
from portal.deliberation.mapping.question import AGREE, DISAGREE, PASS, UNSEEN
from portal.deliberation.models.codes import Category, Forum, MapState, OpinionState, PartyKind, Stage, Stand
from portal.deliberation.models.opinions import Opinion, OpinionMap, OpinionVote
from portal.deliberation.models.topics import Topic, TopicEntry, TopicParty, TopicStage
from portal.registry.models import Person

# A statement, and how many in a hundred of each of three groups agree with it.
SAID: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("车推进楼道和电梯太危险，一律不许进楼", (97, 93, 95)),
    ("充电要有人管，充满了自动断电", (95, 90, 93)),
    ("从窗口拉线充电的，提醒不改就公示", (90, 25, 22)),
    ("车棚建在离楼二十米以内，老人推得动", (18, 95, 22)),
    ("宁可远一点，也要离住房远才放心", (94, 8, 60)),
    ("占一点绿地建车棚可以接受", (90, 86, 3)),
    ("充一次电不超过一块钱，贵了没人用", (50, 93, 40)),
    ("没有车的人家不应该为车棚出钱", (14, 10, 96)),
    ("车棚要装摄像头，晚上灯要亮", (91, 88, 87)),
    ("先用公共收益垫上，不向各家收钱", (85, 88, 92)),
    ("车棚由物业管，每年公布一次账目", (88, 80, 90)),
    ("先装换电柜，比充电桩安全", (42, 40, 41)),
    ("送餐和快递的车也可以在这里充", (48, 52, 46)),
    ("减少几个汽车位来建车棚", (14, 90, 18)),
)
SIZES = (44, 31, 21)
# Of a hundred: who passes (more on the statement about what few know), who has not come so far yet.
PASSES, UNSURE, NOT_SEEN = 7, 42, 18
CIRCLES = ((96.0, 165.0, 74.4), (238.0, 88.0, 62.5), (246.0, 226.0, 51.4))
STANDS = {AGREE: Stand.AGREE, DISAGREE: Stand.DISAGREE, PASS: Stand.PASS}


def build_map(session: Session, community: Area, day: date) -> None:
    """The topic, its statements, the neighbours' stands and the map that was made of them this morning."""
    topic = _topic(community, day)
    said = [Opinion(topic=topic, words=words, state=OpinionState.SHOWN) for words, _shares in SAID]
    session.add_all([topic, *said])
    session.flush()
    begun = {"to": topic.stage.value, "until": topic.stage_until.isoformat() if topic.stage_until else ""}
    session.add(
        TopicEntry(topic_id=topic.id, deed="published", at=topic.published_at, by_name=topic.made_by_name, facts=begun)
    )
    labels = [group for group, size in enumerate(SIZES) for _one in range(size)]
    rows = _rows(labels)
    adult = sa.select(Person.id).where(Person.community_id == community.id, Person.birth_date < date(2005, 1, 1))
    people = list(session.scalars(adult.order_by(Person.id).limit(len(rows))))
    at = now() - timedelta(hours=9)
    stands = [
        {
            "topic_id": topic.id,
            "opinion_id": one.id,
            "person_id": who,
            "stand": STANDS[sign],
            "at": at,
            "on_paper": False,
        }
        for who, row in zip(people, rows, strict=False)
        for one, sign in zip(said, row, strict=True)
        if sign in STANDS
    ]
    session.execute(sa.insert(OpinionVote), stands)
    lines = holding.lines([one.id for one in said], rows, labels, len(SIZES))
    facts = {"topic_id": topic.id, "state": MapState.DONE, "people": len(rows), "opinions": len(said)}
    moment = now() - timedelta(hours=6)
    times = {"asked_at": moment, "read_at": moment, "ended_at": moment}
    session.add(OpinionMap(figures=_figures(lines), asked_by_name="周洁", **facts, **times))
    session.flush()


def _topic(community: Area, day: date) -> Topic:
    entered, until = now() - timedelta(days=9), day + timedelta(days=12)
    topic = Topic(
        area_id=community.id,
        title="电动自行车停在哪里、怎么充电",
        summary="小区有六百多辆电动自行车，楼道里停不得，车棚又不够。想建新的车棚和充电桩，建在哪里、钱怎么出，听大家的。",
        category=Category.DIFFICULTY,
        forum=Forum.ROUND_TABLE,
        place="3 号楼东侧空地、北门绿地",
        cost_fen=8_600_000,
        cost_words="车棚两处约五万元，充电桩和摄像头约三万六千元，先从公共收益里出。",
        binding_words="民意征集后开圆桌会，方案交业主表决。",
        stage=Stage.COLLECTING,
        stage_until=until,
        made_by="demo",
        made_by_name="周洁",
        made_at=entered,
        published_at=entered,
    )
    topic.communities = [community]
    topic.parties = [
        TopicParty(kind=PartyKind.WORKING, name=f"{community.name}居民委员会"),
        TopicParty(kind=PartyKind.DELIBERATING, name="小区居民和物业服务企业"),
    ]
    topic.stages = [
        TopicStage(
            stage=Stage.COLLECTING, begins_on=day - timedelta(days=9), ends_on=until, entered_at=entered, by_name="周洁"
        )
    ]
    return topic


def _rows(labels: list[int]) -> list[str]:
    chance = random.Random(20260715)

    def sign(number: int, label: int) -> str:
        if chance.randrange(100) < NOT_SEEN:
            return UNSEEN
        if chance.randrange(100) < (UNSURE if SAID[number][0].startswith("先装换电柜") else PASSES):
            return PASS
        return AGREE if chance.randrange(100) < SAID[number][1][label] else DISAGREE

    return ["".join(sign(number, label) for number in range(len(SAID))) for label in labels]


def _figures(lines: list[holding.Line]) -> dict[str, Any]:
    """What the computation would find; it is not run while the street is loaded."""
    return {
        "groups": [
            {"people": size, "circle": circle, "holds": holding.held_by(group, lines)}
            for group, (size, circle) in enumerate(zip(SIZES, CIRCLES, strict=True))
        ],
        "lines": [
            {
                "opinion": line.opinion,
                "all": line.whole.counts,
                "groups": [cell.counts if cell else None for cell in line.groups],
            }
            for line in lines
        ],
        "common": holding.held_by_all(lines),
        "undecided": holding.undecided(lines),
        "people": sum(SIZES),
        "left_out": 0,
        "merged": 0,
    }
