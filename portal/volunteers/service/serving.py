"""Whom a shift serves: picked by a worker, shown to its volunteers for a short time, each showing on the record."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Building, Dwelling
from portal.core import audit, outbox, settings
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.web import moment_words
from portal.registry.models import Household, Person
from portal.registry.service import people
from portal.volunteers.models.activities import Served, Shift
from portal.volunteers.models.codes import ShiftState, SignupState, Task, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import hours, leading
from portal.volunteers.service import people as volunteers

BEFORE = "volunteers.served_hours"
settings.declare(
    BEFORE,
    default=24,
    label=lambda: _("志愿者提前多久能看到服务对象"),
    unit=lambda: _("小时"),
    least=1,
    most=168,
)
# Who is only asking for a place, or did not come, sees nobody.
ON_IT = (SignupState.JOINED, SignupState.PRESENT, SignupState.DONE)
# How somebody came whom a worker or leader looked at.
_KNOWN = frozenset({Way.APPROVED, Way.WORKER, Way.LEADER, Way.PLAN, Way.INVITED})


@dataclass(frozen=True)
class Shown:
    """What a volunteer sees of somebody: name, address, task and what it needs; nothing more leaves the register."""

    public_id: str
    name: str
    address: str
    task: Task
    needs: str
    done_at: datetime | None


def _home() -> sa.orm.interfaces.ORMOption:
    dwelling = joinedload(Served.person).joinedload(Person.household).joinedload(Household.dwelling)
    return dwelling.joinedload(Dwelling.building).joinedload(Building.estate)


def served_by(shift: Shift) -> list[Served]:
    """Everybody a shift serves, in the order of adding."""
    query = sa.select(Served).where(Served.shift_id == shift.id)
    query = query.options(_home(), joinedload(Served.volunteer).joinedload(Volunteer.person))
    return list(db.session.scalars(query.order_by(Served.id)))


def served_in(within: Collection[Scope], public_id: str) -> Served:
    """One of them for a worker; Missing out of scope."""
    query = (
        sa.select(Served)
        .join(Served.shift)
        .where(Served.public_id == public_id, Shift.community_id.in_(areas.touched(within)))
        .options(_home(), joinedload(Served.shift).joinedload(Shift.activity))
    )
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def on_shift(shift: Shift) -> list[Volunteer]:
    """The volunteers who have a place on a shift: who may be sent to somebody."""
    query = (
        sa.select(Volunteer)
        .join(Signup, Signup.volunteer_id == Volunteer.id)
        .where(Signup.shift_id == shift.id, Signup.state.in_(ON_IT))
        .options(joinedload(Volunteer.person))
        .order_by(Signup.id)
    )
    return list(db.session.scalars(query))


def add(shift: Shift, person: Person, task: Task, needs: str, *, by: Actor, volunteer_id: int | None = None) -> Served:
    """Let a shift serve somebody of the worker's scope."""
    _still_to_come(shift)
    if not people.is_served(person):
        raise Refused(_("%(name)s已登记为去世，不能再安排服务。登记有误请先更正。", name=person.name))
    made = Served(shift_id=shift.id, person_id=person.id, task=task, needs=needs or None, added_by_name=by.name)
    _assign(made, shift, volunteer_id)
    with unique_or(Refused(_("%(name)s已经在这个班次的名单里，不用再加。", name=person.name), field="task")):
        db.session.add(made)
    audit.record("volunteers.served_added", made, on_behalf_of=person.public_id, task=task.value)
    return made


def change(served: Served, task: Task, needs: str, *, by: Actor, volunteer_id: int | None) -> None:
    _still_to_come(served.shift)
    with unique_or(Refused(_("这件事已经在名单里，不用再加。"), field="task")):
        served.task, served.needs = task, needs or None
        _assign(served, served.shift, volunteer_id)
    audit.record("volunteers.served_changed", served, on_behalf_of=served.person.public_id, by=by.name)


def _still_to_come(shift: Shift) -> None:
    if shift.state is ShiftState.CALLED_OFF or shift.ends_at <= now():
        raise Refused(_("这个班次已经结束或取消，不能再改服务对象。"))


def _assign(served: Served, shift: Shift, volunteer_id: int | None) -> None:
    if volunteer_id is not None and volunteer_id not in {one.id for one in on_shift(shift)}:
        raise Refused(_("这位志愿者不在这个班次上，请从班上的人里选。"), field="volunteer")
    served.volunteer_id = volunteer_id


def let_go(signup: Signup) -> None:
    """Whom somebody was to go to who is not on the shift any more, the others on it see again; what was done stays."""
    hers = sa.and_(Served.shift_id == signup.shift_id, Served.volunteer_id == signup.volunteer_id)
    freed = sa.update(Served).where(hers, Served.done_at.is_(None)).values(volunteer_id=None)
    db.session.execute(freed)


def tell_called_off(shift: Shift, *, reason: str) -> None:
    """Whom nobody will come to: each person once, whatever was to be done there."""
    query = sa.select(Served).where(Served.shift_id == shift.id, Served.done_at.is_(None))
    told: set[int] = set()
    for one in db.session.scalars(query.options(joinedload(Served.person)).order_by(Served.id)):
        person = people.resolved(one.person)
        if person.id in told or not people.is_served(person):
            continue
        told.add(person.id)
        activity = shift.activity
        facts = {"starts": shift.starts_at.isoformat(), "ends": shift.ends_at.isoformat(), "reason": reason}
        facts |= {"leader": activity.leader_name, "phone": activity.leader_phone or ""}
        outbox.enqueue(
            "volunteers.served_called_off", to=person.ref, person=person.name, activity=activity.title, **facts
        )


