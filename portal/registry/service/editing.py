"""Mending a record section by section: each is saved by itself, on the version that the worker saw."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import singledispatch

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit, search
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Refused
from portal.core.ids import Sex
from portal.registry.models import (
    Diet,
    Marriage,
    Person,
    PersonChange,
    PersonState,
    Politics,
    Presence,
    Registration,
    Relation,
    Schooling,
    Source,
    Tenure,
    Work,
)
from portal.registry.models.rights import Purpose
from portal.registry.service import changes, consents, documents, households, owner_links, telling
from portal.registry.service.documents import Document
from portal.registry.service.registering import put_phone


class Part(StrEnum):
    """The sections of a record that have a form of their own."""

    IDENTITY = "identity"
    RESIDENCE = "residence"
    FAMILY = "family"
    CONTACT = "contact"
    CARE = "care"


@dataclass(frozen=True)
class Identity:
    """Who somebody is. No document leaves the number as it stands; another in its place needs a reason."""

    name: str
    sex: Sex
    birth_date: date | None
    ethnicity: str
    marriage: Marriage
    schooling: Schooling
    politics: Politics
    work: Work
    document: Document | None = None
    reason: str = ""


@dataclass(frozen=True)
class Residence:
    """Where somebody is registered and really lives. An empty address leaves what stands; dropping takes it away."""

    registration: Registration
    registration_code: str
    presence: Presence
    tenure: Tenure
    living_since: date | None
    grid: Area | None
    registered_address: str = ""
    drop_registered_address: bool = False


@dataclass(frozen=True)
class Family:
    relation: Relation
    guardian: Person | None


@dataclass(frozen=True)
class Contact:
    phone: str = ""
    drop_phone: bool = False


@dataclass(frozen=True)
class Care:
    """Diet, health and notes: an empty text leaves what stands; dropping takes it away."""

    diets: frozenset[Diet]
    health: str = ""
    drop_health: bool = False
    note: str = ""
    drop_note: bool = False


Said = Identity | Residence | Family | Contact | Care


class NumberHeld(Refused):
    """A document number is somebody else's, wherever she lives: told seldom, and on the record."""


def save(person: Person, said: Said, *, version: int, reason: str = "") -> list[str]:
    """Change what was said to change; return the names of the fields. Refused when somebody else was quicker."""
    query = sa.select(Person).where(Person.id == person.id).with_for_update()
    db.session.scalars(query.execution_options(populate_existing=True)).one()
    changes.refuse_older(person, version, told=telling.now_said)
    before = changes.values_of(person)
    with changes.changing(person, Source.WORKER, reason=reason):
        _apply(said, person)
    after = changes.values_of(person)
    changed = [name for name in changes.FIELDS if before[name] != after[name]]
    if changed:
        audit.record("registry.person_edited", person, fields=changed)
    return changed


def as_seen(person: Person, version: int) -> dict[str, str | None]:
    """What the fields that changed since a version held then: what a form opened on it was filled with."""
    query = (
        sa.select(PersonChange)
        .where(PersonChange.person_id == person.id, PersonChange.version > version)
        .order_by(PersonChange.id.desc())
    )
    return {
        name: before for row in db.session.scalars(query) for name, (before, _after) in json.loads(row.changes).items()
    }


@singledispatch
def _apply(said: object, person: Person) -> None:
    raise TypeError(said, person.id)


@_apply.register
def _identity(said: Identity, person: Person) -> None:
    if said.name != person.name:
        person.name = said.name
        person.initials, person.pinyin = search.initials(said.name)[:40], search.pinyin(said.name)[:160]
    _refuse_birth(person, said.birth_date)
    person.sex, person.birth_date, person.ethnicity = said.sex, said.birth_date, said.ethnicity
    person.marriage, person.schooling = said.marriage, said.schooling
    person.politics, person.work = said.politics, said.work
    if said.document and said.document.number != person.id_number:
        _put_document(person, said.document, said.reason)
    documents.flag_contradictions(person)


def _refuse_birth(person: Person, birth_date: date | None) -> None:
    if birth_date is None:
        return
    if birth_date > today():
        raise Refused(_("出生日期还没有到，请核对。"), field="birth_date")
    if person.state is PersonState.DEAD and person.state_on and birth_date > person.state_on:
        raise Refused(_("出生日期晚于去世日期，请核对。"), field="birth_date")


