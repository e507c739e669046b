"""Moderating, seeds, paper: hiding in the open, whose desk may, narrow searches, what a phone said before paper."""

import pytest
import sqlalchemy as sa

from portal.areas.models import Dwelling
from portal.areas.service import area_scope
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import OpinionState, Stage, Stand
from portal.deliberation.models.opinions import Opinion, OpinionVote
from portal.deliberation.models.topics import TopicEntry
from portal.deliberation.service import (
    moderating,
    opinion_doors,
    opinion_paper,
    opinion_words,
    opinions,
    public_log,
    reach,
    seeding,
)
from portal.deliberation.service.moderating import Kind, Why
from portal.identity.permissions import Role


@pytest.fixture
def topic(deliberating):
    return deliberating.topic()


@pytest.fixture
def hong(make):
    return make.person("李小红")


@pytest.fixture
def worker(deliberating):
    return deliberating.committee(name="周洁")


@pytest.fixture
def within(make):
    return (area_scope(make.community()),)


def _act(act, said, *args, **more):
    with transaction():
        act(db.session.merge(said), *args, **more)


def _log():
    db.session.rollback()
    return list(db.session.scalars(sa.select(TopicEntry).order_by(TopicEntry.id)))


def _told():
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id)))


def test_hiding_is_public_with_its_reason_and_names_no_resident(make, deliberating, topic, hong, worker):
    said = deliberating.opinion(topic, "某某是个坏人", hong)
    _act(moderating.hide, said, Why.ABUSE, "李小红说得太过，电话13812345678", by=worker)
    kept = make.read(said)
    assert kept.state is OpinionState.HIDDEN
    (entry,) = _log()
    assert public_log.words_of(entry) == f"隐去了第 {said.id} 条看法。"
    assert (entry.by_name, entry.why) == ("周洁", "辱骂、攻击别人：李某某说得太过，电话〔电话已隐去〕")
    assert moderating.hidden_said(kept.hidden_why) == entry.why
    assert "坏人" not in str(entry.facts) + entry.why


def test_the_writer_is_told_why_and_nobody_else_is(deliberating, topic, hong, worker):
    _act(moderating.hide, deliberating.opinion(topic, person=hong), Why.ADVERT, "", by=worker)
    (row,) = _told()
    assert (row.topic, row.recipient_id) == ("deliberation.opinion_hidden", hong.public_id)
    assert row.facts["why"] == "广告、推销"


def test_of_two_who_hide_the_same_the_second_is_told(deliberating, topic, worker):
    said = deliberating.opinion(topic)
    _act(moderating.hide, said, Why.TWIN, "", by=worker)
    with pytest.raises(Refused, match="已经隐去了"):
        _act(moderating.hide, said, Why.ABUSE, "", by=worker)
    assert len(_log()) == 1


def test_showing_again_says_why_in_the_open(make, deliberating, topic, hong, worker):
    said = deliberating.opinion(topic, person=hong)
    _act(moderating.hide, said, Why.BESIDE, "", by=worker)
    with pytest.raises(Refused, match="至少四个字"):
        _act(moderating.restore, said, "误会", by=worker)
    _act(moderating.restore, said, "复核后和议题有关", by=worker)
    kept = make.read(said)
    assert (kept.state, kept.hidden_why) == (OpinionState.SHOWN, "")
    assert [entry.deed for entry in _log()] == ["opinion_hidden", "opinion_restored"]
    assert _told()[-1].topic == "deliberation.opinion_restored"


def test_what_she_took_back_stays_back(make, deliberating, topic, hong, worker):
    said = deliberating.opinion(topic, person=hong)
    _act(opinions.withdraw, said)
    with pytest.raises(Refused, match="本人撤回"):
        _act(moderating.restore, said, "想让大家看到", by=worker)
    with pytest.raises(Refused):
        _act(moderating.let_pass, said, by=worker)
    assert make.read(said).state is OpinionState.HIDDEN


def test_what_waited_is_shown_once(make, deliberating, topic, hong, worker):
    said = deliberating.opinion(topic, person=hong, state=OpinionState.PENDING)
    _act(moderating.let_pass, said, by=worker)
    assert make.read(said).state is OpinionState.SHOWN
    with pytest.raises(Refused, match="已经有人处理过"):
        _act(moderating.let_pass, said, by=worker)
    assert _log() == []


