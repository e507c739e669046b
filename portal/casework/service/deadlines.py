"""When each clock of a request runs out, in working time, by the limits of the day on which it was sent."""

from collections.abc import Callable
from datetime import datetime

from portal.casework.models.cases import Case
from portal.casework.models.codes import CaseState, Colour, Deed, Extension, Side, Urgency
from portal.casework.models.limits import LimitStep
from portal.casework.service import limits
from portal.core import clock
from portal.core.working import WorkingTime


class Clocks:
    """A request's limits and working time, read once each."""

    def __init__(self, case: Case, since: datetime) -> None:
        self.case = case
        self.times = WorkingTime(clock.local(since).date())
        self.limits = limits.Limits(case.community.code, limits.rules_day(case))

    def after(self, step: LimitStep, start: datetime) -> datetime:
        case = self.case
        limit = self.limits.of(step, codes=limits.codes_of(case.category), kind=case.kind, urgency=case.urgency)
        return limit.after(start, self.times)


def start(case: Case, at: datetime) -> None:
    """After a move: start the clocks that the state asks for."""
    act = STARTS.get(case.state)
    if act is not None:
        act(case, at)


def _submitted(case: Case, at: datetime) -> None:
    case.accept_due = Clocks(case, at).after(LimitStep.ACCEPT, at)


def _accepted(case: Case, at: datetime) -> None:
    clocks = Clocks(case, at)
    case.contact_due = clocks.after(LimitStep.CONTACT, at)
    case.finish_due = clocks.after(LimitStep.FINISH, at)


def _assigned(case: Case, at: datetime) -> None:
    case.sign_due = Clocks(case, at).after(LimitStep.SIGN, at)


def _working(case: Case, at: datetime) -> None:
    """Whatever stood still while it was paused is added to the end."""
    ended = [pause for pause in case.pauses if pause.until == at]
    if not ended or case.finish_due is None:
        return
    since = min(pause.since for pause in ended)
    _end_at(case, shifted(case, since, at))


def _end_at(case: Case, due: datetime | None) -> None:
    """Another end: later, the colour that the machine gave for the earlier one goes, and is given anew in its time."""
    was, case.finish_due = case.finish_due, due
    last = next((step for step in reversed(case.steps) if step.deed is Deed.SUPERVISED), None)
    if was and due and due > was and last and last.side is Side.SYSTEM:
        case.colour = Colour.NONE


def shifted(case: Case, since: datetime, until: datetime) -> datetime | None:
    """The end of a term after a pause: as much later as the pause took, of working time or by the clock."""
    due = case.finish_due
    if due is None or since >= due:
        return due
    if case.urgency is Urgency.URGENT:
        return due + (until - since)
    times = WorkingTime(clock.local(since).date())
    left = times.between(since, due)
    return times.add(until, left) if left else due


def _redo(case: Case, at: datetime) -> None:
    case.finish_due = Clocks(case, at).after(LimitStep.FINISH, at)


def _answered(case: Case, at: datetime) -> None:
    case.callback_due = Clocks(case, at).after(LimitStep.CALL_BACK, at)


STARTS: dict[CaseState, Callable[[Case, datetime], None]] = {
    CaseState.SUBMITTED: _submitted,
    CaseState.ACCEPTED: _accepted,
    CaseState.ASSIGNED: _assigned,
    CaseState.WORKING: _working,
    CaseState.REDO: _redo,
    CaseState.ANSWERED: _answered,
}


def again(case: Case) -> None:
    """After it was classed otherwise: the same start, another limit. What was extended stays as it was granted."""
    begun = case.accepted_at
    if begun is None:
        if case.submitted_at is not None:
            case.accept_due = Clocks(case, case.submitted_at).after(LimitStep.ACCEPT, case.submitted_at)
        return
    clocks = Clocks(case, begun)
    if case.contacted_at is None:
        case.contact_due = clocks.after(LimitStep.CONTACT, begun)
    if case.extension is Extension.GRANTED or case.redos or case.answered_at is not None:
        return
    was, case.finish_due = case.finish_due, clocks.after(LimitStep.FINISH, begun)
    for pause in case.pauses:
        if pause.until is not None:
            case.finish_due = shifted(case, pause.since, pause.until)
    due, case.finish_due = case.finish_due, was
    _end_at(case, due)
