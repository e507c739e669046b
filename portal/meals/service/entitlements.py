"""Subsidies: a pure decision about which rules help with a bill.

decide() reads nothing: rules, facts, a bill and what was used before go in; lines and remarks come out. The counters
that hold the caps are in subsidies.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import calendar, money
from portal.core.db import db
from portal.meals.models import (
    Days,
    Meal,
    PayerLevel,
    RegionLevel,
    SetClass,
    SubsidyKind,
    SubsidyRule,
)
from portal.meals.service.words import said
from portal.registry.models import Person, Registration, TagKind

PAYERS = tuple(PayerLevel)
REGION_DIGITS = {RegionLevel.CITY: 4, RegionLevel.DISTRICT: 6, RegionLevel.STREET: 9}


@dataclass(frozen=True)
class Facts:
    """What a rule may ask of a person and a meal. The age is in full years on the day; None when unknown."""

    age: int | None
    registration_code: str
    tags: frozenset[TagKind]
    meal: Meal
    working_day: bool


@dataclass(frozen=True)
class Portion:
    """Portions of one dish: how many, at what price each, of which class."""

    price_fen: int
    set_class: SetClass = SetClass.BASIC
    count: int = 1


@dataclass(frozen=True)
class Bill:
    portions: tuple[Portion, ...]
    delivery_fen: int = 0

    @property
    def total_fen(self) -> int:
        return self.items_fen() + self.delivery_fen

    def items_fen(self, set_class: SetClass | None = None) -> int:
        """The dishes' price, of one class or of all."""
        chosen = [portion for portion in self.portions if set_class in {None, portion.set_class}]
        return sum(portion.price_fen * portion.count for portion in chosen)

    def dearest_fen(self, set_class: SetClass | None = None) -> int:
        """The price of the dearest single portion: a fixed price is for one meal, not for two."""
        prices = [portion.price_fen for portion in self.portions if set_class in {None, portion.set_class}]
        return max(prices, default=0)


@dataclass(frozen=True)
class Used:
    """What a person has had under a rule this day and this month."""

    day_fen: int = 0
    day_times: int = 0
    month_fen: int = 0


@dataclass(frozen=True)
class Line:
    rule: SubsidyRule
    amount_fen: int
    sentence: str


