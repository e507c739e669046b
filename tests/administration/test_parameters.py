"""The administrator's page of parameters."""

from datetime import timedelta

import pytest

from portal.administration.service import parameters
from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role

KEY = "meals.test_minutes"
EVERY = tuple(settings.DECLARED)


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    monkeypatch.setattr(settings, "DECLARED", {})
    settings.declare(KEY, default=30, label=lambda: "等候时间", unit=lambda: "分钟", least=5, most=120)
    settings.declare("people.test_days", default=7, label=lambda: "保留天数", unit=lambda: "天", least=1, most=9)
    settings.declare("strange.test", default=1, label=lambda: "别的", unit=lambda: "个", least=1, most=9)


@pytest.fixture
def administrator(make, client):
    client.sign_in(make.worker(Role.SYSTEM_ADMINISTRATOR, name="钱进"))
    return client


def put(value, valid_from):
    with transaction():
        settings.put(KEY, value, valid_from=valid_from, by="周洁")


def test_parameters_are_grouped_by_the_first_word_of_their_key(make):
    assert [group.title for group in parameters.groups(today())] == ["助餐", "居民信息", "strange"]


@pytest.mark.parametrize("prefix", sorted({key.partition(".")[0] for key in EVERY}))
def test_every_parameter_of_the_portal_stands_in_a_group_with_a_title(app, prefix):
    with app.test_request_context():
        assert parameters.group_title(prefix) != prefix


def test_a_group_shows_what_is_in_force_and_what_is_coming(make):
    put(40, today() - timedelta(days=1))
    put(50, today() + timedelta(days=5))
    put(60, today() + timedelta(days=9))
    setting = parameters.groups(today())[0].settings[0]
    assert (setting.value, setting.coming.value) == (40, 50)


def test_the_list_and_the_page_of_one_parameter_agree(make):
    put(40, today() - timedelta(days=9))
    put(45, today() - timedelta(days=1))
    assert parameters.setting(KEY, today()).value == parameters.groups(today())[0].settings[0].value == 45


def test_a_parameter_that_nobody_declared_does_not_exist(make):
    with pytest.raises(Missing):
        parameters.setting("meals.forgotten", today())


def test_the_past_cannot_be_changed(make):
    with pytest.raises(Refused, match="不能早于今天") as refused:
        parameters.change(KEY, value=40, valid_from=today() - timedelta(days=1), by="钱进")
    assert refused.value.field == "valid_from"
    assert settings.history(KEY) == []


def test_the_page_shows_every_parameter_with_its_unit_and_default(administrator):
    put(40, today())
    put(50, today() + timedelta(days=5))
    words = administrator.get("/desk/administration/settings").get_data(as_text=True)
    assert "等候时间" in words
    assert "40 分钟" in words
    coming = today() + timedelta(days=5)
    assert f"{coming.year}年{coming.month}月{coming.day}日 起 50 分钟" in words
    assert "保留天数" in words


def test_the_page_says_so_when_nothing_is_declared(administrator):
    settings.DECLARED.clear()
    assert "还没有可调的参数" in administrator.get("/desk/administration/settings").get_data(as_text=True)


def test_a_change_is_kept_with_who_made_it_and_why(administrator):
    day = today() + timedelta(days=1)
    sent = {"value": "45", "valid_from": day.isoformat(), "note": "街道通知"}
    answer = administrator.post(f"/desk/administration/settings/{KEY}", data=sent)
    assert answer.status_code == 303
    row = settings.history(KEY)[0]
    assert (row.value, row.valid_from, row.set_by, row.note) == (45, day, "钱进", "街道通知")
    assert settings.get(KEY, today()) == 30
    words = administrator.get(answer.location).get_data(as_text=True)
    assert "街道通知" in words
    assert "未到" in words
    assert f"{day.year}年{day.month}月{day.day}日" in words
    assert day.isoformat() not in words.split("历次数值")[1]
    assert f"已保存，{day.month}月{day.day}日" in words
    assert db.session.query(AuditRow).filter_by(action="settings.parameter_set").one().actor_name == "钱进"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"value": "500"}, "value", "5 到 120"),
        ({"value": "很多"}, "value", "请填整数"),
        ({"value": ""}, "value", "请填整数"),
        ({"valid_from": "2020-01-01"}, "valid_from", "不能早于今天"),
        ({"valid_from": "明天"}, "valid_from", "请填日期"),
        ({"valid_from": ""}, "valid_from", "请填"),
        ({"note": "长" * 201}, "note", "最多 200 个字"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_kept(administrator, change, field, sentence):
    sent = {"value": "45", "valid_from": today().isoformat(), "note": "", **change}
    answer = administrator.post(f"/desk/administration/settings/{KEY}", data=sent)
    words = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in words.split(f'id="{field}-error"')[1].split("</p>")[0]
    assert change[field] in words
    assert settings.history(KEY) == []


def test_zero_is_a_number_like_any_other(administrator):
    settings.declare(KEY, default=30, label=lambda: "等候时间", unit=lambda: "分钟", least=0, most=120)
    sent = {"value": "0", "valid_from": today().isoformat(), "note": ""}
    assert administrator.post(f"/desk/administration/settings/{KEY}", data=sent).status_code == 303
    assert settings.get(KEY) == 0


def test_an_unknown_parameter_is_not_found(administrator):
    assert administrator.get("/desk/administration/settings/meals.forgotten").status_code == 404
