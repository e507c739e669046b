"""Importing resident registers: columns are matched, rows checked and staged, one step confirms or undoes them."""

from portal.registry.service.imports.batches import (
    PAGE,
    batch_in,
    batches,
    cancel,
    households_without_head,
    purge,
    rows,
    samples,
    start_check,
    twins,
    upload,
)
from portal.registry.service.imports.columns import Table, read_table
from portal.registry.service.imports.confirming import confirm
from portal.registry.service.imports.refusals import record_download, refused_workbook
from portal.registry.service.imports.staging import check_batch, silent_batches
from portal.registry.service.imports.undoing import undo, used_people
from portal.registry.service.imports.vocabulary import Field

__all__ = [
    "PAGE",
    "Field",
    "Table",
    "batch_in",
    "batches",
    "cancel",
    "check_batch",
    "confirm",
    "households_without_head",
    "purge",
    "read_table",
    "record_download",
    "refused_workbook",
    "rows",
    "samples",
    "silent_batches",
    "start_check",
    "twins",
    "undo",
    "upload",
    "used_people",
]
