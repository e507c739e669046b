"""Deciding a waiting row: what it stands beside, field by field, and what a worker says of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Building, Dwelling
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import BatchState, Household, ImportBatch, ImportRow, Outcome, Person, Verdict
from portal.registry.service import consents, people
from portal.registry.service.imports import confirming, holding, turning, wording, writing
from portal.registry.service.imports.addresses import Address

OPEN_BATCHES = (BatchState.CHECKED, BatchState.CONFIRMED)
HOME = ("household_number", "grid")


@dataclass(frozen=True)
class Line:
    """One field of two records in words; `take` is whether the row's value is taken unless a worker says otherwise."""

    key: str
    label: str
    theirs: str
    mine: str
    differs: bool
    take: bool


@dataclass(frozen=True)
class Beside:
    """A waiting row and the record it may be the same as: a person, an earlier row, or nobody who may be shown."""

    row: ImportRow
    person: Person | None = None
    earlier: ImportRow | None = None
    others: list[Person] = field(default_factory=list)

    @property
    def other(self) -> Person | ImportRow | None:
        return self.person or self.earlier

    def lines(self) -> list[Line]:
        other = self.other
        return [_line(self.row, other, group) for group in (*turning.GROUPS, *HOME)] if other else []

    @property
    def address(self) -> str:
        """Where the other lives; a home is chosen with the household, not by itself."""
        if self.person:
            home = self.person.household.dwelling if self.person.household else None
            return home.address() if home else ""
        return home_of(self.earlier) if self.earlier else ""

    @property
    def own_address(self) -> str:
        return home_of(self.row)

    def chosen(self, answers: Mapping[str, str]) -> list[str]:
        """The groups to take from the row: as answered ("row" or "stays"), else where the other has nothing."""
        usual = {True: "row", False: "stays"}
        return [one.key for one in self.lines() if one.differs and answers.get(one.key, usual[one.take]) == "row"]


def home_of(row: ImportRow) -> str:
    return Address(row.estate, row.building, row.unit, row.room).words()


def _line(row: ImportRow, other: Person | ImportRow, group: str) -> Line:
    mine, theirs = turning.said(row, group), turning.said(other, group)
    has = mine not in {"", "unknown"}
    return Line(
        key=group,
        label=wording.field(group),
        theirs=wording.value(group, theirs),
        mine=wording.value(group, mine),
        differs=has and mine != theirs,
        take=has and theirs in {"", "unknown"},
    )


def waiting_row(within: Collection[Scope], public_id: str, number: int) -> ImportRow:
    """A row that waits, or waited and was decided, of a batch in scope that was checked or confirmed; else Missing."""
    query = (
        sa.select(ImportRow)
        .join(ImportBatch, ImportRow.batch_id == ImportBatch.id)
        .options(joinedload(ImportRow.batch).joinedload(ImportBatch.community))
        .where(
            ImportBatch.public_id == public_id,
            ImportBatch.community_id.in_(areas.reach(within).communities),
            ImportBatch.state.in_(OPEN_BATCHES),
            ImportRow.row_number == number,
            sa.or_(ImportRow.outcome == Outcome.WAITING, ImportRow.verdict.is_not(None)),
        )
    )
    row: ImportRow | None = db.session.scalar(query)
    if row is None:
        raise Missing
    return row


def became(row: ImportRow) -> Person | None:
    """Whom a decided row was brought in as, or merged into."""
    person = db.session.get(Person, row.applied_to) if row.applied_to else None
    return person if person and person.community_id == row.batch.community_id else None


def beside(row: ImportRow, *, chosen: str = "") -> Beside:
    """The row with what it stands beside. Of several candidates the one of the public id `chosen`, else the first."""
    if row.twin_row:
        return _beside_twin(row)
    if row.person_id:
        person = db.session.scalar(_people(row).where(Person.id == row.person_id))
        return Beside(row, person=people.resolved(person) if person else None)
    others = list(
        db.session.scalars(
            _people(row)
            .where(Person.name == row.name, Person.birth_date == row.birth_date, Person.merged_into_id.is_(None))
            .order_by(Person.id)
        )
    )
    first = next((person for person in others if person.public_id == chosen), others[0] if others else None)
    return Beside(row, person=first, others=others)


def _people(row: ImportRow) -> sa.Select[Person]:
    """People of the batch's own community: nobody else is shown or changed."""
    query = sa.select(Person).where(Person.community_id == row.batch.community_id)
    home = joinedload(Person.household).joinedload(Household.dwelling).joinedload(Dwelling.building)
    return query.options(home.joinedload(Building.estate), joinedload(Person.grid))


def _beside_twin(row: ImportRow) -> Beside:
    """The earlier row of the file, or the person it became."""
    earlier = db.session.scalar(
        sa.select(ImportRow).where(ImportRow.batch_id == row.batch_id, ImportRow.row_number == row.twin_row)
    )
    if earlier is None:
        return Beside(row)
    person = turning.of_row(earlier)
    if person is not None and person.community_id == row.batch.community_id:
        return Beside(row, person=person)
    return Beside(row, earlier=earlier)


def decide(pair: Beside, verdict: Verdict, answers: Mapping[str, str], *, by: Actor) -> None:
    """Keep what was said of a row. Of a confirmed batch it is brought in at once; else with the others."""
    row, batch = pair.row, pair.row.batch
    holding.batch(batch, row)
    if batch.state not in OPEN_BATCHES or row.outcome is not Outcome.WAITING:
        raise Refused(_("这一行刚才有人处理过，或者已经清除。请返回重新查看这一批。"))
    if verdict is Verdict.SAME and pair.other is None:
        raise Refused(_("另一份资料不在您的社区，不能合并。请联系那个社区，或先放一放。"))
    writing.keep_waiting(row)
    row.verdict, row.decided_at, row.decided_by = verdict, now(), by.public_id
    row.chosen = pair.chosen(answers) if verdict is Verdict.SAME else []
    row.person_id = pair.person.id if pair.person and verdict is Verdict.SAME else row.person_id
    if verdict is Verdict.SAME and pair.person:
        _refuse_taken_number(row, turning.target(batch, row))
    audit.record("registry.import_row_decided", batch, rows=row.row_number, kind=verdict.value, fields=row.chosen)
    if verdict is Verdict.DROPPED:
        turning.remember(batch, row, turning.row_key(row))
    elif verdict is Verdict.LATER:
        turning.forget(batch, row)
    elif batch.state is BatchState.CONFIRMED:
        with unique_or(Refused(_("登记库里的人员刚才有变动，请返回重新核对这一行。"))):
            moment = now()
            confirming.bring_in(batch, row, moment)
        consents.keep_refusals(moment)


def _refuse_taken_number(row: ImportRow, person: Person) -> None:
    if "id_number" in row.chosen and turning.taken(row.id_number or "", but=person.id):
        raise Refused(_("这一行的证件号码已经登记在第三个人名下，请选另一边的号码。"), field="id_number")
