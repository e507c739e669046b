"""The doors of volunteers as people: who waits to be taken up, a person's registration, her own copy, forgetting."""

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock, reasons
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.registry.models import Person, VolunteerTeam
from portal.volunteers.models.codes import VolunteerState, WishState
from portal.volunteers.models.people import Absence, GuardianConsent, TeamWish, Volunteer
from portal.volunteers.service import kinds, people, people_lists, people_words


def todo_of(worker: Actor) -> list[Todo]:
    """Applications, and wishes for teams that nobody leads."""
    within = scopes_of(worker, Permission.VOLUNTEERS_KEEP)
    if not within:
        return []
    here = people.community_ids(within)
    applied = sa.select(sa.func.count(Volunteer.id)).where(
        Volunteer.state == VolunteerState.APPLIED, Volunteer.community_id.in_(here)
    )
    wishes = (
        sa.select(sa.func.count(TeamWish.id))
        .join(TeamWish.team)
        .where(
            TeamWish.state == WishState.ASKED,
            VolunteerTeam.community_id.in_(here),
            VolunteerTeam.leader_id.is_(None),
        )
    )
    waiting, asked = db.session.execute(sa.select(applied.scalar_subquery(), wishes.scalar_subquery())).one()
    found = []
    if waiting:
        values = {"state": VolunteerState.APPLIED.value}
        found.append(Todo(_("志愿者登记待审核"), "volunteers.worker.volunteer_list", values, waiting))
    if asked:
        found.append(Todo(_("加入志愿队的申请"), "volunteers.worker.team_wishes", count=asked))
    return found


def timeline(person: Person, *, limit: int) -> list[Line]:
    """When somebody registered, and what she learned and was praised for since."""
    found = people.volunteer_of(person)
    if found is None:
        return []
    where: dict[str, Any] = {
        "endpoint": "volunteers.worker.volunteer_page",
        "values": {"public_id": found.public_id},
    }
    state = people_words.state_words(found.state)
    lines = [Line(found.registered_at, _("登记为志愿者"), _("编号 %(number)s", number=found.number), **where)]
    if found.state_at > found.registered_at:
        lines.append(
            Line(found.state_at, _("志愿者：%(state)s", state=state), reasons.said(found.state_reason), **where)
        )
    lines += [
        Line(_noon(one.held_on), _("志愿培训：%(name)s", name=one.name), one.held_by, **where)
        for one in people_lists.trainings_of(found)[:limit]
    ]
    return lines + [
        Line(_noon(given.given_on), _("志愿表彰：%(name)s", name=given.name), given.given_by, **where)
        for given in people_lists.awards_of(found)[:limit]
    ]


def _noon(day: date) -> datetime:
    return clock.at(day, time(12))


def export(person: Person) -> list[dict[str, Any]]:
    """Everything a volunteer said and was told, in words."""
    held: list[dict[str, Any]] = []
    for one in people.rows_of(person):
        held.append(_profile(one))
        held += [
            {
                _("志愿培训"): made.name,
                _("主要内容"): made.content,
                _("学习时长"): people_words.hours_words(made.minutes),
                _("举办单位"): made.held_by,
                _("日期"): made.held_on.isoformat(),
            }
            for made in people_lists.trainings_of(one)
        ]
        held += [
            {_("志愿表彰"): made.name, _("授予单位"): made.given_by, _("日期"): made.given_on.isoformat()}
            for made in people_lists.awards_of(one)
        ]
        held += [_consent(made) for made in _consents(one)]
    return held


def _profile(one: Volunteer) -> dict[str, Any]:
    return {
        _("志愿者编号"): one.number,
        _("其他系统编号"): one.outer_number,
        _("登记社区"): one.community.name,
        _("登记时间"): _minute(one.registered_at),
        _("同意守则的时间"): _minute(one.agreed_at),
        _("状态"): people_words.state_words(one.state),
        _("状态的原因"): reasons.said(one.state_reason),
        _("停止到"): one.barred_until.isoformat() if one.barred_until else "",
        _("愿意做"): _("、").join(kinds.kind_words(kind) for kind in one.kinds),
        _("技能"): _("、").join(f"{held.skill.name}（{people_words.proof_words(held)}）" for held in one.skills),
        _("空闲时间"): people_words.times_words(one.times),
        _("外出"): _("、").join(f"{away.first_day} – {away.last_day}" for away in one.absences),
        _("每周最多"): one.week_hours,
        _("提醒"): _("、").join(people_words.lead_words(hours) for hours in one.reminders),
        _("想说的话"): one.words,
        _("公示名单写全名"): _("是") if one.shows_name else _("否"),
    }


def _consents(one: Volunteer) -> list[GuardianConsent]:
    query = sa.select(GuardianConsent).where(GuardianConsent.volunteer_id == one.id)
    return list(db.session.scalars(query.order_by(GuardianConsent.id)))


def _consent(made: GuardianConsent) -> dict[str, Any]:
    return {
        _("监护人"): made.guardian_name,
        _("怎样同意的"): people_words.ways()[made.way],
        _("同意时间"): _minute(made.given_at),
        _("撤回时间"): _minute(made.withdrawn_at) if made.withdrawn_at else "",
    }


def _minute(moment: datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"


def purge(before: date) -> int:
    """Absences that ended and wishes that were answered before a day; who is a volunteer stays."""
    limit = clock.at(before, time(0))
    away = sa.delete(Absence).where(Absence.last_day < before)
    wishes = sa.delete(TeamWish).where(TeamWish.state != WishState.ASKED, TeamWish.ended_at < limit)
    gone = [db.session.execute(statement) for statement in (away, wishes)]
    return sum(int(getattr(one, "rowcount", 0)) for one in gone)
