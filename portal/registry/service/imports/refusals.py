"""The refused rows as a workbook to mend: the same columns, a reason beside each, the cell at fault marked."""

import json

from flask_babel import gettext as _

from portal.core import audit
from portal.core.sheets import write_workbook
from portal.registry.models import ImportBatch
from portal.registry.service.imports import wording
from portal.registry.service.imports.batches import rows

MOST = 60_000


def refused_workbook(batch: ImportBatch) -> bytes:
    """Every refused row as it stood in the file, numbers in full: record_download() leaves the trace."""
    table: list[list[str]] = []
    marks: dict[tuple[int, int], str] = {}
    for order, row in enumerate(rows(batch, "refused", limit=MOST)):
        cells: list[str] = json.loads(row.source or "[]")
        sentences = wording.reasons(row, batch)
        table.append([*cells, "；".join(sentences), str(row.row_number)])
        for why in row.reasons:
            column = batch.columns.get(why.get("field"))
            if column is not None:
                marks[order, column] = wording.reason(why)
    return write_workbook([*batch.headers, _("原因"), _("原表行号")], table, sheet=_("不接收的行"), marks=marks)


def record_download(batch: ImportBatch) -> None:
    audit.record("registry.import_refusals_downloaded", batch, rows=int(batch.counts.get("refused", 0)))
