"""Claims: an account says who it belongs to; the register or a worker confirms it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload

from portal.areas import service as areas
from portal.core import audit, outbox, search, tokens
from portal.core.access import Actor, Platform, Scope
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.core.sealing import BlindIndex, blind
from portal.identity import codes, credentials, passwords, sessions
from portal.identity import service as identity
from portal.identity.models import Account, CodePurpose
from portal.registry.models import Claim, ClaimState, Person
from portal.registry.models.accounts import CLAIM_MOVES
from portal.registry.service import consents, people

PAGE = 50
MOST_CANDIDATES = 20
BY_REGISTER = "register"


@dataclass(frozen=True)
class Candidate:
    """A person a claim may mean, and which of its words agree with the register."""

    person: Person
    name_agrees: bool
    id_agrees: bool
    phone_agrees: bool
    taken: bool

    @property
    def served(self) -> bool:
        return people.is_served(self.person)

    @property
    def agreeing(self) -> int:
        """How strongly the register agrees: a number weighs more than a telephone, a telephone more than a name."""
        return 4 * self.id_agrees + 2 * self.phone_agrees + self.name_agrees


def start_registration(
    *, name: str, id_number: str, phone: str, password: str, community: str, address: str, also: str = ""
) -> str:
    """Throttle, hash outside any transaction, send the code; return its flow. Nothing depends on who is known."""
    passwords.check_new(password, Platform.RESIDENT)
    codes.throttle(phone, address=address)
    password_hash = credentials.hash_new(password, Platform.RESIDENT)
    facts = {"name": name, "id_number": id_number, "hash": password_hash, "community": community, "also": also}
    return codes.send(
        CodePurpose.REGISTER, phone, payload={**facts, "consented_at": now().isoformat(timespec="seconds")}
    )


def finish_registration(flow: str, code: str) -> Claim:
    """The account of a proven telephone, its claim, and its first session."""
    phone, facts = codes.finish(flow, code, CodePurpose.REGISTER)
    account = identity.open_resident_account(phone=phone, name=facts["name"], password_hash=facts["hash"])
    audit.record("registry.consent_given", account, subject="sensitive_data", at=facts["consented_at"])
    also = facts.get("also", "").split(",")
    at, number = datetime.fromisoformat(facts["consented_at"]), facts["id_number"]
    consents.at_registration(account, at, also=also, number=number)
    claim = make_claim(account, name=facts["name"], id_number=number, community=facts["community"])
    sessions.open_session(account)
    return claim


def make_claim(account: Account, *, name: str, id_number: str, community: str) -> Claim:
    """Say who an account is. Exactly that person with that telephone confirms it; anybody else waits for a worker."""
    index = blind("person.id_number", id_number)
    known = _person_of_number(index)
    claim = Claim(
        account_id=account.id,
        name=name,
        id_number=id_number,
        id_index=index,
        community_id=known.community_id if known else areas.by_code(community).id,
        made_at=now(),
    )
    with unique_or(Refused(_("您的身份信息已经提交，请等社区核对。"))):
        db.session.add(claim)
    audit.record("registry.claim_made", claim)
    if known and _is_exactly(known, name, account.phone or ""):
        _confirm_at_once(claim, known)
    return claim


def claim_again(actor: Actor, *, name: str, id_number: str, community: str) -> Claim:
    """A new claim after a refused one, with mended words."""
    tokens.throttle("claim.again", actor.public_id, limit=5, per=timedelta(days=1))
    account = identity.account(actor.account_id)
    identity.rename(account, name)
    audit.record("registry.consent_given", account, subject="sensitive_data")
    consents.at_registration(account, now())
    return make_claim(account, name=name, id_number=id_number, community=community)


def _person_of_number(index: BlindIndex) -> Person | None:
    person = db.session.scalar(sa.select(Person).where(Person.id_index == index))
    return people.resolved(person) if person else None


def _is_exactly(person: Person, name: str, phone: str) -> bool:
    return (
        people.is_served(person)
        and search.normalise(person.name) == search.normalise(name)
        and blind("person.phone", phone).fits(person.phone_index)
    )


def _confirm_at_once(claim: Claim, person: Person) -> None:
    """Leave the claim to a worker when the person has an account already."""
    try:
        _decide(claim, ClaimState.CONFIRMED, person_id=person.id, decided_by=BY_REGISTER)
    except Refused:
        return
    audit.record("registry.claim_confirmed", claim, by=BY_REGISTER)


def claim_of(actor: Actor) -> Claim | None:
    """The newest claim of an account."""
    query = sa.select(Claim).where(Claim.account_id == actor.account_id).order_by(Claim.id.desc()).limit(1)
    return db.session.scalar(query)


def claims(within: Collection[Scope], state: ClaimState, *, page: int = 1) -> list[Claim]:
    """One page of the claims in scope: those waiting longest first, decided ones newest first. One more tells on."""
    order = (Claim.made_at, Claim.id) if state is ClaimState.PENDING else (Claim.decided_at.desc(), Claim.id.desc())
    query = (
        sa.select(Claim)
        .where(Claim.state == state, _inside(within))
        .options(joinedload(Claim.account), joinedload(Claim.community))
        .order_by(*order)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    )
    return list(db.session.scalars(query))


def waiting(within: Collection[Scope]) -> int:
    """How many claims in scope wait."""
    query = sa.select(sa.func.count(Claim.id)).where(Claim.state == ClaimState.PENDING, _inside(within))
    return db.session.scalar(query) or 0


def claim_in(within: Collection[Scope], public_id: str) -> Claim:
    query = (
        sa.select(Claim)
        .where(Claim.public_id == public_id, _inside(within))
        .options(joinedload(Claim.account), joinedload(Claim.community), joinedload(Claim.person))
    )
    claim = db.session.scalar(query)
    if claim is None:
        raise Missing
    return claim


def _inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    return Claim.community_id.in_(areas.reach(within).communities)


def candidates(claim: Claim, within: Collection[Scope]) -> list[Candidate]:
    """The people in scope who share the claim's number, telephone or name; the likeliest first.

    A record that was merged leads to the person it stands for, who must be in scope herself.
    """
    phone_index = blind("person.phone", claim.account.phone or "")
    id_index = blind("person.id_number", claim.id_number)
    alike = sa.or_(Person.id_index == id_index, Person.phone_index == phone_index, Person.name == claim.name)
    meant = people.stood_for(alike)
    origin = aliased(Person)
    rank = sa.case((origin.id_index == id_index, 0), (origin.phone_index == phone_index, 1), else_=2)
    nearest = (
        sa.select(meant.c.id, sa.func.min(rank).label("rank"))
        .join(origin, origin.id == meant.c.origin)
        .group_by(meant.c.id)
        .subquery()
    )
    query = (
        sa.select(Person)
        .join(nearest, nearest.c.id == Person.id)
        .where(people.within(within))
        .options(joinedload(Person.community))
        .order_by(nearest.c.rank, Person.id)
        .limit(MOST_CANDIDATES)
    )
    found = list(db.session.scalars(query))
    taken = _taken(person.id for person in found)
    compared = [_compared(person, claim, (id_index, phone_index), taken=person.id in taken) for person in found]
    return sorted(compared, key=lambda candidate: (-candidate.agreeing, candidate.person.id))


def _compared(person: Person, claim: Claim, indexes: tuple[BlindIndex, BlindIndex], *, taken: bool) -> Candidate:
    id_index, phone_index = indexes
    return Candidate(
        person,
        name_agrees=search.normalise(person.name) == search.normalise(claim.name),
        id_agrees=id_index.fits(person.id_index),
        phone_agrees=phone_index.fits(person.phone_index),
        taken=taken,
    )


def _taken(person_ids: Iterable[int]) -> frozenset[int]:
    query = sa.select(Claim.person_id).where(Claim.person_id.in_(list(person_ids)), Claim.state == ClaimState.CONFIRMED)
    return frozenset(found for found in db.session.scalars(query) if found is not None)


def confirm(claim: Claim, person: Person, *, by: Actor) -> None:
    """The account is this person's: never two confirmed accounts for one person."""
    if not people.is_served(person):
        raise Refused(_("这位居民的档案已注销或已合并，不能认领"), field="person")
    _decide(claim, ClaimState.CONFIRMED, person_id=person.id, decided_by=by.name)
    audit.record("registry.claim_confirmed", claim, on_behalf_of=claim.account.public_id, person=person.public_id)
    outbox.enqueue("registry.claim_confirmed", to=_account_ref(claim))


