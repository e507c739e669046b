"""Sheets: tables that people bring become plain text, within limits; tables we hand out are inert."""

from portal.core.sheets.archive import checked_document
from portal.core.sheets.cells import parse_date
from portal.core.sheets.limits import DEFAULT, Limits
from portal.core.sheets.reading import Sheet, header_row, open_sheet
from portal.core.sheets.writing import MIME, write_csv, write_workbook

__all__ = [
    "DEFAULT",
    "MIME",
    "Limits",
    "Sheet",
    "checked_document",
    "header_row",
    "open_sheet",
    "parse_date",
    "write_csv",
    "write_workbook",
]
