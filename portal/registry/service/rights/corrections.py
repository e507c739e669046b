"""Corrections: what a person proposes for one field, and putting it into the record once a worker agrees."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext as _

from portal.core import reasons, search
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import (
    Diet,
    EmergencyContact,
    Marriage,
    Person,
    Purpose,
    RightField,
    RightKind,
    RightsRequest,
    Schooling,
    Source,
    Work,
)
from portal.registry.service import changes, consents, contacts, people
from portal.registry.service.consents import Voice
from portal.registry.service.registering import put_phone
from portal.registry.service.rights import requests
from portal.registry.service.tags import hold

Said = dict[str, Any]
# Where somebody lives and with whom follows from events; who somebody is and her tags have pages with rules of their
# own. A worker mends these there, and says so before the resident is told.
BY_EVENT = frozenset({RightField.RESIDENCE, RightField.HOUSEHOLD, RightField.RELATION})
BY_HAND = BY_EVENT | {
    RightField.SEX,
    RightField.BIRTH_DATE,
    RightField.ID_NUMBER,
    RightField.REGISTRATION,
    RightField.TAGS,
}
BY_CONSENT = frozenset({RightField.DIET, RightField.HEALTH})
ASKED_BY_RESIDENT = reasons.declare("registry.asked_by_resident", label=lambda: _("居民申请更正"))


def propose(
    person: Person, field: RightField, said: Said, *, why: str, voice: Voice, picture: bytes | None = None
) -> RightsRequest:
    """Ask for another value of one field; what stands already, or what she no longer lets be kept, is refused."""
    if field in BY_CONSENT and consents.refuses(person, purpose=Purpose.HEALTH):
        raise Refused(_("您撤回了饮食和健康信息的同意。要重新登记，请先到“同意管理”里同意。"), field="value")
    if field is RightField.CONTACTS:
        said = _with_old(person, said)
    elif stands(person, field) == said["value"]:
        raise Refused(_("登记的就是这样，不用改。"), field="value")
    return requests.ask(
        person, RightKind.CORRECTION, voice=voice, field=field.value, said=said, why=why, picture=picture
    )


def stands(person: Person, field: RightField) -> object:
    """What the record holds for a field, in the form in which a proposal says it."""
    if field is RightField.DIET:
        return sorted(kind.value for kind in person.diets())
    if field in BY_HAND | {RightField.CONTACTS}:
        return None
    held = getattr(person, field.value)
    return getattr(held, "value", held)


def _with_old(person: Person, said: Said) -> Said:
    """The contact that is to be replaced or dropped, by name, so that the proposal can be read later."""
    if said["act"] == "add":
        if len(person.contacts) >= contacts.MOST:
            words = _("最多登记 %(most)d 位紧急联系人，请先换掉或去掉一位。", most=contacts.MOST)
            raise Refused(words, field="act")
        return said
    old = next((contact for contact in person.contacts if str(contact.id) == said["which"]), None)
    if old is None:
        raise Refused(_("请选择要改的是哪一位。"), field="which")
    return {**said, "old": old.name}


def grant(request: RightsRequest, *, by: Actor, answer: str = "", done: bool = False) -> None:
    """Put a proposal into the record, as one change whose source is the resident; then it is answered.

    What is mended by hand is answered only when the worker says that it was (`done`).
    """
    if request.person is None or request.kind is not RightKind.CORRECTION:
        raise TypeError(request.kind)
    person, field = people.resolved(request.person), RightField(request.field)
    if field in BY_CONSENT and consents.refuses(person, purpose=Purpose.HEALTH):
        raise Refused(_("居民已撤回饮食和健康信息的同意，不能再登记，请退回并说明。"))
    if field in BY_HAND and not done:
        raise Refused(_("请先在档案里改好，再勾“我已经改好了”。"), field="done")
    requests.grant(request, by=by, answer=answer)
    hold(person)
    with changes.changing(person, Source.RESIDENT, ref=request.public_id, reason=ASKED_BY_RESIDENT):
        APPLY[field](person, requests.said_of(request))
    db.session.flush()


def _name(person: Person, said: Said) -> None:
    name = str(said["value"])
    person.name = name
    person.initials, person.pinyin = search.initials(name)[:40], search.pinyin(name)[:160]


def _phone(person: Person, said: Said) -> None:
    put_phone(person, str(said["value"]))


def _registered_address(person: Person, said: Said) -> None:
    person.registered_address = str(said["value"])


def _marriage(person: Person, said: Said) -> None:
    person.marriage = Marriage(said["value"])


def _schooling(person: Person, said: Said) -> None:
    person.schooling = Schooling(said["value"])


def _work(person: Person, said: Said) -> None:
    person.work = Work(said["value"])


def _diet(person: Person, said: Said) -> None:
    person.diet = ",".join(kind.value for kind in Diet if kind.value in said["value"]) or None


def _health(person: Person, said: Said) -> None:
    person.health = str(said["value"]) or None


def _contacts(person: Person, said: Said) -> None:
    old = next((contact for contact in person.contacts if str(contact.id) == said.get("which")), None)
    if said["act"] != "add" and old is None:
        raise Refused(_("原来那位紧急联系人已经不在登记里，请退回，请居民重新提。"))
    before = contacts.told(old) if old else None
    if said["act"] == "add":
        old = EmergencyContact(rank=len(person.contacts) + 1)
        person.contacts.append(old)
    if said["act"] == "drop" and old:
        person.contacts.remove(old)
        changes.note(person, {"contacts": [before, None]}, Source.RESIDENT)
        return
    if old:
        old.name, old.relation, old.phone = said["name"], said["relation"], said["phone"]
        changes.note(person, {"contacts": [before, contacts.told(old)]}, Source.RESIDENT)


def _by_hand(_person: Person, _said: Said) -> None:
    """Nothing: the worker has mended the record, or recorded the event, before she agrees."""


APPLY: dict[RightField, Callable[[Person, Said], None]] = {
    RightField.NAME: _name,
    RightField.PHONE: _phone,
    RightField.REGISTERED_ADDRESS: _registered_address,
    RightField.MARRIAGE: _marriage,
    RightField.SCHOOLING: _schooling,
    RightField.WORK: _work,
    RightField.DIET: _diet,
    RightField.HEALTH: _health,
    RightField.CONTACTS: _contacts,
    **dict.fromkeys(BY_HAND, _by_hand),
}
