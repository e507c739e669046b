"""What people wish, and when they need not be visited: consent, refusal, preferences, exclusions by reason."""

from collections.abc import Collection
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person
from portal.registry.service import people
from portal.visits.models import (
    OPEN,
    CareExclusion,
    CareSubject,
    CareWish,
    Consent,
    Exclusion,
    Level,
    Method,
    TimeOfDay,
    Visit,
    VisitKind,
)
from portal.visits.service import listing, planning, workers
from portal.visits.service.planning import SIGNALS

BY_REGISTER = frozenset({Exclusion.DEAD, Exclusion.MOVED})


def record_wish(
    subject: CareSubject,
    consent: Consent,
    method: Method,
    *,
    note: str,
    said_on: date,
    by: Actor,
    when: TimeOfDay | None = None,
) -> None:
    """Write down what the person said, and plan accordingly: who does not wish it is not visited at home.

    A written refusal takes her out of the rate and leaves a distant signal, by telephone or neighbour.
    """
    if said_on > today():
        raise Refused(_("日期不能晚于今天。"), field="said_on")
    unwilling = consent in {Consent.NOT_AT_HOME, Consent.REFUSED}
    if unwilling and method not in SIGNALS:
        raise Refused(_("不上门的话，请选一种别的联系方式，例如电话或亲邻代看。"), field="method")
    if consent is Consent.REFUSED and not note.strip():
        raise Refused(_("书面谢绝请写明材料放在哪里、谁收的。"), field="note")
    db.session.add(
        CareWish(
            subject_id=subject.id,
            consent=consent,
            method=method,
            note=note.strip() or None,
            said_on=said_on,
            noted_at=now(),
            noted_by=by.name,
        )
    )
    subject.consent, subject.method, subject.not_needed_at = consent, method, None
    subject.time_of_day = when or subject.time_of_day
    _refusal(subject, consent is Consent.REFUSED, said_on, note, by)
    _plan_as_wished(subject)
    audit.record("visits.wish_recorded", subject.person, consent=consent.value)


def _refusal(subject: CareSubject, refuses: bool, day: date, note: str, by: Actor) -> None:
    standing = [row for row in exclusions(subject) if row.reason is Exclusion.REFUSAL and row.until is None]
    if refuses and not standing:
        db.session.add(_exclusion(subject, Exclusion.REFUSAL, day, None, note, by))
    for row in () if refuses else standing:
        row.until = max(row.since, day - timedelta(days=1))
    db.session.flush()


def _plan_as_wished(subject: CareSubject) -> None:
    """Every open visit goes by the way that is wished now."""
    query = sa.select(Visit).where(Visit.subject_id == subject.id, Visit.state.in_(OPEN)).order_by(Visit.id)
    for visit in db.session.scalars(query):
        visit.method = planning.way_to(subject)
    db.session.flush()


def wishes(subject: CareSubject) -> list[CareWish]:
    query = sa.select(CareWish).where(CareWish.subject_id == subject.id).order_by(CareWish.id.desc()).limit(20)
    return list(db.session.scalars(query))


def prefer(subject: CareSubject, time_of_day: TimeOfDay, *, not_needed: bool) -> None:
    """What a resident says herself: when it suits her, and whether she thinks it necessary. A worker asks back."""
    subject.time_of_day = time_of_day
    if not_needed is not (subject.not_needed_at is not None):
        subject.not_needed_at = now() if not_needed else None
    audit.record("visits.preferred", subject.person, when=time_of_day.value, not_needed=not_needed)


def says_not_needed(within: Collection[Scope]) -> int:
    """How many in scope said that visits are not necessary and have not been asked back."""
    query = sa.select(sa.func.count(CareSubject.id)).join(CareSubject.person)
    return db.session.scalar(query.where(people.within(within), CareSubject.not_needed_at.is_not(None))) or 0


