"""The roster of who leads: a week of the shifts she leads, the people of her teams, and what she may do with both.

She puts nobody past what advises against it: that is for the community to weigh.
"""

from datetime import date, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.core.access import Actor
from portal.core.clock import at, now, today
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person, TeamMember
from portal.registry.service import people
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import ActivityState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import finding, rearranging, roster, signups, teams
from portal.volunteers.service.activities import led_by
from portal.volunteers.service.finding import Candidate
from portal.volunteers.service.rearranging import Done
from portal.volunteers.service.roster_rows import DAYS, Line, Week

_STAGES = (ActivityState.PUBLISHED, ActivityState.ENDED)


def week(actor: Actor, first: date) -> Week:
    """The week that begins on a day; empty for who leads nothing."""
    me = people.person_of_or_none(actor)
    if me is None:
        return Week(first, {}, [], [], [])
    start, end = at(first, time(0)), at(first + timedelta(days=DAYS), time(0))
    query = sa.select(Shift.id).join(Shift.activity).where(_led(me), start <= Shift.starts_at, Shift.starts_at < end)
    shifts = db.session.scalars(query.order_by(Shift.id)).all()
    own = db.session.scalars(sa.select(Volunteer.id).where(_own(actor)).order_by(Volunteer.id)).all()
    return roster.week_of_leader(shifts, own, first)


def _led(me: Person) -> sa.ColumnElement[bool]:
    return sa.and_(led_by(me), Activity.state.in_(_STAGES))


def _own(actor: Actor) -> sa.ColumnElement[bool]:
    """The volunteers who are today in a team that the account leads; a record of theirs may have been merged since."""
    led = [team.id for team in teams.led_by(actor)]
    member, day = aliased(Person), today()
    held = sa.and_(TeamMember.since <= day, sa.or_(TeamMember.until.is_(None), TeamMember.until >= day))
    members = sa.select(sa.func.coalesce(member.merged_into_id, member.id))
    members = members.join(TeamMember, TeamMember.person_id == member.id).where(TeamMember.team_id.in_(led), held)
    whose = sa.func.coalesce(Person.merged_into_id, Person.id)
    return Volunteer.person_id.in_(sa.select(Person.id).where(whose.in_(members)))


def post_led(actor: Actor, post_id: int) -> Post:
    """A post of a shift that the account leads; anything else does not exist."""
    me = people.person_of_or_none(actor)
    if me is None:
        raise Missing
    query = sa.select(Post).join(Post.shift).join(Shift.activity).where(_led(me), Post.id == post_id)
    found = db.session.scalar(query.options(*finding.post_whole()))
    if found is None:
        raise Missing
    return found


def _member(actor: Actor, public_id: str) -> Volunteer:
    query = sa.select(Volunteer).where(_own(actor), Volunteer.public_id == public_id)
    found = db.session.scalar(query.options(joinedload(Volunteer.person)))
    if found is None:
        raise Missing
    return found


def candidates(actor: Actor, post: Post) -> list[Candidate]:
    """The people of her teams for a post of `post_led()`: who fits, the fairest first, then the others."""
    return finding.among([post], _own(actor), now())[post.id]


def assign(actor: Actor, post_id: int, volunteer_id: str) -> Done:
    """One of her own people, whom the notice tells; others are invited."""
    return rearranging.assign(post_led(actor, post_id), _member(actor, volunteer_id), by=actor, way=Way.LEADER)


def move(actor: Actor, signup_id: str, post_id: int) -> Done:
    signup = signups.signup_led(actor, signup_id)
    return rearranging.move(signup, post_led(actor, post_id), by=actor, way=Way.LEADER)


def swap(actor: Actor, signup_id: str, other_id: str) -> Done:
    one, other = signups.signup_led(actor, signup_id), signups.signup_led(actor, other_id)
    return rearranging.swap(one, other, by=actor, way=Way.LEADER)


def remove(actor: Actor, signup_id: str, *, reason: str) -> Done:
    """What takes it back is offered only for one of her own people: she puts nobody else on a shift."""
    signup = signups.signup_led(actor, signup_id)
    done = rearranging.remove(signup, by=actor, reason=reason)
    return _taken_back(actor, signup.volunteer_id, done)


def give(actor: Actor, signup_id: str, volunteer_id: str) -> Done:
    """Somebody's shift to one of her own people; taken back, likewise, only towards one of them."""
    signup, volunteer = signups.signup_led(actor, signup_id), _member(actor, volunteer_id)
    giver = signup.volunteer_id
    return _taken_back(actor, giver, rearranging.give(signup, volunteer, by=actor, way=Way.LEADER))


def takers(actor: Actor, shown: Week, signup: Signup) -> list[Line]:
    """Her own people to whom a shift may be given, who has the least of the week first."""
    own = set(db.session.scalars(sa.select(Volunteer.id).where(_own(actor))))
    lines = [one for one in shown.people if one.id in own and one.id != signup.volunteer_id]
    return sorted(lines, key=lambda one: one.minutes)


def _taken_back(actor: Actor, whose: int, done: Done) -> Done:
    query = sa.select(Volunteer.id).where(_own(actor), Volunteer.id == whose)
    return done if db.session.scalar(query) is not None else Done(done.words, {})
