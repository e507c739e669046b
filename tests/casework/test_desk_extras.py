"""The desk's further acts: photographs, the board, help, links, merging and the archive, as a browser sends them."""

import io

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.casework.models.cases import Case, CaseHelp, CasePhoto
from portal.casework.models.codes import CaseState
from portal.core.db import db
from portal.identity.permissions import Role
from tests.casework.desk import case, category

S = CaseState


def picture():
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (10, 120, 60)).save(out, "JPEG")
    return out.getvalue()


def read(found):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, found.id)


@pytest.fixture
def me(make, client):
    worker = make.worker(name="周洁")
    client.sign_in(worker)
    return worker


def upload(client, found, body, name="后.jpg"):
    sent = {"stage": "after", "photos": (io.BytesIO(body), name)}
    path = f"/desk/cases/{found.public_id}/photos"
    return client.post(path, data=sent, content_type="multipart/form-data", follow_redirects=True)


def test_the_holder_puts_photographs_in_and_takes_them_out(make, client, me):
    found = case(make, S.WORKING, holder=me)
    assert "已放上 1 张照片" in upload(client, found, picture()).text
    photo = db.session.scalars(sa.select(CasePhoto)).one()
    shown = client.get(f"/desk/cases/{found.public_id}/photos/{photo.public_id}")
    assert shown.mimetype == "image/jpeg"
    client.post(f"/desk/cases/{found.public_id}/photos/{photo.public_id}/drop")
    db.session.rollback()
    assert db.session.scalars(sa.select(CasePhoto.id)).all() == []


def test_what_is_no_picture_is_not_put_in(make, client, me):
    found = case(make, S.WORKING, holder=me)
    assert "不是能打开的图片" in upload(client, found, b"<script>alert(1)</script>").text
    assert db.session.scalars(sa.select(CasePhoto.id)).all() == []


def test_nobody_else_puts_photographs_in(make, client, me):
    found = case(make, S.WORKING, holder=make.worker(name="别人"))
    assert "别人" in upload(client, found, picture()).text
    assert db.session.scalars(sa.select(CasePhoto.id)).all() == []


def test_a_photograph_of_another_community_is_not_found(make, client, me):
    found = case(make, S.WORKING, holder=me)
    upload(client, found, picture())
    photo = db.session.scalars(sa.select(CasePhoto)).one()
    client.sign_in(make.worker(scope=make.community("别的社区")))
    assert client.get(f"/desk/cases/{found.public_id}/photos/{photo.public_id}").status_code == 404
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert client.get(f"/desk/cases/{found.public_id}/watch/photos/{photo.public_id}").status_code == 200


def test_a_request_is_released_to_the_board_and_taken_off_with_a_reason(make, client, me):
    found = case(make, S.ANSWERED, holder=me, category_id=category(make).id)
    base = f"/desk/cases/{found.public_id}"
    assert client.post(f"{base}/release", data={"asked": "", "done": ""}).status_code == 422
    assert client.post(f"{base}/release", data={"asked": "路灯不亮", "done": "已修好"}).status_code == 303
    assert read(found).public_at is not None
    assert client.post(f"{base}/hide", data={"why": ""}).status_code == 422
    client.post(f"{base}/hide", data={"why": "照片里有人脸"})
    assert read(found).public_at is None


def test_a_grid_worker_releases_nothing(make, client):
    grid = make.grid()
    found = case(make, S.ANSWERED, grid_id=grid.id)
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    assert client.get(f"/desk/cases/{found.public_id}").status_code == 200
    assert client.get(f"/desk/cases/{found.public_id}/release").status_code == 403


def test_help_is_asked_and_answered_on_the_pages(make, client, me):
    helper = make.worker(name="王建国")
    found = case(make, S.WORKING, holder=me)
    base = f"/desk/cases/{found.public_id}"
    client.post(f"{base}/act/help", data={"worker": helper.public_id, "what": "去看看管道"})
    asked = db.session.scalars(sa.select(CaseHelp)).one()
    client.sign_in(helper)
    assert "写协助结果" in client.get(base).text
    assert client.post(f"{base}/help/{asked.id}", data={"answer": ""}).status_code == 422
    assert client.post(f"{base}/help/{asked.id}", data={"answer": "管道老化"}).status_code == 303


def test_links_are_made_undone_and_merged_by_number(make, client, me):
    one, other = case(make, S.ACCEPTED), case(make, S.ACCEPTED)
    base = f"/desk/cases/{one.public_id}"
    assert client.post(f"{base}/act/link", data={"number": "0000", "kind": "duplicate"}).status_code == 422
    client.post(f"{base}/act/link", data={"number": other.number, "kind": "duplicate"})
    assert other.number in client.get(base).text
    client.post(f"{base}/unlink/{other.public_id}")
    assert "已取消关联" in client.get(base).text
    assert f"/unlink/{other.public_id}" not in client.get(base).text
    client.post(f"{base}/dispatch/merge", data={"number": other.number, "why": "同一盏灯"})
    assert (read(one).state, read(one).main_id) == (S.MERGED, other.id)


def test_what_was_declined_can_be_taken_up_again_or_archived(make, client, me):
    found, gone = case(make, S.DECLINED), case(make, S.DECLINED)
    client.post(f"/desk/cases/{found.public_id}/dispatch/again", data={"why": "街道说归社区办"})
    client.post(f"/desk/cases/{gone.public_id}/dispatch/archive")
    assert (read(found).state, read(gone).state) == (S.SUBMITTED, S.ARCHIVED)


def test_a_plain_act_that_the_state_forbids_is_refused_in_words(make, client, me):
    found = case(make, S.CLOSED, holder=me)
    answer = client.post(f"/desk/cases/{found.public_id}/act/take", follow_redirects=True)
    assert "已经接手" in answer.text
    assert read(found).state is S.CLOSED


def test_the_name_of_the_reporter_of_a_hidden_request_is_in_no_list(make, client, me):
    case(make, reporter=make.person("钱大妈"))
    assert "钱大妈" not in client.get("/desk/cases/?tab=open").text
