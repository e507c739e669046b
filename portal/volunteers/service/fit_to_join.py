"""Whether a volunteer who comes to a post in some way may be put on it, and the refusal in words."""

from collections.abc import Collection
from typing import Protocol

from flask_babel import gettext as _

from portal.core.clock import now
from portal.core.errors import Refused
from portal.places import service as places
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import fitness

BY_OTHERS = frozenset({Way.WORKER, Way.LEADER, Way.PLAN, Way.INVITED})
# A plan weighs pairs itself; who is asked for one post answers for herself. She is told that she is there alone.
_ALONE = frozenset({Way.LEADER, Way.PLAN, Way.INVITED})
# Who is put there does not answer for herself: whoever puts her reads what comes back.
_PUT = frozenset({Way.WORKER, Way.LEADER, Way.PLAN})
# The take itself says whether the post is full, and who is in its line joins from there.
_TAKEN_CARE = frozenset({"full", "waiting"})


class Who(Protocol):
    """Who acts: an Actor, or a job in the portal's name."""

    @property
    def public_id(self) -> str: ...
    @property
    def name(self) -> str: ...


class Unfit(Refused):
    """The volunteer may not be on the post; `code` is the verdict's."""

    def __init__(self, verdict: fitness.Verdict, name: str = "") -> None:
        words = _("%(name)s：%(words)s", name=name, words=verdict.words) if name else verdict.words
        super().__init__(words)
        self.code = verdict.code


def verdict(
    post: Post, volunteer: Volunteer, *, way: Way, checked: bool = True, together: Collection[Volunteer] = ()
) -> fitness.Verdict:
    """What stands in the way of a volunteer who comes to a post in some way."""
    codes = {code for code, _check_of in fitness.CHECKS}
    skip = set(_TAKEN_CARE) if checked else codes - fitness.HARD | _TAKEN_CARE
    if way in BY_OTHERS:
        skip |= fitness.OWN_WAY
    if way in _ALONE:
        skip |= {"pair"}
    if way in {Way.SWAP, Way.LINE}:
        skip |= {"too_early"}
    return fitness.verdicts_of([post], [volunteer], now(), together=together, skip=skip)[post.id, volunteer.id]


def refuse_unfit(post: Post, volunteer: Volunteer, *, way: Way, checked: bool, together: Collection[Volunteer]) -> bool:
    """Refuse who does not fit; whether she stands in the line of the post."""
    if post.position.newcomers < 100:
        # Who else joins the post at this moment has committed, or waits.
        places.hold(post.capacity_id)
    found = verdict(post, volunteer, way=way, checked=checked, together=together)
    if not found.fits:
        raise Unfit(found, volunteer.person.name if together or way in BY_OTHERS else "")
    return found.waits


def full(way: Way) -> Unfit:
    """Who signs up may wait for a place; who puts others there has none to give."""
    words = _("刚刚报满了。可以候补：有人退出时按次序递补。")
    if way in _PUT:
        words = _("这个岗位已经满了。请先调出一位，或者和岗位上的人对调。")
    return Unfit(fitness.stands("full", words))
