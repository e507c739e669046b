"""Who becomes a volunteer and with whose consent, what she says of herself, and how her state moves."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from portal.core import ids, settings
from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.events import publish
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.registry.models import Person, PersonState
from portal.volunteers.models.codes import ConsentWay, RecordState, ServiceKind, SignupState, VolunteerState, Way
from portal.volunteers.models.people import GuardianConsent, Volunteer
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import guardians, joining, moving, people, profile, registering
from portal.volunteers.service.profile import Span, Wishes
from portal.volunteers.service.registering import Consent
from tests.acting import actor_of
from tests.helping import Helping
from tests.make import Make


@pytest.fixture
def helping(make: Make) -> Helping:
    return Helping(make)


def aged(years: int, days: int = 0) -> date:
    """The birthday of somebody who became so old so many days ago."""
    day = today() - timedelta(days=days)
    return day.replace(year=day.year - years, day=min(day.day, 28))


def registered(make: Make, person: Person, wishes: Wishes | None = None, **more) -> Volunteer:
    by = more.pop("by", None) or actor_of(make.resident(person))
    with transaction():
        return registering.register(person, wishes or Wishes(), by=by, **more)


def told(event: str) -> list[str]:
    query = sa.select(OutboxRow).where(OutboxRow.topic == event).order_by(OutboxRow.id)
    return [row.recipient_id for row in db.session.scalars(query)]


def test_an_adult_of_the_register_is_a_volunteer_at_once(make, helping):
    skill = helping.skill("急救")
    person = make.person(born=aged(40))
    wishes = Wishes(skills=[skill.id, 99], kinds=["meals"], times=[Span(0, time(8), time(12))], reminders=[2, 5, 24])
    made = registered(make, person, wishes)
    assert made.state is VolunteerState.ACTIVE
    assert ids.check_short_code(made.number, registering.NUMBER_LENGTH) == made.number
    assert [one.skill_id for one in made.skills] == [skill.id]
    assert made.reminders == [24, 2]
    assert [(one.weekday, one.opens, one.closes) for one in made.times] == [(0, time(8), time(12))]
    assert told("volunteers.taken_up") == [person.public_id]


def test_nobody_is_registered_twice(make):
    person = make.person(born=aged(40))
    account = actor_of(make.resident(person))
    registered(make, person, by=account)
    with pytest.raises(Refused, match="已经登记过"):
        registered(make, person, by=account)


def test_where_workers_look_first_an_adult_waits_and_is_taken_up_or_refused(make):
    with transaction():
        settings.put(registering.APPROVES, 1, valid_from=today(), by="test")
    one, other = (registered(make, make.person(name, born=aged(40))) for name in ("钱一", "孙二"))
    assert (one.state, registering.waits_for(one)[:2]) == (VolunteerState.APPLIED, "等社")
    with transaction():
        moving.take_up(one)
        moving.refuse(other, reason="证件没有核对上")
    assert (one.state, other.state) == (VolunteerState.ACTIVE, VolunteerState.REFUSED)
    assert told("volunteers.refused") == [other.person.public_id]
    with pytest.raises(Refused, match="状态已经变了"), transaction():
        moving.take_up(other)


def test_whom_a_worker_registers_at_the_counter_waits_for_no_other_look(make):
    with transaction():
        settings.put(registering.APPROVES, 1, valid_from=today(), by="test")
    made = registered(make, make.person(born=aged(40)), by=actor_of(make.worker()))
    assert made.state is VolunteerState.ACTIVE


@pytest.mark.parametrize(
    ("born", "state", "words"),
    [
        (aged(7), PersonState.PRESENT, "未满 8 周岁"),
        (None, PersonState.PRESENT, "没有出生日期"),
        (aged(40), PersonState.MOVED_OUT, "已不在本辖区"),
    ],
)
def test_who_may_not_be_a_volunteer_is_told_why(make, born, state, words):
    person = make.person(born=born, state=state)
    with pytest.raises(Refused, match=words):
        registered(make, person)


def test_a_child_of_eight_waits_for_the_guardian_who_agrees_in_her_own_account(make):
    mother = make.person("陈母", born=aged(40))
    child = make.person("陈小", born=aged(8), guardian_id=mother.id)
    made = registered(make, child)
    assert made.state is VolunteerState.APPLIED
    assert told("volunteers.guardian_asked") == [mother.public_id]
    assert not people.guardian_agreed(made, today())
    actor = actor_of(make.resident(mother))
    ward = guardians.ward(actor, child.public_id)
    with transaction():
        guardians.agree(ward, by=actor, comes_along=True)
    assert made.state is VolunteerState.ACTIVE
    assert people.guardian_agreed(made, today())
    kept = people.consents_of([made.id])[made.id]
    assert (kept.way, kept.guardian_id, kept.comes_along) == (ConsentWay.ACCOUNT, mother.id, True)


def test_a_worker_cannot_take_up_a_minor_before_a_guardian_agreed(make):
    made = registered(make, make.person(born=aged(17)))
    with pytest.raises(Refused, match="监护人"), transaction():
        moving.take_up(made)
    worker = actor_of(make.worker())
    with transaction():
        guardians.on_paper(made, Consent("陈母", ConsentWay.PAPER, "母亲", "13800000009"), by=worker)
    assert made.state is VolunteerState.ACTIVE


def test_nobody_agrees_for_a_child_of_whom_the_register_names_another_guardian(make):
    child = make.person("陈小", born=aged(10), guardian_id=make.person("陈母", born=aged(40)).id)
    registered(make, child)
    stranger = actor_of(make.resident(make.person("吴三", born=aged(50))))
    with pytest.raises(Missing):
        guardians.ward(stranger, child.public_id)


def test_a_guardian_who_declines_ends_the_application(make):
    mother = make.person("陈母", born=aged(40))
    child = make.person("陈小", born=aged(12), guardian_id=mother.id)
    made = registered(make, child)
    actor = actor_of(make.resident(mother))
    with transaction():
        guardians.decline(guardians.ward(actor, child.public_id), by=actor)
    assert made.state is VolunteerState.REFUSED
    assert told("volunteers.guardian_declined") == [child.public_id]


def a_place(make, helping, volunteer) -> Signup:
    post = helping.post(helping.shift(helping.activity(least_age=8)))
    worker = actor_of(make.worker())
    with transaction():
        return joining.put_on(
            post, volunteer, way=Way.WORKER, by=worker, state=SignupState.JOINED, agreed_at=now(), checked=False
        )


def test_a_consent_withdrawn_takes_the_child_off_every_shift_ahead(make, helping):
    mother = make.person("陈母", born=aged(40))
    child = make.person("陈小", born=aged(12), guardian_id=mother.id)
    actor = actor_of(make.resident(mother))
    made = registered(make, child, by=actor, consent=Consent("陈母", ConsentWay.ACCOUNT, guardian=mother))
    assert made.state is VolunteerState.ACTIVE
    signup = a_place(make, helping, made)
    with transaction():
        moving.consent_withdrawn(guardians.ward(actor, child.public_id), by=actor)
    assert make.read(signup).state is SignupState.REMOVED
    assert not people.guardian_agreed(made, today())
    assert make.read(signup.post.capacity).taken == 0


def test_who_left_and_registers_again_asks_her_guardian_anew_and_one_withdrawal_ends_every_consent(make):
    mother = make.person("陈母", born=aged(40))
    child = make.person("陈小", born=aged(12), guardian_id=mother.id)
    actor, own = actor_of(make.resident(mother)), actor_of(make.resident(child))
    made = registered(make, child, by=actor, consent=Consent("陈母", ConsentWay.ACCOUNT, guardian=mother))
    with transaction():
        moving.leave(made, by=own)
    assert not people.consents_of([made.id])
    assert registered(make, child, by=own).state is VolunteerState.APPLIED
    assert registering.waits_for(made).startswith("等监护人同意")
    with transaction():
        guardians.agree(guardians.ward(actor, child.public_id), by=actor, comes_along=False)
    assert made.state is VolunteerState.ACTIVE
    second = {"guardian_name": "陈父", "relation": "父亲", "way": ConsentWay.PAPER, "given_by": "worker"}
    make.add(GuardianConsent(volunteer_id=made.id, given_at=now(), **second))
    with transaction():
        moving.consent_withdrawn(guardians.ward(actor, child.public_id), by=actor)
    assert not people.guardian_agreed(made, today())


def test_a_refused_child_who_applies_again_waits_for_a_new_consent_and_is_not_stuck(make):
    mother = make.person("陈母", born=aged(40))
    child = make.person("陈小", born=aged(12), guardian_id=mother.id)
    actor, own = actor_of(make.resident(mother)), actor_of(make.resident(child))
    with transaction():
        settings.put(registering.APPROVES, 1, valid_from=today(), by="test")
    made = registered(make, child, by=actor, consent=Consent("陈母", ConsentWay.ACCOUNT, guardian=mother))
    with transaction():
        moving.refuse(made, reason="证件没有核对上")
        settings.put(registering.APPROVES, 0, valid_from=today(), by="test")
    assert registered(make, child, by=own).state is VolunteerState.APPLIED
    with transaction():
        guardians.agree(guardians.ward(actor, child.public_id), by=actor, comes_along=False)
    assert made.state is VolunteerState.ACTIVE


def test_of_age_on_the_day_of_the_shift_nobody_asks_a_guardian(make, helping):
    made = helping.volunteer(make.person(born=today().replace(year=today().year - 18, day=1) + timedelta(days=40)))
    eighteenth = made.person.birth_date.replace(year=made.person.birth_date.year + 18)
    assert not people.guardian_agreed(made, eighteenth - timedelta(days=1))
    assert people.guardian_agreed(made, eighteenth)


def test_a_pause_and_a_leaving_give_up_what_is_ahead(make, helping):
    made = helping.volunteer()
    actor = actor_of(make.resident(made.person))
    first = a_place(make, helping, made)
    with transaction():
        assert moving.pause(made, by=actor, own=True) == 1
    assert make.read(first).state is SignupState.LEFT
    with transaction():
        moving.come_back(made)
    second = a_place(make, helping, made)
    with transaction():
        moving.leave(made, by=actor)
    assert make.read(second).state is SignupState.LEFT
    assert made.state is VolunteerState.LEFT


def test_who_is_barred_cannot_come_back_by_leaving_and_registering_again(make, helping):
    made = helping.volunteer()
    worker, own = actor_of(make.worker()), actor_of(make.resident(made.person))
    with transaction():
        moving.bar(made, until=today() + timedelta(days=400), reason="虚报时间", by=worker)
    with pytest.raises(Refused, match="停止资格"), transaction():
        moving.come_back(made)
    with transaction():
        moving.leave(made, by=own)
    with pytest.raises(Refused, match="才能重新登记"):
        registered(make, made.person, by=own)


def test_a_bar_ends_by_its_day_or_by_a_worker(make, helping):
    made, worker = helping.volunteer(), actor_of(make.worker())
    with pytest.raises(Refused, match="三年"), transaction():
        moving.bar(made, until=today() + timedelta(days=4 * 366), reason="虚报时间", by=worker)
    with transaction():
        moving.bar(made, until=today(), reason="三次没来", by=worker)
    assert not made.helps(today())
    assert made.helps(today() + timedelta(days=1))
    with transaction():
        moving.lift(made, reason="核实后更正")
    assert made.state is VolunteerState.ACTIVE


def test_who_left_registers_again_under_the_same_number(make):
    person = make.person(born=aged(40))
    account = make.resident(person)
    made = registered(make, person, by=actor_of(account))
    number = made.number
    with transaction():
        moving.leave(made, by=actor_of(account))
    again = registered(make, person, by=actor_of(account))
    assert (again.id, again.number, again.state) == (made.id, number, VolunteerState.ACTIVE)


def test_free_times_that_touch_become_one_and_backward_ones_are_refused(helping):
    made = helping.volunteer()
    with transaction():
        profile.add_times(made, [Span(1, time(8), time(10)), Span(1, time(10), time(12)), Span(3, time(14), time(16))])
        profile.add_times(made, [Span(1, time(9), time(11))])
    assert profile.spans_of(made) == [Span(1, time(8), time(12)), Span(3, time(14), time(16))]
    with pytest.raises(Refused, match="结束时间"), transaction():
        profile.add_times(made, [Span(1, time(12), time(9))])


def test_an_absence_in_the_past_or_backward_is_refused(helping):
    made = helping.volunteer()
    with transaction():
        profile.add_absence(made, today(), today() + timedelta(days=3))
    assert made.is_away(today() + timedelta(days=3))
    for first, last in ((today() - timedelta(days=3), today() - timedelta(days=1)), (today(), today() - timedelta(1))):
        with pytest.raises(Refused), transaction():
            profile.add_absence(made, first, last)


def test_a_skill_kept_keeps_its_proof(helping):
    skill, other = helping.skill("急救", needs_proof=True), helping.skill("理发")
    made = helping.volunteer(skills=[skill])
    with transaction():
        profile.change(made, Wishes(skills=[other.id, skill.id]))
    assert {one.skill_id: one.counts(today()) for one in made.skills} == {skill.id: True, other.id: True}


def test_only_the_newest_calendar_address_opens(helping):
    made = helping.volunteer()
    with transaction():
        old = profile.new_feed_key(made)
        new = profile.new_feed_key(made)
    assert made.feed_key != new
    assert profile.volunteer_of_feed(old) is None
    assert profile.volunteer_of_feed(new).id == made.id
    made.state = VolunteerState.LEFT
    assert profile.volunteer_of_feed(new) is None


def test_a_volunteer_is_found_under_a_record_merged_into_hers(make, helping):
    kept, merged = make.person("王秀英"), make.person("王秀荣")
    made = helping.volunteer(merged)
    with transaction():
        db.session.get(Person, merged.id).merged_into_id = kept.id
    assert people.volunteer_of(kept).id == made.id
    assert people.me(actor_of(make.resident(kept))).id == made.id


def test_two_rows_of_one_person_end_as_one_that_goes_on(make, helping):
    kept, merged = make.person("王秀英"), make.person("王秀荣")
    first, second = helping.volunteer(kept), helping.volunteer(merged)
    signup = a_place(make, helping, second)
    with transaction():
        db.session.get(Person, merged.id).merged_into_id = kept.id
        publish("person_merged", kept=kept, merged=merged)
    assert (make.read(first).state, make.read(second).state) == (VolunteerState.ACTIVE, VolunteerState.LEFT)
    assert make.read(signup).state is SignupState.REMOVED


def test_the_dead_are_on_no_shift(make, helping):
    made = helping.volunteer()
    signup = a_place(make, helping, made)
    with transaction():
        publish("person_died", person=made.person)
    assert make.read(made).state is VolunteerState.LEFT
    assert make.read(signup).state is SignupState.REMOVED


def test_who_is_no_volunteer_is_told_where_to_register(make):
    with pytest.raises(Refused, match="登记成为志愿者"):
        people.me(actor_of(make.resident(make.person(born=aged(40)))))


def test_minutes_are_those_of_records_that_count(make, helping):
    one, other = helping.volunteer(), helping.volunteer()
    facts = {
        "community_id": one.community_id,
        "organiser": "春风里社区居委会",
        "leader_name": "周洁",
        "activity": "送餐",
        "kind": ServiceKind.MEALS,
        "content": "送餐",
        "place": "助餐点",
        "due_on": today(),
        "recorded_by": "x",
        "recorded_by_name": "周洁",
    }
    for day, state in ((1, RecordState.RECORDED), (2, RecordState.RECORDED), (3, RecordState.VOID)):
        start = now() - timedelta(days=day)
        make.add(
            ServiceRecord(
                volunteer_id=one.id,
                starts_at=start,
                ends_at=start + timedelta(hours=1),
                minutes=60,
                state=state,
                **facts,
            )
        )
    assert people.minutes_served([one.id, other.id]) == {one.id: 120, other.id: 0}


def test_a_worker_finds_only_volunteers_of_her_own_communities(make, helping):
    made = helping.volunteer()
    here, there = make.community(), make.community("别处社区")
    assert people.volunteer(made.public_id, within=(Scope("community", here.code),)).id == made.id
    for scope in (Scope("community", there.code), Scope("grid", make.grid(here).code)):
        with pytest.raises(Missing):
            people.volunteer(made.public_id, within=(scope,))
    street = make.worker(Role.STREET_ADMINISTRATOR)
    assert people.volunteer(made.public_id, within=tuple(g.scope for g in actor_of(street).grants)).id == made.id


def test_consents_of_many_are_asked_once(make, helping):
    minor = helping.volunteer(make.person(born=aged(15)))
    alone = helping.volunteer(make.person(born=aged(15)))
    adult = helping.volunteer(make.person(born=aged(40)))
    facts = {"guardian_name": "陈母", "relation": "母亲", "way": ConsentWay.PAPER, "given_by": "x"}
    make.add(GuardianConsent(volunteer_id=minor.id, given_at=now(), **facts))
    make.add(GuardianConsent(volunteer_id=alone.id, given_at=now(), withdrawn_at=now(), **facts))
    assert people.agreed_for([minor, alone, adult], today()) == {minor.id, adult.id}
