"""Reporting in three steps, through HTTP."""

import io

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.areas.models import Building
from portal.casework.models.cases import Case, CaseFollower, CasePhoto
from portal.casework.models.codes import Against, CaseState
from portal.casework.service import reporting, similar
from portal.casework.service.reporting import Where
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.ids import check_short_code
from portal.identity.permissions import Role
from portal.registry.models import Organisation, OrganisationKind
from tests.acting import actor_of
from tests.casework.asked import Street, draft_id, jpeg, page, street, told
from tests.client import Client
from tests.make import Make

LAMP = "3 号楼门口的路灯不亮了，晚上看不见路"


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


def only_case() -> Case:
    return db.session.scalars(sa.select(Case)).one()


def begin(client: Client, what: str = LAMP, **more: str) -> str:
    response = client.post("/cases/new", data={"what": what, "category": "", **more})
    assert response.status_code == 303, response.get_data(as_text=True)
    return draft_id(response)


def said_what(place: Street, client: Client, draft: str) -> None:
    what = page(client, f"/cases/new/{draft}/what")
    assert "路灯楼道灯" in what
    assert "灯杆编号" in what
    said = {"what": LAMP, "category": str(place.category("light").id), "ask_lamp": "12 号灯杆", "ask_since": "今天"}
    assert client.post(f"/cases/new/{draft}/what", data=said).headers["Location"].endswith("/where")


def said_where(client: Client, draft: str, building: Building) -> None:
    assert building.name in page(client, f"/cases/new/{draft}/where")
    client.post(f"/cases/new/{draft}/where", data={"pick": str(building.id), "place": "东侧"})
    where = page(client, f"/cases/new/{draft}/where")
    assert 'value="东侧"' in where
    assert "1 层" in where
    answer = client.post(f"/cases/new/{draft}/where", data={"spot": "1单元 1 层", "place": "东侧"})
    assert answer.headers["Location"].endswith("/photos")


def test_a_request_goes_through_three_steps_and_gets_a_number_and_a_deadline(place: Street, client: Client) -> None:
    place.make.worker()
    who = place.resident()
    client.sign_in(who.account)
    assert "哪里不好了" in page(client, "/cases/new")
    draft = begin(client)
    said_what(place, client, draft)
    said_where(client, draft, who.building)
    picture = {"photos": [(io.BytesIO(jpeg(exif=True)), "a.jpg")], "act": "keep"}
    assert client.post(f"/cases/new/{draft}/photos", data=picture).status_code == 303
    assert "第 1 张照片" in page(client, f"/cases/new/{draft}/photos")
    sent = client.post(f"/cases/new/{draft}/photos", data={"act": "send"})
    assert sent.headers["Location"].endswith(f"/cases/{draft}/sent")
    case = only_case()
    assert case.number
    assert case.number in page(client, f"/cases/{draft}/sent")
    own = page(client, f"/cases/{draft}")
    for words in ("12 号灯杆", "1单元 1 层 东侧", "诉求已提交"):
        assert words in own, words


def test_what_was_sent_has_a_number_with_a_check_a_deadline_and_is_told(place: Street) -> None:
    place.make.worker()
    who = place.resident()
    case = place.sent(who)
    assert case.state is CaseState.SUBMITTED
    assert case.accept_due is not None
    assert check_short_code(case.number or "", 8) == case.number
    assert [row.recipient_id for row in told("casework.sent")] == [who.person.public_id]
    assert len(told("casework.arrived")) == 1


def test_what_was_typed_is_kept_when_the_building_is_pointed_at_without_scripts(place: Street, client: Client) -> None:
    who = place.resident()
    draft = begin(client.sign_in(who.account))
    client.post(f"/cases/new/{draft}/where", data={"pick": str(who.building.id), "place": "车棚旁边"})
    client.post(f"/cases/new/{draft}/where", data={"pick": "0", "place": "车棚旁边"})
    assert 'value="车棚旁边"' in page(client, f"/cases/new/{draft}/where")
    assert only_case().building_id is None


