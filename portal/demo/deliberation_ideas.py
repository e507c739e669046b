"""Ideas of the demonstration street: open for support, put before the committee, answered."""

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core.clock import now
from portal.deliberation.models.codes import Category, IdeaState
from portal.deliberation.models.topics import Idea, IdeaSupport
from portal.registry.models import Person, PersonState

# Title, words, place, category, supporters, state, answer; days since it was proposed.
SAID = (
    (
        "在儿童乐园边上添几把带靠背的椅子",
        "看孩子的多是老人，站久了腿疼。现在只有两个石墩，冬天太凉。",
        "中心花园",
        Category.AFFAIR,
        12,
        IdeaState.OPEN,
        "",
        6,
    ),
    (
        "楼道里装声控灯，换掉常亮的",
        "常亮的灯费电，还总坏一层。想统一换成声控的，老人夜里也看得清。",
        "各楼楼道",
        Category.AFFAIR,
        20,
        IdeaState.REACHED,
        "",
        18,
    ),
    (
        "快递柜搬到小区门口",
        "快递柜挡着轮椅坡道，推老人出门要绕一大圈。",
        "3 号楼前",
        Category.DIFFICULTY,
        5,
        IdeaState.DECLINED,
        "已请快递公司把柜子往里挪了一米半，坡道空出来了，不用再列为议题。还有不方便的，请告诉我们。",
        30,
    ),
)


def build_ideas(session: Session, community: Area, day: date) -> None:
    """A few ideas of one community with their supporters."""
    query = sa.select(Person.id).where(
        Person.community_id == community.id,
        Person.state == PersonState.PRESENT,
        Person.birth_date < day - timedelta(days=365 * 30),
    )
    people = list(session.scalars(query.order_by(Person.id).limit(60)))
    for turn, (title, words, place, category, supports, state, answer, ago) in enumerate(SAID):
        made_at = now() - timedelta(days=ago)
        idea = Idea(
            community_id=community.id,
            person_id=people[turn],
            title=title,
            words=words,
            place=place,
            category=category,
            state=state,
            supports=supports,
            needed=20,
            made_at=made_at,
            reached_at=now() - timedelta(days=2) if state is IdeaState.REACHED else None,
            due_on=day + timedelta(days=13 if state is IdeaState.REACHED else 60 - ago),
            answer=answer,
            answered_at=made_at + timedelta(days=9) if answer else None,
            answered_by_name="周洁" if answer else "",
        )
        session.add(idea)
        session.flush()
        backers = people[10 + turn : 10 + turn + supports]
        session.add_all(IdeaSupport(idea_id=idea.id, person_id=one, at=made_at) for one in backers)
    session.flush()
