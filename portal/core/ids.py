"""Identifiers: the numbers people bring are checked and normalised; the codes we hand out are made here."""

import base64
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from flask_babel import gettext as _

OLDEST_AGE = 120
TEST_REGION = "999901"
# The provinces of GB/T 2260, then Taiwan, and the residence permits of Hong Kong, Macao and Taiwan. Districts
# are not listed: the number of an old resident carries a district that may have been abolished long ago.
PROVINCE_RANGES = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
PROVINCES = frozenset(str(code) for first, last in PROVINCE_RANGES for code in range(first, last + 1))
PERMIT_REGIONS = frozenset({"810000", "820000", "830000"})
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS = "10X98765432"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
# 31 characters that are hard to confuse. 31 is prime: that is what lets the check character catch every slip.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
# Spaces, hyphens and dashes of every kind, and the marks that pasting leaves behind.
SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212\u200b-\u200f\u2060\ufeff]+")


class Sex(StrEnum):
    UNKNOWN = "unknown"
    MALE = "male"
    FEMALE = "female"


class NumberFault(StrEnum):
    LENGTH = "length"
    CHARACTERS = "characters"
    PREFIX = "prefix"
    REGION = "region"
    DATE = "date"
    FUTURE = "future"
    CHECK_DIGIT = "check_digit"


