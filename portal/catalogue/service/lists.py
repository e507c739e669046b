"""四张清单 and the proofs a residents' committee does not issue: kept as dated rows, found in people's own words."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.catalogue.models.codes import ListKind
from portal.catalogue.models.lists import ListEntry, Proof
from portal.catalogue.service import dictionary, grounds
from portal.catalogue.service.samples import lists as sample
from portal.core import audit, search
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing, Refused

# What every paper is called besides its own name.
PAPER_WORDS = re.compile(
    r"证明|开具|开个|开一张|居委会|社区|村委会|盖章|办|开|要|的|一个|一张|我|怎么|哪里|吗|和|是|叫|让"
)


@dataclass(frozen=True)
class EntryFacts:
    """What the form of a line of a list says."""

    title: str
    detail: str
    basis: str
    funding: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class ProofFacts:
    """What the form of a proof says."""

    name: str
    words: list[str]
    office: str
    instead: str
    phone: str
    basis: str
    valid_from: date
    valid_to: date | None


def holding(kind: type[ListEntry | Proof], on: date) -> sa.ColumnElement[bool]:
    return sa.and_(kind.valid_from <= on, sa.or_(kind.valid_to.is_(None), kind.valid_to >= on))


def shown(community: Area, kind: ListKind) -> list[ListEntry]:
    """A list as residents read it today: their community's lines and their street's."""
    query = (
        sa.select(ListEntry)
        .where(ListEntry.area_id.in_(grounds.around(community)), ListEntry.kind == kind, holding(ListEntry, today()))
        .options(joinedload(ListEntry.area))
        .order_by(ListEntry.position, ListEntry.id)
    )
    return list(db.session.scalars(query))


def entries(within: Collection[Scope], kind: ListKind) -> list[ListEntry]:
    """A list as a worker keeps it, with the lines of the street above; what is over last."""
    query = (
        sa.select(ListEntry)
        .where(ListEntry.area_id.in_(grounds.served(within)), ListEntry.kind == kind)
        .options(joinedload(ListEntry.area))
        .order_by(
            sa.func.coalesce(ListEntry.valid_to, date.max) < today(),
            ListEntry.area_id,
            ListEntry.position,
            ListEntry.id,
        )
    )
    return list(db.session.scalars(query))


def entry_in(within: Collection[Scope], entry_id: int) -> ListEntry:
    query = sa.select(ListEntry).where(ListEntry.id == entry_id, ListEntry.area_id.in_(grounds.kept(within)))
    found = db.session.scalar(query.options(joinedload(ListEntry.area)))
    if found is None:
        raise Missing
    return found


def add_entry(area: Area, kind: ListKind, facts: EntryFacts, *, by: str) -> ListEntry:
    _refuse_dates(facts.valid_from, facts.valid_to)
    last = db.session.scalar(
        sa.select(sa.func.max(ListEntry.position)).where(ListEntry.area_id == area.id, ListEntry.kind == kind)
    )
    entry = ListEntry(area=area, kind=kind, position=(last or 0) + 1, set_by=by)
    _put(entry, facts)
    db.session.add(entry)
    db.session.flush()
    audit.record("catalogue.list_added", entry, kind=kind.value)
    return entry


def save_entry(entry: ListEntry, facts: EntryFacts, *, by: str) -> None:
    _refuse_dates(facts.valid_from, facts.valid_to)
    _put(entry, facts)
    entry.set_by = by
    audit.record("catalogue.list_edited", entry, kind=entry.kind.value)


def proofs(community: Area) -> list[Proof]:
    """The proofs as residents read them today; the community's own row stands before its street's."""
    query = (
        sa.select(Proof)
        .where(Proof.area_id.in_(grounds.around(community)), holding(Proof, today()))
        .order_by(Proof.position, Proof.id)
    )
    return list(db.session.scalars(query))


def proofs_like(found: Sequence[Proof], words: str) -> list[Proof]:
    """The proofs that somebody means by the name she was told, best first."""
    asked = search.normalise(words)[:40]
    core = PAPER_WORDS.sub("", asked) or asked
    weighed = [(_weight(proof, asked, core), proof) for proof in found]
    best = max((weight for weight, _proof in weighed), default=0.0)
    meant = [pair for pair in weighed if pair[0] >= max(0.5, best * 0.6)]
    return [proof for _weighed, proof in sorted(meant, key=lambda pair: (-pair[0], pair[1].position, pair[1].id))]


def proofs_sought(community: Area, words: str) -> list[Proof]:
    """The proofs that a search of the services is about: none where it does not speak of a proof."""
    return proofs_like(proofs(community), words) if "证明" in words else []


def _weight(proof: Proof, asked: str, core: str) -> float:
    names = [search.normalise(name) for name in (proof.name, *proof.words)]
    if any(name in asked or core in name for name in names):
        return 2.0
    pairs = set(search.bigrams(core))
    return max(len(pairs & set(search.bigrams(name))) / len(pairs) for name in names) if pairs else 0.0


def kept_proofs(within: Collection[Scope]) -> list[Proof]:
    """The proofs as a worker keeps them, with those of the street above; what is over last."""
    query = (
        sa.select(Proof)
        .where(Proof.area_id.in_(grounds.served(within)))
        .options(joinedload(Proof.area))
        .order_by(sa.func.coalesce(Proof.valid_to, date.max) < today(), Proof.area_id, Proof.position, Proof.id)
    )
    return list(db.session.scalars(query))


def proof_in(within: Collection[Scope], proof_id: int) -> Proof:
    query = sa.select(Proof).where(Proof.id == proof_id, Proof.area_id.in_(grounds.kept(within)))
    found = db.session.scalar(query.options(joinedload(Proof.area)))
    if found is None:
        raise Missing
    return found


def add_proof(area: Area, facts: ProofFacts, *, by: str) -> Proof:
    _refuse_dates(facts.valid_from, facts.valid_to)
    last = db.session.scalar(sa.select(sa.func.max(Proof.position)).where(Proof.area_id == area.id))
    proof = Proof(area=area, position=(last or 0) + 1, set_by=by)
    _put(proof, facts)
    db.session.add(proof)
    db.session.flush()
    audit.record("catalogue.proof_added", proof)
    return proof


def save_proof(proof: Proof, facts: ProofFacts, *, by: str) -> None:
    _refuse_dates(facts.valid_from, facts.valid_to)
    _put(proof, facts)
    proof.set_by = by
    audit.record("catalogue.proof_edited", proof)


def end(row: ListEntry | Proof, last_day: date, *, reason: str) -> None:
    """Let a line hold until a day, that day included."""
    if len(reason.strip()) < 2:
        raise Refused(_("请写明原因，至少两个字。"), field="reason")
    if last_day < today() - timedelta(days=1):
        raise Refused(_("结束日期最早是昨天。"), field="last_day")
    if last_day < row.valid_from:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    row.valid_to = last_day
    audit.record("catalogue.line_ended", row, reason=reason.strip(), valid_to=last_day.isoformat())


def seed(area: Area, *, by: str) -> int:
    """The sample lines of the four lists and the 20 proofs, where an area and its street have none; answer how many."""
    facts = {"area_id": area.id, "valid_from": today(), "set_by": by}
    made: list[ListEntry | Proof] = []
    if _has_none(ListEntry, area):
        made += [
            ListEntry(kind=kind, position=position, title=title, detail=detail, basis=basis, funding=funding, **facts)
            for position, (kind, title, detail, basis, funding) in enumerate(sample.ENTRIES, start=1)
        ]
    if _has_none(Proof, area):
        made += [
            Proof(
                position=position,
                name=name,
                words=dictionary.words_in(words),
                office=office,
                instead=instead,
                phone=phone,
                basis=sample.BASIS,
                **facts,
            )
            for position, (name, words, office, instead, phone) in enumerate(sample.PROOFS, start=1)
        ]
    db.session.add_all(made)
    db.session.flush()
    if made:
        audit.record("catalogue.lists_seeded", None, count=len(made))
    return len(made)


def _has_none(kind: type[ListEntry | Proof], area: Area) -> bool:
    return db.session.scalar(sa.select(kind.id).where(kind.area_id.in_(grounds.around(area))).limit(1)) is None


def _put(row: ListEntry | Proof, facts: EntryFacts | ProofFacts) -> None:
    for field in fields(facts):
        setattr(row, field.name, getattr(facts, field.name))


def _refuse_dates(first: date, last: date | None) -> None:
    if last is not None and last < first:
        raise Refused(_("结束日期不能早于开始日期。"), field="valid_to")
