"""Who walks a topic's whole road in the journey, and the clock they live by."""

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from flask import Flask

from portal.core.access import Actor
from portal.core.clock import at, today
from portal.core.db import db, transaction
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import moving
from portal.identity.models import Account
from portal.registry.models import Person
from tests.deliberating import Deliberating
from tests.make import Make


@dataclass
class Story:
    """Who takes part, the clock they live by, and what they carry from one step to the next."""

    app: Flask
    make: Make
    deliberating: Deliberating
    people: list[Person] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    topic_id: int = 0
    vote_id: int = 0
    clock: Any = None

    def __post_init__(self) -> None:
        self.worker = self.deliberating.committee(name="周洁")
        self.colleague = self.deliberating.committee(name="陈晨")
        for number in range(10):
            person = self.make.person(f"居民{'甲乙丙丁戊己庚辛壬癸'[number]}某")
            self.people.append(person)
            self.accounts.append(self.make.resident(person))

    def go(self, day: date, hour: int = 9) -> None:
        self.clock.move_to(at(day, time(hour)))

    def later(self, days: int) -> None:
        self.go(today() + timedelta(days=days))

    def actor(self, number: int) -> Actor:
        return self.deliberating.actor(self.accounts[number])

    def person(self, number: int) -> Person:
        return db.session.get_one(Person, self.people[number].id)

    @property
    def topic(self) -> Topic:
        return db.session.get_one(Topic, self.topic_id)

    @property
    def vote(self) -> Vote:
        return db.session.get_one(Vote, self.vote_id)

    def read(self, path: str) -> str:
        """A page as anybody reads it."""
        answer = self.app.test_client().get(path)
        assert answer.status_code == 200, path
        return str(answer.get_data(as_text=True))

    def move(self, to: Stage, **more: Any) -> None:
        with transaction():
            moving.move(self.topic, to, by=self.worker, **more)
