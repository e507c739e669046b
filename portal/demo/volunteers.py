"""The demonstration's volunteers: some sixty people of the street, with skills, free times, training and pairs."""

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock, ids
from portal.core.clock import now, today
from portal.identity.models import Account
from portal.registry.models import (
    Claim,
    Facility,
    FacilityKind,
    Person,
    PersonState,
    PersonTag,
    TagKind,
    TeamMember,
    VolunteerTeam,
)
from portal.volunteers.models.codes import ConsentWay, ServiceKind, VolunteerState
from portal.volunteers.models.people import (
    Absence,
    Award,
    FreeTime,
    GuardianConsent,
    Pair,
    Skill,
    Station,
    TeamWish,
    Training,
    Volunteer,
    VolunteerSkill,
)

# name, whether a worker must have seen a proof
SKILLS = (
    ("急救", True),
    ("健康证", True),
    ("心理疏导", True),
    ("医护资格", True),
    ("电工", True),
    ("驾驶", True),
    ("理发", False),
    ("手机教学", False),
    ("书法", False),
    ("摄影", False),
    ("方言沟通", False),
    ("手语", True),
    ("广场舞领队", False),
)
# Which kinds go with which skills, roughly as people choose them.
LEANINGS: tuple[tuple[tuple[ServiceKind, ...], tuple[str, ...]], ...] = (
    ((ServiceKind.MEALS, ServiceKind.VISITING), ("健康证", "方言沟通")),
    ((ServiceKind.MEALS,), ("健康证",)),
    ((ServiceKind.ESCORT, ServiceKind.VISITING), ("急救", "驾驶")),
    ((ServiceKind.CHILDREN, ServiceKind.TEACHING), ("书法",)),
    ((ServiceKind.DIGITAL,), ("手机教学",)),
    ((ServiceKind.ENVIRONMENT, ServiceKind.ORDER), ()),
    ((ServiceKind.CULTURE,), ("摄影", "广场舞领队")),
    ((ServiceKind.REPAIR,), ("电工",)),
    ((ServiceKind.HEALTH,), ("急救", "医护资格")),
    ((ServiceKind.OTHER, ServiceKind.VISITING), ("理发",)),
)
PATTERNS: tuple[tuple[tuple[int, time, time], ...], ...] = (
    tuple((day, time(8), time(12)) for day in range(5)),
    tuple((day, time(9), time(17)) for day in range(7)),
    ((5, time(8), time(18)), (6, time(8), time(18))),
    tuple((day, time(10), time(13, 30)) for day in (1, 3, 4)),
    tuple((day, time(14), time(18)) for day in (0, 2, 4)),
    tuple((day, time(18, 30), time(21)) for day in range(5)),
    (),
)
WORDS = ("", "", "", "腿脚还利索，愿意多走动", "只能在本小区", "会开车，可以接送", "退休教师", "周末最方便")
OTHERS = {"999901001001": 34, "999901001002": 14, "999901001203": 10}
# 王秀英 is looked after, and no volunteer: her page says how to become one.
NEVER, ALWAYS = "王秀英", "李小红"


def build_volunteers(session: Session, areas: dict[str, Area]) -> None:
    source = random.Random(20260601)
    skills = [Skill(name=name, needs_proof=needs) for name, needs in SKILLS]
    session.add_all(skills)
    session.flush()
    known = {skill.name: skill for skill in skills}
    for code, count in OTHERS.items():
        people = _adults(session, areas[code].id, count)
        made = [_volunteer(session, person, known, source) for person in people]
        session.flush()
        _life(session, made, source)
    _young(session, areas["999901001001"].id, known, source)
    _stations(session, [areas[code].id for code in OTHERS])
    _team(session, areas["999901001001"].id)
    session.flush()


