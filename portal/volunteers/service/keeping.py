"""Keeping activities: what a worker says of one, written, changed, published, ended. Calling off is calling_off's."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import day_bounds, local, now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Refused
from portal.places import service as places
from portal.registry.models import Facility, Organisation, VolunteerTeam
from portal.volunteers.models.activities import Activity, Position, Post, Shift
from portal.volunteers.models.codes import ACTIVITY_MOVES, ActivityState, Joining, ServiceKind, ShiftState
from portal.volunteers.models.people import Skill, Volunteer
from portal.volunteers.models.signups import Invitation, PairAsk, Signup
from portal.volunteers.service import activities, activity_telling, guards

PLAIN = (
    *("title", "kind", "content", "place", "facility_id", "organisation_id", "team_id", "leader_name", "leader_phone"),
    *("conditions", "risks", "is_risky", "insurance", "joining", "members_only", "least_age", "most_age"),
    *("opens_days", "leave_hours", "late_minutes", "day_minutes", "factor"),
)


@dataclass(frozen=True)
class PositionFacts:
    """What a worker says of a position; `id` is that of the position it changes, 0 for a new one."""

    name: str
    needs: int
    id: int = 0
    does: str = ""
    skills: tuple[int, ...] = ()
    least_hours: int = 0
    newcomers: int = 100


@dataclass(frozen=True)
class Facts:
    """What a worker says of an activity; `insured_day` is the last insured day, `leader` a volunteer's number."""

    title: str
    kind: ServiceKind
    content: str
    place: str
    positions: tuple[PositionFacts, ...]
    facility_id: int | None = None
    organisation_id: int | None = None
    team_id: int | None = None
    leader: str = ""
    leader_name: str = ""
    leader_phone: str | None = None
    conditions: str = ""
    risks: str = ""
    is_risky: bool = False
    insurance: str = ""
    insured_day: date | None = None
    joining: Joining = Joining.OPEN
    members_only: bool = False
    least_age: int = 18
    most_age: int | None = None
    opens_days: int = 30
    leave_hours: int = 24
    late_minutes: int = 0
    day_minutes: int = 0
    factor: int = 100


def add(community: Area, facts: Facts, *, by: Actor) -> Activity:
    """A draft of a community."""
    made = Activity(community_id=community.id, community=community, made_by=by.public_id, made_by_name=by.name)
    _write(made, facts)
    db.session.add(made)
    _positions(made, facts.positions, [])
    audit.record("volunteers.activity_added", made, name=made.title, positions=len(made.positions))
    return made


def change(activity: Activity, facts: Facts, *, by: Actor) -> list[str]:
    """Write what is new; return the fields that changed. What is published must keep what the law asks."""
    if activity.state in (ActivityState.CALLED_OFF, ActivityState.ENDED):
        raise Refused(_("这个活动已经结束或取消，不能再改。需要的话请新建一个。"))
    before = _said(activity)
    _write(activity, facts)
    _positions(activity, facts.positions, coming(activity))
    after = _said(activity)
    changed = [name for name in after if after[name] != before[name]]
    told = 0
    if activity.state is ActivityState.PUBLISHED:
        guards.check(activity, last_end(activity))
        told = activity_telling.tell_activity(activity, changed)
    audit.record("volunteers.activity_changed", activity, name=activity.title, fields=changed, told=told, by=by.name)
    return changed


def _said(activity: Activity) -> dict[str, object]:
    told = {name: getattr(activity, name) for name in (*PLAIN, "leader_id", "insured_until")}
    lines = [
        (one.name, one.does, one.needs, one.least_minutes, one.newcomers, *(skill.id for skill in one.skills))
        for one in activity.positions
    ]
    return told | {"positions": lines}


def _write(activity: Activity, facts: Facts) -> None:
    _check(activity.community_id, facts)
    for name in PLAIN:
        setattr(activity, name, getattr(facts, name))
    activity.insured_until = day_bounds(facts.insured_day)[1] if facts.insured_day else None
    _lead(activity, facts)
    activity.updated_at = now()


