"""Loading the demonstration into an empty database."""

from datetime import date, timedelta

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import audit, calendar, outbox
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.demo import (
    accounts,
    applications,
    appointments,
    canteens,
    cases,
    deliberation_casting,
    deliberation_ideas,
    deliberation_map,
    deliberation_meetings,
    deliberation_opinions,
    deliberation_outcomes,
    deliberation_past,
    deliberation_rolls,
    deliberation_topics,
    deliberation_votes,
    duty,
    orders,
    resources,
    rooms,
    schemes,
    services,
    street,
    visits,
    volunteer_activities,
    volunteer_attendance,
    volunteer_points,
    volunteer_records,
    volunteer_signups,
    volunteers,
)
from portal.demo.accounts import Shown
from portal.meals.models import Canteen, SubsidyRule
from portal.meals.service import settlement


def is_empty(app: Flask) -> bool:
    """Whether the database holds no street yet."""
    with app.app_context():
        return db.session.scalar(sa.select(Area.id).limit(1)) is None


def load_demo(app: Flask) -> list[Shown]:
    """Load the street if the database holds none, all or nothing; return the accounts to print."""
    with app.app_context():
        if is_empty(app):
            _load()
        return accounts.shown(list(db.session.scalars(sa.select(Canteen).order_by(Canteen.id))))


def _load() -> None:
    with transaction() as session:
        day = today()
        for year in (day.year, day.year + 1):
            calendar.fill(year)
        session.flush()
        areas = street.build_areas(session)
        street.build_people(session, areas)
        made = canteens.build_canteens(session, areas)
        for canteen in made:
            canteens.build_menus(session, canteen, day - timedelta(days=day.weekday()))
        accounts.build_desk(session, made)
        accounts.build_family(session, areas["999901001001"])
        street.furnish(session)
        street.build_cases(session)
        session.add_all(_schemes())
        resources.build_resources(session, areas)
        services.build_services(session, areas, street.STREET[0])
        duty.build_duty(session, areas)
        duty.build_announcements(session, areas)
        session.flush()
        volunteers.build_volunteers(session, areas)
        volunteer_activities.build_activities(session, areas)
        volunteer_signups.build_signups(session)
        volunteer_attendance.build_attendance(session)
        _happen(session, day)
        # Nobody is to be told of orders that nobody placed.
        session.execute(sa.delete(outbox.OutboxRow))
        audit.record("demo.loaded")


def _happen(session: Session, day: date) -> None:
    """What people did: visits, orders, appointments."""
    # Thousands of loaded rows would be looked through at every flush of an order.
    session.expunge_all()
    visits.build_visits(session, street.STREET[0], day)
    session.expunge_all()
    orders.build_orders(session, list(session.scalars(sa.select(Canteen).order_by(Canteen.id))), day)
    session.flush()
    session.expunge_all()
    appointments.build_appointments(session, "999901001001")
    community = session.scalars(sa.select(Area).where(Area.code == "999901001001")).one()
    rooms.build_rooms(session, community)
    applications.build_applications(session, community)
    session.expunge_all()
    volunteer_records.build_records(session, session.get_one(Area, community.id))
    session.expunge_all()
    volunteer_points.build_points(session, session.get_one(Area, community.id))
    session.expunge_all()
    cases.build_requests(session, street.STREET[0], day)
    session.expunge_all()
    _deliberate(session, community.id, day)
    for menu_id in settlement.due(now()):
        settlement.settle(menu_id)


def _deliberate(session: Session, community_id: int, day: date) -> None:
    """What is talked over and decided."""
    deliberation_rolls.build_rolls(session, session.get_one(Area, community_id), day)
    deliberation_topics.build_topics(session, deliberation_topics.areas_of(session), day)
    deliberation_ideas.build_ideas(session, session.get_one(Area, community_id), day)
    session.flush()
    deliberation_votes.build_votes(session, session.get_one(Area, community_id))
    session.expunge_all()
    deliberation_opinions.build_opinions(session, session.get_one(Area, community_id))
    session.expunge_all()
    deliberation_map.build_map(session, session.get_one(Area, community_id), day)
    session.expunge_all()
    deliberation_meetings.build_meetings(session, session.get_one(Area, community_id), day)
    session.expunge_all()
    deliberation_past.build_past(session, session.get_one(Area, community_id), day)
    session.expunge_all()
    deliberation_casting.build_votes(session, session.get_one(Area, community_id), day)
    session.expunge_all()
    deliberation_outcomes.build_outcomes(session, session.get_one(Area, community_id), day)


def _schemes() -> list[SubsidyRule]:
    """Three communities live by three cities' rules; two more are loaded for places that the street does not have."""
    return schemes.schemes(
        beijing_at="999901900",
        shenzhen_at="999901001001",
        zhuhai_at="999901001002",
        hefei_at="999901901",
        zhixi_at="999901001203",
        registered=street.STREET[0],
    )
