"""A household splits, two join, another one becomes its head."""

from collections.abc import Collection, Mapping
from datetime import date

from flask_babel import gettext as _

from portal.areas.models import Dwelling
from portal.core import events
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Happening, HappeningKind, Household, Person, Relation
from portal.registry.service import happenings, households, kinship, moves


def split(
    household: Household,
    leavers: Collection[Person],
    *,
    day: date,
    number: str,
    head: Person,
    dwelling: Dwelling | None,
    note: str = "",
    new_head: Person | None = None,
) -> Happening:
    """Some members become a household of their own under `head`; `new_head` is for those who stay, if theirs goes."""
    members = _open_members(household)
    for mistake in split_mistakes(household, members, leavers, number=number, head=head, new_head=new_head):
        raise mistake
    with happenings.recording(
        HappeningKind.SPLIT, household.community_id, day, note, of=leavers, homes=[household], along=members
    ) as event:
        made = households.open_household(household.community_id, number, dwelling)
        event.makes(made)
        relations = kinship.under(head, leavers)
        moves.vacate(household, leavers, day=day, new_head=new_head)
        for person in leavers:
            person.household_id, person.relation = made.id, relations[person.id]
            person.grid_id = households.grid_of(made) or person.grid_id
    if dwelling is None or dwelling.id != household.dwelling_id:
        for person in leavers:
            events.publish("person_moved", person=person)
    return event.happening


def split_mistakes(
    household: Household,
    members: Collection[Person],
    leavers: Collection[Person],
    *,
    number: str,
    head: Person | None,
    new_head: Person | None,
) -> list[Refused]:
    """Everything that a split cannot be done with, each beside its field, so that a form may say it all at once."""
    found = []
    if not leavers or not set(leavers) <= set(members):
        found.append(Refused(_("请选择分出去的人。"), field="who"))
    elif len(leavers) == len(members):
        found.append(Refused(_("全户一起走不是分户，请办理迁出，或修改本户的住址。"), field="who"))
    if head is None:
        found.append(Refused(_("请选择新户的户主。"), field="head"))
    elif leavers and head not in leavers:
        found.append(Refused(_("新户的户主要从分出去的人里选。"), field="head"))
    old = households.head_of(members)
    if old in leavers and new_head is None and len(leavers) < len(members):
        found.append(Refused(_("户主离开后还有人住在这一户，请选择新户主。"), field="new_head"))
    try:
        households.refuse_taken(household.community_id, number, field="number")
    except Refused as taken:
        found.append(taken)
    return found


def _open_members(household: Household) -> list[Person]:
    households.hold(household)
    if household.closed_on is not None:
        raise Refused(_("这一户已经没有人，登记已注销。"))
    return households.living(household)


def join(
    kept: Household, other: Household, *, day: date, relations: Mapping[int, Relation], note: str = ""
) -> Happening:
    """All of `other` come into `kept`, whose head stays; `relations` are theirs to that head, by the person's id."""
    if kept.id == other.id:
        raise Refused(_("这是同一户，请填要并进来的另一户的户号。"), field="other")
    if kept.community_id != other.community_id:
        raise Refused(_("两户不在同一个社区，不能并户。"), field="other")
    households.hold(kept, other)
    own, comers = _open_members(kept), _open_members(other)
    if not comers:
        raise Refused(_("那一户没有人，不用并户。"), field="other")
    if households.head_of(own) is None:
        raise Refused(_("本户还没有户主，请先变更户主。"))
    if Relation.HEAD in {relations.get(person.id) for person in comers}:
        raise Refused(_("并户以后户主不变，请给并进来的人选别的关系；要换户主请在并户后办理。"), field="relations")
    with happenings.recording(
        HappeningKind.JOIN, kept.community_id, day, note, of=comers, along=own, homes=[kept, other]
    ) as event:
        other.closed_on = day
        grid = households.grid_of(kept)
        for person in comers:
            person.household_id, person.relation = kept.id, relations.get(person.id, Relation.OTHER)
            person.grid_id = grid or person.grid_id
    for person in comers:
        events.publish("person_moved", person=person)
    return event.happening


def change_head(
    household: Household, head: Person, *, day: date, relations: Mapping[int, Relation], note: str = ""
) -> Happening:
    """Another member is the head; everybody's relation is stated anew, where it is not, as it follows."""
    members = _open_members(household)
    if head not in members:
        raise Refused(_("新户主要从这一户的人里选。"), field="head")
    if head.relation is Relation.HEAD:
        raise Refused(_("%(name)s已经是户主。", name=head.name), field="head")
    others = [person for person in members if person.id != head.id]
    if Relation.HEAD in {relations.get(person.id) for person in others}:
        raise Refused(_("一户只能有一个户主，请给其他人选别的关系。"), field="relations")
    with happenings.recording(
        HappeningKind.HEAD_CHANGE, household.community_id, day, note, of=[head], homes=[household], along=others
    ) as event:
        moves.put_head(head, members)
        for person in others:
            person.relation = relations.get(person.id, person.relation)
        db.session.flush()
    return event.happening
