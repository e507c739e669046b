"""A proposal as it grows: who is where, and which rules keep anybody else from a place at this moment."""

from collections.abc import Collection

from portal.volunteers.solving import fitting
from portal.volunteers.solving.problem import Held, Line, Person, Post, Problem, Rule


class Placing:
    """The problem with some lines placed; every question is answered as if those stood for good."""

    def __init__(self, problem: Problem, lines: Collection[Line] = ()) -> None:
        self.problem = problem
        self.lines: list[Line] = []
        self.left = {post.id: post.places for post in problem.posts}
        self.calendar: dict[int, list[Held | Post]] = {
            person.id: list(problem.held_by[person.id]) for person in problem.persons
        }
        self.on: dict[int, list[int]] = {
            post.id: [held.person for held in problem.held_on[post.id]] for post in problem.posts
        }
        self.shifts: set[Line] = {(held.person, held.shift) for held in problem.held if held.shift}
        for line in lines:
            self.put(*line)

    def put(self, person: int, post_id: int) -> None:
        post = self.problem.post[post_id]
        self.lines.append((person, post_id))
        self.left[post_id] -= 1
        self.calendar[person].append(post)
        self.on[post_id].append(person)
        self.shifts.add((person, post.shift))

    def take(self, person: int, post_id: int) -> None:
        post = self.problem.post[post_id]
        self.lines.remove((person, post_id))
        self.left[post_id] += 1
        self.calendar[person].remove(post)
        self.on[post_id].remove(person)
        self.shifts.discard((person, post.shift))

    def load(self, person: Person) -> int:
        """Minutes lately, given already and placed."""
        return person.lately + sum(thing.minutes for thing in self.calendar[person.id])

    def obstacles(self, person: Person, post: Post) -> set[Rule]:
        """Every rule that keeps her from the post now; whether a place is left is not asked."""
        found = fitting.own_rules(person, post, self.problem)
        mine = self.calendar[person.id]
        clashes = {fitting.between(post, other, self.problem.options.rest_minutes) for other in mine}
        found |= {rule for rule in clashes if rule is not None}
        if fitting.over_day(post, mine, self.problem):
            found.add(Rule.DAY)
        limit = self.problem.week_limit(person)
        if limit and post.minutes + sum(other.minutes for other in mine if other.week == post.week) > limit:
            found.add(Rule.WEEK)
        if self.alone(person.id, post.shift):
            found.add(Rule.PAIR)
        if self._too_new(person, post):
            found.add(Rule.NEWCOMERS)
        return found

    def alone(self, person: int, shift: int) -> bool:
        """Whether somebody she always comes with is not on the shift."""
        return any((other, shift) not in self.shifts for other in self.problem.partners.get(person, ()))

    def _too_new(self, person: Person, post: Post) -> bool:
        """Over the share of those who are there, or of all the places; who is experienced is never one too many."""
        if not person.newcomer or post.newcomers >= 100:
            return False
        there = [self.problem.person.get(other) for other in self.on[post.id]]
        new = 1 + sum(1 for other in there if other and other.newcomer)
        return 100 * new > post.newcomers * (len(there) + 1) or new > post.most_new
