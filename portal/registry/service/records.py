"""A person's record: what is masked and shown on asking, what may be mended, and who looked at it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock, ids, masking
from portal.core.access import Actor, Scope
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.ids import Sex
from portal.core.sealing import blind
from portal.identity.permissions import Role, label
from portal.registry.models import Diet, Person, PersonTag, Relation, TagKind
from portal.registry.service import people

REVEALS_AN_HOUR = 50
LOOKS = ("registry.revealed", "registry.person_edited", "registry.tag_added", "registry.tag_ended")


class SealedField(StrEnum):
    """What is masked until a worker says why it must be seen. Only the ID number asks for the password again."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    REGISTERED_ADDRESS = "registered_address"
    NOTE = "note"
    HEALTH = "health"


@dataclass(frozen=True)
class Look:
    """One line of 谁看过我的信息: who, as what, when, which field or act, and why."""

    at: datetime
    name: str
    role: str
    what: str
    reason: str


def field_words(field: SealedField) -> str:
    return {
        SealedField.ID_NUMBER: _("身份证号码"),
        SealedField.PHONE: _("联系电话"),
        SealedField.REGISTERED_ADDRESS: _("户籍地址"),
        SealedField.NOTE: _("备注"),
        SealedField.HEALTH: _("健康情况"),
    }[field]


def masked(person: Person, field: SealedField) -> str:
    """How the value stands on a page: enough of a number to tell it from another, nothing of a text."""
    value = getattr(person, field.value)
    if not value:
        return ""
    if field is SealedField.ID_NUMBER:
        return masking.mask_id(value)
    return masking.mask_phone(value) if field is SealedField.PHONE else _("已登记，未显示")


def record_search(q: str, found: int) -> None:
    """A search leaves its kind and its count behind, never its words."""
    audit.record("registry.searched", kind=people.kind_of_query(q), count=found)


def reveal(person: Person, field: SealedField, *, reason: str, by: Actor) -> str:
    """The value in plain, once, with a trace; more than 50 in an hour by one worker raises an alarm row."""
    value = getattr(person, field.value)
    if not value:
        raise Missing
    if len(reason.strip()) < 2:
        raise Refused(_("请写明为什么要看，至少两个字。"), field="reason")
    audit.record("registry.revealed", person, reason=reason.strip(), field=field.value)
    db.session.flush()
    _raise_alarm(by)
    return str(value)


def _raise_alarm(by: Actor) -> None:
    lately = sa.select(sa.func.count()).where(AuditRow.actor == by.public_id, AuditRow.at > now() - timedelta(hours=1))
    shown = db.session.scalar(lately.where(AuditRow.action == "registry.revealed")) or 0
    alarmed = db.session.scalar(lately.where(AuditRow.action == "registry.reveal_alarm"))
    if shown > REVEALS_AN_HOUR and not alarmed:
        audit.record("registry.reveal_alarm", count=shown)


def household_of(person: Person, within: Collection[Scope]) -> list[Person]:
    """The others of a household: the head first, then the oldest."""
    query = (
        sa.select(Person)
        .where(
            Person.household_id == person.household_id,
            Person.id != person.id,
            Person.merged_into_id.is_(None),
            people.within(within),
        )
        .order_by(sa.case((Person.relation == Relation.HEAD, 0), else_=1), Person.birth_date, Person.id)
    )
    return list(db.session.scalars(query)) if person.household_id else []


def looks_at(person: Person, limit: int = 100) -> list[Look]:
    """Who looked at a person's sealed values or changed them, newest first; aliases merged into the person count."""
    aliases = sa.select(Person.public_id).where(Person.merged_into_id == person.id)
    query = (
        sa.select(AuditRow)
        .where(
            AuditRow.object_type == "Person",
            sa.or_(AuditRow.object_id == person.public_id, AuditRow.object_id.in_(aliases)),
            AuditRow.action.in_(LOOKS),
        )
        .order_by(AuditRow.id.desc())
        .limit(limit)
    )
    return [
        Look(row.at, row.actor_name, _roles(row.roles), _deed(row), row.reason) for row in db.session.scalars(query)
    ]


def _roles(codes: str) -> str:
    return _("、").join(label(Role(code)) for code in codes.split(",") if code in set(Role))


def _deed(row: AuditRow) -> str:
    if row.action == "registry.revealed" and row.facts.get("field") in set(SealedField):
        return _("查看了%(field)s", field=field_words(SealedField(row.facts["field"])))
    if row.action == "registry.person_edited":
        return _("修改了登记内容")
    return _("修改了人群标签")


