"""The pages of care visits: my list, the form with its draft, checks, referrals, rates; and nothing of another grid."""

import io
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.visits.models import (
    CareRule,
    FindingKind,
    Urgency,
    Visit,
    VisitKind,
    VisitPhoto,
    VisitState,
)
from portal.visits.service import recording, wishes
from tests.client import Client
from tests.make import Make
from tests.visits import stand


def test_my_list_shows_who_where_and_why_with_one_button(make: Make, client: Client):
    worker, _person, _visit = stand.mine(make)
    page = client.sign_in(worker).get("/desk/visits/?tab=all").text
    assert "王秀英" in page
    assert "80 岁以上独居" in page
    assert "还没有探访过" in page
    assert "/record" in page


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "?tab=week",
        "?tab=late&whose=all",
        "people",
        "people?only=paused",
        "checks",
        "referrals",
        "referrals?state=closed",
    ],
)
def test_the_lists_open_for_a_grid_worker_empty_and_filled(make: Make, client: Client, tail: str):
    other = make.worker(Role.GRID_WORKER, make.grid(name="第九网格"))
    worker, _person, _visit = stand.mine(make)
    assert client.sign_in(worker).get(f"/desk/visits/{tail}").status_code == 200
    empty = client.sign_in(other).get(f"/desk/visits/{tail}")
    assert empty.status_code == 200
    assert "王秀英" not in empty.text


def test_a_visit_is_recorded_and_cannot_be_recorded_twice(make: Make, client: Client):
    worker, person, visit = stand.mine(make)
    client.sign_in(worker)
    said = stand.filled(body="fair", hazards=["gas", "fire"])
    answer = client.post(f"/desk/visits/{visit.public_id}/record", data=said)
    assert answer.status_code == 303
    assert make.read(visit).state is VisitState.DONE
    assert recording.record_of(visit)["hazards"] == ["gas", "fire"]
    assert make.read(stand.subject(person)).last_met_on == today()
    again = client.post(f"/desk/visits/{visit.public_id}/record", data=stand.filled())
    assert again.status_code == 422
    assert "已经记录了这次探访" in again.text
    shown = client.get(f"/desk/visits/{visit.public_id}").text
    assert "燃气、火" in shown


