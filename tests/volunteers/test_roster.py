"""The roster: a week of shifts and of people, what is short, who is in trouble; its papers and words to many."""

import io
from datetime import time, timedelta

import openpyxl
import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import at, local, now, today
from portal.core.db import db
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.notifications.wording import words_for
from portal.volunteers.models.codes import InvitationState, SignupState
from portal.volunteers.models.signups import Invitation
from portal.volunteers.service import roster
from portal.volunteers.service.roster_rows import Tint, Wanted
from tests.counting import count_queries
from tests.helping import Helping

ROSTER = "/desk/volunteers/roster"


@pytest.fixture
def helping(make):
    return Helping(make)


def monday():
    """Of next week: nothing of it has begun."""
    return today() - timedelta(days=today().weekday()) + timedelta(days=7)


def on(day, hour, minute=0):

    return at(monday() + timedelta(days=day), time(hour, minute))


def week(shift, **wanted):
    db.session.rollback()
    return roster.week([shift.community_id], monday(), Wanted(**wanted))


def test_a_week_shows_each_shift_on_its_day_with_who_is_on_it_and_how_many_are_missing(helping):
    shift = helping.shift(starts_at=on(2, 9))
    signup = helping.signup(shift.posts[0])
    found = week(shift)
    (card,) = found.cards[monday() + timedelta(days=2)]
    assert (card.hours, card.missing, card.tint) == ("09:00–11:00", 1, Tint.SHORT)
    (name,) = card.posts[0].names
    assert (name.public_id, name.minutes, name.is_new, name.moves) == (signup.public_id, 120, True, True)
    assert found.missing == 1


def test_full_and_more_than_usual_are_told_apart(helping):
    activity = helping.activity(positions=[helping.position("甲", needs=1), helping.position("乙", needs=1)])
    shift = helping.shift(activity, on(0, 9), needs={"乙": 2})
    helping.signup(shift.posts[0])
    for _turn in range(2):
        helping.signup(shift.posts[1])
    (card,) = week(shift).all_cards
    assert [post.tint for post in card.posts] == [Tint.EXACT, Tint.OVER]
    assert (card.tint, card.over) == (Tint.OVER, 1)


def test_a_shift_over_midnight_says_so_and_stands_on_the_day_it_begins(helping):
    shift = helping.shift(starts_at=on(6, 22), hours=4)
    (card,) = week(shift).cards[monday() + timedelta(days=6)]
    assert card.hours == "22:00–02:00+1"


def test_a_shift_of_the_week_before_or_of_another_community_is_not_shown(make, helping):
    shift = helping.shift(starts_at=on(0, 9))
    helping.shift(starts_at=on(-1, 9))
    helping.shift(helping.activity(community=make.community("荷塘社区")), on(0, 9))
    assert [card.id for card in week(shift).all_cards] == [shift.id]


def test_hours_elsewhere_count_and_show_no_more_than_when(make, helping):
    shift = helping.shift(starts_at=on(1, 9))
    signup = helping.signup(shift.posts[0])
    away = helping.activity("荷塘的活动", community=make.community("荷塘社区"))
    helping.signup(helping.post(helping.shift(away, on(3, 9), hours=3)), signup.volunteer)
    line = next(one for one in week(shift).people if one.id == signup.volunteer_id)
    assert line.minutes == 300
    (elsewhere,) = line.names[monday() + timedelta(days=3)]
    assert elsewhere.shift.public_id == ""


def test_too_much_of_a_day_too_little_rest_and_more_than_wished_are_conflicts(helping):
    volunteer = helping.volunteer(week_hours=6)
    first = helping.shift(starts_at=on(1, 8), hours=6)
    helping.signup(first.posts[0], volunteer)
    helping.signup(helping.post(helping.shift(starts_at=on(1, 14, 10), hours=3)), volunteer)
    line = next(one for one in week(first).people if one.id == volunteer.id)
    assert len(line.trouble) == 3
    assert ["一天" in line.trouble[0], "休息" in line.trouble[1], "希望" in line.trouble[2]] == [True] * 3


