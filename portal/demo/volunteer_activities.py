"""The demonstration's activities: ten kinds with their shifts, two months back and one ahead, and whom they serve."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import calendar
from portal.core.clock import day_bounds, now, today
from portal.places.models import Capacity
from portal.registry.models import Household, Organisation, Person, PersonState, VolunteerTeam
from portal.volunteers.models.activities import Activity, ActivityTemplate, Position, Post, Served, Shift, ShiftBatch
from portal.volunteers.models.codes import ActivityState, Joining, ServiceKind, ShiftState, Task, VolunteerState
from portal.volunteers.models.people import Skill, Volunteer
from portal.volunteers.service.activity_samples import SAMPLES
from portal.volunteers.service.patterns import Pattern, parse_slots

BY, PHONE = "周洁", "13900000021"
BACK, AHEAD = timedelta(days=60), timedelta(days=30)
HERE, SECOND, THIRD = "999901001001", "999901001002", "999901001203"
# sample, community, title
HELD = (
    ("午间送餐", HERE, "春风里午间送餐"),
    ("独居老人探访", HERE, "周二周五看老人"),
    ("陪诊", HERE, "春风里陪诊"),
    ("楼道清洁日", HERE, "周六楼道清洁"),
    ("社区义诊", HERE, "周六义诊"),
    ("防诈宣讲", HERE, "周三防诈宣讲"),
    ("四点半课堂", HERE, "四点半课堂"),
    ("文明交通劝导", HERE, "东门交通劝导"),
    ("智能手机教学", HERE, "周四手机课"),
    ("夜间巡防", HERE, "周末夜间巡防"),
    ("午间送餐", SECOND, "暖心送餐"),
    ("楼道清洁日", THIRD, "村道清洁"),
)
# Whom the shifts serve: of an activity, which task, how many a shift, and what its volunteers must know.
SERVING: dict[str, tuple[Task, int, tuple[str, ...]]] = {
    "春风里午间送餐": (Task.MEAL, 5, ("软饭", "少盐，放门口", "耳背，要大声敲门", "", "饭盒当天收回")),
    "周二周五看老人": (Task.VISIT, 4, ("爱聊天，别赶时间", "", "白天儿子上班", "门铃坏了，敲门")),
    "春风里陪诊": (Task.ESCORT, 2, ("去社区医院复诊，带医保卡", "要坐轮椅")),
}


def build_activities(session: Session, areas: dict[str, Area]) -> None:
    skills = {skill.name: skill for skill in session.scalars(sa.select(Skill).order_by(Skill.id))}
    session.add_all(ActivityTemplate(**sample, updated_by=BY) for sample in SAMPLES)
    samples = {sample["name"]: sample for sample in SAMPLES}
    for turn, (name, code, title) in enumerate(HELD):
        activity = _activity(session, areas[code], samples[name], title, skills, turn)
        _shifts(session, activity, samples[name]["pattern"])
    _draft(session, areas[HERE], skills)
    _called_off(session, areas[HERE], samples["社区义诊"], skills)
    session.flush()
    _serve(session, areas[HERE])
    session.flush()


def _activity(
    session: Session, area: Area, sample: dict[str, Any], title: str, skills: dict[str, Skill], turn: int
) -> Activity:
    facts = dict(sample["facts"]) | {"joining": Joining(sample["facts"]["joining"])}
    made = Activity(
        community_id=area.id,
        title=title,
        kind=sample["kind"],
        leader_name=BY,
        leader_phone=PHONE,
        state=ActivityState.PUBLISHED,
        made_at=now() - BACK - timedelta(days=10),
        published_at=now() - BACK - timedelta(days=9, minutes=turn),
        made_by="",
        made_by_name=BY,
        **facts,
    )
    if made.is_risky:
        made.insurance = "志愿者人身意外伤害险（每人 50 万元）"
        made.insured_until = day_bounds(today() + timedelta(days=200))[1]
    made.positions = [_position(one, skills) for one in sample["positions"]]
    _leads(session, made, turn)
    session.add(made)
    session.flush()
    return made


def _position(one: dict[str, Any], skills: dict[str, Skill]) -> Position:
    made = Position(
        name=one["name"],
        does=one["does"],
        needs=one["needs"],
        least_minutes=one["least_hours"] * 60,
        newcomers=one["newcomers"],
    )
    made.skills = [skills[name] for name in one["skills"] if name in skills]
    return made


def _leads(session: Session, made: Activity, turn: int) -> None:
    """李小红 leads the first; the others a volunteer of the community, some for a team or an organisation."""
    hers = sa.case((Person.name == "李小红", 0), else_=1)
    query = (
        sa.select(Volunteer)
        .join(Volunteer.person)
        .where(Volunteer.community_id == made.community_id, Volunteer.state == VolunteerState.ACTIVE)
        .order_by(hers, Volunteer.id)
        .limit(12)
    )
    known = list(session.scalars(query))
    leader = known[turn % len(known)] if known else None
    if leader is not None:
        made.leader, made.leader_name = leader, leader.person.name
    team = _first(session, VolunteerTeam, made.community_id, turn)
    if team is not None and turn % 3 == 0:
        made.team_id = team.id
    body = _first(session, Organisation, made.community_id, turn)
    if body is not None and turn % 4 == 2:
        made.organisation_id = body.id


def _first(session: Session, model: Any, community_id: int, turn: int) -> Any:
    found = list(session.scalars(sa.select(model).where(model.community_id == community_id).order_by(model.id)))
    return found[turn % len(found)] if found else None


def _shifts(session: Session, activity: Activity, pattern: dict[str, Any]) -> None:
    """Those of the past by themselves, those to come as one batch, as a worker makes them."""
    day = today()
    slots = parse_slots(pattern["slots"])
    weekdays = tuple(pattern["weekdays"])
    past = Pattern(weekdays, slots, day - BACK, day)
    ahead = Pattern(weekdays, slots, day + timedelta(days=1), day + AHEAD)
    free = {special.day for special in calendar.special_days(past.first, ahead.last) if not special.works}
    batch = ShiftBatch(activity_id=activity.id, pattern=ahead.kept(), count=0, made_by_name=BY)
    session.add(batch)
    session.flush()
    for part, kept in ((past, None), (ahead, batch)):
        spans = [span for on in part.days() if on not in free for span in part.spans(on)]
        session.add_all(_shift(activity, *span, kept) for span in spans)
        batch.count = len(spans)


def _shift(activity: Activity, starts_at: datetime, ends_at: datetime, batch: ShiftBatch | None) -> Shift:
    made = Shift(
        activity_id=activity.id,
        community_id=activity.community_id,
        batch_id=batch.id if batch else None,
        starts_at=starts_at,
        ends_at=ends_at,
        state=ShiftState.OPEN,
        secret=secrets.token_urlsafe(32),
    )
    made.posts = [Post(position_id=one.id, capacity=Capacity(total=one.needs, taken=0)) for one in activity.positions]
    return made


def _draft(session: Session, area: Area, skills: dict[str, Skill]) -> None:
    """One that a worker is still writing: what the law asks is missing."""
    made = Activity(
        community_id=area.id,
        title="上门理发",
        kind=ServiceKind.REPAIR,
        content="给出不了门的老人理发，每月一次。",
        place="老人家中（到社区集合）",
        made_by="",
        made_by_name=BY,
    )
    names = {
        "name": "理发师",
        "does": "理发、收拾干净",
        "needs": 2,
        "skills": ["理发"],
        "least_hours": 0,
        "newcomers": 100,
    }
    made.positions = [_position(names, skills)]
    session.add(made)


def _called_off(session: Session, area: Area, sample: dict[str, Any], skills: dict[str, Skill]) -> None:
    made = _activity(session, area, sample, "国医义诊进小区", skills, 1)
    made.state, made.state_reason = ActivityState.CALLED_OFF, "医院当天有急诊任务，改期另行通知"


def _serve(session: Session, area: Area) -> None:
    """Old people of the community, on the shifts of the last and the next days."""
    old = _old(session, area)
    for title, (task, count, needs) in SERVING.items():
        query = (
            sa.select(Shift)
            .join(Shift.activity)
            .where(
                Activity.title == title,
                Shift.starts_at > day_bounds(today() - timedelta(days=14))[0],
                Shift.starts_at < day_bounds(today() + timedelta(days=7))[1],
            )
            .order_by(Shift.starts_at, Shift.id)
        )
        for shift in session.scalars(query):
            session.add_all(_served(shift, person, task, words) for person, words in _some(old, count, needs))


def _some(old: Sequence[Person], count: int, needs: tuple[str, ...]) -> list[tuple[Person, str]]:
    return [(person, needs[turn % len(needs)]) for turn, person in enumerate(old[:count])]


def _served(shift: Shift, person: Person, task: Task, words: str) -> Served:
    return Served(shift_id=shift.id, person_id=person.id, task=task, needs=words or None, added_by_name=BY)


def _old(session: Session, area: Area) -> list[Person]:
    """Those of 75 and more with a home, 王秀英 first."""
    born: date = today() - timedelta(days=75 * 365)
    query = (
        sa.select(Person)
        .join(Household, Person.household_id == Household.id)
        .where(
            Person.community_id == area.id,
            Person.state == PersonState.PRESENT,
            Person.merged_into_id.is_(None),
            sa.or_(Person.birth_date < born, Person.name == "王秀英"),
            Household.dwelling_id.is_not(None),
        )
        .order_by(sa.case((Person.name == "王秀英", 0), else_=1), Person.id)
        .limit(8)
    )
    return list(session.scalars(query))
