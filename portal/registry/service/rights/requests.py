"""Requests: asked by the person, her guardian or at the counter; listed by when they are due; answered once."""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, contains_eager, defer

from portal.core import audit, clock, outbox, settings, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.doors import Todo
from portal.core.errors import Missing, Refused
from portal.identity.models import Account
from portal.registry.models import Person, RightKind, RightsRequest, RightState
from portal.registry.models.rights import RIGHT_MOVES
from portal.registry.service import people
from portal.registry.service.consents import Voice
from portal.registry.service.rights.clock import due_on, soon_days

PAGE = 50
HOURLY = 60
KEPT = "rights.requests_kept_days"
LEAST_WORDS = 2

settings.declare(
    KEPT, default=1095, label=lambda: _("答复过的个人信息申请保存多少天"), unit=lambda: _("天"), least=1095, most=3650
)


@dataclass(frozen=True)
class Listed:
    """A page of requests, the key after which the next one begins; how many wait in all, and how many are late."""

    requests: list[RightsRequest]
    next_key: str
    count: int
    late: int


def ask(
    person: Person,
    kind: RightKind,
    *,
    voice: Voice,
    field: str = "",
    said: dict[str, Any] | None = None,
    why: str = "",
    picture: bytes | None = None,
) -> RightsRequest:
    """Ask something of one's data; of one kind and field one request is open at a time."""
    made = RightsRequest(
        kind=kind,
        field=field,
        person_id=person.id,
        said=json.dumps(said or {}, ensure_ascii=False),
        why=why or None,
        picture=base64.b64encode(picture).decode() if picture else None,
        has_picture=picture is not None,
        channel=voice.channel,
        asked_at=now(),
        asked_by=voice.by,
        asked_name=voice.operator or voice.name,
        identity=voice.identity,
        due_on=due_on(kind, today()),
    )
    with unique_or(Refused(_("这一项已经提过，社区还没有答复。要改内容，请先撤回原来的。"))):
        db.session.add(made)
    audit.record("registry.right_asked", person, kind=kind.value, field=field, channel=voice.channel.value)
    return made


def ask_other(person: Person, text: str, *, voice: Voice) -> RightsRequest:
    """Deletion, an explanation, anything else that is asked of the data, in the person's own words."""
    return ask(person, RightKind.OTHER, voice=voice, said={"value": text})


