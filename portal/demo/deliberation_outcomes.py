"""What was decided in the demonstration: one on the wall with an objection, one being carried out, one finished."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import calendar, clock
from portal.deliberation.models.codes import AskState, OutcomeState, ProjectStep, Score, TaskState, VoteState
from portal.deliberation.models.outcomes import FollowUp, FollowUpStep, Objection, Outcome, Project, TopicRating
from portal.deliberation.models.topics import Topic, TopicEntry
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import outcomes, project_words
from portal.demo import deliberation_pictures as pictures
from portal.demo.deliberation_days import CANTEEN, DOGS, RAMPS, Published, office_day, published
from portal.demo.deliberation_projects import PROJECTS
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.models import Person, PersonState

BY = "周洁"
DAUGHTER = "李小红"
OUTCOMES = {
    DOGS: "议事会上 26 人全体同意《文明养犬公约》：\n一、出门牵绳，进电梯收短绳、抱起小狗。\n"
    "二、狗拉了当场清理，三处放拾便箱。\n三、早上六点以前、晚上十点以后不让狗在楼下叫。\n"
    "四、儿童乐园和健身场地不带狗进去。\n违反的由志愿者先劝导，劝三次不改的，在楼门口提醒。",
    RAMPS: "给 1 至 7 号楼的 14 个单元门口修坡道、装扶手，年底以前做完。施工时每个门口封闭两天，提前三天贴通知。",
    CANTEEN: "午饭从十一点开到一点，晚饭从五点开到六点半。\n送餐到三公里，走不动的老人送到床前。\n"
    "菜单提前一周贴出来，少油少盐的每天至少两样。",
}
# Whose ("" a neighbour's), days after the result was published, what was said, the state, the answer.
OBJECTIONS: dict[str, tuple[tuple[str, int, str, AskState, str], ...]] = {
    DOGS: (
        (
            DAUGHTER,
            0,
            "拾便箱放在 3 号楼门口会有味道，请换个地方。",
            AskState.DENIED,
            "谢谢您。和 3 号楼的住户看过现场了，箱子改放在南门岗亭边上，每天清运一次。公约的条文没有变，不用重新商量。",
        ),
        (
            "",
            1,
            "我上夜班，半夜十二点才到家，只有那时候能遛狗。“晚上十点以后”这一条我做不到，请改一改。",
            AskState.OPEN,
            "",
        ),
    ),
    RAMPS: (
        (
            "",
            2,
            "坡道会占掉门口的自行车位。",
            AskState.DENIED,
            "看过图纸，坡道往绿地一侧转，门口的自行车位一个不少。",
        ),
    ),
    CANTEEN: (
        (
            "",
            1,
            "晚饭六点半收，下班的人赶不上。",
            AskState.DENIED,
            "助餐点先保证老人。下班的人可以六点前在手机上订，留到七点。",
        ),
        ("", 3, "送餐费是不是太高？", AskState.WITHDRAWN, ""),
    ),
}


@dataclass(frozen=True)
class Told:
    """A report on a task: how many days ago, how far, what was spent since (yuan), words, a picture and its words."""

    ago: int
    percent: int
    spent: int
    words: str
    picture: bytes | None = None
    seen: str = ""


@dataclass(frozen=True)
class Task:
    """`due`: in how many days from now. `owner`: which of the community's keepers."""

    title: str
    words: str
    due: int
    budget: int
    told: tuple[Told, ...] = ()
    owner: int = 0
    dropped: str = ""
    made_ago: int = 70


