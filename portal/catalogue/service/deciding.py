"""Keeping the conditions of an item: added, mended, moved, taken away."""

from dataclasses import dataclass, fields

from flask_babel import gettext as _

from portal.catalogue.models.codes import AGES, ConditionKind
from portal.catalogue.models.items import Condition, Item
from portal.catalogue.service import items
from portal.core import audit
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused

MOST = 12


@dataclass(frozen=True)
class ConditionFacts:
    """What the form of a condition says."""

    kind: ConditionKind
    number: int | None
    tags: list[str]
    answer: bool
    question: str
    met: str
    unmet: str
    remedy: str
    next_item_id: int | None


def condition_of(item: Item, condition_id: int) -> Condition:
    found = next((condition for condition in item.conditions if condition.id == condition_id), None)
    if found is None:
        raise Missing
    return found


def add(item: Item, facts: ConditionFacts) -> Condition:
    if len(item.conditions) >= MOST:
        raise Refused(_("一个事项最多 %(most)d 条条件，太多了居民答不完。请合并几条。", most=MOST))
    _refuse_wrong(item, facts)
    position = max((condition.position for condition in item.conditions), default=-1) + 1
    condition = Condition(position=position)
    _put(condition, facts)
    item.conditions.append(condition)
    _touched(item)
    audit.record("catalogue.condition_added", item, kind=facts.kind.value)
    return condition


def mend(item: Item, condition: Condition, facts: ConditionFacts) -> None:
    _refuse_wrong(item, facts)
    _put(condition, facts)
    _touched(item)
    audit.record("catalogue.condition_edited", item, kind=facts.kind.value)


def remove(item: Item, condition: Condition) -> None:
    item.conditions.remove(condition)
    _touched(item)
    audit.record("catalogue.condition_removed", item, kind=condition.kind.value)


def lift(item: Item, condition: Condition) -> None:
    """One place up: the order is the order in which residents read them."""
    order = list(item.conditions)
    place = order.index(condition)
    if place:
        order[place - 1], order[place] = order[place], order[place - 1]
        for position, one in enumerate(order):
            one.position = position
        _touched(item)
        audit.record("catalogue.condition_moved", item)


def _touched(item: Item) -> None:
    item.updated_at = now()
    db.session.flush()
    db.session.expire(item, ["conditions"])


def _put(condition: Condition, facts: ConditionFacts) -> None:
    for field in fields(ConditionFacts):
        setattr(condition, field.name, getattr(facts, field.name))
    if facts.kind not in AGES:
        condition.number = None
    if facts.kind is not ConditionKind.TAG:
        condition.tags = []
    if facts.kind not in {ConditionKind.TAG, ConditionKind.QUESTION}:
        condition.answer = True


def _refuse_wrong(item: Item, facts: ConditionFacts) -> None:
    others = {number for number, _title in items.alternatives(item)}
    wrong = [
        (facts.kind in AGES and facts.number is None, "number", _("请填年龄（周岁）。")),
        (facts.kind is ConditionKind.TAG and not facts.tags, "tags", _("请至少选一个人群标签。")),
        (facts.kind is ConditionKind.QUESTION and not facts.question, "question", _("请写要问的问题。")),
        (
            not facts.remedy and facts.next_item_id is None,
            "remedy",
            _("请写不符合时怎么办，或选一个可以接着办的事项：不能让居民走进死胡同。"),
        ),
        (
            facts.next_item_id is not None and facts.next_item_id not in others,
            "next_item",
            _("请从列表里选一个已发布的事项。"),
        ),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)
