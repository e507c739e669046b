"""What an applicant does: begin a draft, keep what is typed, hand over papers, submit, add, withdraw, rate."""

import base64
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.applications import (
    DECIDED,
    OPEN,
    WAITING,
    Application,
    ApplicationChannel,
    ApplicationPaper,
    ApplicationState,
    PaperPicture,
    PaperState,
    Score,
    StepKind,
)
from portal.catalogue.models.codes import ItemKind
from portal.catalogue.models.items import Item
from portal.catalogue.service.applications import moving, receiving, terms
from portal.core import audit, ids
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.registry.models import Person
from portal.registry.service import people

S = ApplicationState
PICTURES = 6
UNSENT = (S.DRAFT, S.ASKED, S.PAUSED)


@dataclass(frozen=True)
class Begun:
    """For whom and how an application begins."""

    person: Person
    channel: ApplicationChannel
    consent: str = ""


def begin(item: Item, begun: Begun, *, by: Actor) -> Application:
    """A draft for an item; the one that the same person has unsent for it is gone on with."""
    _check(item, begun)
    standing = _draft_of(item, begun.person)
    if standing is not None and begun.channel is not ApplicationChannel.COUNTER:
        return standing
    _refuse_second(item, begun.person)
    application = Application(
        code=ids.short_code(8),
        item=item,
        person=begun.person,
        community_id=begun.person.community_id,
        state=S.DRAFT,
        channel=begun.channel,
        consent=begun.consent,
        placed_at=now(),
        placed_by=by.public_id,
        placed_by_name=by.name,
        limit_days=item.limit_days or 0,
    )
    application.papers = [
        ApplicationPaper(
            name=material.name,
            note=material.note,
            is_required=material.is_required,
            state=PaperState.KNOWN if material.fetched else PaperState.TO_BRING,
        )
        for material in item.materials
    ]
    db.session.add(application)
    db.session.flush()
    audit.record("applications.begun", application, item=item.title, channel=begun.channel.value)
    return application


def _check(item: Item, begun: Begun) -> None:
    if item.kind is not ItemKind.APPLICATION:
        raise Missing
    if not people.is_served(begun.person):
        raise Refused(_("这份档案已注销或并入另一份，不能再申请。如果登记有误，请联系社区更正。"))
    inside = {begun.person.community_id, begun.person.community.parent_id}
    if item.area_id not in inside:
        raise Refused(_("这件事不归%(name)s所在的社区办，请在服务目录里找自己社区的事项。", name=begun.person.name))
    if begun.channel is ApplicationChannel.COUNTER:
        moving.need(begun.consent, _("代办要本人同意，请写明怎么同意的，例如：当面、电话。"), "consent")


def _draft_of(item: Item, person: Person) -> Application | None:
    """Locked with the person, so that two clicks begin one draft."""
    db.session.execute(sa.select(Person.id).where(Person.id == person.id).with_for_update(key_share=True))
    query = sa.select(Application).where(
        Application.item_id == item.id,
        Application.person_id.in_(people.ids_of(person)),
        Application.state == S.DRAFT,
    )
    return db.session.scalars(query.order_by(Application.id).limit(1)).first()


def _refuse_second(item: Item, person: Person) -> None:
    """One at a time: a second that runs beside the first is a mistake."""
    running = sa.select(Application.code).where(
        Application.item_id == item.id,
        Application.person_id.in_(people.ids_of(person)),
        Application.state.in_([*OPEN, *WAITING]),
    )
    code = db.session.scalar(running.order_by(Application.id).limit(1))
    if code:
        raise Refused(_("这件事已经有一件在办（编号 %(code)s），办完再申请。可以在“我的申请”里看进度。", code=code))


def keep(application: Application, text: str) -> None:
    """Keep what is typed so far; nothing is checked."""
    if application.state is not S.DRAFT:
        raise Refused(_("这件申请已经提交，不能再改。要补充请打社区电话。"))
    application.said = text.strip() or None


