"""Opening hours of a week: read from the words people write, kept by weekday, said in groups of days."""

import re
import unicodedata
from datetime import datetime
from itertools import pairwise

from flask_babel import gettext as _

from portal.core.clock import local
from portal.core.errors import Refused

# By weekday, "0" is Monday: pairs of "HH:MM", in order, never overlapping; "24:00" is the end of the day.
Hours = dict[str, list[list[str]]]
DAYS = "一二三四五六日"
GROUPS = {"每天": range(7), "每日": range(7), "天天": range(7), "工作日": range(5), "周末": range(5, 7)}
SPAN = re.compile(r"(\d{1,2})[:点](\d{2})?分?[-~至到](\d{1,2})[:点](\d{2})?分?")
RUN = re.compile(r"周([一二三四五六日])[-~至到]周?([一二三四五六日])")
ONE = re.compile(r"周?([一二三四五六日])")
ALL_DAY = re.compile(r"24小时|全天")
# What the English pages say, so that a form filled from said() is read again in either language.
ENGLISH = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), chinese)
    for words, chinese in (
        ("every ?day|daily", "每天"),
        ("weekdays|working days", "工作日"),
        ("weekends?", "周末"),
        ("24 ?hours|all day", "全天"),
        ("closed", "休息"),
        ("to|through", "至"),
        ("and", "、"),
        ("mon(?:days?)?", "周一"),
        ("tue(?:s|sdays?)?", "周二"),
        ("wed(?:nesdays?)?", "周三"),
        ("thu(?:rs|rsdays?)?", "周四"),
        ("fri(?:days?)?", "周五"),
        ("sat(?:urdays?)?", "周六"),
        ("sun(?:days?)?", "周日"),
    )
)
REST = re.compile(r"休息|不开放|闭馆|关闭")


def parse(text: str, *, field: str = "hours") -> Hours:
    """周一至周五 8:30-11:30 14:00-17:30；周六 9:00-11:00 and the like; a part without days means every day."""
    found: Hours = {}
    for part in re.split(r"[;；\n。]", text):
        words = _plain(part)
        if words:
            days, spans = _days(words, field), _spans(words, part, field)
            for day in days:
                found[str(day)] = spans
    return {day: spans for day, spans in sorted(found.items()) if spans}


def _plain(part: str) -> str:
    words = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", part)).strip()
    for english, chinese in ENGLISH:
        words = english.sub(chinese, words)
    words = re.sub("星期|礼拜", "周", words).replace("周天", "周日")
    return re.sub(r"[–—―−～〜]", "-", words)


def _days(words: str, field: str) -> list[int]:
    """The weekdays that stand before the first time; every day where none does."""
    compact = words.replace(" ", "")
    head = re.split(r"\d|全天|休息|不开放|闭馆|关闭", compact, maxsplit=1)[0].strip(":：,，、")
    if not head:
        return list(range(7))
    days: set[int] = set()
    rest = head
    for word, group in GROUPS.items():
        if word in rest:
            days.update(group)
            rest = rest.replace(word, "")
    for first, last in RUN.findall(rest):
        days.update(_between(DAYS.index(first), DAYS.index(last)))
    rest = RUN.sub("", rest)
    days.update(DAYS.index(one) for one in ONE.findall(rest))
    if re.sub(r"[,，、和及:]", "", ONE.sub("", rest)) or not days:
        raise Refused(_("“%(words)s”看不懂是哪几天，请写成“周一至周五 8:30-17:00”。", words=head), field=field)
    return sorted(days)


def _between(first: int, last: int) -> list[int]:
    return list(range(first, last + 1)) if first <= last else [*range(first, 7), *range(last + 1)]


def _spans(words: str, part: str, field: str) -> list[list[str]]:
    if REST.search(words):
        return []
    compact = words.replace(" ", "") if "-" not in words else re.sub(r" ?([-~至到]) ?", r"\1", words)
    if ALL_DAY.search(compact):
        return [["00:00", "24:00"]]
    spans = sorted([_clock(h1, m1), _clock(h2, m2)] for h1, m1, h2, m2 in SPAN.findall(compact))
    if not spans or any("" in span for span in spans):
        raise Refused(_("“%(words)s”里没有看懂的时间，请写成“8:30-17:00”。", words=part.strip()), field=field)
    _refuse_disorder(spans, field)
    return spans


def _clock(hour: str, minute: str) -> str:
    hours, minutes = int(hour), int(minute or 0)
    if hours > 24 or minutes > 59 or (hours == 24 and minutes):
        return ""
    return f"{hours:02d}:{minutes:02d}"


def _refuse_disorder(spans: list[list[str]], field: str) -> None:
    for opens, closes in spans:
        if closes <= opens:
            raise Refused(_("%(opens)s-%(closes)s：结束时间要晚于开始时间。", opens=opens, closes=closes), field=field)
    for earlier, later in pairwise(spans):
        if later[0] < earlier[1]:
            raise Refused(_("%(one)s 和 %(two)s 有重叠。", one="-".join(earlier), two="-".join(later)), field=field)


def said(hours: Hours) -> str:
    """In the words that parse() reads, days with the same hours together: 周一至周五 08:30-11:30 14:00-17:30."""
    groups: list[tuple[list[int], str]] = []
    for day in range(7):
        spans = _spans_words(hours.get(str(day), []))
        if spans and groups and groups[-1][1] == spans and groups[-1][0][-1] == day - 1:
            groups[-1][0].append(day)
        elif spans:
            groups.append(([day], spans))
    return _("；").join(f"{_run_words(days)} {spans}" for days, spans in groups)


def _spans_words(spans: list[list[str]]) -> str:
    if spans == [["00:00", "24:00"]]:
        return str(_("全天"))
    return " ".join("-".join(span) for span in spans)


def _run_words(days: list[int]) -> str:
    if len(days) == 7:
        return _("每天")
    if len(days) == 1:
        return weekday(days[0])
    return _("%(first)s至%(last)s", first=weekday(days[0]), last=weekday(days[-1]))


def weekday(day: int) -> str:
    return [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")][day]


def of_day(hours: Hours, moment: datetime) -> str:
    """The hours of a moment's day: 08:30-11:30 14:00-17:30, or "" when it is closed that day."""
    return _spans_words(hours.get(str(local(moment).weekday()), []))


def is_open(hours: Hours, moment: datetime) -> bool:
    here = local(moment)
    clock = f"{here:%H:%M}"
    return any(opens <= clock < closes for opens, closes in hours.get(str(here.weekday()), []))
