"""Maps of opinion: asked for or due by themselves, computed in the background, found again, cancelled, forgotten.

Two maps that follow each other differ by at least five people, or the difference would tell how one of them stands.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, children, jobs, settings
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import apart, db, guarded, transaction
from portal.core.errors import Missing, Refused
from portal.deliberation.mapping.question import AGREE, DISAGREE, LEAST, PASS, Question, of_stands
from portal.deliberation.models.codes import MapState, OpinionState, Stage, Stand
from portal.deliberation.models.opinions import Opinion, OpinionMap, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import mapping_child, reach
from portal.deliberation.service.public_log import log as log_publicly
from portal.registry.models import Person
from portal.registry.service import people

JOB = "deliberation.map"
PEOPLE, NEW_STANDS, HOURS = "deliberation.map_people", "deliberation.map_new_stands", "deliberation.map_hours"
settings.declare(
    PEOPLE,
    default=10,
    label=lambda: _("意见地图：至少多少人表态才画"),
    unit=lambda: _("人"),
    least=2 * LEAST,
    most=1000,
)
settings.declare(
    NEW_STANDS,
    default=20,
    label=lambda: _("意见地图：有多少条新表态就自动重画"),
    unit=lambda: _("条"),
    least=LEAST,
    most=10_000,
)
settings.declare(
    HOURS, default=24, label=lambda: _("意见地图：自动重画至少隔多久"), unit=lambda: _("小时"), least=1, most=720
)
LEAST_OPINIONS = 3
RUNS = (MapState.QUEUED, MapState.WORKING)
# Nobody beats any more: the process ended under it. A queue that lost it is asked again sooner.
SILENCE, LOST = timedelta(minutes=3), timedelta(minutes=1)
SIGNS = {Stand.AGREE: AGREE, Stand.DISAGREE: DISAGREE, Stand.PASS: PASS}
SHOWN_RUNS = 10
logger = logging.getLogger(__name__)


def latest(topic: Topic) -> OpinionMap | None:
    """The map that everybody is shown."""
    query = sa.select(OpinionMap).where(OpinionMap.topic_id == topic.id, OpinionMap.state == MapState.DONE)
    return db.session.scalar(query.order_by(OpinionMap.id.desc()).limit(1))


def runs_of(topic: Topic) -> list[OpinionMap]:
    """The latest computations, the newest first."""
    query = sa.select(OpinionMap).where(OpinionMap.topic_id == topic.id).order_by(OpinionMap.id.desc())
    return list(db.session.scalars(query.limit(SHOWN_RUNS)))


def run_of(topic: Topic, public_id: str) -> OpinionMap:
    query = sa.select(OpinionMap).where(OpinionMap.topic_id == topic.id, OpinionMap.public_id == public_id)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def counted(topic: Topic, since: datetime | None = None) -> tuple[int, int]:
    """How many people took a stand on what is shown, and on how many statements; since a moment, if one is told."""
    query = (
        sa.select(sa.func.count(OpinionVote.person_id.distinct()), sa.func.count(OpinionVote.opinion_id.distinct()))
        .join(OpinionVote.opinion)
        .where(OpinionVote.topic_id == topic.id, Opinion.state == OpinionState.SHOWN)
    )
    found = db.session.execute(query.where(OpinionVote.at > since) if since else query).one()
    return int(found[0]), int(found[1])


def why_not(topic: Topic, last: OpinionMap | None) -> str:
    """Why no map can be computed now, in words that say what to do; "" where one can."""
    if not topic.is_public or topic.stage is Stage.WITHDRAWN:
        return _("这个议题没有公开，不能画意见地图。")
    counts, opinions = counted(topic)
    least = settings.get(PEOPLE)
    if counts < least or opinions < LEAST_OPINIONS:
        said = {"people": least, "opinions": LEAST_OPINIONS, "now": counts, "said": opinions}
        return _("至少要有 %(people)d 人对 %(opinions)d 条看法表过态才能画。现在有 %(now)d 人、%(said)d 条。", **said)
    if last is None:
        return ""
    fresh, _opinions = counted(topic, last.read_at)
    if fresh < LEAST:
        return _(
            "上次画图以后只有 %(fresh)d 人新表态。满 %(least)d 人再画，免得从两张图的差别猜出是谁。",
            fresh=fresh,
            least=LEAST,
        )
    return ""


def why_none(topic: Topic) -> str:
    """Of a topic without a map: what is waited for, in words for everybody."""
    refusal = why_not(topic, None)
    if refusal:
        return refusal
    tried = next(iter(runs_of(topic)), None)
    if tried is not None and tried.state is MapState.TOO_FEW:
        return _("上次没有画成：对好几条看法都表过态的人还不够多。请再多表几条，人够了会再画。")
    return _("快要画了，过一会儿再来看。")


def start(topic: Topic, *, by: Actor | None) -> OpinionMap:
    """Queue a map of a topic, asked by a worker or (None) due by itself. One at a time."""
    # Of two who start at once the second waits here for the first.
    db.session.scalar(sa.select(Topic.id).where(Topic.id == topic.id).with_for_update())
    running = sa.select(OpinionMap.id).where(OpinionMap.topic_id == topic.id, OpinionMap.state.in_(RUNS))
    if db.session.scalar(running.limit(1)) is not None:
        raise Refused(_("这个议题的意见地图正在画，请等它画完，或先取消它。"))
    refusal = why_not(topic, latest(topic))
    if refusal:
        raise Refused(refusal)
    made = OpinionMap(topic_id=topic.id, asked_by_name=by.name if by else "")
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.map_asked", made)
    jobs.enqueue(JOB, map_id=made.id)
    return made


def move(run: OpinionMap, state: MapState, source: Collection[MapState], refusal: str = "", **values: Any) -> None:
    """The one mover, by a guarded UPDATE: of two who move a map, one does."""
    where = sa.and_(OpinionMap.id == run.id, OpinionMap.state.in_(source))
    if not guarded(sa.update(OpinionMap).where(where).values(state=state, **values)):
        raise Refused(refusal or _("这张意见地图刚刚变了，请刷新看看。"))
    db.session.refresh(run)


def cancel(run: OpinionMap) -> None:
    """What is being computed is wanted no more; who computes it hears of it within a second or two."""
    move(run, MapState.CANCELLED, RUNS, _("这张意见地图已经画完，不用取消。"), ended_at=now())
    audit.record("deliberation.map_cancelled", run)


def compute(map_id: int) -> None:
    """The job: read the stands, have them mapped, keep the figures. What goes wrong stands with the map, in words."""
    with transaction():
        begun = _begin(map_id)
    if not begun:
        return
    words = _("没有画成，请再试一次；仍不行的话请联系管理员。")
    try:
        question = _question(map_id)
        if len(question.placed) < settings.get(PEOPLE):
            words = ""
            _leave(map_id, question)
            return
        found = mapping_child.mapped(question, lambda said: _goes_on(map_id, said))
        with transaction():
            _keep(map_id, found)
        words = ""
    except children.Stopped:
        words = ""
    except children.Broken:
        logger.warning("map %d: the computation broke", map_id)
    finally:
        if words:
            with transaction():
                _fail(map_id, words)


def _begin(map_id: int) -> bool:
    where = sa.and_(OpinionMap.id == map_id, OpinionMap.state == MapState.QUEUED)
    moment = now()
    values = {"state": MapState.WORKING, "beat_at": moment, "read_at": moment}
    return guarded(sa.update(OpinionMap).where(where).values(**values))


def _question(map_id: int) -> Question:
    """Read the stands up to the map's moment, and hold no transaction while they are mapped. No person is told on."""
    asked = sa.select(OpinionMap.topic_id, OpinionMap.read_at).where(OpinionMap.id == map_id)
    run = db.session.execute(asked).one()
    shown = sa.select(Opinion.id).where(Opinion.topic_id == run.topic_id, Opinion.state == OpinionState.SHOWN)
    opinions = list(db.session.scalars(shown.order_by(Opinion.id)))
    query = (
        sa.select(OpinionVote.person_id, OpinionVote.opinion_id, OpinionVote.stand)
        .join(OpinionVote.opinion)
        .where(OpinionVote.topic_id == run.topic_id, Opinion.state == OpinionState.SHOWN)
        .where(OpinionVote.at <= run.read_at)
        .order_by(OpinionVote.at, OpinionVote.id)
    )
    rows = db.session.execute(query).all()
    alias = _aliases(run.topic_id)
    db.session.rollback()
    return of_stands(opinions, ((alias.get(who, who), opinion, SIGNS[stand]) for who, opinion, stand in rows))


