"""Safety checks: opened when somebody is not met or a meal is not fetched, climbed step by step, closed by name."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock, outbox, reasons
from portal.core.access import Actor, Scope, actor_or_none
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.registry.models import Person, PersonState, TagKind
from portal.registry.service import people
from portal.visits.models import (
    OPEN,
    CheckCause,
    CheckOutcome,
    CheckState,
    Exclusion,
    SafetyCheck,
    SafetyStep,
    StepKind,
    StepResult,
    Visit,
    VisitKind,
    VisitState,
)
from portal.visits.service import listing, loading, planning, rules, wishes, workers

OPEN_CHECKS = (CheckState.OPEN, CheckState.TAKEN)
A_PAGE = 40
GONE_DEAD = reasons.declare("visits.check_gone_dead", label=lambda: _("居民已去世，自动结束。"))
GONE_MOVED = reasons.declare("visits.check_gone_moved", label=lambda: _("居民已迁出，自动结束。"))
MEAL_FETCHED = reasons.declare("visits.check_meal_fetched", label=lambda: _("后来登记已取餐，自动结束。"))


def open_check(visit: Visit, cause: CheckCause, at: datetime) -> SafetyCheck:
    """Begin the ladder for a person today: each rung of the street's table with the time by which it is due."""
    day = clock.local(at).date()
    check = SafetyCheck(
        person_id=visit.person_id, visit=visit, cause=cause, day=day, opened_at=at, state=CheckState.OPEN
    )
    rungs = rules.ladder(visit.person.community.code, day)
    check.steps = [SafetyStep(kind=rung.kind, due_at=_due(rung.kind, at, rung.minutes)) for rung in rungs]
    db.session.add(check)
    db.session.flush()
    _tell_of(check)
    return check


