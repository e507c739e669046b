"""A meeting run on a desk: people sign in by the wall's code, matters, a motion with its hands, minutes, the report."""

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
from portal.deliberation.models.codes import MeetingState, Part, Stage
from portal.deliberation.models.meetings import Attendee, Meeting, Motion
from portal.identity.permissions import Role
from tests.browser.conftest import Open, Reader
from tests.deliberating import Deliberating
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]


class Room:
    """A meeting that begins in twenty minutes, who runs it, and a resident who has signed up."""

    def __init__(self, make: Make, app: Flask) -> None:
        self.make, self.app = make, app
        deliberating = Deliberating(make)
        topic = deliberating.topic("6 号楼要不要加装电梯", stage=Stage.MEETING)
        soon = now().replace(second=0, microsecond=0) + timedelta(minutes=20)
        self.meeting = deliberating.meeting(topic, starts_at=soon, title="电梯协商会", quorum=1, entitled=2)
        self.person = make.person()
        one = {"part": Part.MEMBER, "counts": True, "shown_as": "family"}
        make.add(Attendee(meeting_id=self.meeting.id, person_id=self.person.id, **one))

    def desk(self, reader: Reader) -> Reader:
        account = self.make.worker(Role.COMMITTEE_MEMBER)
        return reader.carry(self.app.test_client().sign_in(account))  # type: ignore[attr-defined]

    def phone(self, reader: Reader) -> Reader:
        account = self.make.resident(self.person)
        return reader.carry(self.app.test_client().sign_in(account))  # type: ignore[attr-defined]

    def read(self) -> Meeting:
        db.session.rollback()
        found: Meeting = db.session.get_one(Meeting, self.meeting.id)
        db.session.refresh(found)
        return found


def _scanned(wall: Reader) -> str:
    """What a camera reads off the screen on the wall."""
    picture = Image.open(io.BytesIO(wall.page.locator("svg.qr").first.screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    return urlsplit(found.text).path


@pytest.mark.parametrize(
    ("desk", "scale", "scripts"),
    [
        pytest.param(True, "1", True, id="desk"),
        pytest.param(False, "1.3", True, id="phone-elder"),
        pytest.param(True, "1", False, id="desk-without-scripts"),
    ],
)
def test_a_meeting_is_run_on_a_desk(make: Make, app: Flask, reader: Open, desk: bool, scale: str, scripts: bool):
    room = Room(make, app)
    chair = room.desk(reader(desk=desk, scale=scale, scripts=scripts))
    address = f"/desk/deliberation/meetings/{room.meeting.id}"
    chair.go(f"{address}/code")
    phone = room.phone(reader(scale="1.3", scripts=scripts))
    phone.go(_scanned(chair)).press("确认签到")
    assert phone.reads("签到成功")
    chair.go(f"{address}/run").press("开始会议")
    chair.press("开始这项")
    assert chair.reads("还剩 20 分钟")
    chair.page.get_by_label("动议", exact=True).fill("同意加装电梯")
    chair.press("提出动议")
    chair.page.get_by_role("link", name="登记“同意加装电梯”的举手").click()
    chair.look().fill("同意", "1").press("登记结果")
    assert db.session.scalars(sa.select(Motion.result)).one() is True
    _minutes(room, chair, address, scripts=scripts)
    _to_report(chair, address, scripts=scripts)
    assert room.read().state is MeetingState.REPORTED
    phone.go(f"/deliberation/meetings/{room.meeting.id}")
    assert phone.reads("王女士")
    assert phone.reads("大家都愿意装")


def _to_report(chair: Reader, address: str, *, scripts: bool) -> None:
    chair.go(f"{address}/run")
    chair.page.get_by_role("button", name="散会").click()
    if scripts:
        chair.page.locator("#confirm-dialog").get_by_role("button", name="确定").click()
    chair.page.get_by_text("已经散会").wait_for()
    chair.go(f"{address}/report").press("公布")


def _minutes(room: Room, chair: Reader, address: str, *, scripts: bool) -> None:
    """They save themselves while she writes; without scripts by the button."""
    chair.go(f"{address}/minutes").fill("纪要", "大家都愿意装。")
    if not scripts:
        chair.press("保存")
    else:
        chair.page.get_by_label("纪要").first.press("End")
        chair.page.get_by_text("已保存第 1 版").wait_for(timeout=15_000)
        chair.look(axe=False)
    assert room.read().minutes == "大家都愿意装。"
