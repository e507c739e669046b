"""The roster to take away: a workbook with a watermark, and a calendar file that names nobody."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit, calendar_files, settings, tokens
from portal.core.access import Actor
from portal.core.clock import local, now
from portal.core.sheets.writing import write_workbook
from portal.core.web import day_words
from portal.registry.service import exports
from portal.volunteers.service.finding import hours_words
from portal.volunteers.service.roster_rows import Card, Week
from portal.volunteers.service.signup_words import signup_said

WIDTHS = (16, 14, 26, 22, 14, 8, 8, 14, 12, 12, 40)


def workbook(week: Week, *, by: Actor) -> bytes:
    """A row for each place of the week, who is on it or that it is open; the stamp beside each row and on each page."""
    headers = [
        *(_("日期"), _("时间"), _("活动"), _("地点"), _("岗位"), _("需要"), _("已有")),
        *(_("姓名"), _("状态"), _("本周小时"), _("水印")),
    ]
    stamp = _("%(who)s %(when)s 导出", who=by.name, when=f"{local(now()):%Y-%m-%d %H:%M}")
    rows = ([*row, stamp] for row in _rows(week))
    return write_workbook(headers, rows, sheet=_("志愿排班"), widths=WIDTHS, stamp=stamp)


def throttle(what: str, by: Actor) -> None:
    """So many files of names a day of each kind."""
    tokens.throttle(what, by.public_id, limit=settings.get(exports.A_DAY), per=timedelta(days=1))


def note_taken(week: Week, community: Area, *, reason: str, by: Actor) -> None:
    """A file of names leaves: so many a day, with a reason, on the record."""
    throttle("volunteers.roster_export", by)
    names = sum(1 for _name in week.names)
    first = week.first.isoformat()
    audit.record("volunteers.roster_exported", None, reason=reason, community=community.name, first=first, count=names)


def _rows(week: Week) -> Iterator[list[object]]:
    for card in week.all_cards:
        for post in card.posts:
            shift = [day_words(card.day), card.hours, card.title, card.place, post.name, post.needs, post.taken]
            for name in post.names:
                yield [*shift, name.name, signup_said(name.state), hours_words(name.minutes)]
            if post.missing:
                yield [*shift, _("缺 %(count)d 人", count=post.missing), "", ""]


def calendar_text(week: Week, *, address: str) -> str:
    """Each shift of the week with how many are on it (RFC 5545)."""
    name, moment = _("志愿排班"), now()
    events = (line for card in week.all_cards for line in _event(card, moment, address))
    return calendar_files.file_text("volunteers", events, head=[f"X-WR-CALNAME:{calendar_files.text(name)}"])


def _event(card: Card, moment: datetime, address: str) -> list[str]:
    taken, needs = sum(post.taken for post in card.posts), sum(post.needs for post in card.posts)
    title = _("%(title)s（%(taken)d/%(needs)d 人）", title=card.title, taken=taken, needs=needs)
    posts = (f"{post.name} {post.taken}/{post.needs}" for post in card.posts)
    return [
        "BEGIN:VEVENT",
        f"UID:{card.public_id}@roster",
        f"DTSTAMP:{calendar_files.stamp(moment)}",
        *calendar_files.span(card.starts_at, card.ends_at),
        f"SUMMARY:{calendar_files.text(title)}",
        f"LOCATION:{calendar_files.text(card.place)}",
        f"DESCRIPTION:{calendar_files.text(_('；').join(posts))}",
        f"URL:{address}",
        "END:VEVENT",
    ]
