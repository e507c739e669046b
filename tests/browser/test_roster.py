"""The volunteers' roster in a browser: arranged with the mouse, with the keyboard alone, and without JavaScript."""

from datetime import time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clock import at, today
from portal.core.db import db
from portal.volunteers.models.codes import HOLDS
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import held as times
from tests.browser.conftest import Open
from tests.client import Client
from tests.helping import Helping
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]


def _monday():
    return today() - timedelta(days=today().weekday()) + timedelta(days=7)


class Stand:
    """Two shifts of next week with one place each and one more free, 王芳 on the first and 李强 on the second."""

    def __init__(self, make: Make, app: Flask) -> None:
        self.helping = Helping(make)
        self.posts = [self._post(day, hour) for day, hour in ((0, 9), (2, 9), (2, 14))]
        self.names = ["王芳", "李强", "周明"]
        self.volunteers = [self.helping.volunteer(make.person(name)) for name in self.names]
        for post, volunteer in zip(self.posts, self.volunteers[:2], strict=False):
            times.hold(self.helping.signup(post, volunteer))
        db.session.commit()
        self.client: Client = app.test_client().sign_in(make.worker())
        self.path = f"/desk/volunteers/roster?week={_monday().isoformat()}"

    def _post(self, day: int, hour: int):
        starts_at = at(_monday() + timedelta(days=day), time(hour))
        activity = self.helping.activity(f"送餐{day}{hour}", positions=[self.helping.position("送餐员", needs=1)])
        return self.helping.shift(activity, starts_at).posts[0]

    def on(self) -> list[str]:
        """Who is on each post, by name."""
        db.session.rollback()
        query = sa.select(Signup.post_id, Signup.volunteer_id).where(Signup.state.in_(HOLDS)).order_by(Signup.id)
        held = {row[0]: row[1] for row in db.session.execute(query)}
        known = {one.id: name for one, name in zip(self.volunteers, self.names, strict=True)}
        return [known.get(held.get(post.id, 0), "") for post in self.posts]

    def name(self, reader, who: str):
        return reader.page.locator(".week .name", has_text=who)

    def post(self, reader, at_post: int):
        return reader.page.locator(f'[data-post="{self.posts[at_post].id}"]')


def _settled(reader) -> None:
    reader.page.locator(".roster-done, .roster .error-summary").wait_for()
    reader.page.locator(".htmx-request, .htmx-settling, .htmx-swapping").first.wait_for(state="detached")


def _focused(reader, who: str) -> None:
    """The name that was put somewhere has the focus again."""
    reader.page.locator(f'.name:focus:has-text("{who}")').wait_for()


def _drag(reader, source, target) -> None:
    """As a hand does it: the answer to the last act is waited for by its words going away."""
    reader.page.evaluate(
        "document.querySelectorAll('.roster-done, .roster .error-summary').forEach(one => one.remove())"
    )
    source.scroll_into_view_if_needed()
    box, to = source.bounding_box(), target.bounding_box()
    reader.page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 40, box["y"] + 30, steps=3)
    reader.page.mouse.move(to["x"] + 16, to["y"] + 12, steps=6)
    reader.page.mouse.up()
    _settled(reader)


def _take_back(reader) -> None:
    """Press the button of the last act; its own words come in the place of those."""
    reader.page.evaluate("document.querySelector('.roster-done').dataset.old = '1'")
    reader.page.get_by_role("button", name="撤销").click()
    reader.page.locator(".roster-done:not([data-old])").wait_for()


def _touch(reader, source, target, aimed: str) -> None:
    """A finger that rests on the one and is lifted over the other."""
    source.scroll_into_view_if_needed()
    box, to = source.bounding_box(), target.bounding_box()
    touch = reader.context.new_cdp_session(reader.page)
    here, there = {"x": box["x"] + 15, "y": box["y"] + 15}, {"x": to["x"] + 30, "y": to["y"] + 15}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [here]})
    reader.page.locator(".ghost").wait_for()
    touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [there]})
    reader.page.locator(aimed).wait_for()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    _settled(reader)


def _keys(reader, *keys: str) -> None:
    for key in keys:
        reader.page.keyboard.press(key)


