"""Pages of meetings and experts: for everybody, for residents, for the committee; a meeting from draft to report."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import now, today
from portal.core.db import db
from portal.deliberation.models.codes import MeetingState, Part, Stage
from portal.deliberation.models.meetings import Attendee, Expert, Meeting, Motion
from portal.deliberation.service import meeting_codes
from portal.identity.permissions import Role
from tests.client import Client
from tests.counting import count_queries

DESK = "/desk/deliberation"


def client_of(app, account) -> Client:
    return app.test_client().sign_in(account)


def text_of(answer) -> str:
    return answer.get_data(as_text=True)


def the_one(model):
    db.session.rollback()
    return db.session.scalars(sa.select(model).order_by(model.id)).one()


@pytest.fixture
def resident(app, make):
    person = make.person()
    return person, client_of(app, make.resident(person))


@pytest.fixture
def desk(app, member):
    """A committee member, who reads nothing of the register."""
    return client_of(app, member)


@pytest.fixture
def member(make):
    return make.worker(Role.COMMITTEE_MEMBER)


SAID = {"part": "speaker", "matter": "楼道灯不亮", "speaks_for": "", "shown_as": "family"}
PLAN = {
    "title": "电梯议事会",
    "forum": "council",
    "body": "",
    "starts": "14:00",
    "ends": "16:00",
    "place": "议事厅",
    "who": "6 号楼居民",
    "entitled": "0",
    "seats": "20",
    "speakers": "3",
    "agenda": "说明方案 15分钟 周洁\n大家讨论",
}


# ---- for everybody and for residents


def test_everybody_reads_the_notice_and_signs_in_to_take_part(client, deliberating):
    meeting = deliberating.meeting()
    page = text_of(client.get(f"/deliberation/meetings/{meeting.id}"))
    assert "还有 30 座" in page
    assert "说明方案" in page
    assert meeting.title in text_of(client.get("/deliberation/meetings"))
    assert client.get(f"/deliberation/meetings/{meeting.id}/join").status_code == 303


def test_a_draft_and_a_meeting_of_a_draft_are_nobodys(client, deliberating):
    draft = deliberating.meeting(state=MeetingState.DRAFT, notified_at=None)
    hidden = deliberating.meeting(deliberating.topic(stage=Stage.DRAFT))
    assert client.get(f"/deliberation/meetings/{draft.id}").status_code == 404
    assert client.get(f"/deliberation/meetings/{hidden.id}").status_code == 404
    assert draft.title not in text_of(client.get("/deliberation/meetings"))


def test_an_empty_list_says_what_to_do(client, make):
    make.community()
    assert "关注一个议题" in text_of(client.get("/deliberation/meetings"))
    assert "会议开完" in text_of(client.get("/deliberation/meetings?past=1"))


def test_a_resident_signs_up_chooses_her_name_and_gives_the_seat_back(make, deliberating, resident):
    meeting, (_person, client) = deliberating.meeting(), resident
    address = f"/deliberation/meetings/{meeting.id}"
    assert client.post(f"{address}/join", data=SAID | {"matter": ""}).status_code == 422
    assert client.post(f"{address}/join", data=SAID).status_code == 303
    assert "您已报名（发言）" in text_of(client.get(address))
    assert client.post(f"{address}/join", data=SAID).status_code == 303
    assert make.read(meeting.capacity).taken == 1
    client.post(f"{address}/name", data={"shown_as": "full"})
    assert the_one(Attendee).shown_as == "full"
    assert client.post(f"{address}/leave", data={"why": ""}).status_code == 303
    assert make.read(meeting.capacity).taken == 0
    assert client.get(f"{address}/leave").status_code == 404


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (MeetingState.NOTIFIED, "来不了请点"),
        (MeetingState.RUNNING, "到了请点“签到”"),
        (MeetingState.CLOSED, "会议已经散会"),
        (MeetingState.REPORTED, ""),
    ],
)
def test_who_signed_up_is_not_asked_to_give_her_seat_back_once_the_meeting_is_over(
    make, deliberating, resident, state, said
):
    person, client = resident
    meeting = deliberating.meeting(state=state)
    make.add(Attendee(meeting_id=meeting.id, person_id=person.id, part=Part.LISTENER))
    page = text_of(client.get(f"/deliberation/meetings/{meeting.id}"))
    assert said in page
    assert ("来不了请点" in page) is (state is MeetingState.NOTIFIED)


def test_who_lives_elsewhere_is_told_how_to_go_on(app, make, deliberating):
    meeting = deliberating.meeting()
    stranger = client_of(app, make.resident(make.person("钱多多", community=make.community("别处社区"))))
    answer = stranger.post(f"/deliberation/meetings/{meeting.id}/join", data=SAID)
    assert answer.status_code == 422
    assert "更新住址" in text_of(answer)
    unknown = client_of(app, make.resident())
    answer = unknown.post(f"/deliberation/meetings/{meeting.id}/join", data=SAID)
    assert answer.status_code == 422


def test_the_calendar_file_is_one(client, deliberating):
    meeting = deliberating.meeting()
    text = text_of(client.get(f"/deliberation/meetings/{meeting.id}/calendar"))
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_the_qr_code_signs_in_with_one_button_and_a_forged_one_says_so(deliberating, resident):
    meeting, (_person, client) = deliberating.meeting(starts_at=now() + timedelta(minutes=30)), resident
    with time_machine.travel(now(), tick=False):
        step = meeting_codes.step_at(now())
        address = f"/deliberation/meetings/{meeting.id}/in/{step}"
        assert "不能用" in text_of(client.get(f"{address}/AAAA"))
        signed = f"{address}/{meeting_codes.signature(meeting, step)}"
        assert "确认签到" in text_of(client.get(signed))
        assert client.post(signed).status_code == 303
    assert the_one(Attendee).came_at is not None


def test_the_figures_on_the_wall_sign_in_as_well(deliberating, resident):
    meeting, (_person, client) = deliberating.meeting(starts_at=now() + timedelta(minutes=30)), resident
    address = f"/deliberation/meetings/{meeting.id}/come"
    assert "camera=(self)" in client.get(address).headers["Permissions-Policy"]
    assert client.post(address, data={"code": ""}).status_code == 422
    pin = meeting_codes.pin(meeting, meeting_codes.step_at(now()))
    assert client.post(address, data={"code": pin}).status_code == 303
    assert "您已签到" in text_of(client.get(f"/deliberation/meetings/{meeting.id}"))


def test_what_came_of_a_meeting_is_told_as_each_chose(client, make, deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    facts = {"state": MeetingState.REPORTED, "notified_at": now(), "minutes": "大家都愿意装。", "title": "电梯协商会"}
    meeting = deliberating.reported_meeting(topic, **facts)
    for name, way in (("赵桂兰", "family"), ("李小红", "full"), ("陈静", "")):
        one = {"part": Part.LISTENER, "came_at": now(), "shown_as": way}
        make.add(Attendee(meeting_id=meeting.id, person_id=make.person(name).id, **one))
    page = text_of(client.get(f"/deliberation/meetings/{meeting.id}"))
    assert "赵女士、李小红" in page
    assert "桂兰" not in page
    assert "陈" not in page
    assert "大家都愿意装。" in page


# ---- at the desk


@pytest.mark.parametrize(("entitled", "warned"), [(3, False), (2, True)])
def test_more_who_count_than_are_entitled_is_said_beside_the_quorum(make, deliberating, desk, entitled, warned):
    meeting = deliberating.meeting(state=MeetingState.RUNNING, quorum=2, entitled=entitled)
    for number in range(3):
        one = {"part": Part.MEMBER, "counts": True, "came_at": now()}
        make.add(Attendee(meeting_id=meeting.id, guest=f"代表{number}", **one))
    for page in ("people", "run"):
        said = text_of(desk.get(f"/desk/deliberation/meetings/{meeting.id}/{page}"))
        assert (f"计入法定到会的有 3 人，比通知里写的有权参加的 {entitled} 人多" in said) is warned


def test_a_meeting_from_draft_to_report_at_the_desk(make, desk, member, deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    day = today() + timedelta(days=4)
    new = f"{DESK}/topics/{topic.id}/meetings/new"
    assert "18 岁以上居民" in text_of(desk.get(new))
    assert desk.post(new, data=PLAN | {"day": ""}).status_code == 422
    twice = PLAN | {"day": day.isoformat(), "idem": "k" * 24}
    assert desk.post(new, data=twice).status_code == 303
    assert desk.post(new, data=twice).status_code == 303
    meeting = the_one(Meeting)
    assert [(one.title, one.minutes, one.speaker) for one in meeting.agenda] == [
        ("说明方案", 15, "周洁"),
        ("大家讨论", 10, ""),
    ]
    page = f"{DESK}/meetings/{meeting.id}"
    assert "发布通知" in text_of(desk.get(f"{page}/notice"))
    assert desk.post(f"{page}/notice", data={"contact": "周洁"}).status_code == 303
    assert "电梯议事会" in text_of(desk.get(f"{page}/wall"))
    assert desk.post(f"{page}/edit", data=PLAN | {"day": day.isoformat(), "place": "礼堂"}).status_code == 422
    assert (
        desk.post(f"{page}/edit", data=PLAN | {"day": day.isoformat(), "place": "礼堂", "why": "换"}).status_code == 303
    )
    guest = {"guest": "张经理", "part": "member", "speaks_for": "物业", "counts": "y", "idem": "g" * 24}
    assert desk.post(f"{page}/people/add", data=guest).status_code == 303
    assert desk.post(f"{page}/people/add", data=guest).status_code == 303
    with time_machine.travel(meeting.starts_at, tick=True):
        _run_to_report(desk.sign_in(member), meeting, page)
    assert make.read(meeting).state is MeetingState.REPORTED


def _run_to_report(desk, meeting, page):
    one = the_one(Attendee)
    assert desk.post(f"{page}/people/{one.public_id}", data={"act": "here"}).status_code == 303
    desk.post(f"{page}/run", data={"act": "open"})
    desk.post(f"{page}/run", data={"act": "begin", "item": meeting.agenda[0].id})
    assert "能举手的" in text_of(desk.get(f"{page}/run"))
    assert desk.post(f"{page}/motions", data={"words": "", "item": "0"}).status_code == 422
    assert desk.post(f"{page}/motions", data={"words": "同意装电梯", "item": "0"}).status_code == 303
    number = the_one(Motion).id
    hands = {"yes": "1", "no": "0", "abstain": "0"}
    assert desk.post(f"{page}/motions/{number}", data=hands).status_code == 303
    saved = desk.post(
        f"{page}/minutes",
        data={"seen": "0", "minutes": "商量好了"},
        headers={"HX-Request": "true", "HX-Target": "minutes-saved"},
    )
    assert 'name="seen" value="1"' in text_of(saved)
    late = desk.post(f"{page}/minutes", data={"seen": "0", "minutes": "另一份"})
    assert late.status_code == 422
    assert "商量好了" in text_of(late)
    document = desk.get(f"{page}/minutes/file").data
    back = {"seen": "1", "file": (io.BytesIO(document), "纪要.docx")}
    assert desk.post(f"{page}/minutes/file", data=back).status_code == 303
    desk.post(f"{page}/run", data={"act": "close"})
    report = desk.get(f"{page}/report")
    assert "同意装电梯" in text_of(report)
    assert desk.post(f"{page}/report", data={"report": "装电梯通过了。"}).status_code == 303


def test_a_committee_member_finds_one_resident_and_no_list(make, desk, deliberating):
    meeting = deliberating.meeting()
    person = make.person("赵桂兰", phone="13812345678")
    make.person("赵桂芳")
    seek = f"{DESK}/meetings/{meeting.id}/people/seek"
    assert "找到的居民" not in text_of(desk.post(seek, data={"q": "赵"}))
    assert "找到的居民" not in text_of(desk.post(seek, data={"q": "赵桂"}))
    found = text_of(desk.post(seek, data={"q": "赵桂兰"}))
    assert "138****5678" in found
    assert "13812345678" not in found
    add = f"{DESK}/meetings/{meeting.id}/people/add/{person.public_id}"
    assert "138****5678" in text_of(desk.get(add))
    assert desk.post(add, data={"part": "member", "counts": "y"}).status_code == 303
    people = text_of(desk.get(f"{DESK}/meetings/{meeting.id}/people"))
    assert "赵桂兰" in people
    assert "赵桂兰" in text_of(desk.get(f"{DESK}/meetings/{meeting.id}/sheet"))


def test_what_is_not_hers_does_not_exist(app, make, deliberating):
    meeting = deliberating.meeting()
    other = client_of(app, make.worker(Role.COMMITTEE_MEMBER, make.community("别处社区")))
    for path in (
        "",
        "/edit",
        "/notice",
        "/cancel",
        "/people",
        "/run",
        "/minutes",
        "/report",
        "/code",
        "/sheet",
        "/wall",
    ):
        assert other.get(f"{DESK}/meetings/{meeting.id}{path}").status_code == 404, path
    assert other.get(f"{DESK}/topics/{meeting.topic_id}/meetings/new").status_code == 404
    assert meeting.title not in text_of(other.get(f"{DESK}/meetings"))


def test_a_street_topics_meeting_is_read_by_its_communities_and_kept_by_the_street(app, make, deliberating, desk):
    topic = deliberating.topic(area=make.street(), communities=[make.community()], stage=Stage.MEETING)
    meeting = deliberating.meeting(topic)
    assert desk.get(f"{DESK}/meetings/{meeting.id}").status_code == 200
    assert desk.get(f"{DESK}/meetings/{meeting.id}/people").status_code == 404
    street = client_of(app, make.worker(Role.STREET_ADMINISTRATOR))
    assert street.get(f"{DESK}/meetings/{meeting.id}/people").status_code == 200


@pytest.mark.parametrize("address", ["/deliberation/meetings", f"{DESK}/meetings", f"{DESK}/meetings/1/people"])
def test_lists_ask_as_much_however_long_they_are(make, desk, deliberating, address):
    first = deliberating.meeting()
    for number in range(12):
        deliberating.meeting()
        make.add(Attendee(meeting_id=first.id, person_id=make.person(f"居民{number}").id, part=Part.LISTENER))
    with count_queries() as asked:
        assert desk.get(address).status_code == 200
    assert len(asked) <= 8, asked


def test_experts_at_the_desk_and_for_everybody(client, desk, deliberating):
    topic = deliberating.topic(stage=Stage.EXPERTS)
    page = f"{DESK}/topics/{topic.id}/experts"
    assert "还没有请专家" in text_of(desk.get(page))
    said = {"name": "刘工", "field": "电梯安全", "phone": "13900001111", "advice": "能装，要加固。", "has_stake": ""}
    assert desk.post(f"{page}/new", data=said).status_code == 303
    one = the_one(Expert)
    desk.post(f"{page}/{one.id}/publish")
    assert "刘工" not in text_of(client.get(f"/deliberation/topics/{topic.id}/experts"))
    assert desk.post(f"{page}/{one.id}", data=said | {"has_stake": "no"}).status_code == 303
    desk.post(f"{page}/{one.id}/publish")
    public = text_of(client.get(f"/deliberation/topics/{topic.id}/experts"))
    assert "申报没有" in public
    assert "13900001111" not in public
    assert desk.post(f"{page}/{one.id}/withdraw", data={"why": ""}).status_code == 422
    assert desk.post(f"{page}/{one.id}/withdraw", data={"why": "有关系"}).status_code == 303
    assert "刘工" not in text_of(client.get(f"/deliberation/topics/{topic.id}/experts"))


def test_the_topics_page_leads_to_its_meetings_on_both_platforms(client, desk, deliberating):
    meeting = deliberating.meeting()
    assert f"/deliberation/meetings/{meeting.id}" in text_of(client.get(f"/deliberation/topics/{meeting.topic_id}"))
    assert f"{DESK}/meetings/{meeting.id}" in text_of(desk.get(f"{DESK}/topics/{meeting.topic_id}"))


@pytest.mark.parametrize("area", ["sNaN", "NaN", "Infinity", "-inf", "1e999999"])
def test_an_area_that_is_no_figure_is_refused_at_its_field(desk, deliberating, area):
    topic = deliberating.topic(stage=Stage.MEETING)
    plan = PLAN | {"day": (today() + timedelta(days=5)).isoformat(), "entitled_area": area}
    answer = desk.post(f"{DESK}/topics/{topic.id}/meetings/new", data=plan)
    assert answer.status_code == 422
    assert "entitled_area-error" in text_of(answer)
    assert db.session.scalar(sa.select(sa.func.count(Meeting.id))) == 0
