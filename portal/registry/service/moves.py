"""Moving in, moving out, and who belongs to which household afterwards."""

from collections.abc import Collection, Iterable
from datetime import date

from flask_babel import gettext as _

from portal.core import events
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Happening, HappeningKind, Household, Person, PersonState, Relation
from portal.registry.service import happenings, households, kinship, people


def refuse_unserved(person: Person) -> None:
    """Nothing happens any more to somebody dead or merged away."""
    if person.state is PersonState.DEAD:
        raise Refused(_("%(name)s已登记去世，不能再办理。登记有误请先撤销去世登记。", name=person.name))
    if not people.is_served(person):
        raise Refused(_("%(name)s的登记已合并到另一份，请在那一份上办理。", name=person.name))


def vacate(household: Household, leavers: Collection[Person], *, day: date, new_head: Person | None) -> None:
    """Take people out of a household. Who stays needs a head; nobody left closes it."""
    members = households.living(household)
    had_head = households.head_of(members) is not None
    staying = [person for person in members if person not in leavers]
    for person in leavers:
        person.household_id, person.relation = None, Relation.OTHER
    if not staying:
        household.closed_on = day
        return
    if households.head_of(staying) is None:
        _hand_on(staying, new_head, needed=had_head)


def _hand_on(staying: Collection[Person], new_head: Person | None, *, needed: bool) -> None:
    """Who stays without a head needs one; a household that never had one may go on without."""
    if new_head is None and not needed:
        return
    if new_head is None:
        raise Refused(_("户主离开后还有人住在这一户，请选择新户主。"), field="new_head")
    if new_head not in staying:
        raise Refused(_("新户主要从留下的人里选。"), field="new_head")
    put_head(new_head, staying)


def put_head(head: Person, members: Iterable[Person]) -> None:
    """Everybody's relation as it follows from the new head's."""
    relations = kinship.under(head, members)
    for person in members:
        person.relation = relations[person.id]


def refuse_second_head(members: Iterable[Person], relation: Relation) -> None:
    head = households.head_of(members)
    if relation is Relation.HEAD and head is not None:
        words = _("这一户的户主是%(name)s，请选别的关系，或先办变更户主。", name=head.name)
        raise Refused(words, field="relation")


def enter(household: Household, person: Person, relation: Relation) -> None:
    """Put somebody into a household: the first one is its head, and there is never a second."""
    if household.closed_on is not None:
        raise Refused(_("这一户已经没有人，登记已注销，请新建一户。"), field="household_number")
    if household.community_id != person.community_id:
        raise Refused(_("这一户在另一个社区，请由那个社区办理迁入。"), field="household_number")
    members = [other for other in households.living(household) if other.id != person.id]
    refuse_second_head(members, relation)
    person.household_id = household.id
    person.relation = relation if members else Relation.HEAD
    person.grid_id = households.grid_of(household) or person.grid_id


def arrive(person: Person, day: date) -> None:
    """Living here since a day, and not away."""
    person.state, person.state_on, person.living_since = PersonState.PRESENT, None, day
    person.absent_from = person.absent_until = None


def homes_of(of: Iterable[Person]) -> list[Household]:
    """The households of people, each once."""
    found = [db.session.get(Household, person.household_id) for person in of if person.household_id]
    return list(dict.fromkeys(home for home in found if home is not None))


def kin_of(homes: Iterable[Household]) -> list[Person]:
    """Everybody who lives in the households: whoever leaves them, their relations may change."""
    return [person for home in homes for person in households.living(home)]


def move_in(
    person: Person,
    household: Household,
    *,
    day: date,
    relation: Relation,
    note: str = "",
    new_head: Person | None = None,
    opened: bool = False,
) -> Happening:
    """Somebody known comes to live in a household: from away, from nowhere, or from another one here.

    `new_head` is for the household that is left; `opened` says that the new one was made for this.
    """
    refuse_unserved(person)
    if person.household_id == household.id:
        raise Refused(_("%(name)s已经在这一户，不用再办迁入。", name=person.name), field="household_number")
    left = homes_of([person])
    homes = left if opened else [*left, household]
    with happenings.recording(
        HappeningKind.MOVE_IN, person.community_id, day, note, of=[person], homes=homes, along=kin_of(left)
    ) as event:
        if opened:
            event.makes(household)
        for home in left:
            vacate(home, [person], day=day, new_head=new_head)
        db.session.flush()
        enter(household, person, relation)
        arrive(person, day)
    events.publish("person_moved", person=person)
    return event.happening


def move_out(leavers: Collection[Person], *, day: date, note: str = "", new_head: Person | None = None) -> Happening:
    """One, several, or a whole household go away from the community."""
    if not leavers:
        raise Refused(_("请选择迁出的人。"), field="who")
    for person in leavers:
        refuse_unserved(person)
        if person.state is PersonState.MOVED_OUT:
            raise Refused(_("%(name)s已经办过迁出。", name=person.name), field="who")
    homes = homes_of(leavers)
    first = next(iter(leavers))
    with happenings.recording(
        HappeningKind.MOVE_OUT, first.community_id, day, note, of=leavers, homes=homes, along=kin_of(homes)
    ) as event:
        for home in homes:
            vacate(home, [person for person in leavers if person.household_id == home.id], day=day, new_head=new_head)
        for person in leavers:
            person.state, person.state_on = PersonState.MOVED_OUT, day
            person.absent_from = person.absent_until = None
    for person in leavers:
        events.publish("person_moved", person=person)
    return event.happening