def _aliases(topic_id: int) -> dict[int, int]:
    """Whom those stand for, of the people of a topic, whose records were merged into another's."""
    voted = sa.select(OpinionVote.person_id).where(OpinionVote.topic_id == topic_id)
    merged = people.stood_for(sa.and_(Person.id.in_(voted), Person.merged_into_id.is_not(None)))
    return {row.origin: row.id for row in db.session.execute(sa.select(merged.c.origin, merged.c.id))}


def _goes_on(map_id: int, said: dict[str, Any]) -> bool:
    where = sa.and_(OpinionMap.id == map_id, OpinionMap.state == MapState.WORKING)
    with transaction():
        told = {"step": said.get("step", "")}
        return guarded(sa.update(OpinionMap).where(where).values(beat_at=now(), figures=told))


def _keep(map_id: int, found: dict[str, Any]) -> None:
    run = db.session.get_one(OpinionMap, map_id)
    facts = {"people": found["people"], "opinions": len(found["lines"]), "figures": found}
    try:
        move(run, MapState.DONE, (MapState.WORKING,), ended_at=now(), **facts)
    except Refused:
        # Cancelled at the last moment.
        return
    groups = len(found["groups"])
    audit.record("deliberation.map_computed", run, people=run.people, groups=groups)
    if run.asked_by_name:
        log_publicly(run.topic, "map_drawn", by_name=run.asked_by_name, people=run.people, groups=groups)


