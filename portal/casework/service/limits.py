"""The limits of requests: read from the table in force on a request's day, seeded with the defaults of the rules."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseKind, Urgency
from portal.casework.models.limits import COUNTED, CaseLimit, LimitStep, LimitUnit
from portal.core import audit, clock
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.working import WorkingTime

U, L = LimitUnit, LimitStep
# Section 7 of the domain rules, "suggested default set"; contact, help and redo are this portal's own.
DEFAULTS: tuple[tuple[LimitStep, CaseKind | None, Urgency | None, int, LimitUnit], ...] = (
    (L.ACCEPT, None, None, 1, U.WORKING_DAYS),
    (L.ACCEPT, None, Urgency.URGENT, 2, U.HOURS),
    (L.CONTACT, None, None, 1, U.WORKING_DAYS),
    (L.CONTACT, None, Urgency.URGENT, 2, U.HOURS),
    (L.SIGN, None, None, 4, U.WORKING_HOURS),
    (L.SIGN, None, Urgency.URGENT, 1, U.HOURS),
    (L.RETURN, None, None, 1, U.WORKING_DAYS),
    (L.FINISH, CaseKind.QUESTION, None, 3, U.WORKING_DAYS),
    (L.FINISH, CaseKind.HELP, None, 5, U.WORKING_DAYS),
    (L.FINISH, CaseKind.COMPLAINT, None, 7, U.WORKING_DAYS),
    (L.FINISH, CaseKind.REPORT, None, 7, U.WORKING_DAYS),
    (L.FINISH, CaseKind.ADVICE, None, 7, U.WORKING_DAYS),
    (L.FINISH, None, Urgency.HARD, 15, U.WORKING_DAYS),
    (L.FINISH, None, Urgency.URGENT, 24, U.HOURS),
    (L.EXTENSION, None, None, 5, U.WORKING_DAYS),
    (L.EXTENSION, None, Urgency.HARD, 15, U.WORKING_DAYS),
    (L.HELP, None, None, 2, U.WORKING_DAYS),
    (L.CALL_BACK, None, None, 3, U.WORKING_DAYS),
    (L.RETURNS, None, None, 2, U.TIMES),
    (L.EXTENSIONS, None, None, 1, U.TIMES),
    (L.REDOS, None, None, 2, U.TIMES),
)
# The database holds at most two returns.
MOST_TIMES = {L.RETURNS: 2, L.EXTENSIONS: 1, L.REDOS: 2}
MOST = {U.WORKING_DAYS: 90, U.WORKING_HOURS: 80, U.HOURS: 720}


@dataclass(frozen=True)
class Limit:
    """So many of a unit."""

    count: int
    unit: LimitUnit

    def after(self, start: datetime, times: WorkingTime) -> datetime:
        """When the limit is reached that begins at a moment."""
        match self.unit:
            case LimitUnit.WORKING_DAYS:
                return times.until(start, self.count)
            case LimitUnit.WORKING_HOURS:
                return times.add(start, self.count * 60)
            case _:
                return start + timedelta(hours=self.count)


FALLBACK = {
    (step, kind, urgency): Limit(count, unit)
    for step, kind, urgency, count, unit in DEFAULTS
    if kind in {None, CaseKind.HELP}
}


class Limits:
    """The limits in force on a day in a community, read in one question."""

    def __init__(self, community_code: str, day: date) -> None:
        query = (
            sa.select(CaseLimit)
            .where(CaseLimit.valid_from <= day, sa.or_(CaseLimit.valid_to.is_(None), CaseLimit.valid_to >= day))
            .order_by(CaseLimit.valid_from, CaseLimit.id)
        )
        self.rows = [row for row in db.session.scalars(query) if community_code.startswith(row.area_code)]

    def of(
        self, step: LimitStep, *, codes: Iterable[str] = (), kind: CaseKind = CaseKind.HELP, urgency: Urgency
    ) -> Limit:
        """The closest fit: the category itself, its parent, then the urgency, then the kind, then the nearest area."""
        known = [*codes]
        fitting = [
            row
            for row in self.rows
            if row.step is step
            and (not row.category_code or row.category_code in known)
            and row.kind in {None, kind}
            and row.urgency in {None, urgency}
        ]
        if not fitting:
            return self._default(step, urgency)
        row = max(fitting, key=lambda one: _closeness(one, known))
        return Limit(row.count, row.unit)

    @staticmethod
    def _default(step: LimitStep, urgency: Urgency) -> Limit:
        """A place that has set nothing lives by the rules' defaults."""
        tries = ((step, None, urgency), (step, CaseKind.HELP, None), (step, None, None))
        return next(FALLBACK[key] for key in tries if key in FALLBACK)


def _closeness(row: CaseLimit, codes: list[str]) -> tuple[int, bool, bool, int, date, int]:
    own = len(codes) - codes.index(row.category_code) if row.category_code else 0
    return own, row.urgency is not None, row.kind is not None, len(row.area_code), row.valid_from, row.id


