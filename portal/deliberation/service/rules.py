"""Rules of bodies: which one holds on a day in a place, how it is written onto a vote, confirming and replacing."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area, AreaKind
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, insert_once, unique_or
from portal.core.errors import Missing, Refused
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import Body
from portal.deliberation.service.law import LAW, REGIONAL

# Who wrote the rows that came confirmed: a rule's page shows it as the name of who confirmed it.
LOADED = "按法律原文装入"


@dataclass(frozen=True)
class RuleFacts:
    """What a street says of a rule of its own, or of the law as it reads now."""

    article: str
    notice_days: int
    quorum: int
    quorum_of: int
    quorum_over: bool
    passes: int
    passes_of: int
    passes_over: bool
    registered_only: bool
    least_age: int
    note: str


def load_law() -> int:
    """Give the house the law's rows that it lacks, and its province's; how many. Often called, by the night too."""
    return sum(_load(row.columns(), confirmed=row.confirmed) for row in LAW) + _load_regional()


def _load_regional() -> int:
    """Of the streets of a province that has rules of its own: where a street wrote its own row already, it stays."""
    count = 0
    for one in REGIONAL:
        mine = sa.exists().where(BodyRule.area_id == Area.id, BodyRule.body == one.row.body)
        streets = sa.select(Area.id).where(Area.kind == AreaKind.STREET, Area.code.startswith(one.region), ~mine)
        for street in list(db.session.scalars(streets.order_by(Area.id))):
            count += _load({**one.row.columns(), "area_id": street}, confirmed=one.row.confirmed)
    return count


def load_law_told() -> int:
    """The same, asked for by somebody."""
    count = load_law()
    audit.record("deliberation.rules_loaded", None, count=count)
    return count


def _load(columns: Mapping[str, Any], *, confirmed: bool) -> bool:
    held = {"confirmed_at": now(), "confirmed_by_name": LOADED} if confirmed else {"confirmed_by_name": ""}
    return insert_once(BodyRule, {**columns, "least_age": 18, **held})


def rule_for(body: Body, area: Area, day: date) -> BodyRule:
    """The rule of a body in a place on a day: the place's own, else its street's, else the law's; Refused if none."""
    places = [area.id, area.parent_id] if area.kind is not AreaKind.STREET else [area.id]
    query = sa.select(BodyRule).where(
        BodyRule.body == body,
        sa.or_(BodyRule.area_id.is_(None), BodyRule.area_id.in_(places)),
        BodyRule.valid_from <= day,
        sa.or_(BodyRule.valid_to.is_(None), BodyRule.valid_to >= day),
    )
    found = list(db.session.scalars(query.order_by(BodyRule.valid_from.desc(), BodyRule.id.desc())))
    for place in [*places, None]:
        for rule in found:
            if rule.area_id == place:
                return rule
    raise Refused(_("这一天没有可用的议事规则。请街道先在“议事规则”里补上，再来表决。"))


def snapshot(rule: BodyRule, *, confirmed_by: str = "") -> dict[str, Any]:
    """A rule as it is written onto a vote (thresholds.threshold_of reads it): what holds for the vote, whatever
    becomes of the row. `confirmed_by`: a committee that confirmed an unconfirmed row for this vote alone.
    """
    return {
        "id": rule.id,
        "body": rule.body.value,
        "article": rule.article,
        "notice_days": rule.notice_days,
        "quorum": [rule.quorum, rule.quorum_of],
        "quorum_over": rule.quorum_over,
        "passes": [rule.passes, rule.passes_of],
        "passes_over": rule.passes_over,
        "by_area": rule.by_area,
        "registered_only": rule.registered_only,
        "least_age": rule.least_age,
        "note": rule.note,
        "confirmed": rule.confirmed_at is not None or bool(confirmed_by),
        "confirmed_by_name": confirmed_by or rule.confirmed_by_name,
    }


def rules(within: Collection[Scope], *, ended: bool = False) -> list[BodyRule]:
    """The law's rows and those of the places in scope, by body, the law's first; with `ended` also the former ones."""
    query = sa.select(BodyRule).where(_seen(within)).options(joinedload(BodyRule.area))
    if not ended:
        query = query.where(sa.or_(BodyRule.valid_to.is_(None), BodyRule.valid_to >= today()))
    found = list(db.session.scalars(query.order_by(BodyRule.id)))
    bodies = list(Body)
    return sorted(found, key=lambda one: (bodies.index(one.body), one.area_id or 0, one.valid_from, one.id))


