"""Importing resident registers: columns are matched, rows checked and staged, one step confirms or undoes them."""

from portal.registry.models import ImportKind
from portal.registry.service.imports.batches import (
    PAGE,
    Kept,
    batch_in,
    batches,
    cancel,
    counts,
    households_without_head,
    keep,
    purge,
    rows,
    samples,
    start_check,
    switch_kind,
    to_confirm,
    twins,
    upload,
)
from portal.registry.service.imports.blanks import blank
from portal.registry.service.imports.columns import Table, read_table
from portal.registry.service.imports.confirming import confirm
from portal.registry.service.imports.deciding import became, beside, decide, waiting_row
from portal.registry.service.imports.fitting import better, left_out
from portal.registry.service.imports.holders import Holder, InUse
from portal.registry.service.imports.refusals import record_download, refused_workbook
from portal.registry.service.imports.restoring import ready
from portal.registry.service.imports.staging import check_batch, silent_batches
from portal.registry.service.imports.taking_back import may_take_back, take_back, take_back_merge
from portal.registry.service.imports.things import Edited, Held
from portal.registry.service.imports.undoing import undo, used_people
from portal.registry.service.imports.vocabulary import FIELDS, Field

KINDS = tuple(FIELDS)


def fields_of(kind: ImportKind) -> tuple[Field, ...]:
    """What a register of a kind may hold, in the order of its page."""
    return FIELDS[kind]


__all__ = [
    "KINDS",
    "PAGE",
    "Edited",
    "Field",
    "Held",
    "Holder",
    "InUse",
    "Kept",
    "Table",
    "batch_in",
    "batches",
    "became",
    "beside",
    "better",
    "blank",
    "cancel",
    "check_batch",
    "confirm",
    "counts",
    "decide",
    "fields_of",
    "households_without_head",
    "keep",
    "left_out",
    "may_take_back",
    "purge",
    "read_table",
    "ready",
    "record_download",
    "refused_workbook",
    "rows",
    "samples",
    "silent_batches",
    "start_check",
    "switch_kind",
    "take_back",
    "take_back_merge",
    "to_confirm",
    "twins",
    "undo",
    "upload",
    "used_people",
    "waiting_row",
]
