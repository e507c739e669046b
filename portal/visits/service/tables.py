"""Keeping the street's tables: rules and the rest end on a day and begin on a day, so that old months stay true."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import TagKind
from portal.visits.models import (
    CareRule,
    FindingKind,
    FindingRoute,
    Frequency,
    LadderRung,
    Level,
    LevelFrequency,
    StepKind,
)
from portal.visits.models.rules import Dated

Row = TypeVar("Row", bound=Dated)
Within = Collection[Scope]
NATIONAL = "民发〔2022〕73号"
LOCAL = "内蒙古分级探访办法（参考）"
T = TagKind
# Section 6 of the domain rules: three levels; what a street changes it changes on the page.
RULES = (
    ("80 岁以上独居、空巢、留守", (T.LIVING_ALONE, T.EMPTY_NEST, T.LEFT_BEHIND), 80, Level.HIGH, LOCAL),
    ("失能老年人", (T.DISABLED_ELDER,), 60, Level.FOCUS, NATIONAL),
    ("重度残疾人", (T.SEVERELY_DISABLED,), None, Level.FOCUS, NATIONAL),
    ("分散供养特困人员", (T.DESTITUTE,), None, Level.FOCUS, LOCAL),
    ("计划生育特殊家庭", (T.FAMILY_PLANNING, T.BEREAVED), None, Level.FOCUS, NATIONAL),
    ("孤儿、困境儿童", (T.ORPHAN, T.CHILD_IN_DIFFICULTY), None, Level.FOCUS, LOCAL),
    ("独居、空巢、留守老年人", (T.LIVING_ALONE, T.EMPTY_NEST, T.LEFT_BEHIND), 60, Level.GENERAL, NATIONAL),
    ("留守儿童", (T.LEFT_BEHIND_CHILD,), None, Level.GENERAL, LOCAL),
)
FREQUENCIES = ((Level.HIGH, Frequency.WEEKLY), (Level.FOCUS, Frequency.MONTHLY), (Level.GENERAL, Frequency.QUARTERLY))
LADDER = (
    (StepKind.AGAIN, 120),
    (StepKind.CONTACT, 150),
    (StepKind.COLLEAGUE, 210),
    (StepKind.COMMITTEE, 270),
    (StepKind.EMERGENCY, 330),
)
ROUTES = (
    (FindingKind.HEALTH, "家庭医生、社区卫生服务站", 3),
    (FindingKind.MIND, "社会工作站", 3),
    (FindingKind.HOME_SAFETY, "物业或燃气、电力抢修", 2),
    (FindingKind.CARE, "居家养老服务机构", 5),
    (FindingKind.MONEY, "街道社会救助窗口", 5),
    (FindingKind.FAMILY, "人民调解委员会", 7),
    (FindingKind.ABUSE, "派出所（110）", 0),
    (FindingKind.CHILD, "派出所（110）、街道儿童督导员", 0),
    (FindingKind.OTHER, "社区居委会", 7),
)

ORDER = {kind: turn for turn, kind in enumerate(FindingKind)}


@dataclass(frozen=True)
class Tables:
    """Everything a street sets, as its page shows it; what is over last."""

    rules: list[CareRule]
    frequencies: list[LevelFrequency]
    rungs: list[LadderRung]
    routes: list[FindingRoute]

    def is_empty(self) -> bool:
        return not (self.rules or self.frequencies or self.rungs or self.routes)


def seed(area_code: str, *, by: str, since: date | None = None) -> int:
    """Fill an area's tables with the defaults of the domain rules, where it has none; return how many rows."""
    begins = since or today()
    facts = {"area_code": area_code, "valid_from": begins, "set_by": by}
    filled: list[CareRule | LevelFrequency | LadderRung | FindingRoute] = []
    if _has_none(CareRule, area_code):
        filled += [
            CareRule(name=name, tags=[tag.value for tag in tags], age_from=age, level=level, source=source, **facts)
            for name, tags, age, level, source in RULES
        ]
    if _has_none(LevelFrequency, area_code):
        filled += [LevelFrequency(level=level, frequency=frequency, **facts) for level, frequency in FREQUENCIES]
    if _has_none(LadderRung, area_code):
        filled += [LadderRung(kind=kind, minutes=minutes, **facts) for kind, minutes in LADDER]
    if _has_none(FindingRoute, area_code):
        filled += [FindingRoute(kind=kind, party=party, days=days, **facts) for kind, party, days in ROUTES]
    db.session.add_all(filled)
    db.session.flush()
    if filled:
        audit.record("visits.tables_seeded", None, count=len(filled))
    return len(filled)


def _has_none(kind: type[CareRule | LevelFrequency | LadderRung | FindingRoute], area_code: str) -> bool:
    return db.session.scalar(sa.select(kind.id).where(kind.area_code == area_code).limit(1)) is None


def places(within: Collection[Scope]) -> list[Area]:
    """Where a table may be set by somebody with these scopes: streets, and the communities inside them."""
    codes = {scope.ref for scope in within if scope.kind == "street"}
    streets = db.session.scalars(sa.select(Area).where(Area.code.in_(codes)).order_by(Area.code))
    return [*streets, *areas.whole_communities(within)]