def _check(community_id: int, facts: Facts) -> None:
    if facts.most_age is not None and facts.most_age < facts.least_age:
        raise Refused(_("最大年龄不能小于最小年龄。"), field="most_age")
    if facts.members_only and facts.team_id is None:
        raise Refused(_("只限队员报名，要先选是哪支志愿队。"), field="team")
    if len({one.name for one in facts.positions}) < len(facts.positions):
        raise Refused(_("有两个岗位同名，请改一个名字。"), field="positions")
    for model, chosen, field in (
        (Facility, facts.facility_id, "facility"),
        (Organisation, facts.organisation_id, "organisation"),
        (VolunteerTeam, facts.team_id, "team"),
    ):
        _owned(model, chosen, community_id, field)


def _owned(
    model: type[Facility | Organisation | VolunteerTeam], chosen: int | None, community_id: int, field: str
) -> None:
    """What is chosen is the community's own."""
    if chosen is None:
        return
    if db.session.scalar(sa.select(model.community_id).where(model.id == chosen)) != community_id:
        raise Refused(_("请从列出的里面选。"), field=field)


def _lead(activity: Activity, facts: Facts) -> None:
    """A volunteer who leads is named by her number."""
    if not facts.leader:
        activity.leader = None
        return
    query = sa.select(Volunteer).where(Volunteer.number == facts.leader).options(joinedload(Volunteer.person))
    leader = db.session.scalar(query)
    if leader is None or not leader.helps(today()):
        raise Refused(_("没有找到这个编号的在册志愿者，请核对编号，或只填姓名和电话。"), field="leader")
    activity.leader = leader
    activity.leader_name = facts.leader_name or leader.person.name


def _positions(activity: Activity, wanted: Collection[PositionFacts], shifts: Collection[Shift]) -> None:
    """Positions as they are wanted now, and the posts of the coming shifts with them."""
    known = {one.id: one for one in activity.positions}
    kept = {facts.id for facts in wanted if facts.id in known}
    for gone in [held for number, held in known.items() if number not in kept]:
        _drop(activity, gone)
    skills = {skill.id: skill for skill in db.session.scalars(sa.select(Skill).order_by(Skill.id))}
    for facts in wanted:
        one = known.get(facts.id)
        if one is None:
            one = _filled(Position(), facts, skills)
            activity.positions.append(one)
            _add_posts(one, shifts)
        else:
            _resize(one, facts.needs, shifts)
            _filled(one, facts, skills)
    with unique_or(Refused(_("有两个岗位同名，请改一个名字。"), field="positions")):
        db.session.flush()


def _filled(position: Position, facts: PositionFacts, skills: Mapping[int, Skill]) -> Position:
    position.name, position.does, position.newcomers = facts.name, facts.does, facts.newcomers
    position.needs, position.least_minutes = facts.needs, facts.least_hours * 60
    position.skills = [skills[number] for number in facts.skills if number in skills]
    return position


def _drop(activity: Activity, position: Position) -> None:
    """A position that somebody was ever on or asked to stays, for the records' sake."""
    posts = list(db.session.scalars(sa.select(Post).where(Post.position_id == position.id).order_by(Post.capacity_id)))
    for post in posts:
        places.hold(post.capacity_id)
    if places.lined([post.capacity_id for post in posts]) or _was_used([post.id for post in posts]):
        words = _(
            "“%(name)s”已经有人报过名或受过邀请，不能去掉；不再需要的话，请把以后的班次取消。",
            name=position.name,
        )
        raise Refused(words, field="positions")
    for post in posts:
        db.session.delete(post)
    db.session.flush()
    activity.positions.remove(position)


def _was_used(post_ids: Collection[int]) -> bool:
    """Whether somebody was ever on one of some posts, or asked to."""
    columns = (Signup.post_id, Invitation.post_id, PairAsk.post_id)
    found = [sa.select(sa.literal(1)).where(column.in_(post_ids)).limit(1) for column in columns]
    return any(db.session.scalar(query) is not None for query in found)


def _resize(position: Position, needs: int, shifts: Collection[Shift]) -> None:
    """Coming shifts that need as many as the position did need the new number; those set by hand keep theirs."""
    if needs == position.needs:
        return
    for shift in shifts:
        for post in shift.posts:
            if post.position_id == position.id and post.capacity.total == position.needs:
                resize(shift, post, needs, field="positions")


