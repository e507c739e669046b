"""Exports: masked at once, in the clear only when a second person lets them go; each with a reason and a number."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit, jobs, outbox, settings, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import UtcDateTime, db, guarded, unique_or
from portal.core.doors import Todo
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.identity.permissions import Role, label
from portal.registry.models import Export, ExportPerson, ExportState, Person
from portal.registry.service import export_columns, lists, people
from portal.registry.service.export_columns import Column

A_DAY, KEPT_HOURS, MOST_PEOPLE, DOWNLOADS = (
    "registry.exports_per_day",
    "registry.export_hours",
    "registry.export_people",
    "registry.export_downloads",
)
WAITS = "registry.export_waiting_days"
PAGE = 30
MOST_WAITING = 200

settings.declare(A_DAY, default=5, label=lambda: _("每人每天申请导出"), unit=lambda: _("次"), least=1, most=50)
settings.declare(KEPT_HOURS, default=24, label=lambda: _("导出文件保留"), unit=lambda: _("小时"), least=1, most=72)
settings.declare(
    MOST_PEOPLE, default=5000, label=lambda: _("一次导出最多"), unit=lambda: _("人"), least=10, most=100_000
)
settings.declare(DOWNLOADS, default=1, label=lambda: _("每份导出可下载"), unit=lambda: _("次"), least=1, most=10)
settings.declare(WAITS, default=7, label=lambda: _("导出申请最多等待审批"), unit=lambda: _("天"), least=1, most=60)


@dataclass(frozen=True)
class Look:
    """What a resident reads of an export that holds her data: when, who (and as what), what, why."""

    at: datetime
    who: str
    roles: str
    what: str
    reason: str


def ask(
    people: sa.Select[int],
    *,
    title: str,
    columns: Sequence[Column],
    plain: bool,
    reason: str,
    by: Actor,
    within: Collection[Scope],
    key: str = "",
) -> Export:
    """Ask for these people's columns. Masked, it is written at once; in the clear, it waits for a second person."""
    body = f"{title}|{','.join(columns)}|{plain}|{reason}"
    earlier = tokens.same_request(by.public_id, "registry.export_asked", key, body)
    if earlier:
        return export_of(by, earlier)
    export = _new(by, within, title=title, plain=plain, reason=reason)
    export.fields, export.total = [column.value for column in columns], _bounded(people)
    _number(export)
    _hold(export, people)
    _record(export, by, key, body)
    if not plain:
        jobs.enqueue("registry.write_export", export_id=export.id)
    return export


def ask_list(
    resource: str,
    wanted: dict[str, str],
    *,
    title: str,
    total: int,
    people: Collection[int],
    communities: Collection[int],
    reason: str,
    by: Actor,
    within: Collection[Scope],
    key: str = "",
    plain: bool = True,
) -> Export:
    """Ask for a list with the names and telephones of people in the clear: a second person decides. Masked, it is
    written at once.

    `people` are those of the register who stand in it, `communities` whose list it is.
    """
    body = f"{resource}|{sorted(wanted.items())}|{plain}|{reason}"
    earlier = tokens.same_request(by.public_id, "registry.export_asked", key, body)
    if earlier:
        return export_of(by, earlier)
    export = _new(by, within, title=title, plain=plain, reason=reason)
    export.resource, export.wanted, export.fields = resource, wanted, []
    export.total, export.communities = total, sorted(communities)
    _number(export)
    hold_now(export, people)
    _record(export, by, key, body)
    if not plain:
        jobs.enqueue("registry.write_export", export_id=export.id)
    return export


def hold_now(export: Export, people: Collection[int]) -> None:
    """These and no others of the register stand in it."""
    gone = sa.delete(ExportPerson).where(ExportPerson.export_id == export.id)
    db.session.execute(gone, execution_options={"synchronize_session": False})
    held = [{"person_id": person, "export_id": export.id} for person in sorted(set(people))]
    if held:
        db.session.execute(sa.insert(ExportPerson), held)


def _new(by: Actor, within: Collection[Scope], *, title: str, plain: bool, reason: str) -> Export:
    return Export(
        owner=by.public_id,
        owner_name=by.name,
        owner_roles=",".join(dict.fromkeys(grant.role for grant in by.grants))[:128],
        state=ExportState.WAITING if plain else ExportState.QUEUED,
        plain=plain,
        title=title[:200],
        reason=reason,
        scopes=[[scope.kind, scope.ref] for scope in within],
        communities=[],
        asked_at=now(),
    )


def _record(export: Export, by: Actor, key: str, body: str) -> None:
    audit.record("registry.export_asked", export, reason=export.reason, **_facts(export))
    tokens.remember_request(by.public_id, "registry.export_asked", key, body, export.public_id)


