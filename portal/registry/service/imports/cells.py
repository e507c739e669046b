"""What the cells of registers of things say: texts, words of a list, days and counts, each as the model takes it."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from portal.core import ids
from portal.registry.service.imports import numbers
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.things import Thing
from portal.registry.service.imports.vocabulary import Field

Reader = Callable[[str], Any]
# The key of each text among a row's values, and how long it may be.
TEXT: dict[Field, tuple[str, int]] = {
    Field.ADDRESS: ("address", 120),
    Field.PHONE: ("phone", 30),
    Field.NOTE: ("note", 300),
    Field.LEADER: ("leader", 60),
    Field.FILED_NUMBER: ("filed_number", 40),
    Field.EMPLOYER: ("employer", 80),
    Field.PAPER: ("paper", 60),
    Field.PAPER_NUMBER: ("paper_number", 60),
    Field.PURPOSE: ("purpose", 120),
    Field.SORT: ("sort", 40),
    Field.PLACE: ("place", 60),
}
FOREVER = frozenset({"长期", "永久", "长期有效", "永久有效", "无期限", "终身", "不限"})
RANGE = re.compile(r"至|到|~|～|—+|–|(?<=[0-9日])-(?=[0-9]{4})")
DAY_SUFFIX = re.compile(r"(止|截止|前|到期)$")
NEGATIVE = re.compile(r"\s*(?:[-−–—]|负)\s*[0-9]")
COUNT = re.compile(r"([0-9]+)(?:\.0+)?([^0-9.]*)")


def title(one: Thing, said: Mapping[Field, str], most: int, where: Field = Field.TITLE) -> None:
    """The name a thing goes by, which is its key too."""
    one.label = said.get(where, "")
    one.key = (one.label,)
    if not one.label:
        one.refuse(where, "no_name" if where is Field.NAME else "no_title")
    elif len(one.label) > most:
        one.refuse(where, "too_long", count=most)


def texts(one: Thing, said: Mapping[Field, str], fields: Sequence[Field]) -> None:
    for where in fields:
        name, most = TEXT[where]
        if len(said.get(where, "")) > most:
            one.refuse(where, "too_long", count=most)
        elif where in said:
            one.values[name] = said[where]


def read(
    one: Thing, said: Mapping[Field, str], where: Field, name: str, reader: Reader, code: str = "unknown_word"
) -> None:
    """What `reader` makes of a cell that is not empty; None is refused as `code`."""
    if where not in said:
        return
    value = reader(said[where])
    if value is None:
        one.refuse(where, code)
    else:
        one.values[name] = value


def coded(text: str, known: Mapping[str, Any], other: Any) -> str:
    """A word inside the cell decides, the longest first; one that is none of them is an other."""
    compact = text.replace(" ", "")
    words = sorted((word for word in known if word in compact), key=len, reverse=True)
    return str(known[words[0]].value if words else other.value)


def day(one: Thing, said: Mapping[Field, str], where: Field, rules: Rules, *, past: bool = False) -> None:
    """A day as its ISO text under the field's own name; of a span the last one, and None for 长期."""
    text = said.get(where, "")
    if text.replace(" ", "") in FOREVER:
        one.values[where.value] = None
    elif text:
        _day(one, where, text, rules, past=past)


def _day(one: Thing, where: Field, text: str, rules: Rules, *, past: bool) -> None:
    last = DAY_SUFFIX.sub("", RANGE.split(text)[-1].strip())
    try:
        found = numbers.day(last, today=rules.today if past else rules.today.replace(year=rules.today.year + 60))
    except ValueError:
        return one.refuse(where, "no_such_date")
    if found is None:
        return one.refuse(where, "no_date")
    if past and found > rules.today:
        return one.refuse(where, "future")
    one.values[where.value] = found.isoformat()
    return None


def phone(one: Thing, said: Mapping[Field, str]) -> None:
    """A mobile or landline number, as the pages for staff take it."""
    try:
        if Field.PHONE in said:
            one.values["phone"] = ids.check_phone(said[Field.PHONE])
    except ids.InvalidNumber:
        one.refuse(Field.PHONE, "phone")


def counted(text: str) -> tuple[int, str] | None:
    """20, 1,200 or 20瓶: the count, and the unit where one stands behind it."""
    found = COUNT.fullmatch(text.replace(" ", "").replace(",", ""))
    return (int(found[1]), found[2]) if found else None
