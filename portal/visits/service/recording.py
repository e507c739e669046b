"""Recording a visit: a draft saved as it is typed, the record, or that nobody was met."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock, outbox, settings
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.registry.models import Purpose
from portal.registry.service import consents
from portal.visits.models import (
    OPEN,
    Attempt,
    FindingKind,
    Method,
    Urgency,
    Visit,
    VisitKind,
    VisitPhoto,
    VisitState,
)
from portal.visits.service import checks, planning, referrals, workers

# Whether a record asks who of the family confirms that somebody came. Where they were is never asked.
CONFIRM = "visits.confirmation"
settings.declare(
    CONFIRM,
    default=0,
    label=lambda: _("探访记录里是否可以请本人或家属确认（0 不用，1 用）"),
    unit=lambda: "",
    least=0,
    most=1,
)
# A record is written when the visit is fresh.
OLDEST = timedelta(days=31)
PHOTOS = 6


@dataclass(frozen=True)
class Said:
    """What the form says of a visit. The texts and what follows `urgency` are sealed together."""

    method: Method
    met: bool
    at: datetime
    urgency: Urgency = Urgency.NONE
    findings: tuple[FindingKind, ...] = ()
    finding_note: str = ""
    next_on: date | None = None
    body: str = ""
    mind: str = ""
    daily: str = ""
    hazards: tuple[str, ...] = ()
    home_note: str = ""
    money: str = ""
    family: str = ""
    needs: tuple[str, ...] = ()
    supplies: str = ""
    deeds: tuple[str, ...] = ()
    with_whom: str = ""
    confirmed_by: str = ""
    note: str = ""

    def sealed(self) -> str:
        kept = asdict(self)
        for name in ("method", "met", "at", "urgency", "findings", "next_on"):
            kept.pop(name)
        if not confirming():
            kept.pop("confirmed_by")
        return json.dumps(kept, ensure_ascii=False)


@dataclass(frozen=True)
class Picture:
    """A picture that clean_image() made, taken with the person's consent."""

    data: bytes
    consented: bool


def confirming() -> bool:
    """Whether a record has a place for the name of who confirms it; nobody is made to give one."""
    return settings.get(CONFIRM) == 1


def save_draft(visit: Visit, typed: Mapping[str, Sequence[str]], *, by: Actor) -> bool:
    """Keep what is typed so far; False when the visit has been recorded meanwhile, which wins over a draft."""
    kept = json.dumps({name: list(values) for name, values in typed.items()}, ensure_ascii=False)
    begun = sa.case((Visit.state == VisitState.PLANNED, VisitState.DRAFT.value), else_=Visit.state)
    saved = guarded(
        sa.update(Visit)
        .where(Visit.id == visit.id, Visit.state.in_(OPEN))
        .values(draft=kept, draft_at=now(), draft_by=by.name, state=begun)
    )
    db.session.refresh(visit, ["draft", "draft_at", "draft_by", "state"])
    return saved


def draft_of(visit: Visit) -> dict[str, list[str]]:
    """What was typed so far, by field."""
    kept: dict[str, list[str]] = json.loads(visit.draft) if visit.draft else {}
    return kept


def record_of(visit: Visit) -> dict[str, Any]:
    """The sealed part of a record, by field; empty before the visit is done."""
    kept: dict[str, Any] = json.loads(visit.record) if visit.record else {}
    return kept


def record(visit: Visit, said: Said, *, by: Actor, picture: Picture | None = None) -> Visit:
    """Write a visit down once, and answer it. Who was not met is tried again: not_met() goes on from here.

    What was done on paper in an earlier period, missed meanwhile, counts for that one.
    """
    _check(visit, said, picture)
    if not said.met:
        not_met(visit, said, by=by)
        return visit
    day = clock.local(said.at).date()
    visit = _of_its_time(visit, day)
    _claim(visit, VisitState.DONE)
    visit.method, visit.done_at, visit.urgency, visit.next_on = said.method, said.at, said.urgency, said.next_on
    visit.done_by, visit.done_by_name, visit.done_as = by.public_id, by.name, workers.role_of(by)
    visit.record, visit.draft, visit.draft_at = said.sealed(), None, None
    visit.met_on = day if said.method.confirms else None
    if visit.met_on:
        subject = visit.subject
        if subject.last_met_on is None or subject.last_met_on <= day:
            subject.last_met_on, subject.last_met_by = day, by.name
    if picture:
        consents.said_yes_at_home(visit.person, Purpose.PHOTO, by=by)
        add_photo(visit, picture.data, by=by)
    _cover(visit, day)
    for kind in said.findings:
        referrals.refer(visit, kind, said.urgency, said.finding_note, by=by)
    if said.next_on:
        planning.promise(visit.subject, said.next_on, VisitKind.PROMISED)
    checks.met(visit, day, by=by)
    _tell_if_urgent(visit)
    audit.record("visits.recorded", visit, way=said.method.value, findings=len(said.findings))
    return visit


