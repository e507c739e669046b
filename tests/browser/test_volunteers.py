"""A volunteer with a phone: signs up for a shift, and checks in by the code that the leader's phone shows."""

import io
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
import zxingcpp
from flask import Flask
from PIL import Image

from portal.core.clock import now
from portal.core.db import db
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from tests.browser.conftest import Open, Reader
from tests.helping import Helping
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]


class Stand:
    """A shift that begins in about twenty minutes, its leader, and somebody who may sign up until it begins."""

    def __init__(self, make: Make, app: Flask) -> None:
        self.app, self.make = app, make
        helping = Helping(make)
        self.leader, self.hong = (self._volunteer(helping, name) for name in ("王大力", "李小红"))
        soon = now().replace(minute=now().minute // 5 * 5, second=0, microsecond=0) + timedelta(minutes=20)
        activity = helping.activity("老人送餐", leader_id=self.leader.id)
        self.shift: Shift = helping.shift(activity, soon)
        self.activity = activity

    def _volunteer(self, helping: Helping, name: str) -> Volunteer:
        return helping.volunteer(self.make.person(name))

    def carry(self, phone: Reader, volunteer: Volunteer) -> Reader:
        account = self.make.resident(volunteer.person)
        return phone.carry(self.app.test_client().sign_in(account))  # type: ignore[attr-defined]

    def state(self) -> SignupState | None:
        db.session.rollback()
        return db.session.scalar(sa.select(Signup.state).where(Signup.volunteer_id == self.hong.id))


def _scanned(leader: Reader) -> str:
    """What a camera reads off the leader's screen: the path of an address of this portal."""
    picture = Image.open(io.BytesIO(leader.page.locator("svg.qr, .qr svg").first.screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    address = urlsplit(found.text)
    return f"{address.path}?{address.query}" if address.query else address.path


@pytest.mark.parametrize(
    ("scale", "scripts"),
    [
        pytest.param("1", True, id="standard"),
        pytest.param("1.3", True, id="elder"),
        pytest.param("1.3", False, id="elder-without-scripts"),
    ],
)
def test_she_signs_up_and_checks_in_by_the_leaders_code(
    make: Make, app: Flask, reader: Open, scale: str, scripts: bool
):
    stand = Stand(make, app)
    phone = stand.carry(reader(scale=scale, scripts=scripts), stand.hong)
    phone.go(f"/volunteers/activities/{stand.activity.public_id}").press("报名")
    phone.page.get_by_text("我看过活动内容、风险和保险，自愿参加").click()
    phone.press("确认报名")
    assert phone.reads("报上名了")
    assert stand.state() is SignupState.JOINED
    leader = stand.carry(reader(scale=scale, scripts=scripts), stand.leader)
    leader.go(f"/volunteers/lead/{stand.shift.public_id}").press("出示签到码")
    phone.go(_scanned(leader)).press("确认签到")
    assert phone.reads("签到成功")
    assert stand.state() is SignupState.PRESENT
    # The same code does nothing a second time.
    phone.go(_scanned(leader))
    assert not phone.page.get_by_role("button", name="确认签到").count()
