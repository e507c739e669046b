"""What the resources hold about a person: the teams she is in, and her own work with its certificates."""

from datetime import date, time
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.core.clock import at
from portal.core.db import db
from portal.core.doors import Line
from portal.registry.models import Person, Staff, TeamMember
from portal.registry.service import people
from portal.registry.service.resources.words import word

MORNING = time(0)


def _memberships(person: Person) -> list[TeamMember]:
    query = sa.select(TeamMember).where(TeamMember.person_id.in_(people.ids_of(person)))
    query = query.options(joinedload(TeamMember.team)).order_by(TeamMember.since.desc(), TeamMember.id.desc())
    return list(db.session.scalars(query))


def _work(person: Person) -> list[Staff]:
    query = sa.select(Staff).where(Staff.person_id.in_(people.ids_of(person)))
    query = query.options(joinedload(Staff.organisation), selectinload(Staff.certificates))
    return list(db.session.scalars(query.order_by(Staff.id)))


def timeline(person: Person) -> list[Line]:
    """When she joined a volunteer team, and when she left; the newest first."""
    lines = []
    for member in _memberships(person):
        where = {"endpoint": "registry.worker.team", "values": {"team_id": member.team_id}}
        lines.append(_line(member.since, _("加入志愿队"), member.team.name, where))
        if member.until is not None:
            lines.append(_line(member.until, _("退出志愿队"), member.team.name, where))
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _line(day: date, title: str, text: str, where: dict[str, Any]) -> Line:
    return Line(at(day, MORNING), title, text, **where)


def export(person: Person) -> list[dict[str, Any]]:
    """The same as plain values, for the copy of her data that a person takes."""
    teams = [
        {_("志愿队"): one.team.name, _("加入日期"): one.since.isoformat(), _("退出日期"): _day(one.until)}
        for one in _memberships(person)
    ]
    work = [
        {
            _("服务队伍"): word(one.kind),
            _("所在组织"): one.organisation.name if one.organisation else "",
            _("电话"): one.phone or "",
            _("离岗日期"): _day(one.left_on),
            _("证书"): [
                {_("证书名称"): paper.name, _("证书编号"): paper.number or "", _("到期日期"): _day(paper.expires_on)}
                for paper in one.certificates
            ],
        }
        for one in _work(person)
    ]
    return [*teams, *work]


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
