"""The columns an export may hold, each as it stands masked and in the clear. Restricted tags are none of them."""

from collections.abc import Callable
from enum import StrEnum

from flask_babel import gettext as _

from portal.areas.models import Dwelling
from portal.core import masking
from portal.core.clock import today
from portal.registry.models import Person
from portal.registry.service import words


class Column(StrEnum):
    NAME = "name"
    SEX = "sex"
    AGE = "age"
    BORN = "born"
    ID_NUMBER = "id_number"
    PHONE = "phone"
    COMMUNITY = "community"
    GRID = "grid"
    ADDRESS = "address"
    HOUSEHOLD = "household"
    RELATION = "relation"
    REGISTRATION = "registration"
    TAGS = "tags"
    STATE = "state"


USUAL = (Column.NAME, Column.SEX, Column.AGE, Column.PHONE, Column.GRID, Column.ADDRESS, Column.TAGS)


def label(column: Column) -> str:
    return {
        Column.NAME: _("姓名"),
        Column.SEX: _("性别"),
        Column.AGE: _("年龄"),
        Column.BORN: _("出生日期"),
        Column.ID_NUMBER: _("身份证号码"),
        Column.PHONE: _("联系电话"),
        Column.COMMUNITY: _("社区"),
        Column.GRID: _("网格"),
        Column.ADDRESS: _("住址"),
        Column.HOUSEHOLD: _("户号"),
        Column.RELATION: _("与户主关系"),
        Column.REGISTRATION: _("户籍"),
        Column.TAGS: _("人群标签"),
        Column.STATE: _("登记状态"),
    }[column]


def cell(person: Person, column: Column, *, plain: bool) -> str:
    """What stands in a person's cell."""
    return (PLAIN if plain or column not in MASKED else MASKED)[column](person)


def _home(person: Person) -> Dwelling | None:
    return person.household.dwelling if person.household else None


def _age(person: Person) -> str:
    age = person.age(today())
    return "" if age is None else str(age)


def _address(person: Person) -> str:
    home = _home(person)
    return home.address() if home else ""


def _masked_address(person: Person) -> str:
    home = _home(person)
    return masking.mask_address(home.building.estate.name, home.building.name, home.unit, home.room) if home else ""


def _tags(person: Person) -> str:
    return _("、").join(words.tag(tag.kind) for tag in person.tags if tag.holds(today()))


PLAIN: dict[Column, Callable[[Person], str]] = {
    Column.NAME: lambda person: person.name,
    Column.SEX: lambda person: words.sex(person.sex),
    Column.AGE: _age,
    Column.BORN: lambda person: person.birth_date.isoformat() if person.birth_date else "",
    Column.ID_NUMBER: lambda person: person.id_number or "",
    Column.PHONE: lambda person: person.phone or "",
    Column.COMMUNITY: lambda person: person.community.name,
    Column.GRID: lambda person: person.grid.name if person.grid else "",
    Column.ADDRESS: _address,
    Column.HOUSEHOLD: lambda person: person.household.number if person.household else "",
    Column.RELATION: lambda person: words.relation(person.relation),
    Column.REGISTRATION: lambda person: words.registration(person.registration),
    Column.TAGS: _tags,
    Column.STATE: lambda person: words.state(person.state),
}
MASKED: dict[Column, Callable[[Person], str]] = {
    Column.NAME: lambda person: masking.mask_name(person.name),
    Column.BORN: lambda person: f"{person.birth_date:%Y}-**-**" if person.birth_date else "",
    Column.ID_NUMBER: lambda person: masking.mask_id(person.id_number),
    Column.PHONE: lambda person: masking.mask_phone(person.phone),
    Column.ADDRESS: _masked_address,
    Column.HOUSEHOLD: lambda person: masking.mask_middle(person.household.number, 1, 2) if person.household else "",
}
