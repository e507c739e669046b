"""What an hour of service earns: rules by kind of service between two days, and until when points may be spent."""

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.web import day_words
from portal.points.models import PointRule

# A place that has set nothing lives by this: ten points an hour, which expire two years after their month.
# 服务积分 are lawful incentives (意见 2024; 山东省志愿服务条例 35); the figures are the portal's own.
DEFAULT_PER_HOUR, DEFAULT_MONTHS = 10, 24
WHOLE_FACTOR = 100


@dataclass(frozen=True)
class InForce:
    """What holds on a day; `rule` is none where the default does."""

    per_hour: int
    expires_months: int | None
    rule: PointRule | None = None

    def points(self, minutes: int, factor: int = WHOLE_FACTOR) -> int:
        """Minutes by points an hour by the factor (in hundredths), rounded down."""
        return minutes * self.per_hour * factor // (60 * WHOLE_FACTOR)

    def expires_on(self, day: date) -> date | None:
        """The last day of what is earned on a day: so many months after the end of its month; none: never."""
        if self.expires_months is None:
            return None
        months = day.year * 12 + day.month + self.expires_months
        return date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


@dataclass(frozen=True)
class RuleFacts:
    per_hour: int
    expires_months: int | None
    valid_from: date
    kind: str = ""
    source: str = ""


def in_force(kind: str, day: date) -> InForce:
    """The rule for a kind of service on a day: its own before the one for all, the latest; else the default."""
    query = (
        sa.select(PointRule)
        .where(PointRule.kind.in_([kind, ""]), PointRule.valid_from <= day)
        .where(sa.or_(PointRule.valid_to.is_(None), PointRule.valid_to >= day))
        .order_by(PointRule.kind.desc(), PointRule.valid_from.desc(), PointRule.id.desc())
    )
    rule = db.session.scalars(query.limit(1)).first()
    if rule is None:
        return InForce(DEFAULT_PER_HOUR, DEFAULT_MONTHS)
    return InForce(rule.per_hour, rule.expires_months, rule)


def rules() -> list[PointRule]:
    """Every rule, those for all kinds first, the latest of a kind first."""
    query = sa.select(PointRule).order_by(PointRule.kind, PointRule.valid_from.desc(), PointRule.id.desc())
    return list(db.session.scalars(query))


def rule(rule_id: int) -> PointRule:
    found = db.session.get(PointRule, rule_id)
    if found is None:
        raise Missing
    return found


def add_rule(facts: RuleFacts, *, by: Actor) -> PointRule:
    """Set what holds for a kind from a day on; the rule before it ends the day before. Never for days gone by."""
    if facts.valid_from < today():
        raise Refused(_("生效日期不能早于今天：已经服务的时间按当时的规则计分。"), field="valid_from")
    made = PointRule(
        kind=facts.kind,
        per_hour=facts.per_hour,
        expires_months=facts.expires_months,
        valid_from=facts.valid_from,
        source=facts.source,
        updated_by_name=by.name,
    )
    with unique_or(
        Refused(_("这类服务在这一天已经有一条规则，请换一个生效日期，或先停用那一条。"), field="valid_from")
    ):
        db.session.add(made)
    before = sa.and_(
        PointRule.kind == facts.kind,
        PointRule.valid_from < facts.valid_from,
        sa.or_(PointRule.valid_to.is_(None), PointRule.valid_to >= facts.valid_from),
    )
    for old in db.session.scalars(sa.select(PointRule).where(before).order_by(PointRule.id)):
        old.valid_to, old.updated_by_name = facts.valid_from - timedelta(days=1), by.name
    later = sa.select(sa.func.min(PointRule.valid_from)).where(
        PointRule.kind == facts.kind, PointRule.valid_from > facts.valid_from
    )
    following = db.session.scalar(later)
    made.valid_to = following - timedelta(days=1) if following else None
    audit.record("points.rule_set", made, kind=facts.kind, per_hour=facts.per_hour)
    return made


def end_rule(rule: PointRule, last_day: date, *, reason: str, by: Actor) -> None:
    """Let a rule end with a day; afterwards the rule for all kinds, or the default, holds."""
    if last_day < today() - timedelta(days=1):
        raise Refused(_("停用日期不能早于昨天：已经服务的时间按当时的规则计分。"), field="last_day")
    if last_day < rule.valid_from:
        raise Refused(_("停用日期不能早于这条规则的生效日期。"), field="last_day")
    if rule.valid_to is not None and rule.valid_to < last_day:
        raise Refused(_("这条规则在 %(day)s 就已经停用，不能再往后延。请另立一条规则。", day=day_words(rule.valid_to)))
    rule.valid_to, rule.updated_by_name = last_day, by.name
    audit.record("points.rule_ended", rule, reason=reason, kind=rule.kind, last_day=last_day.isoformat())
