"""What is held about a person: field by field with its source, the household, tags, contacts; and all of it to take."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _

from portal.core import audit, clock, masking
from portal.core.clock import today
from portal.core.errors import Missing
from portal.registry.models import Consent, Diet, Person, PersonChange, RightField, Source
from portal.registry.service import changes, consents, ethnicities, households, owners, words
from portal.registry.service.consents import Standing
from portal.registry.service.rights import requests
from portal.registry.service.rights import words as right_words
from portal.registry.service.rights.looking import looks

CODED = ("sex", "marriage", "schooling", "work", "politics", "registration", "presence", "tenure")


class OwnField(StrEnum):
    """What stands masked even on one's own page, and is shown after the password."""

    ID_NUMBER = "id_number"
    PHONE = "phone"
    REGISTERED_ADDRESS = "registered_address"
    HEALTH = "health"
    NOTE = "note"


@dataclass(frozen=True)
class Held:
    """One field: its name, what stands, where that came from, and what may be done about it."""

    label: str
    value: str
    source: str
    correct: RightField | None = None
    reveal: OwnField | None = None
    waits: bool = False


@dataclass(frozen=True)
class Mine:
    """Everything that is held about a person, as she reads it."""

    person: Person
    fields: list[Held]
    household: list[Person]
    tags: list[tuple[str, str]]
    contacts: list[tuple[str, str]]
    consents: list[Standing]


def mine(person: Person) -> Mine:
    members = households.living(person.household) if person.household else []
    return Mine(
        person=person,
        fields=_fields(person),
        household=[other for other in members if other.id != person.id],
        tags=[(words.tag(tag.kind), _tag_source(tag.source)) for tag in person.tags if tag.holds(today())],
        contacts=[(f"{one.name}（{one.relation}）", masking.mask_phone(one.phone)) for one in person.contacts],
        consents=consents.standing(person),
    )


def _tag_source(said: str) -> str:
    return _("来源：%(source)s", source=said) if said else _("来源没有登记")


def _fields(person: Person) -> list[Held]:
    sources, waiting = _sources(person), requests.open_fields(person)

    def held(column: str, value: str, correct: RightField | None = None, reveal: OwnField | None = None) -> Held:
        source = sources.get(column, _first_source(person)) if value else ""
        waits = correct is not None and correct.value in waiting
        return Held(_label(column, correct), value, source, correct, reveal if value else None, waits)

    known, written = _known(person), _("已登记，未显示")
    found = [
        held("name", person.name, RightField.NAME),
        held("sex", known["sex"], RightField.SEX),
        held("birth_date", known["birth_date"], RightField.BIRTH_DATE),
        held("id_number", masking.mask_id(person.id_number), RightField.ID_NUMBER, OwnField.ID_NUMBER),
        held("temporary_number", person.temporary_number or ""),
        held("phone", masking.mask_phone(person.phone), RightField.PHONE, OwnField.PHONE),
        held("ethnicity", known["ethnicity"]),
        held("registration", known["registration"], RightField.REGISTRATION),
        held(
            "registered_address",
            written if person.registered_address else "",
            RightField.REGISTERED_ADDRESS,
            OwnField.REGISTERED_ADDRESS,
        ),
        held("household_id", known["household_id"], RightField.RESIDENCE),
        held("relation", known["relation"], RightField.RELATION),
        *(held(name, known[name]) for name in ("presence", "tenure", "living_since", "grid_id")),
        held("marriage", known["marriage"], RightField.MARRIAGE),
        held("schooling", known["schooling"], RightField.SCHOOLING),
        held("work", known["work"], RightField.WORK),
        held("politics", known["politics"]),
        held("diet", known["diet"], RightField.DIET),
        held("health", written if person.health else "", RightField.HEALTH, OwnField.HEALTH),
        held("note", written if person.note else "", reveal=OwnField.NOTE),
    ]
    return [one for one in found if one.value or one.correct]


def _label(column: str, correct: RightField | None) -> str:
    return right_words.field(correct) if correct else changes.field_words(column)


