"""Outcomes: what was decided, written down, published for its days; it stands when they are over, or is sent back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.core import audit, calendar, settings
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import AskState, OutcomeState, Stage, VoteState
from portal.deliberation.models.outcomes import Objection, Outcome
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import counting, moving, public_log, reach, telling

DAYS, LEAST_WORKDAYS = "deliberation.outcome_days", "deliberation.outcome_least_workdays"
settings.declare(DAYS, default=7, label=lambda: _("协商结果公示"), unit=lambda: _("天"), least=1, most=90)
settings.declare(
    LEAST_WORKDAYS,
    default=5,
    label=lambda: _("协商结果公示至少"),
    unit=lambda: _("个工作日"),
    least=0,
    most=60,
)
S = OutcomeState
# While something was talked over and nothing is being carried out yet, what came of it may be written down.
WRITABLE = (Stage.MEETING, Stage.EXPERTS, Stage.HEARING, Stage.VOTING, Stage.NOTICE)
SHOWN = (S.PUBLISHED, S.STANDS, S.SENT_BACK)
MOST_DAYS, A_PAGE = 90, 20


@dataclass(frozen=True)
class Decided:
    """What a committee writes down."""

    title: str
    words: str
    days: int
    vote_id: int | None = None


def last_day(start: date, days: int) -> date:
    """The last day of a notice: the day it begins is not counted, and a last day off work moves on (Civil Code 201 to
    203); never sooner than so many working days (a setting).
    """
    day = moving.on_workday(start + timedelta(days=days))
    return max(day, calendar.add_working_days(start, settings.get(LEAST_WORKDAYS)))


def ends_for(outcome: Outcome, start: date) -> date:
    """The last day of an outcome that is published on a day; never earlier than what was announced of the notice."""
    announced = outcome.topic.stage_until if outcome.topic.stage is Stage.NOTICE else None
    return max(last_day(start, outcome.days), moving.on_workday(announced or start))


def _whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    topic = joinedload(Outcome.topic)
    return topic.joinedload(Topic.area), topic.selectinload(Topic.communities), joinedload(Outcome.vote)


def listed(*, page: int = 1, community: int | None = None) -> tuple[list[Outcome], bool]:
    """What everybody may read, the latest first; and whether there is more."""
    query = sa.select(Outcome).join(Outcome.topic).where(Outcome.state.in_((S.PUBLISHED, S.STANDS)), reach.public())
    if community:
        query = query.where(Topic.communities.any(id=community))
    query = query.options(*_whole()).order_by(Outcome.published_at.desc(), Outcome.id.desc())
    found = list(db.session.scalars(query.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    return found[:A_PAGE], len(found) > A_PAGE


def shown(outcome_id: int) -> Outcome:
    query = sa.select(Outcome).join(Outcome.topic).where(Outcome.id == outcome_id, Outcome.state.in_(SHOWN))
    return _found(query.where(reach.public()))


def kept(outcome_id: int, *, within: Collection[Scope]) -> Outcome:
    """An outcome of a topic that a worker keeps."""
    return _found(sa.select(Outcome).join(Outcome.topic).where(Outcome.id == outcome_id, reach.kept_by(within)))


def read(outcome_id: int, *, within: Collection[Scope]) -> Outcome:
    """An outcome of a topic that a worker reads."""
    return _found(sa.select(Outcome).join(Outcome.topic).where(Outcome.id == outcome_id, reach.read_by(within)))


def _found(query: sa.Select[Outcome]) -> Outcome:
    found = db.session.scalar(query.options(*_whole()))
    if found is None:
        raise Missing
    return found


def on_desk(within: Collection[Scope], *, ended: bool = False, page: int = 1) -> tuple[list[Outcome], bool]:
    """A page of the outcomes in topics a worker reads: what is under way, the first to end first; or what is over."""
    states = (S.STANDS, S.SENT_BACK) if ended else (S.DRAFT, S.PUBLISHED)
    query = sa.select(Outcome).join(Outcome.topic).where(Outcome.state.in_(states), reach.read_by(within))
    order = (Outcome.closed_at.desc(), Outcome.id.desc()) if ended else (Outcome.ends_on, Outcome.id)
    query = query.options(*_whole()).order_by(*order)
    found = list(db.session.scalars(query.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    return found[:A_PAGE], len(found) > A_PAGE


def waiting(found: Collection[Outcome]) -> dict[int, int]:
    """How many objections to each of some outcomes wait for their answer."""
    query = sa.select(Objection.outcome_id, sa.func.count()).where(
        Objection.outcome_id.in_([one.id for one in found]), Objection.state == AskState.OPEN
    )
    return {row[0]: row[1] for row in db.session.execute(query.group_by(Objection.outcome_id))}


def of(topic: Topic) -> list[Outcome]:
    """Every outcome of a topic, the newest first."""
    query = sa.select(Outcome).where(Outcome.topic_id == topic.id).options(*_whole())
    return list(db.session.scalars(query.order_by(Outcome.id.desc())))


def votes_of(topic: Topic) -> list[Vote]:
    """The counted votes that an outcome may state, the latest first; one that too few took part in decided nothing."""
    query = sa.select(Vote).where(Vote.topic_id == topic.id, Vote.state == VoteState.COUNTED)
    found = db.session.scalars(query.options(selectinload(Vote.options)).order_by(Vote.id.desc()))
    return [vote for vote in found if (vote.result or {}).get("quorum_met") is not False]


def proposal(topic: Topic) -> Decided:
    """What a form begins with: of a counted vote its figures."""
    votes = votes_of(topic)
    title = _("%(title)s：结果", title=topic.title[:70])
    return Decided(title, vote_words(votes[0]) if votes else "", settings.get(DAYS), votes[0].id if votes else None)


def vote_words(vote: Vote) -> str:
    result = counting.result_of(vote)
    if result is None:
        return ""
    lines = [_("表决：%(title)s", title=vote.question)]
    lines += [_("%(label)s %(count)d 票", label=label, count=count) for label, count in result.rows]
    lines += [_("%(name)s：%(value)s", name=name, value=value) for name, value in result.summary]
    return "\n".join(lines)


def write(topic: Topic, said: Decided, *, by: Actor) -> Outcome:
    """A draft, which residents do not see; one at a time."""
    moving.hold(topic)
    if topic.stage not in WRITABLE:
        raise Refused(_("议题还没有商量，或者已经在落实，现在不能写结果。"))
    if any(one.state in (S.DRAFT, S.PUBLISHED) for one in of(topic)):
        raise Refused(_("这个议题已经有一份结果草稿或正在公示的结果，请先处理那一份。"))
    _check(topic, said)
    made = Outcome(topic_id=topic.id, made_by_name=by.name, **_values(said))
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.outcome_drafted", made)
    return made


def edit(outcome: Outcome, said: Decided, *, seen: int, by: Actor) -> None:
    """Change a draft; what is published is taken down, not changed."""
    _check(outcome.topic, said)
    standing = sa.and_(Outcome.id == outcome.id, Outcome.state == S.DRAFT, Outcome.version == seen)
    values = _values(said) | {"version": seen + 1, "made_by_name": by.name}
    if not guarded(sa.update(Outcome).where(standing).values(**values)):
        raise Refused(_("这份结果刚刚有人改过或已经公示，请刷新看看再改。"))
    db.session.refresh(outcome)
    audit.record("deliberation.outcome_edited", outcome)


def _values(said: Decided) -> dict[str, object]:
    return {"title": said.title, "words": said.words, "days": said.days, "vote_id": said.vote_id}


def _check(topic: Topic, said: Decided) -> None:
    if not 1 <= said.days <= MOST_DAYS:
        raise Refused(_("请填 1 到 %(most)d 天。", most=MOST_DAYS), field="days")
    if said.vote_id and said.vote_id not in {vote.id for vote in votes_of(topic)}:
        raise Refused(_("请选这个议题计过票的表决。"), field="vote")


def publish(outcome: Outcome, *, by: Actor, why: str = "") -> None:
    """Everybody reads it from now on; the topic comes to its notice, if it is not there yet (`why` explains a skip)."""
    day, topic = today(), outcome.topic
    moving.hold(topic)
    if any(one.state is S.PUBLISHED and one.id != outcome.id for one in of(topic)):
        raise Refused(_("这个议题已经有一份正在公示的结果，请先处理那一份。"))
    ends = ends_for(outcome, day)
    standing = sa.and_(Outcome.id == outcome.id, Outcome.state == S.DRAFT)
    values = {"state": S.PUBLISHED, "published_at": now(), "published_by_name": by.name, "ends_on": ends}
    if topic.stage is not Stage.NOTICE:
        moving.move(topic, Stage.NOTICE, by=by, why=why, until=ends)
    else:
        _until(topic, ends)
    if not guarded(sa.update(Outcome).where(standing).values(**values)):
        raise Refused(_("这份结果已经公示过了，请刷新看看。"))
    db.session.refresh(outcome, list(values))
    public_log.log(topic, "outcome_published", by_name=by.name, title=outcome.title, until=ends.isoformat())
    audit.record("deliberation.outcome_published", outcome, until=ends.isoformat())
    telling.tell_followers(topic, "outcome_published", outcome_id=outcome.id, until=ends.isoformat())


def _until(topic: Topic, day: date) -> None:
    """The topic was brought to its notice before its outcome was written: now its last day is known."""
    topic.stage_until = day
    for row in topic.stages:
        if row.left_at is None and not row.skipped:
            row.ends_on = day


def hold(outcome: Outcome) -> None:
    """Its topic, then the outcome as it stands now: nobody objects to it, or takes it down, meanwhile."""
    moving.hold(outcome.topic)
    hold_row(outcome)


def hold_row(outcome: Outcome) -> None:
    """The outcome alone, for who does not touch its topic."""
    query = sa.select(Outcome).where(Outcome.id == outcome.id).with_for_update()
    db.session.scalars(query.execution_options(populate_existing=True)).one()


def send_back(outcome: Outcome, to: Stage, *, why: str, by: Actor, deed: str = "outcome_withdrawn") -> None:
    """Taken down, and talked over anew; objections that still wait are answered by that."""
    if to not in (Stage.HEARING, Stage.MEETING):
        raise Refused(_("请选退回到哪一步。"), field="to")
    standing = sa.and_(Outcome.id == outcome.id, Outcome.state == S.PUBLISHED)
    values = {"state": S.SENT_BACK, "closed_at": now(), "sent_back_why": why.strip()[:300]}
    if not guarded(sa.update(Outcome).where(standing).values(**values)):
        raise Refused(_("这份结果已经不在公示了，请刷新看看。"))
    db.session.refresh(outcome, list(values))
    public_log.log(outcome.topic, deed, by_name=by.name, why=why.strip(), title=outcome.title)
    audit.record("deliberation.outcome_sent_back", outcome, reason=why, to=to.value)
    moving.move(outcome.topic, to, by=by, why=why)


def due() -> list[int]:
    """Outcomes whose days are over and whose objections are all answered."""
    waits = sa.select(Objection.id).where(Objection.outcome_id == Outcome.id, Objection.state == AskState.OPEN)
    query = sa.select(Outcome.id).where(Outcome.state == S.PUBLISHED, Outcome.ends_on < today(), ~waits.exists())
    return list(db.session.scalars(query.order_by(Outcome.id).limit(500)))


def stand(outcome_id: int) -> None:
    """What nobody objected to with success stands, and its topic goes on to be carried out."""
    query = sa.select(Outcome).where(Outcome.id == outcome_id).options(*_whole())
    outcome = db.session.scalars(query.execution_options(populate_existing=True)).one()
    moving.hold(outcome.topic)
    waits = sa.select(Objection.id).where(Objection.outcome_id == outcome_id, Objection.state == AskState.OPEN)
    over = sa.and_(Outcome.id == outcome_id, Outcome.state == S.PUBLISHED, Outcome.ends_on < today(), ~waits.exists())
    if not guarded(sa.update(Outcome).where(over).values(state=S.STANDS, closed_at=now())):
        return
    db.session.refresh(outcome, ["state", "closed_at"])
    public_log.log(outcome.topic, "outcome_stands", by_name="", title=outcome.title)
    audit.record("deliberation.outcome_stands", outcome)
    if outcome.topic.stage is Stage.NOTICE:
        moving.move(outcome.topic, Stage.FOLLOW_UP, by=None)


def takes_objections(outcome: Outcome, day: date) -> bool:
    """Until the end of the last day."""
    return outcome.state is S.PUBLISHED and outcome.ends_on is not None and day <= outcome.ends_on
