"""The street's own categories and who else handles what: kept on pages, each from a day to a day."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.categories import CaseRedirect, Category
from portal.casework.models.codes import CaseKind, CaseState
from portal.casework.service import choosing, defaults
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from tests.casework.desk import case
from tests.counting import count_queries
from tests.days import as_of_now, day_sent, later

DESK = "/desk/cases"


@pytest.fixture
def street(make, client):
    with transaction():
        defaults.seed(make.street().code, by="何立新")
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    return make.street()


def row(code):
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(sa.select(Category).where(Category.code == code)).one()


def named(name):
    db.session.rollback()
    return db.session.scalars(sa.select(Category).where(Category.name == name)).one()


def said(street, **more):
    facts = {"area": street.code, "parent": str(row("facility").id), "name": "充电桩", "kind": "help"}
    facts |= {"urgency": "normal", "keywords": "充电桩 充不了电、桩坏", "position": "9", "redirect": ""}
    facts |= {"questions": "*桩号\n什么时候：白天/晚上", "valid_from": today().isoformat(), "hint": "", "party": ""}
    return facts | more


def test_a_category_is_made_and_residents_words_find_it(street, client, make):
    assert client.post(f"{DESK}/categories/new", data=said(street)).status_code == 303
    made = named("充电桩")
    assert made.keywords == ["充电桩", "充不了电", "桩坏"]
    assert [(one["label"], one["required"], one["choices"]) for one in made.questions] == [
        ("桩号", True, []),
        ("什么时候", False, ["白天", "晚上"]),
    ]
    leaves = choosing.leaves(make.community().code)
    assert choosing.suggested("楼下充不了电", leaves)[0].id == made.id
    shown = client.get(f"{DESK}/categories").text
    assert "充电桩" in shown
    assert "公共设施" in shown


def test_a_category_is_changed_and_its_questions_keep_their_answers(street, client):
    lamp = row("light")
    keys = [one["key"] for one in lamp.questions]
    page = client.get(f"{DESK}/categories/{lamp.id}").text
    assert "灯杆编号，或者在哪个单元门口" in page
    asked = "哪根灯杆\n从什么时候开始：今天/更早\n*亮过没有"
    changed = said(street, name="路灯", questions=asked, kind="complaint", keywords="路灯")
    assert client.post(f"{DESK}/categories/{lamp.id}", data=changed).status_code == 303
    lamp = row("light")
    assert (lamp.name, lamp.kind, lamp.keywords) == ("路灯", CaseKind.COMPLAINT, ["路灯"])
    assert [one["key"] for one in lamp.questions][:2] == keys
    assert len({one["key"] for one in lamp.questions}) == 3


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"off_list": "y"}, "由哪个单位承办"),
        ({"name": "电梯"}, "已经有"),
        ({"valid_from": later(day_sent, -1)}, "最早是今天"),
        ({"questions": "\n".join(f"问题{n}" for n in range(9))}, "最多"),
        ({"questions": "选一个：只有一个"}, "至少两个"),
        ({"keywords": ""}, "关键词"),
        ({"name": ""}, "请填写"),
    ],
)
def test_a_category_that_cannot_be_is_refused_with_words(street, client, more, words):
    answer = client.post(f"{DESK}/categories/new", data=said(street, **as_of_now(more)))
    assert answer.status_code == 422
    assert words in answer.text


def test_an_ended_category_is_no_longer_chosen_and_its_requests_stay(street, client, make):
    lamp = row("light")
    old = case(make, CaseState.ACCEPTED, category_id=lamp.id)
    yesterday = (today() - timedelta(days=1)).isoformat()
    assert client.post(f"{DESK}/categories/{lamp.id}/end", data={"last_day": yesterday}).status_code == 422
    assert client.post(f"{DESK}/categories/{lamp.id}/end", data={"last_day": today().isoformat()}).status_code == 303
    assert row("light").valid_to == today()
    tomorrow = today() + timedelta(days=1)
    assert "light" not in {one.code for one in choosing.in_force(make.community().code, tomorrow)}
    assert db.session.get(type(old), old.id).category_id == lamp.id


def test_a_first_level_with_others_under_it_neither_ends_nor_moves(street, client):
    parent = row("facility")
    day = {"last_day": today().isoformat()}
    answer = client.post(f"{DESK}/categories/{parent.id}/end", data=day)
    assert answer.status_code == 422
    assert "先结束" in answer.text
    moved = said(street, name="公共设施", parent=str(row("environment").id))
    assert client.post(f"{DESK}/categories/{parent.id}", data=moved).status_code == 422


def test_who_else_handles_it_is_kept_on_a_page(street, client, make):
    facts = {"area": street.code, "name": "供气抢修", "kind": "other", "phone": "96777", "says": "请打 96777。"}
    facts |= {"words": "没有燃气 煤气 停了", "position": "3", "valid_from": today().isoformat()}
    assert client.post(f"{DESK}/redirects/new", data=facts).status_code == 303
    found = choosing.redirected("家里没有燃气了", choosing.redirects(make.community().code))
    assert [one.phone for one in found] == ["96777"]
    made = found[0]
    answer = client.post(f"{DESK}/redirects/{made.id}", data=facts | {"phone": "打这里"})
    assert answer.status_code == 422
    assert client.post(f"{DESK}/redirects/{made.id}", data=facts | {"phone": "0512-96777"}).status_code == 303
    assert "0512-96777" in client.get(f"{DESK}/redirects").text
    assert client.post(f"{DESK}/redirects/{made.id}/end", data={"last_day": today().isoformat()}).status_code == 303
    db.session.rollback()
    assert db.session.get_one(CaseRedirect, made.id).valid_to == today()


def test_a_redirect_that_is_over_is_not_shown_for_its_category_either(street, make):
    with transaction():
        lift = row("lift")
        lift.redirect.valid_from = today() - timedelta(days=9)
        lift.redirect.valid_to = today() - timedelta(days=1)
    assert choosing.redirected("电梯抖动", choosing.redirects(make.community().code), row("lift")) == []


def test_the_rules_of_another_street_do_not_exist_and_workers_do_not_set_any(street, client, make):
    with transaction():
        defaults.seed("999901009", by="别人")
    other = db.session.scalars(sa.select(Category).where(Category.area_code == "999901009")).first()
    else_ = db.session.scalars(sa.select(CaseRedirect).where(CaseRedirect.area_code == "999901009")).first()
    for path in (f"categories/{other.id}", f"categories/{other.id}/end", f"redirects/{else_.id}"):
        assert client.get(f"{DESK}/{path}").status_code == 404, path
    client.sign_in(make.worker())
    assert client.get(f"{DESK}/categories").status_code == 403
    assert client.get(f"{DESK}/redirects").status_code == 403


def test_the_lists_of_rules_ask_few_questions(street, client):
    for path in ("categories", "redirects"):
        client.get(f"{DESK}/{path}")
        with count_queries() as asked:
            client.get(f"{DESK}/{path}")
        assert len(asked) <= 8, asked