def _stations(session: Session, communities: Sequence[int]) -> None:
    """Each community's service centre."""
    query = sa.select(Facility).where(
        Facility.community_id.in_(communities), Facility.kind == FacilityKind.SERVICE_CENTRE
    )
    for facility in session.scalars(query.order_by(Facility.id)).all():
        session.add(
            Station(
                facility_id=facility.id,
                words="收集需求、招募培训、组织活动、记录服务",
                opened_on=date(2024, 3, 5),
                set_by_name="周洁",
            )
        )


def _team(session: Session, community: int) -> None:
    """李小红 leads a team; two neighbours wish to be in it."""
    team = session.scalars(
        sa.select(VolunteerTeam).where(VolunteerTeam.community_id == community).order_by(VolunteerTeam.id).limit(1)
    ).one()
    leader = session.scalars(sa.select(Person.id).where(Person.name == ALWAYS).order_by(Person.id).limit(1)).one()
    held = sa.select(TeamMember.person_id).where(TeamMember.team_id == team.id)
    if leader not in set(session.scalars(held)):
        session.add(TeamMember(team_id=team.id, person_id=leader, since=today() - timedelta(days=300)))
    team.leader_id = leader
    others = sa.select(Volunteer).where(
        Volunteer.community_id == community,
        Volunteer.state == VolunteerState.ACTIVE,
        Volunteer.person_id.not_in(held),
        Volunteer.person_id != leader,
    )
    for turn, one in enumerate(session.scalars(others.order_by(Volunteer.id).limit(2)).all()):
        asked = now() - timedelta(hours=5 + 20 * turn)
        session.add(TeamWish(team_id=team.id, volunteer_id=one.id, words=("会骑三轮车", "")[turn], asked_at=asked))


def _adults(session: Session, community: int, count: int) -> list[Person]:
    """Members of the volunteer teams and, of the rest, those of an age to help; 李小红 among the first."""
    day = today()
    teams = sa.select(TeamMember.person_id)
    looked_after = sa.select(PersonTag.person_id).where(
        PersonTag.kind.in_([TagKind.DISABLED, TagKind.DISABLED_ELDER, TagKind.SEVERELY_DISABLED])
    )
    query = sa.select(Person).where(
        Person.community_id == community,
        Person.state == PersonState.PRESENT,
        Person.merged_into_id.is_(None),
        Person.name != NEVER,
        Person.birth_date.between(day - timedelta(days=74 * 365), day - timedelta(days=20 * 365)),
        Person.phone_index.is_not(None),
        sa.or_(Person.id.not_in(looked_after), Person.id.in_(teams)),
    )
    first = sa.case((Person.name == ALWAYS, 0), (Person.id.in_(teams), 1), else_=2)
    # Every seventh, so that not one building alone helps.
    return list(session.scalars(query.order_by(first, Person.id % 7, Person.id).limit(count)))


def _volunteer(session: Session, person: Person, known: dict[str, Skill], source: random.Random) -> Volunteer:
    kinds, names = source.choice(LEANINGS)
    since = _moment(today() - timedelta(days=source.randint(20, 900)), source)
    claimed = session.scalar(
        sa.select(Account.public_id).join(Claim, Claim.account_id == Account.id).where(Claim.person_id == person.id)
    )
    made = Volunteer(
        number=ids.short_code(10),
        person_id=person.id,
        community_id=person.community_id,
        state=VolunteerState.ACTIVE,
        state_at=since,
        agreed_at=since,
        registered_at=since,
        registered_by=claimed or "",
        kinds=[kind.value for kind in kinds],
        words=source.choice(WORDS),
        week_hours=source.choice((0, 0, 4, 6, 8, 10)),
        shows_name=source.random() < 0.4,
        outer_number=f"3301{source.randint(10**8, 10**9 - 1)}" if source.random() < 0.3 else "",
    )
    made.skills = [_skill(known[name], since, source) for name in names]
    made.times = [FreeTime(weekday=day, opens=a, closes=b) for day, a, b in source.choice(PATTERNS)]
    session.add(made)
    return made


