"""Registers of staff: one row for each member, or for each certificate of one; papers come with their end."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.clock import now
from portal.core.db import db
from portal.registry.models import Certificate, ImportBatch, ImportRow, Organisation, Outcome, Staff, StaffKind
from portal.registry.service.imports import cells, things
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.codes import STAFF_WORDS
from portal.registry.service.imports.things import Handler, Key, Stored, Thing, Values
from portal.registry.service.imports.vocabulary import Field

LONGEST_NAME = 60
# What a row says of the member herself, and of one of her papers; a new one holds nothing but this.
BLANK: Values = {"post": StaffKind.OTHER.value, "employer": "", "phone": "", "note": "", "left_on": None}
PAPER: Values = {"paper": "", "paper_number": "", "issued_on": None, "expires_on": None}
PAPER_COLUMNS = {"paper": "name", "paper_number": "number", "issued_on": "issued_on", "expires_on": "expires_on"}
DAYS = frozenset({"issued_on", "expires_on", "left_on"})


def understand(one: Thing, said: Mapping[Field, str], rules: Rules) -> None:
    cells.title(one, {**said, Field.NAME: said.get(Field.NAME, "").replace(" ", "")}, LONGEST_NAME, Field.NAME)
    cells.read(one, said, Field.POST, "post", lambda text: cells.coded(text, STAFF_WORDS, StaffKind.OTHER))
    cells.texts(one, said, (Field.EMPLOYER, Field.NOTE, Field.PAPER, Field.PAPER_NUMBER))
    cells.phone(one, said)
    cells.day(one, said, Field.ISSUED_ON, rules, past=True)
    cells.day(one, said, Field.EXPIRES_ON, rules)
    if "paper" not in one.values and PAPER.keys() & one.values.keys():
        one.refuse(Field.PAPER, "no_paper")
    # Somebody whom the office lists serves, also who had left.
    one.values["left_on"] = None
    one.key = (one.label, *(str(one.values.get(name) or "") for name in ("phone", "paper", "paper_number")))


def known(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
    """The member each row is about, by name and telephone, with the paper of that name as it stands."""
    _without_strangers(session, rows, community_id)
    by_name, phones = _by_name(session, {one.label for one in rows}, community_id), _phones(rows)
    found: dict[Key, Stored] = {}
    for one in rows:
        same = by_name.get(one.label, [])
        by_phone = [member for member in same if member.phone and member.phone == one.values.get("phone")]
        sure = by_phone or (same if len(same) == 1 and len(phones.get(one.label, ())) < 2 else [])
        if len(sure) == 1:
            found[one.key] = Stored(sure[0].id, {**_member(sure[0]), **_paper(_paper_of(sure[0], one.values))})
        elif same or (len(phones.get(one.label, ())) > 1 and not one.values.get("phone")):
            one.refuse(Field.NAME, "several_staff")
    return found


def _without_strangers(session: Session, rows: Sequence[Thing], community_id: int) -> None:
    """An organisation that the community does not have is not written, and the row says so."""
    names = {one.values["employer"] for one in rows if "employer" in one.values}
    have = set(_organisations(session, names, community_id))
    for one in rows:
        if one.values.get("employer", "") not in {"", *have}:
            del one.values["employer"]
            one.flags.append("employer_unknown")


def _organisations(session: Session, names: Collection[str], community_id: int) -> dict[str, int]:
    query = sa.select(Organisation.name, Organisation.id).where(
        Organisation.community_id == community_id, Organisation.name.in_(names), Organisation.closed_on.is_(None)
    )
    return {row.name: row.id for row in session.execute(query.order_by(Organisation.id))}


def _by_name(session: Session, names: Collection[str], community_id: int) -> dict[str, list[Staff]]:
    query = sa.select(Staff).where(Staff.community_id == community_id, Staff.name.in_(names))
    query = query.options(joinedload(Staff.organisation), selectinload(Staff.certificates)).order_by(Staff.id)
    found: dict[str, list[Staff]] = {}
    for member in session.scalars(query):
        found.setdefault(member.name, []).append(member)
    return found


def _phones(rows: Sequence[Thing]) -> dict[str, set[str]]:
    """The telephones under each name: two of them are two people."""
    found: dict[str, set[str]] = {}
    for one in rows:
        if one.values.get("phone"):
            found.setdefault(one.label, set()).add(one.values["phone"])
    return found


def _member(member: Staff) -> Values:
    return {
        "post": member.kind.value,
        "employer": member.organisation.name if member.organisation else "",
        "phone": member.phone or "",
        "note": member.note,
        "left_on": _day(member.left_on),
    }


def _paper(paper: Certificate | None) -> Values:
    if paper is None:
        return PAPER
    days = {"issued_on": _day(paper.issued_on), "expires_on": _day(paper.expires_on)}
    return {"paper": paper.name, "paper_number": paper.number or "", **days}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _paper_of(member: Staff, said: Values) -> Certificate | None:
    """The paper in force of the name a row says, that of the number among several."""
    same = [paper for paper in member.certificates if paper.name == said.get("paper") and paper.withdrawn_on is None]
    if len(same) > 1:
        same = [paper for paper in same if (paper.number or "") == said.get("paper_number", "")]
    return same[0] if same else None


def store(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    """Each row is written with what undoing needs: whom it made or changed, her organisation, and which paper."""
    members = _held(number for number in (things.said(row)["id"] for row in rows) if number)
    for row in rows:
        member = members.get(things.said(row)["id"] or 0)
        if row.outcome is Outcome.CHANGED and (
            member is None or not _stands(member, things.was(row), _paper_of(member, things.said(row)))
        ):
            raise things.moved_on(row)
    employers = _organisations(db.session, {things.said(row).get("employer", "") for row in rows}, batch.community_id)
    made: dict[str, list[Staff]] = {}
    for row in rows:
        said, was = things.said(row), things.was(row)
        member = members.get(said["id"] or 0) or _new(batch, row, said, made)
        was["_employer"] = member.organisation_id
        _put(member, said)
        if "employer" in said:
            member.organisation_id = employers.get(said["employer"])
        was |= {"_of": member.id, "_paper": _put_paper(member, said)}
        row.before = things.text(was)
    db.session.flush()


def _held(numbers: Iterator[int]) -> dict[int, Staff]:
    """The members with their papers as they stand now, held until the end."""
    found = {member.id: member for member in things.held(Staff, Staff.id.in_(set(numbers)))}
    query = sa.select(Certificate).where(Certificate.staff_id.in_(found)).order_by(Certificate.id).with_for_update()
    db.session.scalars(query.execution_options(populate_existing=True)).all()
    for member in found.values():
        db.session.expire(member, ["certificates", "organisation"])
    return found


def _new(batch: ImportBatch, row: ImportRow, said: Values, made: dict[str, list[Staff]]) -> Staff:
    """One member however many of the rows are about her; a row without a telephone is about the only one so named."""
    same = made.setdefault(row.name, [])
    for member in same:
        if not member.phone or said.get("phone") in {None, member.phone}:
            return member
    member = Staff(community_id=batch.community_id, name=row.name, kind=StaffKind.OTHER, batch_id=batch.id, note="")
    db.session.add(member)
    same.append(member)
    return member


def _put(member: Staff, said: Values) -> None:
    if "post" in said:
        member.kind = StaffKind(said["post"])
    if "phone" in said:
        member.phone = said["phone"] or None
    if "note" in said:
        member.note = said["note"]
    if "left_on" in said:
        member.left_on = _as_day(said["left_on"])
    member.updated_at = now()
    db.session.flush()


def _put_paper(member: Staff, said: Values) -> int | None:
    """The paper that a row writes, made where the member has none of that name."""
    if not said.get("paper"):
        return None
    paper = _paper_of(member, said)
    if paper is None:
        paper = Certificate(name=said["paper"])
        member.certificates.append(paper)
    _say(paper, said)
    db.session.flush()
    return paper.id


def _say(paper: Certificate, said: Values) -> None:
    for name, column in PAPER_COLUMNS.items():
        if name in said:
            value = said[name]
            setattr(paper, column, _as_day(value) if name in DAYS else value or (None if name != "paper" else ""))


def _as_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _stands(member: Staff, values: Values, paper: Certificate | None) -> bool:
    """Whether what was read, or written, once still stands of a member and her paper."""
    now_so: Values = {**_member(member), **_paper(paper)}
    return all(now_so[name] == value for name, value in values.items() if name in now_so)


def undo(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    """Papers and values go back. Refused, with their names, where somebody edited what the batch wrote."""
    members = _held(things.was(row)["_of"] for row in rows)
    things.refuse_edited(_edited(batch, rows, members))
    for row in rows:
        was = things.was(row)
        member = members[was["_of"]]
        if row.outcome is Outcome.CHANGED:
            _put(member, was)
            member.organisation_id = was["_employer"] if "employer" in was else member.organisation_id
        _take_paper_back(member, row, was)
    db.session.flush()


def _take_paper_back(member: Staff, row: ImportRow, was: Values) -> None:
    """A paper that the batch made goes; another is as it was."""
    paper = _by_id(member, was["_paper"])
    if paper is None:
        return
    if row.outcome is Outcome.NEW or was.get("paper") == "":
        member.certificates.remove(paper)
        db.session.delete(paper)
    else:
        _say(paper, was)


def _by_id(member: Staff, number: int | None) -> Certificate | None:
    return next((paper for paper in member.certificates if paper.id == number), None)


def _edited(batch: ImportBatch, rows: Collection[ImportRow], members: Mapping[int, Staff]) -> Iterator[things.Held]:
    """Whose values, or papers, are no longer what the batch wrote: of a new member everything, of another what it
    changed. The last of several rows about one has the word.
    """
    wrote: dict[int, Values] = {}
    papers: dict[int, Values] = {}
    made: dict[int, set[int]] = {}
    for row in rows:
        was, mine = things.was(row), _wrote(row)
        blank = BLANK if row.outcome is Outcome.NEW else {}
        wrote[was["_of"]] = {**blank, **wrote.get(was["_of"], {}), **{n: mine[n] for n in mine if n in BLANK}}
        if was["_paper"]:
            papers.setdefault(was["_paper"], {}).update({name: mine[name] for name in mine if name in PAPER})
            made.setdefault(was["_of"], set()).add(was["_paper"])
    for row in rows:
        was = things.was(row)
        member, paper = members.get(was["_of"]), was["_paper"]
        holds = member is not None and _stands(member, wrote[member.id], None)
        if member is not None and row.outcome is Outcome.NEW:
            holds = holds and _untouched(batch, member, made.get(member.id, ()))
        if member is None or not holds or (paper and not _holds(_by_id(member, paper), papers[paper])):
            yield things.Held("staff", member.public_id if member else None, row.name)


def _wrote(row: ImportRow) -> Values:
    said, was = things.said(row), things.was(row)
    return said if row.outcome is Outcome.NEW else {name: said[name] for name in was if name in said}


def _untouched(batch: ImportBatch, member: Staff, papers: Collection[int]) -> bool:
    """Whether a new member is nobody's but the batch's: no other paper, no person of the register."""
    mine = member.batch_id == batch.id and member.person_id is None
    return mine and all(paper.id in papers for paper in member.certificates)


def _holds(paper: Certificate | None, values: Values) -> bool:
    if paper is None or paper.withdrawn_on:
        return False
    now_so = _paper(paper)
    return all(now_so[name] == value for name, value in values.items())


STAFF = Handler(understand, known, store, undo)
