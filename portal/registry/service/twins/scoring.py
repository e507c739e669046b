"""How alike two records are: points for what agrees, less for what speaks against it, each with its reason."""

from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from portal.core import settings
from portal.core.ids import Sex

# What each agreement is worth; what speaks against it is taken off.
DEFAULTS = {
    "same_name": 40,
    "same_sound": 30,
    "similar_name": 20,
    "same_birth_date": 30,
    "same_birth_year": 10,
    "same_phone": 20,
    "same_address": 10,
    "other_number": 70,
    "other_sex": 25,
}
AGAINST = frozenset({"other_number", "other_sex"})
LEAST = 60


@dataclass(frozen=True, slots=True)
class Record:
    """What of a person likeness is judged by; numbers and telephones by their blind index."""

    id: int
    name: str
    sound: str
    sex: Sex
    born: date | None
    number: bytes | None
    phone: bytes | None
    dwelling: int | None


def declare() -> None:
    """The weights and the least score, as parameters of the site."""
    for code, points in DEFAULTS.items():
        settings.declare(
            f"twins.{code}",
            default=points,
            label=lambda code=code: _("疑似重复：%(what)s", what=reason_words(code)),  # type: ignore[misc]
            unit=lambda: _("分"),
            least=0,
            most=100,
        )
    settings.declare(
        "twins.least",
        default=LEAST,
        label=lambda: _("疑似重复：达到多少分列出来"),
        unit=lambda: _("分"),
        least=30,
        most=100,
    )


def weights() -> dict[str, int]:
    return {code: settings.get(f"twins.{code}") for code in DEFAULTS}


def reasons(one: Record, other: Record) -> list[str]:
    """Codes of what agrees and what does not, the strongest of each kind."""
    found = [_names(one, other), _births(one, other)]
    found.append("same_phone" if one.phone and one.phone == other.phone else "")
    found.append("same_address" if one.dwelling and one.dwelling == other.dwelling else "")
    found.append("other_number" if one.number and other.number and one.number != other.number else "")
    known = Sex.UNKNOWN not in (one.sex, other.sex)
    found.append("other_sex" if known and one.sex is not other.sex else "")
    return [code for code in found if code]


def score(codes: list[str], points: dict[str, int]) -> int:
    """0 to 100."""
    total = sum(-points[code] if code in AGAINST else points[code] for code in codes)
    return max(0, min(100, total))


def _names(one: Record, other: Record) -> str:
    if one.name == other.name:
        return "same_name"
    if one.sound == other.sound:
        return "same_sound"
    return "similar_name" if similar(one.name, other.name) else ""


def _births(one: Record, other: Record) -> str:
    if one.born is None or other.born is None:
        return ""
    if one.born == other.born:
        return "same_birth_date"
    return "same_birth_year" if one.born.year == other.born.year else ""


def similar(one: str, other: str) -> bool:
    """One sign changed, left out or put in, of names of two signs at least."""
    short, long = sorted((one, other), key=len)
    if len(short) < 2 or len(long) - len(short) > 1 or short == long:
        return False
    head = next((place for place, sign in enumerate(short) if sign != long[place]), len(short))
    rest = head + 1 if len(short) == len(long) else head
    # Of a name of two signs the one that stays must be the surname: 王英 and 李英 are two people.
    return short[rest:] == long[head + 1 :] and (len(long) > 2 or head > 0)


def reason_words(code: str) -> str:
    """A reason as a worker reads it; one of a later version stands for itself."""
    known = {
        "same_name": _("姓名相同"),
        "same_sound": _("姓名同音"),
        "similar_name": _("姓名相近，差一个字"),
        "same_birth_date": _("出生日期相同"),
        "same_birth_year": _("同一年出生"),
        "same_phone": _("电话相同"),
        "same_address": _("住址相同"),
        "other_number": _("证件号码不同"),
        "other_sex": _("性别不同"),
    }
    return known.get(code, code)


declare()
