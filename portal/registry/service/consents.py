"""Consents, purpose by purpose: who gave each when and how, who was never asked, and what withdrawing does."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, ids, reasons
from portal.core.access import Actor
from portal.core.clock import full_years, now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.identity.models import Account
from portal.registry.models import (
    Channel,
    Claim,
    ClaimState,
    Consent,
    Person,
    PersonChange,
    Purpose,
    Source,
)
from portal.registry.service import changes, erasing, people
from portal.registry.service.consent_terms import Basis, Terms, terms

# Under it a guardian speaks (Personal Information Protection Law, art. 31).
SPEAKS_FROM = 14
OF_AGE = 18
CONSENT_WITHDRAWN = reasons.declare("registry.consent_withdrawn", label=lambda: _("撤回同意"))


@dataclass(frozen=True)
class Standing:
    """A purpose with what was last said of it."""

    terms: Terms
    row: Consent | None
    allowed: bool

    @property
    def waits(self) -> bool:
        """Nobody may use it yet, because nobody was asked."""
        return self.row is None and self.terms.rests_on is Basis.CONSENT


@dataclass(frozen=True)
class Voice:
    """Who speaks, and how it is known: in an account, as a guardian, or at the counter before a worker."""

    channel: Channel
    by: str
    name: str
    operator: str = ""
    guardian: str = ""
    identity: str = ""


def terms_of(purpose: Purpose) -> Terms:
    return next(one for one in terms() if one.purpose is purpose)


def allows(person: Person, purpose: Purpose) -> bool:
    """Whether data of a person may be used for a purpose now."""
    return _standing(terms_of(purpose), _said(person)).allowed


def refuses(*persons: Person, purpose: Purpose) -> bool:
    """Whether the last that was said is no, in any version; of several records, were they those of one person."""
    row = next((row for row in _said(*persons) if row.purpose is purpose), None)
    return row is not None and row.withdrawn_at is not None


def standing(person: Person) -> list[Standing]:
    rows = _said(person)
    return [_standing(one, rows) for one in terms()]


def _standing(of: Terms, rows: Iterable[Consent]) -> Standing:
    row = next((row for row in rows if row.purpose is of.purpose and row.version == of.version), None)
    allowed = row.withdrawn_at is None if row else of.rests_on is not Basis.CONSENT
    return Standing(of, row, allowed or not of.asks)


def unanswered(person: Person) -> list[Terms]:
    """The purposes that wait for a yes or a no."""
    return [one.terms for one in standing(person) if one.waits and not one.terms.ends_account]


def ledger(person: Person) -> list[Consent]:
    """Everything that was ever said, newest first."""
    return _said(person)


def _said(*persons: Person) -> list[Consent]:
    """Hers, those of records merged into hers, and those of the account that was confirmed to be hers."""
    ids = people.ids_of(*persons)
    accounts = sa.select(Claim.account_id).where(Claim.person_id.in_(ids), Claim.state == ClaimState.CONFIRMED)
    query = sa.select(Consent).where(sa.or_(Consent.person_id.in_(ids), Consent.account_id.in_(accounts)))
    return list(db.session.scalars(query.order_by(Consent.id.desc())))


def keep_refusals(since: datetime) -> None:
    """Take diet and health out again of records changed since a moment whose people withdrew that consent."""
    said = _said_by_anybody(Purpose.HEALTH)
    meant = people.stood_for(Person.id.in_(sa.select(said.c.person_id)))
    last = (
        sa.select(meant.c.id, sa.func.max(said.c.line).label("line"))
        .join(said, said.c.person_id == meant.c.origin)
        .group_by(meant.c.id)
        .subquery()
    )
    no = Consent.withdrawn_at.is_not(None)
    refused = sa.select(last.c.id).join(Consent, Consent.id == last.c.line).where(no)
    told = sa.exists().where(PersonChange.person_id == Person.id, PersonChange.at >= since)
    changed = sa.or_(Person.updated_at >= since, told)
    query = sa.select(Person.id).where(Person.id.in_(refused), changed).order_by(Person.id)
    erasing.forget(db.session.scalars(query).all())


def _said_by_anybody(purpose: Purpose) -> sa.Subquery:
    """Every line of a purpose with whose it is: her own, or that of the account that was confirmed to be hers."""
    own = sa.select(Consent.person_id, Consent.id.label("line")).where(Consent.person_id.is_not(None))
    confirmed = sa.and_(Claim.account_id == Consent.account_id, Claim.state == ClaimState.CONFIRMED)
    by_account = sa.select(Claim.person_id, Consent.id).join(Claim, confirmed).where(Claim.person_id.is_not(None))
    return sa.union(*(one.where(Consent.purpose == purpose) for one in (own, by_account))).subquery()


# What the page of registering asks beside the number, each by itself and unticked.
ASKED_AT_REGISTRATION = (Purpose.HEALTH, Purpose.NEWS)


def at_registration(account: Account, moment: datetime, *, also: Collection[str] = (), number: str = "") -> None:
    """The ticks on the page on which an account was registered, before anybody knew whose it is. What the number says
    is a child's own tick is none: those are asked of her guardian, in her record.
    """
    asked = () if _is_a_childs(number) else ASKED_AT_REGISTRATION
    for purpose in (Purpose.ID_NUMBER, *(one for one in asked if one in set(also))):
        row = Consent(
            account_id=account.id,
            purpose=purpose,
            version=terms_of(purpose).version,
            given_at=moment,
            channel=Channel.SELF,
            by_name=account.name,
        )
        db.session.add(row)
    db.session.flush()


def _is_a_childs(number: str) -> bool:
    try:
        card = ids.check_id_number(number, today=today(), allow_test_region=True)
    except ids.InvalidNumber:
        return False
    return full_years(card.birth_date, today()) < SPEAKS_FROM


def give(person: Person, purpose: Purpose, *, voice: Voice) -> None:
    """A separate yes to one purpose; said twice it stands once."""
    of = terms_of(purpose)
    _refuse(of, person, voice)
    lines = [row for row in _said(person) if row.purpose is purpose and row.withdrawn_at is None]
    if any(row.version == of.version for row in lines):
        return
    for older in lines:
        older.withdrawn_at, older.withdrawn_by = now(), voice.name
    db.session.flush()
    row = _row(person, of, voice)
    row.given_at = now()
    with unique_or(Refused(_("您已经同意过这一项了，请刷新页面看看。"))):
        db.session.add(row)
    _record("registry.consent_given", person, of, voice)


def said_yes_at_home(person: Person, purpose: Purpose, *, by: Actor) -> None:
    """The yes that a worker has just been given face to face, kept on the first use; a child's guardian's by name."""
    if allows(person, purpose):
        return
    guardian = ""
    if not speaks_for_herself(person):
        if person.guardian is None:
            words = _("未满 14 周岁，要由监护人同意。请先在档案里登记监护人，或去掉照片再保存。")
            raise Refused(words, field="photo_consent")
        guardian = person.guardian.name
    voice = Voice(Channel.COUNTER, by.public_id, guardian or person.name, by.name, guardian, _("上门时当面问的"))
    give(person, purpose, voice=voice)


def withdraw(person: Person, purpose: Purpose, *, voice: Voice) -> None:
    """No longer, or never. It holds at once; what the purpose alone had kept is deleted."""
    of = terms_of(purpose)
    _refuse(of, person, voice)
    if of.ends_account and voice.channel is not Channel.COUNTER:
        raise Refused(_("撤回这一项，账号就不能再用。请到“注销账号”办理。"))
    _end(person, of, voice)
    if purpose is Purpose.HEALTH:
        _erase(person)
    _record("registry.consent_withdrawn", person, of, voice)


def _refuse(of: Terms, person: Person, voice: Voice) -> None:
    if not of.asks:
        raise Refused(_("这一项是法律规定的职责，不需要同意，也不能撤回。"))
    if speaks_for_herself(person) or voice.channel is Channel.GUARDIAN:
        return
    if voice.channel is Channel.SELF:
        raise Refused(_("未满 14 周岁，要由监护人来表示。请监护人在自己的账号里办理，或到社区窗口。"))
    if not voice.guardian:
        raise Refused(_("未满 14 周岁，请写明是哪位监护人说的。"), field="guardian")


def speaks_for_herself(person: Person) -> bool:
    age = person.age(today())
    return age is None or age >= SPEAKS_FROM


def _row(person: Person, of: Terms, voice: Voice) -> Consent:
    return Consent(
        person_id=person.id,
        purpose=of.purpose,
        version=of.version,
        channel=voice.channel,
        by_name=voice.name,
        operator=voice.operator,
        guardian=voice.guardian,
        identity=voice.identity,
    )


def _end(person: Person, of: Terms, voice: Voice) -> None:
    """Close every line that stands; a no to what nobody had given is a line of its own."""
    lines = [row for row in _said(person) if row.purpose is of.purpose and row.withdrawn_at is None]
    if not lines:
        lines = [_row(person, of, voice)]
        db.session.add_all(lines)
    for row in lines:
        row.withdrawn_at, row.withdrawn_by, row.withdrawn_operator = now(), voice.name, voice.operator
        row.person_id = row.person_id or person.id
    db.session.flush()


def end_account(account: Account, person: Person | None, *, name: str) -> None:
    """The account is being closed: its number may no longer be used for it."""
    mine = Consent.account_id == account.id
    where = sa.or_(mine, Consent.person_id.in_(people.ids_of(person))) if person else mine
    query = sa.select(Consent).where(where, Consent.purpose == Purpose.ID_NUMBER, Consent.withdrawn_at.is_(None))
    for row in db.session.scalars(query.order_by(Consent.id)):
        row.withdrawn_at, row.withdrawn_by = now(), name


def _erase(person: Person) -> None:
    """What only this consent had allowed to keep goes, from the record, its aliases and their history."""
    ids = db.session.scalars(people.ids_of(person)).all()
    with changes.changing(person, Source.RESIDENT, reason=CONSENT_WITHDRAWN):
        person.diet = person.health = None
    db.session.flush()
    erasing.forget(ids)


def _record(action: str, person: Person, of: Terms, voice: Voice) -> None:
    audit.record(action, person, subject=of.purpose.value, version=of.version, channel=voice.channel.value)


def wards(guardian: Person) -> list[Person]:
    """The children whose guardian somebody is, as a worker entered it: nobody makes herself one."""
    query = sa.select(Person).where(
        Person.guardian_id.in_(people.ids_of(guardian)),
        Person.merged_into_id.is_(None),
        Person.birth_date.is_not(None),
    )
    found = db.session.scalars(query.options(*people.whole()).order_by(Person.birth_date, Person.id))
    return [child for child in found if (child.age(today()) or 0) < OF_AGE]


def whose(actor: Actor, public_id: str = "") -> Person:
    """Whose data an account asks for: its own person's, or a ward's; anybody else's is Missing."""
    me = people.person_of(actor)
    if not public_id or public_id == me.public_id:
        return me
    found = next((ward for ward in wards(me) if ward.public_id == public_id), None)
    if found is None:
        raise Missing
    return found


def voice_of(actor: Actor, person: Person) -> Voice:
    """How an account speaks of a person: as herself, or as her guardian."""
    me = people.person_of(actor)
    if me.id == person.id:
        return Voice(Channel.SELF, actor.public_id, actor.name)
    return Voice(Channel.GUARDIAN, actor.public_id, actor.name, guardian=me.name)