RAMP_TASKS = (
    Task(
        "量尺寸、出图纸",
        "请残联和设计单位一个门口一个门口看。",
        -48,
        6_000,
        (
            Told(66, 40, 0, "14 个门口都量过了，3 号楼 2 单元地下有燃气管，坡道改在西侧。"),
            Told(52, 100, 5_800, "图纸出来了，坡度按每升高一米走十二米做。贴在各单元门口。"),
        ),
    ),
    Task(
        "修 14 个单元门口的坡道",
        "先修坐轮椅的住户多的门口。",
        26,
        62_000,
        (
            Told(
                44,
                10,
                4_200,
                "开工了，先拆 1 号楼 1 单元的旧台阶。",
                pictures.steps(),
                "1 号楼 1 单元门口，四级旧台阶有裂缝，没有扶手",
            ),
            Told(27, 35, 15_300, "修好了 5 个门口。"),
            Told(
                6,
                65,
                19_000,
                "修好了 9 个门口，轮椅自己推得上去。",
                pictures.ramp(),
                "同一个门口，修好了长坡道，坡道边上有两道扶手",
            ),
        ),
        owner=1,
    ),
    Task(
        "装扶手",
        "不锈钢加防滑套，冬天不冰手。",
        -2,
        22_000,
        (Told(8, 30, 7_500, "装好了 4 个门口。厂家第二批货晚到一个星期，下周接着装。"),),
        owner=1,
    ),
    Task("请坐轮椅、推童车的居民试走", "每个门口至少两个人走一遍，走不顺的当场记下来改。", 40, 0),
    Task(
        "给门口装感应灯",
        "",
        20,
        6_000,
        dropped="物业今年把楼道灯都换成了声控灯，门口够亮，不用再装。",
    ),
)
CANTEEN_TASKS = (
    Task(
        "改开饭时间，贴出新的时间表",
        "",
        -110,
        400,
        (
            Told(
                120,
                50,
                0,
                "和助餐点改了合同，试行两周。",
                pictures.canteen_before(),
                "改之前的助餐点：屋子暗，只有一张桌子，墙上没有时间表",
            ),
            Told(
                106,
                100,
                380,
                "新时间表上墙，添了三张桌子，十一点开饭。",
                pictures.canteen_after(),
                "改之后的助餐点：屋子亮堂，四张桌子，墙上贴着开饭时间",
            ),
        ),
        made_ago=128,
    ),
    Task(
        "送餐送到三公里",
        "添一辆三轮车、两个保温箱。",
        -85,
        9_600,
        (
            Told(101, 60, 6_900, "三轮车和保温箱到了，先送到两公里。"),
            Told(88, 100, 2_450, "送到三公里了，每天 36 户，走不动的 8 户送到床前。"),
        ),
        owner=1,
        made_ago=128,
    ),
)
TASKS = {RAMPS: RAMP_TASKS, CANTEEN: CANTEEN_TASKS}
RATED = {RAMPS: (14, 6, 2), CANTEEN: (31, 9, 3)}
SAID = ("坡道修得好，我妈一个人能出门了。", "希望快一点，我们这个门口还没轮到。", "扶手高低正合适。")


@dataclass
class Ground:
    """What the rows of a topic are made with."""

    session: Session
    day: date
    people: list[int]
    daughter: int | None
    keepers: list[Account] = field(default_factory=list)


def build_outcomes(session: Session, community: Area, day: date) -> None:
    """After the votes, for a result repeats its figures."""
    living = sa.select(Person.id).where(Person.community_id == community.id, Person.state == PersonState.PRESENT)
    grown = living.where(Person.birth_date < date(day.year - 30, 1, 1), Person.merged_into_id.is_(None))
    people = list(session.scalars(grown.where(Person.name != DAUGHTER).order_by(Person.id).offset(60).limit(60)))
    daughter = session.scalar(living.where(Person.name == DAUGHTER).order_by(Person.id.desc()).limit(1))
    keepers = staff.workers_on(Permission.DELIBERATION_KEEP, [community.code])
    ground = Ground(session, day, people, daughter, keepers)
    topics = {one.title: one for one in session.scalars(sa.select(Topic).where(Topic.area_id == community.id))}
    for title, words in OUTCOMES.items():
        if title in topics:
            _outcome(ground, topics[title], words)
    for title, tasks in TASKS.items():
        if title in topics and keepers:
            for number, task in enumerate(tasks, 1):
                _task(ground, topics[title], task, number)
            _project(ground, topics[title])
            _rate(ground, topics[title])
    session.flush()


def _log(ground: Ground, topic: Topic, at: datetime, deed: str, *, by: str = BY, why: str = "", **facts: Any) -> None:
    row = {"topic_id": topic.id, "deed": deed, "by_name": by, "why": why, "facts": facts}
    ground.session.add(TopicEntry(**row, at=at))


def _outcome(ground: Ground, topic: Topic, words: str) -> None:
    when, title = published(topic.title, ground.day), f"{topic.title}：结果"
    counted = sa.select(Vote).where(Vote.topic_id == topic.id, Vote.state == VoteState.COUNTED)
    vote = ground.session.scalars(counted.order_by(Vote.id.desc()).limit(1)).first()
    over = when.ends < ground.day
    made = Outcome(
        topic_id=topic.id,
        vote_id=vote.id if vote else None,
        title=title,
        words=f"{words}\n{outcomes.vote_words(vote)}" if vote else words,
        state=OutcomeState.STANDS if over else OutcomeState.PUBLISHED,
        days=(when.ends - when.begins).days,
        published_at=when.at,
        published_by_name=BY,
        ends_on=when.ends,
        made_at=when.at - timedelta(hours=3),
        made_by_name=BY,
        closed_at=when.stands_at if over else None,
    )
    ground.session.add(made)
    ground.session.flush()
    until = when.ends.isoformat()
    _log(ground, topic, when.at + timedelta(seconds=1), "outcome_published", title=title, until=until)
    if over:
        _log(ground, topic, when.stands_at - timedelta(seconds=1), "outcome_stands", by="", title=title)
    for number, said in enumerate(OBJECTIONS[topic.title]):
        _object(ground, made, topic, when, number, said)


