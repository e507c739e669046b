"""Who somebody is to a new head, told from who both were to the old one (GB/T 4761, as far as it can be inferred)."""

from collections.abc import Iterable

from portal.core.ids import Sex
from portal.registry.models import Person, Relation

R = Relation
CHILDREN = {R.SON, R.DAUGHTER}
CHILD = "child"

# What the new head was to the old one -> what somebody was to the old head -> what that one is to the new head.
# CHILD is a son or a daughter, by the sex; what is not here cannot be told and becomes OTHER.
TURNED: dict[Relation, dict[Relation, Relation | str]] = {
    R.SPOUSE: {
        R.HEAD: R.SPOUSE,
        R.SON: R.SON,
        R.DAUGHTER: R.DAUGHTER,
        R.GRANDCHILD: R.GRANDCHILD,
    },
    R.SON: {R.HEAD: R.PARENT, R.SPOUSE: R.PARENT, R.SON: R.SIBLING, R.DAUGHTER: R.SIBLING, R.PARENT: R.GRANDPARENT},
    R.PARENT: {
        R.HEAD: CHILD,
        R.PARENT: R.SPOUSE,
        R.SIBLING: CHILD,
        R.SON: R.GRANDCHILD,
        R.DAUGHTER: R.GRANDCHILD,
        R.GRANDPARENT: R.PARENT,
    },
    R.SIBLING: {R.HEAD: R.SIBLING, R.SIBLING: R.SIBLING, R.PARENT: R.PARENT, R.GRANDPARENT: R.GRANDPARENT},
    R.GRANDCHILD: {R.HEAD: R.GRANDPARENT, R.SPOUSE: R.GRANDPARENT},
    R.GRANDPARENT: {R.HEAD: R.GRANDCHILD, R.SIBLING: R.GRANDCHILD, R.PARENT: CHILD},
}
TURNED[R.DAUGHTER] = TURNED[R.SON]


def under(head: Person, members: Iterable[Person]) -> dict[int, Relation]:
    """Each member's relation under a new head, by the member's id; the head's own is HEAD."""
    turned = TURNED.get(head.relation, {})
    found = {}
    for person in members:
        if person.id == head.id:
            found[person.id] = R.HEAD
        elif head.relation is R.HEAD:
            found[person.id] = person.relation
        else:
            found[person.id] = _as(turned.get(person.relation, R.OTHER), person)
    return found


def _as(relation: Relation | str, person: Person) -> Relation:
    if relation == CHILD:
        return {Sex.MALE: R.SON, Sex.FEMALE: R.DAUGHTER}.get(person.sex, R.OTHER)
    return Relation(relation)