def _reopen(check: SafetyCheck, at: datetime) -> None:
    """Of a withdrawn check: the same question of the same day, what is not done of its ladder counted from now."""
    for step in check.steps:
        if step.done_at is None:
            step.due_at = _due(step.kind, at, (step.due_at - check.opened_at) // timedelta(minutes=1))
    check.state, check.opened_at, check.outcome, check.note = CheckState.OPEN, at, None, None
    check.closed_at, check.closed_by_name, check.taken_at = None, "", None
    check.taken_by = check.taken_by_name = ""
    if check.visit.state is VisitState.CANCELLED:
        check.visit.move(VisitState.PLANNED)
    db.session.flush()
    _tell_of(check)


def _tell_of(check: SafetyCheck) -> None:
    for recipient in _who_is_told(check.visit):
        outbox.enqueue("visits.check_opened", to=recipient, name=check.visit.person.name[:1], cause=check.cause.value)
    audit.record("visits.check_opened", check, kind=check.cause.value)


def _due(kind: StepKind, at: datetime, minutes: int) -> datetime:
    """When a rung is due; the second try is made the same day, however late the first was."""
    due = at + timedelta(minutes=minutes)
    last = clock.day_bounds(clock.local(at).date())[1] - timedelta(minutes=1)
    return min(due, max(at, last)) if kind is StepKind.AGAIN else due


def _who_is_told(visit: Visit) -> list[Recipient]:
    mine = [Recipient("account", visit.worker)] if visit.worker else []
    return mine or workers.leaders(visit.person.community)


def _standing(person_id: int, day: date) -> list[SafetyCheck]:
    query = (
        sa.select(SafetyCheck)
        .where(SafetyCheck.person_id == person_id, sa.or_(SafetyCheck.day == day, SafetyCheck.state.in_(OPEN_CHECKS)))
        .options(sa.orm.selectinload(SafetyCheck.steps))
        .order_by(SafetyCheck.id)
    )
    return list(db.session.scalars(query))


def running(person_id: int) -> SafetyCheck | None:
    """The open check of a person, if there is one."""
    return next((check for check in _standing(person_id, clock.today()) if check.is_open()), None)


def not_met(visit: Visit, *, by: Actor) -> None:
    """A first failure opens the ladder; a second one is its first step, done without success."""
    standing = _standing(visit.person_id, clock.today())
    known = next((check for check in standing if check.is_open()), None)
    if known is not None:
        step = next((step for step in known.steps if step.kind is StepKind.AGAIN and step.done_at is None), None)
        _taken(known, by=by)
        if step is not None:
            _finish_step(step, StepResult.NOT_REACHED, by.name)
        return
    if not any(check.cause is CheckCause.NOT_MET and check.day == clock.today() for check in standing):
        check = open_check(visit, CheckCause.NOT_MET, now())
        take(check, by=by)


def met(visit: Visit, on: date, *, by: Actor) -> None:
    """She was met on a day: whatever check of hers runs since then or before is answered."""
    for check in _standing(visit.person_id, clock.today()):
        if check.is_open() and check.day <= on:
            step = check.next_step()
            if step is not None:
                _finish_step(step, StepResult.REACHED, by.name)
            _close(check, CheckOutcome.SAFE, by.name)


def _finish_step(step: SafetyStep, result: StepResult, by_name: str) -> None:
    """Of two who do one step at once one wins."""
    done = guarded(
        sa.update(SafetyStep)
        .where(SafetyStep.id == step.id, SafetyStep.done_at.is_(None))
        .values(done_at=now(), done_by_name=by_name, result=result)
    )
    db.session.refresh(step, ["done_at", "done_by_name", "result"])
    if not done:
        raise Refused(_("这一步%(name)s已经记过了。", name=step.done_by_name))


def _close(check: SafetyCheck, outcome: CheckOutcome, by_name: str) -> None:
    """Of two who close at once one wins."""
    moment = now()
    closed = guarded(
        sa.update(SafetyCheck)
        .where(SafetyCheck.id == check.id, SafetyCheck.state.in_(OPEN_CHECKS))
        .values(state=CheckState.CLOSED, outcome=outcome, closed_at=moment, closed_by_name=by_name)
    )
    db.session.refresh(check, ["state", "outcome", "closed_at", "closed_by_name"])
    if not closed:
        raise Refused(_("%(name)s已经结束了这次确认。", name=check.closed_by_name))
    audit.record("visits.check_closed", check, outcome=outcome.value)


def withdraw(person: Person, outcome: CheckOutcome) -> int:
    """The register says that somebody died or moved away: there is nobody left to look for. Nobody is refused."""
    actor = actor_or_none()
    gone = GONE_DEAD if outcome is CheckOutcome.DEAD else GONE_MOVED
    standing = [check for check in _standing(person.id, clock.today()) if check.is_open()]
    for check in standing:
        _close(check, outcome, actor.name if actor else "系统")
        check.note = gone
    db.session.flush()
    return len(standing)


def on_meal_not_collected(*, person: Recipient, day: date, fed: bool = False, **_facts: object) -> None:
    """Meals' event: who lives alone and did not fetch today's meal is to be made sure of today.

    Nobody need look for who was `fed`: she was handed the same meal at another counter.
    """
    if fed or day != clock.today():
        return
    found = db.session.scalar(sa.select(Person).where(Person.public_id == person.id))
    whom = people.resolved(found) if found else None
    if whom is None or not _alone_and_here(whom, day):
        return
    if _asked_already(whom.id, day):
        return
    subject = listing.subject_of(whom)
    visit = planning.promise(subject, day, VisitKind.SAFETY)
    if visit.state in OPEN:
        open_check(visit, CheckCause.MEAL, now())


def _asked_already(person_id: int, day: date) -> bool:
    """One question a day is enough; one withdrawn because the meal was fetched says nothing of the next meal."""
    standing = _standing(person_id, day)
    if any(check.is_open() for check in standing):
        return True
    known = next((check for check in standing if check.cause is CheckCause.MEAL), None)
    if known is not None and known.note == MEAL_FETCHED:
        _reopen(known, now())
    return known is not None


def on_meal_collected_late(*, person: Recipient, day: date, **_facts: object) -> None:
    """Meals' event: the meal was fetched after all, so what was opened for it, and nothing else, is withdrawn."""
    found = db.session.scalar(sa.select(Person).where(Person.public_id == person.id))
    whom = people.resolved(found) if found else None
    for check in _standing(whom.id, day) if whom else []:
        if check.is_open() and check.cause is CheckCause.MEAL and check.day == day:
            _close(check, CheckOutcome.SAFE, "系统")
            check.note = MEAL_FETCHED
            _no_visit_of(check)
    db.session.flush()


def _no_visit_of(check: SafetyCheck) -> None:
    """The visit that the check asked for need not be made any more."""
    if check.visit.state in OPEN and check.visit.kind is VisitKind.SAFETY:
        check.visit.move(VisitState.CANCELLED, "check")


def _alone_and_here(person: Person, day: date) -> bool:
    if person.state is not PersonState.PRESENT or person.is_absent(day):
        return False
    if TagKind.LIVING_ALONE not in person.tag_kinds(day):
        return False
    subject = listing.known(person)
    return subject is None or not wishes.is_paused(subject, day)


def check_in(within: Collection[Scope], public_id: str) -> SafetyCheck:
    query = (
        sa.select(SafetyCheck)
        .where(SafetyCheck.public_id == public_id)
        .options(
            *loading.joined(SafetyCheck.person, contacts=True),
            sa.orm.joinedload(SafetyCheck.visit),
            sa.orm.selectinload(SafetyCheck.steps),
        )
        .execution_options(populate_existing=True)
    )
    check = db.session.scalar(query)
    if check is None:
        raise Missing
    people.person_in(within, check.person.public_id)
    return check


def checks(within: Collection[Scope], *, closed: bool = False, page: int = 1) -> list[SafetyCheck]:
    """Open checks in scope, those whose next step is late first, then the oldest; one more than a page."""
    states = [CheckState.CLOSED] if closed else list(OPEN_CHECKS)
    query = (
        sa.select(SafetyCheck)
        .join(SafetyCheck.person)
        .where(people.within(within), SafetyCheck.state.in_(states))
        .options(
            *loading.eager(SafetyCheck.person),
            sa.orm.selectinload(SafetyCheck.steps),
        )
        .order_by(*((SafetyCheck.id.desc(),) if closed else (_next_due(), SafetyCheck.id)))
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    return list(db.session.scalars(query))


def _next_due() -> sa.ScalarSelect[datetime]:
    return (
        sa.select(sa.func.min(SafetyStep.due_at))
        .where(SafetyStep.check_id == SafetyCheck.id, SafetyStep.done_at.is_(None))
        .scalar_subquery()
    )


def open_count(within: Collection[Scope]) -> int:
    return pressing(within)[0]


def pressing(within: Collection[Scope]) -> tuple[int, datetime | None]:
    """How many checks in scope are open, and by when the next step of any of them is due."""
    query = (
        sa.select(sa.func.count(sa.distinct(SafetyCheck.id)), sa.func.min(SafetyStep.due_at))
        .join(SafetyCheck.person)
        .outerjoin(SafetyStep, sa.and_(SafetyStep.check_id == SafetyCheck.id, SafetyStep.done_at.is_(None)))
        .where(people.within(within), SafetyCheck.state.in_(OPEN_CHECKS))
    )
    count, due = db.session.execute(query).one()
    return int(count), due


def take(check: SafetyCheck, *, by: Actor) -> None:
    """A named person answers for a check from now on; of two who press at once one wins."""
    taken = guarded(
        sa.update(SafetyCheck)
        .where(SafetyCheck.id == check.id, SafetyCheck.state == CheckState.OPEN)
        .values(state=CheckState.TAKEN, taken_by=by.public_id, taken_by_name=by.name, taken_at=now())
    )
    db.session.refresh(check, ["state", "taken_by", "taken_by_name", "taken_at"])
    if taken:
        audit.record("visits.check_taken", check)
    elif check.taken_by != by.public_id:
        raise Refused(_("%(name)s已经接手了，请直接联系。", name=check.taken_by_name or check.closed_by_name))


def _taken(check: SafetyCheck, *, by: Actor) -> None:
    """Who works on a check that nobody has, has it."""
    if check.state is CheckState.OPEN:
        take(check, by=by)


def do_step(check: SafetyCheck, step_id: int, result: StepResult, *, to_name: str, note: str, by: Actor) -> None:
    """Write down one rung: whom it turned to, what came of it. Who acts has the check, if nobody had it."""
    if not check.is_open():
        raise Refused(_("这次确认已经结束，不用再记。"))
    step = next((step for step in check.steps if step.id == step_id), None)
    if step is None:
        raise Missing
    if step.done_at is not None:
        raise Refused(_("这一步%(name)s已经记过了。", name=step.done_by_name))
    if step.kind is not StepKind.AGAIN and not to_name.strip():
        raise Refused(_("请写明联系的是谁。"), field="to_name")
    _taken(check, by=by)
    _finish_step(step, result, by.name)
    step.to_name, step.note = to_name.strip()[:64], note.strip() or None
    audit.record("visits.step_done", check, kind=step.kind.value, result=result.value)


def ask_colleague(check: SafetyCheck, account: str, *, by: Actor) -> None:
    """Tell a colleague that she is asked to go there."""
    known = dict(workers.visitors_of(check.person))
    if account not in known or account == by.public_id or not check.is_open():
        raise Refused(_("请从名单里选一位同事。"), field="colleague")
    _taken(check, by=by)
    step = next((step for step in check.steps if step.kind is StepKind.COLLEAGUE and step.done_at is None), None)
    if step is not None:
        step.to_name, step.told_at = known[account][:64], now()
    outbox.enqueue("visits.colleague_asked", to=Recipient("account", account), name=check.person.name[:1], by=by.name)
    audit.record("visits.colleague_asked", check)


def close(check: SafetyCheck, outcome: CheckOutcome, note: str, *, by: Actor) -> None:
    """End a check with what was found; a stay in hospital pauses the person's visits."""
    if not check.may_become(CheckState.CLOSED):
        raise Refused(_("%(name)s已经结束了这次确认。", name=check.closed_by_name))
    if not note.strip():
        raise Refused(_("请写明是怎么确认的。"), field="how")
    _taken(check, by=by)
    _close(check, outcome, by.name)
    check.note = note.strip()
    _no_visit_of(check)
    subject = check.visit.subject
    if outcome is CheckOutcome.HOSPITAL and not wishes.is_paused(subject, check.day):
        wishes.exclude(subject, Exclusion.HOSPITAL, clock.today(), None, note, by=by)
    db.session.flush()


def tell_late() -> int:
    """Tell those who manage visits of each step that is overdue, once; return how many."""
    moment = now()
    query = (
        sa.select(SafetyStep)
        .join(SafetyStep.check)
        .where(SafetyCheck.state.in_(OPEN_CHECKS), SafetyStep.done_at.is_(None), SafetyStep.told_at.is_(None))
        .where(SafetyStep.due_at < moment)
        .options(sa.orm.contains_eager(SafetyStep.check).joinedload(SafetyCheck.person).joinedload(Person.community))
        .order_by(SafetyStep.id)
    )
    told = 0
    for step in db.session.scalars(query):
        if step.check.next_step() is not step:
            continue
        step.told_at = moment
        for leader in workers.leaders(step.check.person.community):
            outbox.enqueue("visits.step_late", to=leader, name=step.check.person.name[:1], step=step.kind.value)
        told += 1
    return told