def test_what_was_typed_is_kept_as_a_draft_and_comes_back(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    client.sign_in(worker)
    headers = {"HX-Request": "true", "HX-Target": "draft-state"}
    answer = client.post(
        f"/desk/visits/{visit.public_id}/draft", data={"method": "phone", "note": "说腿疼"}, headers=headers
    )
    assert answer.status_code == 200
    assert "草稿已存" in answer.text
    assert "<html" not in answer.text
    assert make.read(visit).state is VisitState.DRAFT
    page = client.get(f"/desk/visits/{visit.public_id}/record").text
    assert "说腿疼" in page
    plain = client.post(f"/desk/visits/{visit.public_id}/draft", data={"note": "又说头晕"})
    assert plain.status_code == 303
    assert recording.draft_of(make.read(visit))["note"] == ["又说头晕"]


def test_a_draft_that_comes_after_the_record_changes_nothing(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled())
    headers = {"HX-Request": "true", "HX-Target": "draft-state"}
    answer = client.post(f"/desk/visits/{visit.public_id}/draft", data={"note": "迟到的草稿"}, headers=headers)
    assert "草稿没有再存" in answer.text
    assert make.read(visit).draft is None


def test_notes_are_sealed_at_rest(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled(note="说腿疼"))
    raw = db.session.execute(sa.text("select record from care_visit where id = :id"), {"id": visit.id}).scalar()
    assert "说腿疼".encode() not in bytes(raw)


def _photograph() -> bytes:
    out = io.BytesIO()
    picture = Image.new("RGB", (40, 30), "red")
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (30.0, 10.0, 5.0)}
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_photo_needs_consent_loses_its_place_and_is_shown_in_scope_only(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    client.sign_in(worker)
    address = f"/desk/visits/{visit.public_id}/record"
    refused = client.post(address, data=stand.filled(photo=(io.BytesIO(_photograph()), "a.jpg")))
    assert refused.status_code == 422
    assert "要先问本人" in refused.text
    bad = client.post(address, data=stand.filled(photo=(io.BytesIO(b"no picture"), "a.jpg"), photo_consent="y"))
    assert bad.status_code == 422
    fine = client.post(address, data=stand.filled(photo=(io.BytesIO(_photograph()), "a.jpg"), photo_consent="y"))
    assert fine.status_code == 303
    kept = db.session.scalars(sa.select(VisitPhoto)).one()
    shown = client.get(f"/desk/visits/{visit.public_id}/photos/{kept.id}")
    assert shown.mimetype == "image/jpeg"
    assert not Image.open(io.BytesIO(shown.data)).getexif()
    other = make.worker(Role.GRID_WORKER, make.grid(name="第九网格"))
    assert client.sign_in(other).get(f"/desk/visits/{visit.public_id}/photos/{kept.id}").status_code == 404


def test_a_photo_that_a_form_error_lost_is_asked_for_again(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    client.sign_in(worker)
    address = f"/desk/visits/{visit.public_id}/record"
    photo = {"photo": (io.BytesIO(_photograph()), "a.jpg")}
    unasked = client.post(address, data=stand.filled(**photo))
    assert "照片要重新选一次" in unasked.text
    photo = {"photo": (io.BytesIO(_photograph()), "a.jpg"), "photo_consent": "y"}
    assert "照片要重新选一次" in client.post(address, data=stand.filled(**photo, method="")).text
    photo = {"photo": (io.BytesIO(_photograph()), "a.jpg"), "photo_consent": "y"}
    assert "照片要重新选一次" in client.post(address, data=stand.filled(**photo, next_on="2020-01-01")).text
    assert "照片要重新选一次" not in client.post(address, data=stand.filled(method="")).text


def test_consent_to_a_photo_is_asked_together_with_whatever_else_is_wrong(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    photo = {"photo": (io.BytesIO(_photograph()), "a.jpg")}
    address = f"/desk/visits/{visit.public_id}/record"
    refused = client.sign_in(worker).post(address, data=stand.filled(**photo, method=""))
    assert "要先问本人" in refused.text


def test_a_visit_nobody_had_planned_is_recorded(make: Make, client: Client):
    worker = make.worker()
    person = make.person()
    answer = client.sign_in(worker).post(f"/desk/visits/begin/{person.public_id}")
    assert client.get(answer.location).status_code == 200
    assert client.post(answer.location, data=stand.filled(method="outside")).status_code == 303
    assert db.session.scalars(sa.select(Visit)).one().met_on == today()


def test_the_pages_about_a_person_keep_what_is_said(make: Make, client: Client):
    _worker, person, _visit = stand.mine(make)
    client.sign_in(make.worker())
    base = f"/desk/visits/people/{person.public_id}"
    for tail in ("", "/wish", "/exclusion", "/level"):
        assert client.get(base + tail).status_code == 200
    wish = {"consent": "refused", "method": "home", "said_on": f"{today()}", "note": "女儿代交"}
    assert client.post(f"{base}/wish", data=wish).status_code == 422
    assert client.post(f"{base}/wish", data={**wish, "method": "phone"}).status_code == 303
    away = {"reason": "away", "since": f"{today()}", "until": f"{today() - timedelta(days=1)}"}
    assert "不能早于" in client.post(f"{base}/exclusion", data=away).text
    assert client.post(f"{base}/exclusion", data={"reason": "away", "since": f"{today()}"}).status_code == 303
    row = next(row for row in wishes.exclusions(stand.subject(person)) if row.reason == "away")
    assert client.get(f"{base}/exclusion/{row.id}/end").status_code == 200
    assert client.post(f"{base}/exclusion/{row.id}/end", data={"last_day": f"{today()}"}).status_code == 303
    assert client.post(f"{base}/level", data={"level": "off", "reason": "搬去女儿家"}).status_code == 303
    assert client.post(f"{base}/level/undo").status_code == 303
    assert client.post(f"{base}/hint", data={"hint": "敲门要重"}).status_code == 303
    assert client.post(f"{base}/worker", data={"worker": ""}).status_code == 303
    page = client.get(base).text
    assert "书面谢绝" in page
    assert "敲门要重" in page


def test_the_month_can_be_counted_printed_and_opened_to_its_names(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled())
    client.sign_in(make.worker())
    page = client.get("/desk/visits/rates").text
    assert "100.0%" in page
    assert "第一网格" in page
    assert "王秀英" in client.get("/desk/visits/rates/names?which=visited").text
    assert "王秀英" not in client.get("/desk/visits/rates/names?which=unvisited").text
    assert client.get("/desk/visits/rates/names?grid=999").status_code == 404
    assert "100.0%" in client.get("/desk/visits/rates/sheet").text
    assert client.post("/desk/visits/plan").status_code == 303


def test_a_round_is_one_form_and_pressed_twice_is_one_round(make: Make, client: Client):
    _worker, person, _visit = stand.mine(make)
    client.sign_in(make.worker())
    form = {
        "kind": "heat", "title": "七月高温", "community": make.community().code, "levels": ["high"],
        "first_day": f"{today()}", "last_day": f"{today() + timedelta(days=3)}", "method": "phone", "idem": "one",
    }  # fmt: skip
    for _press in range(2):
        assert client.post("/desk/visits/rounds/new", data=form).status_code == 303
    made = [visit for visit in stand.visits() if visit.kind is VisitKind.ROUND]
    assert [visit.person_id for visit in made] == [person.id]
    assert "七月高温" in client.get("/desk/visits/rounds").text
    nobody = {**form, "levels": ["focus"], "idem": "two"}
    assert "没有符合条件的人" in client.post("/desk/visits/rounds/new", data=nobody).text
    assert client.post(f"/desk/visits/rounds/{made[0].round_id}/cancel").status_code == 303
    assert make.read(made[0]).state is VisitState.CANCELLED


def test_a_street_fills_and_changes_its_tables(make: Make, client: Client):
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert "还没有关爱规则" in client.get("/desk/visits/rules").text
    assert client.post("/desk/visits/rules/seed").status_code == 303
    code, tomorrow = make.street().code, f"{today() + timedelta(days=1)}"
    for tail in ("new", "frequency", "ladder", "route"):
        assert client.get(f"/desk/visits/rules/{tail}").status_code == 200
    rule = {"name": "百岁老人", "area": code, "level": "high", "age_from": "100", "valid_from": f"{today()}"}
    assert client.post("/desk/visits/rules/new", data={**rule, "age_from": ""}).status_code == 422
    assert client.post("/desk/visits/rules/new", data=rule).status_code == 303
    said = {"area": code, "valid_from": tomorrow}
    often = {**said, "level": "general", "frequency": "monthly"}
    assert client.post("/desk/visits/rules/frequency", data=often).status_code == 303
    assert client.post("/desk/visits/rules/ladder", data={**said, "kind": "again", "minutes": "60"}).status_code == 303
    where = {**said, "kind": "health", "party": "镇卫生院", "days": "2"}
    assert client.post("/desk/visits/rules/route", data=where).status_code == 303
    page = client.get("/desk/visits/rules").text
    assert "百岁老人" in page
    assert "镇卫生院" in page
    rule_id = db.session.scalar(sa.select(sa.func.max(CareRule.id)))
    assert client.post(f"/desk/visits/rules/{rule_id}/end", data={"last_day": tomorrow}).status_code == 303
    elsewhere = make.add(CareRule(area_code="999902", valid_from=date(2020, 1, 1), name="别处", tags=[], level="high"))
    assert client.get(f"/desk/visits/rules/{elsewhere.id}/end").status_code == 404


LISTS = ["?tab=all", "people", "referrals", "checks", "rates", "rates/names?which=due", "rounds"]


@pytest.mark.parametrize("tail", LISTS)
def test_a_list_asks_the_database_no_more_for_more_people(make: Make, client: Client, tail: str):
    _worker, _person, visit = stand.mine(make)
    leader = make.worker()
    by = stand.actor(leader)

    def more(count: int) -> None:
        for turn in range(count):
            person = stand.alone(make, f"李桂兰{turn}", household_id=make.household().id, grid=make.grid())
            stand.visited(person, leader, findings=(FindingKind.HEALTH,), urgency=Urgency.NORMAL)
            with transaction():
                recording.record(stand.promised(person), stand.said(met=False), by=by)
        stand.planned(make.community())

    def asked() -> int:
        heard: list[str] = []

        def hear(_connection, _cursor, statement, *_rest) -> None:
            heard.append(statement)

        sa.event.listen(db.engine, "before_cursor_execute", hear)
        assert client.get(f"/desk/visits/{tail}").status_code == 200
        sa.event.remove(db.engine, "before_cursor_execute", hear)
        return len([words for words in heard if words.lstrip().upper().startswith("SELECT")])

    client.sign_in(leader)
    more(2)
    few = asked()
    more(6)
    assert asked() == few
    assert few <= 8 + 4  # four of them know who is asking, and reach her scope
    assert visit.public_id


def test_the_street_reaches_the_pages_it_changes_levels_and_workers_on(make: Make, client: Client):
    _worker, person, _visit = stand.mine(make)
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    address = f"/desk/visits/people/{person.public_id}"
    page = client.get(address).text
    assert "调整等级" in page
    assert "记录一次探访" not in page
    assert "王秀英" in client.get("/desk/visits/people").text
    form = {"level": "general", "reason": "家人同住"}
    changed = client.post(f"{address}/level", data=form)
    assert changed.status_code in {303, 422}
    assert client.get(f"{address}/wish").status_code == 200
    assert client.get(f"{address}/exclusion").status_code == 200
    assert client.post(f"{address}/hint", data={"hint": "敲门要重"}).status_code == 403


def test_a_streets_lists_are_made_each_in_a_transaction_of_its_own(make: Make, client: Client):
    stand.tables_set(make)
    stand.alone(make)
    stand.alone(make, "李秀英", community=make.community("荷塘社区"))
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert client.post("/desk/visits/plan").status_code == 303
    assert "2 个社区的名单正在更新" in client.get("/desk/visits/rates").text
    assert {visit.person.name for visit in stand.visits()} == {"王秀英", "李秀英"}
