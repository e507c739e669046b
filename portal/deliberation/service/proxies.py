"""Written proxies (委托书): the document is seen, kept sealed, and stands for one entry; who votes by it."""

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, undefer

from portal.core import audit, ids, sealing, settings, tokens
from portal.core.access import Actor
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.ids import new_public_id
from portal.deliberation.models.codes import Channel, ProxyState, VoteState
from portal.deliberation.models.votes import RollEntry, Vote, VoteProxy
from portal.deliberation.service import casting, papers, rolls
from portal.registry.models import Claim, ClaimState, Person, PersonState
from portal.registry.service import people

MOST_EACH = "deliberation.proxies_each"
settings.declare(
    MOST_EACH, default=3, label=lambda: _("一个人最多接受几份投票委托"), unit=lambda: _("份"), least=1, most=50
)
CONTEXT = "vote_proxy|document"
MEDIA = ("application/pdf", "image/jpeg", "image/png", "image/webp")
OPEN = (VoteState.ROLL, VoteState.OPEN)


def proxies(vote: Vote) -> list[VoteProxy]:
    """The proxies of a vote by roll number, those withdrawn last."""
    query = sa.select(VoteProxy).where(VoteProxy.vote_id == vote.id).options(joinedload(VoteProxy.entry))
    query = query.join(RollEntry, VoteProxy.entry_id == RollEntry.id)
    order = (VoteProxy.state == ProxyState.WITHDRAWN, RollEntry.number, VoteProxy.id)
    return list(db.session.scalars(query.order_by(*order).limit(500)))


def proxy(vote: Vote, public_id: str) -> VoteProxy:
    query = sa.select(VoteProxy).where(VoteProxy.vote_id == vote.id, VoteProxy.public_id == public_id)
    found = db.session.scalar(query.options(joinedload(VoteProxy.entry)))
    if found is None:
        raise Missing
    return found


def held_by(vote: Vote, person: Person) -> list[VoteProxy]:
    """The proxies by which somebody may vote for others, by roll number."""
    query = (
        sa.select(VoteProxy)
        .join(RollEntry, VoteProxy.entry_id == RollEntry.id)
        .where(
            VoteProxy.vote_id == vote.id,
            VoteProxy.holder_person_id.in_(people.ids_of(person)),
            VoteProxy.state != ProxyState.WITHDRAWN,
        )
        .options(joinedload(VoteProxy.entry))
    )
    return list(db.session.scalars(query.order_by(RollEntry.number)))


def unused(vote: Vote, person: Person) -> list[VoteProxy]:
    """Those of them by which nothing was voted yet."""
    return [one for one in held_by(vote, person) if one.state is ProxyState.GIVEN]


def holder_by(phone: str, name: str) -> Person:
    """Who votes by her own account: both her telephone and her name must be known; nobody is listed, and it is told."""
    try:
        number = ids.check_mobile(phone)
    except ids.InvalidNumber as invalid:
        raise Refused(str(invalid), field="account") from None
    claimed = sa.select(Claim.person_id).where(Claim.state == ClaimState.CONFIRMED)
    query = sa.select(Person).where(
        Person.phone_index == sealing.blind("person.phone", number), Person.name == name, Person.id.in_(claimed)
    )
    found = db.session.scalars(query.order_by(Person.id)).first()
    audit.record("deliberation.proxy_holder_sought", found, found=found is not None)
    if found is None or people.resolved(found).state is not PersonState.PRESENT:
        words = _("没有找到姓名和手机号都对得上、已核对身份的居民账号。不填手机号，由社区代录也可以。")
        raise Refused(words, field="account")
    return people.resolved(found)


def held(vote: Vote, person: Person, public_id: str) -> VoteProxy:
    """A proxy that somebody holds; Missing for another's."""
    found = next((one for one in held_by(vote, person) if one.public_id == public_id), None)
    if found is None:
        raise Missing
    return found


def take(
    vote: Vote,
    number: int,
    holder: str,
    holder_person: Person | None,
    document: bytes,
    media: str,
    *,
    by: Actor,
    idem: str = "",
) -> str:
    """Keep a written proxy; its public id. The same `idem` again takes nothing more."""
    public_id = new_public_id()
    said = f"{vote.id}|{number}|{holder}|{len(document)}"
    earlier = tokens.first_request(by.public_id, "deliberation.proxy", idem, said, public_id)
    if earlier is not None:
        return earlier
    # Held: two proxies for one holder are counted one after the other.
    rolls.lock(vote)
    entry = _entry(vote, number)
    _check_holder(vote, entry, holder, holder_person)
    made = VoteProxy(
        public_id=public_id,
        vote_id=vote.id,
        entry_id=entry.id,
        holder=holder,
        holder_person_id=holder_person.id if holder_person else None,
        media=media,
        document=sealing.keys().seal_bytes(document, CONTEXT),
        entered_by=by.public_id,
        entered_by_name=by.name,
    )
    with unique_or(Refused(_("这一号已经有一份委托书。要换人请先撤回原来的。"), field="number")):
        db.session.add(made)
    audit.record("deliberation.proxy_taken", made, vote=vote.id, number=number)
    return public_id


