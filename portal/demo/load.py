"""Loading the demonstration into an empty database."""

from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from portal.areas.models import Area
from portal.core import audit, calendar
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.demo import accounts, canteens, street
from portal.demo.accounts import Shown
from portal.meals.models import Canteen


def load_demo(app: Flask) -> list[Shown]:
    """Load the street if the database holds none, all or nothing; return the accounts to print."""
    with app.app_context():
        if db.session.scalar(sa.select(Area.id).limit(1)) is None:
            db.session.rollback()
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
        audit.record("demo.loaded")