def codes_of(category: Category | None) -> list[str]:
    """A category's code and its parent's, the nearest first."""
    found = []
    while category is not None:
        found.append(category.code)
        category = category.parent
    return found


def rules_day(case: Case) -> date:
    """A request keeps the rules of the day on which it was sent."""
    return clock.local(case.submitted_at).date() if case.submitted_at else today()


def limit_of(case: Case, step: LimitStep) -> Limit:
    """A request's own limit for a step, by the rules of its day."""
    limits = Limits(case.community.code, rules_day(case))
    return limits.of(step, codes=codes_of(case.category), kind=case.kind, urgency=case.urgency)


def seed(area_code: str, *, by: str, since: date | None = None) -> int:
    """Fill a street's limits with the defaults of the rules where it has none; return how many rows."""
    if db.session.scalar(sa.select(CaseLimit.id).where(CaseLimit.area_code == area_code).limit(1)) is not None:
        return 0
    rows = [
        CaseLimit(
            area_code=area_code,
            valid_from=since or today(),
            set_by=by,
            step=step,
            category_code="",
            kind=kind,
            urgency=urgency,
            count=count,
            unit=unit,
        )
        for step, kind, urgency, count, unit in DEFAULTS
    ]
    db.session.add_all(rows)
    db.session.flush()
    audit.record("cases.limits_seeded", None, count=len(rows))
    return len(rows)


def places(within: Collection[Scope]) -> list[Area]:
    """Where somebody with these scopes may set limits: her streets and the communities inside."""
    codes = {scope.ref for scope in within if scope.kind == "street"}
    streets = db.session.scalars(sa.select(Area).where(Area.code.in_(codes)).order_by(Area.code))
    return [*streets, *areas.whole_communities(within)]


def table(within: Collection[Scope]) -> list[CaseLimit]:
    """The limits of an administrator's places in the order of the steps, what is over last."""
    codes = [area.code for area in places(within)]
    rows = db.session.scalars(sa.select(CaseLimit).where(CaseLimit.area_code.in_(codes)).order_by(CaseLimit.id))
    turns = {step: turn for turn, step in enumerate(LimitStep)}
    return sorted(rows, key=lambda row: (_over(row), turns[row.step], row.category_code, row.area_code, row.id))


def _over(row: CaseLimit) -> bool:
    return row.valid_to is not None and row.valid_to < today()


def limit_in(within: Collection[Scope], limit_id: int) -> CaseLimit:
    row = db.session.get(CaseLimit, limit_id)
    if row is None or row.area_code not in {area.code for area in places(within)}:
        raise Missing
    return row


@dataclass(frozen=True)
class LimitFacts:
    """What the form of a limit says."""

    area_code: str
    step: LimitStep
    category_code: str
    kind: CaseKind | None
    urgency: Urgency | None
    count: int
    unit: LimitUnit
    valid_from: date


def set_limit(facts: LimitFacts, *, within: Collection[Scope], by: str) -> CaseLimit:
    """A limit from a day on: what held for the same ends the day before, so that older requests keep theirs."""
    _check(facts, within)
    row = CaseLimit(
        area_code=facts.area_code,
        step=facts.step,
        category_code=facts.category_code,
        kind=facts.kind,
        urgency=facts.urgency,
        count=facts.count,
        unit=facts.unit,
        valid_from=facts.valid_from,
        set_by=by,
    )
    for older in db.session.scalars(sa.select(CaseLimit).where(CaseLimit.area_code == facts.area_code)):
        if older.key() != row.key():
            continue
        if older.valid_from >= facts.valid_from:
            db.session.delete(older)
        elif older.valid_to is None or older.valid_to >= facts.valid_from:
            older.valid_to = facts.valid_from - timedelta(days=1)
    db.session.add(row)
    db.session.flush()
    audit.record(
        "cases.limit_set", row, step=row.step.value, count=row.count, unit=row.unit.value, day=str(row.valid_from)
    )
    return row


def _check(facts: LimitFacts, within: Collection[Scope]) -> None:
    if facts.area_code not in {area.code for area in places(within)}:
        raise Missing
    counted = facts.step in COUNTED
    most = MOST_TIMES.get(facts.step, MOST.get(facts.unit, 0))
    wrong = [
        (facts.valid_from < today(), "valid_from", _("生效日期最早是今天。")),
        (counted != (facts.unit is U.TIMES), "unit", _("次数用“次”，期限用工作日或小时。")),
        (facts.count > most, "count", _("最多 %(most)d。", most=most)),
        (not counted and facts.count < 1, "count", _("最少 1。")),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)


def end_limit(row: CaseLimit, last_day: date) -> None:
    """Let a limit hold until a day; then the more general one holds, or the rules' default."""
    if last_day < today() - timedelta(days=1):
        raise Refused(_("结束日期最早是昨天。"), field="last_day")
    if last_day < row.valid_from:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    row.valid_to = last_day
    audit.record("cases.limit_ended", row, valid_to=last_day.isoformat())
