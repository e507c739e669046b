"""Builders of deliberation, each making one thing with whatever it needs; the rows are committed."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from portal.areas.models import Area
from portal.core.access import Actor, Grant, Scope
from portal.core.clock import now, today
from portal.deliberation.models.codes import (
    Body,
    Category,
    Forum,
    IdeaState,
    MeetingState,
    OpinionState,
    Part,
    PartyKind,
    Stage,
    Stand,
    VoteState,
)
from portal.deliberation.models.meetings import AgendaItem, Attendee, Meeting
from portal.deliberation.models.opinions import Comment, Opinion, OpinionVote
from portal.deliberation.models.topics import Idea, Topic, TopicFollower, TopicParty, TopicStage, TopicTemplate
from portal.deliberation.models.votes import RollEntry, RollPerson, Vote, VoteOption
from portal.identity.models import Account
from portal.places.models import Capacity
from portal.registry.models import Person
from tests.make import Make


def ahead(days: float = 3, *, hours: float = 0) -> datetime:
    """The full hour so many days (and hours) from now."""
    moment = now() + timedelta(days=days, hours=hours)
    return moment.replace(minute=0, second=0, microsecond=0)


class Deliberating:
    """What the tests of deliberation are built of: `Deliberating(make)`."""

    def __init__(self, make: Make) -> None:
        self.make = make

    # Topics

    def topic(
        self,
        title: str = "",
        *,
        area: Area | None = None,
        communities: Iterable[Area] | None = None,
        stage: Stage = Stage.COLLECTING,
        entered_at: datetime | None = None,
        **more: Any,
    ) -> Topic:
        """A published topic of the test's community that collects opinions for two weeks more, unless told otherwise.

        It holds everything that publishing asks for; its present stage has its row.
        """
        area = area or self.make.community()
        entered_at = entered_at or now() - timedelta(minutes=5)
        facts: dict[str, Any] = {
            "title": title or f"6 号楼要不要加装电梯{self.make.number()}",
            "summary": "6 号楼没有电梯，楼上的老人上下不方便，想听听大家愿不愿意装、钱怎么分摊。",
            "category": Category.AFFAIR,
            "forum": Forum.COUNCIL,
            "binding_words": "过半数同意就报街道，由居委会找人设计。",
            "stage_until": today() + timedelta(days=14) if stage is Stage.COLLECTING else None,
            "made_by": "worker",
            "made_by_name": "周洁",
            "published_at": None if stage is Stage.DRAFT else entered_at,
        }
        made = Topic(area_id=area.id, stage=stage, **facts | more)
        made.communities = list(communities) if communities is not None else [area]
        made.parties = [
            TopicParty(kind=PartyKind.WORKING, name=f"{area.name}居民委员会"),
            TopicParty(kind=PartyKind.DELIBERATING, name="6 号楼全体居民"),
        ]
        if stage is not Stage.DRAFT:
            made.stages = [
                TopicStage(
                    stage=stage,
                    begins_on=today(),
                    ends_on=made.stage_until,
                    entered_at=entered_at,
                    by_name="周洁",
                )
            ]
        return self.make.add(made)

    def template(self, name: str = "", area: Area | None = None, **facts: Any) -> TopicTemplate:
        """A template on offer: the street's, unless an area is given."""
        name = name or f"电梯模板{self.make.number()}"
        return self.make.add(TopicTemplate(name=name, area_id=area.id if area else None, facts=facts))

    def follower(self, topic: Topic, person: Person | None = None) -> TopicFollower:
        person = person or self.make.person("赵桂兰")
        return self.make.add(TopicFollower(topic_id=topic.id, person_id=person.id))

    def opinion_of(
        self, topic: Topic, person: Person | None = None, words: str = "装了电梯，老人上下就方便了"
    ) -> Opinion:
        """A statement that everybody reads."""
        person = person or self.make.person("赵桂兰")
        return self.make.add(Opinion(topic_id=topic.id, person_id=person.id, words=words, state=OpinionState.SHOWN))

    def reported_meeting(self, topic: Topic, *, quorum: int = 0, came: int = 1, **more: Any) -> Meeting:
        """A meeting that was held just now, with its report; so many came of whom the quorum asks."""
        starts = more.pop("starts_at", now() - timedelta(hours=3))
        facts: dict[str, Any] = {
            "title": "电梯协商会",
            "forum": Forum.COUNCIL,
            "place": "社区议事厅",
            "state": MeetingState.REPORTED,
            "secret": "s" * 32,
            "report": "大家都说了话，多数愿意装。",
            "closed_at": now(),
            "reported_at": now(),
        }
        made = Meeting(
            topic_id=topic.id,
            starts_at=starts,
            ends_at=starts + timedelta(hours=2),
            quorum=quorum,
            entitled=quorum * 2,
            capacity=Capacity(total=50, taken=0),
            speaking=Capacity(total=5, taken=0),
            **facts | more,
        )
        self.make.add(made)
        for _turn in range(came):
            person = self.make.person(f"到会居民{self.make.number()}")
            counted = {"part": Part.MEMBER, "counts": True, "came_at": now()}
            self.make.add(Attendee(meeting_id=made.id, person_id=person.id, **counted))
        return made

    def meeting(
        self, topic: Topic | None = None, *, seats: int = 30, speakers: int = 3, agenda: Iterable[str] = (), **more: Any
    ) -> Meeting:
        """An announced meeting of a published topic, three days from now at the full hour, nobody on its list."""
        topic = topic or self.topic(stage=Stage.MEETING)
        starts = more.pop("starts_at", None) or ahead()
        facts: dict[str, Any] = {
            "title": f"电梯协商会{self.make.number()}",
            "forum": Forum.COUNCIL,
            "place": "社区议事厅",
            "who": "春风里社区的居民",
            "state": MeetingState.NOTIFIED,
            "secret": secrets.token_urlsafe(32),
            "notified_at": now(),
        }
        made = Meeting(
            topic_id=topic.id,
            starts_at=starts,
            ends_at=more.pop("ends_at", starts + timedelta(hours=2)),
            capacity=Capacity(total=seats, taken=0),
            speaking=Capacity(total=speakers, taken=0),
            **facts | more,
        )
        titles = list(agenda) or ["说明方案", "大家讨论"]
        made.agenda = [AgendaItem(position=number, title=title, minutes=20) for number, title in enumerate(titles, 1)]
        return self.make.add(made)

    # Votes

    def vote(
        self,
        topic: Topic | None = None,
        *,
        named: bool = True,
        state: VoteState = VoteState.OPEN,
        opens_at: datetime | None = None,
        closes_at: datetime | None = None,
        options: Iterable[str] = ("同意", "反对", "弃权"),
        body: Body = Body.RESIDENTS_PERSONS,
        rule: dict[str, Any] | None = None,
        **more: Any,
    ) -> Vote:
        """A vote that began an hour ago and lasts a day more: more than half of the residents must take part, and more
        than half of those agree. The first option is what is put to the threshold; it has no paper and no roll yet.
        """
        topic = topic or self.topic(stage=Stage.VOTING)
        asked = {
            "article": "居民委员会组织法第十条",
            "quorum": [1, 2],
            "quorum_over": True,
            "passes": [1, 2],
            "passes_over": True,
            "by_area": body in {Body.OWNERS_ORDINARY, Body.OWNERS_SPECIAL},
            "confirmed": True,
        }
        facts: dict[str, Any] = {"takes_paper": False, "frozen_at": now() - timedelta(hours=1), "made_by_name": "周洁"}
        made = Vote(
            topic_id=topic.id,
            question="6 号楼是否加装电梯？",
            body=body,
            rule=asked | (rule or {}),
            is_named=named,
            state=state,
            opens_at=opens_at or now() - timedelta(hours=1),
            closes_at=closes_at or now() + timedelta(days=1),
            **facts | more,
        )
        made.options = [
            VoteOption(number=number, label=label, carries=number == 1) for number, label in enumerate(options, 1)
        ]
        return self.make.add(made)

    def entry(self, vote: Vote, *persons: Person, name: str = "", area: str = "0", **more: Any) -> RollEntry:
        """A line of a vote's roll for some people, or for nobody with an account."""
        number = self.make.number()
        name = name or (persons[0].name if persons else f"住户{number}")
        made = self.make.add(
            RollEntry(
                vote_id=vote.id,
                number=number,
                unit=f"person:{number}",
                name=name,
                place="6 号楼",
                area_m2=Decimal(area),
                **more,
            )
        )
        for person in persons:
            self.make.add(RollPerson(vote_id=vote.id, entry_id=made.id, person_id=person.id))
        return made

    def voters(self, vote: Vote, count: int) -> list[tuple[RollEntry, Person, Actor]]:
        """So many people with accounts, each on the roll alone."""
        found = []
        for _number in range(count):
            person, account = self.person_with_account()
            found.append((self.entry(vote, person), person, self.actor(account)))
        return found

    def person_with_account(self, name: str = "王秀英", **more: Any) -> tuple[Person, Account]:
        """Somebody of the test's community (unless told otherwise) with a confirmed account."""
        person = self.make.person(name, **more)
        return person, self.make.resident(person)

    def actor(self, account: Account, *, fresh: bool = True) -> Actor:
        """An account as a request sees it, with its grants; signed in now, or an hour ago."""
        held = tuple(Grant(one.role, Scope(one.scope_kind, one.scope_ref)) for one in account.grants)
        since = now() if fresh else now() - timedelta(hours=1)
        return Actor(account.id, account.public_id, account.name, account.platform, held, 0, since)

    def committee(self, area: Area | None = None, name: str = "周洁") -> Actor:
        """A community worker (of the test's community unless an area is given) as a request sees her."""
        return self.actor(self.make.worker(scope=area, name=name))

    # Ideas

    def idea(
        self, title: str = "", *, person: Person | None = None, community: Area | None = None, **more: Any
    ) -> Idea:
        """An idea of somebody's, open for support, that needs three."""
        person = person or self.make.person(f"提议人{self.make.number()}")
        facts: dict[str, Any] = {
            "title": title or f"在 6 号楼前装晾衣杆{self.make.number()}",
            "words": "楼前没有地方晒被子，想在空地装一排晾衣杆。",
            "category": Category.AFFAIR,
            "state": IdeaState.OPEN,
            "needed": 3,
            "due_on": today() + timedelta(days=60),
        }
        return self.make.add(Idea(community_id=person.community_id, person_id=person.id, **facts | more))

    # Opinions

    def opinion(self, topic: Topic, words: str = "", person: Person | None = None, **more: Any) -> Opinion:
        """A statement that everybody is shown, of the committee's unless a person is given."""
        facts: dict[str, Any] = {"words": words or f"费用按楼层分摊{self.make.number()}", "state": OpinionState.SHOWN}
        facts |= {"person_id": person.id} if person else {"entered_by_name": "周洁"}
        return self.make.add(Opinion(topic_id=topic.id, **facts | more))

    def stand(self, opinion: Opinion, person: Person | None = None, stand: Stand = Stand.AGREE) -> OpinionVote:
        person = person or self.make.person(f"邻居{self.make.number()}")
        facts = {"topic_id": opinion.topic_id, "opinion_id": opinion.id, "person_id": person.id}
        return self.make.add(OpinionVote(**facts, stand=stand))

    def comment(self, topic: Topic, words: str = "", person: Person | None = None, **more: Any) -> Comment:
        """A comment of somebody's that everybody reads."""
        person = person or self.make.person(f"邻居{self.make.number()}")
        facts: dict[str, Any] = {"words": words or f"一楼担心采光{self.make.number()}", "state": OpinionState.SHOWN}
        return self.make.add(Comment(topic_id=topic.id, person_id=person.id, **facts | more))