def test_a_second_press_of_send_finds_the_first_one(place: Street, client: Client) -> None:
    who = place.resident()
    draft = begin(client.sign_in(who.account))
    client.post(f"/cases/new/{draft}/where", data={"pick": str(who.building.id)})
    client.post(f"/cases/new/{draft}/photos", data={"act": "send"})
    again = client.post(f"/cases/new/{draft}/photos", data={"act": "send"})
    assert again.headers["Location"].endswith("/sent")
    assert len(told("casework.sent")) == 1


def test_the_same_form_sent_twice_begins_one_draft(place: Street, client: Client) -> None:
    client.sign_in(place.resident().account)
    assert begin(client, idem="k1") == begin(client, idem="k1")
    assert only_case().title


def test_too_few_words_are_refused_in_words(place: Street, client: Client) -> None:
    client.sign_in(place.resident().account)
    answer = client.post("/cases/new", data={"what": "灯"})
    assert answer.status_code == 422
    assert "请再写几个字" in answer.get_data(as_text=True)


def test_fire_is_told_at_once_and_does_not_go_on_without_a_tick(place: Street, client: Client) -> None:
    draft = begin(client.sign_in(place.resident().account), "楼道里着火了，一直在冒烟")
    shown = page(client, f"/cases/new/{draft}/what")
    assert 'href="tel:119"' in shown
    assert "请先打 119" in shown
    said = {"what": "楼道里着火了，一直在冒烟", "category": str(place.category("fire").id)}
    client.post(f"/cases/new/{draft}/what", data=said)
    held = client.post(f"/cases/new/{draft}/what", data=said)
    assert held.headers["Location"].endswith("/what?stop=1")
    assert "请先打电话" in page(client, held.headers["Location"])
    on = client.post(f"/cases/new/{draft}/what", data={**said, "safe": "y"})
    assert on.headers["Location"].endswith("/where")


def test_what_a_hotline_handles_is_told_and_can_still_go_on(place: Street, client: Client) -> None:
    what = "我的医保报销一直没有到账"
    draft = begin(client.sign_in(place.resident().account), what)
    assert 'href="tel:12345"' in page(client, f"/cases/new/{draft}/what")
    said = {"what": what, "category": str(place.category("other_any").id)}
    client.post(f"/cases/new/{draft}/what", data=said)
    assert client.post(f"/cases/new/{draft}/what", data=said).headers["Location"].endswith("/where")


def test_what_is_off_the_list_says_who_is_responsible(place: Street, client: Client) -> None:
    draft = begin(client.sign_in(place.resident().account), "楼顶有人私搭阳光房，影响采光")
    client.post(f"/cases/new/{draft}/what", data={"what": "楼顶有人私搭阳光房", "category": ""})
    assert "街道综合行政执法队" in page(client, f"/cases/new/{draft}/what")


def test_a_neighbour_is_shown_the_same_matter_without_names_and_follows_it_instead(
    place: Street, client: Client
) -> None:
    first = place.resident("王秀英", "101")
    standing = place.sent(first, "3 号楼门口的路灯不亮了，晚上很黑")
    other = place.resident("李小红", "102")
    draft = begin(client.sign_in(other.account))
    answer = client.post(f"/cases/new/{draft}/where", data={"pick": str(other.building.id)})
    answer = client.post(f"/cases/new/{draft}/where", data={"place": "门口"})
    assert answer.headers["Location"].endswith("/alike")
    shown = page(client, f"/cases/new/{draft}/alike")
    assert "路灯楼道灯" in shown
    assert "王秀英" not in shown
    assert "晚上很黑" not in shown
    gone = client.post(f"/cases/new/{draft}/alike", data={"case": standing.public_id})
    assert gone.headers["Location"].endswith(f"/cases/{standing.public_id}/followed")
    followed = page(client, f"/cases/{standing.public_id}/followed")
    assert "王秀英" not in followed
    assert "晚上很黑" not in followed
    assert db.session.scalars(sa.select(CaseFollower.person_id)).all() == [other.person.id]
    assert db.session.scalar(sa.select(sa.func.count(Case.id))) == 1
    assert client.get(f"/cases/{standing.public_id}").status_code == 404


