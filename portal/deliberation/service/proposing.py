"""Proposing and supporting (附议): the threshold is counted by the database, and reached once."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit, clock, outbox, settings
from portal.core.clock import now, today
from portal.core.db import db, guarded, insert_once
from portal.core.errors import Refused
from portal.core.outbox import Recipient
from portal.deliberation.models.codes import Category, IdeaState
from portal.deliberation.models.topics import Idea, IdeaSupport
from portal.deliberation.service import ideas
from portal.deliberation.service.veiling import veil
from portal.identity import staff
from portal.identity.permissions import Permission
from portal.registry.models import Person, PersonState
from portal.registry.service import people

S = IdeaState


@dataclass(frozen=True)
class Said:
    """What somebody wrote."""

    title: str
    words: str
    place: str
    category: Category


@dataclass(frozen=True)
class Proposed:
    """The idea as it is kept, and what its writer is told where something was taken out of it."""

    idea: Idea
    veiled: str = ""

    @property
    def id(self) -> int:
        return self.idea.id


def propose(person: Person, community: Area, said: Said) -> Proposed:
    """Send an idea: open for support, or looked at first where the place says so. Few a day by one person, and what
    she took back is one of them.
    """
    first, _next = clock.day_bounds(today())
    query = sa.select(sa.func.count(Idea.id)).where(Idea.person_id.in_(people.ids_of(person)), Idea.made_at >= first)
    if (db.session.scalar(query) or 0) >= settings.get(ideas.A_DAY):
        raise Refused(_("今天已经提了 %(count)d 条，明天再提吧。急事请用“民呼我为”。", count=settings.get(ideas.A_DAY)))
    looked_first = settings.get(ideas.LOOKS_FIRST) == 1
    veiled = {name: veil(text, [community.id]) for name, text in _texts(said).items()}
    made = Idea(
        community_id=community.id,
        person_id=person.id,
        state=S.PENDING if looked_first else S.OPEN,
        needed=settings.get(ideas.NEEDED),
        due_on=today() + timedelta(days=settings.get(ideas.OPEN_DAYS)),
        category=said.category,
        **{name: one.words for name, one in veiled.items()},
    )
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.idea_made", made)
    if looked_first:
        tell_desk("idea_to_look_at", made)
    return Proposed(made, next((one.said() for one in veiled.values() if one.masked), ""))


def _texts(said: Said) -> dict[str, str]:
    return {"title": said.title, "words": said.words, "place": said.place}


def release(idea: Idea) -> None:
    """Shown to everybody, once somebody has looked at it."""
    move(idea, S.OPEN, from_=(S.PENDING,))
    audit.record("deliberation.idea_shown", idea)
    tell(idea.person, "idea_shown", idea)


def support(idea: Idea, person: Person) -> bool:
    """Support an idea, once; whether that was what put it before the committee."""
    if ideas.is_mine(idea, person):
        raise Refused(_("这是您自己提的建议。把它告诉邻居，请他们来附议。"))
    if idea.state not in ideas.RUNNING:
        raise Refused(_("这条建议已经不收附议了，请看下面的答复。"))
    if ideas.supported_by(idea, person):
        return False
    if not insert_once(IdeaSupport, {"idea_id": idea.id, "person_id": person.id, "at": now()}):
        return False
    reached = count_in(idea, 1)
    audit.record("deliberation.idea_supported", idea)
    return reached


def count_in(idea: Idea, more: int) -> bool:
    """Add supporters to the count that the database holds; whether the threshold was reached by them, once."""
    running = sa.and_(Idea.id == idea.id, Idea.state.in_(ideas.RUNNING))
    if not guarded(sa.update(Idea).where(running).values(supports=Idea.supports + more)):
        raise Refused(_("这条建议刚刚有了答复，不再收附议。请刷新看看。"))
    day = today()
    due = day + timedelta(days=settings.get(ideas.DUE_DAYS))
    values = {"state": S.REACHED, "reached_at": now(), "due_on": due, "reminded_at": None}
    enough = sa.and_(Idea.id == idea.id, Idea.state == S.OPEN, Idea.supports >= Idea.needed)
    reached = guarded(sa.update(Idea).where(enough).values(**values))
    db.session.refresh(idea, ["supports", *values])
    if reached:
        audit.record("deliberation.idea_reached", idea, count=idea.supports)
        tell(idea.person, "idea_reached", idea, due=due.isoformat())
        tell_desk("idea_to_answer", idea, due=due.isoformat())
    return reached


def unsupport(idea: Idea, person: Person) -> None:
    """Take one's support back, while nobody has answered. What was reached stays reached."""
    if idea.state not in ideas.RUNNING:
        raise Refused(_("这条建议已经有答复了，附议不能再收回。"))
    mine = ideas.support_of(idea, person)
    if mine is None or not guarded(sa.delete(IdeaSupport).where(IdeaSupport.id == mine)):
        return
    guarded(sa.update(Idea).where(Idea.id == idea.id, Idea.supports > 0).values(supports=Idea.supports - 1))
    db.session.refresh(idea, ["supports"])
    audit.record("deliberation.idea_unsupported", idea)


def withdraw(idea: Idea, *, reason: str) -> None:
    """Taken back by who proposed it; supporters are told why."""
    if not reason.strip():
        raise Refused(_("请写一句为什么收回，附议的邻居会看到。"), field="reason")
    words = veil(reason.strip(), [idea.community_id]).words
    move(idea, S.WITHDRAWN, from_=(S.PENDING, *ideas.RUNNING), answer=words, answered_at=now())
    audit.record("deliberation.idea_withdrawn", idea)
    tell_supporters("idea_withdrawn", idea, words=words)


def move(idea: Idea, to: IdeaState, *, from_: tuple[IdeaState, ...], **values: object) -> None:
    """Of two who act at once one wins."""
    standing = sa.and_(Idea.id == idea.id, Idea.state.in_(from_))
    moved = guarded(sa.update(Idea).where(standing).values(state=to, **values))
    db.session.refresh(idea, ["state", *values])
    if not moved:
        raise Refused(_("这条建议刚刚已经处理过了，请刷新看看。"))


def tell(person: Person, event: str, idea: Idea, **facts: object) -> None:
    """Tell somebody of an idea."""
    who = people.resolved(person)
    if who.state is PersonState.PRESENT:
        about = {"person": who.name, "title": idea.title, "idea_id": idea.id}
        outbox.enqueue(f"deliberation.{event}", to=who.ref, **about | facts)


def supporters(idea: Idea) -> list[Person]:
    """Whoever supports an idea, each once, as who she is now."""
    query = (
        sa.select(Person).join(IdeaSupport, IdeaSupport.person_id == Person.id).where(IdeaSupport.idea_id == idea.id)
    )
    return list(dict.fromkeys(people.resolved(one) for one in db.session.scalars(query.order_by(Person.id))))


def tell_supporters(event: str, idea: Idea, **facts: object) -> None:
    for person in supporters(idea):
        tell(person, event, idea, **facts)


def tell_desk(event: str, idea: Idea, **facts: object) -> None:
    """Tell who keeps the topics of the idea's community."""
    for account in staff.workers_on(Permission.DELIBERATION_KEEP, [idea.community.code]):
        facts_of = {"title": idea.title, "idea_id": idea.id, "place": idea.community.name}
        outbox.enqueue(f"deliberation.{event}", to=Recipient("account", account.public_id), **facts_of | facts)