def tables(within: Collection[Scope]) -> Tables:
    """All rows of an administrator's places; what still holds or is to come first, then by area and key."""
    codes = [area.code for area in places(within)]
    return Tables(
        rules=sorted(_rows(CareRule, codes), key=lambda row: (_over(row), row.level.rank, row.id)),
        frequencies=sorted(_rows(LevelFrequency, codes), key=lambda row: (_over(row), row.level.rank, row.id)),
        rungs=sorted(_rows(LadderRung, codes), key=lambda row: (_over(row), row.minutes, row.id)),
        routes=sorted(
            _rows(FindingRoute, codes), key=lambda row: (_over(row), list(FindingKind).index(row.kind), row.id)
        ),
    )


def _rows(kind: type[Row], codes: Collection[str]) -> list[Row]:
    query = sa.select(kind).where(kind.area_code.in_(codes))
    return list(db.session.scalars(query.order_by(sa.inspect(kind).primary_key[0])))


def _over(row: Dated) -> bool:
    return row.valid_to is not None and row.valid_to < today()


def may_keep(within: Collection[Scope], area_code: str) -> bool:
    return area_code in {area.code for area in places(within)}


def rule_in(within: Collection[Scope], rule_id: int) -> CareRule:
    rule = db.session.get(CareRule, rule_id)
    if rule is None or not may_keep(within, rule.area_code):
        raise Missing
    return rule


@dataclass(frozen=True)
class RuleFacts:
    """What the form of a rule says."""

    name: str
    area_code: str
    tags: frozenset[TagKind]
    age_from: int | None
    age_to: int | None
    level: Level
    valid_from: date
    valid_to: date | None
    source: str = ""


def add_rule(facts: RuleFacts, *, within: Collection[Scope], by: str) -> CareRule:
    """A new rule, from a day on: levels follow at the next planning."""
    wrong = [
        (not may_keep(within, facts.area_code), "area_code", _("只能为您管辖的街道和社区设规则。")),
        (not facts.tags and facts.age_from is None and facts.age_to is None, "tags", _("请选标签，或填年龄。")),
        (
            facts.age_from is not None and facts.age_to is not None and facts.age_to < facts.age_from,
            "age_to",
            _("年龄上限不能小于下限。"),
        ),
        (
            facts.valid_to is not None and facts.valid_to < facts.valid_from,
            "valid_to",
            _("结束日期不能早于开始日期。"),
        ),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)
    rule = CareRule(
        name=facts.name,
        area_code=facts.area_code,
        tags=sorted(tag.value for tag in facts.tags),
        age_from=facts.age_from,
        age_to=facts.age_to,
        level=facts.level,
        valid_from=facts.valid_from,
        valid_to=facts.valid_to,
        source=facts.source,
        set_by=by,
    )
    db.session.add(rule)
    db.session.flush()
    audit.record("visits.rule_added", rule, level=rule.level.value, valid_from=rule.valid_from.isoformat())
    return rule


def end_rule(rule: CareRule, last_day: date) -> None:
    """Let a rule hold until a day, that day included."""
    if last_day < today() - timedelta(days=1):
        raise Refused(_("结束日期最早是昨天。"), field="last_day")
    if last_day < rule.valid_from:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    rule.valid_to = last_day
    audit.record("visits.rule_ended", rule, valid_to=last_day.isoformat())


def _succeed(kind: type[Row], key: str, value: object, area: str, day: date) -> None:
    """End what holds on a day, so that a new row may begin on it; a row that begins the same day is replaced."""
    for row in _rows(kind, [area]):
        if getattr(row, key) is not value:
            continue
        if row.valid_from >= day:
            db.session.delete(row)
        elif row.valid_to is None or row.valid_to >= day:
            row.valid_to = day - timedelta(days=1)
    db.session.flush()


def _check_from(area: str, day: date, within: Collection[Scope]) -> None:
    if not may_keep(within, area):
        raise Missing
    if day < today():
        raise Refused(_("生效日期最早是今天。"), field="valid_from")


def set_frequency(
    area: str, level: Level, frequency: Frequency, day: date, *, within: Collection[Scope], by: str
) -> None:
    _check_from(area, day, within)
    _succeed(LevelFrequency, "level", level, area, day)
    db.session.add(LevelFrequency(area_code=area, level=level, frequency=frequency, valid_from=day, set_by=by))
    audit.record("visits.frequency_set", None, level=level.value, value=frequency.value, valid_from=day.isoformat())


def set_rung(area: str, kind: StepKind, minutes: int, day: date, *, within: Within, by: str) -> None:
    _check_from(area, day, within)
    _succeed(LadderRung, "kind", kind, area, day)
    db.session.add(LadderRung(area_code=area, kind=kind, minutes=minutes, valid_from=day, set_by=by))
    audit.record("visits.ladder_set", None, kind=kind.value, value=minutes, valid_from=day.isoformat())


def set_route(
    area: str, kind: FindingKind, party: str, days: int, day: date, *, within: Collection[Scope], by: str
) -> None:
    _check_from(area, day, within)
    _succeed(FindingRoute, "kind", kind, area, day)
    db.session.add(FindingRoute(area_code=area, kind=kind, party=party, days=days, valid_from=day, set_by=by))
    audit.record("visits.route_set", None, kind=kind.value, days=days, valid_from=day.isoformat())