def test_only_what_was_shown_as_alike_can_be_followed(place: Street, client: Client) -> None:
    private = place.sent(place.resident(room="101"), "邻居吵架要调解", "dispute")
    other = place.resident("李小红", "102")
    draft = begin(client.sign_in(other.account), "邻居吵架要调解一下")
    assert client.post(f"/cases/new/{draft}/alike", data={"case": private.public_id}).status_code == 404


def test_private_matters_are_never_shown_as_alike(place: Street) -> None:
    first, other = place.resident(room="101"), place.resident("李小红", "102")
    place.sent(first, "楼上邻居天天吵架，要调解", "dispute")
    again = place.sent(other, "楼上邻居天天吵架，要调解", "dispute")
    assert similar.nearby(again) == []
    assert len(similar.nearby(again, private=True)) == 1


def test_a_daughter_reports_for_her_mother(place: Street, client: Client) -> None:
    mother, daughter = place.resident("王秀英", "101"), place.resident("李小红", "102")
    place.agent(daughter.account, mother.person)
    client.sign_in(daughter.account)
    assert "王秀英的" in page(client, "/cases/new")
    draft = begin(client, behalf=mother.person.public_id)
    client.post(f"/cases/new/{draft}/where", data={"pick": str(mother.building.id)})
    client.post(f"/cases/new/{draft}/photos", data={"act": "send"})
    case = only_case()
    assert (case.reporter_id, case.behalf_id) == (daughter.person.id, mother.person.id)
    client.sign_in(mother.account)
    assert "李小红" not in page(client, f"/cases/{draft}")


def test_nobody_reports_for_a_stranger(place: Street, client: Client) -> None:
    stranger, me = place.resident("王秀英", "101"), place.resident("李小红", "102")
    client.sign_in(me.account)
    answer = client.post("/cases/new", data={"what": LAMP, "behalf": stranger.person.public_id})
    assert answer.status_code == 422


def test_a_complaint_asks_of_whom_and_hides_the_name(place: Street, client: Client) -> None:
    company = place.make.add(
        Organisation(community_id=place.make.community().id, name="安居物业", kind=OrganisationKind.PROPERTY)
    )
    who = place.resident()
    draft = begin(client.sign_in(who.account), "物业不管，报修半个月没人修", category=str(place.category("repair").id))
    client.post(f"/cases/new/{draft}/where", data={"pick": str(who.building.id)})
    assert "安居物业" in page(client, f"/cases/new/{draft}/photos")
    data = {"act": "send", "against": "organisation", "organisation": str(company.id), "hide_name": "y"}
    client.post(f"/cases/new/{draft}/photos", data=data)
    case = only_case()
    assert case.hide_name
    assert case.against is Against.ORGANISATION
    assert case.against_organisation_id == company.id
    assert case.entered_by_name == ""
    assert [step.by_name for step in case.steps] == [""]