def _leave(map_id: int, question: Question) -> None:
    """Enough took a stand, too few of them on enough statements."""
    with transaction():
        run = db.session.get_one(OpinionMap, map_id)
        facts = {"people": len(question.placed), "opinions": len(question.opinions), "figures": {}}
        where = sa.and_(OpinionMap.id == run.id, OpinionMap.state == MapState.WORKING)
        if guarded(sa.update(OpinionMap).where(where).values(state=MapState.TOO_FEW, ended_at=now(), **facts)):
            audit.record("deliberation.map_too_few", run, people=len(question.placed))


def _fail(map_id: int, words: str) -> None:
    run = db.session.get_one(OpinionMap, map_id)
    if run.state in RUNS:
        move(run, MapState.FAILED, RUNS, ended_at=now(), words=words)
        audit.record("deliberation.map_failed", run)


def unfinished(moment: datetime | None = None) -> tuple[list[int], list[int]]:
    """Maps that the queue lost, and maps whose process ended under them; ordered by id."""
    at = moment or now()
    lost = sa.select(OpinionMap.id).where(OpinionMap.state == MapState.QUEUED, OpinionMap.asked_at < at - LOST)
    silent = sa.select(OpinionMap.id).where(OpinionMap.state == MapState.WORKING, OpinionMap.beat_at < at - SILENCE)
    with apart() as session:
        found = [list(session.scalars(query.order_by(OpinionMap.id))) for query in (lost, silent)]
    return found[0], found[1]


def resume() -> None:
    """Take up what was lost; what fell silent has failed."""
    lost, silent = unfinished()
    for map_id in silent:
        with transaction():
            _fail(map_id, _("中断了，没有画完。请再试一次。"))
    for map_id in lost:
        compute(map_id)


def due(moment: datetime) -> list[int]:
    """The topics whose map is to be drawn anew by itself: enough new stands of enough people, and not too soon."""
    asked = _last(OpinionMap.asked_at, MapState.CANCELLED).subquery()
    read = (
        sa.select(OpinionMap.topic_id, sa.func.max(OpinionMap.read_at).label("last"))
        .where(OpinionMap.state == MapState.DONE)
        .group_by(OpinionMap.topic_id)
        .subquery()
    )
    wait = moment - timedelta(hours=settings.get(HOURS))
    fresh = (
        sa.select(OpinionVote.topic_id)
        .join(OpinionVote.opinion)
        .join(Topic, Topic.id == OpinionVote.topic_id)
        .outerjoin(asked, asked.c.topic_id == OpinionVote.topic_id)
        .outerjoin(read, read.c.topic_id == OpinionVote.topic_id)
        .where(Opinion.state == OpinionState.SHOWN, reach.public())
        .where(Topic.stage.not_in((Stage.ARCHIVED, Stage.WITHDRAWN)))
        .where(sa.or_(asked.c.last.is_(None), asked.c.last < wait))
        .where(sa.or_(read.c.last.is_(None), OpinionVote.at > read.c.last))
        .group_by(OpinionVote.topic_id, Topic.stage, read.c.last)
    )
    return _enough(fresh)


def _last(moment: Any, *without: MapState) -> sa.Select[Any]:
    query = sa.select(OpinionMap.topic_id, sa.func.max(moment).label("last"))
    return query.where(OpinionMap.state.not_in(without)).group_by(OpinionMap.topic_id)


def _enough(fresh: sa.Select[Any]) -> list[int]:
    """Once opinions are no more collected the last of them count too, however few stands they are."""
    who, stands = sa.func.count(OpinionVote.person_id.distinct()), sa.func.count()
    enough = sa.or_(stands >= settings.get(NEW_STANDS), Topic.stage != Stage.COLLECTING)
    query = fresh.having(who >= LEAST, enough).order_by(OpinionVote.topic_id)
    with apart() as session:
        return list(session.scalars(query))


def refresh(topic_id: int) -> None:
    """Draw a due map; what stands in its way (too few people yet) is waited for."""
    topic = db.session.get_one(Topic, topic_id)
    try:
        start(topic, by=None)
    except Refused as refused:
        logger.info("map of topic %d: %s", topic_id, refused.message)


def purge(before: datetime) -> int:
    """Forget old computations; the latest map of each topic stays as long as its topic."""
    kept = sa.select(sa.func.max(OpinionMap.id)).where(OpinionMap.state == MapState.DONE).group_by(OpinionMap.topic_id)
    gone = sa.delete(OpinionMap).where(
        OpinionMap.asked_at < before, OpinionMap.state.not_in(RUNS), OpinionMap.id.not_in(kept)
    )
    return int(getattr(db.session.execute(gone.execution_options(synchronize_session=False)), "rowcount", 0))
