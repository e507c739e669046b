"""What the roster is made of: names on posts, posts on cards, cards by day, and people with their week."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest

from portal.core.clock import local
from portal.volunteers.models.codes import ShiftState, SignupState, Way

DAYS = 7


class Tint(StrEnum):
    """How a post or shift is staffed; the value is the class of its card."""

    SHORT = "short"
    EXACT = "exact"
    OVER = "over"


@dataclass(frozen=True)
class Wanted:
    """What of a week is asked for; empty says everything."""

    activity: str = ""
    skill: int = 0
    short: bool = False

    def query(self) -> dict[str, str]:
        asked = {"activity": self.activity, "skill": str(self.skill or ""), "short": "1" if self.short else ""}
        return {name: value for name, value in asked.items() if value}


@dataclass
class Name:
    """Somebody on a post."""

    public_id: str
    volunteer_id: int
    name: str
    state: SignupState
    way: Way
    can_stay: bool
    shift: "Card"
    post: "Place"
    is_new: bool = False
    # Of the whole week.
    minutes: int = 0
    trouble: tuple[str, ...] = ()

    @cached_property
    def moves(self) -> bool:
        """Whether she may still be put elsewhere: her time there has not begun to count."""
        return self.state in {SignupState.REQUESTED, SignupState.JOINED}


@dataclass
class Place:
    """A post of a shift: how many it needs, how many are taken and by whom; `usual` is what the position needs."""

    id: int
    name: str
    needs: int
    taken: int
    usual: int
    skills: dict[int, str] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)

    @cached_property
    def missing(self) -> int:
        return max(self.needs - self.taken, 0)

    @property
    def count(self) -> str:
        """1/2: taken of what is needed."""
        return f"{self.taken}/{self.needs}"

    @cached_property
    def over(self) -> int:
        """How many more there are than the position usually needs."""
        return max(self.taken - self.usual, 0) if self.missing == 0 else 0

    @cached_property
    def offered(self) -> int:
        """Places that are offered to who waits for them."""
        return max(self.taken - len(self.names), 0)

    @cached_property
    def tint(self) -> Tint:
        return Tint.SHORT if self.missing else (Tint.OVER if self.over else Tint.EXACT)


@dataclass
class Card:
    """A shift in the grid."""

    id: int
    public_id: str
    activity: str
    title: str
    place: str
    starts_at: datetime
    ends_at: datetime
    state: ShiftState
    is_draft: bool
    posts: list[Place] = field(default_factory=list)

    @cached_property
    def day(self) -> date:
        return local(self.starts_at).date()

    @cached_property
    def missing(self) -> int:
        return sum(post.missing for post in self.posts)

    @cached_property
    def over(self) -> int:
        return sum(post.over for post in self.posts)

    @cached_property
    def tint(self) -> Tint:
        return Tint.SHORT if self.missing else (Tint.OVER if self.over else Tint.EXACT)

    @cached_property
    def hours(self) -> str:
        """08:00–10:00; +1 where it ends on the next day."""
        start, end = local(self.starts_at), local(self.ends_at)
        later = "+1" if (end - timedelta(minutes=1)).date() > start.date() else ""
        return f"{start:%H:%M}–{end:%H:%M}{later}"


@dataclass
class Line:
    """A volunteer with her week."""

    id: int
    public_id: str
    name: str
    week_hours: int
    minutes: int = 0
    is_new: bool = False
    trouble: tuple[str, ...] = ()
    names: dict[date, list[Name]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Week:
    """A week of the roster: the cards by day, and everybody with her week."""

    first: date
    cards: dict[date, list[Card]]
    people: list[Line]
    activities: list[tuple[str, str]]
    skills: list[tuple[int, str]]

    @cached_property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=turn) for turn in range(DAYS)]

    @cached_property
    def all_cards(self) -> list[Card]:
        return [card for day in self.days for card in self.cards.get(day, [])]

    @cached_property
    def rows(self) -> list[tuple[Card | None, ...]]:
        """The cards as rows of a table with a column for each day."""
        return list(zip_longest(*(self.cards.get(day, []) for day in self.days)))

    @cached_property
    def missing(self) -> int:
        return sum(card.missing for card in self.all_cards)

    def open_posts(self, moment: datetime) -> dict[date, list[tuple[Card, Place]]]:
        """What still lacks somebody who may be put there, by day."""
        found: dict[date, list[tuple[Card, Place]]] = defaultdict(list)
        for card in self.all_cards:
            if card.ends_at > moment and not card.is_draft and card.state is ShiftState.OPEN:
                found[card.day] += [(card, post) for post in card.posts if post.missing]
        return {day: posts for day, posts in found.items() if posts}

    @cached_property
    def short(self) -> int:
        return sum(1 for card in self.all_cards if card.missing)

    @cached_property
    def most_missing(self) -> int:
        """How many the shift lacks that lacks the most."""
        return max((card.missing for card in self.all_cards), default=0)

    @cached_property
    def troubled(self) -> list[Line]:
        return [line for line in self.people if line.trouble]

    @cached_property
    def names(self) -> list[Name]:
        return [name for card in self.all_cards for post in card.posts for name in post.names]