def complete_number(person: Person, number: str) -> None:
    """Enter the ID number a register lacked: birth date and sex follow it, and it is nobody else's."""
    if person.id_number:
        raise Refused(_("身份证号码已登记，不能在这里改。登记有误请联系街道管理员。"), field="id_number")
    read = ids.check_id_number(number, today=today(), allow_test_region=True)
    refusal = Refused(_("这个身份证号码已登记在别人名下，请核对；同一个人登记了两次请先不要填。"), field="id_number")
    with unique_or(refusal):
        person.id_number, person.id_index = read.number, blind("person.id_number", read.number)
    person.birth_date = read.birth_date
    if person.sex is Sex.UNKNOWN:
        person.sex = read.sex
    _flag(person, "no_number", on=False)
    _flag(person, "sex_contradicts", on=person.sex is not read.sex)


def _set_phone(person: Person, phone: str | None) -> None:
    person.phone = phone
    person.phone_index = blind("person.phone", phone) if phone else None
    person.phone_tail_index = blind("person.phone_tail", phone[-4:]) if phone else None
    _flag(person, "phone_doubtful", on=False)


def _set_sex(person: Person, sex: Sex) -> None:
    person.sex = sex
    if person.id_number:
        read = ids.check_id_number(person.id_number, today=today(), allow_test_region=True)
        _flag(person, "sex_contradicts", on=read.sex is not sex)


def _flag(person: Person, code: str, *, on: bool) -> None:
    others = [flag for flag in person.flags or [] if flag != code]
    person.flags = [*others, code] if on else others


@dataclass(frozen=True)
class Mending:
    """What an edit page says. An empty text leaves what stands; `drop_*` takes it away."""

    sex: Sex
    diets: frozenset[Diet]
    phone: str = ""
    drop_phone: bool = False
    id_number: str = ""
    note: str = ""
    drop_note: bool = False


def mend(person: Person, said: Mending) -> list[str]:
    """Change what was said to change; return the names of the fields, which the audit keeps."""
    # Asked before the number is entered, which may say the sex itself.
    other_sex = said.sex is not person.sex
    changed = [
        *_mend_number(person, said),
        *_mend_phone(person, said),
        *_mend_texts(person, said),
    ]
    if other_sex:
        _set_sex(person, said.sex)
        changed.append("sex")
    if changed:
        person.updated_at = now()
        audit.record("registry.person_edited", person, fields=changed)
    return changed


def _mend_number(person: Person, said: Mending) -> Iterable[str]:
    if said.id_number:
        complete_number(person, said.id_number)
        yield "id_number"


def _mend_phone(person: Person, said: Mending) -> Iterable[str]:
    if said.drop_phone and said.phone:
        raise Refused(_("填了新电话就不必勾选清除，请只选一种。"), field="phone")
    if said.phone and said.phone != person.phone:
        _set_phone(person, said.phone)
        yield "phone"
    elif said.phone:
        _flag(person, "phone_doubtful", on=False)
        yield "phone"
    elif said.drop_phone and person.phone:
        _set_phone(person, None)
        yield "phone"


def _mend_texts(person: Person, said: Mending) -> Iterable[str]:
    if said.diets != person.diets():
        person.diet = ",".join(kind.value for kind in Diet if kind in said.diets) or None
        yield "diet"
    if said.note and said.note != person.note:
        person.note = said.note
        yield "note"
    elif said.drop_note and person.note:
        person.note = None
        yield "note"


def add_tag(person: Person, kind: TagKind, *, since: date, source: str) -> PersonTag:
    """Tag a person from a day on; a tag already in force is not given twice."""
    if kind in person.tag_kinds(since):
        raise Refused(_("这天已经有这个标签了，不用再加。"), field="kind")
    made = PersonTag(person_id=person.id, kind=kind, since=since, source=source)
    with unique_or(Refused(_("这天已经有这个标签了，不用再加。"), field="kind")):
        person.tags.append(made)
    audit.record("registry.tag_added", person, tag=kind.value, since=since.isoformat())
    return made


def end_tag(person: Person, tag_id: int) -> None:
    """The tag holds no longer from today on; one that began today never did."""
    found = next((tag for tag in person.tags if tag.id == tag_id and tag.holds(today())), None)
    if found is None:
        raise Missing
    found.until = clock.days_before(today(), 1)
    audit.record("registry.tag_ended", person, tag=found.kind.value)
