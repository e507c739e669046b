"""Plans as tests make them: for the days after tomorrow, computed at once."""

from datetime import datetime, time, timedelta

import sqlalchemy as sa

from portal.areas.models import Area
from portal.core.access import Actor
from portal.core.clock import at, today
from portal.core.db import db, transaction
from portal.identity.models import Account
from portal.volunteers.models.plans import Plan
from portal.volunteers.service import plan_editing, planning
from portal.volunteers.service.planning import Wishes
from tests.acting import actor_of


def day(days=2):
    return today() + timedelta(days=days)


def clock_at(hour, days=2) -> datetime:
    return at(day(days), time(hour))


def wishes(**more):
    facts = {"first_day": day(), "last_day": day(8), "seconds": 10, "rest_minutes": 30, "day_minutes": 480}
    return Wishes(**facts | more)


def worker(make) -> Actor:
    known = db.session.scalar(sa.select(Account).order_by(Account.id))
    return actor_of(known or make.worker())


def planned(make, **said) -> Plan:
    """A plan that was computed: jobs run at once in tests."""
    by, community_id = worker(make), make.community().id
    with transaction():
        community = db.session.get_one(Area, community_id)
        plan_id = planning.start(community, wishes(**said), by=by).id
    db.session.expire_all()
    return db.session.get_one(Plan, plan_id)


def kept_lines(plan):
    return [(line.volunteer_id, line.post_id) for line in planning.lines_of(plan) if line.kept]


def applied(plan, make, agreed=()):
    by = worker(make)
    with transaction():
        return plan_editing.apply(db.session.get_one(Plan, plan.id), agreed=agreed, by=by)