def _skill(skill: Skill, since: datetime, source: random.Random) -> VolunteerSkill:
    if not skill.needs_proof or source.random() < 0.2:
        return VolunteerSkill(skill_id=skill.id)
    until = today() + timedelta(days=source.choice((-20, 25, 200, 600, 900)))
    return VolunteerSkill(
        skill_id=skill.id, proof=f"{skill.name}证书原件", proven_at=since, proven_by="周洁", valid_to=until
    )


def _moment(day: date, source: random.Random) -> datetime:
    return clock.at(day, time(source.randint(8, 17), source.choice((0, 10, 25, 40))))


def _life(session: Session, made: Sequence[Volunteer], source: random.Random) -> None:
    """What happened to them: two wait, one paused, one is barred; training, awards, absences and pairs."""
    day, moment = today(), now()
    made[-1].state, made[-1].state_at = VolunteerState.APPLIED, moment - timedelta(hours=20)
    made[-2].state, made[-2].state_at = VolunteerState.PAUSED, moment - timedelta(days=12)
    made[-2].state_reason = "照顾刚出生的孙女"
    if len(made) > 20:
        made[-3].state, made[-3].state_reason = VolunteerState.BARRED, "三次报名没来，也没有请假"
        made[-3].barred_until = day + timedelta(days=60)
        made[-4].state, made[-4].state_at = VolunteerState.APPLIED, moment - timedelta(days=2)
    for turn, one in enumerate(made):
        if turn % 3:
            session.add(_training(one, "志愿服务通用培训", "守则、礼仪、个人信息保护、安全", 120, 200 + turn))
        if turn % 4 == 1:
            session.add(_training(one, "助餐配送培训", "食品安全、送餐礼仪、老人异常情况上报", 90, 90 + turn))
        if turn % 9 == 2:
            given = Award(volunteer_id=one.id, name="优秀志愿者", given_by="春晖街道办事处", noted_by="周洁")
            given.given_on = date(day.year - 1, 12, 5)
            session.add(given)
        if source.random() < 0.12:
            start = day + timedelta(days=source.randint(1, 20))
            one.absences.append(Absence(first_day=start, last_day=start + timedelta(days=source.randint(2, 9))))
    for turn in range(1, min(9, len(made) - 5), 3):
        first, second = sorted((made[turn].id, made[turn + 1].id))
        session.add(Pair(one_id=first, other_id=second, always=turn == 1, made_by="周洁"))


def _training(volunteer: Volunteer, name: str, content: str, minutes: int, back: int) -> Training:
    return Training(
        volunteer_id=volunteer.id,
        name=name,
        content=content,
        minutes=minutes,
        held_by="春晖街道社工站",
        held_on=today() - timedelta(days=back),
        noted_by="周洁",
    )


def _young(session: Session, community: int, known: dict[str, Skill], source: random.Random) -> None:
    """Three between 12 and 17: a guardian of two agreed, of one on paper; the third waits."""
    day = today()
    query = sa.select(Person).where(
        Person.community_id == community,
        Person.state == PersonState.PRESENT,
        Person.merged_into_id.is_(None),
        Person.birth_date.between(day - timedelta(days=17 * 365), day - timedelta(days=12 * 365)),
    )
    for turn, child in enumerate(session.scalars(query.order_by(Person.id).limit(3)).all()):
        made = _volunteer(session, child, known, source)
        made.kinds, made.skills, made.words = [ServiceKind.ENVIRONMENT.value, ServiceKind.DIGITAL.value], [], ""
        made.times = [FreeTime(weekday=day, opens=time(9), closes=time(17)) for day in (5, 6)]
        session.flush()
        if turn == 2:
            made.state, made.state_at = VolunteerState.APPLIED, now() - timedelta(days=1)
            continue
        session.add(
            GuardianConsent(
                volunteer_id=made.id,
                guardian_id=child.guardian_id,
                guardian_name=f"{child.name[0]}女士",
                relation="母亲",
                way=ConsentWay.PAPER,
                comes_along=turn == 0,
                given_at=made.agreed_at,
                given_by="",
            )
        )
