"""Keeping items: made, edited on the version that was seen, published, withdrawn with a reason, copied."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.catalogue.models.codes import MOVES, ItemKind, ItemState
from portal.catalogue.models.items import Condition, Item, ItemChange, Material, Provider
from portal.catalogue.service import item_words, searching
from portal.core import audit, money
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused


@dataclass(frozen=True)
class Paper:
    """A paper to bring, as a line of the form says it."""

    name: str
    note: str = ""
    is_required: bool = True
    fetched: bool = False


@dataclass(frozen=True)
class ItemFacts:
    """What the form of an item says; papers are kept beside."""

    provider_id: int
    kind: ItemKind
    title: str
    summary: str
    keywords: str
    situations: Sequence[str]
    who: str
    how: str
    cost_fen: int | None
    cost: str
    place: str
    times: str
    takes: str
    basis: str
    phone: str
    limit_days: int | None
    cancel_hours: int
    ahead_days: int
    per_day: int | None
    per_week: int | None
    valid_from: date
    valid_to: date | None

    @classmethod
    def of(cls, item: Item) -> "ItemFacts":
        return cls(**{field.name: getattr(item, field.name) for field in fields(cls)})


def create(area: Area, facts: ItemFacts, papers: Sequence[Paper], *, by: Actor) -> Item:
    """A draft, which residents do not see."""
    _refuse_wrong(area, facts)
    item = Item(area=area, provider=db.session.get_one(Provider, facts.provider_id), updated_by=by.name)
    _put(item, facts, papers)
    db.session.add(item)
    db.session.flush()
    audit.record("catalogue.item_created", item, kind=item.kind.value)
    return item


def save(item: Item, facts: ItemFacts, papers: Sequence[Paper], *, version: int, by: Actor) -> list[str]:
    """Change what differs; answer the names of the fields. Refused when somebody else was quicker."""
    query = sa.select(Item).where(Item.id == item.id).with_for_update(of=Item)
    db.session.scalars(query.execution_options(populate_existing=True)).one()
    refuse_older(item, version)
    _refuse_wrong(item.area, facts)
    before = _values(item)
    _put(item, facts, papers)
    db.session.flush()
    db.session.refresh(item, ["provider"])
    after = _values(item)
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        item.version += 1
        item.updated_at, item.updated_by = now(), by.name
        differing = {name: [before[name], after[name]] for name in changed}
        db.session.add(ItemChange(item_id=item.id, version=item.version, by_name=by.name, changes=differing))
        audit.record("catalogue.item_edited", item, fields=changed)
    return changed


def refuse_older(item: Item, version: int) -> None:
    """Refuse an edit that began before somebody else's: the words name who, which fields, and what stands now."""
    if version == item.version:
        return
    query = sa.select(ItemChange).where(ItemChange.item_id == item.id, ItemChange.version > version)
    since = list(db.session.scalars(query.order_by(ItemChange.version)))
    who = _("、").join(dict.fromkeys(change.by_name for change in since))
    newest = {name: pair[1] for change in since for name, pair in change.changes.items()}
    what = _("；").join(f"{field_words(name)}：{value or _('空')}" for name, value in newest.items())
    raise Refused(
        _("您打开这一页以后，%(who)s改过这个事项（%(what)s）。您填的内容还在，请核对后再保存一次。", who=who, what=what)
        if since
        else _("您打开这一页以后，这个事项改动过。您填的内容还在，请核对后再保存一次。")
    )


def as_seen(item: Item, version: int) -> dict[str, str]:
    """What the fields that changed since a version held then, as the form of that version was filled."""
    query = sa.select(ItemChange).where(ItemChange.item_id == item.id, ItemChange.version > version)
    changes = db.session.scalars(query.order_by(ItemChange.version.desc()))
    return {name: str(pair[0]) for change in changes for name, pair in change.changes.items()}


def publish(item: Item) -> None:
    """Residents see it from its first day."""
    missing = [words for value, words in ((item.who, _("谁能办")), (item.place, _("在哪办"))) if not value]
    if missing:
        raise Refused(_("发布前请先填好：%(fields)s。", fields=_("、").join(missing)))
    if item.kind is ItemKind.APPLICATION and item.limit_days is None:
        raise Refused(_("申请类事项要先写明几个工作日办结，再发布。"))
    _move(item, ItemState.PUBLISHED, "")
    audit.record("catalogue.item_published", item)


def withdraw(item: Item, *, reason: str) -> None:
    """Residents see it no more. What was booked stands: whoever serves looks after that."""
    if len(reason.strip()) < 2:
        raise Refused(_("请写明为什么撤下，至少两个字。"), field="reason")
    _move(item, ItemState.WITHDRAWN, reason.strip())
    audit.record("catalogue.item_withdrawn", item, reason=reason.strip())