def test_who_stays_on_for_the_next_shift_of_the_same_activity_needs_no_rest_between(helping):
    activity, volunteer = helping.activity(), helping.volunteer()
    first = helping.shift(activity, on(1, 8))
    helping.signup(first.posts[0], volunteer)
    helping.signup(helping.post(helping.shift(activity, on(1, 10))), volunteer)
    assert week(first).troubled == []


def test_filters_narrow_the_cards_and_not_the_hours(helping):
    skill = helping.skill("急救")
    able = helping.shift(helping.activity(positions=[helping.position(needs=1, skills=[skill])]), on(0, 9))
    plain = helping.shift(helping.activity(positions=[helping.position(needs=1)]), on(2, 9))
    helping.signup(plain.posts[0])
    assert [card.id for card in week(able, skill=skill.id).all_cards] == [able.id]
    assert [card.id for card in week(able, short=True).all_cards] == [able.id]
    assert [card.id for card in week(able, activity=plain.activity.public_id).all_cards] == [plain.id]
    assert [name for _key, name in week(able).skills] == ["急救"]


@pytest.mark.parametrize("view", ["", "people"])
def test_a_roster_of_many_asks_no_more_than_eight_questions(make, helping, app, view):
    worker = app.test_client().sign_in(make.worker())
    for turn in range(20):
        shift = helping.shift(starts_at=on(turn % 7, 8 + turn % 5))
        helping.signup(shift.posts[0])
    with count_queries() as asked:
        page = worker.get(f"{ROSTER}?week={monday().isoformat()}&view={view}")
    assert page.status_code == 200
    assert len(asked) <= 8, asked


def test_an_empty_week_says_what_to_do(make, app):
    page = app.test_client().sign_in(make.worker()).get(ROSTER)
    assert "这一周还没有班次" in page.text


def test_a_worker_of_another_community_sees_nothing_of_it(make, helping, app):
    shift = helping.shift(starts_at=on(0, 9))
    signup = helping.signup(shift.posts[0])
    stranger = app.test_client().sign_in(make.worker(Role.COMMUNITY_WORKER, scope=make.community("荷塘社区")))
    assert shift.activity.title not in stranger.get(f"{ROSTER}?week={monday().isoformat()}").text
    assert stranger.get(f"{ROSTER}/places/{signup.public_id}").status_code == 404
    assert stranger.get(f"{ROSTER}/posts/{shift.posts[0].id}").status_code == 404
    sent = {"act": "remove", "signup": signup.public_id, "reason": "试试"}
    assert stranger.post(ROSTER, data=sent).status_code == 404


def test_the_pages_behind_a_name_and_a_post_show_what_may_be_done(make, helping, app):
    shift = helping.shift(starts_at=on(0, 9))
    signup, other = helping.signup(shift.posts[0]), helping.volunteer()
    worker = app.test_client().sign_in(make.worker())
    place = worker.get(f"{ROSTER}/places/{signup.public_id}").text
    assert "从这一班调出" in place
    post = worker.get(f"{ROSTER}/posts/{shift.posts[0].id}").text
    assert other.person.name in post
    assert "不能安排的人" in post


def test_paper_and_workbook_name_who_is_on_and_what_is_open_and_leave_a_trace(make, helping, app):
    shift = helping.shift(starts_at=on(0, 9))
    volunteer = helping.volunteer(make.person("=HYPERLINK(1)"))
    helping.signup(shift.posts[0], volunteer)
    worker = app.test_client().sign_in(make.worker())
    address = f"week={monday().isoformat()}"
    for size in ("a4", "a3"):
        for view in ("", "people"):
            paper = worker.post(f"{ROSTER}/print?{address}&view={view}", data={"size": size})
            assert "=HYPERLINK(1)" in paper.text
    assert worker.post(f"{ROSTER}/files?{address}", data={"reason": ""}).status_code == 422
    book = worker.post(f"{ROSTER}/files?{address}", data={"reason": "贴在活动室"})
    rows = list(openpyxl.load_workbook(io.BytesIO(book.data)).active.iter_rows(values_only=True))
    cell = openpyxl.load_workbook(io.BytesIO(book.data)).active["H2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")
    assert "缺 1 人" in rows[2][7]
    assert "导出" in rows[1][10]
    db.session.rollback()
    deeds = set(db.session.scalars(sa.select(AuditRow.action)))
    assert {"volunteers.roster_printed", "volunteers.roster_exported"} <= deeds


