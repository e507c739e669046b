"""A care visit as a grid worker lives it: on a phone, at the door, with one hand, with and without JavaScript."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core.access import Platform
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.identity import passwords
from portal.identity.permissions import Role
from portal.registry.models import TagKind
from portal.visits.models import Referral, SafetyCheck, Visit, VisitState
from portal.visits.service import planning, recording, tables
from tests.browser.conftest import Open, Reader
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]
DESK_PASSWORD = "zhe shi yi ju hen chang de hua"
VIEWS = [
    pytest.param("1", True, id="standard"),
    pytest.param("1.3", True, id="elder"),
    pytest.param("1", False, id="standard-without-scripts"),
    pytest.param("1.3", False, id="elder-without-scripts"),
]


@pytest.fixture(scope="session")
def desk_hash() -> str:
    return passwords.hashed(DESK_PASSWORD, Platform.DESK)


def _at_the_door(make: Make, desk_hash: str) -> str:
    """A street with its tables, somebody on the list, her grid's worker: the name to sign in with."""
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid, name="王建国", password_hash=desk_hash)
    home = make.household()
    tags = [TagKind.LIVING_ALONE]
    make.person("王秀英", born=date(today().year - 85, 1, 1), tags=tags, grid=grid, household_id=home.id)
    monday = today() - timedelta(days=today().weekday())
    with transaction():
        tables.seed(make.street().code, by="何立新", since=monday)
    with transaction():
        planning.plan(make.community(), monday)
    return worker.username or ""


def _signed_in(reader: Open, name: str, scale: str, scripts: bool) -> Reader:
    phone = reader(scale=scale, scripts=scripts)
    phone.go("/desk/account/sign-in")
    return phone.fill("用户名", name).fill("密码", DESK_PASSWORD).press("登录")


def _choose(phone: Reader, group: str, answer: str) -> None:
    phone.page.get_by_role("group", name=group).get_by_text(answer, exact=True).click()


def _first_visit() -> Visit:
    db.session.rollback()
    return db.session.scalars(sa.select(Visit).order_by(Visit.due_on, Visit.id)).first() or Visit()


@pytest.mark.parametrize(("scale", "scripts"), VIEWS)
def test_a_visit_is_recorded_on_a_phone_and_a_break_in_the_middle_loses_nothing(
    make: Make, reader: Open, desk_hash: str, scale: str, scripts: bool
):
    phone = _signed_in(reader, _at_the_door(make, desk_hash), scale, scripts)
    phone.go("/desk/visits/?tab=all")
    assert phone.reads("王秀英")
    phone.press("记录")
    _choose(phone, "身体", "一般")
    phone.fill("其他要记的", "说膝盖疼")
    if scripts:
        phone.page.get_by_text("草稿已存").wait_for()
    else:
        phone.press("存草稿")
    # The telephone rings: she goes away and comes back later.
    phone.go("/desk/visits/?tab=all").press("接着记录")
    assert phone.page.get_by_label("其他要记的").input_value() == "说膝盖疼"
    phone.press("记录好了")
    assert phone.reads("请选有没有见到或接通")
    _choose(phone, "见到本人了吗", "见到了，或通了话")
    _choose(phone, "发现的问题", "家里不安全")
    _choose(phone, "紧急程度", "紧急")
    phone.press("记录好了")
    assert phone.reads("王秀英的探访记好了")
    assert phone.reads("说膝盖疼")
    assert phone.reads("物业或燃气、电力抢修")
    visit = _first_visit()
    assert visit.state is VisitState.DONE
    assert recording.record_of(visit)["body"] == "fair"
    assert db.session.scalars(sa.select(Referral)).one().person.name == "王秀英"


@pytest.mark.parametrize(("scale", "scripts"), [VIEWS[0], VIEWS[3]])
def test_nobody_opens_and_step_by_step_somebody_makes_sure(
    make: Make, reader: Open, desk_hash: str, scale: str, scripts: bool
):
    phone = _signed_in(reader, _at_the_door(make, desk_hash), scale, scripts)
    phone.go("/desk/visits/?tab=all").press("记录")
    _choose(phone, "见到本人了吗", "没见到，没人接")
    phone.press("记录好了")
    assert phone.reads("确认王秀英平安")
    assert phone.reads("王建国在办")
    _choose(phone, "结果", "没联系上")
    phone.press("记下这一步")
    phone.fill("联系的是谁", "女儿王丽")
    _choose(phone, "结果", "联系上了")
    phone.press("记下这一步")
    assert phone.reads("联系紧急联系人：女儿王丽")
    _choose(phone, "人怎么样", "平安")
    phone.fill("怎么确认的", "女儿说在她家").press("结束确认")
    assert phone.reads("已结束：平安")
    assert db.session.scalars(sa.select(SafetyCheck)).one().closed_by_name == "王建国"