def _move(item: Item, state: ItemState, reason: str) -> None:
    query = sa.select(Item).where(Item.id == item.id).with_for_update(of=Item)
    db.session.scalars(query.execution_options(populate_existing=True)).one()
    if state not in MOVES[item.state]:
        words = _("这个事项现在是“%(state)s”，不用再办一次。请刷新后再看。", state=item_words.service_word(item.state))
        raise Refused(words)
    item.state, item.state_reason, item.updated_at = state, reason[:200], now()


def copy(item: Item, area: Area, *, by: Actor) -> Item:
    """A draft with the same words, papers and conditions, for the same area or another of the worker's."""
    made = Item(area=area, provider=item.provider, updated_by=by.name)
    papers = [Paper(row.name, row.note, row.is_required, row.fetched) for row in item.materials]
    facts = asdict(ItemFacts.of(item)) | {"title": _("%(title)s（副本）", title=item.title)[:60]}
    _put(made, ItemFacts(**facts), papers)
    made.conditions = [_copied(condition) for condition in item.conditions]
    db.session.add(made)
    db.session.flush()
    audit.record("catalogue.item_copied", made, of=item.code)
    return made


def _copied(condition: Condition) -> Condition:
    names = ("position", "kind", "number", "tags", "answer", "question", "met", "unmet", "remedy", "next_item_id")
    return Condition(**{name: getattr(condition, name) for name in names})


def _refuse_wrong(area: Area, facts: ItemFacts) -> None:
    provider = db.session.get(Provider, facts.provider_id)
    around = {area.id, area.parent_id}
    wrong = [
        (provider is None or provider.area_id not in around, "provider", _("请选本社区或所在街道的服务提供方。")),
        (not facts.situations, "situations", _("请至少选一种情形，居民按它找服务。")),
        (
            facts.valid_to is not None and facts.valid_to < facts.valid_from,
            "valid_to",
            _("结束日期不能早于开始日期。"),
        ),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)


def _put(item: Item, facts: ItemFacts, papers: Sequence[Paper]) -> None:
    for field in fields(ItemFacts):
        value = getattr(facts, field.name)
        setattr(item, field.name, list(value) if field.name == "situations" else value)
    item.initials, item.pinyin = searching.sounds(item.title)
    _put_papers(item, papers)


def _put_papers(item: Item, papers: Sequence[Paper]) -> None:
    """A paper of the same name stays the same row: an application may point at it."""
    standing = {row.name: row for row in item.materials}
    kept = []
    for position, paper in enumerate(papers):
        row = standing.pop(paper.name, None) or Material(name=paper.name)
        row.position, row.note, row.is_required, row.fetched = position, paper.note, paper.is_required, paper.fetched
        kept.append(row)
    item.materials = kept


def _values(item: Item) -> dict[str, str]:
    """Every field in words, as the history keeps it and a second editor reads it."""
    said = {field.name: getattr(item, field.name) for field in fields(ItemFacts)}
    said["provider"] = said.pop("provider_id") and item.provider.name
    said["kind"] = item_words.service_word(item.kind)
    said["situations"] = _("、").join(item_words.service_word(situation) for situation in item.life())
    said["cost_fen"] = "" if item.cost_fen is None else money.yuan(item.cost_fen)
    said["papers"] = _("、").join(row.name for row in item.materials)
    return {name: "" if value is None else str(value) for name, value in said.items()}


def field_words(name: str) -> str:
    """A field's name as the form says it."""
    known = {
        "provider": _("服务提供方"),
        "kind": _("办理方式"),
        "title": _("名称"),
        "summary": _("一句话说明"),
        "keywords": _("居民会怎么说"),
        "situations": _("情形"),
        "who": _("谁能办"),
        "how": _("怎么办"),
        "cost_fen": _("费用（元）"),
        "cost": _("费用说明"),
        "place": _("在哪办"),
        "times": _("什么时候"),
        "takes": _("要多久"),
        "basis": _("依据"),
        "phone": _("咨询电话"),
        "limit_days": _("几个工作日办结"),
        "cancel_hours": _("提前几小时可以取消"),
        "ahead_days": _("可以提前几天约"),
        "per_day": _("每人每天最多几次"),
        "per_week": _("每人每周最多几次"),
        "valid_from": _("开始日期"),
        "valid_to": _("结束日期"),
        "papers": _("要带的材料"),
    }
    return known.get(name, name)


def provider_choices(areas: Collection[Area]) -> list[tuple[str, str]]:
    """The providers that an item of some areas may have: of these and of their streets, still open."""
    ids = {area.id for area in areas} | {area.parent_id for area in areas if area.parent_id}
    query = sa.select(Provider.id, Provider.name, Provider.kind).where(
        Provider.area_id.in_(ids), Provider.closed_on.is_(None)
    )
    rows = db.session.execute(query.order_by(Provider.name, Provider.id))
    return [(str(number), f"{name}（{item_words.service_word(kind)}）") for number, name, kind in rows]