def _seen(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    places = sa.select(Area.id).where(_inside(within))
    return sa.or_(BodyRule.area_id.is_(None), BodyRule.area_id.in_(places))


def _inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """Streets in scope, and the communities of them; a community's scope holds the community."""
    if any(scope.kind == "all" for scope in within):
        return Area.kind != AreaKind.GRID
    codes = [scope.ref for scope in within]
    streets = sa.select(Area.id).where(Area.kind == AreaKind.STREET, Area.code.in_(codes))
    return sa.or_(Area.code.in_(codes), sa.and_(Area.kind == AreaKind.COMMUNITY, Area.parent_id.in_(streets)))


def places(within: Collection[Scope]) -> list[Area]:
    """Where a rule of one's own may hold: the street and its communities, by code."""
    query = sa.select(Area).where(Area.kind != AreaKind.GRID, _inside(within))
    return list(db.session.scalars(query.order_by(Area.code)))


def rule_in(within: Collection[Scope], rule_id: int) -> BodyRule:
    query = sa.select(BodyRule).where(BodyRule.id == rule_id, _seen(within)).options(joinedload(BodyRule.area))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def confirm(rule: BodyRule, *, note: str, by: Actor) -> None:
    """Somebody compared a row with the statute in force; `note` says with what."""
    _lock(rule)
    if rule.confirmed_at is not None:
        raise Refused(_("这一条已经核对过了，不用再核对。"))
    if rule.valid_to is not None and rule.valid_to < today():
        raise Refused(_("这一条已经停用，不用再核对。请核对现行的一条。"))
    rule.confirmed_at, rule.confirmed_by_name = now(), by.name
    rule.note = _noted(rule.note, note)
    audit.record("deliberation.rule_confirmed", rule, body=rule.body.value)


def _noted(before: str, note: str) -> str:
    """Who confirms says with what; that a row waits to be confirmed is said no longer."""
    kept = "".join(part + "。" for part in before.split("。") if part and "待核对" not in part)
    return f"{kept}{note}"[:300]


def replace(rule: BodyRule, facts: RuleFacts, *, valid_from: date, by: Actor) -> BodyRule:
    """The rule as it reads from a day on: the row before it ends the day before; votes keep what is written on them."""
    _lock(rule)
    if rule.valid_to is not None:
        raise Refused(_("这一条已经停用。请从现行的一条修改。"))
    if valid_from <= rule.valid_from:
        raise Refused(_("新规则的生效日要晚于原来这一条的生效日。"), field="valid_from")
    rule.valid_to = valid_from - timedelta(days=1)
    made = _made(rule.body, rule.area_id, facts, valid_from, by)
    audit.record("deliberation.rule_replaced", made, body=rule.body.value, earlier=rule.id)
    return made


def add_local(body: Body, area: Area, facts: RuleFacts, *, valid_from: date, by: Actor) -> BodyRule:
    """A rule of a place's own, stricter than the law's or where the law leaves it to the place."""
    standing = sa.select(BodyRule.id).where(
        BodyRule.body == body, BodyRule.area_id == area.id, BodyRule.valid_to.is_(None)
    )
    if db.session.scalar(standing.limit(1)) is not None:
        raise Refused(_("这里已经有这一种会议的本地规则。请打开它，点“改成新规则”。"), field="area")
    made = _made(body, area.id, facts, valid_from, by)
    audit.record("deliberation.rule_added", made, body=body.value)
    return made


def end_local(rule: BodyRule, *, last_day: date, why: str) -> None:
    """A local rule holds no longer: from the next day the law's holds again."""
    _lock(rule)
    if rule.area_id is None:
        raise Refused(_("法律的规则不能停用，只能改成新的条文。"))
    if rule.valid_to is not None:
        raise Refused(_("这一条已经停用了。"))
    if last_day < rule.valid_from:
        raise Refused(_("停用的日子不能早于生效的日子。"), field="last_day")
    rule.valid_to = last_day
    audit.record("deliberation.rule_ended", rule, reason=why, body=rule.body.value)


def _made(body: Body, area_id: int | None, facts: RuleFacts, valid_from: date, by: Actor) -> BodyRule:
    for name in ("quorum", "passes"):
        _check_share(facts, name)
    if area_id is not None and body in OWNERS:
        _check_law(body, facts, valid_from)
    made = BodyRule(body=body, area_id=area_id, valid_from=valid_from, **asdict(facts))
    made.by_area = body in OWNERS
    made.confirmed_at, made.confirmed_by_name = now(), by.name
    with unique_or(Refused(_("这一天已经有一条同样的规则了，请换一个生效日。"), field="valid_from")):
        db.session.add(made)
    return made


def _check_share(facts: RuleFacts, name: str) -> None:
    part, whole, over = _share(facts, name)
    if not 0 <= part <= whole or (name == "passes" and not part):
        raise Refused(_("请写成不超过 1 的分数，例如 2/3。"), field=name)
    if part == whole and over:
        raise Refused(_("“超过全部”谁也达不到。要全体同意，请选“达到它就行”。"), field=name)


def _check_law(body: Body, facts: RuleFacts, day: date) -> None:
    """What owners decide together the Civil Code rules (art. 278): a place may ask more of them and never less."""
    holds = (BodyRule.valid_from <= day, sa.or_(BodyRule.valid_to.is_(None), BodyRule.valid_to >= day))
    query = sa.select(BodyRule).where(BodyRule.body == body, BodyRule.area_id.is_(None), *holds)
    law = db.session.scalar(query.order_by(BodyRule.valid_from.desc()).limit(1))
    for name in ("quorum", "passes") if law else ():
        if _strictness(facts, name) < _strictness(law, name):
            raise Refused(_("业主表决的比例是民法典定的，本地规则可以更严，不能低于法律。"), field=name)


def _strictness(rule: Any, name: str) -> tuple[Fraction, bool]:
    part, whole, over = _share(rule, name)
    return Fraction(part, whole), over


def _share(rule: Any, name: str) -> tuple[int, int, bool]:
    return getattr(rule, name), getattr(rule, f"{name}_of"), getattr(rule, f"{name}_over")


OWNERS = (Body.OWNERS_ORDINARY, Body.OWNERS_SPECIAL)


def _lock(rule: BodyRule) -> None:
    """Read again what stands, held until the act is done: two who act at once see each other."""
    db.session.refresh(rule, with_for_update={"of": BodyRule})
