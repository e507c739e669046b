"""Numbers and days as registers write them: old numbers of 15 figures, papers of other kinds, days as serials."""

import re
import unicodedata
from datetime import date, timedelta

from portal.core import ids
from portal.core.ids import IdNumber
from portal.core.sheets import parse_date
from portal.registry.models import IdKind

BY_GB_11643 = frozenset({IdKind.ID_CARD, IdKind.RESIDENCE_PERMIT})
LENGTH = 18
OLD_NUMBER = re.compile(r"[0-9]{15}")
PAPER = re.compile(r"[0-9A-Z]{5,20}")
# A day that lost its format in a workbook is counted from this one; five figures reach from 1927 to 2173.
SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.0+)?")
SERIAL_ZERO = date(1899, 12, 30)


def of_person(text: str, *, today: date, allow_test_region: bool) -> tuple[IdNumber, bool]:
    """The number, and whether it was written in the 15 figures of before 2000, which a worker should confirm."""
    if len(text) >= LENGTH:
        return ids.check_id_number(text, today=today, allow_test_region=allow_test_region), False
    number = ids.normalise_id(text)
    if not OLD_NUMBER.fullmatch(number):
        return ids.check_id_number(text, today=today, allow_test_region=allow_test_region), False
    first = f"{number[:6]}19{number[6:]}"
    whole = first + ids.check_digit(first)
    return ids.check_id_number(whole, today=today, allow_test_region=allow_test_region), True


def of_paper(text: str) -> str:
    """The number of a passport, a permit or another paper, normalised; ValueError for what cannot be one."""
    number = ids.normalise_id(text)
    if not PAPER.fullmatch(number):
        raise ValueError(text)
    return number


def day(text: str, *, today: date) -> date | None:
    """A date in any usual form, or the serial of a workbook; None for words, ValueError for one that cannot be."""
    found = parse_date(text)
    if found is None and SERIAL.fullmatch(unicodedata.normalize("NFKC", text).strip()):
        found = SERIAL_ZERO + timedelta(days=int(float(text)))
        return found if found <= today else None
    return found
