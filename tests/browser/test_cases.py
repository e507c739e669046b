"""A request as people live it: reported with a photograph on a phone, answered at the desk, called back in one tap."""

from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from portal.casework.models.cases import Case
from portal.casework.models.codes import CaseState, Satisfaction
from portal.core.db import db
from portal.identity.permissions import Role
from tests.browser.conftest import Open, Reader
from tests.casework.asked import Neighbour, Street, street, told
from tests.make import Make

pytestmark = pytest.mark.browser
WHAT = "单元门口的路灯不亮了，晚上看不清台阶"
ANSWER = "已更换灯头，连续三晚回看正常。"
VIEWS = [
    pytest.param("1", True, id="standard"),
    pytest.param("1.3", True, id="elder"),
    pytest.param("1", False, id="standard-without-scripts"),
    pytest.param("1.3", False, id="elder-without-scripts"),
]


def _photo() -> dict[str, str | bytes]:
    out = BytesIO()
    Image.new("RGB", (1200, 900), "grey").save(out, "JPEG")
    return {"name": "lamp.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def _only_case() -> Case:
    db.session.rollback()
    return db.session.scalars(sa.select(Case).execution_options(populate_existing=True)).one()


def _carried(app: Flask, reader: Reader, account: object) -> Reader:
    return reader.carry(app.test_client().sign_in(account))  # type: ignore[attr-defined]


def _next(phone: Reader) -> None:
    # The first of the name is there for Enter alone.
    phone.page.get_by_role("button", name="下一步").last.click()
    phone.look()


def _reported(phone: Reader, who: Neighbour) -> Case:
    """What, where, a photograph: the words choose the category, and its own questions come after."""
    phone.go("/cases/").press("我要反映")
    phone.fill("哪里不好了", WHAT)
    _next(phone)
    assert phone.page.get_by_label("属于哪一类").locator("option:checked").inner_text() == "路灯楼道灯"
    phone.page.get_by_text("这几天", exact=True).click()
    _next(phone)
    phone.press(f"就在我住的{who.building.name}")
    phone.fill("具体在哪里", "一单元门口")
    _next(phone)
    phone.page.locator("input[type=file]").set_input_files([_photo()])  # type: ignore[list-item]
    phone.press("提交")
    assert phone.reads("提交好了")
    return _only_case()


def _pictures_shown(phone: Reader) -> bool:
    """Every photograph of the page has come and can be drawn."""
    pictures = phone.page.locator("ul.photos img")
    for turn in range(pictures.count()):
        pictures.nth(turn).scroll_into_view_if_needed()
    drawn = "all => all.every(one => one.complete && one.naturalWidth > 0)"
    phone.page.wait_for_load_state("networkidle")
    return pictures.count() > 0 and bool(pictures.evaluate_all(drawn))


@pytest.mark.both_databases
@pytest.mark.parametrize(("scale", "scripts"), VIEWS)
def test_a_request_with_a_photo_is_reported_answered_and_called_back_in_one_tap(
    make: Make, app: Flask, reader: Open, scale: str, scripts: bool
):
    place = street(make)
    who = place.resident()
    phone = _carried(app, reader(scale=scale, scripts=scripts), who.account)
    case = _reported(phone, who)
    assert case.number
    assert phone.reads(case.number)
    phone.press("看进展")
    assert phone.reads(WHAT)
    if scripts:
        assert _pictures_shown(phone)
    place.answered(case, make.worker())
    phone.go("/cases/")
    assert phone.reads(case.number)
    phone.page.get_by_text(case.number).first.click()
    phone.look()
    assert phone.reads("这件事解决了吗")
    phone.press("基本满意")
    assert phone.reads("记下了")
    assert not phone.reads("这件事解决了吗")
    found = _only_case()
    assert (found.state, found.satisfaction) == (CaseState.CLOSED, Satisfaction.FAIR)


@pytest.mark.parametrize(("scale", "scripts"), [VIEWS[1], VIEWS[2]])
def test_a_worker_answers_on_a_phone_and_the_link_of_the_message_is_answered_without_signing_in(
    make: Make, app: Flask, reader: Open, scale: str, scripts: bool
):
    place: Street = street(make)
    who = place.resident()
    worker = make.worker(Role.CASE_WORKER, name="孙梅")
    case = place.moved(place.sent(who), CaseState.ACCEPTED, CaseState.ASSIGNED, by=worker)
    desk = _carried(app, reader(scale=scale, scripts=scripts), worker)
    desk.go("/desk/cases/").press(case.title)
    for tap in ("签收", "开始办理", "答复"):
        desk.press(tap)
    desk.page.get_by_label("答复", exact=False).last.fill(ANSWER)
    desk.page.locator("main form[method=post] button[type=submit]").last.click()
    desk.look()
    assert _only_case().state is CaseState.ANSWERED
    visitor = reader(scale=scale, scripts=scripts)
    visitor.go(str(told("casework.answered")[-1].facts["path"]))
    # Whoever holds the link learns no more than it takes to answer.
    assert case.number
    assert visitor.reads(case.number)
    assert not visitor.reads("王秀英")
    visitor.press("没解决")
    found = _only_case()
    assert (found.state, found.solved, found.redos) == (CaseState.REDO, False, 1)
    visitor.page.go_back()
    assert visitor.page.reload().status == 410  # type: ignore[union-attr]
