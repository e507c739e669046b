"""The rates in words: what each is called, its formula, why a request does not count; and the sheet of them."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.casework.service.metrics import By, Left, Measure, Report, Row
from portal.core.sheets.writing import write_workbook

M = Measure
_MEASURES: dict[Measure, Any] = {
    M.ACCEPTED: _l("按时受理率"),
    M.RESPONDED: _l("响应率"),
    M.FINISHED: _l("按期办结率"),
    M.SOLVED: _l("解决率"),
    M.SATISFIED: _l("满意率"),
    M.CALLED_BACK: _l("回访率"),
    M.REDONE: _l("重办率"),
    M.RETURNED: _l("退单率"),
}
_FORMULAS: dict[Measure, Any] = {
    M.ACCEPTED: _l("期限内受理或告知不受理 ÷ 当期应受理"),
    M.RESPONDED: _l("期限内联系居民 ÷ 当期应联系"),
    M.FINISHED: _l("期限内答复 ÷ 当期到期应办结（延期按批准的期限，重办按最近一次）"),
    M.SOLVED: _l("回访确认解决 ÷ 当期有效回访"),
    M.SATISFIED: _l("满意和基本满意 ÷ 当期有效评价"),
    M.CALLED_BACK: _l("期限内回访 ÷ 当期应回访"),
    M.REDONE: _l("重新办理过 ÷ 当期已回访"),
    M.RETURNED: _l("退过单 ÷ 当期已分派"),
}
_LEFT: dict[Left, Any] = {
    Left.WITHDRAWN: _l("居民撤回"),
    Left.MERGED: _l("重复件，已并件"),
    Left.DECLINED: _l("不受理"),
    Left.PAUSED: _l("暂缓中"),
    Left.NO_PHONE: _l("没有留联系方式"),
    Left.UNREACHED: _l("多次联系不上"),
    Left.NO_OPINION: _l("没有评价"),
}
_BY: dict[By, Any] = {By.CATEGORY: _l("按类别"), By.GRID: _l("按网格"), By.WORKER: _l("按办理人")}


def measure_word(code: Measure | str) -> str:
    return str(_MEASURES[Measure(code)])


def formula_word(code: Measure) -> str:
    return str(_FORMULAS[code])


def left_word(code: Left | str) -> str:
    return str(_LEFT[Left(code)])


def by_word(code: By) -> str:
    return str(_BY[code])


def column_word(code: By) -> str:
    """The head of the column that a break-down begins with."""
    return {By.CATEGORY: _("类别"), By.GRID: _("网格"), By.WORKER: _("办理人")}[code]


def which_word(which: str) -> str:
    """What the requests behind a number have in common."""
    known = {"met": _("达到的"), "missed": _("没有达到的"), "due": _("应计的")}
    return left_word(which) if which in set(Left) else known.get(which, known["due"])


def row_name(row: Row, by: By) -> str:
    """A line's name; what belongs nowhere is called so."""
    if row.name:
        return row.name
    nowhere = {By.CATEGORY: _("没有类别"), By.GRID: _("没有划分网格"), By.WORKER: _("还没有人")}
    return nowhere[by]


def workbook(report: Report, by: By) -> bytes:
    """The figures as a sheet: of each rate its numerator, its denominator, and how many are left out."""
    headers = [_("项目"), _("提交")]
    for measure in Measure:
        name = measure_word(measure)
        headers += [
            _("%(name)s（%%）", name=name),
            _("%(name)s分子", name=name),
            _("%(name)s分母", name=name),
            _("%(name)s不计入", name=name),
        ]
    headers += [_("平均办理（工作小时）"), _("最长办理（工作小时）")]
    lines: Iterable[tuple[str, Row]] = [(row_name(row, by), row) for row in report.rows]
    rows = [_line(name, row) for name, row in [*lines, (_("合计"), report.total)]]
    return write_workbook(
        headers, rows, sheet=report.period.words(), stamp=f"{report.period.words()} {by_word(by)}", numbers=True
    )


def _line(name: str, row: Row) -> list[object]:
    cells: list[object] = [name, len(row.sent)]
    for measure in Measure:
        figure = row.figure(measure)
        share = "—" if figure.permille is None else figure.permille / 10
        cells += [share, len(figure.met), figure.due, figure.left_count()]
    average, worst = row.taken.average_hours, row.taken.worst
    return [*cells, "" if average is None else round(average, 1), round(worst[0], 1) if worst else ""]