def requests_of(person: Person, *, limit: int = PAGE) -> list[RightsRequest]:
    """A person's requests, newest first; those of records merged into hers too."""
    query = sa.select(RightsRequest).where(_of(person)).order_by(RightsRequest.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def open_fields(person: Person) -> frozenset[str]:
    """The fields for which a correction is waiting."""
    query = sa.select(RightsRequest.field).where(
        _of(person), RightsRequest.state == RightState.OPEN, RightsRequest.kind == RightKind.CORRECTION
    )
    return frozenset(db.session.scalars(query))


def _of(person: Person) -> sa.ColumnElement[bool]:
    return RightsRequest.person_id.in_(people.ids_of(person))


def request_of(person: Person, public_id: str) -> RightsRequest:
    query = sa.select(RightsRequest).where(_of(person), RightsRequest.public_id == public_id)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def take_back(request: RightsRequest, *, voice: Voice) -> None:
    """The person no longer asks."""
    _move(request, RightState.WITHDRAWN, decided_by=voice.by, decided_name=voice.name)
    audit.record("registry.right_taken_back", request.person, kind=request.kind.value, field=request.field)


def queue(within: Collection[Scope], *, waiting: bool, after: str = "") -> Listed:
    """Requests for people in scope: those waiting by their due day, answered ones newest first; a page by key."""
    inside = people.within(within)
    query = _about(inside, listed=True)
    if waiting:
        query = query.where(RightsRequest.state == RightState.OPEN)
        query = _past(query, after).order_by(RightsRequest.due_on, RightsRequest.id)
    else:
        query = query.where(RightsRequest.state != RightState.OPEN)
        if after.isdecimal():
            query = query.where(RightsRequest.id < int(after[:9]))
        query = query.order_by(RightsRequest.id.desc())
    found = list(db.session.scalars(query.limit(PAGE + 1)))
    last = found[PAGE - 1] if len(found) > PAGE else None
    key = (f"{last.due_on.isoformat()}~{last.id}" if waiting else str(last.id)) if last else ""
    count, late, _first = _counts(inside)
    return Listed(found[:PAGE], key, count, late)


def _past(query: sa.Select[RightsRequest], after: str) -> sa.Select[RightsRequest]:
    day, _tilde, row = after.partition("~")
    try:
        since = date.fromisoformat(day)
    except ValueError:
        return query
    number = int(row[:9]) if row.isdecimal() else 0
    later = sa.and_(RightsRequest.due_on == since, RightsRequest.id > number)
    return query.where(sa.or_(RightsRequest.due_on > since, later))


def _about(inside: sa.ColumnElement[bool], *, listed: bool = False) -> sa.Select[RightsRequest]:
    """Requests whose person, or whoever her record was merged into, is in scope; for a list nothing is unsealed."""
    named, asked = aliased(Person), Person.id.in_(sa.select(RightsRequest.person_id))
    meant = people.stood_for(asked)
    person = contains_eager(RightsRequest.person.of_type(named))
    plain = [person.load_only(named.name, named.public_id), defer(RightsRequest.said), defer(RightsRequest.why)]
    return (
        sa.select(RightsRequest)
        .join(named, RightsRequest.person_id == named.id)
        .join(meant, meant.c.origin == named.id)
        .join(Person, Person.id == meant.c.id)
        .where(inside)
        .options(*(plain if listed else [person]))
    )


def request_in(within: Collection[Scope], public_id: str) -> RightsRequest:
    found = db.session.scalar(_about(people.within(within)).where(RightsRequest.public_id == public_id))
    if found is None:
        raise Missing
    return found


def _counts(inside: sa.ColumnElement[bool]) -> tuple[int, int, date | None]:
    """How many wait, how many of them are late, and the next due day."""
    asked = _about(inside).where(RightsRequest.state == RightState.OPEN)
    due = asked.with_only_columns(RightsRequest.due_on, maintain_column_froms=True).subquery()
    late = sa.func.sum(sa.case((due.c.due_on < today(), 1), else_=0))
    count, late_count, first = db.session.execute(sa.select(sa.func.count(), late, sa.func.min(due.c.due_on))).one()
    return count or 0, late_count or 0, first


def todo(within: Collection[Scope]) -> list[Todo]:
    """What waits for an answer, with the legal clock: late, or due within the days of the parameter."""
    waiting, late, first = _counts(people.within(within)) if within else (0, 0, None)
    if not waiting or first is None:
        return []
    if late:
        said = _("个人信息申请已超过法定期限 %(late)d 件", late=late)
    elif first - today() <= timedelta(days=soon_days()):
        said = _("个人信息申请快到法定期限")
    else:
        said = _("个人信息申请等待答复")
    due = clock.at(first, time(23, 59))
    return [Todo(said, "registry.worker.rights", count=waiting, due=due, late=bool(late))]


def grant(request: RightsRequest, *, by: Actor, answer: str = "") -> None:
    """Answered as asked; the person is told."""
    person = _person(request)
    _move(request, RightState.GRANTED, decided_by=by.public_id, decided_name=by.name, answer=answer[:200])
    audit.record("registry.right_granted", person, reason=answer, kind=request.kind.value, field=request.field)
    _tell(request, person, "registry.right_granted")


def refuse(request: RightsRequest, reason: str, *, by: Actor) -> None:
    """Not done, with the reason that the law demands; the person is told."""
    if len(reason.strip()) < LEAST_WORDS:
        raise Refused(_("请写明为什么不同意，居民会看到这个原因。"), field="answer")
    person = _person(request)
    _move(request, RightState.REFUSED, decided_by=by.public_id, decided_name=by.name, answer=reason.strip()[:200])
    audit.record("registry.right_refused", person, reason=reason, kind=request.kind.value, field=request.field)
    _tell(request, person, "registry.right_refused")


def _person(request: RightsRequest) -> Person:
    if request.person is None:
        raise Missing
    return people.resolved(request.person)


def _move(request: RightsRequest, state: RightState, **values: Any) -> None:
    """The one way a request moves: guarded, so that two workers do not both answer."""
    before = [old for old, later in RIGHT_MOVES.items() if state in later]
    move = sa.update(RightsRequest).where(RightsRequest.id == request.id, RightsRequest.state.in_(before))
    if not guarded(move.values(state=state, decided_at=now(), **values)):
        raise Refused(_("这件申请刚才已经有了结果，请返回列表看看。"))
    if request.kind is RightKind.CLOSING:
        db.session.execute(sa.update(Account).where(Account.id == request.account_id).values(closes_on=None))
    db.session.refresh(request)


def _tell(request: RightsRequest, person: Person, topic: str) -> None:
    outbox.enqueue(topic, to=person.ref, kind=request.kind.value, field=request.field, answer=request.answer)


def opened(request: RightsRequest, *, by: Actor) -> None:
    """A worker reads what was asked: a look at the person's data like any other, and as seldom."""
    tokens.throttle("rights.open", by.public_id, limit=HOURLY, per=timedelta(hours=1))
    audit.record("registry.right_opened", _person(request), kind=request.kind.value, field=request.field)


def said_of(request: RightsRequest) -> dict[str, Any]:
    """What was asked for, as it was sent."""
    told: dict[str, Any] = json.loads(request.said or "{}")
    return told


def picture_of(request: RightsRequest) -> str:
    """The photograph as base64, or nothing."""
    return request.picture or ""


def decoded(picture: str) -> bytes:
    return base64.b64decode(picture)


def purge() -> int:
    """Forget requests answered longer ago than they are to be kept; return how many went."""
    before = now() - timedelta(days=settings.get(KEPT))
    over = sa.and_(RightsRequest.state != RightState.OPEN, RightsRequest.decided_at < before)
    gone = db.session.execute(sa.delete(RightsRequest).where(over))
    return int(getattr(gone, "rowcount", 0))