def _exclusion(
    subject: CareSubject, reason: Exclusion, since: date, until: date | None, note: str, by: Actor
) -> CareExclusion:
    return CareExclusion(
        subject_id=subject.id,
        reason=reason,
        since=since,
        until=until,
        note=note.strip() or None,
        noted_at=now(),
        noted_by=by.name,
    )


def exclusions(subject: CareSubject) -> list[CareExclusion]:
    query = sa.select(CareExclusion).where(CareExclusion.subject_id == subject.id)
    return list(db.session.scalars(query.order_by(CareExclusion.since.desc(), CareExclusion.id.desc()).limit(50)))


def exclude(
    subject: CareSubject, reason: Exclusion, since: date, until: date | None, note: str, *, by: Actor
) -> CareExclusion:
    """Pause somebody's visits for a time, with the reason that the rate counts."""
    if reason in BY_REGISTER:
        raise Refused(_("去世和迁出请在居民档案里登记，名单会自动更新。"), field="reason")
    if reason is Exclusion.REFUSAL:
        raise Refused(_("书面谢绝请在“本人意愿”里登记。"), field="reason")
    if until is not None and until < since:
        raise Refused(_("结束日期不能早于开始日期。"), field="until")
    for row in exclusions(subject):
        if row.reason is not Exclusion.REFUSAL and _overlaps(row, since, until):
            raise Refused(_("这段时间已经登记过，请先结束原来的。"), field="since")
    row = _exclusion(subject, reason, since, until, note, by)
    db.session.add(row)
    db.session.flush()
    if row.holds(today()):
        planning.cancel_open(subject, "away", VisitKind.ROUTINE, VisitKind.PROMISED, VisitKind.ROUND)
    audit.record("visits.excluded", subject.person, kind=reason.value, since=since.isoformat())
    return row


def is_paused(subject: CareSubject, day: date) -> bool:
    """Whether somebody is in hospital, in an institution or away on a day."""
    return any(row.holds(day) and row.reason is not Exclusion.REFUSAL for row in exclusions(subject))


def _overlaps(row: CareExclusion, since: date, until: date | None) -> bool:
    return (until is None or row.since <= until) and (row.until is None or row.until >= since)


def exclusion_of(subject: CareSubject, exclusion_id: int) -> CareExclusion:
    """One of somebody's pauses; a refusal ends with another wish, not here."""
    row = next((row for row in exclusions(subject) if row.id == exclusion_id), None)
    if row is None or row.reason is Exclusion.REFUSAL:
        raise Missing
    return row


def end_exclusion(subject: CareSubject, exclusion_id: int, last_day: date) -> None:
    """She is back: her visits are planned again, and after a hospital stay one within 24 hours."""
    row = exclusion_of(subject, exclusion_id)
    if last_day < row.since:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    row.until = last_day
    if last_day <= today():
        planning.restore(subject, "away", *planning.GONE)
    if row.reason is Exclusion.HOSPITAL and subject.level is not None:
        planning.promise(subject, today() + timedelta(days=1), VisitKind.SOON)
    audit.record("visits.exclusion_ended", subject.person, kind=row.reason.value, until=last_day.isoformat())


def override(subject: CareSubject, level: Level | None, reason: str, until: date | None, *, by: Actor) -> None:
    """Set somebody's level by hand, or with None take her off the list, with a reason and perhaps until a day."""
    if not reason.strip():
        raise Refused(_("请写明为什么调整。"), field="reason")
    if until is not None and until <= today():
        raise Refused(_("到期日最早是明天。"), field="until")
    before = subject.level
    subject.override_level, subject.override_off = level, level is None
    subject.override_reason, subject.override_until, subject.override_by = reason.strip(), until, by.name
    listing.refresh_person(subject.person)
    if subject.level is None:
        planning.cancel_open(subject, "level", VisitKind.ROUTINE)
    elif level is Level.HIGH and before is not Level.HIGH:
        planning.promise(subject, today() + timedelta(days=1), VisitKind.SOON)
    audit.record("visits.level_set", subject.person, level=level.value if level else "off")