@pytest.mark.parametrize(("desk", "scale"), [(True, "1"), (False, "1"), (True, "1.3"), (False, "1.3")])
def test_the_pages_of_the_roster_fit_their_screens_and_read_well(make, app: Flask, reader: Open, desk, scale):
    stand = Stand(make, app)
    worker = reader(desk=desk, scale=scale).carry(stand.client)
    signup = db.session.scalars(sa.select(Signup).order_by(Signup.id)).first()
    pages = ("", "/files", "/message", f"/places/{signup.public_id}", f"/posts/{stand.posts[2].id}")
    for page in pages:
        worker.go(stand.path.replace("roster?", f"roster{page}?"))
    worker.go(f"{stand.path}&view=people")


def test_a_roster_is_arranged_with_the_mouse(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(stand.path)
    _drag(worker, stand.name(worker, "王芳"), stand.post(worker, 2))
    assert stand.on() == ["", "李强", "王芳"]
    _drag(worker, stand.name(worker, "王芳"), stand.name(worker, "李强"))
    assert stand.on() == ["", "王芳", "李强"]
    worker.page.locator(".roster-tray > summary").click()
    _drag(worker, worker.page.locator(".roster-tray .name", has_text="周明"), stand.post(worker, 0))
    assert stand.on() == ["周明", "王芳", "李强"]
    assert worker.page.locator(".roster-tray[open]").count() == 1
    worker.page.locator(".roster-tray > summary").click()
    _drag(worker, stand.name(worker, "周明"), stand.post(worker, 1))
    assert worker.reads("排班没有变")
    assert stand.on() == ["周明", "王芳", "李强"]
    worker.look()


def _turn(reader, who: str):
    return reader.page.locator(f'tr:has(th:has-text("{who}")) .turn')


def test_people_by_days_are_arranged_with_the_mouse(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(f"{stand.path}&view=people")
    _drag(worker, _turn(worker, "王芳"), stand.post(worker, 2))
    assert stand.on() == ["", "李强", "王芳"]
    _drag(worker, _turn(worker, "王芳"), _turn(worker, "李强"))
    assert stand.on() == ["", "王芳", "李强"]
    _drag(worker, worker.page.locator("th .name", has_text="周明"), stand.post(worker, 0))
    assert stand.on() == ["周明", "王芳", "李强"]
    assert worker.page.locator(".open-posts").count() == 0, "nothing is open any more"
    worker.look()
    _take_back(worker)
    assert stand.on() == ["", "王芳", "李强"]
    assert "view=people" in worker.page.url


def test_a_shift_dropped_on_somebody_elses_row_is_given_to_her(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(f"{stand.path}&view=people")
    _drag(worker, _turn(worker, "王芳"), worker.page.locator("tr", has=worker.page.get_by_text("周明")).locator("th"))
    assert stand.on() == ["周明", "李强", ""]
    worker.look()
    _take_back(worker)
    assert stand.on() == ["王芳", "李强", ""]


def test_a_shift_dropped_on_a_name_of_the_tray_is_given_to_her(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(stand.path)
    worker.page.locator(".roster-tray > summary").click()
    _drag(worker, stand.name(worker, "王芳"), worker.page.locator(".roster-tray .name", has_text="周明"))
    assert stand.on() == ["周明", "李强", ""]
    _take_back(worker)
    assert stand.on() == ["王芳", "李强", ""]


def test_a_shift_is_given_to_somebody_without_javascript(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True, scripts=False).carry(stand.client).go(f"{stand.path}&view=people")
    _turn(worker, "王芳").click()
    worker.page.get_by_label("交给谁").select_option(stand.volunteers[2].public_id)
    worker.press("交过去")
    assert stand.on() == ["周明", "李强", ""]


def test_people_by_days_are_arranged_with_the_keyboard_alone(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(f"{stand.path}&view=people")
    said = worker.page.locator("#roster-said")
    _turn(worker, "王芳").focus()
    _keys(worker, "Enter", "ArrowRight")
    assert "李强" in said.inner_text()
    _keys(worker, "ArrowUp")
    assert "14:00" in said.inner_text()
    _keys(worker, "Enter")
    _settled(worker)
    assert stand.on() == ["", "李强", "王芳"]
    worker.page.locator(".turn:focus").wait_for()
    _keys(worker, "Space")
    worker.page.get_by_text("从这一班调出").wait_for()


def test_people_by_days_are_arranged_without_javascript(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True, scripts=False).carry(stand.client).go(f"{stand.path}&view=people")
    _turn(worker, "王芳").click()
    worker.page.get_by_label("移到").select_option(str(stand.posts[2].id))
    worker.press("移过去")
    assert stand.on() == ["", "李强", "王芳"]
    stand.post(worker, 0).click()
    worker.page.get_by_role("row", name="周明").get_by_role("button", name="安排").click()
    assert stand.on() == ["周明", "李强", "王芳"]


def test_people_by_days_are_arranged_with_a_finger_that_rests_first(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=False).carry(stand.client).go(f"{stand.path}&view=people")
    _touch(worker, _turn(worker, "李强"), stand.post(worker, 2), ".open-post.target")
    assert stand.on() == ["王芳", "", "李强"]


def test_what_was_done_is_taken_back_by_its_button(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(stand.path)
    _drag(worker, stand.name(worker, "王芳"), stand.post(worker, 2))
    _take_back(worker)
    assert stand.on() == ["王芳", "李强", ""]


def test_a_roster_is_arranged_with_the_keyboard_alone(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(stand.path)
    said = worker.page.locator("#roster-said")
    stand.name(worker, "王芳").focus()
    _keys(worker, "Enter")
    assert "拿起了 王芳" in said.inner_text()
    _keys(worker, "Escape")
    assert "王芳没有动" in said.inner_text()
    assert stand.on() == ["王芳", "李强", ""]
    # To the day after next, whose first post is above: down past the name on it to the free one.
    _keys(worker, "Enter", "ArrowRight", "ArrowDown", "ArrowDown")
    assert "14:00" in said.inner_text()
    _keys(worker, "Enter")
    _settled(worker)
    assert stand.on() == ["", "李强", "王芳"]
    _focused(worker, "王芳")
    _keys(worker, "Enter", "ArrowUp")
    assert "李强" in said.inner_text()
    worker.page.evaluate("document.querySelector('.roster-done').remove()")
    _keys(worker, "Enter")
    _settled(worker)
    assert stand.on() == ["", "王芳", "李强"]
    _focused(worker, "王芳")
    _keys(worker, "Space")
    worker.page.get_by_text("从这一班调出").wait_for()


def test_what_was_done_by_keys_is_taken_back_by_keys_from_where_the_hand_is(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client).go(stand.path)
    stand.name(worker, "王芳").focus()
    _keys(worker, "Enter", "ArrowRight", "ArrowDown", "ArrowDown", "Enter")
    _settled(worker)
    _focused(worker, "王芳")
    assert stand.on() == ["", "李强", "王芳"]
    worker.page.evaluate("document.querySelector('.roster-done').dataset.old = '1'")
    _keys(worker, "Control+z")
    worker.page.locator(".roster-done:not([data-old])").wait_for()
    assert stand.on() == ["王芳", "李强", ""]
    _focused(worker, "王芳")


def test_a_roster_is_arranged_without_javascript(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=True, scripts=False).carry(stand.client).go(stand.path)
    stand.name(worker, "王芳").click()
    worker.page.get_by_label("移到").select_option(str(stand.posts[2].id))
    worker.press("移过去")
    assert stand.on() == ["", "李强", "王芳"]
    worker.press("撤销")
    assert stand.on() == ["王芳", "李强", ""]
    stand.name(worker, "王芳").click()
    worker.press("对调")
    assert stand.on() == ["李强", "王芳", ""]
    worker.page.get_by_role("link", name="给送餐员找人").first.click()
    worker.look()
    worker.page.get_by_role("row", name="周明").get_by_role("button", name="安排").click()
    assert stand.on() == ["李强", "王芳", "周明"]
    stand.name(worker, "周明").click()
    worker.fill("原因", "改期了").press("调出")
    assert stand.on() == ["李强", "王芳", ""]


def test_a_roster_is_arranged_with_a_finger_that_rests_first(make: Make, app: Flask, reader: Open):
    stand = Stand(make, app)
    worker = reader(desk=False).carry(stand.client).go(stand.path)
    _touch(worker, stand.name(worker, "李强"), stand.post(worker, 2), ".post.target")
    assert stand.on() == ["王芳", "", "李强"]


@pytest.mark.parametrize("view", ["", "people"])
def test_the_paper_of_a_week_is_one_lying_sheet(make: Make, app: Flask, reader: Open, view):
    stand = Stand(make, app)
    worker = reader(desk=True).carry(stand.client)
    for size, width in (("A4", 842), ("A3", 1191)):
        worker.go(stand.path.replace("roster?", f"roster/files?view={view}&"))
        worker.press(f"{'按人' if view else '按班次'} {size}")
        printed = worker.page.pdf(prefer_css_page_size=True)
        assert printed.count(b"/Type /Page\n") == 1
        assert any(f"/MediaBox [0 0 {number}".encode() in printed for number in (width, width - 1))
