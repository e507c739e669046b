"""Opinions off paper: a worker writes down what somebody without a phone filled in, for her or without a name."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, tokens
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import OpinionState, Stage, Stand
from portal.deliberation.models.opinions import Opinion
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import reach, stands
from portal.deliberation.service.opinions import agrees, refuse_twin, tidy
from portal.deliberation.service.veiling import Veiled
from portal.registry.models import Person, PersonState
from portal.registry.service import people

MOST_FOUND, MOST_READ, AN_HOUR = 10, 200, 30
NAME_AND_TAIL = re.compile(r"([^\d\s][^\d]*?)\s*(\d{4})")
NARROW = frozenset({"phone", "phone_tail", "id_number"})
SHORTEST_NAME = 2


@dataclass(frozen=True)
class Entered:
    """What was written down: whether a statement was among it, stands, and those that she had taken herself."""

    words: Veiled | None
    stands: int
    kept: int


def seek_writer(topic: Topic, words: str, *, within: Collection[Scope], by: Actor) -> list[Person]:
    """Who filled in a paper; nobody is looked for once no paper is taken any more."""
    if why := why_closed(topic):
        raise Refused(why, field="q")
    return seek(topic, words, within=within, by=by)


def seek(topic: Topic, words: str, *, within: Collection[Scope], by: Actor) -> list[Person]:
    """Whom a worker means, looked for narrowly: by the whole name, or a number. That she looked is kept.

    Who reads nothing of the register finds here one person she has before her, and no list to browse: four figures
    alone answer only where they are one person's, and an hour has its measure.
    """
    tokens.throttle("deliberation.seek", by.public_id, limit=AN_HOUR, per=timedelta(hours=1))
    both = NAME_AND_TAIL.fullmatch(words.strip())
    name, text = both.groups() if both else ("", words.strip())
    kind = people.kind_of_query(text)
    if kind not in NARROW and len(text) < SHORTEST_NAME:
        raise Refused(_("请写全名，或者手机号，或者手机号后四位。"), field="q")
    known = people.find(text, within, limit=MOST_READ)
    found = [one for one in known if _is_meant(one, kind, text) and _here(one, topic)]
    if kind == "phone_tail":
        found = _one_alone(found, name)
    audit.record("deliberation.person_sought", topic, by=kind, found=len(found))
    return found[:MOST_FOUND]


def _one_alone(found: list[Person], name: str) -> list[Person]:
    """Of those whose number ends so: her whose name was said too, or the only one."""
    if name:
        return [one for one in found if one.name == "".join(name.split())]
    if len(found) > 1:
        raise Refused(_("后四位是这个号的不止一位。请把姓名和后四位一起写，例如“王秀英 1234”。"), field="q")
    return found


def _is_meant(person: Person, kind: str, text: str) -> bool:
    if kind == "phone_tail":
        # Four figures are a room too, and whoever lives in one is not looked for by it.
        return (person.phone or "").endswith(text)
    return kind in NARROW or person.name == "".join(text.split())


def _here(person: Person, topic: Topic) -> bool:
    return person.state is PersonState.PRESENT and person.community_id in reach.community_ids(topic)


def person_for(topic: Topic, public_id: str, *, within: Collection[Scope]) -> Person:
    """Whose paper it is: somebody of the topic's communities whom the worker's scopes reach."""
    person = people.person_in(within, public_id)
    if not _here(person, topic):
        raise Missing
    return person


def why_closed(topic: Topic) -> str:
    """Paper is written down as long as the topic has not moved on, also after the last day of collecting."""
    if topic.stage is Stage.COLLECTING:
        return ""
    return _("民意征集已经结束，不能再录入。没录入的纸质意见，请带到协商会议上。")


def asked(topic: Topic) -> Sequence[Opinion]:
    """The statements a paper asks about, in the order in which they were made."""
    query = sa.select(Opinion).where(Opinion.topic_id == topic.id, Opinion.state == OpinionState.SHOWN)
    return list(db.session.scalars(query.order_by(Opinion.id)))


def check(topic: Topic, person: Person | None, words: str, taken: Mapping[int, Stand]) -> None:
    """Refuse what could not be written down: too late, empty, or a statement that stands there already."""
    if why := why_closed(topic):
        raise Refused(why)
    if not words.strip() and not (person and taken):
        raise Refused(_("请至少录入一条看法或一个表态。"), field="words")
    if words.strip():
        refuse_twin(topic, tidy(topic, words).words)


def enter(topic: Topic, person: Person | None, *, words: str, taken: Mapping[int, Stand], by: Actor) -> Entered:
    """Write down one paper: a statement, stands, or both. A paper without a name has a statement alone."""
    check(topic, person, words, taken)
    veiled = _write(topic, person, words, by=by) if words.strip() else None
    put = [_put(topic, person, number, stand) for number, stand in taken.items()] if person else []
    told = Entered(veiled, sum(put), len(put) - sum(put))
    whom = person.public_id if person else ""
    written = int(veiled is not None)
    audit.record("deliberation.opinion_entered", topic, on_behalf_of=whom, opinions=written, stands=told.stands)
    return told


def _write(topic: Topic, person: Person | None, words: str, *, by: Actor) -> Veiled:
    veiled = tidy(topic, words)
    refuse_twin(topic, veiled.words)
    facts = {"topic_id": topic.id, "words": veiled.words, "masked": veiled.masked, "entered_by_name": by.name}
    made = Opinion(**facts, person_id=person.id if person else None, on_paper=True, state=OpinionState.SHOWN)
    db.session.add(made)
    db.session.flush()
    if person:
        agrees(made, person, on_paper=True)
    return veiled


def _put(topic: Topic, person: Person, number: int, stand: Stand) -> bool:
    found = db.session.get(Opinion, number)
    if found is None or found.topic_id != topic.id or found.state is not OpinionState.SHOWN:
        raise Refused(_("有一条看法刚刚被隐去了，请刷新这一页再录入。"))
    return stands.put(found, person, stand, on_paper=True)