def resize(shift: Shift, post: Post, needs: int, *, field: str) -> None:
    """Another number of people on a post, never fewer than are on it."""
    if needs < post.capacity.taken:
        words = _(
            "%(day)s 的“%(name)s”已经有 %(taken)d 人，不能减到 %(needs)d 人。请先请人退出，或保持不变。",
            day=f"{local(shift.starts_at):%m-%d %H:%M}",
            name=post.position.name,
            taken=post.capacity.taken,
            needs=needs,
        )
        raise Refused(words, field=field)
    places.resize(post.capacity_id, needs, field=field)


def _add_posts(position: Position, shifts: Collection[Shift]) -> None:
    for shift in shifts:
        shift.posts.append(activities.new_post(position, position.needs))


def coming(activity: Activity) -> list[Shift]:
    """The shifts that have not begun and were not called off."""
    found = activities.shifts_of(activity, since=now(), limit=1000)
    return [one for one in found if one.state is not ShiftState.CALLED_OFF and one.starts_at > now()]


def last_end(activity: Activity) -> datetime | None:
    """When the last shift ends that takes place."""
    query = sa.select(sa.func.max(Shift.ends_at)).where(
        Shift.activity_id == activity.id, Shift.state != ShiftState.CALLED_OFF
    )
    return db.session.scalar(query)


def publish(activity: Activity, *, by: Actor) -> None:
    """Let everybody see it; refused with everything that the law asks and it lacks."""
    guards.check(activity, last_end(activity))
    move(activity, ActivityState.PUBLISHED)
    activity.published_at = activity.published_at or now()
    audit.record("volunteers.activity_published", activity, name=activity.title, by=by.name)


def end(activity: Activity, *, by: Actor) -> None:
    """Nothing more of it comes; its records stay. Coming shifts are called off first, each with its reason."""
    left = len(coming(activity))
    if left:
        words = _("还有 %(count)d 个班次没有开始，请先取消它们，再结束活动。", count=left)
        raise Refused(words)
    move(activity, ActivityState.ENDED)
    audit.record("volunteers.activity_ended", activity, name=activity.title, by=by.name)


def reopen(activity: Activity, *, by: Actor) -> None:
    """Go on with an ended activity."""
    guards.check(activity)
    move(activity, ActivityState.PUBLISHED)
    audit.record("volunteers.activity_reopened", activity, name=activity.title, by=by.name)


def move(activity: Activity, state: ActivityState, reason: str = "") -> None:
    """By a guarded UPDATE: of two who move an activity differently one does."""
    before = [old for old, following in ACTIVITY_MOVES.items() if state in following]
    said = {"state": state, "state_reason": reason, "updated_at": now()}
    where = sa.and_(Activity.id == activity.id, Activity.state.in_(before))
    changed = guarded(sa.update(Activity).where(where).values(**said))
    db.session.refresh(activity, list(said))
    if not changed:
        raise Refused(_("活动现在的状态不能这样做，请刷新看看它现在的样子。"))


def insured_day(activity: Activity) -> date | None:
    """The last insured day, as the form shows it."""
    return local(activity.insured_until - timedelta(seconds=1)).date() if activity.insured_until else None


def choices_of(community: Area) -> tuple[list[Facility], list[Organisation], list[VolunteerTeam]]:
    """What an activity of a community may name: its facilities, organisations and teams that stand."""
    facilities = sa.select(Facility).where(Facility.community_id == community.id, Facility.closed_on.is_(None))
    bodies = sa.select(Organisation).where(Organisation.community_id == community.id, Organisation.closed_on.is_(None))
    teams = sa.select(VolunteerTeam).where(
        VolunteerTeam.community_id == community.id, VolunteerTeam.disbanded_on.is_(None)
    )
    return (
        list(db.session.scalars(facilities.order_by(Facility.name, Facility.id))),
        list(db.session.scalars(bodies.order_by(Organisation.name, Organisation.id))),
        list(db.session.scalars(teams.order_by(VolunteerTeam.name, VolunteerTeam.id))),
    )
