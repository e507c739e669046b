"""Builders of the volunteers, each making one thing with whatever it needs; the rows are committed."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from portal.core.clock import now
from portal.core.db import transaction
from portal.places.models import Capacity
from portal.registry.models import Person
from portal.volunteers.models.activities import Activity, Position, Post, Served, Shift
from portal.volunteers.models.codes import (
    HOLDS,
    ActivityState,
    ServiceKind,
    ShiftState,
    SignupState,
    Task,
    VolunteerState,
    Way,
)
from portal.volunteers.models.people import Skill, Volunteer, VolunteerSkill
from portal.volunteers.models.signups import Signup
from tests.make import Make


def soon(days: float = 2, *, hours: float = 0) -> datetime:
    """The full hour so many days (and hours) from now."""
    moment = now() + timedelta(days=days, hours=hours)
    return moment.replace(minute=0, second=0, microsecond=0)


class Helping:
    """What the tests of volunteers are built of: `Helping(make)`."""

    def __init__(self, make: Make) -> None:
        self.make = make

    def skill(self, name: str = "", *, needs_proof: bool = False) -> Skill:
        return self.make.add(Skill(name=name or f"技能{self.make.number()}", needs_proof=needs_proof))

    def volunteer(self, person: Person | None = None, *, skills: Iterable[Skill] = (), **more: Any) -> Volunteer:
        """A volunteer who was taken up, with skills whose proofs were seen."""
        person = person or self.make.person(f"志愿者{self.make.number()}")
        facts: dict[str, Any] = {
            "number": f"V{self.make.number():08d}",
            "person_id": person.id,
            "community_id": person.community_id,
            "state": VolunteerState.ACTIVE,
            "agreed_at": now(),
        }
        made = Volunteer(**facts | more)
        made.skills = [VolunteerSkill(skill_id=skill.id, proven_at=now(), proven_by="周洁") for skill in skills]
        return self.make.add(made)

    def activity(self, title: str = "", **more: Any) -> Activity:
        """A published activity of the test's community with one position that needs two, unless told otherwise."""
        positions = more.pop("positions", None)
        facts: dict[str, Any] = {
            "community_id": more.pop("community", self.make.community()).id,
            "title": title or f"老人送餐{self.make.number()}",
            "kind": ServiceKind.MEALS,
            "content": "把午餐送到行动不便的老人家中",
            "place": "春风里助餐点",
            "leader_name": "周洁",
            "leader_phone": "13900000001",
            "risks": "上下楼梯，注意路滑",
            "conditions": "穿防滑的鞋",
            "state": ActivityState.PUBLISHED,
            "published_at": now(),
            "made_by": "worker",
            "made_by_name": "周洁",
        }
        made = Activity(**facts | more)
        made.positions = [Position(name="送餐员", needs=2)] if positions is None else list(positions)
        return self.make.add(made)

    def position(self, name: str = "", needs: int = 2, **more: Any) -> Position:
        """A position not yet of any activity: give it to activity(positions=[...])."""
        skills = list(more.pop("skills", ()))
        made = Position(name=name or f"岗位{self.make.number()}", needs=needs, **more)
        made.skills = skills
        return made

    def shift(
        self, activity: Activity | None = None, starts_at: datetime | None = None, *, hours: float = 2, **more: Any
    ) -> Shift:
        """An open shift two days from now at the full hour, with a post for each position and nobody on it."""
        activity = activity or self.activity()
        starts_at = starts_at or soon()
        ends_at = more.pop("ends_at", starts_at + timedelta(hours=hours))
        needs: dict[str, int] = more.pop("needs", {})
        facts: dict[str, Any] = {"state": ShiftState.OPEN, "secret": secrets.token_urlsafe(32)}
        made = Shift(
            activity_id=activity.id,
            community_id=activity.community_id,
            starts_at=starts_at,
            ends_at=ends_at,
            **facts | more,
        )
        made.posts = [
            Post(position_id=one.id, capacity=Capacity(total=needs.get(one.name, one.needs), taken=0))
            for one in activity.positions
        ]
        return self.make.add(made)

    def post(self, shift: Shift | None = None, at: int = 0) -> Post:
        """A post of a shift (the first), of a new shift unless one is given."""
        return (shift or self.shift()).posts[at]

    def served(self, shift: Shift, person: Person | None = None, **more: Any) -> Served:
        person = person or self.make.person("赵桂兰")
        facts: dict[str, Any] = {"task": Task.MEAL, "needs": "软饭，放门口", "added_by_name": "周洁"}
        return self.make.add(Served(shift_id=shift.id, person_id=person.id, **facts | more))

    def signup(self, post: Post, volunteer: Volunteer | None = None, **more: Any) -> Signup:
        """Somebody who is on a post, written without asking whether she may; the place is taken, or one more made."""
        volunteer = volunteer or self.volunteer()
        facts: dict[str, Any] = {"state": SignupState.JOINED, "way": Way.SELF}
        facts |= {"starts_at": post.shift.starts_at, "ends_at": post.shift.ends_at}
        facts |= {"placed_by": "worker", "placed_by_name": "周洁"}
        made = Signup(post_id=post.id, shift_id=post.shift_id, volunteer_id=volunteer.id, **facts | more)
        with transaction() as session:
            if made.state in HOLDS:
                places = session.get_one(Capacity, post.capacity_id)
                places.total = max(places.total, places.taken + 1)
                places.taken += 1
            session.add(made)
        return made
