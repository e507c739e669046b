"""The demonstration street is what its command promises."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.areas.models import Area, AreaKind, Building, Dwelling, Settlement
from portal.catalogue.models.applications import Application, ApplicationChannel
from portal.catalogue.models.appointments import Appointment, AppointmentState, Rating
from portal.core import calendar, sheets
from portal.core.access import Platform
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.outbox import OutboxRow
from portal.demo.accounts import Shown
from portal.demo.load import load_demo
from portal.identity import passwords
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import Role
from portal.meals.models import Canteen, MealOrder, Menu, OrderState, SubsidyRule
from portal.registry.models import Household, Person, Relation, RestrictedKind, RestrictedTag

REGISTER = Path(__file__).resolve().parents[1] / "data" / "居民登记表-春风里社区.xlsx"


@pytest.fixture
def street(app: Flask, demonstration: list[Shown]):
    with app.app_context():
        yield demonstration


def _count(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_three_communities_one_of_them_a_village_hold_about_6000_people(street):
    communities = list(db.session.scalars(sa.select(Area).where(Area.kind == AreaKind.COMMUNITY)))
    assert [area.settlement for area in communities].count(Settlement.VILLAGE) == 1
    assert len(communities) == 3
    assert 5900 < _count(Person) < 6100


def test_each_canteen_has_a_fortnight_of_menus(street):
    monday = today() - timedelta(days=today().weekday())
    for canteen in db.session.scalars(sa.select(Canteen).order_by(Canteen.id)):
        days = set(db.session.scalars(sa.select(Menu.day).where(Menu.canteen_id == canteen.id)))
        assert len(days) >= 7
        assert min(days) >= monday
        assert max(days) < monday + timedelta(days=14)


def test_every_role_has_an_account_that_signs_in_with_the_printed_password(street):
    assert set(db.session.scalars(sa.select(RoleGrant.role))) == set(Role)
    printed = {shown.name: shown.password for shown in street}
    for account in db.session.scalars(sa.select(Account)):
        password = printed[account.username or account.phone or ""]
        if account.username in {"worker", None}:
            assert passwords.matches(password, account.password_hash, account.platform)


def test_the_five_cities_rules_are_loaded(street):
    assert len(set(db.session.scalars(sa.select(SubsidyRule.scheme)))) == 5


def test_orders_wait_for_tomorrow_and_nobody_is_told_of_them(street):
    tomorrow = sa.select(MealOrder).where(MealOrder.day == today() + timedelta(days=1))
    assert {order.state for order in db.session.scalars(tomorrow)} <= {OrderState.BOOKED}
    assert _count(OutboxRow) == 0


def test_what_was_served_is_rated_by_some_and_nothing_of_it_lies_ahead(street):
    over = Appointment.state.in_((AppointmentState.SERVED, AppointmentState.NO_SHOW))
    found = list(db.session.scalars(sa.select(Appointment).where(over)))
    rated = [one for one in found if one.rating is not None]
    assert 0.3 < len(rated) / len(found) < 0.7
    assert set(Rating) == {one.rating for one in rated}
    assert all(one.ends_at <= one.rated_at <= now() for one in rated)
    assert all(one.rating_words for one in rated if one.rating is Rating.DISSATISFIED)
    assert all(one.ends_at <= now() for one in found)


def test_no_number_of_the_demonstration_stands_in_the_sample_register(street):
    numbers = set(db.session.scalars(sa.select(Person.id_number)))
    rows = sheets.open_sheet(REGISTER.read_bytes(), REGISTER.name).rows
    assert not numbers & {row[2].strip().upper() for row in rows if len(row) > 2}


def test_a_second_load_changes_nothing(street, app: Flask):
    before = (_count(Person), _count(MealOrder))
    db.session.rollback()
    assert load_demo(app) == street
    assert (_count(Person), _count(MealOrder)) == before


def test_every_building_has_its_grid_and_its_people_belong_to_it(street):
    assert not list(db.session.scalars(sa.select(Building.name).where(Building.grid_id.is_(None))))
    home = sa.select(Person).join(Person.household).join(Household.dwelling).join(Dwelling.building)
    assert not list(
        db.session.scalars(home.where(sa.or_(Person.grid_id.is_(None), Person.grid_id != Building.grid_id)))
    )
    grids = db.session.scalars(sa.select(Area.id).where(Area.kind == AreaKind.GRID))
    assert set(grids) == set(db.session.scalars(sa.select(Person.grid_id)))


def test_the_named_accounts_are_met_once_and_in_their_own_homes(street):
    workers = sa.select(Account.name).where(Account.platform == Platform.DESK)
    assert not list(db.session.scalars(sa.select(Person.name).where(Person.name.in_(workers)))), "in a stranger's home"
    for name in ("王秀英", "李小红"):
        person = db.session.scalars(sa.select(Person).where(Person.name == name)).one()
        assert person.relation is Relation.HEAD
        assert list(db.session.scalars(sa.select(Person).where(Person.household_id == person.household_id))) == [person]
    assert not list(db.session.scalars(sa.select(Person.name).where(Person.relation == Relation.OTHER)))


def test_the_case_worker_has_cases_of_every_kind(street):
    found = {tag.means for tag in db.session.scalars(sa.select(RestrictedTag))}
    assert found == set(RestrictedKind)


def test_some_applications_were_filed_online_and_their_days_follow_one_another(street):
    found = list(db.session.scalars(sa.select(Application).order_by(Application.id)))
    online = [one for one in found if one.channel is not ApplicationChannel.COUNTER]
    assert len(online) >= 2
    assert {one.channel for one in online} == {ApplicationChannel.SELF, ApplicationChannel.AGENT}
    for one in found:
        steps = [step.at for step in one.steps]
        assert steps == sorted(steps), one.item.title
        assert steps[-1] < now(), one.item.title
        assert one.placed_at < steps[0]
        assert one.accepted_at is None or one.accepted_at > one.submitted_at
        assert one.decided_at is None or one.decided_at > one.accepted_at
        if one.item.title == "高龄津贴":
            assert today().year - one.person.birth_date.year >= 80


def test_an_application_is_due_on_a_working_day(street):
    due = set(db.session.scalars(sa.select(Application.due_on).where(Application.due_on.is_not(None))))
    assert min(due) < today()
    assert [day for day in due if not calendar.is_working_day(day)] == []
