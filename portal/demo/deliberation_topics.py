"""The street's topics: one in each stage, as they would be found on any day."""

import io
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.deliberation.models.codes import ROAD, Category, Forum, PartyKind, Stage
from portal.deliberation.models.topics import Topic, TopicEntry, TopicPaper, TopicParty, TopicStage, TopicTemplate
from portal.deliberation.service.topic_samples import SAMPLES
from portal.demo import deliberation_days

BY = "周洁"
WORKING, DELIBERATING, SUPPORTING = PartyKind.WORKING, PartyKind.DELIBERATING, PartyKind.SUPPORTING
AGENDA = (("主持人说明规则", 5), ("介绍方案", 15), ("大家发言", 40), ("归纳意见", 20), ("宣布下一步", 5))

# Title, category, forum, stage, days since it was published, days until its stage ends, summary, more.
TOPICS: tuple[dict[str, Any], ...] = (
    {
        "title": "6 号楼 2 单元加装电梯",
        "category": Category.AFFAIR,
        "forum": Forum.OWNERS,
        "stage": Stage.COLLECTING,
        "since": 9,
        "until": 12,
        "summary": "6 号楼 2 单元一共 12 户，住着 9 位七十岁以上的老人，没有电梯，上下楼很吃力。\n"
        "想先听听每一户愿不愿意装、装在南面还是北面、低楼层担心什么、钱怎么分摊。",
        "place": "春风里小区 6 号楼 2 单元",
        "cost_fen": 46_000_000,
        "cost_words": "政府补贴 20 万元，其余由本单元业主按楼层分摊，一楼不出。",
        "binding_words": "本单元业主按《民法典》第二百七十八条表决通过后报街道，公示无异议再动工。",
        "supporting": "市建筑设计院",
    },
    {
        "title": "小区停车位怎么划、怎么停",
        "category": Category.DIFFICULTY,
        "forum": Forum.COUNCIL,
        "stage": Stage.MEETING,
        "since": 30,
        "until": None,
        "summary": "小区有 210 辆车、130 个车位，晚上消防通道也停满了。想商量车位怎么划线、"
        "访客停多久、要不要收费、收来的钱做什么用。",
        "place": "春风里小区",
        "cost_fen": 3_800_000,
        "cost_words": "划线和道闸由物业报价，从停车收入里出。",
        "binding_words": "协商一致的先试行三个月；涉及共有部分经营的，再由业主表决。",
    },
    {
        "title": "小花园和健身场地先改哪里",
        "category": Category.AFFAIR,
        "forum": Forum.TALK,
        "stage": Stage.VOTING,
        "since": 52,
        "until": None,
        "summary": "老旧小区改造有一笔钱，小花园的地砖松了、灯坏了，晾晒和健身的地方不够。"
        "前面的会上提出了三个方案，现在请大家投票决定先做哪一个。",
        "place": "春风里小区小花园",
        "cost_fen": 18_000_000,
        "cost_words": "老旧小区改造资金，不向居民收钱。",
        "binding_words": "得票过半数的方案今年做，其余列入明年计划。",
        "skips": {Stage.EXPERTS: "方案由设计单位做好了，没有别的技术问题", Stage.HEARING: "会上没有争议"},
    },
    {
        "title": "文明养犬公约",
        "category": Category.DIFFICULTY,
        "forum": Forum.ROUND_TABLE,
        "stage": Stage.NOTICE,
        "since": 60,
        "until": None,
        "summary": "遛狗不牵绳、不清理的事常有反映。养狗的和不养狗的坐在一起，商量出一份大家都做得到的公约。",
        "place": "春风里社区",
        "cost_fen": 120_000,
        "cost_words": "拾便箱和告示牌由居委会工作经费出。",
        "binding_words": "公示没有异议就写进居民公约，由志愿者劝导。",
        "skips": {Stage.EXPERTS: "不是技术问题", Stage.HEARING: "会上意见一致", Stage.VOTING: "会上全体同意，不用表决"},
    },
    {
        "title": "单元门口的坡道和扶手",
        "category": Category.AFFAIR,
        "forum": Forum.COUNCIL,
        "stage": Stage.FOLLOW_UP,
        "since": 138,
        "until": None,
        "summary": "坐轮椅和推童车的进不了单元门。大家商量决定给 14 个单元门口修坡道、装扶手，现在正在施工。",
        "place": "春风里小区 1 至 7 号楼",
        "cost_fen": 9_600_000,
        "cost_words": "区里无障碍改造资金出八成，社区公益金出两成。",
        "binding_words": "居民代表会议通过，年底以前做完。",
        "skips": {Stage.EXPERTS: "由残联派人看过现场", Stage.HEARING: "没有争议"},
    },
    {
        "title": "助餐点开饭时间和送餐范围",
        "category": Category.POLICY,
        "forum": Forum.HEARING,
        "stage": Stage.ARCHIVED,
        "since": 230,
        "until": None,
        "summary": "助餐点开在哪里、几点开饭、送到多远，先后听了三次意见，代表会议表决通过。"
        "午饭改成十一点开，送餐到三公里。",
        "place": "春风里助餐点",
        "cost_fen": 1_000_000,
        "cost_words": "餐费按补贴办法执行，桌子和送餐车由社区自有资金出。",
        "binding_words": "写进运营合同。",
    },
    {
        "title": "楼道里的鞋柜和杂物",
        "category": Category.DIFFICULTY,
        "forum": Forum.SQUAD,
        "stage": Stage.DRAFT,
        "since": 0,
        "until": None,
        "summary": "楼道里堆了鞋柜、纸箱和电动车电池，消防检查提出整改。",
        "place": "春风里小区 3 号楼",
        "binding_words": "",
    },
)