def undo_override(subject: CareSubject) -> None:
    subject.override_level, subject.override_off, subject.override_reason = None, False, None
    subject.override_until, subject.override_by = None, ""
    listing.refresh_person(subject.person)
    audit.record("visits.level_unset", subject.person)


def carry_over(theirs: CareSubject, kept: Person) -> None:
    """What holds for a record that became an alias holds for the one it stands for: the last word of the two,
    exclusions that are not over, and a level set by hand where hers is not.
    """
    day = today()
    wished = theirs.consent is not Consent.UNASKED
    lasting = [row for row in exclusions(theirs) if row.until is None or row.until >= day]
    if not (wished or lasting or theirs.not_needed_at or theirs.is_overridden(day)):
        return
    subject = listing.subject_of(kept)
    if wished and _spoke_last(theirs, subject):
        _take_word(theirs, subject)
    elif subject.consent is not Consent.REFUSED:
        lasting = [row for row in lasting if row.reason is not Exclusion.REFUSAL]
    if subject.consent is Consent.UNASKED:
        subject.not_needed_at = subject.not_needed_at or theirs.not_needed_at
    if theirs.is_overridden(day) and not subject.is_overridden(day):
        for name in ("level", "off", "reason", "until", "by"):
            setattr(subject, f"override_{name}", getattr(theirs, f"override_{name}"))
    _take_exclusions(lasting, subject)
    _plan_as_wished(subject)


def _spoke_last(theirs: CareSubject, hers: CareSubject) -> bool:
    """Whether the alias's wish is the later one; what nobody wrote down a day for is the older."""
    spoken = [max(((row.said_on, row.id) for row in wishes(one)), default=(date.min, 0)) for one in (theirs, hers)]
    return hers.consent is Consent.UNASKED or spoken[0] > spoken[1]


def _take_word(theirs: CareSubject, subject: CareSubject) -> None:
    """Consent and way as the alias said them, with the line that says when; a refusal of before ends with it."""
    subject.consent, subject.method, subject.time_of_day = theirs.consent, theirs.method, theirs.time_of_day
    last = max(wishes(theirs), key=lambda row: (row.said_on, row.id), default=None)
    if last is not None:
        names = ("consent", "method", "note", "said_on", "noted_at", "noted_by")
        db.session.add(CareWish(subject_id=subject.id, **{name: getattr(last, name) for name in names}))
    for row in exclusions(subject) if theirs.consent is not Consent.REFUSED else ():
        if row.reason is Exclusion.REFUSAL and row.until is None:
            row.until = max(row.since, (last.said_on if last else today()) - timedelta(days=1))
    db.session.flush()


def _take_exclusions(lasting: Collection[CareExclusion], subject: CareSubject) -> None:
    """Those that the kept one has not yet in the same days."""
    for row in lasting:
        if not any(own.reason is row.reason and _overlaps(own, row.since, row.until) for own in exclusions(subject)):
            names = ("reason", "since", "until", "note", "noted_at", "noted_by")
            db.session.add(CareExclusion(subject_id=subject.id, **{name: getattr(row, name) for name in names}))
            db.session.flush()
    if is_paused(subject, today()):
        planning.cancel_open(subject, "away", VisitKind.ROUTINE, VisitKind.PROMISED, VisitKind.ROUND)


def assign(subject: CareSubject, account: str, *, by: Actor) -> None:
    """Give somebody to a worker; "" goes back to the grid's. Her open visits follow."""
    known = dict(workers.visitors_of(subject.person))
    if account and account not in known:
        raise Refused(_("请从名单里选一位。"), field="worker")
    subject.assigned_to = account
    subject.worker = account or workers.grid_workers(subject.person.community).get(subject.person.grid_id or 0, "")
    planning.hand_to_worker(subject)
    audit.record("visits.assigned", subject.person, by=by.name)


def set_hint(subject: CareSubject, hint: str) -> None:
    """What the next visitor should know before she knocks (敲门要重)."""
    subject.hint = hint.strip() or None
    audit.record("visits.hint_set", subject.person)