def _put_document(person: Person, document: Document, reason: str) -> None:
    if person.id_number and len(reason.strip()) < 2:
        words = _("原来已登记证件号码。要换成新号码，请写明原因，例如“原号码录错一位，已看身份证”。")
        raise Refused(words, field="reason")
    refusal = _("这个证件号码已登记在别人名下，请核对；同一个人登记了两次请先不要填。")
    with unique_or(NumberHeld(refusal, field="id_number")):
        documents.put(person, document)
    owner_links.on_person(person)


@_apply.register
def _residence(said: Residence, person: Person) -> None:
    if said.living_since and person.birth_date and said.living_since < person.birth_date:
        raise Refused(_("起居日期早于出生日期，请核对。"), field="living_since")
    person.registration, person.registration_code = said.registration, said.registration_code
    person.presence, person.tenure, person.living_since = said.presence, said.tenure, said.living_since
    person.grid_id = said.grid.id if said.grid else None
    person.registered_address = _text(
        person.registered_address, said.registered_address, said.drop_registered_address, "registered_address"
    )


def _text(stands: str | None, said: str, drop: bool, field: str) -> str | None:
    """A sealed text after an edit that does not show it."""
    if said and drop:
        raise Refused(_("填了新内容就不必勾选清除，请只选一种。"), field=field)
    return None if drop else said or stands


@_apply.register
def _family(said: Family, person: Person) -> None:
    if said.relation is not person.relation:
        _put_relation(person, said.relation)
    if said.guardian is not None:
        refuse_guardian(person, said.guardian)
    person.guardian_id = said.guardian.id if said.guardian else None


def _put_relation(person: Person, relation: Relation) -> None:
    if person.household is None:
        raise Refused(_("还没有入户，请先办理迁入，再填与户主关系。"), field="relation")
    if Relation.HEAD in {relation, person.relation}:
        raise Refused(_("换户主请到这一户的页面办理“变更户主”。"), field="relation")
    person.relation = relation


def refuse_guardian(person: Person, guardian: Person) -> None:
    """A guardian is somebody else, of age, alive, and not under the guardianship of the very person."""
    if guardian.id == person.id:
        raise Refused(_("监护人不能是本人，请另选一位。"), field="guardian")
    if guardian.state is PersonState.DEAD:
        raise Refused(_("%(name)s已登记去世，不能做监护人。", name=guardian.name), field="guardian")
    if not households.adults([guardian]):
        raise Refused(_("监护人要年满 18 周岁，请另选一位。"), field="guardian")
    above, seen = guardian, {person.id}
    while above.guardian_id is not None:
        if above.guardian_id in seen:
            raise Refused(_("%(name)s自己的监护人就是本人，不能互为监护人。", name=guardian.name), field="guardian")
        seen.add(above.id)
        above = db.session.get_one(Person, above.guardian_id)


def possible_guardians(person: Person) -> list[Person]:
    """Who of the same household may be the person's guardian."""
    members = households.living(person.household) if person.household else []
    return [other for other in households.adults(members) if other.id != person.id]


def guardian_by_number(number: str, within: Collection[Scope]) -> Person:
    """Somebody of another household, by the number of a document; only in scope."""
    held = documents.held(number, within)
    if held is None or held.person is None:
        raise Refused(_("在您的管辖范围内没有这个证件号码的居民，请先登记监护人。"), field="guardian_number")
    return held.person


@_apply.register
def _contact(said: Contact, person: Person) -> None:
    if said.drop_phone and said.phone:
        raise Refused(_("填了新电话就不必勾选清除，请只选一种。"), field="phone")
    if said.phone or said.drop_phone:
        put_phone(person, said.phone)


@_apply.register
def _care(said: Care, person: Person) -> None:
    if (said.diets or said.health) and consents.refuses(person, purpose=Purpose.HEALTH):
        raise Refused(
            _("居民本人撤回了健康和饮食信息的同意，不能再登记这些内容。需要时请先请本人重新同意。"), field="health"
        )
    person.diet = ",".join(kind.value for kind in Diet if kind in said.diets) or None
    person.health = _text(person.health, said.health, said.drop_health, "health")
    person.note = _text(person.note, said.note, said.drop_note, "note")
