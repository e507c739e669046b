"""The counters behind subsidy caps: what a person had under a rule in a day or a month, moved by guarded UPDATEs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.dialects import postgresql, sqlite

from portal.core.clock import now
from portal.core.db import db, guarded
from portal.meals.models import MealOrder, Period, SubsidyCounter, SubsidyLine, SubsidyRule
from portal.meals.service.entitlements import Bill, Decision, Facts, Line, Used, decide

TRIES = 3


def used_by(people: Collection[int] | sa.Select[int], rules: Iterable[SubsidyRule], day: date) -> dict[int, Used]:
    """What these ids of one person have had, by rule, in the day and its month. Asks only for rules with caps."""
    counted = [rule.id for rule in rules if periods(rule)]
    if not counted or (isinstance(people, Collection) and not people):
        return {}
    query = sa.select(SubsidyCounter).where(
        SubsidyCounter.rule_id.in_(counted),
        SubsidyCounter.person_id.in_(people),
        sa.or_(*(_of_period(period, day) for period in Period)),
    )
    found: dict[int, Used] = {}
    for row in db.session.scalars(query.order_by(SubsidyCounter.id).execution_options(populate_existing=True)):
        had = found.get(row.rule_id, Used())
        if row.period is Period.DAY:
            had = Used(had.day_fen + row.used_fen, had.day_times + row.used_times, had.month_fen)
        else:
            had = Used(had.day_fen, had.day_times, had.month_fen + row.used_fen)
        found[row.rule_id] = had
    return found


def periods(rule: SubsidyRule) -> list[Period]:
    """The periods in which the rule has something to count."""
    daily = rule.cap_day_fen is not None or rule.times_per_day is not None
    return [Period.DAY] * daily + [Period.MONTH] * (rule.cap_month_fen is not None)


def _start(period: Period, day: date) -> date:
    return day if period is Period.DAY else day.replace(day=1)


def _of_period(period: Period, day: date) -> sa.ColumnElement[bool]:
    return sa.and_(SubsidyCounter.period == period, SubsidyCounter.start == _start(period, day))


def grant(
    order: MealOrder, rules: Sequence[SubsidyRule], facts: Facts, bill: Bill, *, aliases: Collection[int]
) -> Decision:
    """Decide, raise the counters, and freeze the lines into the order.

    A counter that was raised by somebody else in between refuses, and the decision is made again with what is left.
    `aliases` are further ids of the same person: what they had counts against the caps.
    """
    others = used_by(aliases, rules, order.day)
    decision = Decision()
    for _try in range(TRIES):
        decision = decide(rules, facts, bill, used_by([*aliases, order.person_id], rules, order.day))
        if _raise_all(order, decision.lines, others):
            break
    else:
        return Decision(remarks=(_("补贴额度刚刚用完，这一份按原价。"),))
    for line in decision.lines:
        db.session.add(
            SubsidyLine(
                order_id=order.id,
                rule_id=line.rule.id,
                payer=line.rule.payer,
                amount_fen=line.amount_fen,
                sentence=line.sentence,
                granted_at=now(),
            )
        )
    db.session.flush()
    return decision


def reverse(order: MealOrder) -> int:
    """Take back every standing line of an order and lower its counters; return how many fen came free."""
    query = sa.select(SubsidyLine).where(SubsidyLine.order_id == order.id, SubsidyLine.reversed_at.is_(None))
    freed = 0
    for line in db.session.scalars(query.order_by(SubsidyLine.id)):
        line.reversed_at = now()
        _lower(order, line.rule, line.amount_fen, periods(line.rule))
        freed += line.amount_fen
    db.session.flush()
    return freed


def _raise_all(order: MealOrder, lines: Sequence[Line], others: Mapping[int, Used]) -> bool:
    """Raise every counter the lines need; when one refuses, lower those already raised and say no."""
    raised: list[tuple[Line, Period]] = []
    for line in lines:
        for period in periods(line.rule):
            if not _raise(order, line, period, others.get(line.rule.id, Used())):
                for done, of_period in raised:
                    _lower(order, done.rule, done.amount_fen, [of_period])
                return False
            raised.append((line, period))
    return True


def _raise(order: MealOrder, line: Line, period: Period, elsewhere: Used) -> bool:
    rule, fen = line.rule, line.amount_fen
    _ensure(rule.id, order.person_id, period, order.day)
    room = [_row(rule.id, order.person_id, period, order.day)]
    if period is Period.DAY and rule.cap_day_fen is not None:
        room.append(SubsidyCounter.used_fen + fen <= rule.cap_day_fen - elsewhere.day_fen)
    if period is Period.DAY and rule.times_per_day is not None:
        room.append(SubsidyCounter.used_times < rule.times_per_day - elsewhere.day_times)
    if period is Period.MONTH and rule.cap_month_fen is not None:
        room.append(SubsidyCounter.used_fen + fen <= rule.cap_month_fen - elsewhere.month_fen)
    more = {"used_fen": SubsidyCounter.used_fen + fen, "used_times": SubsidyCounter.used_times + 1}
    return guarded(sa.update(SubsidyCounter).where(*room).values(more))


def _ensure(rule_id: int, person_id: int, period: Period, day: date) -> None:
    """Insert the counter if it is missing, whoever else does so at the same moment."""
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {
        "rule_id": rule_id,
        "person_id": person_id,
        "period": period,
        "start": _start(period, day),
        "used_fen": 0,
        "used_times": 0,
    }
    db.session.execute(insert(SubsidyCounter).values(row).on_conflict_do_nothing())


def _row(rule_id: int, person_id: int, period: Period, day: date) -> sa.ColumnElement[bool]:
    of_person = sa.and_(SubsidyCounter.rule_id == rule_id, SubsidyCounter.person_id == person_id)
    return sa.and_(of_person, _of_period(period, day))


def _lower(order: MealOrder, rule: SubsidyRule, fen: int, periods: Iterable[Period]) -> None:
    for period in periods:
        less = {"used_fen": SubsidyCounter.used_fen - fen, "used_times": SubsidyCounter.used_times - 1}
        enough = sa.and_(SubsidyCounter.used_fen >= fen, SubsidyCounter.used_times >= 1)
        where = _row(rule.id, order.person_id, period, order.day)
        if not guarded(sa.update(SubsidyCounter).where(where, enough).values(less)):
            raise RuntimeError(f"counter of rule {rule.id}, person {order.person_id}: lowered below nothing")
