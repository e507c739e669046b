"""Which hours must be covered on a holiday and on a weekend day that is worked: a table an administrator edits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, calendar
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.duty.models import DayKind, DayPlan, DayRule
from portal.registry.service.resources import hours
from portal.registry.service.resources.hours import Hours

Spans = list[list[str]]
SHOWN = 100


@dataclass(frozen=True)
class Wanted:
    """What the form says: `name` is one holiday's ("" for all), `text` the hours in words where they are its own."""

    kind: DayKind
    plan: DayPlan
    valid_from: date
    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class DayRules:
    """The rules and the special days of a span, read once."""

    rules: Sequence[DayRule]
    specials: dict[date, calendar.SpecialDay]

    def spans(self, day: date, wanted: Hours) -> Spans:
        """The hours that must be covered on a day, given those of the weekdays. Without a rule the weekday holds."""
        rule = self.rule_of(day)
        match rule.plan if rule else DayPlan.WEEKDAY:
            case DayPlan.NONE:
                return []
            case DayPlan.OWN:
                return list(rule.hours) if rule else []
            case DayPlan.MONDAY:
                return wanted.get("0", [])
            case DayPlan.SUNDAY:
                return wanted.get("6", [])
            case _:
                return wanted.get(str(day.weekday()), [])

    def rule_of(self, day: date) -> DayRule | None:
        """The rule of one holiday by name before that of all; the latest of each."""
        special = self.specials.get(day)
        if special is None:
            return None
        kind = DayKind.WORKED if special.works else DayKind.HOLIDAY
        fit = [rule for rule in self.rules if rule.kind is kind and rule.holds_on(day)]
        named = [rule for rule in fit if rule.name and rule.name == special.name]
        return next(iter([*named, *(rule for rule in fit if not rule.name)]), None)


def of_span(first: date, last: date) -> DayRules:
    """Two questions, whatever the span."""
    query = sa.select(DayRule).where(DayRule.valid_from <= last)
    found = db.session.scalars(query.order_by(DayRule.valid_from.desc(), DayRule.id.desc()))
    return DayRules(list(found), {special.day: special for special in calendar.special_days(first, last)})


def rules() -> list[DayRule]:
    """Everything that was ever set, the latest first."""
    query = sa.select(DayRule).order_by(DayRule.valid_from.desc(), DayRule.id.desc()).limit(SHOWN)
    return list(db.session.scalars(query))


def standing() -> list[DayRule]:
    """What is not taken back, the latest first."""
    return [rule for rule in rules() if rule.undone_at is None]


def set_rule(wanted: Wanted, *, by: str) -> DayRule:
    """From a day on; what has been in force stays as it was, the same day again is changed."""
    if wanted.valid_from < today():
        raise Refused(_("生效日期不能早于今天，已经过去的日子按当时的规定"), field="valid_from")
    name = wanted.name if wanted.kind is DayKind.HOLIDAY else ""
    if name and name not in calendar.holiday_names():
        raise Refused(_("没有这个节日，请从列表里选。别的节日先在“节假日”里登记。"), field="name")
    same = (DayRule.kind == wanted.kind, DayRule.name == name, DayRule.valid_from == wanted.valid_from)
    rule = db.session.scalar(sa.select(DayRule).where(*same)) or DayRule(
        kind=wanted.kind, name=name, valid_from=wanted.valid_from
    )
    rule.plan, rule.hours = wanted.plan, _own(wanted)
    rule.set_at, rule.set_by = now(), by
    rule.undone_at = rule.undone_by = None
    with unique_or(Refused(_("刚刚有人改过同一天的规定，请刷新后再看。"))):
        db.session.add(rule)
    audit.record("duty.day_rule_set", rule, kind=wanted.kind.value, plan=wanted.plan.value, name=name)
    return rule


def take_back(rule_id: int, *, by: str) -> DayRule:
    """From today on it holds no longer; the days before stay as they were, and it stays in the list."""
    rule = db.session.get(DayRule, rule_id)
    if rule is None:
        raise Missing
    claim = sa.update(DayRule).where(DayRule.id == rule_id, DayRule.undone_at.is_(None))
    if not guarded(claim.values(undone_at=now(), undone_by=by)):
        raise Refused(_("这条规定已经撤销了。"))
    db.session.refresh(rule)
    audit.record("duty.day_rule_undone", rule, kind=rule.kind.value, plan=rule.plan.value, name=rule.name)
    return rule


def _own(wanted: Wanted) -> Spans:
    if wanted.plan is not DayPlan.OWN:
        return []
    parsed = hours.parse(wanted.text, field="hours")
    if len(parsed) != 7 or any(spans != parsed["0"] for spans in parsed.values()):
        raise Refused(_("这里只写时间，不写星期几，例如：9:00-12:00 14:00-17:00，或全天。"), field="hours")
    return parsed["0"]
