"""What is past its keeping goes, for as many days as the setting says, and the audit says how much went."""

import re
from datetime import timedelta

import sqlalchemy as sa

from portal.audit import labels
from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.home import jobs
from portal.home.service.capabilities import CAPABILITIES
from portal.identity.permissions import Role
from portal.meals.models import MealOrder, Menu


def aged(make, days):
    """An order of a meal so many days ago."""
    order = make.order(make.menu(), make.person())
    with transaction() as session:
        session.execute(sa.update(MealOrder).values(day=today() - timedelta(days=days)))
        session.execute(sa.update(Menu).values(day=today() - timedelta(days=days)))
    return order


def orders_left():
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(MealOrder.id)))


def test_an_order_goes_the_day_after_its_keeping_and_the_audit_counts_it(make):
    with transaction():
        settings.put("meals.orders_kept_days", 100, valid_from=today(), by="test")
    aged(make, 100)
    jobs.purge()
    assert orders_left() == 1
    with transaction() as session:
        session.execute(sa.update(MealOrder).values(day=today() - timedelta(days=101)))
    jobs.purge()
    assert orders_left() == 0
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "home.purged")).one()
    assert (row.facts["capability"], row.facts["count"], row.at <= now()) == ("meals", 1, True)


def test_an_auditor_reads_in_words_what_the_night_forgot(make, client):
    with transaction():
        settings.put("meals.orders_kept_days", 100, valid_from=today(), by="test")
    aged(make, 101)
    jobs.purge()
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "home.purged")).one()
    page = client.sign_in(make.worker(Role.AUDITOR)).get(f"/desk/audit/{row.id}").text
    told = dict(re.findall(r"<dt>(.*?)</dt>\s*<dd>\s*(.*?)\s*</dd>", page))
    assert (told["业务"], told["之前"], told["数量"]) == ("助餐", str(today() - timedelta(days=100)), "1")


def test_what_each_capability_forgot_has_a_word(app):
    with app.test_request_context():
        for capability in CAPABILITIES:
            assert labels.told(capability.name, "capability") != capability.name


def test_a_night_with_nothing_to_forget_leaves_no_row(make):
    jobs.purge()
    assert db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "home.purged")).all() == []


def test_every_capability_has_its_five_doors_and_its_keeping(make):
    for capability in CAPABILITIES:
        assert settings.get(capability.kept) > 0
        for door in ("todo_of", "timeline", "hand_over", "export", "purge"):
            assert callable(getattr(capability.doors, door))
