"""Statements and stands: who may write, what is kept, one stand for each person, which statement comes next."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock, settings
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import OpinionState, Stage, Stand
from portal.deliberation.models.opinions import Opinion, OpinionVote
from portal.deliberation.service import opinion_doors, opinions, reach, stands
from portal.deliberation.service.moderating import hidden_said
from tests.counting import count_queries


@pytest.fixture
def topic(deliberating):
    return deliberating.topic()


@pytest.fixture
def hong(make):
    return make.person("李小红")


def _write(topic, person, words):
    with transaction():
        return opinions.write(db.session.merge(topic), db.session.merge(person), words)


def _take(opinion, person, stand):
    with transaction():
        found = db.session.get_one(Opinion, opinion.id)
        stands.take(found.topic, found, db.session.merge(person), stand)


def _stands(opinion):
    db.session.rollback()
    query = sa.select(OpinionVote.stand).where(OpinionVote.opinion_id == opinion.id).order_by(OpinionVote.id)
    return list(db.session.scalars(query))


def test_a_statement_is_shown_at_once_and_its_writer_agrees_with_it(topic, hong):
    made, veiled = _write(topic, hong, "  费用应该按楼层分摊，  一楼少出 ")
    assert (made.words, made.state) == ("费用应该按楼层分摊， 一楼少出", OpinionState.SHOWN)
    assert not veiled.masked
    assert _stands(made) == [Stand.AGREE]


def test_a_statement_waits_where_the_topic_says_so(deliberating, hong):
    made, _veiled = _write(deliberating.topic(looks_first=True), hong, "先看后发的议题")
    assert made.state is OpinionState.PENDING


def test_names_and_numbers_are_never_written_down(make, topic, hong):
    make.person("王秀英")
    made, veiled = _write(topic, hong, "王秀英不同意，打她电话13812345678问问")
    assert veiled.masked
    db.session.rollback()
    kept = make.read(made)
    assert kept.masked
    assert "王秀英" not in kept.words
    assert "138" not in kept.words
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "deliberation.opinion_written")).one()
    assert row.facts == {"names": 1, "numbers": 1}


@pytest.mark.parametrize(("words", "why"), [("好", "再清楚一点"), ("很" * 141, "最多 140 个字")])
def test_too_short_and_too_long_are_refused_in_words(topic, hong, words, why):
    with pytest.raises(Refused, match=why):
        _write(topic, hong, words)


def test_140_signs_are_taken_and_141_are_not(topic, hong):
    assert len(_write(topic, hong, "很" * 140)[0].words) == 140
    with pytest.raises(Refused):
        _write(topic, hong, "好" * 141)


def test_the_same_sentence_is_said_once(deliberating, topic, hong):
    deliberating.opinion(topic, "一楼不出钱")
    with pytest.raises(Refused, match="一样的看法"):
        _write(topic, hong, "一楼不出钱")


def test_so_many_a_day_and_no_more(topic, hong):
    for number in range(settings.get(opinions.A_DAY)):
        _write(topic, hong, f"第 {number} 条看法")
    with pytest.raises(Refused, match="一天最多写 5 条"):
        _write(topic, hong, "再来一条看法")


def test_the_next_day_and_another_topic_begin_anew(make, deliberating, topic, hong):
    for number in range(settings.get(opinions.A_DAY)):
        deliberating.opinion(topic, f"旧的 {number}", hong, at=now() - timedelta(hours=25))
    assert _write(topic, hong, "今天的看法")
    assert _write(deliberating.topic(), hong, "另一个议题的看法")


@pytest.mark.parametrize("stage", [Stage.MEETING, Stage.VOTING, Stage.FOLLOW_UP, Stage.ARCHIVED, Stage.WITHDRAWN])
def test_after_collecting_nobody_writes_or_takes_a_stand(deliberating, hong, stage):
    topic = deliberating.topic(stage=stage)
    opinion = deliberating.opinion(topic)
    with pytest.raises(Refused, match="已经结束"):
        _write(topic, hong, "还想说一句")
    with pytest.raises(Refused, match="已经结束"):
        _take(opinion, hong, Stand.AGREE)


def test_the_last_day_is_still_in_and_the_day_after_is_not(deliberating, hong):
    assert _write(deliberating.topic(stage_until=today()), hong, "最后一天的看法")
    late = deliberating.topic(stage_until=today() - timedelta(days=1))
    with pytest.raises(Refused, match="截止了"):
        _write(late, hong, "晚了一天的看法")


def test_who_lives_elsewhere_is_told_how_to_go_on(make, deliberating, topic):
    _person, account = deliberating.person_with_account(community=make.community("秋实社区"))
    actor = deliberating.actor(account)
    with pytest.raises(Refused, match="春风里社区的居民"):
        reach.person_in(topic, actor)
    me, how_on = opinions.taking_part(topic, actor)
    assert me is None
    assert "到社区更新住址" in how_on


def test_one_stand_for_each_person_and_the_last_one_counts(deliberating, topic, hong):
    opinion = deliberating.opinion(topic)
    for stand in (Stand.AGREE, Stand.PASS, Stand.DISAGREE):
        _take(opinion, hong, stand)
    assert _stands(opinion) == [Stand.DISAGREE]


def test_a_person_merged_into_another_keeps_one_stand(make, deliberating, topic, hong):
    twin = make.person("李小红")
    opinion = deliberating.opinion(topic)
    _take(opinion, twin, Stand.AGREE)
    with transaction():
        db.session.merge(twin).merged_into_id = hong.id
    _take(opinion, hong, Stand.DISAGREE)
    assert _stands(opinion) == [Stand.DISAGREE]
    assert opinions.next_for(topic, hong).opinion is None


def test_the_audit_says_that_she_took_part_once_and_never_how(deliberating, topic, hong):
    for _number in range(3):
        _take(deliberating.opinion(topic), hong, Stand.DISAGREE)
    rows = list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "deliberation.stands_begun")))
    assert [(row.object_type, row.facts) for row in rows] == [("Topic", {})]
    assert "disagree" not in str([(row.facts, row.reason) for row in db.session.scalars(sa.select(AuditRow))])


def test_what_waits_or_is_hidden_takes_no_stand(deliberating, topic):
    for state in (OpinionState.PENDING, OpinionState.HIDDEN):
        opinion = deliberating.opinion(topic, state=state)
        with pytest.raises(Missing):
            opinions.opinion_of(topic, opinion.id)
    other = deliberating.opinion(deliberating.topic())
    with pytest.raises(Missing):
        opinions.opinion_of(topic, other.id)


def test_each_statement_comes_once_until_all_are_answered(deliberating, topic, hong):
    made = {deliberating.opinion(topic).id for _number in range(6)}
    deliberating.opinion(topic, state=OpinionState.PENDING)
    seen = set()
    for number in range(6):
        found = opinions.next_for(topic, hong)
        assert (found.done, found.total) == (number, 6)
        seen.add(found.opinion.id)
        _take(found.opinion, hong, Stand.PASS)
    assert seen == made
    assert opinions.next_for(topic, hong) == opinions.Next(None, 6, 6)


def test_people_meet_the_statements_in_different_orders(make, deliberating, topic):
    for _number in range(8):
        deliberating.opinion(topic)
    firsts = {opinions.next_for(topic, make.person(f"居民{number}")).opinion.id for number in range(24)}
    assert len(firsts) >= 4


def test_a_double_tap_is_no_stand_on_the_next_statement(make, deliberating, topic, hong, monkeypatch):
    _take(deliberating.opinion(topic), hong, Stand.AGREE)
    monkeypatch.setattr(stands, "A_BREATH", timedelta(minutes=1))
    with pytest.raises(Refused, match="点得太快"):
        stands.refuse_haste(topic, hong)
    monkeypatch.setattr(stands, "A_BREATH", timedelta(0))
    stands.refuse_haste(topic, hong)


def test_figures_are_told_from_five_people_on(deliberating, topic):
    opinion = deliberating.opinion(topic)
    for _number in range(4):
        deliberating.stand(opinion)
    assert not opinions.counted([opinion])[opinion.id].told
    deliberating.stand(opinion, stand=Stand.DISAGREE)
    found = opinions.counted([opinion])[opinion.id]
    assert found.told
    assert (found.agree, found.disagree, found.passed) == (4, 1, 0)


def test_her_own_statement_may_be_taken_back_until_somebody_answers_it(make, deliberating, topic, hong):
    made, _veiled = _write(topic, hong, "后悔的一句话")
    with transaction():
        opinions.withdraw(db.session.merge(made))
    kept = make.read(made)
    assert (kept.state, hidden_said(kept.hidden_why)) == (OpinionState.HIDDEN, "本人撤回")
    assert opinions.read(topic) == ([], False)
    answered, _veiled = _write(topic, hong, "有人表态的一句话")
    deliberating.stand(answered)
    with pytest.raises(Refused, match="已经有邻居"):
        opinions.withdraw(db.session.merge(answered))


def test_nobody_elses_statement_is_hers(make, deliberating, topic, hong):
    opinion = deliberating.opinion(topic, person=hong)
    with pytest.raises(Missing):
        opinions.own(topic, make.person("赵六"), opinion.id)
    with pytest.raises(Missing):
        opinions.own(topic, None, opinion.id)
    assert opinions.own(topic, hong, opinion.id).id == opinion.id


def test_the_timeline_says_that_she_took_part_and_not_when_or_with_what(deliberating, topic, hong):
    made, _veiled = _write(topic, hong, "电梯要装在北面")
    (line,) = opinion_doors.timeline(hong)
    assert topic.title in line.title
    assert line.at == topic.published_at
    assert made.words not in line.title + line.text


def test_her_own_copy_holds_her_words_and_stands(deliberating, topic, hong):
    _write(topic, hong, "电梯要装在北面")
    deliberating.comment(topic, "采光怎么办", hong)
    other = deliberating.opinion(topic, "一楼不出钱")
    _take(other, hong, Stand.DISAGREE)
    told = str(opinion_doors.export(hong))
    for words in ("电梯要装在北面", "采光怎么办", "一楼不出钱", "不同意", topic.title):
        assert words in told


def test_of_a_topic_archived_long_ago_the_words_stay_and_the_people_go(make, deliberating, hong):
    old = deliberating.topic(stage=Stage.ARCHIVED, archived_at=now() - timedelta(days=40))
    young = deliberating.topic(stage=Stage.ARCHIVED, archived_at=now() - timedelta(days=20))
    said = {topic.id: deliberating.opinion(topic, "说过的话", hong) for topic in (old, young)}
    for one in said.values():
        deliberating.stand(one, hong)
    deliberating.comment(old, "留过的言", hong)
    with transaction():
        assert opinion_doors.purge(today() - timedelta(days=30)) == 3
    kept = make.read(said[old.id])
    assert (kept.words, kept.person_id, kept.is_seed) == ("说过的话", None, False)
    assert _stands(said[old.id]) == []
    assert make.read(said[young.id]).person_id == hong.id
    assert _stands(said[young.id]) == [Stand.AGREE]


def test_the_topics_page_is_told_how_to_take_part_today_in_one_question(deliberating, topic, hong):
    for _number in range(3):
        opinion = deliberating.opinion(topic)
    deliberating.stand(opinion, hong)
    deliberating.comment(topic)
    with count_queries() as asked:
        speaking, talking = opinion_doors.steps(topic, hong, now())
    assert len(asked) <= 2, asked
    assert (speaking.words, speaking.now, talking.words) == ("还有 2 条看法等您表态", True, "1 条留言")
    assert clock.local(speaking.until).date() == topic.stage_until
    reader, _talking = opinion_doors.steps(topic, None, now())
    assert not reader.now
    (step,) = opinion_doors.desk_steps(topic, now())
    assert step.words == "3 条看法，1 条留言"


def test_after_collecting_there_is_something_to_read_and_nothing_to_do(deliberating, hong):
    topic = deliberating.topic(stage=Stage.ARCHIVED)
    assert opinion_doors.steps(topic, hong, now()) == []
    deliberating.opinion(topic)
    (step,) = opinion_doors.steps(topic, hong, now())
    assert (step.endpoint, step.now) == ("deliberation.resident.opinion_list", False)


def test_nothing_is_sent_to_anybody_when_she_writes(topic, hong):
    _write(topic, hong, "电梯要装在北面")
    assert db.session.scalar(sa.select(sa.func.count(OutboxRow.id))) == 0
