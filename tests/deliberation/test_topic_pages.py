"""Pages of topics on both platforms: from a template to a published topic, its road, its papers, who may see what."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.opinions import Opinion
from portal.deliberation.models.topics import Topic, TopicEntry, TopicFollower, TopicPaper, TopicTemplate
from portal.identity.permissions import Role
from tests.client import Client
from tests.counting import count_queries
from tests.deliberating import Deliberating
from tests.make import Make


@pytest.fixture
def desk(make: Make, client: Client) -> Client:
    return client.sign_in(make.worker())


def _text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def _hidden(page: str, name: str) -> str:
    return page.split(f'name="{name}"')[1].split('value="')[1].split('"', maxsplit=1)[0]


FILLED = {
    "title": "6 号楼加装电梯",
    "summary": "6 号楼没有电梯，老人上下楼不方便，想问问大家愿不愿意装，钱怎么分摊。",
    "category": "affair",
    "forum": "council",
    "binding_words": "过半数同意就报街道。",
    "agenda": "介绍方案 15\n大家发言 40",
    "cost_fen": "350000",
    "parties-0-kind": "working",
    "parties-0-name": "春风里社区居民委员会",
    "parties-1-kind": "deliberating",
    "parties-1-name": "6 号楼全体居民",
}


def test_a_topic_is_made_from_a_template_and_published_in_a_few_steps(make: Make, app: Flask):
    street = app.test_client().sign_in(make.worker(Role.STREET_ADMINISTRATOR))  # type: ignore[attr-defined]
    street.post("/desk/deliberation/topics/templates/samples")
    template = db.session.scalars(sa.select(TopicTemplate).where(TopicTemplate.name == "老楼加装电梯")).one()
    desk = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))  # type: ignore[attr-defined]
    assert "老楼加装电梯" in _text(desk.get("/desk/deliberation/topics/new"))
    form = _text(desk.get(f"/desk/deliberation/topics/new/form?template={template.id}"))
    assert "春风里社区居民委员会" in form
    sent = FILLED | {"idem": _hidden(form, "idem")}
    address = f"/desk/deliberation/topics/new/form?template={template.id}"
    first = desk.post(address, data=sent)
    again = desk.post(address, data=sent)
    assert first.location == again.location
    topic = db.session.scalars(sa.select(Topic)).one()
    assert topic.cost_fen == 35_000_000
    assert topic.agenda == [{"title": "介绍方案", "minutes": 15}, {"title": "大家发言", "minutes": 40}]
    assert len(db.session.scalars(sa.select(Opinion)).all()) == len(template.facts["opinions"])
    until = today() + timedelta(days=14)
    moved = desk.post(
        f"/desk/deliberation/topics/{topic.id}/move/collecting", data={"until": until.isoformat(), "idem": "x"}
    )
    assert moved.status_code == 303
    page = _text(app.test_client().get(f"/deliberation/topics/{topic.id}"))
    assert "现在：民意征集" in page
    assert "下一步：协商会议" in page


def test_a_draft_is_nobodys_but_the_desks(make: Make, app: Flask, deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.DRAFT)
    for path in ("", "/log"):
        assert app.test_client().get(f"/deliberation/topics/{topic.id}{path}").status_code == 404
    assert topic.title not in _text(app.test_client().get("/deliberation/topics"))
    desk = app.test_client().sign_in(make.worker())  # type: ignore[attr-defined]
    assert topic.title in _text(desk.get("/desk/deliberation/topics"))


def test_another_community_neither_reads_nor_keeps_and_the_street_reads(
    make: Make, app: Flask, deliberating: Deliberating
):
    topic = deliberating.topic(stage=Stage.DRAFT)
    stranger = app.test_client().sign_in(make.worker(scope=make.community("荷塘社区")))  # type: ignore[attr-defined]
    street = app.test_client().sign_in(make.worker(Role.STREET_ADMINISTRATOR))  # type: ignore[attr-defined]
    assert stranger.get(f"/desk/deliberation/topics/{topic.id}").status_code == 404
    assert stranger.get(f"/desk/deliberation/topics/{topic.id}/edit").status_code == 404
    assert topic.title not in _text(stranger.get("/desk/deliberation/topics"))
    assert street.get(f"/desk/deliberation/topics/{topic.id}").status_code == 200
    for path in ("edit", "move/collecting", "extend", "outreach", "papers/new", "template"):
        assert street.get(f"/desk/deliberation/topics/{topic.id}/{path}").status_code == 404


def test_a_topic_across_communities_is_the_streets_and_read_by_each(make: Make, app: Flask, deliberating: Deliberating):
    ours, theirs = make.community(), make.community("荷塘社区")
    topic = deliberating.topic(area=make.street(), communities=[ours, theirs])
    for area in (ours, theirs):
        desk = app.test_client().sign_in(make.worker(scope=area))  # type: ignore[attr-defined]
        assert "只看" in _text(desk.get(f"/desk/deliberation/topics/{topic.id}"))
        assert desk.get(f"/desk/deliberation/topics/{topic.id}/edit").status_code == 404
    street = app.test_client().sign_in(make.worker(Role.STREET_ADMINISTRATOR))  # type: ignore[attr-defined]
    assert street.get(f"/desk/deliberation/topics/{topic.id}/edit").status_code == 200


def test_the_street_chooses_two_communities_at_least(make: Make, app: Flask):
    ours, theirs = make.community(), make.community("荷塘社区")
    street = app.test_client().sign_in(make.worker(Role.STREET_ADMINISTRATOR))  # type: ignore[attr-defined]
    address = f"/desk/deliberation/topics/new/form?area={make.street().code}"
    assert not re.search(r"关系到哪些社区\s*<span class=\"field__optional\">", street.get(address).text)
    assert "至少选两个社区" in _text(street.post(address, data=FILLED | {"communities": [ours.id]}))
    assert street.post(address, data=FILLED | {"communities": [ours.id, theirs.id]}).status_code == 303
    topic = db.session.scalars(sa.select(Topic)).one()
    assert {area.id for area in topic.communities} == {ours.id, theirs.id}


def test_of_two_who_edit_the_second_is_told_and_what_is_published_says_what_changed(
    make: Make, desk: Client, deliberating: Deliberating
):
    topic = deliberating.topic()
    address = f"/desk/deliberation/topics/{topic.id}/edit"
    page = _text(desk.get(address))
    sent = FILLED | {"version": _hidden(page, "version")}
    assert desk.post(address, data=sent).status_code == 303
    assert "有同事改过" in _text(desk.post(address, data=sent | {"title": "另一个题目"}))
    entry = db.session.scalars(sa.select(TopicEntry)).one()
    assert entry.deed == "edited"
    assert "title" in entry.facts["fields"]
    assert "题目" in _text(desk.get(f"/deliberation/topics/{topic.id}/log"))


def test_what_is_voted_on_is_not_edited(make: Make, desk: Client, deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.VOTING)
    answer = desk.post(f"/desk/deliberation/topics/{topic.id}/edit", data=FILLED | {"version": "1"})
    assert answer.status_code == 422
    assert "不能再改" in _text(answer)


def test_who_only_advises_must_say_her_stake(desk: Client, make: Make):
    make.community()
    sent = FILLED | {"parties-2-kind": "supporting", "parties-2-name": "设计院"}
    assert "利害关系" in _text(desk.post("/desk/deliberation/topics/new/form", data=sent))
    answer = desk.post("/desk/deliberation/topics/new/form", data=sent | {"parties-2-stake": "没有"})
    assert answer.status_code == 303


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, "JPEG")
    return out.getvalue()


PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def test_papers_are_pictures_or_plain_pdf_files_and_a_withdrawn_one_is_gone(
    make: Make, desk: Client, app: Flask, deliberating: Deliberating
):
    topic = deliberating.topic()
    address = f"/desk/deliberation/topics/{topic.id}/papers/new"
    for name, body, key in (("图纸", _picture(), "k1"), ("报价", PDF, "k2"), ("报价", PDF, "k2")):
        sent = {"name": name, "words": "", "idem": key, "file": (io.BytesIO(body), "a.bin")}
        assert desk.post(address, data=sent, content_type="multipart/form-data").status_code == 303
    papers = db.session.scalars(sa.select(TopicPaper).order_by(TopicPaper.id)).all()
    assert [one.media for one in papers] == ["image/jpeg", "application/pdf"]
    anybody = app.test_client()
    shown = anybody.get(f"/deliberation/topics/{topic.id}/papers/{papers[0].public_id}")
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    kept = anybody.get(f"/deliberation/topics/{topic.id}/papers/{papers[1].public_id}")
    assert kept.headers["Content-Disposition"].startswith("attachment")
    gone = f"/desk/deliberation/topics/{topic.id}/papers/{papers[1].public_id}/withdraw"
    assert desk.post(gone, data={"why": ""}).status_code == 422
    assert desk.post(gone, data={"why": "报价里有人名"}).status_code == 303
    assert anybody.get(f"/deliberation/topics/{topic.id}/papers/{papers[1].public_id}").status_code == 404
    assert "报价里有人名" in _text(anybody.get(f"/deliberation/topics/{topic.id}/log"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "请选一个文件"),
        (b"MZ not a paper", "也可以传 PDF"),
        (b"%PDF-1.4 cut off", "不完整"),
        (PDF.replace(b"<<>>", b"<</JavaScript (x)>>"), "带有程序"),
    ],
)
def test_a_file_that_is_no_paper_is_refused(desk: Client, deliberating: Deliberating, body: bytes, words: str):
    topic = deliberating.topic()
    sent = {"name": "材料", "idem": "k", "file": (io.BytesIO(body), "a.pdf")}
    address = f"/desk/deliberation/topics/{topic.id}/papers/new"
    answer = desk.post(address, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert words in _text(answer)


def test_asking_at_the_doors_is_noted_once_and_lets_collecting_end(desk: Client, deliberating: Deliberating):
    topic = deliberating.topic(stage_until=today() - timedelta(days=1))
    moving = f"/desk/deliberation/topics/{topic.id}/move/meeting"
    assert "征求意见" in _text(desk.post(moving))
    sent = {"how": "走访 6 号楼各户", "people": "23", "idem": "k"}
    for _turn in range(2):
        assert desk.post(f"/desk/deliberation/topics/{topic.id}/outreach", data=sent).status_code == 303
    assert [entry.deed for entry in db.session.scalars(sa.select(TopicEntry))] == ["outreach"]
    assert desk.post(moving).status_code == 303


def test_skipping_asks_each_reason_beside_its_field(desk: Client, deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    deliberating.reported_meeting(topic)
    address = f"/desk/deliberation/topics/{topic.id}/move/voting"
    page = _text(desk.get(address))
    assert "为什么跳过“专家咨询”" in page
    assert "为什么跳过“补充听证”" in page
    answer = desk.post(address, data={"skip_experts": "不是技术问题"})
    assert answer.status_code == 422
    assert desk.post(address, data={"skip_experts": "不是技术问题", "skip_hearing": "没有争议"}).status_code == 303
    public = _text(desk.get(f"/deliberation/topics/{topic.id}"))
    assert "不是技术问题" in public


def test_a_move_out_of_nothing_is_missing_or_refused_in_words(desk: Client, deliberating: Deliberating):
    topic = deliberating.topic()
    assert desk.get(f"/desk/deliberation/topics/{topic.id}/move/nowhere").status_code == 404
    assert "不能这样走" in _text(desk.get(f"/desk/deliberation/topics/{topic.id}/move/archived"))
    assert desk.post(f"/desk/deliberation/topics/{topic.id}/move/archived").status_code == 422


def test_following_is_once_and_ends_when_asked(app: Flask, deliberating: Deliberating):
    topic = deliberating.topic()
    person, account = deliberating.person_with_account()
    client = app.test_client().sign_in(account)  # type: ignore[attr-defined]
    for _turn in range(2):
        assert client.post(f"/deliberation/topics/{topic.id}/follow").status_code == 303
    assert [one.person_id for one in db.session.scalars(sa.select(TopicFollower))] == [person.id]
    assert topic.title in _text(client.get("/deliberation/topics/mine"))
    client.post(f"/deliberation/topics/{topic.id}/unfollow")
    db.session.rollback()
    assert not db.session.scalars(sa.select(TopicFollower)).all()
    query = sa.select(AuditRow.action).where(AuditRow.action.like("deliberation.topic%")).order_by(AuditRow.id)
    assert list(db.session.scalars(query)) == ["deliberation.topic_followed", "deliberation.topic_unfollowed"]


def test_an_account_that_is_nobodys_yet_is_told_how_to_go_on(make: Make, app: Flask, deliberating: Deliberating):
    topic = deliberating.topic()
    client = app.test_client().sign_in(make.resident())  # type: ignore[attr-defined]
    answer = client.post(f"/deliberation/topics/{topic.id}/follow", follow_redirects=True)
    assert "还没有通过社区的身份核对" in _text(answer)
    assert "还没有核对身份" in _text(client.get("/deliberation/topics/mine"))


def test_the_lists_ask_few_questions_however_many_topics(make: Make, app: Flask, deliberating: Deliberating):
    _person, account = deliberating.person_with_account()
    resident = app.test_client().sign_in(account)  # type: ignore[attr-defined]
    desk = app.test_client().sign_in(make.worker())  # type: ignore[attr-defined]
    asked = []
    for more in (2, 12):
        for _turn in range(more):
            deliberating.topic()
        for client, address in (
            (resident, "/deliberation/"),
            (resident, "/deliberation/topics"),
            (resident, "/deliberation/topics/mine"),
            (desk, "/desk/deliberation/topics"),
        ):
            with count_queries() as seen:
                assert client.get(address).status_code == 200
            asked.append(len(seen))
    assert asked[:4] == asked[4:]
    assert max(asked) <= 8, asked


def test_the_list_is_filtered_by_group_category_community_and_words(make: Make, app: Flask, deliberating: Deliberating):
    other = make.community("荷塘社区")
    one = deliberating.topic("电梯的事")
    two = deliberating.topic("停车的事", area=other, stage=Stage.FOLLOW_UP)
    client = app.test_client()

    def seen(query: str) -> tuple[bool, bool]:
        page = _text(client.get(f"/deliberation/topics?{query}"))
        return one.title in page, two.title in page

    assert seen("") == (True, True)
    assert seen("group=talking") == (True, False)
    assert seen(f"community={other.code}") == (False, True)
    assert seen("q=电梯") == (True, False)
    assert seen("category=policy") == (False, False)
    assert client.get("/deliberation/topics?group=nonsense&page=999999999999").status_code == 200


def test_a_template_is_saved_without_what_residents_said(make: Make, desk: Client, deliberating: Deliberating):
    topic = deliberating.topic()
    deliberating.opinion_of(topic, words="王秀英说不要装")
    make.add(Opinion(topic_id=topic.id, words="先听一楼的意见", state="shown"))
    address = f"/desk/deliberation/topics/{topic.id}/template"
    assert desk.post(address, data={"name": "电梯", "where": "area"}).status_code == 303
    assert desk.post(address, data={"name": "电梯", "where": "street"}).status_code == 422
    template = db.session.scalars(sa.select(TopicTemplate)).one()
    assert template.area_id == make.community().id
    assert template.facts["opinions"] == ["先听一楼的意见"]


def test_a_stage_that_ran_out_waits_on_the_desk(make: Make, desk: Client, deliberating: Deliberating):
    deliberating.topic(stage_until=today() - timedelta(days=1))
    page = _text(desk.get("/desk/"))
    assert "议题这一步到期" in page


def test_the_log_names_no_resident_and_is_there_for_everybody(app: Flask, deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.VOTING, entered_at=now() - timedelta(days=2))
    person, _account = deliberating.person_with_account("欧阳修竹")
    deliberating.follower(topic, person)
    page = _text(app.test_client().get(f"/deliberation/topics/{topic.id}/log"))
    assert "还没有记录" in page
    assert "欧阳修竹" not in page
