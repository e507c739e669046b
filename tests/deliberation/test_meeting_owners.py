"""Meetings of owners: whether enough came is asked of heads and of area, at, under and over each threshold."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.forms.meetings import meeting_form
from portal.deliberation.models.codes import Body, Forum, MeetingState, Part, Stage, VoteState
from portal.deliberation.models.meetings import Attendee, Meeting, Motion
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollEntry, RollPerson, Vote
from portal.deliberation.service import (
    guards,
    meeting_attendance,
    meeting_minutes,
    meeting_notices,
    meeting_reports,
    meeting_running,
    moving,
    rolls,
    rules,
)
from portal.identity.permissions import Role
from portal.registry.models import Person
from portal.registry.models.owners import Owner, Title
from portal.registry.service import owners
from portal.registry.service.owners import OwnerFacts
from tests.deliberating import Deliberating
from tests.make import Make

pytestmark = pytest.mark.both_databases

RULE: dict[str, Any] = {
    "body": Body.OWNERS_ORDINARY.value,
    "article": "民法典第二百七十八条",
    "notice_days": 15,
    "quorum": [2, 3],
    "quorum_over": False,
    "passes": [1, 2],
    "passes_over": True,
    "by_area": True,
    "least_age": 18,
    "confirmed": True,
}


class House:
    """A building whose homes have areas and owners; a meeting of its owners that runs."""

    def __init__(self, make: Make, deliberating: Deliberating) -> None:
        self.make, self.deliberating = make, deliberating
        self.topic = deliberating.topic(stage=Stage.MEETING)
        self.estate = make.add(Estate(community_id=make.community().id, name="东苑"))
        self.building = make.add(Building(estate_id=self.estate.id, name="1号楼"))

    def home(self, room: str, area: str, *people: Person) -> Dwelling:
        made = self.make.add(Dwelling(building_id=self.building.id, room=room, area_m2=Decimal(area)))
        by = self.deliberating.committee()
        with transaction():
            for one in people:
                owners.add(made, OwnerFacts("", person=one), since=None, source="不动产登记", by=by)
        return made

    def sold_to(self, home: Dwelling, name: str, number: str = "") -> Owner:
        """Somebody from elsewhere, or a company, owns a home."""
        by = self.deliberating.committee()
        with transaction():
            facts = OwnerFacts(name, id_number=number)
            return owners.add(home, facts, since=None, source="不动产登记", by=by).owner

    def meeting(self, *, entitled: int, area: str, state: MeetingState = MeetingState.RUNNING) -> Meeting:
        quorum = -(-entitled * 2 // 3)
        more = {"rule": RULE, "entitled": entitled, "quorum": quorum, "entitled_area": Decimal(area), "state": state}
        return self.deliberating.meeting(self.topic, starts_at=now() - timedelta(hours=1), **more)

    def come(self, meeting: Meeting, *people: Person | str, owner: Owner | None = None) -> None:
        for one in people:
            who = {"guest": one} if isinstance(one, str) else {"person_id": one.id}
            row = {"owner_id": owner.id if owner else None, "part": Part.MEMBER, "counts": True, "came_at": now()}
            self.make.add(Attendee(meeting_id=meeting.id, **row, **who))


@pytest.fixture
def house(make: Make, deliberating: Deliberating) -> House:
    return House(make, deliberating)


def standing(make: Make, meeting: Meeting) -> meeting_attendance.Standing:
    return meeting_attendance.standing(make.read(meeting))


def test_one_owner_of_two_homes_and_two_owners_of_one_are_each_a_head(make, house):
    wife, husband, other = (make.person(f"业主{turn}") for turn in range(3))
    house.home("101", "90.50", wife, husband)
    house.home("102", "60.25", other)
    house.home("103", "50", other)
    meeting = house.meeting(entitled=3, area="250.75")
    house.come(meeting, wife, husband, other)
    stand = standing(make, meeting)
    assert (stand.came, stand.counted, stand.area) == (3, 2, Decimal("200.75"))


def test_one_person_who_was_entered_twice_as_an_owner_is_one_head_as_on_a_roll(make, house):
    """From two files, or from two records that were merged since."""
    one, old = make.person("吴业主"), make.person("吴业主")
    house.home("101", "60", one)
    house.home("102", "40", old)
    with transaction() as session:
        row = session.get_one(Person, old.id)
        row.merged_into_id = one.id
    meeting = house.meeting(entitled=3, area="300")
    house.come(meeting, one)
    assert (standing(make, meeting).counted, standing(make, meeting).area) == (1, Decimal("100.00"))


@pytest.mark.parametrize(
    ("area", "reached"),
    [("300.00", True), ("300.01", False), ("299.99", True)],
)
def test_two_thirds_of_the_area_are_enough_and_a_hair_less_is_not(make, house, area, reached):
    people = [make.person(f"业主{turn}") for turn in range(2)]
    for turn, one in enumerate(people):
        house.home(f"10{turn}", "100", one)
    meeting = house.meeting(entitled=3, area=area)
    house.come(meeting, *people)
    stand = standing(make, meeting)
    assert stand.counted == stand.quorum == 2
    assert (stand.area_reached, stand.reached) == (reached, reached)


def test_without_the_area_no_hands_are_counted_and_the_topic_does_not_go_on(make, house):
    one, two = make.person("赵业主"), make.person("钱业主")
    house.home("101", "80", one)
    house.home("102", "20", two)
    meeting = house.meeting(entitled=3, area="300")
    house.come(meeting, one, two)
    motion = make.add(Motion(meeting_id=meeting.id, words="同意装电梯"))
    with pytest.raises(Refused, match=r"面积不够：100\.00 .*200\.00"), transaction() as session:
        held = session.get_one(Meeting, meeting.id)
        meeting_running.count(held, session.get_one(Motion, motion.id), yes=2, no=0, abstain=0)
    with transaction() as session:
        held = session.get_one(Meeting, meeting.id)
        held.state, held.reported_at = MeetingState.REPORTED, now()
    with transaction() as session:
        topic = session.get_one(Topic, house.topic.id)
        assert "不够法定人数" in " ".join(flaw.words for flaw in guards.flaws(topic, Stage.VOTING))


def test_who_stands_in_no_register_is_a_head_without_area(make, house):
    owner, tenant = make.person("孙业主"), make.person("李租客")
    house.home("101", "80", owner)
    meeting = house.meeting(entitled=3, area="100")
    house.come(meeting, owner, tenant, "公司代表")
    stand = standing(make, meeting)
    assert (stand.counted, stand.area) == (3, Decimal("80.00"))


def test_a_record_that_was_merged_into_another_keeps_its_home(make, house):
    old, new = make.person("周业主"), make.person("周业主")
    house.home("101", "80", old)
    with transaction() as session:
        row = session.get_one(Person, old.id)
        row.merged_into_id = new.id
    meeting = house.meeting(entitled=1, area="80")
    house.come(meeting, new)
    assert standing(make, meeting).area == Decimal("80.00")


def test_the_roll_of_the_topics_own_vote_comes_before_the_register(make, house, deliberating):
    one, struck = make.person("吴业主"), make.person("郑业主")
    house.home("101", "999", one)
    vote = deliberating.vote(house.topic, body=Body.OWNERS_ORDINARY, rule=RULE, state=VoteState.ROLL)
    for number, (person, area) in enumerate(((one, "80"), (struck, "70")), start=1):
        row = {"number": number, "unit": f"owner:{number}", "name": person.name, "area_m2": Decimal(area)}
        entry = make.add(RollEntry(vote_id=vote.id, struck_at=now() if person is struck else None, **row))
        make.add(RollPerson(vote_id=vote.id, entry_id=entry.id, person_id=person.id))
    meeting = house.meeting(entitled=1, area="80")
    house.come(meeting, one, struck)
    stand = standing(make, meeting)
    assert (stand.counted, stand.area) == (1, Decimal("80.00"))


def test_a_meeting_of_owners_is_announced_with_their_area(make, house, deliberating):
    meeting = house.meeting(entitled=3, area="0", state=MeetingState.DRAFT)
    assert "专有面积" in " ".join(meeting_notices.flaws(make.read(meeting)))


def test_the_desk_and_the_minutes_say_both(app, make, house):
    owner = make.person("王业主")
    house.home("101", "80", owner)
    meeting = house.meeting(entitled=3, area="300")
    house.come(meeting, owner)
    desk = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))
    page = desk.get(f"/desk/deliberation/meetings/{meeting.id}/run").text
    assert "到会业主面积" in page
    assert "至少 200.00" in page
    with app.test_request_context():
        assert "专有面积 80.00 平方米" in meeting_minutes.attendance_said(make.read(meeting))


def test_whose_home_was_sold_is_not_put_back_beside_the_buyer(make, house, deliberating):
    seller, buyer = make.person("卖家"), make.person("买家")
    with transaction():
        rules.load_law()
    home = house.home("101", "80", seller)
    by = deliberating.committee()
    times = {"opens_at": now() + timedelta(days=5), "closes_at": now() + timedelta(days=9)}
    facts = {"body": Body.OWNERS_ORDINARY, "state": VoteState.ROLL, "frozen_at": None}
    vote = deliberating.vote(house.topic, **facts, **times)

    def built() -> None:
        with transaction() as session:
            rolls.build(session.get_one(Vote, vote.id), by=by)

    built()
    with transaction() as session:
        (title,) = session.scalars(sa.select(Title))
        session.get_one(Owner, title.owner_id).person_id = buyer.id
        session.delete(title)
        session.flush()
        owners.add(session.get_one(Dwelling, home.id), OwnerFacts("", person=buyer), since=None, source="过户", by=by)
    built()
    (gone,) = [one for one in rolls.entries(make.read(vote), struck=True) if one.struck_at]
    with pytest.raises(Refused, match="房屋登记里已没有"), transaction() as session:
        rolls.restore(session.get_one(Vote, vote.id), gone.number, why="本人来问", by=by)
    assert rolls.entitled(make.read(vote)).area == Decimal("80.00")


@pytest.mark.parametrize("village", [False, True])
def test_another_bodys_meeting_does_not_begin_with_the_heads_of_the_owners(app, make, house, deliberating, village):
    owner = make.person("业主", born=None)
    vote = deliberating.vote(house.topic, body=Body.OWNERS_ORDINARY, rule=RULE, state=VoteState.ROLL)
    deliberating.entry(vote, owner, area="80")
    with transaction() as session:
        session.get_one(Topic, house.topic.id).forum = Forum.DELEGATES if village else Forum.COUNCIL
    with app.test_request_context():
        begun = meeting_form(make.read(house.topic))
    assert (begun.entitled.data, begun.entitled_area.data) == ((0, None) if village else (1, Decimal("80.00")))


def test_where_owners_who_are_no_person_cannot_be_counted_the_topic_goes_on_with_a_reason(make, house, deliberating):
    one = make.person("赵业主")
    house.home("101", "80", one)
    meeting = house.meeting(entitled=1, area="300", state=MeetingState.REPORTED)
    house.come(meeting, one, "开发商代表")
    with transaction() as session:
        session.get_one(Meeting, meeting.id).reported_at = now()
    (flaw,) = guards.flaws(make.read(house.topic), Stage.VOTING)
    assert flaw.heals
    assert "面积" in flaw.words
    by = deliberating.committee()
    with pytest.raises(Refused, match="面积"), transaction() as session:
        moving.move(session.get_one(Topic, house.topic.id), Stage.EXPERTS, by=by)
    assert not guards.flaws(make.read(deliberating.topic(stage=Stage.MEETING)), Stage.VOTING)[0].heals


def test_what_was_counted_at_a_reported_meeting_does_not_change_with_a_later_vote(app, make, house, deliberating):
    owner = make.person("赵业主")
    house.home("101", "80", owner)
    meeting = house.meeting(entitled=1, area="80", state=MeetingState.CLOSED)
    house.come(meeting, owner)
    by = deliberating.committee()
    with app.test_request_context(), transaction() as session:
        held = session.get_one(Meeting, meeting.id)
        held.minutes = "都说了话。"
        meeting_reports.publish(held, "开过会了。", cover=False, by=by)
    vote = deliberating.vote(house.topic, body=Body.OWNERS_ORDINARY, rule=RULE, state=VoteState.DRAFT)
    deliberating.entry(vote, make.person("钱业主"), area="999")
    stand = standing(make, meeting)
    assert (stand.counted, stand.area, stand.reached) == (1, Decimal("80.00"), True)


COMPANY = "春风置业有限公司"


def attendees() -> list[Attendee]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Attendee)))


def test_whoever_comes_for_a_company_brings_its_head_and_its_area(make, house):
    one, tenant = make.person("赵业主"), make.person("李租客")
    house.home("101", "80", one)
    company = house.sold_to(house.home("102", "100"), COMPANY, "91330100MA2KXYZW0H")
    house.sold_to(house.home("103", "50"), COMPANY, "91330100MA2KXYZW0H")
    meeting = house.meeting(entitled=3, area="300")
    house.come(meeting, one)
    house.come(meeting, "公司的人", tenant, owner=company)
    stand = standing(make, meeting)
    assert (stand.came, stand.counted, stand.area) == (3, 2, Decimal("230.00"))
    assert stand.reached


def test_a_home_of_a_resident_and_somebody_from_elsewhere_counts_once(make, house):
    one = make.person("赵业主")
    home = house.home("101", "80", one)
    other = house.sold_to(home, "在外地的弟弟")
    meeting = house.meeting(entitled=3, area="300")
    house.come(meeting, one)
    house.come(meeting, "弟弟", owner=other)
    assert (standing(make, meeting).counted, standing(make, meeting).area) == (1, Decimal("80.00"))


def test_who_sold_the_home_before_the_meeting_brings_no_area(make, house):
    other = house.sold_to(house.home("101", "80"), "卖了房的人")
    with transaction() as session:
        title = session.scalars(sa.select(Title)).one()
        owners.end(title, until=title_end(), why="卖了")
    meeting = house.meeting(entitled=3, area="300")
    house.come(meeting, "卖了房的人", owner=other)
    assert (standing(make, meeting).counted, standing(make, meeting).area) == (1, Decimal("0.00"))


def title_end():
    return now().date() - timedelta(days=2)


def test_on_a_roll_a_company_counts_by_the_line_its_homes_stand_on(make, house, deliberating):
    with transaction():
        rules.load_law()
    company = house.sold_to(house.home("101", "80"), COMPANY)
    times = {"opens_at": now() + timedelta(days=5), "closes_at": now() + timedelta(days=9)}
    vote = deliberating.vote(
        house.topic, body=Body.OWNERS_ORDINARY, state=VoteState.ROLL, frozen_at=None, roll_at=None, **times
    )
    by = deliberating.committee()
    with transaction() as session:
        rolls.build(session.get_one(Vote, vote.id), by=by)
    meeting = house.meeting(entitled=1, area="80")
    house.come(meeting, "公司的人", owner=company)
    assert (standing(make, meeting).counted, standing(make, meeting).area) == (1, Decimal("80.00"))
    with transaction() as session:
        rolls.strike(session.get_one(Vote, vote.id), 1, why="不是业主", by=by)
    assert (standing(make, meeting).counted, standing(make, meeting).area) == (0, Decimal("0.00"))


@pytest.mark.parametrize("words", [COMPANY, "春风置业（有限公司）", "101", "东苑1号楼101", "1号楼 101"])
def test_the_desk_finds_the_owner_by_the_whole_name_or_by_a_home(app, make, house, words):
    house.sold_to(
        house.home("101", "80"), COMPANY if "（" not in words else words.replace("（", "(").replace("）", ")")
    )
    meeting = house.meeting(entitled=3, area="300")
    desk = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))
    address = f"/desk/deliberation/meetings/{meeting.id}/people/add"
    said = {"guest": "周经理", "part": "member", "owner": words, "idem": "k" * 20}
    assert "代表哪位业主出席" in desk.get(address).text
    assert desk.post(address, data=said).status_code == 303
    (one,) = attendees()
    assert (one.owner_id is not None, one.counts) == (True, True)
    assert one.speaks_for.startswith("春风置业")
    assert "代表业主出席" in desk.get(f"/desk/deliberation/meetings/{meeting.id}/people").text


def test_an_owner_who_is_not_found_or_not_the_only_one_is_told_so(app, make, house):
    for room in ("101", "102"):
        house.sold_to(house.home(room, "80"), "王伟")
    house.home("103", "80", make.person("李住户"))
    meeting = house.meeting(entitled=3, area="300")
    desk = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))
    address = f"/desk/deliberation/meetings/{meeting.id}/people/add"
    said = {"guest": "来人", "part": "member", "idem": "k" * 20}
    assert "不止一位" in desk.post(address, data={**said, "owner": "王伟"}).text
    for words in ("没有这个人", "李住户", "103"):
        assert "没有找到这位业主" in desk.post(address, data={**said, "owner": words}).text
    assert attendees() == []
    assert desk.post(address, data={**said, "owner": "东苑1号楼102"}).status_code == 303


def test_only_a_meeting_of_owners_asks_for_whom_somebody_comes(app, make, house, deliberating):
    meeting = deliberating.meeting(house.topic)
    desk = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))
    assert "代表哪位业主出席" not in desk.get(f"/desk/deliberation/meetings/{meeting.id}/people/add").text
