"""Statements (看法): short sentences about a topic, for others to agree with or not. Who wrote one nobody is shown."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, reasons, settings, tokens
from portal.core.access import Actor, Platform
from portal.core.clock import now, today
from portal.core.db import db, guarded, insert_once
from portal.core.errors import Missing, Refused
from portal.core.web import day_words
from portal.deliberation.models.codes import OpinionState, Stage, Stand
from portal.deliberation.models.opinions import Opinion, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import reach
from portal.deliberation.service.veiling import Veiled, veil
from portal.registry.models import Person
from portal.registry.service import people

A_DAY = "deliberation.opinions_a_day"
settings.declare(
    A_DAY, default=5, label=lambda: _("看法：每人每个议题每天最多写几条"), unit=lambda: _("条"), least=1, most=50
)
# A reason of a hiding: she took it back herself.
OWN = reasons.declare("deliberation.own", label=lambda: _("本人撤回"))
LEAST, MOST = 4, 140
A_PAGE = 20
# Under so many people figures of a statement are not shown: in a small building they would point at somebody.
FEW = 5
PER = timedelta(days=1)
A_MINUTE = 6
READ = (OpinionState.SHOWN, OpinionState.HIDDEN)


@dataclass(frozen=True)
class Next:
    """What comes next for somebody on the page that shows one statement after another."""

    opinion: Opinion | None
    done: int
    total: int


@dataclass(frozen=True)
class Counted:
    """How people stand on a statement; no figures where they are too few."""

    agree: int = 0
    disagree: int = 0
    passed: int = 0

    @property
    def people(self) -> int:
        return self.agree + self.disagree + self.passed

    @property
    def told(self) -> bool:
        return self.people >= FEW


def why_closed(topic: Topic, day: date) -> str:
    """Why nobody may write or take a stand now, in words that say how to go on; "" while opinions are collected."""
    if topic.stage is not Stage.COLLECTING:
        return _("这个议题的民意征集已经结束，不能再写看法和表态。大家说了什么、接下来怎么办，都可以看。")
    if topic.stage_until is not None and day > topic.stage_until:
        last = day_words(topic.stage_until)
        return _("民意征集到%(day)s截止了。还想说的，可以写留言，或者到社区说。", day=last)
    return ""


def refuse_closed(topic: Topic, day: date) -> None:
    why = why_closed(topic, day)
    if why:
        raise Refused(why)


def taking_part(topic: Topic, actor: Actor | None) -> tuple[Person | None, str]:
    """As whom a reader takes part in a topic; or nobody, and how to go on."""
    if actor is None:
        return None, _("登录以后，住在这里的居民可以说看法、表态。不登录也能看全部内容。")
    if actor.platform is not Platform.RESIDENT:
        return None, _("您现在用的是工作账号。请用居民账号登录后再表态；纸质意见请在工作台录入。")
    try:
        return reach.person_in(topic, actor), ""
    except Refused as refused:
        return None, refused.message


def slow_down(by: Actor) -> None:
    """Hold whoever sends faster than anybody writes; asked first, because it ends what was read."""
    tokens.throttle("deliberation.words", by.public_id, limit=A_MINUTE, per=timedelta(minutes=1))


def write(topic: Topic, person: Person, words: str) -> tuple[Opinion, Veiled]:
    """Keep a statement without names and numbers; its writer agrees with it. Pending where the topic says so."""
    refuse_closed(topic, today())
    _refuse_more(topic, person)
    veiled = tidy(topic, words)
    refuse_twin(topic, veiled.words)
    state = OpinionState.PENDING if topic.looks_first else OpinionState.SHOWN
    facts = {"topic_id": topic.id, "person_id": person.id, "words": veiled.words, "masked": veiled.masked}
    made = Opinion(**facts, state=state)
    db.session.add(made)
    db.session.flush()
    agrees(made, person)
    audit.record("deliberation.opinion_written", made, names=veiled.names, numbers=veiled.numbers)
    return made, veiled


def tidy(topic: Topic, words: str, *, least: int = LEAST, most: int = MOST) -> Veiled:
    """What is kept of some words: single spaces, no names, no numbers; refused where they are too few or too many."""
    plain = " ".join(words.split())
    if len(plain) < least:
        raise Refused(_("请写得再清楚一点，至少 %(least)d 个字。", least=least), field="words")
    if len(plain) > most:
        raise Refused(_("最多 %(most)d 个字。请只说一件事，写短一点。", most=most), field="words")
    return veil(plain, reach.community_ids(topic))


def refuse_twin(topic: Topic, words: str) -> None:
    """The same sentence twice would split those who agree with it."""
    same = sa.select(Opinion.id).where(
        Opinion.topic_id == topic.id, Opinion.words == words, Opinion.state != OpinionState.HIDDEN
    )
    if db.session.scalar(same.limit(1)) is not None:
        raise Refused(_("已经有一条一样的看法了。请在“表态”里对它选同意。"), field="words")


def hold_writer(person: Person) -> None:
    """Of several devices of one person one writes at a time, so that what she wrote today is counted right."""
    query = sa.select(Person.id).where(Person.id == person.id).with_for_update(key_share=True)
    db.session.execute(query.order_by(Person.id))


def _refuse_more(topic: Topic, person: Person) -> None:
    hold_writer(person)
    most = settings.get(A_DAY)
    query = sa.select(sa.func.count(Opinion.id)).where(
        Opinion.topic_id == topic.id,
        Opinion.person_id.in_(people.ids_of(person)),
        Opinion.on_paper.is_(False),
        Opinion.at > now() - PER,
    )
    if (db.session.scalar(query) or 0) >= most:
        raise Refused(_("一天最多写 %(most)d 条看法，您写满了。明天可以接着写，也可以先对别人的看法表态。", most=most))


def agrees(opinion: Opinion, person: Person, *, on_paper: bool = False) -> None:
    """Who says a thing agrees with it."""
    facts = {"topic_id": opinion.topic_id, "opinion_id": opinion.id, "person_id": person.id, "at": now()}
    insert_once(OpinionVote, {**facts, "stand": Stand.AGREE, "on_paper": on_paper})


def withdraw(opinion: Opinion) -> None:
    """Take one's own statement back, as long as nobody else has taken a stand on it."""
    others = sa.select(OpinionVote.id).where(
        OpinionVote.opinion_id == opinion.id, OpinionVote.person_id != opinion.person_id
    )
    if db.session.scalar(others.limit(1)) is not None:
        words = _("已经有邻居对这条看法表了态，不能自己撤回。里面有不该公开的内容，请联系社区隐去。")
        raise Refused(words)
    where = (Opinion.id == opinion.id, Opinion.state != OpinionState.HIDDEN)
    if guarded(sa.update(Opinion).where(*where).values(state=OpinionState.HIDDEN, hidden_why=OWN)):
        db.session.refresh(opinion)
        audit.record("deliberation.opinion_withdrawn", opinion)


