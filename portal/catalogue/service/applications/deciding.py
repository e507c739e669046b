"""What who is in charge does: ask once, accept or not, decide, close; a near relative of staff is noted."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.applications import (
    DECIDED,
    Application,
    ApplicationState,
    PaperState,
    StepKind,
)
from portal.catalogue.service.applications import moving, receiving, terms
from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Refused

S = ApplicationState


def ask(application: Application, paper_ids: list[int], note: str, *, by: Actor) -> None:
    """一次告知补正: everything that is missing, at one time and only once; in hand, the term stands still meanwhile."""
    receiving.refuse_stranger(application, by)
    said = moving.need(note, _("请一次写清缺什么、怎么补。"), "note")
    if application.asked_at is not None:
        raise Refused(_("已经一次告知过了，不能再要材料。请按现有材料受理或答复。"), field="note")
    facts = {"asked_for": said, "asked_at": now()}
    if application.state is S.IN_HAND:
        moving.move(application, S.PAUSED, by=by, note=said, days_left=terms.left(application), due_on=None, **facts)
    else:
        moving.move(application, S.ASKED, by=by, note=said, due_on=terms.to_bring(), **facts)
    for paper in application.papers:
        if paper.id in paper_ids:
            paper.state = PaperState.ASKED
    db.session.flush()
    moving.tell(application, "application_asked", due=moving.day_text(application.due_on))


def lacking(application: Application) -> list[str]:
    """The required papers that nobody has yet, by name."""
    return [paper.name for paper in application.missing() if paper.is_required]


def know_lacking(application: Application, *, seen: bool, by: Actor) -> None:
    """Who accepts or grants while a required paper is missing says that she has seen it; that stays on record."""
    if not (names := lacking(application)):
        return
    listed = _("、").join(names)
    if not seen:
        raise Refused(_("必交的材料还没有收到：%(listed)s。确实要继续，请勾选。", listed=listed), field="seen")
    moving.step(application, StepKind.PAPERS, by=by, note=_("已知还缺：%(listed)s", listed=listed))


def accept(application: Application, note: str = "", *, by: Actor) -> None:
    """受理: the term begins the day after; what is said with it stays with the step."""
    receiving.refuse_stranger(application, by)
    application.accepted_at = now()
    due = terms.to_decide(application)
    moving.move(application, S.ACCEPTED, by=by, note=note, accepted_at=application.accepted_at, due_on=due)
    moving.tell(application, "application_accepted", due=moving.day_text(due))


def refuse_to_accept(application: Application, why: str, where_to: str, *, by: Actor) -> None:
    """不予受理, with the reason and where to go instead."""
    receiving.refuse_stranger(application, by)
    reason = moving.need(why, _("请写明为什么不受理。"), "why")
    place = moving.need(where_to, _("请写明该去哪里办、电话多少。"), "where_to")
    words = _("%(reason)s　可以去：%(place)s", reason=reason, place=place)
    moving.move(application, S.NOT_ACCEPTED, by=by, note=words, result=words, due_on=None, ended_at=now())
    moving.tell(application, "application_not_accepted")


def begin_work(application: Application, note: str, *, by: Actor) -> None:
    receiving.refuse_stranger(application, by)
    moving.move(application, S.IN_HAND, by=by, note=note)


def resume(application: Application, note: str, *, by: Actor) -> None:
    """The papers came another way (at the counter, by post): the term runs on with the days that were left."""
    receiving.refuse_stranger(application, by)
    if application.state is S.ASKED:
        moving.move(application, S.COMPLETED, by=by, note=note, due_on=terms.to_accept())
        return
    moving.move(application, S.IN_HAND, by=by, note=note, due_on=terms.resumed(application), days_left=None)


def grant(application: Application, result: str, *, by: Actor) -> None:
    """办成: the result in words, with a number stamped on it."""
    receiving.refuse_stranger(application, by)
    said = moving.need(result, _("请写明办理结果。"), "result")
    _decide(application, S.GRANTED, said, by=by, appeal="")


def refuse(application: Application, result: str, appeal: str, *, by: Actor) -> None:
    """不予通过, with the reason and how to appeal."""
    receiving.refuse_stranger(application, by)
    said = moving.need(result, _("请写明没有通过的原因。"), "result")
    way = moving.need(appeal, _("请写明不服可以找谁、多久之内。"), "appeal")
    _decide(application, S.REFUSED, said, by=by, appeal=way)


def _decide(application: Application, state: ApplicationState, said: str, *, by: Actor, appeal: str) -> None:
    number = _number(application)
    moving.move(
        application,
        state,
        by=by,
        note=said,
        result=said,
        appeal=appeal,
        result_number=number,
        decided_at=now(),
        due_on=None,
    )
    moving.tell(application, "application_decided", granted=state is S.GRANTED, number=number)


def _number(application: Application) -> str:
    """The number stamped on a result: community, year, and the application's own id, which nothing else has."""
    return f"{application.community.code}-{today().year}-{application.id:05d}"


def close(application: Application, note: str, *, by: Actor) -> None:
    """办结: the result has reached the applicant; how is written down."""
    receiving.refuse_stranger(application, by)
    said = moving.need(note, _("请写明结果怎么送到本人的。"), "note")
    moving.move(application, S.CLOSED, by=by, note=said, ended_at=now())


def decided_long(moment: datetime) -> list[int]:
    """Those whose result is so old that they are closed by themselves, the oldest first."""
    query = sa.select(Application.id).where(_decided_before(moment)).order_by(Application.id).limit(1000)
    return list(db.session.scalars(query))


def _decided_before(moment: datetime) -> sa.ColumnElement[bool]:
    before = moment - timedelta(days=terms.days_to_close())
    return sa.and_(Application.state.in_(DECIDED), Application.decided_at <= before)


def close_by_itself(application_id: int, moment: datetime) -> bool:
    """Close one whose result nobody marked as delivered, so that it is forgotten in its time; once."""
    query = sa.select(Application).where(Application.id == application_id, _decided_before(moment))
    found = db.session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if found is None:
        return False
    note = _("出结果满 %(count)d 天，自动办结", count=terms.days_to_close())
    moving.move(found, S.CLOSED, by=None, note=note, ended_at=moment)
    return True


def note_relative(application: Application, note: str, *, by: Actor) -> None:
    """近亲属备案: the applicant is a near relative of staff, noted separately (rules 10.1)."""
    said = moving.need(note, _("请写明是谁的近亲属、什么关系。"), "note")
    application.relative_of_staff, application.relative_note = True, said
    moving.step(application, StepKind.RELATIVE, by=by, note=said)
    audit.record("applications.relative_noted", application)