def drop(served: Served, reason: str, *, by: Actor) -> None:
    """Take somebody off the list of a shift; what was done stays."""
    if served.done_at is not None:
        raise Refused(_("已经服务过了，要留作记录，不能从名单去掉。"))
    audit.record("volunteers.served_dropped", served, reason=reason, on_behalf_of=served.person.public_id, by=by.name)
    db.session.delete(served)


def own_shift(actor: Actor, public_id: str) -> tuple[Shift, Volunteer]:
    """A shift that the reader has a place on, and as whom; Missing for everybody else."""
    person = people.person_of_or_none(actor, lean=True)
    mine = volunteers.volunteer_of(person) if person else None
    query = (
        sa.select(Shift)
        .join(Signup, Signup.shift_id == Shift.id)
        .where(
            Shift.public_id == public_id,
            Signup.volunteer_id == (mine.id if mine else 0),
            Signup.state.in_(ON_IT),
        )
        .options(joinedload(Shift.activity))
    )
    found = db.session.scalar(query)
    if found is None or mine is None:
        raise Missing
    return found, mine


def opens_at(shift: Shift) -> datetime:
    return shift.starts_at - timedelta(hours=settings.get(BEFORE))


def why_hidden(shift: Shift, at: datetime) -> str:
    """Why nobody is shown at a moment; "" while they are."""
    if shift.state is ShiftState.CALLED_OFF:
        return _("班次已经取消，服务对象的信息不再显示。")
    if at < opens_at(shift):
        return _("为保护服务对象，%(when)s 起才能看。", when=moment_words(opens_at(shift)))
    if at >= shift.ends_at:
        return _("班次已经结束，服务对象的信息不再显示。有情况要反映，请联系社区。")
    return ""


def may_be_done(shift: Shift, at: datetime) -> bool:
    """She is shown whom she goes to a day before; that somebody was seen to is true only once she may be there."""
    return at >= hours.opens_at(shift)


def count_for(shift: Shift, volunteer: Volunteer) -> int:
    """How many a volunteer has to see to on a shift: a number tells nobody's name."""
    query = sa.select(sa.func.count()).select_from(Served).where(Served.shift_id == shift.id, _hers(shift, volunteer))
    return db.session.scalar(query) or 0


def waits_for_yes(shift: Shift, volunteer: Volunteer) -> bool:
    """Whether the shift serves people whom she is not shown because nobody has confirmed her yet."""
    if is_confirmed(shift, volunteer):
        return False
    query = sa.select(Served.id).where(Served.shift_id == shift.id, Served.volunteer_id.is_(None))
    return db.session.scalar(query.limit(1)) is not None


def is_confirmed(shift: Shift, volunteer: Volunteer) -> bool:
    """Whether a worker or leader knows her on this shift: put her there, or said yes to her request; or she leads it
    herself. Who joined by a tap where everybody may is shown only those a worker sent her to by name, also when the
    activity asks for a yes since.
    """
    query = sa.select(Signup.way).where(
        Signup.shift_id == shift.id, Signup.volunteer_id == volunteer.id, Signup.state.in_(ON_IT)
    )
    way = db.session.scalar(query.limit(1))
    return way in _KNOWN or (way is not None and leading.leads(shift, volunteer.person))


def _hers(shift: Shift, volunteer: Volunteer) -> sa.ColumnElement[bool]:
    """Those she is sent to, and, where she is confirmed, those nobody is sent to yet."""
    sent = Served.volunteer_id == volunteer.id
    return sa.or_(sent, Served.volunteer_id.is_(None)) if is_confirmed(shift, volunteer) else sent


def show(shift: Shift, volunteer: Volunteer) -> list[Shown]:
    """Show a volunteer whom she serves; each of them finds it under 谁看过我的信息."""
    hidden = why_hidden(shift, now())
    if hidden:
        raise Refused(hidden)
    query = sa.select(Served).where(Served.shift_id == shift.id, _hers(shift, volunteer)).options(_home())
    found = []
    for one in db.session.scalars(query.order_by(Served.id)):
        person = people.resolved(one.person)
        if people.is_served(person):
            audit.record("volunteers.served_shown", person, reason=shift.activity.title, task=one.task.value)
            found.append(_shown(one, person))
    return found


def _shown(one: Served, person: Person) -> Shown:
    dwelling = person.household.dwelling if person.household else None
    address = dwelling.address() if dwelling else ""
    return Shown(one.public_id, person.name, address, one.task, one.needs or "", one.done_at)


def finish(actor: Actor, public_id: str, words: str) -> Served:
    """A volunteer says that it is done, and how; on the shift's own time."""
    query = sa.select(Served).where(Served.public_id == public_id).options(joinedload(Served.shift))
    served = db.session.scalar(query)
    if served is None:
        raise Missing
    shift, mine = own_shift(actor, served.shift.public_id)
    if served.volunteer_id != mine.id and (served.volunteer_id is not None or not is_confirmed(shift, mine)):
        raise Missing
    hidden = why_hidden(shift, now())
    if hidden:
        raise Refused(hidden)
    if not may_be_done(shift, now()):
        raise Refused(_("还没到这一班的时间，去过了再登记完成。"))
    if served.done_at is not None:
        raise Refused(_("这一位已经登记完成了。"))
    served.volunteer_id, served.done_at, served.done_words = mine.id, now(), words or None
    audit.record("volunteers.served_done", served, on_behalf_of=served.person.public_id)
    return served
