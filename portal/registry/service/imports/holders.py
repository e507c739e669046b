"""Who holds a batch that is to be undone, and by what: the refusal's sentence, and the people to look at."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import Base, db
from portal.core.errors import Refused
from portal.registry.models import Person

# How many of those who hold a batch are named.
NAMED = 10
EDITED = "edited"
Conditions = Mapping[str, Sequence[sa.ColumnElement[bool]]]
# Which kind of use a table of the register stands for; the tables of a capability go by its package.
OF_TABLE = {
    "claim": "account",
    "family_agent": "account",
    "consent": "rights",
    "rights_request": "rights",
    "rights_copy": "rights",
    "roster_entry": "roster",
    "staff": "crew",
    "volunteer_team": "crew",
    "team_member": "crew",
    "dwelling_owner": "owner",
}


@dataclass(frozen=True)
class Holder:
    """Somebody of the batch, and the kinds of use that hold it."""

    public_id: str
    name: str
    kinds: tuple[str, ...]

    @property
    def words(self) -> str:
        return _("、").join(kind_words(kind) for kind in self.kinds)


class InUse(Refused):
    """A batch that is too late to undo as a whole, with up to NAMED of the people who hold it."""

    def __init__(self, message: str, people: Sequence[Holder]) -> None:
        super().__init__(message)
        self.people = people


def kind_words(kind: str) -> str:
    return {
        "meals": _("订餐"),
        "points": _("志愿积分"),
        "volunteers": _("志愿服务"),
        "visits": _("探访"),
        "account": _("认领账号或家属代办"),
        "notifications": _("看过公告"),
        "rights": _("告知同意或权利请求"),
        "roster": _("名单"),
        "crew": _("服务队伍或志愿队"),
        "owner": _("业主登记"),
        EDITED: _("改资料"),
    }.get(kind, _("别的登记"))


def referring(*own: sa.FromClause) -> dict[str, list[sa.ColumnElement[bool]]]:
    """For each kind of use, that a row of it stands on a person; `own` tables are not asked."""
    found: dict[str, list[sa.ColumnElement[bool]]] = {}
    package = {mapper.local_table: mapper.class_.__module__.split(".")[1] for mapper in Base.registry.mappers}
    for table, other, columns in _pointing(own):
        kind = OF_TABLE.get(table.name, package.get(table, ""))
        # Of restricted tags nobody is told here that they are there.
        kind = EDITED if kind == "registry" else kind
        found.setdefault(kind, []).extend(sa.exists().where(other.c[name] == Person.id) for name in columns)
    return found


def _pointing(own: Collection[sa.FromClause]) -> Iterator[tuple[sa.Table, sa.FromClause, list[str]]]:
    """The tables that refer to a person, an alias of each, and by which columns."""
    for table in Base.metadata.sorted_tables:
        columns = [key.parent.name for key in table.foreign_keys if key.column.table is Person.__table__]
        if columns and table not in own:
            yield table, table.alias(), columns


def stands_on(people: sa.Select[int], *own: sa.FromClause) -> bool:
    """Whether a row of any table stands on one of these people. From the table to the people: what hardly holds
    anything is hardly read, where fifty thousand people asked one by one take half a second.
    """
    asked = [
        sa.exists().where(other.c[name].in_(people)) for _table, other, columns in _pointing(own) for name in columns
    ]
    return bool(db.session.scalar(sa.select(sa.or_(*asked))))


def refusal(members: sa.ColumnElement[bool], count: int, conditions: Conditions) -> InUse:
    """In words: how many people, by which kinds of use, and who. `members` says who belongs to the batch."""
    people = _named(members, conditions)
    names = _("、").join(one.name for one in people)
    return InUse(
        _(
            "这一批里有 %(count)d 人已经被使用或修改过（%(kinds)s），不能整批撤销：%(names)s。",
            count=count,
            kinds=_("、").join(kind_words(kind) for kind in _kinds(members, conditions)),
            names=_("%(names)s等", names=names) if count > len(people) else names,
        ),
        people,
    )


def _kinds(members: sa.ColumnElement[bool], conditions: Conditions) -> list[str]:
    """Those that hold anybody at all."""
    asked = [sa.exists().where(members, sa.or_(*held)).correlate(None).label(kind) for kind, held in conditions.items()]
    found = db.session.execute(sa.select(*asked)).one()
    return [kind for kind, holds in zip(conditions, found, strict=True) if holds]


def _named(members: sa.ColumnElement[bool], conditions: Conditions) -> list[Holder]:
    asked = [sa.or_(*held).label(kind) for kind, held in conditions.items()]
    anything = sa.or_(*(held for each in conditions.values() for held in each))
    query = sa.select(Person.public_id, Person.name, *asked).where(members, anything)
    found = db.session.execute(query.order_by(Person.id).limit(NAMED))
    return [
        Holder(public_id, name, tuple(kind for kind, holds in zip(conditions, said, strict=True) if holds))
        for public_id, name, *said in found
    ]
