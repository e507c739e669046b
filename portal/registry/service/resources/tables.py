"""The lists as tables of text, as they are printed and exported: telephones and numbers masked but for one kind.

An export in the clear (portal/registry/service/resources/plain.py) is let go by a second person.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from flask_babel import gettext as _

from portal.core import audit, masking, settings, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import local, now, today
from portal.core.db import reading
from portal.core.sheets.writing import write_workbook
from portal.core.web import full_day
from portal.registry.models import Facility, Organisation, Staff, StockItem, VolunteerTeam
from portal.registry.service import exports
from portal.registry.service.resources import facilities, hours, organisations, staff, stock, teams
from portal.registry.service.resources.listing import Wanted
from portal.registry.service.resources.words import eases, word


class Kind(StrEnum):
    """The lists there are; the value is also the name of the list's page."""

    FACILITIES = "facilities"
    ORGANISATIONS = "organisations"
    STAFF = "staff"
    TEAMS = "teams"
    STOCK = "stock"


class Shown(StrEnum):
    """How people stand in a table: as on the page (names, masked telephones), masked, or in the clear."""

    PAGE = "page"
    MASKED = "masked"
    PLAIN = "plain"

    def person(self, text: str) -> str:
        return masking.mask_name(text) if self is Shown.MASKED and text else text

    def resident(self, text: str) -> str:
        """The name of somebody of the register, which a page masks too."""
        return text if self is Shown.PLAIN or not text else masking.mask_name(text)

    def phone(self, text: str | None) -> str:
        return (text or "") if self is Shown.PLAIN or not text else masking.mask_phone(text)


# The lists that name people. The rest is public: places, material.
OF_PEOPLE = frozenset({Kind.ORGANISATIONS, Kind.STAFF, Kind.TEAMS})


@dataclass(frozen=True)
class Table:
    kind: Kind
    title: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def table(kind: Kind, within: Collection[Scope], wanted: Wanted, shown: Shown = Shown.PAGE) -> Table:
    """The whole of a list as asked for."""
    whole = wanted.whole()
    makers: dict[Kind, Callable[[], Table]] = {
        Kind.FACILITIES: lambda: _facilities(facilities.facilities(within, whole).rows),
        Kind.ORGANISATIONS: lambda: _organisations(organisations.organisations(within, whole).rows, shown),
        Kind.STAFF: lambda: _staff(staff.staff(within, whole).rows, shown),
        Kind.TEAMS: lambda: _teams(teams.teams(within, whole).rows, shown),
        Kind.STOCK: lambda: _stock(stock.items(within, whole).rows),
    }
    return makers[kind]()


def title(kind: Kind) -> str:
    return {
        Kind.FACILITIES: _("服务设施"),
        Kind.ORGANISATIONS: _("服务组织"),
        Kind.STAFF: _("服务队伍"),
        Kind.TEAMS: _("志愿队"),
        Kind.STOCK: _("物资库存"),
    }[kind]


def export(kind: Kind, within: Collection[Scope], wanted: Wanted, *, reason: str, by: Actor) -> tuple[str, bytes]:
    """The list as a workbook with a watermark, on the record, so many a day: its file name and its bytes."""
    tokens.throttle("resources.export", by.public_id, limit=settings.get(exports.A_DAY), per=timedelta(days=1))
    with reading():
        made = table(kind, within, wanted, Shown.MASKED)
        body = workbook(made, _("%(who)s %(when)s 导出", who=by.name, when=f"{local(now()):%Y-%m-%d %H:%M}"))
    audit.record("resources.exported", None, kind=kind.value, count=len(made.rows), reason=reason)
    return f"{made.title}-{today().isoformat()}.xlsx", body


def workbook(made: Table, stamp: str, sheet: str = "") -> bytes:
    """The stamp stands above each printed page and beside each row."""
    headers, rows = [*made.headers, _("水印")], ([*row, stamp] for row in made.rows)
    widths = (16, 22) + (18,) * (len(made.headers) - 2) + (40,)
    return write_workbook(headers, rows, sheet=sheet or made.title, widths=widths, stamp=stamp)


