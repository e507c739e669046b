"""What a table that someone brings may hold, and the words for those that hold more."""

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core.files import MAX_FILE_BYTES, BadFile, FileFault


@dataclass(frozen=True)
class Limits:
    """A full register of 50,000 rows by 16 columns in which no cell repeats unpacks to 60 MB (measured), an
    ordinary one to 29 MB. There is no limit of ratio: the inflated bytes are counted while they appear.
    """

    file_bytes: int = MAX_FILE_BYTES
    unpacked_bytes: int = 80 * 1024 * 1024
    members: int = 500
    rows: int = 60_000
    columns: int = 50
    cells: int = 1_000_000


DEFAULT = Limits()


def damaged() -> BadFile:
    return BadFile(FileFault.DAMAGED, _("文件已损坏，打不开。请用表格软件打开后另存一份再上传。"))


def unsafe() -> BadFile:
    words = _("文件里有正常的文件不会有的内容，没有接收。请用原来的软件打开，另存为新文件再上传。")
    return BadFile(FileFault.UNSAFE, words)


def declares_a_type() -> BadFile:
    """A document type declaration can name other files, and grow a kilobyte to gigabytes."""
    words = _("文件里写了文档类型声明，正常的文件不会有，没有接收。请用原来的软件打开，另存为新文件再上传。")
    return BadFile(FileFault.DECLARES_A_TYPE, words)


def not_computed(row: int, column: str) -> BadFile:
    """A formula whose result no program has written down yet: read, it would be an empty cell."""
    words = _(
        "第 %(row)d 行 %(column)s 列是公式，还没有算出结果。请用表格软件打开、保存一次，再上传。",
        row=row,
        column=column,
    )
    return BadFile(FileFault.NOT_COMPUTED, words)


def points_elsewhere() -> BadFile:
    words = _(
        "文件连着别处的模板、图片或文件，打开时会自动去取，没有接收。请在原来的软件里断开链接，或把图片直接放进去再上传。"
    )
    return BadFile(FileFault.POINTS_ELSEWHERE, words)


def not_a_workbook() -> BadFile:
    return BadFile(FileFault.NOT_A_WORKBOOK, _("这不是表格文件。请上传 .xlsx 或 .csv 文件。"))


def encrypted() -> BadFile:
    return BadFile(FileFault.ENCRYPTED, _("文件设了打开密码。请去掉密码后再上传。"))


def too_large() -> BadFile:
    return BadFile(FileFault.TOO_LARGE, _("表格的内容太大。请只保留需要的工作表和列，或分成几份上传。"))


def too_many_rows(limits: Limits) -> BadFile:
    return BadFile(FileFault.TOO_MANY_ROWS, _("表格最多 %(count)d 行。请分成几份上传。", count=limits.rows))


def too_many_columns(limits: Limits) -> BadFile:
    return BadFile(
        FileFault.TOO_MANY_COLUMNS, _("表格最多 %(count)d 列。请删去不需要的列再上传。", count=limits.columns)
    )


def too_many_cells(limits: Limits) -> BadFile:
    return BadFile(FileFault.TOO_MANY_CELLS, _("表格最多 %(count)d 个格子。请分成几份上传。", count=limits.cells))
