"""Keeping subsidy rules: a rule that has granted anything is never edited, it ends and a successor begins."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit, calendar
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.meals.models import Meal, RegionLevel, SetClass, SubsidyKind, SubsidyLine, SubsidyRule
from portal.meals.service.entitlements import (
    REGION_DIGITS,
    Bill,
    Decision,
    Facts,
    Portion,
    at_canteen,
    decide,
    rules_on,
)
from portal.registry.models import TagKind

# A rule for another place of the portal is none of a keeper's business; one for no place here is a model to read.
_HOLDS_NOWHERE = ~sa.exists().where(Area.code.startswith(SubsidyRule.area_code))
COLUMNS = tuple(column.key for column in SubsidyRule.__table__.columns if column.key not in {"id", "confirmed_by"})


@dataclass(frozen=True)
class Scheme:
    """The rules of one place, those in force or to come first. An example holds in no place that the portal has."""

    name: str
    rules: tuple[SubsidyRule, ...]
    is_example: bool


@dataclass(frozen=True)
class Trial:
    """A made-up person and meal, to see what the rules of a community would give."""

    community_code: str
    day: date
    meal: Meal
    age: int | None
    registration_code: str
    tags: frozenset[TagKind]
    price_fen: int
    delivery_fen: int
    set_class: SetClass


def places(scopes: Collection[Scope]) -> list[Area]:
    """Where a rule may hold that somebody with these scopes keeps: the streets and communities inside them."""
    communities = areas.whole_communities(scopes)
    codes = {scope.ref for scope in scopes if scope.kind == "street"}
    streets = db.session.scalars(sa.select(Area).where(Area.code.in_(codes)).order_by(Area.code))
    return [*streets, *communities]


def schemes_in(scopes: Collection[Scope]) -> list[Scheme]:
    """Every rule that holds somewhere inside the scopes, by scheme; then the examples, to read how others do it."""
    return [*_schemes(_reaches(scopes)), *_schemes(_HOLDS_NOWHERE & ~_reaches(scopes), is_example=True)]


def _schemes(where: sa.ColumnElement[bool], *, is_example: bool = False) -> list[Scheme]:
    query = sa.select(SubsidyRule).where(where)
    rules = list(db.session.scalars(query.order_by(SubsidyRule.scheme, SubsidyRule.valid_from, SubsidyRule.id)))
    names = dict.fromkeys(rule.scheme for rule in rules)
    return [Scheme(name, tuple(_now_first(one for one in rules if one.scheme == name)), is_example) for name in names]


def _now_first(rules: Any) -> list[SubsidyRule]:
    return sorted(rules, key=lambda rule: bool(rule.valid_to and rule.valid_to < today()))


def _reaches(scopes: Collection[Scope]) -> sa.ColumnElement[bool]:
    """That a rule's area is inside a scope, or holds it."""
    refs = [scope.ref for scope in scopes if scope.kind in {"street", "community"}]
    inside = [SubsidyRule.area_code.startswith(ref, autoescape=True) for ref in refs]
    around = [sa.literal(ref).startswith(SubsidyRule.area_code) for ref in refs]
    return sa.or_(sa.false(), *inside, *around)


def may_keep(scopes: Collection[Scope], area_code: str) -> bool:
    """Whether a rule for this area is inside the scopes: what reaches beyond them is not theirs to change."""
    refs = [scope.ref for scope in scopes if scope.kind in {"street", "community"}]
    return any(area_code.startswith(ref) for ref in refs)


def rule_in(scopes: Collection[Scope], rule_id: int) -> SubsidyRule:
    """A rule that somebody with these scopes keeps."""
    rule = db.session.get(SubsidyRule, rule_id)
    if rule is None or not may_keep(scopes, rule.area_code):
        raise Missing
    return rule


def is_used(rule: SubsidyRule) -> bool:
    """Whether any order, standing or reversed, carries a line of this rule."""
    return bool(db.session.scalar(sa.select(sa.exists().where(SubsidyLine.rule_id == rule.id))))


def add_rule(facts: Mapping[str, Any], *, within: Collection[Scope], by: str) -> SubsidyRule:
    """Write a new rule. `facts` holds its columns; `by` is the name of who confirms it."""
    _check(facts, within)
    rule = SubsidyRule(confirmed_by=by, **{key: facts[key] for key in COLUMNS})
    db.session.add(rule)
    db.session.flush()
    audit.record("meals.rule_added", rule, name=rule.name, valid_from=rule.valid_from.isoformat())
    return rule


def edit_rule(rule: SubsidyRule, facts: Mapping[str, Any], *, within: Collection[Scope], by: str) -> SubsidyRule:
    """Change a rule nobody has used; otherwise end it on the eve of the new beginning and open a successor."""
    if not is_used(rule):
        _check(facts, within)
        changed = [key for key in COLUMNS if getattr(rule, key) != facts[key]]
        for key in changed:
            setattr(rule, key, facts[key])
        rule.confirmed_by = by
        db.session.flush()
        audit.record("meals.rule_changed", rule, columns=changed)
        return rule
    begins: date = facts["valid_from"]
    if begins <= today() or begins <= rule.valid_from:
        words = _("这条规则已经发放过补贴，不能改动以前的；新规则的开始日期最早是明天，并晚于原规则的开始日期。")
        raise Refused(words, field="valid_from")
    successor = add_rule(facts, within=within, by=by)
    if rule.valid_to is None or rule.valid_to >= begins:
        rule.valid_to = begins - timedelta(days=1)
    audit.record("meals.rule_succeeded", rule, successor=successor.id, valid_to=rule.valid_to.isoformat())
    return successor


def end_rule(rule: SubsidyRule, last_day: date) -> None:
    """Let a rule hold until a day, that day included; orders already placed keep what they were granted."""
    if last_day < today():
        raise Refused(_("结束日期最早是今天。"), field="last_day")
    if last_day < rule.valid_from:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    rule.valid_to = last_day
    audit.record("meals.rule_ended", rule, valid_to=last_day.isoformat())


def _check(facts: Mapping[str, Any], within: Collection[Scope]) -> None:
    """What one field alone cannot know."""
    if not may_keep(within, facts["area_code"]):
        raise Refused(_("只能为您管辖的街道和社区设补贴。"), field="area_code")
    kind = facts["kind"]
    wrong = [
        (kind is SubsidyKind.REDUCTION and not facts["amount_fen"], "amount_fen", _("请填每餐减多少元。")),
        (kind is SubsidyKind.SHARE and not facts["permille"], "permille", _("请填减百分之几。")),
        (_crossed(facts["age_from"], facts["age_to"]), "age_to", _("年龄上限不能小于下限。")),
        (_crossed(facts["valid_from"], facts["valid_to"]), "valid_to", _("结束日期不能早于开始日期。")),
        (_region_short(facts), "region_code", _("区划代码不够长：市 4 位、区 6 位、街道 9 位。")),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)


def _crossed(first: Any, last: Any) -> bool:
    return first is not None and last is not None and last < first


def _region_short(facts: Mapping[str, Any]) -> bool:
    level = facts["region_level"]
    return level is not RegionLevel.ANY and len(facts["region_code"]) < REGION_DIGITS[level]


def try_out(trial: Trial) -> Decision:
    """What the rules of a day and a community would give; caps count as untouched."""
    facts = Facts(trial.age, trial.registration_code, trial.tags, trial.meal, calendar.is_working_day(trial.day))
    bill = Bill((Portion(trial.price_fen, trial.set_class),), trial.delivery_fen)
    return decide(at_canteen(rules_on(trial.day), trial.community_code), facts, bill, {})