def place_of(facility: Facility) -> str:
    """Where a facility is, in words: its building and door as far as known, then its address."""
    building = facility.building
    known = [building.estate.name, building.name] if building else []
    if facility.dwelling:
        known += [facility.dwelling.unit, facility.dwelling.room]
    return " ".join(part for part in (*known, facility.address) if part)


def _facilities(rows: list[Facility]) -> Table:
    headers = (
        _("社区"),
        _("名称"),
        _("类型"),
        _("面积（平方米）"),
        _("房间数"),
        _("开放时间"),
        _("地址"),
        _("无障碍"),
        _("电话"),
    )
    lines = [
        (
            row.community.name,
            row.name,
            word(row.kind),
            str(row.area_m2 or ""),
            str(sum(room.closed_on is None for room in row.rooms)),
            hours.said(row.hours),
            place_of(row),
            _("、").join(eases(row.eases)),
            row.phone,
        )
        for row in rows
    ]
    return Table(Kind.FACILITIES, title(Kind.FACILITIES), headers, lines)


def grade_words(organisation: Organisation) -> str:
    """3A（至 2027年5月1日）; the day it ended where it has."""
    if organisation.grade is None:
        return ""
    grade = f"{organisation.grade}A"
    if organisation.grade_until is None:
        return grade
    until = full_day(organisation.grade_until)
    if organisation.grade_holds(today()):
        return _("%(grade)s（至 %(until)s）", grade=grade, until=until)
    return _("%(grade)s（%(until)s 已到期）", grade=grade, until=until)


def _organisations(rows: list[Organisation], shown: Shown) -> Table:
    headers = (
        _("社区"),
        _("名称"),
        _("类型"),
        _("登记情况"),
        _("信用代码"),
        _("备案号"),
        _("评估等级"),
        _("联系人"),
        _("联系人电话"),
        _("对外电话"),
    )
    lines = [
        (
            row.community.name,
            row.name,
            word(row.kind),
            word(row.standing),
            row.uscc or "",
            row.filed_number,
            grade_words(row),
            shown.person(row.contact_name),
            shown.phone(row.contact_phone),
            row.phone,
        )
        for row in rows
    ]
    return Table(Kind.ORGANISATIONS, title(Kind.ORGANISATIONS), headers, lines)


def _staff(rows: list[Staff], shown: Shown) -> Table:
    headers = (_("社区"), _("姓名"), _("类别"), _("所在组织"), _("电话"), _("证书"))
    soon = staff.warn_until()
    lines = [
        (
            row.community.name,
            shown.person(row.name),
            word(row.kind),
            row.organisation.name if row.organisation else "",
            shown.phone(row.phone),
            _("；").join(
                f"{paper.name} {paper.expires_on or ''} {staff.STANDING[staff.standing(paper, soon)]}"
                for paper in row.certificates
                if paper.withdrawn_on is None
            ),
        )
        for row in rows
    ]
    return Table(Kind.STAFF, title(Kind.STAFF), headers, lines)


def _teams(rows: list[VolunteerTeam], shown: Shown) -> Table:
    headers = (
        _("社区"), _("名称"), _("类型"), _("服务内容"), _("队长"), _("人数"), _("自报人数"), _("成立日期")
    )  # fmt: skip
    lines = [
        (
            row.community.name,
            row.name,
            row.sort,
            row.purpose,
            shown.resident(leader.name) if (leader := teams.leader_of(row)) else "",
            str(teams.headcount(row)),
            "" if row.said_to_be is None else str(row.said_to_be),
            str(row.founded_on or ""),
        )
        for row in rows
    ]
    return Table(Kind.TEAMS, title(Kind.TEAMS), headers, lines)


def _stock(rows: list[StockItem]) -> Table:
    headers = (_("社区"), _("物资"), _("存放地点"), _("现有"), _("单位"), _("预警线"), _("提醒"))
    lines = [
        (
            row.community.name,
            row.name,
            row.place,
            str(row.quantity),
            row.unit,
            str(row.low_below),
            _("不足") if row.is_low else "",
        )
        for row in rows
    ]
    return Table(Kind.STOCK, title(Kind.STOCK), headers, lines)