@dataclass(frozen=True)
class Decision:
    """The lines that apply, in payers' order, and remarks on why a rule that nearly applied does not."""

    lines: tuple[Line, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def total_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


@dataclass(frozen=True)
class _Claim:
    """A rule that fits, what it would give alone, and a word on what made that smaller."""

    rule: SubsidyRule
    amount_fen: int
    limit: str = ""


def decide(rules: Iterable[SubsidyRule], facts: Facts, bill: Bill, used: Mapping[int, Used]) -> Decision:
    """Which rules help: every stackable one, and of the others the best for the person; never below zero to pay."""
    remarks: list[str] = []
    claims: list[_Claim] = []
    for rule in sorted(rules, key=lambda rule: (PAYERS.index(rule.payer), rule.id or 0)):
        if not suits_person(rule, facts):
            continue
        remark = _missing_condition(rule, facts, bill)
        claim = None if remark else _claim(rule, bill, used.get(rule.id, Used()))
        if claim and claim.amount_fen > 0:
            claims.append(claim)
        elif remark or (claim and claim.limit):
            remarks.append(f"{rule.name}{_('：')}{remark or (claim.limit if claim else '')}")
    chosen, passed_over = _best(claims)
    return Decision(_lines(chosen, facts, bill), (*remarks, *passed_over))


def suits_person(rule: SubsidyRule, facts: Facts) -> bool:
    """Whether age, household registration and tags are those the rule asks for."""
    bounded = rule.age_from is not None or rule.age_to is not None
    if bounded and facts.age is None:
        return False
    if not (rule.age_from or 0) <= (facts.age or 0) <= (999 if rule.age_to is None else rule.age_to):
        return False
    if rule.region_level is not RegionLevel.ANY:
        region = rule.region_code[: REGION_DIGITS[rule.region_level]]
        if not region or not facts.registration_code.startswith(region):
            return False
    return not rule.tags or any(tag in facts.tags for tag in rule.tags)


def _missing_condition(rule: SubsidyRule, facts: Facts, bill: Bill) -> str:
    """Why this meal or bill does not meet the rule, in words; nothing when it does."""
    if not rule.for_meal(facts.meal):
        return _("%(meal)s不在补贴范围", meal=said(facts.meal))
    if rule.days is Days.WORKING and not facts.working_day:
        return _("只在工作日补贴，这一天不是工作日")
    counted = bill.items_fen() + (bill.delivery_fen if rule.counts_delivery else 0)
    if counted < rule.least_bill_fen:
        return _("餐费满 %(least)s 元才补贴，现在是 %(bill)s 元", least=short(rule.least_bill_fen), bill=short(counted))
    if rule.strictly_above and counted <= rule.least_bill_fen:
        return _(
            "餐费超过 %(least)s 元才补贴，现在是 %(bill)s 元", least=short(rule.least_bill_fen), bill=short(counted)
        )
    return ""


def _claim(rule: SubsidyRule, bill: Bill, used: Used) -> _Claim:
    """What the rule gives by itself, after its caps."""
    if rule.times_per_day is not None and used.day_times >= rule.times_per_day:
        return _Claim(rule, 0, _("每天最多 %(count)d 次，这一天已经用过", count=rule.times_per_day))
    delivery = bill.delivery_fen if rule.counts_delivery else 0
    base = bill.items_fen(rule.set_class) + delivery
    if rule.kind is SubsidyKind.FIXED_PRICE:
        amount = bill.dearest_fen(rule.set_class) + delivery - rule.amount_fen
    elif rule.kind is SubsidyKind.SHARE:
        amount = money.share(base, rule.permille, of=1000)
    else:
        amount = min(rule.amount_fen, base)
    limit = ""
    for room, words in _caps(rule, used):
        if amount > room:
            amount, limit = max(room, 0), words
    return _Claim(rule, amount, limit)


def _caps(rule: SubsidyRule, used: Used) -> list[tuple[int, str]]:
    """The room each cap leaves, with its words."""
    caps: list[tuple[int, str]] = []
    if rule.cap_meal_fen is not None:
        caps.append((rule.cap_meal_fen, _("每餐最多补 %(cap)s 元", cap=short(rule.cap_meal_fen))))
    if rule.cap_day_fen is not None:
        room = rule.cap_day_fen - used.day_fen
        caps.append((room, _("每天最多补 %(cap)s 元，还剩 %(left)s 元", cap=short(rule.cap_day_fen), left=short(room))))
    if rule.cap_month_fen is not None:
        room = rule.cap_month_fen - used.month_fen
        caps.append(
            (room, _("每月最多补 %(cap)s 元，还剩 %(left)s 元", cap=short(rule.cap_month_fen), left=short(room)))
        )
    return caps


def _best(claims: Sequence[_Claim]) -> tuple[list[_Claim], list[str]]:
    """The stackable claims and the best of the others; and a remark on each that gave way."""
    single = [claim for claim in claims if not claim.rule.stackable]
    best = max(single, key=lambda claim: claim.amount_fen, default=None)
    remarks = [
        _("%(name)s：不能与「%(best)s」同时享受，已按优惠多的算", name=claim.rule.name, best=best.rule.name)
        for claim in single
        if best and claim is not best
    ]
    return [claim for claim in claims if claim.rule.stackable or claim is best], remarks


def _lines(claims: Sequence[_Claim], facts: Facts, bill: Bill) -> tuple[Line, ...]:
    lines: list[Line] = []
    for claim in claims:
        rule, given = claim.rule, sum(line.amount_fen for line in lines)
        amount = claim.amount_fen
        if rule.kind is SubsidyKind.FIXED_PRICE:
            amount -= given
        covered = bill.total_fen if rule.counts_delivery else bill.items_fen()
        amount = min(amount, covered - given)
        if amount > 0:
            lines.append(Line(rule, amount, _sentence(claim, facts, amount)))
    return tuple(lines)


def _sentence(claim: _Claim, facts: Facts, amount: int) -> str:
    """Which rule, why it applies to this person, and what it gives: 深户补贴：满 73 岁，每餐减 5 元."""
    rule = claim.rule
    why = _reasons(rule, facts)
    if rule.kind is SubsidyKind.FIXED_PRICE:
        what = _("每餐自付 %(price)s 元，补 %(amount)s 元", price=short(rule.amount_fen), amount=short(amount))
    elif rule.kind is SubsidyKind.SHARE:
        what = _("减 %(part)s%%，补 %(amount)s 元", part=f"{rule.permille / 10:g}", amount=short(amount))
    else:
        what = _("每餐减 %(amount)s 元", amount=short(amount))
    return f"{rule.name}{_('：')}{_('，').join([*why, what, *([claim.limit] if claim.limit else [])])}"[:200]


def _reasons(rule: SubsidyRule, facts: Facts) -> list[str]:
    why = []
    if rule.age_from is not None or rule.age_to is not None:
        why.append(_("满 %(age)d 岁", age=facts.age or 0))
    if rule.region_level is not RegionLevel.ANY:
        why.append(said(rule.region_level))
    why += [said(tag) for tag in TagKind if tag in facts.tags and tag.value in rule.tags][:1]
    if rule.set_class:
        why.append(said(rule.set_class))
    return why


def short(fen: int) -> str:
    """An amount as people say it: 5, 3.5, 12.25."""
    text = money.yuan(fen)
    return text.rstrip("0").rstrip(".") if "." in text else text


def rules_on(day: date) -> list[SubsidyRule]:
    """Every rule in force on a day, in the order they were written."""
    return list(db.session.scalars(_in_force(), {"day": day}))


@cache
def _in_force() -> sa.Select[Any]:
    day: sa.BindParameter[date] = sa.bindparam("day", type_=sa.Date)
    return (
        sa.select(SubsidyRule)
        .where(SubsidyRule.valid_from <= day, sa.or_(SubsidyRule.valid_to.is_(None), SubsidyRule.valid_to >= day))
        .order_by(SubsidyRule.id)
    )


def at_canteen(rules: Iterable[SubsidyRule], community_code: str) -> list[SubsidyRule]:
    """The rules of the place a canteen stands in: their area is the community or holds it."""
    return [rule for rule in rules if community_code.startswith(rule.area_code)]


def facts_of(person: Person, day: date, meal: Meal, rules: Iterable[SubsidyRule] | None = None) -> Facts:
    """A person's facts on the day of a meal. A local registration without a code is that of the community.

    Given the rules that will be asked, tags and calendar are looked up only when one of them cares.
    """
    asked = None if rules is None else list(rules)
    code = person.registration_code
    if not code and person.registration is Registration.LOCAL:
        code = person.community.code
    tags = asked is None or any(rule.tags for rule in asked)
    days = asked is None or any(rule.days is Days.WORKING for rule in asked)
    return Facts(
        age=person.age(day),
        registration_code=code,
        tags=person.tag_kinds(day) if tags else frozenset(),
        meal=meal,
        working_day=calendar.is_working_day(day) if days else True,
    )