def test_photographs_lose_their_place_and_are_at_most_three(place: Street, client: Client) -> None:
    draft = begin(client.sign_in(place.resident().account))
    four = {"photos": [(io.BytesIO(jpeg()), f"{turn}.jpg") for turn in range(4)], "act": "keep"}
    refused = client.post(f"/cases/new/{draft}/photos", data=four)
    assert refused.status_code == 422
    assert "最多选 3 张" in refused.get_data(as_text=True)
    three = {"photos": [(io.BytesIO(jpeg(exif=True)), f"{turn}.jpg") for turn in range(3)], "act": "keep"}
    assert client.post(f"/cases/new/{draft}/photos", data=three).status_code == 303
    photo = db.session.scalars(sa.select(CasePhoto).order_by(CasePhoto.id)).first()
    assert photo is not None
    data = client.get(f"/cases/new/{draft}/photos/{photo.public_id}").data
    with Image.open(io.BytesIO(data)) as picture:
        assert not picture.getexif()
    one = {"photos": [(io.BytesIO(jpeg()), "4.jpg")], "act": "keep"}
    assert client.post(f"/cases/new/{draft}/photos", data=one).status_code == 422
    assert client.post(f"/cases/new/{draft}/photos/{photo.public_id}/drop").status_code == 303
    assert (
        client.post(f"/cases/new/{draft}/photos", data={**one, "photos": [(io.BytesIO(jpeg()), "4.jpg")]}).status_code
        == 303
    )


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a<script>alert(1)</script>",
        b"%PDF-1.4 not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        b"\xff\xd8\xff\xe0 cut off",
        b"",
    ],
)
def test_what_is_no_picture_is_refused_in_words(place: Street, client: Client, data: bytes) -> None:
    draft = begin(client.sign_in(place.resident().account))
    answer = client.post(f"/cases/new/{draft}/photos", data={"photos": [(io.BytesIO(data), "a.jpg")], "act": "keep"})
    assert answer.status_code == 422
    assert "图片" in answer.get_data(as_text=True)
    assert db.session.scalar(sa.select(sa.func.count(CasePhoto.id))) == 0


def test_a_polyglot_is_refused_in_words(place: Street, client: Client) -> None:
    draft = begin(client.sign_in(place.resident().account))
    both = jpeg() + b"<script>alert(1)</script>"
    answer = client.post(f"/cases/new/{draft}/photos", data={"photos": [(io.BytesIO(both), "a.jpg")], "act": "keep"})
    assert answer.status_code == 422
    assert "夹着别的文件" in answer.get_data(as_text=True)
    assert db.session.scalar(sa.select(sa.func.count(CasePhoto.id))) == 0


def test_a_bomb_of_pixels_is_refused_in_words(place: Street, client: Client) -> None:
    draft = begin(client.sign_in(place.resident().account))
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    answer = client.post(
        f"/cases/new/{draft}/photos", data={"photos": [(io.BytesIO(out.getvalue()), "a.png")], "act": "keep"}
    )
    assert answer.status_code == 422
    assert "尺寸太大" in answer.get_data(as_text=True)


def test_a_building_of_another_community_is_refused(place: Street) -> None:
    who = place.resident()
    far = place.make.dwelling(community=place.make._new_community("远处社区", who.person.community.settlement))
    with transaction(), pytest.raises(Refused, match="找不到这栋楼"):
        case = reporting.begin(who.person, who.person, LAMP, category_id=None, by=actor_of(who.account))
        reporting.put(case, Where(building_id=far.building_id))


def test_somebody_elses_draft_is_not_there(place: Street, client: Client) -> None:
    draft = begin(client.sign_in(place.resident(room="101").account))
    client.sign_in(place.resident("李小红", "102").account)
    for step in ("what", "where", "photos", "alike"):
        assert client.get(f"/cases/new/{draft}/{step}").status_code == 404


def test_a_draft_can_be_thrown_away_with_its_photographs(place: Street, client: Client) -> None:
    draft = begin(client.sign_in(place.resident().account))
    client.post(f"/cases/new/{draft}/photos", data={"photos": [(io.BytesIO(jpeg()), "a.jpg")], "act": "keep"})
    assert "没写完的" in page(client, "/cases/")
    assert client.post(f"/cases/new/{draft}/discard").status_code == 303
    assert db.session.scalar(sa.select(sa.func.count(Case.id))) == 0


def test_an_account_that_waits_for_its_claim_is_told_what_to_do(place: Street, client: Client) -> None:
    client.sign_in(place.make.resident())
    assert "身份还在核对" in page(client, "/cases/new")


def test_before_the_street_has_categories_the_page_says_whom_to_call(make: Make, client: Client) -> None:
    client.sign_in(make.resident(make.person()))
    assert "网上反映还没有开通" in page(client, "/cases/new")


def test_the_street_fills_in_categories_with_its_limits(make: Make, client: Client) -> None:
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert client.post("/desk/cases/limits/seed").status_code == 303
    client.sign_in(make.resident(make.person()))
    assert "路灯楼道灯" in page(client, "/cases/new")