def submit(application: Application, text: str, *, by: Actor) -> None:
    """Hand it in. Papers may follow: what is missing is asked for once."""
    said = moving.need(text, _("请写几句要办什么、现在是什么情况。"), "said")
    person = _check_again(application)
    facts: dict[str, Any] = {"submitted_at": now(), "due_on": terms.to_accept(), "community_id": person.community_id}
    facts |= _sender(application, by)
    moving.move(application, S.SUBMITTED, by=by, said=said, **facts)
    receiving.receive(application, by=by)
    moving.tell(application, "application_submitted", due=moving.day_text(application.due_on))


def _check_again(application: Application) -> Person:
    """What was so when the draft began may be so no more. The person is held, so that two drafts never both run."""
    item, person = application.item, people.resolved(application.person)
    _hold(person)
    if not item.is_shown(today()):
        raise Refused(
            _("“%(item)s”现在不办理了，不能提交。请在服务目录里看看别的事项，或打社区电话问问。", item=item.title)
        )
    _check(item, Begun(person, application.channel, application.consent))
    _refuse_second(item, person)
    return person


def _hold(person: Person) -> None:
    held = sa.select(Person).where(Person.id == person.id).with_for_update(key_share=True)
    db.session.scalars(held.execution_options(populate_existing=True)).one()


def _sender(application: Application, by: Actor) -> dict[str, Any]:
    """Who hands it in stands on record, whoever began the draft; at the counter it is who took it."""
    if application.channel is ApplicationChannel.COUNTER or application.placed_by == by.public_id:
        return {}
    me = people.person_of_or_none(by)
    own = me is not None and me.public_id == people.resolved(application.person).public_id
    channel = ApplicationChannel.SELF if own else ApplicationChannel.AGENT
    return {"channel": channel, "placed_by": by.public_id, "placed_by_name": by.name}


@dataclass(frozen=True)
class Brought:
    """What the applicant adds: how many pictures were hung just now, and which papers go to the counter."""

    pictures: int = 0
    window: Collection[int] = ()


def add(application: Application, text: str, brought: Brought, *, by: Actor) -> None:
    """Papers after the first sending: what was asked for, or what is missing before anybody asks."""
    if application.state not in (*WAITING, *OPEN):
        raise Refused(_("现在不用再交材料。社区要补的话会一次告诉您。"))
    announced = _announce(application, brought.window)
    if application.state in WAITING:
        complete(application, text, by=by, bare=not (brought.pictures or announced))
        return
    if not (brought.pictures or announced):
        raise Refused(_("您还没有选照片。请拍照上传，或者勾选“我送到社区窗口”。"), field="said")
    moving.step(application, StepKind.PAPERS, by=by, note=text.strip() or _("申请人补交了材料"))
    receiving.tell_doer(application, "application_completed")


def _announce(application: Application, paper_ids: Collection[int]) -> int:
    """Papers that she says she brings to the counter stand so until a worker ticks them; how many were said now."""
    told = [one for one in application.missing() if one.id in paper_ids and one.state is not PaperState.WINDOW]
    for paper in told:
        paper.state = PaperState.WINDOW
        audit.record("applications.paper_announced", application, paper=paper.name)
    return len(told)


def complete(application: Application, text: str, *, by: Actor, bare: bool = True) -> None:
    """What was asked for has been added: back to who handles it. `bare` without a picture or a word of the counter."""
    missing = [paper.name for paper in application.papers if paper.state is PaperState.ASKED]
    if missing:
        listed = _("、").join(missing)
        raise Refused(_("还缺：%(listed)s。请拍照上传，或者勾选“我送到社区窗口”。", listed=listed), field="said")
    if bare and not text.strip():
        raise Refused(_("您什么也没有交。请拍照上传，或者勾选“我送到社区窗口”，或者写几句说明。"), field="said")
    if application.state is S.PAUSED:
        due = terms.resumed(application)
        moving.move(application, S.IN_HAND, by=by, note=text, due_on=due, days_left=None)
    else:
        moving.move(application, S.COMPLETED, by=by, note=text, due_on=terms.to_accept())
    receiving.tell_doer(application, "application_completed")


def withdraw(application: Application, reason: str, *, by: Actor) -> None:
    """The applicant takes it back, while nothing is decided."""
    if application.state in DECIDED:
        raise Refused(_("结果已经出来了，不能再撤回。不服请看结果里写的办法。"))
    drafted = application.state is S.DRAFT
    moving.move(application, S.WITHDRAWN, by=by, note=reason, due_on=None, ended_at=now())
    if not drafted:
        receiving.tell_doer(application, "application_withdrawn")


