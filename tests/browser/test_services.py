"""A service booked on a phone by a daughter for her mother: in both views, with and without JavaScript."""

import pytest
from flask import Flask

from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.core.db import db
from portal.places.models import Capacity
from tests.browser.conftest import Open, Reader
from tests.catalogue.bookings import a_slot, an_agent
from tests.catalogue.tables import an_item
from tests.make import Make

pytestmark = pytest.mark.browser
VIEWS = [
    pytest.param("1", True, id="standard"),
    pytest.param("1.3", True, id="elder"),
    pytest.param("1.3", False, id="elder-without-scripts"),
]


def _taken(slot: Slot) -> int:
    db.session.rollback()
    return db.session.get_one(Capacity, slot.capacity_id, populate_existing=True).taken


def _daughter(make: Make, app: Flask, phone: Reader) -> Reader:
    """A daughter who may book for her mother, signed in on her phone."""
    mother = make.person("王秀英")
    account = an_agent(make, mother, make.person("李小红"))
    return phone.carry(app.test_client().sign_in(account))  # type: ignore[attr-defined]


def _found(phone: Reader, item: Item) -> None:
    """From the first page of the services, by a word of everyday."""
    phone.go("/services/")
    phone.page.get_by_role("searchbox").first.fill("看牙")
    phone.page.get_by_role("searchbox").first.press("Enter")
    phone.look()
    phone.press(item.title)
    assert phone.reads("谁能办")


@pytest.mark.both_databases
@pytest.mark.parametrize(("scale", "scripts"), VIEWS)
def test_a_daughter_books_for_her_mother_shows_the_code_and_cancels(
    make: Make, app: Flask, reader: Open, scale: str, scripts: bool
):
    item = an_item(make)
    slot = a_slot(make, item, places=2)
    phone = _daughter(make, app, reader(scale=scale, scripts=scripts))
    _found(phone, item)
    # Four taps from the service to the code: to book, for whom, the soonest, sure.
    for tap in ("我要预约", "给王秀英约", "约最早的", "确认预约"):
        phone.press(tap)
    assert phone.reads("王秀英")
    assert not phone.reads("李小红代约"), "she placed it herself"
    assert phone.page.locator("figure.qr svg").first.is_visible()
    assert len(phone.page.locator("#appointment-code").inner_text().replace(" ", "")) == 6
    assert _taken(slot) == 1
    phone.press("取消预约").press("确定取消")
    assert phone.reads("已取消")
    assert not phone.page.locator("#appointment-code").count()
    assert _taken(slot) == 0
    phone.go("/services/appointments")
    assert phone.reads(item.title)
    assert phone.reads("已取消")


@pytest.mark.parametrize(("scale", "scripts"), [VIEWS[1], VIEWS[2]])
def test_a_full_time_is_waited_for_and_left(make: Make, app: Flask, reader: Open, scale: str, scripts: bool):
    item = an_item(make)
    slot = a_slot(make, item, places=0)
    phone = _daughter(make, app, reader(scale=scale, scripts=scripts))
    phone.go(f"/services/{item.id}/book").press("给王秀英约")
    phone.page.get_by_text("已满，可候补").click()
    phone.look()
    phone.press("排队候补")
    assert phone.reads("排上了")
    phone.page.get_by_role("link", name=item.title).first.click()
    phone.look()
    assert phone.reads("排在第 1 位")
    phone.press("退出候补")
    if scripts:
        phone.page.get_by_role("dialog").get_by_role("button", name="确定").click()
        phone.page.get_by_text("已退出候补").first.wait_for()
        phone.look()
    assert phone.reads("已退出候补")
    assert _taken(slot) == 0
