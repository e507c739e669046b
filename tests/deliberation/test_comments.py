"""Comments: threads one deep, the committee by its name and a resident by her family name, told when answered."""

import pytest
import sqlalchemy as sa

from portal.core import settings
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import OpinionState, Stage
from portal.deliberation.models.opinions import Comment
from portal.deliberation.service import comments, moderating, opinion_words
from portal.deliberation.service.moderating import Why
from portal.notifications import wording


@pytest.fixture
def topic(deliberating):
    return deliberating.topic()


@pytest.fixture
def hong(make):
    return make.person("李小红")


def _write(topic, person, words, parent=None):
    with transaction():
        above = db.session.get_one(Comment, parent.id) if parent else None
        made, _veiled = comments.write(db.session.merge(topic), db.session.merge(person), words, parent=above)
        return made


def _told():
    db.session.rollback()
    query = sa.select(OutboxRow).where(OutboxRow.topic == "deliberation.comment_answered").order_by(OutboxRow.id)
    return [(row.recipient_id, row.facts["official"]) for row in db.session.scalars(query)]


def test_an_answer_to_an_answer_stands_in_the_same_thread(make, topic, hong):
    first = _write(topic, hong, "一楼采光怎么办")
    second = _write(topic, make.person("赵六"), "可以补偿", first)
    third = _write(topic, hong, "补偿多少", second)
    (thread,), more = comments.threads(topic)
    assert (thread.comment.id, [one.id for one in thread.answers], more) == (first.id, [second.id, third.id], False)


def test_the_beginner_is_told_of_answers_but_not_of_her_own(make, deliberating, topic, hong):
    first = _write(topic, hong, "一楼采光怎么办")
    _write(topic, hong, "补充一句", first)
    assert _told() == []
    _write(topic, make.person("赵六"), "可以补偿", first)
    with transaction():
        parent = db.session.get_one(Comment, first.id)
        comments.answer(parent.topic, "下周请设计院来看", by=deliberating.committee(name="周洁"), parent=parent)
    assert _told() == [(hong.public_id, False), (hong.public_id, True)]


def test_of_an_answer_that_waits_nobody_is_told_before_it_is_shown(make, deliberating, hong):
    topic = deliberating.topic(looks_first=True)
    first = deliberating.comment(topic, person=hong)
    answer = _write(topic, make.person("赵六"), "可以补偿", first)
    assert (answer.state, _told()) == (OpinionState.PENDING, [])
    with transaction():
        moderating.let_pass(db.session.merge(answer), by=deliberating.committee())
    assert _told() == [(hong.public_id, False)]


def test_a_resident_is_shown_by_her_family_name_and_the_committee_by_its_own(deliberating, topic, hong):
    assert opinion_words.comment_by(deliberating.comment(topic, person=hong)) == "李姓居民"
    with transaction():
        made, _veiled = comments.answer(
            db.session.merge(topic), "下周请设计院来看", by=deliberating.committee(name="周洁"), parent=None
        )
    assert opinion_words.comment_by(made) == "居委会 周洁"


def test_names_and_numbers_are_taken_out_of_comments_too(make, topic, hong):
    make.person("王秀英")
    made = _write(topic, hong, "王秀英说的对，我的电话13812345678")
    assert made.masked
    assert made.words == "王某某说的对，我的电话〔电话已隐去〕"


def test_what_waits_is_read_by_its_writer_alone(deliberating, topic, hong):
    deliberating.comment(topic, person=hong, state=OpinionState.PENDING)
    assert comments.threads(topic) == ([], False)
    (thread,), _more = comments.threads(topic, also=comments.mine(topic, hong))
    assert thread.comment.state is OpinionState.PENDING


def test_what_is_hidden_keeps_its_place_and_its_answers(deliberating, topic, hong):
    first = deliberating.comment(topic, person=hong)
    deliberating.comment(topic, parent_id=first.id)
    with transaction():
        moderating.hide(db.session.merge(first), Why.BESIDE, "", by=deliberating.committee())
    (thread,), _more = comments.threads(topic)
    assert thread.comment.state is OpinionState.HIDDEN
    assert len(thread.answers) == 1
    with pytest.raises(Missing):
        comments.comment_of(topic, first.id)


def test_she_takes_back_her_own_and_nobody_elses(make, deliberating, topic, hong):
    said = deliberating.comment(topic, person=hong)
    with pytest.raises(Missing):
        comments.own(topic, make.person("赵六"), said.id)
    with transaction():
        comments.withdraw(comments.own(topic, hong, said.id))
    kept = make.read(said)
    assert (kept.state, moderating.hidden_said(kept.hidden_why)) == (OpinionState.HIDDEN, "本人撤回")


def test_so_many_a_day_the_same_only_once(topic, hong):
    _write(topic, hong, "同一句话")
    with pytest.raises(Refused, match="已经留过言"):
        _write(topic, hong, "同一句话")
    for number in range(1, settings.get(comments.A_DAY)):
        _write(topic, hong, f"第 {number} 句话")
    with pytest.raises(Refused, match="一天最多留言 10 条"):
        _write(topic, hong, "再说一句")


@pytest.mark.parametrize("stage", list(Stage))
def test_a_matter_is_talked_over_until_it_is_decided(deliberating, hong, stage):
    topic = deliberating.topic(stage=stage)
    if stage in {Stage.COLLECTING, Stage.MEETING, Stage.EXPERTS, Stage.HEARING}:
        assert _write(topic, hong, "还想说一句").id
    else:
        with pytest.raises(Refused, match="已经商量完"):
            _write(topic, hong, "还想说一句")


def test_fifteen_threads_a_page_the_newest_first(deliberating, topic, hong):
    made = [deliberating.comment(topic, person=hong).id for _number in range(17)]
    first, more = comments.threads(topic)
    assert ([thread.comment.id for thread in first], more) == (made[:1:-1], True)
    second, more = comments.threads(topic, page=2)
    assert ([thread.comment.id for thread in second], more) == ([made[1], made[0]], False)


@pytest.mark.parametrize(("length", "fits"), [(1, False), (2, True), (500, True), (501, False)])
def test_from_two_to_five_hundred_signs(topic, hong, length, fits):
    if fits:
        assert len(_write(topic, hong, "话" * length).words) == length
    else:
        with pytest.raises(Refused):
            _write(topic, hong, "话" * length)


@pytest.mark.parametrize("event", ["opinion_hidden", "comment_hidden", "opinion_restored", "comment_restored"])
def test_the_notices_say_what_became_of_her_words_and_why(make, event):
    facts = {"person": "李小红", "title": "加装电梯", "topic_id": 1, "why": "广告、推销"}
    said = wording.words_for(f"deliberation.{event}", facts)
    assert "加装电梯" in said.body
    assert "广告、推销" in said.body


@pytest.mark.parametrize(("official", "who"), [(True, "居委会回复了"), (False, "有居民回复了")])
def test_the_notice_of_an_answer_says_whether_the_committee_gave_it(make, official, who):
    facts = {"person": "李小红", "title": "加装电梯", "topic_id": 1, "official": official}
    assert who in wording.words_for("deliberation.comment_answered", facts).body
