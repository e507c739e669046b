"""Money: amounts are integers of fen; these are the only ways in and out of yuan."""

import re
import unicodedata

from flask_babel import gettext as _

# Ten digits of yuan are more than a street will ever spend, and their fen fit a column of 64 bits.
AMOUNT = re.compile(r"(?P<sign>[+-]?)¥?(?P<yuan>[0-9]{1,10}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:\.(?P<fen>[0-9]{1,2}))?元?")


class BadAmount(ValueError):
    """A text that is no amount; `str()` is the sentence a person reads."""


def yuan(fen: int) -> str:
    """12.50, without a sign of currency and without separators."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def parse_yuan(text: str, *, allow_negative: bool = False) -> int:
    """Fen from '12.5', '1,234.50', '¥12' or full-width digits; raises BadAmount, never rounds."""
    compact = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).replace("\N{MINUS SIGN}", "-")
    amount = AMOUNT.fullmatch(compact)
    if amount is None:
        raise BadAmount(_("请填金额，最多两位小数，例如 12.50。"))
    fen = int(amount["yuan"].replace(",", "")) * 100 + int((amount["fen"] or "").ljust(2, "0"))
    if amount["sign"] == "-" and fen:
        if not allow_negative:
            raise BadAmount(_("金额不能是负数。"))
        return -fen
    return fen


def share(fen: int, part: int, *, of: int = 100) -> int:
    """`part` of `of` (percent; of=1000 for permille), half a fen rounded up; a refund mirrors its charge."""
    if part < 0 or of <= 0:
        raise ValueError((part, of))
    rounded = (2 * abs(fen) * part + of) // (2 * of)
    return -rounded if fen < 0 else rounded
