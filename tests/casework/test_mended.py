"""Defects found by a stranger at the desk: each stays mended."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.casework.models.codes import CallBackWay, CaseKind, CaseState, Colour, Deed, Satisfaction, Urgency
from portal.casework.models.limits import CaseLimit, LimitStep
from portal.casework.service import calling, defaults, dispatching, handling, limits, naming, responsible, supervising
from portal.casework.service.dispatching import Class
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from tests.casework.desk import actor, case, category
from tests.client import Client
from tests.make import Make

S = CaseState


def again(found: Case) -> Case:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, found.id)


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "name", ["居委会", "某某社区居民委员会", "春 风 里 村委会", "本社区", "社区居委会", "居民委员会（筹）"]
)
def test_a_committee_is_never_the_responsible_party_on_either_form(make: Make, name: str) -> None:
    me = make.worker()
    found, off = case(make, S.WORKING, holder=me), category(make, "违章搭建", off_list=True, party="执法队")
    told = Class(off, CaseKind.REPORT, Urgency.NORMAL, name)
    with pytest.raises(Refused, match="居委会不能当承办单位"):
        dispatching.classify(found, told, {}, by=actor(me))
    with pytest.raises(Refused, match="居委会不能当承办单位"):
        handling.escalate(again(found), name, "要上级办", by=actor(me))


def test_the_communitys_own_name_is_a_committee_and_a_clinic_is_none(make: Make) -> None:
    community = make.community()
    assert responsible.is_committee(community.name, community)
    assert responsible.is_committee(f"{community.name}居民委员会", community)
    assert not responsible.is_committee(f"{community.name}卫生服务中心", community)
    assert not responsible.is_committee("街道综合行政执法队", community)


def test_who_handled_it_does_not_record_her_own_call_back(make: Make, client: Client) -> None:
    me, other = make.worker(Role.CASE_WORKER, name="孙梅"), make.worker(name="周洁")
    found = case(make, S.ANSWERED, holder=me)
    said = {"solved": True, "satisfaction": Satisfaction.GOOD, "way": CallBackWay.PHONE, "words": ""}
    with pytest.raises(Refused, match="不能自己记回访结果"):
        calling.record(found, **said, by=actor(me))
    assert "/act/call" not in text(client.sign_in(me), f"/desk/cases/{found.public_id}")
    assert "/act/call" in text(client.sign_in(other), f"/desk/cases/{found.public_id}")
    with transaction():
        calling.record(again(found), **said, by=actor(other))
    assert again(found).state is S.CLOSED


def test_where_nobody_else_is_there_the_dispatcher_records_it(make: Make) -> None:
    me = make.worker()
    found = case(make, S.ANSWERED, holder=me)
    assert calling.may_record(found, me.public_id)
    make.worker(Role.CASE_WORKER)
    assert not calling.may_record(again(found), me.public_id)


def test_a_hidden_name_is_read_by_the_holder_where_nobody_is_complained_of(make: Make, client: Client) -> None:
    me = make.worker(Role.CASE_WORKER, name="孙梅")
    reporter = make.person("欧阳兰芝", phone="13912345678")
    asked = case(make, S.WORKING, holder=me, reporter=reporter, hide_name=True, kind=CaseKind.HELP)
    complained = case(make, S.WORKING, holder=me, reporter=reporter, hide_name=True, kind=CaseKind.COMPLAINT)
    assert naming.reporter_name(asked, actor(me)) == "欧阳兰芝"
    assert naming.reporter_name(complained, actor(me)) == ""
    page = text(client.sign_in(me), f"/desk/cases/{complained.public_id}")
    assert "请由派单人联系居民" in page
    assert "欧阳" not in page


def test_the_dispatcher_records_that_she_spoke_to_whom_the_holder_may_not_know(make: Make, client: Client) -> None:
    me, boss = make.worker(Role.CASE_WORKER), make.worker(name="周洁")
    found = case(make, S.WORKING, holder=me, hide_name=True, kind=CaseKind.COMPLAINT)
    plain = case(make, S.WORKING, holder=me, kind=CaseKind.COMPLAINT)
    client.sign_in(boss)
    path = f"/desk/cases/{found.public_id}"
    assert f"{path}/dispatch/contact" in text(client, path)
    assert f"/desk/cases/{plain.public_id}/dispatch/contact" not in text(client, f"/desk/cases/{plain.public_id}")
    assert client.post(f"{path}/dispatch/contact", data={"words": "电话问清了情况"}).status_code == 303
    assert again(found).contacted_at is not None
    with pytest.raises(Refused, match="由办理人联系"):
        dispatching.contact(again(plain), "打了电话", by=actor(boss))


def test_red_by_hand_is_not_called_overdue_and_the_real_overdue_is_still_raised(make: Make, client: Client) -> None:
    me, boss = make.worker(), make.worker(name="何立新")
    found = case(make, S.WORKING, holder=me, finish_due=now() + timedelta(days=30))
    with transaction():
        supervising.press(found, Colour.RED, "居民反映强烈", by=actor(boss))
    client.sign_in(me)
    for path in (f"/desk/cases/{found.public_id}", "/desk/cases/"):
        page = text(client, path)
        assert "红色督办" in page
        assert "已超期" not in page
        assert ">超期<" not in page
    with transaction():
        assert supervising.colour() == 0
        found = again(found)
        found.finish_due, found.supervised_at = now() - timedelta(hours=1), now() - timedelta(hours=9)
    with transaction():
        assert supervising.colour() == 1
        assert supervising.colour() == 0
    told = sa.select(sa.func.count(OutboxRow.id)).where(OutboxRow.topic == "casework.supervised")
    assert (db.session.scalar(told) or 0) >= 2
    assert [one.deed for one in again(found).steps].count(Deed.SUPERVISED) == 2
    assert "已超期" in text(client, f"/desk/cases/{found.public_id}")


def test_a_third_giving_back_is_not_offered(make: Make, client: Client) -> None:
    me = make.worker(Role.CASE_WORKER)
    fresh, twice = case(make, S.ASSIGNED, holder=me), case(make, S.ASSIGNED, holder=me, returns=2)
    client.sign_in(me)
    assert "/act/return" in text(client, f"/desk/cases/{fresh.public_id}")
    assert "/act/return" not in text(client, f"/desk/cases/{twice.public_id}")


def test_the_reason_of_a_pause_says_that_the_resident_reads_it(make: Make, client: Client) -> None:
    me = make.worker(Role.CASE_WORKER)
    found = case(make, S.WORKING, holder=me)
    assert "居民会看到" in text(client.sign_in(me), f"/desk/cases/{found.public_id}/act/pause")


def test_a_caller_is_told_of_danger_and_the_words_suggest_the_category(make: Make, client: Client) -> None:
    with transaction():
        defaults.seed(make.street().code, by="何立新")
    client.sign_in(make.worker())
    said = {
        "channel": "phone",
        "name": "来电的人",
        "category": "0",
        "what": "厨房燃气味很大",
        "building": "0",
        "place": "南门",
    }
    first = client.post("/desk/cases/new/stranger", data=said)
    assert first.status_code == 200
    assert "请马上离开" in first.text
    assert "厨房燃气味很大" in first.text
    assert db.session.scalar(sa.select(sa.func.count(Case.id))) == 0
    looked = re.search(r'name="looked"[^>]*value="(\d+)"', first.text)
    assert looked
    answer = client.post("/desk/cases/new/stranger", data=said | {"category": looked[1], "looked": looked[1]})
    assert answer.status_code == 303
    page = text(client, answer.headers["Location"])
    assert "水电气热" in page
    assert "请马上离开" in page


def test_the_questions_of_a_category_are_asked_while_the_caller_still_listens(make: Make, client: Client) -> None:
    with transaction():
        defaults.seed(make.street().code, by="何立新")
    asks = db.session.scalars(sa.select(Category).order_by(Category.id)).all()
    leaf = next(one for one in asks if any(each.get("required") for each in one.questions))
    key = next(str(each["key"]) for each in leaf.questions if each.get("required"))
    client.sign_in(make.worker())
    said = {
        "channel": "phone",
        "name": "来电的人",
        "category": str(leaf.id),
        "what": "请来看看",
        "building": "0",
        "place": "南门",
    }
    first = client.post("/desk/cases/new/stranger", data=said)
    assert f'name="q_{key}"' in first.text
    said["looked"] = str(leaf.id)
    assert client.post("/desk/cases/new/stranger", data=said).status_code == 422
    choices = next(each for each in leaf.questions if str(each["key"]) == key).get("choices") or ["路口那一根"]
    assert client.post("/desk/cases/new/stranger", data=said | {f"q_{key}": choices[0]}).status_code == 303
    assert choices[0] in (db.session.scalars(sa.select(Case)).one().answers or "")


def test_a_limit_is_changed_from_what_stands(make: Make, client: Client) -> None:
    with transaction():
        defaults.seed(make.street().code, by="何立新")
        limits.seed(make.street().code, by="何立新")
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    row = db.session.scalars(
        sa.select(CaseLimit).where(CaseLimit.step == LimitStep.FINISH).order_by(CaseLimit.id)
    ).first()
    assert f"/desk/cases/limits/new?of={row.id}" in client.get("/desk/cases/limits").text
    page = client.get(f"/desk/cases/limits/new?of={row.id}").text
    assert re.search(rf'name="count"[^>]*value="{row.count}"', page)
    assert re.search(rf'<option selected value="{row.step.value}"', page)
    assert client.get("/desk/cases/limits/new?of=99999").status_code == 404