def _known(person: Person) -> dict[str, str]:
    """The plain fields in words; what is not registered is empty."""
    coded = {name: getattr(person, name) for name in CODED}
    said = {name: "" if value.value == "unknown" else words.in_words(value) for name, value in coded.items()}
    dwelling = person.household.dwelling if person.household else None
    return {
        **said,
        "birth_date": f"{person.birth_date:%Y-%m-%d}" if person.birth_date else "",
        "living_since": f"{person.living_since:%Y-%m-%d}" if person.living_since else "",
        "relation": words.relation(person.relation) if person.household else "",
        "grid_id": person.grid.name if person.grid else "",
        "ethnicity": dict(ethnicities.choices()).get(person.ethnicity, "") if person.ethnicity else "",
        "household_id": dwelling.address() if dwelling else "",
        "diet": _("、").join(words.diet(kind) for kind in Diet if kind in person.diets()),
    }


def _sources(person: Person) -> dict[str, str]:
    """For each field that ever changed, where its last value came from, by whom and when."""
    found: dict[str, str] = {}
    for change in changes.history(person, limit=200):
        found.setdefault(change.field, _source(change.row))
    return found


def _source(row: PersonChange) -> str:
    day = f"{clock.local(row.at):%Y-%m-%d}"
    if row.by_name and row.source is not Source.IMPORT:
        return _("%(source)s，%(name)s，%(day)s", source=words.source(row.source), name=row.by_name, day=day)
    return _("%(source)s，%(day)s", source=words.source(row.source), day=day)


def _first_source(person: Person) -> str:
    day = f"{clock.local(person.created_at):%Y-%m-%d}"
    return _("登记表导入，%(day)s", day=day) if person.batch_id else _("建档时登记，%(day)s", day=day)


def reveal(person: Person, field: OwnField) -> str:
    """One's own masked value, after the password was given; recorded, though nobody else saw it."""
    value = getattr(person, field.value)
    if not value:
        raise Missing
    audit.record("registry.revealed_own", person, field=field.value)
    return str(value)


def own_words(field: OwnField) -> str:
    return changes.field_words(field.value)


def export(person: Person) -> dict[str, Any]:
    """Everything the register holds of a person, in full, for her own copy; restricted tags are not in it."""
    own = {held.label: held.value for held in _fields(person)}
    sealed = {own_words(field): getattr(person, field.value) or "" for field in OwnField}
    return {
        _("基本信息"): [{**own, **sealed}],
        _("家里的人"): [
            {_("姓名"): other.name, _("与户主关系"): words.relation(other.relation)} for other in mine(person).household
        ],
        _("人群标签"): [
            {
                _("标签"): words.tag(tag.kind),
                _("起"): str(tag.since),
                _("止"): str(tag.until or ""),
                _("来源"): tag.source,
            }
            for tag in person.tags
        ],
        _("紧急联系人"): [
            {_("姓名"): one.name, _("关系"): one.relation, _("电话"): one.phone} for one in person.contacts
        ],
        _("名下的房屋"): [
            {_("房屋"): title.dwelling.address(), _("起"): str(title.since or ""), _("来源"): title.source}
            for title in owners.owned_by(person, today())
        ],
        _("同意记录"): [_consent(row) for row in consents.ledger(person)],
        _("修改记录"): [
            {
                _("时间"): _moment(change.row.at),
                _("内容"): changes.field_words(change.field),
                _("来源"): _source(change.row),
            }
            for change in changes.history(person, limit=500)
        ],
        _("我提的申请"): [
            {
                _("时间"): _moment(one.asked_at),
                _("申请"): right_words.subject(one),
                _("内容"): right_words.said(one, plain=True),
                _("结果"): right_words.state(one.state)[0],
                _("答复"): one.answer,
            }
            for one in requests.requests_of(person, limit=500)
        ],
        _("谁看过我的信息"): [
            {
                _("时间"): _moment(look.at),
                _("谁"): look.name,
                _("身份"): look.role,
                _("做了什么"): look.what,
                _("原因"): look.reason,
            }
            for look in looks(person, limit=1000).looks
        ],
    }


def _consent(row: Consent) -> dict[str, str]:
    return {
        _("用途"): consents.terms_of(row.purpose).title,
        _("同意时间"): _moment(row.given_at) if row.given_at else "",
        _("撤回时间"): _moment(row.withdrawn_at) if row.withdrawn_at else "",
        _("方式"): right_words.channel(row.channel),
        _("经办"): row.operator,
    }


def _moment(at: datetime) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M}"