def refuse(claim: Claim, reason: str, *, by: Actor) -> None:
    """Not this person, or no longer: a reason is told to the account, which may claim again."""
    if not reason:
        raise Refused(_("请写明原因，例如“姓名和身份证号码对不上”"), field="reason")
    undone = claim.state is ClaimState.CONFIRMED
    _decide(claim, ClaimState.REFUSED, reason=reason, decided_by=by.name)
    action = "registry.claim_undone" if undone else "registry.claim_refused"
    audit.record(action, claim, reason=reason, on_behalf_of=claim.account.public_id)
    outbox.enqueue("registry.claim_refused", to=_account_ref(claim), reason=reason)


def _account_ref(claim: Claim) -> Recipient:
    return Recipient("account", claim.account.public_id)


def _decide(claim: Claim, state: ClaimState, **values: Any) -> None:
    """The one way a claim moves: by a guarded UPDATE, so that two workers do not both decide."""
    before = [old for old, later in CLAIM_MOVES.items() if state in later and old is claim.state]
    move = sa.update(Claim).where(Claim.id == claim.id, Claim.state.in_(before))
    with unique_or(Refused(_("这位居民已经有账号认领。若认领有误，请先解除原来的认领。"), field="person")):
        if not guarded(move.values(state=state, decided_at=now(), **values)):
            raise Refused(_("这条认领刚才已经有人处理，请返回列表看结果。"))
    db.session.refresh(claim)


def purge(before: datetime) -> int:
    """Forget refused claims decided before a moment, with the numbers they said; return how many went."""
    gone = db.session.execute(sa.delete(Claim).where(Claim.state == ClaimState.REFUSED, Claim.decided_at < before))
    return int(getattr(gone, "rowcount", 0))