def _facts(export: Export) -> dict[str, Any]:
    facts = {"count": export.total, "fields": export.fields, "plain": export.plain, "number": export.number}
    return {**facts, "asked": export.title} if export.resource else facts


def _bounded(people: sa.Select[int]) -> int:
    most = settings.get(MOST_PEOPLE)
    total = lists.counted(people, most)
    if not total:
        raise Refused(_("没有符合条件的居民，没有可以导出的内容。"))
    if total > most:
        raise Refused(_("一次最多导出 %(most)d 人，请缩小范围，或分几次导出。", most=most))
    return total


def _number(export: Export) -> None:
    """Give it the day and the turn: the database lets nobody have more turns of a day than the parameter says."""
    export.day = today()
    of_day = sa.select(sa.func.max(Export.turn)).where(Export.owner == export.owner, Export.day == export.day)
    export.turn = int(db.session.scalar(of_day) or 0) + 1
    most = settings.get(A_DAY)
    if export.turn > most:
        raise Refused(_("今天已经申请了 %(most)d 次导出，请明天再来，或请同事导出。", most=most))
    with unique_or(Refused(_("刚才已经提交过一次导出，请到导出记录里看看。"))):
        db.session.add(export)


def _hold(export: Export, people: sa.Select[int]) -> None:
    held = people.add_columns(sa.literal(export.id))
    db.session.execute(sa.insert(ExportPerson).from_select(["person_id", "export_id"], held))
    homes = (
        sa.select(Person.community_id)
        .join(ExportPerson, ExportPerson.person_id == Person.id)
        .where(ExportPerson.export_id == export.id)
        .distinct()
    )
    export.communities = list(db.session.scalars(homes.order_by(Person.community_id)))


def exports(by: Actor, *, before: int = 0) -> list[Export]:
    """Her own requests, the newest first, one page and one more."""
    query = sa.select(Export).where(Export.owner == by.public_id).order_by(Export.id.desc()).limit(PAGE + 1)
    return list(db.session.scalars(query.where(Export.id < before) if before else query))


def export_of(by: Actor, public_id: str) -> Export:
    """A request of hers by public id; anybody else's is not there."""
    export = db.session.scalar(sa.select(Export).where(Export.public_id == public_id, Export.owner == by.public_id))
    if export is None:
        raise Missing
    return export


def waiting_for(by: Actor, within: Collection[Scope]) -> list[Export]:
    """Others' requests that this person may let go, the oldest first: she answers for every community in them."""
    mine, found = areas.reach(within).communities, list[Export]()
    for page in _waiting(by):
        found += [export for export in page if mine.issuperset(export.communities)]
        if len(found) >= MOST_WAITING:
            break
    return found[:MOST_WAITING]


def _waiting(by: Actor) -> Iterator[list[Export]]:
    """Others' waiting requests, page by page: those of other communities do not hide one's own."""
    query = sa.select(Export).where(Export.state == ExportState.WAITING, Export.owner != by.public_id)
    query, key = query.order_by(Export.asked_at, Export.id).limit(MOST_WAITING), sa.tuple_(Export.asked_at, Export.id)
    page = list(db.session.scalars(query))
    while page:
        yield page
        last = sa.tuple_(sa.literal(page[-1].asked_at, UtcDateTime), sa.literal(page[-1].id))
        page = list(db.session.scalars(query.where(key > last))) if len(page) == MOST_WAITING else []


def todo(by: Actor, within: Collection[Scope]) -> list[Todo]:
    """What the desk says of others' requests that wait for this person."""
    waiting = waiting_for(by, within) if within else []
    return [Todo(_("导出申请等待审批"), "registry.worker.exports", count=len(waiting))] if waiting else []


def to_decide(by: Actor, within: Collection[Scope], public_id: str) -> Export:
    """A request that this person may decide or has decided; her own, and others' communities, are not there."""
    query = sa.select(Export).where(Export.public_id == public_id, Export.owner != by.public_id, Export.plain)
    export = db.session.scalar(query)
    if export is None or not areas.reach(within).communities.issuperset(export.communities):
        raise Missing
    return export


def approve(export: Export, *, by: Actor) -> None:
    """Let the plain values go. Nobody approves her own request."""
    _decide(export, by, ExportState.QUEUED)
    audit.record("registry.export_approved", export, on_behalf_of=export.owner, **_facts(export))
    _tell(export, "registry.export_approved")


def refuse(export: Export, *, reason: str, by: Actor) -> None:
    _decide(export, by, ExportState.REFUSED, refusal=reason)
    audit.record("registry.export_refused", export, reason=reason, on_behalf_of=export.owner, number=export.number)
    _tell(export, "registry.export_refused", reason=reason)


def withdraw(export: Export) -> None:
    """The asker does not want it any more, before anybody decided."""
    _move(export, ExportState.WAITING, ExportState.WITHDRAWN)
    audit.record("registry.export_withdrawn", export, number=export.number)