def _entry(vote: Vote, number: int) -> RollEntry:
    if vote.state not in OPEN:
        raise Refused(_("名册公示以后、投票截止以前才能登记委托书。"))
    if not vote.is_named and not vote.takes_paper:
        raise Refused(_("这次表决不记名，也不收纸质票，受托人没有办法代投。请本人用手机投。"))
    entry = rolls.entry_numbered(vote, number)
    if entry is None:
        raise Refused(_("名册上没有这个编号，请对照名册再填。"), field="number")
    if casting.have_voted([entry]):
        raise Refused(_("这一号已经投过票，不用再委托。"), field="number")
    return entry


def _check_holder(vote: Vote, entry: RollEntry, holder: str, person: Person | None) -> None:
    """Nobody collects proxies beyond what the place allows, whether she is known to the register or by name alone."""
    same = VoteProxy.holder == holder
    if person is not None:
        same = sa.or_(same, VoteProxy.holder_person_id.in_(people.ids_of(person)))
    query = sa.select(sa.func.count()).where(
        VoteProxy.vote_id == vote.id, VoteProxy.state != ProxyState.WITHDRAWN, same
    )
    most = settings.get(MOST_EACH)
    if (db.session.scalar(query) or 0) >= most:
        raise Refused(_("一个人最多接受 %(most)d 份委托，这个人已经满了，请另委托别人。", most=most), field="holder")
    if person is not None and any(one.id == entry.id for one in rolls.entries_of(vote, person)):
        raise Refused(_("这个人本来就能投这一票，不用委托。"), field="holder")


def document_of(found: VoteProxy) -> bytes:
    """What was handed in, opened; that somebody looked is on record."""
    query = sa.select(VoteProxy).where(VoteProxy.id == found.id).options(undefer(VoteProxy.document))
    sealed = db.session.scalars(query.execution_options(populate_existing=True)).one().document
    if not sealed:
        raise Refused(_("这份委托书过了保存期，原件已经删掉，只留下是谁委托谁。"))
    audit.record("deliberation.proxy_seen", found)
    return sealing.keys().open_bytes(sealed, CONTEXT)


def withdraw(found: VoteProxy, reason: str, *, by: Actor) -> None:
    """She votes herself, or somebody else does; a proxy by which was voted stays."""
    changed = sa.update(VoteProxy).where(VoteProxy.id == found.id, VoteProxy.state == ProxyState.GIVEN)
    if not guarded(changed.values(state=ProxyState.WITHDRAWN, ended_why=reason)):
        raise Refused(_("这份委托书已经用过或撤回，不能再撤回。"))
    db.session.refresh(found, ["state", "ended_why"])
    audit.record("deliberation.proxy_withdrawn", found, reason=reason, by=by.name)


def vote_by(vote: Vote, found: VoteProxy, choice: int, *, slip: str, by: Actor) -> casting.Receipt:
    """Of a named vote: what the holder says, herself or to a worker who has seen the document.

    A vote that came another way stands: who was sent does not change what she who sent her has voted herself.
    """
    if not vote.is_named:
        raise Refused(_("不记名表决不能由别人录入选择。请把一张纸质选票发给受托人，由本人投进票箱。"))
    entry, last = found.entry, casting.newest(found.entry)
    if last is not None and last.proxy_id != found.id:
        raise Refused(_("委托人这一票已经投过（本人投的，或者纸质票），以那一票为准，不用再代投。"))
    seen = last.version if last else 0
    return casting.cast(vote, entry, None, choice, slip=slip, channel=Channel.PROXY, by=by, proxy=found, seen=seen)


def hand_paper(vote: Vote, found: VoteProxy, *, by: Actor) -> None:
    """Of an unnamed vote: the holder is handed the paper of the entry, and puts it into the box herself."""
    papers.check_hand(vote)
    changed = sa.update(VoteProxy).where(VoteProxy.id == found.id, VoteProxy.state == ProxyState.GIVEN)
    if not guarded(changed.values(state=ProxyState.USED)):
        raise Refused(_("这份委托书已经用过或撤回。"))
    casting.hand_out(vote, found.entry, channel=Channel.PROXY)
    db.session.refresh(found, ["state"])
    audit.record("deliberation.paper_handed", vote, by_proxy=True, by=by.name)
