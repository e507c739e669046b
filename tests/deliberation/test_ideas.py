"""Ideas: proposed, supported to the threshold that the database counts, answered in any case, told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import events, outbox, settings
from portal.core.access import scopes_of
from portal.core.clock import today
from portal.core.db import db, guarded, transaction
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import Category, IdeaState, Stage
from portal.deliberation.models.topics import Idea, IdeaSupport, Topic, TopicFollower
from portal.deliberation.service import idea_answers, idea_doors, idea_due, idea_words, ideas, proposing
from portal.identity.permissions import Permission, Role


def said(
    title: str = "在 6 号楼前装晾衣杆", words: str = "楼前没有地方晒被子，想在空地装一排晾衣杆。"
) -> proposing.Said:
    return proposing.Said(title=title, words=words, place="6 号楼", category=Category.AFFAIR)


def proposed(person, text=None) -> Idea:
    with transaction() as session:
        here = session.merge(person)
        made = proposing.propose(here, here.community, text or said())
        return made.idea


def backed(idea, person) -> bool:
    with transaction() as session:
        return proposing.support(session.get_one(Idea, idea.id), session.merge(person))


def answered(act, idea, **more):
    with transaction() as session:
        return act(session.get_one(Idea, idea.id), **more)


def now_of(idea) -> Idea:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Idea, idea.id)


def told(event: str) -> list[dict]:
    db.session.rollback()
    query = sa.select(outbox.OutboxRow).where(outbox.OutboxRow.topic == f"deliberation.{event}")
    return [row.facts for row in db.session.scalars(query.order_by(outbox.OutboxRow.id))]


def set_to(key: str, value: int) -> None:
    with transaction():
        settings.put(key, value, valid_from=today(), by="test")


def test_an_idea_is_open_at_once_with_a_threshold_and_a_day_of_answer(make):
    made = proposed(make.person())
    assert (made.state, made.supports, made.needed) == (IdeaState.OPEN, 0, 20)
    assert made.due_on == today() + timedelta(days=60)


def test_where_the_place_says_so_somebody_looks_first_and_nobody_else_reads_it(make, deliberating):
    set_to(ideas.LOOKS_FIRST, 1)
    worker, writer = make.worker(), make.person()
    made = proposed(writer)
    assert made.state is IdeaState.PENDING
    with pytest.raises(Missing):
        ideas.shown(made.id)
    assert ideas.shown(made.id, writer).id == made.id
    assert [one["title"] for one in told("idea_to_look_at")] == [made.title]
    with pytest.raises(Refused, match="不收附议"):
        backed(made, make.person("李小红"))
    answered(proposing.release, made)
    assert now_of(made).state is IdeaState.OPEN
    assert told("idea_shown")[0]["person"] == "王秀英"
    assert worker.name


def test_names_and_numbers_of_others_are_taken_out_and_the_writer_is_told(make):
    make.person("赵桂兰")
    writer = make.person("王秀英")
    with transaction() as session:
        here = session.merge(writer)
        made = proposing.propose(here, here.community, said(words="赵桂兰家的狗晚上叫，电话 13812345678，请管一管。"))
    assert made.veiled
    assert "赵桂兰" not in made.idea.words
    assert "13812345678" not in made.idea.words


def test_only_so_many_a_day(make):
    set_to(ideas.A_DAY, 2)
    person = make.person()
    proposed(person)
    proposed(person, said("修亭子"))
    with pytest.raises(Refused, match="明天再提"):
        proposed(person, said("修路灯"))


def test_the_threshold_is_reached_once_and_puts_it_before_the_committee(make, deliberating):
    make.worker()
    idea = deliberating.idea(needed=2)
    first, second = make.person("李小红"), make.person("孙玉梅")
    assert backed(idea, first) is False
    assert now_of(idea).state is IdeaState.OPEN
    assert backed(idea, second) is True
    found = now_of(idea)
    assert (found.state, found.supports) == (IdeaState.REACHED, 2)
    assert found.due_on == today() + timedelta(days=15)
    assert len(told("idea_reached")) == 1
    assert len(told("idea_to_answer")) == 1
    assert backed(idea, make.person("周大勇")) is False
    assert len(told("idea_to_answer")) == 1


def test_somebody_supports_once_and_may_take_it_back(make, deliberating):
    idea, person = deliberating.idea(), make.person("李小红")
    backed(idea, person)
    assert backed(idea, person) is False
    assert now_of(idea).supports == 1
    with transaction() as session:
        proposing.unsupport(session.get_one(Idea, idea.id), session.merge(person))
        proposing.unsupport(session.get_one(Idea, idea.id), session.merge(person))
    assert now_of(idea).supports == 0


def test_a_merged_person_supports_once(make, deliberating):
    idea, kept = deliberating.idea(), make.person("李小红")
    other = make.person("李小红", merged_into_id=kept.id)
    make.add(IdeaSupport(idea_id=idea.id, person_id=other.id))
    assert backed(idea, kept) is False


def test_nobody_supports_her_own(make, deliberating):
    person = make.person()
    with pytest.raises(Refused, match="您自己提的"):
        backed(deliberating.idea(person=person), person)


def test_support_of_an_answered_idea_is_refused_by_the_count_itself(make, deliberating):
    idea = deliberating.idea()
    with transaction() as session:
        seen = session.get_one(Idea, idea.id)
        guarded(sa.update(Idea).where(Idea.id == idea.id).values(state=IdeaState.DECLINED))
        with pytest.raises(Refused, match="不再收附议"):
            proposing.count_in(seen, 1)
    assert now_of(idea).supports == 0


def test_taken_as_a_topic_it_becomes_a_draft_that_its_supporters_follow(make, deliberating):
    by, writer, backer = deliberating.committee(), make.person("王秀英"), make.person("李小红")
    idea = deliberating.idea("装晾衣杆", person=writer)
    backed(idea, backer)
    taken = answered(idea_answers.take, idea, answer="先开会听听大家的意见。", by=by)
    topic = db.session.get_one(Topic, taken.topic.id)
    assert (topic.stage, topic.title, topic.area_id) == (Stage.DRAFT, "装晾衣杆", idea.community_id)
    assert [one.id for one in topic.communities] == [idea.community_id]
    following = db.session.scalars(sa.select(TopicFollower.person_id).where(TopicFollower.topic_id == topic.id))
    assert set(following) == {writer.id, backer.id}
    assert {one["person"] for one in told("idea_taken")} == {"王秀英", "李小红"}
    assert [step.title for step in idea_doors.steps(topic, None, db.session.get_one(Idea, idea.id).made_at)]


def test_it_may_join_a_topic_that_stands_already(make, deliberating):
    by, idea, topic = deliberating.committee(), deliberating.idea(), deliberating.topic()
    within = scopes_of(by, Permission.DELIBERATION_KEEP)
    assert [one.id for one in idea_answers.joinable(idea, within)] == [topic.id]
    with transaction() as session:
        held = session.get_one(Topic, topic.id)
        idea_answers.take(session.get_one(Idea, idea.id), answer="并到这个议题里一起商量。", by=by, topic=held)
    assert now_of(idea).topic_id == topic.id


def test_merging_counts_everybody_once(make, deliberating):
    by, both = deliberating.committee(), make.person("李小红")
    one, other = deliberating.idea("装晾衣杆", needed=4), deliberating.idea("楼前装晒被子的架子", needed=4)
    backed(one, both)
    backed(one, make.person("孙玉梅"))
    backed(other, both)
    answered(idea_answers.merge, one, into_id=other.id, answer="两条说的是同一件事。", by=by)
    merged, kept = now_of(one), now_of(other)
    assert (merged.state, merged.merged_into_id) == (IdeaState.MERGED, other.id)
    assert kept.supports == 3
    assert {row["other"] for row in told("idea_merged")} == {"楼前装晒被子的架子"}


def test_merging_can_reach_the_threshold(make, deliberating):
    by = deliberating.committee()
    one, other = deliberating.idea("装晾衣杆"), deliberating.idea("装晒衣架", needed=2)
    backed(one, make.person("孙玉梅"))
    answered(idea_answers.merge, one, into_id=other.id, answer="同一件事。", by=by)
    assert now_of(other).state is IdeaState.REACHED


def test_an_idea_of_another_community_is_no_target(make, deliberating):
    by = deliberating.committee()
    far = deliberating.idea(person=make.person("孙玉梅", community=make.community("桃园社区")))
    with pytest.raises(Refused, match="请选一条"):
        answered(idea_answers.merge, deliberating.idea(), into_id=far.id, answer="同一件事。", by=by)


def test_declined_with_words_that_everybody_concerned_gets(make, deliberating):
    by, idea = deliberating.committee(), deliberating.idea()
    backed(idea, make.person("李小红"))
    with pytest.raises(Refused, match="请写答复"):
        answered(idea_answers.decline, idea, answer=" ", by=by)
    answered(idea_answers.decline, idea, answer="那块空地是消防通道，不能装东西。", by=by)
    found = now_of(idea)
    assert (found.state, found.answered_by_name) == (IdeaState.DECLINED, "周洁")
    assert len(told("idea_declined")) == 2
    assert ideas.shown(idea.id).answer.startswith("那块空地")


def test_what_is_unfit_is_read_by_its_writer_alone(make, deliberating):
    by, writer = deliberating.committee(), make.person()
    idea = deliberating.idea(person=writer)
    answered(idea_answers.decline, idea, answer="写了别人家的事，不公开。", by=by, hide=True)
    with pytest.raises(Missing):
        ideas.shown(idea.id)
    assert ideas.shown(idea.id, writer).answer


def test_two_answers_at_once_one_wins(make, deliberating):
    by, idea = deliberating.committee(), deliberating.idea()
    answered(idea_answers.decline, idea, answer="不能装。", by=by)
    with pytest.raises(Refused, match="刚刚已经处理过"):
        answered(idea_answers.take, idea, answer="可以装。", by=by)
    assert not list(db.session.scalars(sa.select(Topic)))


def test_withdrawn_ideas_tell_their_supporters_why(make, deliberating):
    idea = deliberating.idea()
    backed(idea, make.person("李小红"))
    with pytest.raises(Refused, match="为什么收回"):
        answered(proposing.withdraw, idea, reason="")
    answered(proposing.withdraw, idea, reason="已经装好了")
    assert told("idea_withdrawn")[0]["words"] == "已经装好了"
    with pytest.raises(Missing):
        ideas.shown(idea.id)


def test_what_says_the_same_is_found_and_what_does_not_is_not(make, deliberating):
    same = deliberating.idea("在楼前装一排晾衣杆")
    deliberating.idea("路灯坏了要修", words="三号门口的路灯晚上不亮，看不见路。")
    topic = deliberating.topic("楼前空地装晾衣杆", summary="楼前空地要不要装晾衣杆，听听大家的意见，再定怎么装。")
    found = ideas.alike(same.community_id, "6 号楼前面想装晾衣杆晒被子")
    assert {one.title for one in found} == {same.title, topic.title}
    assert ideas.alike(same.community_id, "想建一个羽毛球场") == []
    assert ideas.alike(make.community("桃园社区").id, "装晾衣杆") == []


def test_the_committee_must_answer_what_nobody_supported_too(make, deliberating):
    by = deliberating.committee()
    within = scopes_of(by, Permission.DELIBERATION_KEEP)
    lonely = deliberating.idea(due_on=today() + timedelta(days=5))
    deliberating.idea(due_on=today() + timedelta(days=30))
    assert ideas.counted(within) == {"pending": 0, "due": 1, "late": 0}
    assert [one.id for one in ideas.on_desk("due", within=within)[0]] == [lonely.id]


def test_the_street_reads_the_ideas_and_only_their_community_has_them_to_answer(make, deliberating):
    deliberating.idea(state=IdeaState.REACHED)
    street = deliberating.actor(make.worker(Role.STREET_ADMINISTRATOR))
    assert ideas.counted(scopes_of(street, Permission.DELIBERATION_KEEP))["due"] == 1
    assert idea_doors.todo_of(street) == []
    assert [one.count for one in idea_doors.todo_of(deliberating.committee())] == [1]


def test_late_answers_stand_in_the_todo_and_are_reminded_once(make, deliberating):
    by = deliberating.committee()
    idea = deliberating.idea(state=IdeaState.REACHED, due_on=today() - timedelta(days=1))
    assert [(one.count, one.late) for one in idea_doors.todo_of(by)] == [(1, True)]
    for _again in range(2):
        for number in idea_due.due():
            with transaction():
                idea_due.remind(number)
    assert [one["idea_id"] for one in told("idea_due")] == [idea.id]


def test_a_cluster_of_requests_becomes_a_draft_once_and_its_people_follow(app, make):
    make.worker()
    place, reporter = make.community(), make.person("李小红")
    facts = {
        "matter": "m" * 22,
        "community": place.code,
        "title": "6号楼：下水堵塞",
        "cases": ["a", "b", "c"],
        "people": [reporter.ref],
    }
    for _twice in range(2):
        with transaction():
            events.publish("matters_recur", **facts)
    made = list(db.session.scalars(sa.select(Topic)))
    assert [(one.title, one.stage, one.communities) for one in made] == [("6号楼：下水堵塞", Stage.DRAFT, [place])]
    following = db.session.scalars(sa.select(TopicFollower.person_id))
    assert list(following) == [reporter.id]
    assert len(told("topic_recurred")) == 1


def test_what_happened_stands_in_her_timeline_and_her_copy(make, deliberating):
    person = make.person()
    deliberating.idea("装晾衣杆", person=person)
    backed(deliberating.idea("修亭子"), person)
    titles = [line.title for line in idea_doors.timeline(person)]
    assert titles == ["提了建议：装晾衣杆", "附议：修亭子"]
    assert len(idea_doors.export(person)) == 2


def test_old_answers_that_led_nowhere_are_forgotten(make, deliberating):
    by, idea = deliberating.committee(), deliberating.idea()
    backed(idea, make.person("李小红"))
    answered(idea_answers.decline, idea, answer="不能装。", by=by)
    with transaction():
        assert idea_doors.purge(today()) == 0
        assert idea_doors.purge(today() + timedelta(days=1)) == 1
    assert not list(db.session.scalars(sa.select(Idea)))


def test_others_read_the_family_name_only():
    assert idea_words.writer_said("王秀英") == "王姓居民"
    assert idea_words.writer_said("欧阳春") == "欧阳姓居民"