def build_topics(session: Session, areas: tuple[Area, Area, Area], day: date) -> None:
    """The topics of a community, one of its street over two communities, and the templates."""
    street, community, other = areas
    session.add_all(TopicTemplate(**sample, updated_by_name="何立新") for sample in SAMPLES)
    for facts in TOPICS:
        _build(session, community, [community], dict(facts), day)
    _build(session, street, [community, other], _shared(), day)
    session.flush()
    first = session.scalars(sa.select(Topic).where(Topic.title == TOPICS[0]["title"])).one()
    paper = TopicPaper(
        topic_id=first.id, name="电梯位置示意图", media="image/png", content=_drawing(), added_by_name=BY
    )
    paper.words = "从上往下看：楼梯间在中间，电梯装在楼梯间的南面，每层有一段连廊通到各户门口。"
    session.add(paper)


def _drawing() -> bytes:
    """A plan without words: the house, its stairs, the lift on the south side."""
    picture = Image.new("RGB", (640, 400), "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((60, 60, 580, 240), outline="#333333", width=4)
    pen.rectangle((270, 60, 370, 240), outline="#333333", width=3)
    for step in range(80, 230, 16):
        pen.line((276, step, 364, step), fill="#999999", width=2)
    pen.rectangle((285, 250, 355, 330), outline="#0a7d46", fill="#dff3e8", width=5)
    pen.line((285, 250, 355, 330), fill="#0a7d46", width=2)
    pen.line((355, 250, 285, 330), fill="#0a7d46", width=2)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def areas_of(session: Session) -> tuple[Area, Area, Area]:
    """The street and its first two communities, read anew."""
    codes = ("999901001", "999901001001", "999901001002")
    found = {area.code: area for area in session.scalars(sa.select(Area).where(Area.code.in_(codes)))}
    return found[codes[0]], found[codes[1]], found[codes[2]]


def _shared() -> dict[str, Any]:
    return {
        "title": "春风里和荷塘之间的路口怎么过",
        "category": Category.REQUESTED,
        "forum": Forum.HEARING,
        "stage": Stage.COLLECTING,
        "since": 5,
        "until": 16,
        "summary": "两个社区之间的路口没有红绿灯，早晚接送孩子、老人买菜都要过。"
        "街道请两个社区的居民、学校和交警一起商量：装灯、划线，还是设护学岗。",
        "place": "春晖路和荷塘街路口",
        "cost_fen": 25_000_000,
        "cost_words": "由街道统筹，不向居民收钱。",
        "binding_words": "形成的意见由街道报区交警大队，进度在两个社区同时公布。",
        "supporting": "区交警大队",
    }


def _build(session: Session, area: Area, communities: list[Area], facts: dict[str, Any], day: date) -> None:
    stage, since, until = facts.pop("stage"), facts.pop("since"), facts.pop("until")
    skips, supporting = facts.pop("skips", {}), facts.pop("supporting", "")
    by = BY if len(communities) == 1 else "何立新"
    began = _at(day, since)
    topic = Topic(area_id=area.id, stage=stage, made_by="demo", made_by_name=by, made_at=began, **facts)
    topic.agenda = [{"title": title, "minutes": minutes} for title, minutes in AGENDA]
    topic.communities = communities
    topic.stage_until = day + timedelta(days=until) if until is not None else None
    if stage is Stage.NOTICE:
        topic.stage_until = deliberation_days.published(topic.title, day).ends
    topic.parties = [
        TopicParty(kind=WORKING, name=f"{area.name}{'居民委员会' if len(communities) == 1 else '办事处'}"),
        TopicParty(kind=DELIBERATING, name="居民代表和有关住户"),
    ]
    if supporting:
        topic.parties.append(TopicParty(kind=SUPPORTING, name=supporting, stake="没有"))
    session.add(topic)
    session.flush()
    if stage is not Stage.DRAFT:
        topic.published_at = began
        _walk(session, topic, skips, began, by)


def _walk(session: Session, topic: Topic, skips: dict[Stage, str], began: datetime, by: str) -> None:
    """The road up to the stage, on its own days or evenly; the log as it would have been written."""
    walked = ROAD[: ROAD.index(topic.stage) + 1]
    gone = [stage for stage in walked if stage not in skips]
    step = (clock.now() - began) / max(len(gone), 1)
    evenly = {stage: began + step * number for number, stage in enumerate(gone)}
    entered = evenly | deliberation_days.entered(topic.title, clock.today())
    for stage in walked:
        at = entered.get(stage) or entered[next(one for one in gone if walked.index(one) > walked.index(stage))]
        last = stage is topic.stage
        following = [entered[one] for one in gone if walked.index(one) > walked.index(stage)]
        left = None if last and stage is not Stage.ARCHIVED else (following[0] if following else at)
        # What nobody objected to with success goes on by itself.
        who = "" if stage is Stage.FOLLOW_UP else by
        row = {"topic_id": topic.id, "stage": stage, "entered_at": at, "left_at": left, "by_name": who}
        more = {"skipped": stage in skips, "why": skips.get(stage, "")}
        until = topic.stage_until if last else (clock.local(left).date() if left else None)
        session.add(TopicStage(**row, **more, begins_on=clock.local(at).date(), ends_on=until))
        session.add(_entry(topic, stage, skips, at, who, until))
    if topic.stage is Stage.ARCHIVED:
        topic.archived_at = entered[Stage.ARCHIVED]


def _entry(
    topic: Topic, stage: Stage, skips: dict[Stage, str], at: datetime, by: str, until: date | None
) -> TopicEntry:
    row: dict[str, Any] = {"topic_id": topic.id, "at": at, "by_name": by}
    if stage in skips:
        return TopicEntry(**row, deed="skipped", why=skips[stage], facts={"stage": stage.value})
    said = {"to": stage.value, "until": until.isoformat() if until and stage is Stage.COLLECTING else ""}
    deed = {Stage.COLLECTING: "published", Stage.ARCHIVED: "archived"}.get(stage, "moved")
    return TopicEntry(**row, deed=deed, facts=said)


def _at(day: date, days: int) -> datetime:
    return clock.at(day - timedelta(days=days), time(9, 30))