def next_for(topic: Topic, person: Person | None) -> Next:
    """The statement that somebody is shown next: each person meets them in an order of her own, so that none of them
    is always the last.
    """
    query = sa.select(Opinion.id).where(Opinion.topic_id == topic.id, Opinion.state == OpinionState.SHOWN)
    shown = list(db.session.scalars(query.order_by(Opinion.id)))
    done = stood_on(topic, person) if person else set()
    left = [one for one in shown if one not in done]
    first = min(left, key=lambda one: _turn(person, one)) if left else 0
    return Next(db.session.get(Opinion, first) if first else None, len(shown) - len(left), len(shown))


def _turn(person: Person | None, opinion_id: int) -> bytes:
    return blake2b(f"{person.public_id if person else ''}|{opinion_id}".encode(), digest_size=8).digest()


def stood_on(topic: Topic, person: Person) -> set[int]:
    """The statements of a topic on which somebody has taken a stand."""
    query = sa.select(OpinionVote.opinion_id).where(
        OpinionVote.topic_id == topic.id, OpinionVote.person_id.in_(people.ids_of(person))
    )
    return set(db.session.scalars(query.order_by(OpinionVote.opinion_id)))


def opinion_of(topic: Topic, opinion_id: int) -> Opinion:
    """A statement of a topic that everybody is shown."""
    query = sa.select(Opinion).where(
        Opinion.id == opinion_id, Opinion.topic_id == topic.id, Opinion.state == OpinionState.SHOWN
    )
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def own(topic: Topic, person: Person | None, opinion_id: int) -> Opinion:
    """A statement that somebody wrote herself."""
    found = db.session.scalar(
        sa.select(Opinion).where(Opinion.id == opinion_id, Opinion.topic_id == topic.id, _hers(person))
    )
    if found is None:
        raise Missing
    return found


def _hers(person: Person | None) -> sa.ColumnElement[bool]:
    return Opinion.person_id.in_(people.ids_of(person)) if person else sa.false()


def written_by(topic: Topic, person: Person) -> list[Opinion]:
    """What somebody wrote in a topic, the newest first."""
    query = sa.select(Opinion).where(Opinion.topic_id == topic.id, _hers(person))
    return list(db.session.scalars(query.order_by(Opinion.id.desc()).limit(100)))


def read(topic: Topic, *, page: int = 1) -> tuple[list[Opinion], bool]:
    """A page of what was said, the newest first: what was hidden has its place and its reason. And whether more is."""
    query = sa.select(Opinion).where(Opinion.topic_id == topic.id, Opinion.state.in_(READ), Opinion.hidden_why != OWN)
    query = query.order_by(Opinion.id.desc()).limit(A_PAGE + 1).offset((page - 1) * A_PAGE)
    found = list(db.session.scalars(query))
    return found[:A_PAGE], len(found) > A_PAGE


def counted(opinions: Collection[Opinion]) -> dict[int, Counted]:
    """How people stand on some statements, by the statement's number."""
    ids = [one.id for one in opinions]
    counts: dict[int, dict[Stand, int]] = {one: {} for one in ids}
    query = (
        sa.select(OpinionVote.opinion_id, OpinionVote.stand, sa.func.count())
        .where(OpinionVote.opinion_id.in_(ids))
        .group_by(OpinionVote.opinion_id, OpinionVote.stand)
    )
    for opinion_id, stand, count in db.session.execute(query) if ids else ():
        counts[opinion_id][stand] = count
    return {
        one: Counted(said.get(Stand.AGREE, 0), said.get(Stand.DISAGREE, 0), said.get(Stand.PASS, 0))
        for one, said in counts.items()
    }


def of_topic() -> sa.orm.interfaces.ORMOption:
    return joinedload(Opinion.topic).joinedload(Topic.area)