def test_the_calendar_file_has_each_shift_and_no_names(make, helping, app):
    shift = helping.shift(starts_at=on(0, 9))
    signup = helping.signup(shift.posts[0])
    file = app.test_client().sign_in(make.worker()).get(f"{ROSTER}/calendar.ics?week={monday().isoformat()}")
    text = file.text.replace("\r\n ", "")
    assert f"DTSTART;TZID=Asia/Shanghai:{local(shift.starts_at):%Y%m%dT%H%M%S}" in text
    assert "1/2" in text
    assert signup.volunteer.person.name not in text
    assert all(len(line.encode()) <= 75 for line in file.text.split("\r\n"))


def _told():
    db.session.rollback()
    query = sa.select(OutboxRow).where(OutboxRow.topic == "volunteers.roster_message").order_by(OutboxRow.id)
    return list(db.session.scalars(query))


def test_words_to_a_day_are_previewed_and_reach_everybody_once(make, helping, app):
    first, second = helping.shift(starts_at=on(0, 9)), helping.shift(starts_at=on(0, 14))
    signup = helping.signup(first.posts[0])
    helping.signup(second.posts[0], signup.volunteer)
    helping.signup(second.posts[0])
    worker = app.test_client().sign_in(make.worker())
    address = f"{ROSTER}/message?week={monday().isoformat()}&day={monday().isoformat()}"
    sent = {"words": "下雨，请带伞", "idem": "k1"}
    preview = worker.post(address, data=sent)
    assert "发给 2 人" in preview.text
    assert _told() == []
    assert worker.post(address, data=sent | {"send": "1"}).status_code == 303
    assert worker.post(address, data=sent | {"send": "1"}).status_code == 303
    assert [row.facts["words"] for row in _told()] == ["下雨，请带伞"] * 2


def test_what_is_said_to_many_stands_in_their_inbox(make, helping, app):
    signup = helping.signup(helping.shift(starts_at=on(0, 9)).posts[0])
    sent = {"words": "下雨，请带伞", "idem": "k2", "send": "1"}
    address = f"{ROSTER}/message?week={monday().isoformat()}&day={monday().isoformat()}"
    app.test_client().sign_in(make.worker()).post(address, data=sent)
    (row,) = _told()
    read = words_for(row.topic, row.facts)
    assert signup.post.shift.activity.title in read.title
    assert "下雨，请带伞" in read.body
    assert "09:00" in read.body


def test_words_go_to_those_who_have_not_come_and_to_those_who_have_not_answered(make, helping, app):
    shift = helping.shift(starts_at=now() - timedelta(minutes=30))
    late = helping.signup(shift.posts[0])
    helping.signup(shift.posts[0], state=SignupState.PRESENT)
    asked = helping.volunteer()
    facts = {"answer_by": now() + timedelta(hours=1), "asked_by_name": "周洁", "state": InvitationState.ASKED}
    make.add(Invitation(post_id=shift.posts[0].id, volunteer_id=asked.id, **facts))
    worker = app.test_client().sign_in(make.worker())
    for whom, volunteer in (("absent", late.volunteer), ("unanswered", asked)):
        page = worker.get(f"{ROSTER}/message?shift={shift.public_id}&whom={whom}")
        assert "收到的人：1 位" in page.text
        assert volunteer.person.name in page.text