def rate(application: Application, score: Score, text: str) -> None:
    """The applicant says how it was, once."""
    if score is Score.DISSATISFIED:
        moving.need(text, _("请说说哪里不满意，我们好改进。"), "words")
    where = sa.and_(
        Application.id == application.id,
        Application.rated_at.is_(None),
        Application.state.in_([S.GRANTED, S.REFUSED, S.CLOSED]),
    )
    if not guarded(sa.update(Application).where(where).values(score=score, rated_at=now())):
        db.session.refresh(application, ["state", "rated_at"])
        raise Refused(_("已经评价过了，每件事评一次。") if application.rated_at else _("有了结果才能评价。"))
    db.session.refresh(application, ["score", "rated_at"])
    application.score_words = text.strip() or None
    audit.record("applications.rated", application, score=score.value)


def paper_of(application: Application, paper_id: int) -> ApplicationPaper:
    found = next((paper for paper in application.papers if paper.id == paper_id), None)
    if found is None:
        raise Missing
    return found


def add_picture(paper: ApplicationPaper, data: bytes, *, by: Actor) -> None:
    """A photograph that clean_image() made anew; from the applicant until there is a result."""
    application = paper.application
    if application.state not in (*UNSENT, *OPEN) and not application.is_in_charge(by.public_id):
        raise Refused(_("现在不用再交材料。社区要补的话会一次告诉您。"), field="picture")
    query = sa.select(sa.func.count(PaperPicture.id)).where(PaperPicture.paper_id == paper.id)
    db.session.execute(sa.select(Application.id).where(Application.id == application.id).with_for_update())
    if (db.session.scalar(query) or 0) >= PICTURES:
        raise Refused(_("一份材料最多传 %(count)d 张。", count=PICTURES), field="picture")
    text = base64.b64encode(data).decode()
    paper.pictures.append(PaperPicture(picture=text, at=now(), by=by.public_id, by_name=by.name))
    if paper.state is not PaperState.KNOWN:
        paper.state = PaperState.GIVEN
    audit.record("applications.picture_added", application, paper=paper.name)
    db.session.flush()


def drop_picture(paper: ApplicationPaper, picture_id: int) -> None:
    """The applicant takes her own picture back, while it is her turn."""
    if paper.application.state not in UNSENT:
        raise Refused(_("已经提交，不能再删。"))
    picture = _picture(paper, picture_id)
    paper.pictures.remove(picture)
    db.session.delete(picture)
    if not paper.pictures and paper.state is PaperState.GIVEN:
        asked = paper.application.state in {S.ASKED, S.PAUSED}
        paper.state = PaperState.ASKED if asked else PaperState.TO_BRING
    audit.record("applications.picture_dropped", paper.application, paper=paper.name)


def picture_of(paper: ApplicationPaper, picture_id: int) -> bytes:
    """The picture itself, unsealed; for the applicant."""
    return base64.b64decode(_picture(paper, picture_id).picture)


def _picture(paper: ApplicationPaper, picture_id: int) -> PaperPicture:
    found = next((picture for picture in paper.pictures if picture.id == picture_id), None)
    if found is None:
        raise Missing
    return found


def look_at(paper: ApplicationPaper, picture_id: int, *, by: Actor) -> bytes:
    """The same for a worker in charge; to anybody else it is not there. Each look is recorded."""
    if not paper.application.is_in_charge(by.public_id):
        raise Missing
    data = picture_of(paper, picture_id)
    audit.record("applications.picture_seen", paper.application, paper=paper.name)
    return data


def take_paper(paper: ApplicationPaper, *, by: Actor) -> None:
    """At the counter: the paper was shown or handed over, without a picture of it."""
    if not paper.application.is_in_charge(by.public_id):
        raise Refused(_("由首接负责人或经办人登记材料。"))
    paper.state, paper.taken_by_name = PaperState.GIVEN, by.name
    moving.step(paper.application, StepKind.PAPERS, by=by, note=_("收到：%(name)s", name=paper.name))
    audit.record("applications.paper_taken", paper.application, paper=paper.name)