def overdue() -> list[int]:
    """Requests that nobody decided for as long as one waits."""
    since = now() - timedelta(days=settings.get(WAITS))
    query = sa.select(Export.id).where(Export.state == ExportState.WAITING, Export.asked_at <= since)
    return list(db.session.scalars(query.order_by(Export.asked_at, Export.id)))


def expire(export_id: int) -> None:
    """A request that waited too long ends; whoever asked is told. One decided meanwhile stays as it is."""
    take = sa.update(Export).where(Export.id == export_id, Export.state == ExportState.WAITING)
    if guarded(take.values(state=ExportState.EXPIRED)):
        export = db.session.get_one(Export, export_id, populate_existing=True)
        audit.record("registry.export_expired", export, number=export.number)
        _tell(export, "registry.export_expired", days=settings.get(WAITS))


def _decide(export: Export, by: Actor, state: ExportState, **values: Any) -> None:
    if by.public_id == export.owner:
        raise Refused(_("自己的申请要由别人审批。"))
    facts = {"decided_at": now(), "decided_by": by.public_id, "decided_name": by.name, **values}
    _move(export, ExportState.WAITING, state, **facts)
    if state is ExportState.QUEUED:
        jobs.enqueue("registry.write_export", export_id=export.id)


def _move(export: Export, source: ExportState, state: ExportState, **values: Any) -> None:
    take = sa.update(Export).where(Export.id == export.id, Export.state == source).values(state=state, **values)
    if not guarded(take):
        raise Refused(_("这份申请已经处理过了，请返回列表看看。"))
    db.session.refresh(export)


def _tell(export: Export, topic: str, **facts: str | int) -> None:
    outbox.enqueue(topic, to=Recipient("account", export.owner), number=export.number, title=export.title, **facts)


def take(export: Export) -> None:
    """Count a download before the file leaves: not after its time, and not more often than the parameter says."""
    open_now = sa.and_(Export.state == ExportState.READY, Export.ends_at > now())
    fetch = sa.update(Export).where(Export.id == export.id, open_now, Export.downloads < settings.get(DOWNLOADS))
    if not guarded(fetch.values(downloads=Export.downloads + 1)):
        raise Refused(_("这份文件已经下载过或已到期删除。还需要的话，请重新申请。"))
    audit.record("registry.export_downloaded", export, reason=export.reason, **_facts(export))


def downloads_left(export: Export) -> int:
    return max(0, settings.get(DOWNLOADS) - export.downloads)


def looks_of(person: Person, *, limit: int = 100) -> list[Look]:
    """The exports that hold a person's data, newest first; those of a record merged into hers count."""
    held = sa.select(ExportPerson.export_id).where(ExportPerson.person_id.in_(people.ids_of(person)))
    query = sa.select(Export).where(Export.id.in_(held), Export.ready_at.is_not(None))
    return [_look(export) for export in db.session.scalars(query.order_by(Export.id.desc()).limit(limit))]


def _look(export: Export) -> Look:
    fields = _("、").join(export_columns.label(Column(name)) for name in export.fields if name in set(Column))
    fields = export.title if export.resource else fields
    what = (
        _("导出了%(fields)s（明文）", fields=fields) if export.plain else _("导出了%(fields)s（遮挡）", fields=fields)
    )
    roles = _("、").join(label(Role(code)) for code in export.owner_roles.split(",") if code in set(Role))
    return Look(export.ready_at or export.asked_at, export.owner_name, roles, what, export.reason)


def covered(export: Export) -> str:
    """The communities whose people or things an export holds, by name."""
    query = sa.select(Area.name).where(Area.id.in_(export.communities)).order_by(Area.code)
    return _("、").join(db.session.scalars(query))


def most_people() -> int:
    """No more than so many in one export: counting them to the last costs what asking for them does."""
    return settings.get(MOST_PEOPLE)


def state_words(state: ExportState) -> tuple[str, str]:
    """A state in words, and the tint of its tag."""
    return {
        ExportState.WAITING: (_("等待审批"), "warn"),
        ExportState.QUEUED: (_("排队生成"), "info"),
        ExportState.WRITING: (_("正在生成"), "info"),
        ExportState.READY: (_("可以下载"), "ok"),
        ExportState.REFUSED: (_("未批准"), "bad"),
        ExportState.WITHDRAWN: (_("已撤回"), "mute"),
        ExportState.FAILED: (_("生成失败"), "bad"),
        ExportState.GONE: (_("已到期删除"), "mute"),
        ExportState.EXPIRED: (_("没有人审批，已失效"), "mute"),
    }[state]


def kept_for() -> timedelta:
    return timedelta(hours=settings.get(KEPT_HOURS))