def _of_its_time(visit: Visit, day: date) -> Visit:
    """The missed visit of the period in which the day lies, where this one is of a later period; else this one.

    What passed before that day is no lateness any more: the running visit's begins with what was missed after it.
    Raise Refused where that period has its visit already: it is entered twice.
    """
    if visit.kind is not VisitKind.ROUTINE or day >= visit.from_on:
        return visit
    routine = sa.select(Visit).where(Visit.subject_id == visit.subject_id, Visit.kind == VisitKind.ROUTINE)
    missed, done = (routine.where(Visit.state == state) for state in (VisitState.MISSED, VisitState.DONE))
    found, entered = (
        db.session.scalars(
            query.where(Visit.from_on <= day, Visit.due_on >= day).order_by(Visit.due_on, Visit.id).limit(1)
        ).first()
        for query in (missed, done)
    )
    if found is None and entered is not None:
        raise Refused(_already(entered), field="at")
    if found is None:
        return visit
    later = missed.where(Visit.due_on > found.due_on, Visit.due_on < visit.from_on).order_by(Visit.due_on, Visit.id)
    next_missed = db.session.scalars(later.limit(1)).first()
    visit.late_since = next_missed.due_on + timedelta(days=1) if next_missed else None
    visit.draft, visit.draft_at = None, None
    if visit.state is VisitState.DRAFT:
        visit.move(VisitState.PLANNED)
    db.session.flush()
    return found


def _check(visit: Visit, said: Said, picture: Picture | None) -> None:
    """What one field alone cannot know."""
    today = clock.today()
    wrong = [
        (visit.state is VisitState.DONE, "", _already(visit)),
        (visit.state not in OPEN, "", _("这次探访已经取消或过期，不用再记录。请回到列表看看。")),
        (visit.from_on > today, "", _("这是以后的探访，还没到时候。请从列表里选这一次的。")),
        (said.at > now() + timedelta(minutes=5), "at", _("探访时间不能晚于现在。")),
        (said.at < now() - OLDEST, "at", _("只能补记一个月以内的探访。")),
        (said.next_on is not None and said.next_on <= today, "next_on", _("下次探访的日期最早是明天。")),
        (picture is not None and not picture.consented, "photo_consent", _("拍照要先问本人，同意了请打勾。")),
        (
            picture is not None and consents.refuses(visit.person, purpose=Purpose.PHOTO),
            "photo",
            _("这位居民在同意管理里撤回了拍照的同意，请去掉照片再保存。"),
        ),
        (bool(said.findings) and said.urgency is Urgency.NONE, "urgency", _("发现了问题，请选紧急程度。")),
        (
            FindingKind.OTHER in said.findings and not said.finding_note.strip(),
            "finding_note",
            _("选了“其他”，请写明是什么问题。"),
        ),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)


def _already(visit: Visit) -> str:
    if visit.done_at is None:
        return ""
    at = f"{clock.local(visit.done_at):%m-%d %H:%M}"
    return _("%(name)s已经记录了这次探访（%(at)s），不用再记。", name=visit.done_by_name, at=at)


def _claim(visit: Visit, state: VisitState) -> None:
    """Of two who record at once one wins."""
    standing = (*OPEN, VisitState.MISSED) if state is VisitState.DONE else OPEN
    won = guarded(sa.update(Visit).where(Visit.id == visit.id, Visit.state.in_(standing)).values(state=state))
    if not won:
        db.session.refresh(visit)
        raise Refused(_already(visit) or _("这次探访已经取消或过期，不用再记录。请回到列表看看。"))
    db.session.refresh(visit, ["state"])


def _cover(visit: Visit, day: date) -> None:
    """A visit does for the routine of its time too: nobody is visited twice for one promise. Rounds are extra."""
    query = sa.select(Visit).where(
        Visit.subject_id == visit.subject_id,
        Visit.id != visit.id,
        Visit.state.in_(OPEN),
        sa.or_(
            sa.and_(Visit.kind == VisitKind.ROUTINE, Visit.from_on <= day),
            sa.and_(Visit.kind.in_([VisitKind.SOON, VisitKind.SAFETY]), Visit.due_on <= day),
        ),
    )
    for other in db.session.scalars(query.order_by(Visit.id)):
        late = other.due_on < day
        other.move(*((VisitState.MISSED, "late") if late else (VisitState.CANCELLED, "covered")))
        other.draft = None


def not_met(visit: Visit, said: Said, *, by: Actor) -> None:
    """Nobody there: the try is written down and the ladder begins, or goes on."""
    visit.attempts.append(
        Attempt(at=said.at, method=said.method, by=by.public_id, by_name=by.name, note=said.note or None)
    )
    _claim(visit, VisitState.NOT_MET)
    visit.draft, visit.draft_at, visit.planned_on = None, None, clock.today()
    db.session.flush()
    checks.not_met(visit, by=by)
    audit.record("visits.not_met", visit, way=said.method.value, tries=len(visit.attempts))


def add_photo(visit: Visit, data: bytes, *, by: Actor) -> None:
    count = db.session.scalar(sa.select(sa.func.count()).where(VisitPhoto.visit_id == visit.id)) or 0
    if count >= PHOTOS:
        raise Refused(_("一次探访最多存 %(count)d 张照片。", count=PHOTOS), field="photo")
    text = base64.b64encode(data).decode()
    db.session.add(VisitPhoto(visit_id=visit.id, picture=text, at=now(), by_name=by.name))


def photos_of(visit: Visit) -> list[int]:
    query = sa.select(VisitPhoto.id).where(VisitPhoto.visit_id == visit.id).order_by(VisitPhoto.id)
    return list(db.session.scalars(query))


def photo(visit: Visit, photo_id: int) -> bytes:
    found = db.session.scalar(sa.select(VisitPhoto).where(VisitPhoto.id == photo_id, VisitPhoto.visit_id == visit.id))
    if found is None:
        raise Missing
    return base64.b64decode(found.picture)


def _tell_if_urgent(visit: Visit) -> None:
    """What must be dealt with at once is told to who manages the community's visits, without a name in the message."""
    if visit.urgency is Urgency.AT_ONCE:
        for leader in workers.leaders(visit.person.community):
            outbox.enqueue("visits.urgent", to=leader, name=visit.person.name[:1], by=visit.done_by_name)