def test_the_queue_holds_what_waits_in_the_topics_of_her_own_area(make, deliberating, topic, hong, within):
    waits = deliberating.opinion(topic, person=hong, state=OpinionState.PENDING)
    deliberating.opinion(topic)
    other = make.community("秋实社区")
    deliberating.opinion(deliberating.topic(area=other), state=OpinionState.PENDING)
    streets = deliberating.topic(area=make.street(), communities=[make.community()])
    deliberating.opinion(streets, state=OpinionState.PENDING)
    found, more = moderating.queue(within, Kind.OPINIONS, OpinionState.PENDING)
    assert ([one.id for one in found], more) == ([waits.id], False)
    assert moderating.waiting(within) == {Kind.OPINIONS: 1, Kind.COMMENTS: 0}
    assert moderating.waiting((area_scope(make.street()),))[Kind.OPINIONS] == 1


def test_the_street_does_not_moderate_a_communitys_topic_nor_a_stranger_any(make, deliberating, topic):
    said = deliberating.opinion(topic)
    for area in (make.street(), make.community("秋实社区")):
        with pytest.raises(Missing):
            moderating.said_in((area_scope(area),), Kind.OPINIONS, said.id)


def test_what_waits_is_on_the_desks_list(deliberating, topic, hong, worker):
    assert opinion_doors.todo_of(worker) == []
    deliberating.opinion(topic, person=hong, state=OpinionState.PENDING)
    deliberating.comment(topic, person=hong, state=OpinionState.PENDING)
    assert [(todo.words, todo.count) for todo in opinion_doors.todo_of(worker)] == [
        ("等看的看法", 1),
        ("等看的留言", 1),
    ]


# Seeds


def test_a_seed_is_the_committees_and_changes_until_somebody_answers(make, deliberating, topic, worker):
    with transaction():
        seed, _veiled = seeding.add(db.session.merge(topic), "愿意出一部分钱", by=worker)
    assert seed.is_seed
    assert opinion_words.opinion_by(seed) == "居委会想问大家"
    _act(seeding.change, seed, "愿意为电梯出一部分钱")
    assert make.read(seed).words == "愿意为电梯出一部分钱"
    deliberating.stand(seed)
    with pytest.raises(Refused, match="已经有人"):
        _act(seeding.change, seed, "愿意出很多钱")


def test_a_residents_statement_is_never_put_in_other_words(deliberating, topic, hong):
    with pytest.raises(Refused):
        _act(seeding.change, deliberating.opinion(topic, person=hong), "换成居委会的话")


@pytest.mark.parametrize("stage", [Stage.MEETING, Stage.ARCHIVED])
def test_no_seed_after_collecting(deliberating, worker, stage):
    with pytest.raises(Refused, match="已经结束"), transaction():
        seeding.add(deliberating.topic(stage=stage), "愿意出一部分钱", by=worker)


# Paper


def _enter(topic, person, worker, words="", taken=None):
    with transaction():
        whom = db.session.merge(person) if person else None
        return opinion_paper.enter(db.session.merge(topic), whom, words=words, taken=taken or {}, by=worker)


def _stands(person):
    db.session.rollback()
    query = sa.select(OpinionVote.opinion_id, OpinionVote.stand, OpinionVote.on_paper)
    return sorted(tuple(row) for row in db.session.execute(query.where(OpinionVote.person_id == person.id)))


def test_a_paper_brings_a_statement_and_stands(deliberating, topic, hong, worker):
    one, other = deliberating.opinion(topic), deliberating.opinion(topic)
    done = _enter(topic, hong, worker, "北面装电梯好", {one.id: Stand.AGREE, other.id: Stand.DISAGREE})
    assert (done.stands, done.kept, done.words.words) == (2, 0, "北面装电梯好")
    assert [(stand, paper) for _id, stand, paper in _stands(hong)] == [
        (Stand.AGREE, True),
        (Stand.DISAGREE, True),
        (Stand.AGREE, True),
    ]
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "deliberation.opinion_entered")).one()
    assert (row.on_behalf_of, row.facts) == (hong.public_id, {"opinions": 1, "stands": 2})


def test_what_she_said_on_her_phone_is_not_changed_by_paper(deliberating, topic, hong, worker):
    opinion = deliberating.opinion(topic)
    deliberating.stand(opinion, hong, Stand.AGREE)
    done = _enter(topic, hong, worker, taken={opinion.id: Stand.DISAGREE})
    assert (done.stands, done.kept) == (0, 1)
    assert _stands(hong) == [(opinion.id, Stand.AGREE, False)]