class InvalidNumber(ValueError):
    """A number that cannot be right; `str()` is the sentence a person reads, `reason` is for programs."""

    def __init__(self, reason: NumberFault, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


@dataclass(frozen=True)
class IdNumber:
    """A number that passed; `doubtful` when its holder would be older than anyone is."""

    number: str
    birth_date: date
    sex: Sex
    doubtful: bool = False


def check_id_number(text: str, *, today: date, allow_test_region: bool = False) -> IdNumber:
    """The 18-character number of GB 11643, normalised and read; raises InvalidNumber."""
    number = normalise_id(text)
    _check_id_shape(number)
    if number[:2] not in PROVINCES and not (allow_test_region and number.startswith(TEST_REGION)):
        raise InvalidNumber(NumberFault.REGION, _("身份证号码的前两位不是任何省份的代码。"))
    birth_date = _birth_date(number)
    if birth_date > today:
        raise InvalidNumber(NumberFault.FUTURE, _("身份证号码里的出生日期还没有到。"))
    if check_digit(number[:17]) != number[17]:
        raise InvalidNumber(NumberFault.CHECK_DIGIT, _("身份证号码的最后一位对不上，请逐位核对。"))
    sex = Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
    return IdNumber(number, birth_date, sex, doubtful=_age(birth_date, today) > OLDEST_AGE)


def check_residence_permit(text: str, *, today: date) -> IdNumber:
    """The number of a residence permit for people of Hong Kong, Macao or Taiwan: GB 11643 under 81, 82 or 83."""
    number = normalise_id(text)
    _check_id_shape(number)
    if number[:6] not in PERMIT_REGIONS:
        raise InvalidNumber(NumberFault.REGION, _("港澳台居民居住证号码以 810000、820000 或 830000 开头。"))
    return check_id_number(number, today=today)


def check_travel_permit(text: str) -> str:
    """A travel permit of Hong Kong and Macao (H or M and 8 to 10 figures) or of Taiwan (8 or 10 figures)."""
    number = normalise_id(text)
    if not re.fullmatch(r"[HM][0-9]{8,10}|[0-9]{8}|[0-9]{10}", number):
        words = _("通行证号码应为 H 或 M 加 8 至 10 位数字（港澳），或 8 位、10 位数字（台湾）。")
        raise InvalidNumber(NumberFault.CHARACTERS, words)
    return number


def check_foreigner_permit(text: str, *, today: date) -> str:
    """A permanent residence card of a foreigner: three letters and 12 figures, or since 2023 18 signs that begin with 9
    and end with the check of GB 11643 over a birth date.
    """
    number = normalise_id(text)
    if re.fullmatch(r"[A-Z]{3}[0-9]{12}", number):
        return number
    if not re.fullmatch(r"9[0-9]{16}[0-9X]", number):
        words = _("永久居留身份证号码应为 3 个字母加 12 位数字，或 9 开头的 18 位号码。")
        raise InvalidNumber(NumberFault.CHARACTERS, words)
    birth_date = _birth_date(number)
    if birth_date > today:
        raise InvalidNumber(NumberFault.FUTURE, _("证件号码里的出生日期还没有到。"))
    if check_digit(number[:17]) != number[17]:
        raise InvalidNumber(NumberFault.CHECK_DIGIT, _("证件号码的最后一位对不上，请逐位核对。"))
    return number


def check_other_document(text: str) -> str:
    """A passport or any other paper: letters and figures, with at least one figure."""
    number = normalise_id(text)
    if not re.fullmatch(r"[A-Z0-9]{5,20}", number) or not re.search(r"[0-9]", number):
        raise InvalidNumber(NumberFault.CHARACTERS, _("证件号码应为 5 至 20 位字母和数字，请照证件填写。"))
    return number


def temporary_number(community_code: str, running: int) -> str:
    """For somebody without a number: L, the community's 12 figures, a running number, and a check character."""
    body = f"L{community_code}{running:04d}"
    if len(body) != 17:
        raise ValueError(running)
    return body + _uscc_check(body)


def check_temporary_number(text: str) -> str | None:
    """The number as it was given, or None when it cannot be one."""
    number = normalise_id(text)
    if not re.fullmatch(r"L[0-9]{16}[0-9A-Z]", number):
        return None
    return number if _uscc_check(number[:17]) == number[17] else None


def normalise_id(text: str) -> str:
    """Half-width, upper-case, without spaces and hyphens; checks nothing."""
    return SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def check_digit(first17: str) -> str:
    """ISO 7064 mod 11-2, as GB 11643 writes it."""
    return ID_CHECKS[sum(weight * int(digit) for weight, digit in zip(ID_WEIGHTS, first17, strict=True)) % 11]


def check_uscc(text: str) -> str:
    """The unified social credit code of GB 32100, normalised; raises InvalidNumber."""
    code = normalise_id(text)
    if len(code) != 18:
        raise InvalidNumber(NumberFault.LENGTH, _("统一社会信用代码应为 18 位，现在是 %(count)d 位。", count=len(code)))
    if any(character not in USCC_ALPHABET for character in code) or not code[2:8].isdigit():
        raise InvalidNumber(
            NumberFault.CHARACTERS,
            _("统一社会信用代码只含数字和大写字母，不含 I、O、Z、S、V，第 3 至 8 位是数字。"),
        )
    if _uscc_check(code[:17]) != code[17]:
        raise InvalidNumber(NumberFault.CHECK_DIGIT, _("统一社会信用代码的最后一位对不上，请逐位核对。"))
    return code


def _uscc_check(first17: str) -> str:
    total = sum(weight * USCC_ALPHABET.index(sign) for weight, sign in zip(USCC_WEIGHTS, first17, strict=True))
    return USCC_ALPHABET[-total % 31]


def check_mobile(text: str) -> str:
    """Eleven digits without country code; raises InvalidNumber."""
    digits = re.sub(r"^(?:\+?86|0086)(?=1\d{10}$)", "", normalise_id(text))
    if not re.fullmatch(r"[0-9]+", digits):
        raise InvalidNumber(NumberFault.CHARACTERS, _("手机号码只能是数字。"))
    if len(digits) != 11:
        raise InvalidNumber(NumberFault.LENGTH, _("手机号码应为 11 位，现在是 %(count)d 位。", count=len(digits)))
    if not re.match(r"1[3-9]", digits):
        raise InvalidNumber(NumberFault.PREFIX, _("手机号码应以 13 至 19 开头。"))
    return digits


def check_phone(text: str) -> str:
    """A mobile number, or a landline as 0512-65123456 or 0512-65123456-801; raises InvalidNumber."""
    compact = re.sub(r"[()]|转", "-", SEPARATORS.sub("-", unicodedata.normalize("NFKC", text).strip()))
    landline = re.fullmatch(r"-*(0(?:10|2\d|[3-9]\d{2}))-*(\d{3,4})-?(\d{4})(?:-+(\d{1,6}))?", compact, re.ASCII)
    if landline:
        area, exchange, line, extension = landline.groups()
        return f"{area}-{exchange}{line}" + (f"-{extension}" if extension else "")
    if compact.strip("-").startswith("0") and not compact.strip("-").startswith("0086"):
        raise InvalidNumber(NumberFault.LENGTH, _("座机号码应为区号加 7 至 8 位号码，例如 0512-65123456。"))
    return check_mobile(text)


def new_public_id() -> str:
    """128 random bits in 26 lower-case characters, for addresses that must not be guessed."""
    return base64.b32encode(secrets.token_bytes(16)).decode("ascii").rstrip("=").lower()


def short_code(n: int = 6) -> str:
    """A random code of `n` characters (3 to 30) to be read aloud or typed; the last one checks the others."""
    if not 3 <= n <= 30:
        raise ValueError(n)
    body = "".join(secrets.choice(CODE_ALPHABET) for _place in range(n - 1))
    return body + _code_check(body)


def check_short_code(text: str, n: int = 6) -> str | None:
    """The code as it was issued, or None when it cannot be one. Every slip and every swap is caught."""
    code = normalise_id(text)
    if len(code) != n or any(character not in CODE_ALPHABET for character in code):
        return None
    return code if _code_check(code[:-1]) == code[-1] else None


def _check_id_shape(number: str) -> None:
    if len(number) != 18:
        raise InvalidNumber(NumberFault.LENGTH, _("身份证号码应为 18 位，现在是 %(count)d 位。", count=len(number)))
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise InvalidNumber(NumberFault.CHARACTERS, _("身份证号码前 17 位是数字，最后一位是数字或 X。"))


def _birth_date(number: str) -> date:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise InvalidNumber(NumberFault.DATE, _("身份证号码里的出生日期不存在。")) from None


def _age(birth_date: date, today: date) -> int:
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def _code_check(body: str) -> str:
    # Weights 2, 3, 4 ... differ and stay below 31, and the check itself weighs 1: so one character
    # changed, or any two swapped, always change the sum.
    total = sum(weight * CODE_ALPHABET.index(character) for weight, character in enumerate(body, start=2))
    return CODE_ALPHABET[-total % 31]