def _object(
    ground: Ground,
    outcome: Outcome,
    topic: Topic,
    when: Published,
    number: int,
    said: tuple[str, int, str, AskState, str],
) -> None:
    whose, after, words, state, answer = said
    who = ground.daughter if whose and ground.daughter else ground.people[number]
    at = when.at + timedelta(days=after, hours=3)
    decided = clock.at(calendar.add_working_days(clock.local(at).date(), 1), time(10, 15))
    # In a week off work nobody has answered yet.
    if state is AskState.DENIED and decided > clock.now():
        state, answer = AskState.OPEN, ""
    answered = state is AskState.DENIED
    ground.session.add(
        Objection(
            outcome_id=outcome.id,
            person_id=who,
            words=words,
            state=state,
            at=at,
            decided_at=decided if answered else None,
            decided_by_name=BY if answered else "",
            answer=answer,
        )
    )
    if answered:
        _log(ground, topic, decided, "objection_denied")


def _task(ground: Ground, topic: Topic, task: Task, number: int) -> None:
    owner = ground.keepers[task.owner % len(ground.keepers)]
    made_at = clock.at(office_day(ground.day, task.made_ago), time(10, 30))
    percent = max((one.percent for one in task.told), default=0)
    moved = TaskState.DONE if percent == 100 else TaskState.DOING
    state = TaskState.DROPPED if task.dropped else moved if task.told else TaskState.OPEN
    ended = made_at + timedelta(days=12) if task.dropped else _at(ground, task.told[-1]) if percent == 100 else None
    made = FollowUp(
        topic_id=topic.id,
        position=number,
        title=task.title,
        words=task.words,
        owner=owner.public_id,
        owner_name=owner.name,
        due_on=ground.day + timedelta(days=task.due),
        percent=percent,
        budget_fen=task.budget * 100,
        spent_fen=sum(one.spent for one in task.told) * 100,
        state=state,
        made_at=made_at,
        ended_at=ended,
        ended_why=task.dropped,
    )
    ground.session.add(made)
    ground.session.flush()
    due = made.due_on.isoformat()
    _log(ground, topic, made_at, "follow_up_made", task=task.title, owner=owner.name, due=due)
    if ended:
        deed = "follow_up_dropped" if task.dropped else "follow_up_done"
        _log(ground, topic, ended, deed, by=BY if task.dropped else owner.name, why=task.dropped, task=task.title)
    for one in task.told:
        ground.session.add(_step(ground, made, one))


def _at(ground: Ground, told: Told) -> datetime:
    return clock.at(office_day(ground.day, told.ago), time(15, 20))


def _step(ground: Ground, task: FollowUp, told: Told) -> FollowUpStep:
    return FollowUpStep(
        task_id=task.id,
        words=told.words,
        percent=told.percent,
        spent_fen=told.spent * 100,
        photo=told.picture,
        photo_words=told.seen,
        at=_at(ground, told),
        by_name=task.owner_name,
    )


def _project(ground: Ground, topic: Topic) -> None:
    """The five steps, as far as they were walked."""
    name, upto, ended_ago, facts, days = PROJECTS[topic.title]
    steps = project_words.STEPS
    walked = steps[: steps.index(upto) + 1]
    opened = clock.at(office_day(ground.day, days[0]), time(11))
    held = {step.value: facts[step] for step in walked}
    ended = clock.at(office_day(ground.day, ended_ago), time(17)) if ended_ago else None
    budget = facts[ProjectStep.DESIGN].get("budget", 0)
    more = {"budget_fen": budget, "opened_at": opened, "opened_by_name": BY, "ended_at": ended}
    ground.session.add(Project(topic_id=topic.id, name=name, step=upto, facts=held, **more))
    _log(ground, topic, opened, "project_opened", name=name)
    for step, ago in zip(walked[1:], days[1:], strict=False):
        at = clock.at(office_day(ground.day, ago), time(11))
        _log(ground, topic, at, "project_moved", name=name, step=step.value)
    if ended:
        _log(ground, topic, ended, "project_ended", name=name)


def _rate(ground: Ground, topic: Topic) -> None:
    scores = [score for score, count in zip(Score, RATED[topic.title], strict=True) for _one in range(count)]
    for number, (who, score) in enumerate(zip(ground.people, scores, strict=False)):
        words = SAID[number // 7] if topic.title == RAMPS and number % 7 == 0 and number < 21 else None
        at = clock.at(ground.day - timedelta(days=number % 5 + 1), time(8 + number % 12, 5))
        ground.session.add(TopicRating(topic_id=topic.id, person_id=who, score=score, words=words, at=at))