def test_a_second_paper_corrects_the_first(deliberating, topic, hong, worker):
    opinion = deliberating.opinion(topic)
    _enter(topic, hong, worker, taken={opinion.id: Stand.DISAGREE})
    assert _enter(topic, hong, worker, taken={opinion.id: Stand.PASS}).stands == 1
    assert _stands(hong) == [(opinion.id, Stand.PASS, True)]


def test_an_unsigned_paper_has_a_statement_alone(deliberating, topic, worker):
    opinion = deliberating.opinion(topic)
    done = _enter(topic, None, worker, "没有署名的意见", {opinion.id: Stand.AGREE})
    assert done.stands == 0
    made = db.session.scalars(sa.select(Opinion).where(Opinion.words == "没有署名的意见")).one()
    assert (made.on_paper, made.person_id, made.is_seed) == (True, None, False)
    assert opinion_words.opinion_by(made) == "一位居民写在纸上"


def test_an_empty_paper_is_refused(topic, hong, worker):
    with pytest.raises(Refused, match="至少录入"):
        _enter(topic, hong, worker, "  ")


def test_paper_is_entered_after_the_last_day_but_not_after_the_stage(deliberating, hong, worker):
    late = deliberating.topic(stage_until=today().replace(year=today().year - 1))
    assert _enter(late, hong, worker, "晚到的一张纸").words
    with pytest.raises(Refused, match="不能再录入"):
        _enter(deliberating.topic(stage=Stage.MEETING), hong, worker, "太晚的一张纸")


def test_a_statement_hidden_meanwhile_stops_the_paper(deliberating, topic, hong, worker):
    opinion = deliberating.opinion(topic, state=OpinionState.HIDDEN)
    with pytest.raises(Refused, match="刚刚被隐去"):
        _enter(topic, hong, worker, taken={opinion.id: Stand.AGREE})


@pytest.mark.parametrize("words", ["李小红", "13800009999", "9999"])
def test_a_person_is_found_by_her_whole_name_or_a_number(make, topic, within, worker, words):
    hong = make.person("李小红", phone="13800009999")
    make.person("李小红", community=make.community("秋实社区"), phone="13700008888")
    with transaction():
        assert [one.id for one in opinion_paper.seek(topic, words, within=within, by=worker)] == [hong.id]
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "deliberation.person_sought")).one()
    assert row.facts["found"] == 1
    assert words not in str(row.facts)


@pytest.mark.parametrize("words", ["李小", "lxh", "小红", "6号楼2单元301", "1203"])
def test_nobody_is_browsed(make, topic, within, worker, words):
    make.person("李小红", household_id=make.household().id, phone="13800009999")
    with transaction():
        db.session.scalars(sa.select(Dwelling)).one().room = "1203"
    with transaction():
        assert opinion_paper.seek(topic, words, within=within, by=worker) == []
    with pytest.raises(Refused, match="全名"), transaction():
        opinion_paper.seek(topic, "李", within=within, by=worker)


def test_the_committee_member_who_reads_nothing_of_the_register_enters_paper(make, deliberating, client, topic, hong):
    client.sign_in(make.worker(Role.COMMITTEE_MEMBER))
    found = client.post(f"/desk/deliberation/topics/{topic.id}/opinions/paper", data={"q": "李小红"})
    assert found.status_code == 200
    assert "李小红" in found.text
    assert hong.phone not in found.text
    assert client.get(f"/desk/people/{hong.public_id}").status_code in {403, 404}
    address = f"/desk/deliberation/topics/{topic.id}/opinions/paper/of/{hong.public_id}"
    assert client.post(address, data={f"stand_{deliberating.opinion(topic).id}": "agree"}).status_code == 303


def test_somebody_of_another_community_has_no_paper_here(make, topic, within):
    stranger = make.person("赵六", community=make.community("秋实社区"))
    for scopes in (within, (area_scope(make.street()),)):
        with pytest.raises(Missing):
            opinion_paper.person_for(topic, stranger.public_id, within=scopes)


def test_a_communitys_desk_enters_its_own_peoples_paper_for_the_street(make, deliberating, hong, within, worker):
    other = make.community("秋实社区")
    streets = deliberating.topic(area=make.street(), communities=[make.community(), other])
    assert opinion_paper.person_for(reach.topic(streets.id, within=within), hong.public_id, within=within)
    with pytest.raises(Missing):
        opinion_paper.person_for(streets, make.person("赵六", community=other).public_id, within=within)
    assert _enter(streets, hong, worker, "两个社区一起修路").words
