"""The pages of volunteers as people, on the workers' side."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core import settings, sheets
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.volunteers.models.codes import SignupState, VolunteerState, Way
from portal.volunteers.models.people import Absence, Award, Pair, Skill, Training, Volunteer
from portal.volunteers.service import joining, people_doors, profile, registering
from tests.acting import actor_of
from tests.client import Client
from tests.counting import count_queries
from tests.helping import Helping
from tests.make import Make


@pytest.fixture
def helping(make: Make) -> Helping:
    return Helping(make)


@pytest.fixture
def worker(make: Make, client: Client) -> Client:
    return client.sign_in(make.worker())


def aged(years: int) -> date:
    return today().replace(year=today().year - years, day=min(today().day, 28))


def only() -> Volunteer:
    db.session.rollback()
    return db.session.scalars(sa.select(Volunteer)).one()


def done(action: str) -> list[AuditRow]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action)))


def test_the_list_is_narrowed_by_words_state_skill_kind_and_weekday(make, worker, helping):
    skill = helping.skill("急救")
    one = helping.volunteer(make.person("林小梅"), skills=[skill], kinds=["meals"])
    with transaction():
        profile.add_times(db.session.merge(one), [profile.Span(2, *profile.BANDS["am"])])
    helping.volunteer(make.person("赵大山"), kinds=["law"], state=VolunteerState.PAUSED)
    there = make.community("别处社区")
    helping.volunteer(make.person("别处人", community=there))
    for query, shown in {
        "": {"林小梅", "赵大山"},
        "q=林小": {"林小梅"},
        "q=lxm": {"林小梅"},
        f"q={one.number.lower()}": {"林小梅"},
        "state=paused": {"赵大山"},
        f"skill={skill.id}": {"林小梅"},
        "kind=law": {"赵大山"},
        "kind=me": {"林小梅", "赵大山"},
        "weekday=2": {"林小梅", "赵大山"},
        "weekday=5": {"赵大山"},
        "skill=999999999999&weekday=x&after=-4": {"林小梅", "赵大山"},
        "state=refused": set(),
    }.items():
        page = worker.get(f"/desk/volunteers/people?{query}").text
        assert {name for name in ("林小梅", "赵大山", "别处人") if name in page} == shown, query


def test_the_list_goes_on_where_a_page_ends_and_asks_the_same_few_questions(make, worker, helping):
    skills = [helping.skill(), helping.skill()]
    made = [helping.volunteer(make.person(f"钱{number:02}"), skills=skills) for number in range(43)]
    with count_queries() as asked:
        first = worker.get("/desk/volunteers/people").text
    assert len(asked) <= 8, asked
    assert first.count('name="who"') == 40
    after = first.split("after=")[1].split('"')[0]
    second = worker.get(f"/desk/volunteers/people?after={after}").text
    assert second.count('name="who"') == 3
    assert all((one.public_id in first) != (one.public_id in second) for one in made)


def test_an_empty_list_says_what_to_do(worker):
    assert "给愿意帮忙的居民登记" in worker.get("/desk/volunteers/people").text


def test_a_worker_sees_one_volunteer_with_the_phone_masked(make, worker, helping):
    person = make.person("林小梅", born=aged(45), phone="13812345678")
    made = helping.volunteer(person, skills=[helping.skill("急救", needs_proof=True)])
    with count_queries() as asked:
        page = worker.get(f"/desk/volunteers/people/{made.public_id}").text
    assert len(asked) <= 16, asked
    assert "138****5678" in page
    assert "13812345678" not in page


def test_a_volunteer_of_another_community_is_not_there(make, worker, helping):
    made = helping.volunteer(make.person("别处人", community=make.community("别处社区")))
    for what in ("", "/bar", "/pause", "/refuse", "/lift", "/guardian", "/prove", "/pair", "/outer", "/drop/proof/1"):
        assert worker.get(f"/desk/volunteers/people/{made.public_id}{what}").status_code == 404, what
    assert worker.post(f"/desk/volunteers/people/{made.public_id}/take-up").status_code == 404
    facts = {"name": "急救", "content": "急救", "hours": "1", "held_by": "街道", "held_on": today().isoformat()}
    worker.post("/desk/volunteers/training", data={**facts, "idem": "k", "who": made.public_id})
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count(Training.id))) == 0


def test_a_worker_takes_up_refuses_bars_and_restores_with_a_reason(make, worker, helping):
    with transaction():
        settings.put(registering.APPROVES, 1, valid_from=today(), by="test")
    one = helping.volunteer(make.person("林小梅", born=aged(45)), state=VolunteerState.APPLIED)
    other = helping.volunteer(make.person("赵大山", born=aged(45)), state=VolunteerState.APPLIED)
    address = f"/desk/volunteers/people/{one.public_id}"
    assert worker.post(f"{address}/take-up").status_code == 303
    assert make.read(one).state is VolunteerState.ACTIVE
    refusing = f"/desk/volunteers/people/{other.public_id}/refuse"
    assert worker.post(refusing, data={}).status_code == 422
    assert worker.post(refusing, data={"reason": "住址不在本社区"}).status_code == 303
    assert make.read(other).state is VolunteerState.REFUSED
    until = (today() + timedelta(days=30)).isoformat()
    assert worker.post(f"{address}/bar", data={"until": until}).status_code == 422
    assert worker.post(f"{address}/bar", data={"until": until, "reason": "三次没来"}).status_code == 303
    assert make.read(one).state is VolunteerState.BARRED
    assert "三次没来" in worker.get(address).text
    assert worker.post(f"{address}/lift", data={"reason": "核实更正"}).status_code == 303
    assert worker.post(f"{address}/pause", data={"reason": "本人电话要求"}).status_code == 303
    assert make.read(one).state is VolunteerState.PAUSED


def test_a_paper_lets_a_minor_in_and_a_withdrawal_is_noted(make, worker, helping):
    made = helping.volunteer(make.person("陈小", born=aged(12)), state=VolunteerState.APPLIED)
    address = f"/desk/volunteers/people/{made.public_id}"
    worker.post(f"{address}/take-up")
    assert make.read(made).state is VolunteerState.APPLIED
    paper = {"guardian_name": "陈母", "relation": "母亲", "guardian_phone": "13812345679"}
    assert worker.post(f"{address}/guardian", data=paper).status_code == 422
    assert worker.post(f"{address}/guardian", data={**paper, "seen": "y"}).status_code == 303
    assert make.read(made).state is VolunteerState.ACTIVE
    page = worker.get(address).text
    assert "陈母" in page
    assert "13812345679" not in page
    assert worker.post(f"{address}/guardian/withdraw", data={"reason": "监护人到窗口撤回"}).status_code == 303
    assert "还没有监护人同意" in worker.get(address).text


def test_a_worker_registers_somebody_at_the_counter_with_consent(make, worker):
    person = make.person("周大妈", born=aged(66))
    found = worker.post("/desk/volunteers/people/new", data={"q": "周大妈"}).text
    assert person.public_id in found
    address = f"/desk/volunteers/people/new/{person.public_id}"
    assert worker.get(address).status_code == 200
    form = {"idem": "k", "kinds": ["meals"], "agreed": "y"}
    assert worker.post(address, data=form).status_code == 422
    for _twice in range(2):
        assert worker.post(address, data={**form, "consent": "本人当面同意"}).status_code == 303
    assert only().state is VolunteerState.ACTIVE
    assert [row.facts["consent"] for row in done("volunteers.registered")] == ["本人当面同意"]
    assert len(done("volunteers.person_sought")) == 1
    assert "已经登记过了" in worker.get(address).text


def test_a_minor_at_the_counter_is_in_with_the_guardians_paper_and_waits_without(make, worker):
    for number, (more, state) in enumerate(
        (({}, VolunteerState.APPLIED), ({"guardian_name": "陈母", "relation": "母亲"}, VolunteerState.ACTIVE))
    ):
        person = make.person(f"陈小{number}", born=aged(12))
        form = {"idem": f"k{number}", "agreed": "y", "consent": "当面", **more}
        assert worker.post(f"/desk/volunteers/people/new/{person.public_id}", data=form).status_code == 303
        query = sa.select(Volunteer).where(Volunteer.person_id == person.id)
        assert db.session.scalars(query).one().state is state


def test_a_skill_is_proven_until_a_day_and_the_proof_can_be_dropped(make, worker, helping):
    skill = helping.skill("急救", needs_proof=True)
    made = helping.volunteer(make.person("林小梅"))
    address = f"/desk/volunteers/people/{made.public_id}"
    until = today() + timedelta(days=90)
    form = {"skill": str(skill.id), "proof": "急救员证", "valid_to": until.isoformat()}
    assert worker.post(f"{address}/prove", data=form).status_code == 303
    held = make.read(made).skills[0]
    assert held.counts(until)
    assert not held.counts(until + timedelta(days=1))
    past = worker.post(f"{address}/prove", data={**form, "valid_to": (today() - timedelta(days=1)).isoformat()})
    assert past.status_code == 422
    assert worker.post(f"{address}/drop/proof/{held.id}", data={"reason": "证书是假的"}).status_code == 303
    assert not make.read(held).counts(today())
    assert worker.get(f"{address}/drop/anything/{held.id}").status_code == 404


def test_training_and_awards_are_noted_for_several_at_once_and_once(make, worker, helping):
    made = [helping.volunteer(make.person(name)) for name in ("林小梅", "赵大山")]
    who = [one.public_id for one in made]
    assert "请先在志愿者名单里勾选" in worker.get("/desk/volunteers/training").text
    assert "林小梅" in worker.get(f"/desk/volunteers/training?who={who[0]}&who={who[1]}").text
    facts = {"name": "急救培训", "content": "心肺复苏", "hours": "1.5", "held_by": "红十字会"}
    facts |= {"held_on": today().isoformat(), "idem": "k", "who": who}
    for _twice in range(2):
        assert worker.post("/desk/volunteers/training", data=facts).status_code == 303
    assert worker.post("/desk/volunteers/training", data={**facts, "idem": "k2"}).status_code == 303
    db.session.rollback()
    assert [one.minutes for one in db.session.scalars(sa.select(Training))] == [90, 90]
    given = {"name": "优秀志愿者", "given_by": "街道", "given_on": today().isoformat(), "idem": "k3", "who": who}
    assert worker.post("/desk/volunteers/awards", data=given).status_code == 303
    award = db.session.scalars(sa.select(Award).where(Award.volunteer_id == made[0].id)).one()
    wrong = f"/desk/volunteers/people/{who[1]}/drop/award/{award.id}"
    assert worker.post(wrong, data={"reason": "登记错了"}).status_code == 404
    right = f"/desk/volunteers/people/{who[0]}/drop/award/{award.id}"
    assert worker.post(right, data={"reason": "登记错了"}).status_code == 303
    tomorrow = (today() + timedelta(days=1)).isoformat()
    assert worker.post("/desk/volunteers/awards", data={**given, "idem": "k4", "given_on": tomorrow}).status_code == 422


def test_a_pair_is_made_changed_and_ended(make, worker, helping):
    one, other = helping.volunteer(make.person("林小梅")), helping.volunteer(make.person("赵大山"))
    address = f"/desk/volunteers/people/{other.public_id}"
    assert worker.get(f"{address}/pair").status_code == 200
    for always in ("0", "1"):
        assert worker.post(f"{address}/pair", data={"other": one.number, "always": always}).status_code == 303
    db.session.rollback()
    pair = db.session.scalars(sa.select(Pair)).one()
    assert (pair.one_id, pair.other_id, pair.always) == (one.id, other.id, True)
    assert "必须一起" in worker.get(address).text
    assert worker.post(f"{address}/pair", data={"other": other.number, "always": "1"}).status_code == 422
    assert worker.post(f"{address}/pair", data={"other": "没有的", "always": "1"}).status_code == 422
    assert worker.post(f"{address}/drop/pair/{pair.id}", data={"reason": "不再一起"}).status_code == 303
    assert "没有搭档" in worker.get(address).text


def test_the_street_keeps_the_skills_and_a_name_stands_once(make, client, helping):
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert "还没有技能" in client.get("/desk/volunteers/skills").text
    assert client.post("/desk/volunteers/skills/new", data={"name": "急救", "is_offered": "y"}).status_code == 303
    again = client.post("/desk/volunteers/skills/new", data={"name": "急救"})
    assert again.status_code == 422
    found = db.session.scalars(sa.select(Skill)).one()
    address = f"/desk/volunteers/skills/{found.id}"
    assert client.get(address).status_code == 200
    assert client.post(address, data={"name": "急救员", "needs_proof": "y"}).status_code == 303
    changed = make.read(found)
    assert (changed.name, changed.needs_proof, changed.is_offered) == ("急救员", True, False)
    assert client.get("/desk/volunteers/skills/999").status_code == 404


def test_who_waits_is_on_the_desk_and_a_persons_timeline_and_copy_tell_of_it(make, helping):
    account = make.worker()
    person = make.person("林小梅", born=aged(45))
    made = helping.volunteer(person, state=VolunteerState.APPLIED, skills=[helping.skill("急救")])
    make.add(
        Training(
            volunteer_id=made.id, name="急救培训", minutes=90, held_by="红十字会", held_on=today(), noted_by="周洁"
        )
    )
    todo = people_doors.todo_of(actor_of(account))
    assert [(one.words, one.count, one.values) for one in todo] == [("志愿者登记待审核", 1, {"state": "applied"})]
    assert people_doors.todo_of(actor_of(make.worker(Role.GRID_WORKER))) == []
    assert {line.title for line in people_doors.timeline(person, limit=9)} >= {"登记为志愿者", "志愿培训：急救培训"}
    copy = people_doors.export(person)
    assert copy[0]["志愿者编号"] == made.number
    assert copy[1]["学习时长"] == "1.5 小时"
    assert people_doors.timeline(make.person("吴三"), limit=9) == []


def test_old_absences_are_forgotten_and_volunteers_are_not(make, helping):
    made = helping.volunteer()
    with transaction():
        db.session.add(Absence(volunteer_id=made.id, first_day=date(2020, 1, 1), last_day=date(2020, 1, 5)))
        assert people_doors.purge(date(2021, 1, 1)) >= 1
    assert make.read(made).absences == []


def test_the_list_is_exported_as_it_is_narrowed_with_a_reason_and_without_numbers(make, worker, helping):
    skill = helping.skill("急救")
    one = helping.volunteer(make.person("林小梅", phone="13812345678"), skills=[skill])
    helping.volunteer(make.person("赵大山"))
    shift = helping.shift(helping.activity("老人送餐"))
    account = make.worker()
    with transaction():
        facts = {"way": Way.WORKER, "by": actor_of(account), "state": SignupState.JOINED, "checked": False}
        joining.put_on(helping.post(shift), one, **facts)
    address = f"/desk/volunteers/people/export?skill={skill.id}"
    assert worker.get(address).status_code == 200
    assert worker.post(address, data={}).status_code == 422
    sent = worker.post(address, data={"reason": "年终总结"})
    text = str(sheets.open_sheet(sent.data, "志愿者名单.xlsx"))
    assert "林小梅" in text
    assert "老人送餐" in text
    assert "赵大山" not in text
    assert "13812345678" not in text
    assert [(row.reason, row.facts["count"]) for row in done("volunteers.exported")] == [("年终总结", 1)]
    nobody = worker.post("/desk/volunteers/people/export?q=没有这个人", data={"reason": "试试"})
    assert nobody.status_code == 422
