"""Papers of opinions, entered by two people independently: what both read alike is booked, a difference is settled."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import OpinionState, Stand
from portal.deliberation.models.codes import SheetState as S
from portal.deliberation.models.opinions import Opinion, OpinionSheet
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import opinion_paper, reach
from portal.deliberation.service.opinion_paper import Entered
from portal.registry.models import Person

WAITS = (S.SECOND, S.DIFFERS)
WORDS = "words"


@dataclass(frozen=True)
class Read:
    """What one of the two read on a paper."""

    words: str
    stands: Mapping[int, Stand]

    def kept(self) -> dict[str, Any]:
        return {WORDS: self.words.strip(), "stands": {str(one): stand.value for one, stand in self.stands.items()}}


@dataclass(frozen=True)
class Difference:
    """Where the two read otherwise: the statement of the paper ("words"), or a stand by the statement's number."""

    key: str
    asked: str
    first: str
    second: str


def begin(topic: Topic, person: Person | None, read: Read, *, by: Actor) -> OpinionSheet:
    """What the first of the two read; nothing of it counts yet."""
    opinion_paper.check(topic, person, read.words, read.stands)
    # Of two who begin at once the second waits here for the first: each paper has its number.
    db.session.scalar(sa.select(Topic.id).where(Topic.id == topic.id).with_for_update())
    other = _waiting_of(topic, person) if person else None
    if other is not None:
        words = _("这位居民有一份还没有录完，编号 %(number)d。请先录完，或者作废了再录。", number=other.number)
        raise Refused(words)
    last = db.session.scalar(sa.select(sa.func.max(OpinionSheet.number)).where(OpinionSheet.topic_id == topic.id)) or 0
    made = OpinionSheet(topic_id=topic.id, number=last + 1, person_id=person.id if person else None, first=read.kept())
    made.signed, made.first_by, made.first_by_name = person is not None, by.public_id, by.name
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.sheet_begun", made, on_behalf_of=person.public_id if person else "")
    return made


def _waiting_of(topic: Topic, person: Person) -> OpinionSheet | None:
    where = (OpinionSheet.topic_id == topic.id, OpinionSheet.person_id == person.id, OpinionSheet.state.in_(WAITS))
    return db.session.scalars(sa.select(OpinionSheet).where(*where).order_by(OpinionSheet.id)).first()


def waiting(topic: Topic) -> Sequence[OpinionSheet]:
    """The papers of a topic that are not entered to the end, by number."""
    query = sa.select(OpinionSheet).where(OpinionSheet.topic_id == topic.id, OpinionSheet.state.in_(WAITS))
    return db.session.scalars(query.options(joinedload(OpinionSheet.person)).order_by(OpinionSheet.number)).all()


def sheet(topic_id: int, public_id: str, *, within: Collection[Scope]) -> OpinionSheet:
    """A paper of a topic that the scopes reach, whatever became of it."""
    topic = reach.topic(topic_id, within=within)
    where = (OpinionSheet.topic_id == topic.id, OpinionSheet.public_id == public_id)
    query = sa.select(OpinionSheet).where(*where).options(joinedload(OpinionSheet.person))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def asked(found: OpinionSheet) -> Sequence[Opinion]:
    """The statements that a paper asks about; one that nobody signed has none."""
    return opinion_paper.asked(found.topic) if found.signed else ()


def why_not_second(found: OpinionSheet, by: Actor) -> str:
    """Why somebody may not enter it the second time, or ""."""
    if found.state is not S.SECOND:
        return _("这份已经录过第二遍了。")
    if found.first_by == by.public_id:
        return _("第一遍是您录的，第二遍要请另一位同事照着纸再录一次。")
    return opinion_paper.why_closed(found.topic)


def enter_second(found: OpinionSheet, read: Read, *, by: Actor) -> Entered | None:
    """What the second read: booked where it is the same; None where it differs, which is then to be settled."""
    if why := why_not_second(found, by):
        raise Refused(why)
    opinion_paper.check(found.topic, found.person, read.words, read.stands)
    found.second, found.second_by_name, found.second_at = read.kept(), by.name, now()
    db.session.flush()
    if differences(found):
        _move(found, S.SECOND, S.DIFFERS)
        audit.record("deliberation.sheet_differs", found)
        return None
    return _book(found, read, by=by)


def differs(found: OpinionSheet) -> bool:
    return found.state is S.DIFFERS


def differences(found: OpinionSheet) -> list[Difference]:
    """Where the two read otherwise; statements that were hidden since are asked of nobody any more."""
    shown = {str(one.id): one.words for one in asked(found)}
    first, second = found.first or {}, found.second or {}
    rows = []
    if _squeezed(first) != _squeezed(second):
        rows.append(Difference(WORDS, _("纸上写的看法"), first.get(WORDS, ""), second.get(WORDS, "")))
    before, after = first.get("stands", {}), second.get("stands", {})
    return rows + [
        Difference(key, words, before.get(key, ""), after.get(key, ""))
        for key, words in shown.items()
        if before.get(key, "") != after.get(key, "")
    ]


def _squeezed(read: Mapping[str, Any]) -> str:
    return "".join(str(read.get(WORDS, "")).split())


def settle(found: OpinionSheet, firsts: Collection[str], *, by: Actor) -> Entered:
    """The paper was looked at again: `firsts` are the differences in which the first had read it rightly."""
    if found.state is not S.DIFFERS:
        raise Refused(_("这份没有要核对的地方，请回到列表看看。"))
    if why := opinion_paper.why_closed(found.topic):
        raise Refused(why)
    stands = {**found.second["stands"], **{key: found.first["stands"].get(key, "") for key in firsts if key != WORDS}}
    words = found.first[WORDS] if WORDS in firsts else found.second[WORDS]
    read = Read(words, {int(key): Stand(value) for key, value in stands.items() if value})
    return _book(found, read, by=by)


def _book(found: OpinionSheet, read: Read, *, by: Actor) -> Entered:
    shown = set(
        db.session.scalars(
            sa.select(Opinion.id).where(Opinion.topic_id == found.topic_id, Opinion.state == OpinionState.SHOWN)
        )
    )
    taken = {number: stand for number, stand in read.stands.items() if number in shown}
    done = opinion_paper.enter(found.topic, found.person, words=read.words, taken=taken, by=by)
    _end(found, S.BOOKED)
    return done


def drop(found: OpinionSheet, why: str, *, by: Actor) -> None:
    """Nothing of it counts; the paper may be entered anew."""
    if found.state not in WAITS:
        raise Refused(_("这份已经录完或者作废了。"))
    _end(found, S.DROPPED)
    audit.record("deliberation.sheet_dropped", found, reason=why, number=found.number, by_name=by.name)


def _end(found: OpinionSheet, to: S) -> None:
    _move(found, found.state, to)
    found.ended_at, found.first, found.second, found.person_id = now(), None, None, None
    db.session.flush()


def _move(found: OpinionSheet, start: S, to: S) -> None:
    where = (OpinionSheet.id == found.id, OpinionSheet.state == start)
    if not guarded(sa.update(OpinionSheet).where(*where).values(state=to)):
        raise Refused(_("这份刚才有人办过了，请刷新页面看看。"))
    db.session.refresh(found, ["state"])
