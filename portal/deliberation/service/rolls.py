"""Rolls of votes: made from the register, published for correction, frozen when the vote opens; who is on one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, settings
from portal.core.access import Actor
from portal.core.clock import local, now, today
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.core.web import day_words
from portal.deliberation.models.codes import AskState, Stage, Unit, VoteState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollCorrection, RollDwelling, RollEntry, RollPerson, Vote
from portal.deliberation.service import (
    elections,
    public_log,
    reach,
    roll_doubles,
    roll_owners,
    roll_telling,
    roll_units,
    rules,
    telling,
    vote_notices,
)
from portal.deliberation.service.roll_units import Asked, Entitled, Extent, Gaps
from portal.deliberation.service.thresholds import Weight
from portal.registry.models import Person
from portal.registry.service import people

ROLL_DAYS = "deliberation.roll_days"
settings.declare(
    ROLL_DAYS,
    default=3,
    label=lambda: _("表决名册一般公布几天供更正"),
    unit=lambda: _("天"),
    least=0,
    most=30,
)
UNITS = {
    Unit.PERSON: roll_units.persons,
    Unit.HOUSEHOLD: roll_units.households,
    Unit.DELEGATE: roll_units.delegates,
    Unit.OWNER: roll_owners.owners,
}
# Why an entry was struck by the house itself: if the register has the unit again, it comes back.
GONE = "更正登记后不再在册"


@dataclass(frozen=True)
class Look:
    """What a roll would be: how many heads, which area, and what the register lacks."""

    units: list[Entitled]
    gaps: Gaps

    @property
    def weight(self) -> Weight:
        return Weight(len(self.units), sum((one.area for one in self.units), Weight().area))


def day_of(vote: Vote) -> date:
    """The day on which ages and titles are asked: the one on which the vote opens."""
    return local(vote.opens_at).date()


def look(vote: Vote) -> Look:
    """What the register gives today, before anything is written."""
    rule = rules.rule_for(vote.body, vote.topic.area, day_of(vote))
    extent = Extent.of(vote.extent or {}, reach.community_ids(vote.topic))
    asked = Asked(vote.body, extent, day_of(vote), rules.snapshot(rule))
    units, gaps = UNITS[vote.unit](asked)
    return Look(sorted(units, key=lambda one: one.order), gaps)


def build(vote: Vote, *, by: Actor) -> int:
    """Make or remake the roll of a vote that is not frozen, and write its rule on it; how many entries.

    A unit that stays keeps its number and what was decided about it by hand.
    """
    lock(vote)
    _editable(vote)
    _write_rule(vote, by)
    seen = look(vote)
    before = roll_telling.lines(vote) if vote.state is VoteState.ROLL else {}
    if vote.state is VoteState.DRAFT:
        _clear_draft(vote)
    _remade(vote, {one.unit: one for one in entries(vote, struck=True)}, seen.units)
    roll_doubles.settle(vote)
    vote.roll_at = now()
    db.session.flush()
    if vote.state is VoteState.ROLL:
        public_log.log(vote.topic, "roll_remade", by_name=by.name, heads=entitled(vote).heads)
        roll_telling.remade(vote, before, why=GONE)
    audit.record("deliberation.roll_built", vote, entries=len(seen.units), gaps=len(seen.gaps.said), by=by.name)
    return len(seen.units)


def _write_rule(vote: Vote, by: Actor) -> None:
    """The rule as it stands now; that a committee confirmed this row for this vote stays written. Where another row
    took its place, what was confirmed and announced of the former is no longer so.
    """
    rule = rules.rule_for(vote.body, vote.topic.area, day_of(vote))
    if vote.rule_id not in {None, rule.id}:
        vote.rule_confirmed_at, vote.rule_confirmed_by_name = None, ""
        vote_notices.withdraw(vote, _("表决的规则换了，另发通知。"), by=by)
    confirmed = vote.rule_confirmed_by_name if vote.rule_confirmed_at else ""
    vote.rule_id, vote.rule = rule.id, rules.snapshot(rule, confirmed_by=confirmed)


def _clear_draft(vote: Vote) -> None:
    """Nobody has seen the roll yet: it is written anew, but for what was decided by hand."""
    _clear(vote)
    by_itself = (RollEntry.vote_id == vote.id, RollEntry.added_why == "", RollEntry.struck_at.is_(None))
    db.session.execute(sa.delete(RollEntry).where(*by_itself).execution_options(synchronize_session="fetch"))


def _remade(vote: Vote, before: Mapping[str, RollEntry], units: Sequence[Entitled]) -> None:
    """The roll hangs on the wall: numbers stay, who is gone is struck, who is new comes last."""
    named = {one.unit: one for one in units}
    for unit, entry in before.items():
        found = named.get(unit)
        if found is not None:
            entry.name, entry.place, entry.area_m2 = found.name, found.place, found.area
            if entry.struck_why == GONE:
                entry.struck_at, entry.struck_why = None, ""
        elif not entry.added_why and entry.struck_at is None:
            entry.struck_at, entry.struck_why = now(), GONE
    db.session.flush()
    _clear(vote)
    stays = {unit: entry.id for unit, entry in before.items() if unit in named and not entry.added_why}
    _write_parts(vote, [(stays[one.unit], one) for one in units if one.unit in stays])
    _write(vote, [one for one in units if one.unit not in before], _numbers(vote, before))


def _numbers(vote: Vote, before: Mapping[str, RollEntry]) -> Iterator[int]:
    """A draft is numbered along the houses; once published, who is new comes last."""
    taken = {one.number for one in before.values()}
    if vote.state is VoteState.DRAFT:
        return (number for number in count(1) if number not in taken)
    return count(max(taken, default=0) + 1)


def forget(vote: Vote) -> None:
    """A draft is put to another body: nobody of its roll stays, by hand or not."""
    for part in (RollPerson, RollDwelling, RollEntry):
        gone = sa.delete(part).where(part.vote_id == vote.id)
        db.session.execute(gone.execution_options(synchronize_session="fetch"))
    vote.roll_at = None


def _clear(vote: Vote) -> None:
    """Who may cast and which homes stand behind an entry are written anew; by hand added entries keep theirs, and
    whoever is no longer on the roll finds her struck line with the reason.
    """
    mine = sa.select(RollEntry.id).where(RollEntry.vote_id == vote.id, RollEntry.added_why == "")
    for part, which in ((RollPerson, mine.where(RollEntry.struck_why != GONE)), (RollDwelling, mine)):
        gone = sa.delete(part).where(part.vote_id == vote.id, part.entry_id.in_(which))
        db.session.execute(gone.execution_options(synchronize_session=False))


def _write(vote: Vote, units: Sequence[Entitled], numbers: Iterator[int]) -> None:
    if not units:
        return
    rows = [
        {"vote_id": vote.id, "number": number, "unit": one.unit, "name": one.name, "place": one.place}
        | {"area_m2": one.area, "struck_why": "", "added_why": ""}
        for number, one in zip(numbers, units, strict=False)
    ]
    db.session.execute(sa.insert(RollEntry), rows)
    query = sa.select(RollEntry.unit, RollEntry.id).where(RollEntry.vote_id == vote.id).order_by(RollEntry.id)
    made = {row.unit: row.id for row in db.session.execute(query)}
    _write_parts(vote, [(made[one.unit], one) for one in units])


def _write_parts(vote: Vote, units: Sequence[tuple[int, Entitled]]) -> None:
    voters = [
        {"vote_id": vote.id, "entry_id": entry, "person_id": person} for entry, one in units for person in one.people
    ]
    homes = [
        {"vote_id": vote.id, "entry_id": entry, "dwelling_id": home, "area_m2": area}
        for entry, one in units
        for home, area in one.dwellings
    ]
    if voters:
        db.session.execute(sa.insert(RollPerson), voters)
    if homes:
        db.session.execute(sa.insert(RollDwelling), homes)


def publish(vote: Vote, *, until: datetime, by: Actor) -> None:
    """Put the roll up for correction until a time: DRAFT becomes ROLL."""
    lock(vote)
    if not vote.may_become(VoteState.ROLL):
        raise Refused(_("这次表决的名册已经公布过，或者表决已经取消。请刷新页面再看。"))
    if vote.roll_at is None:
        raise Refused(_("请先点“生成名册”，看过没有问题再公布。"))
    db.session.refresh(vote.topic, ["stage"], with_for_update={"read": True, "of": Topic})
    if vote.topic.stage is not Stage.VOTING:
        raise Refused(_("请先把议题移到“提交表决”这一步，再公布名册。"))
    _check_until(vote, until)
    rule = rules.rule_for(vote.body, vote.topic.area, day_of(vote))
    elections.check_roll(vote, rule.notice_days)
    # The vote, or the register, may have changed since the roll was looked at.
    build(vote, by=by)
    if not entitled(vote).heads:
        raise Refused(_("名册上没有人。请核对范围和登记，再公布。"))
    vote.state, vote.corrections_until = VoteState.ROLL, until
    heads = entitled(vote).heads
    audit.record("deliberation.roll_published", vote, entries=heads, until=until.isoformat())
    said: dict[str, Any] = {"question": vote.question, "heads": heads, "until": until.isoformat(), "vote_id": vote.id}
    public_log.log(vote.topic, "roll_published", by_name=by.name, **said)
    telling.tell_followers(vote.topic, "roll_published", **said)


def _check_until(vote: Vote, until: datetime) -> None:
    if until <= now():
        raise Refused(_("更正的截止时间要在现在以后。"), field="until")
    if until > vote.opens_at:
        raise Refused(_("更正要在开始投票以前截止。请改早一点，或者把开始投票的时间往后推。"), field="until")
    days = settings.get(ROLL_DAYS)
    first = today() + timedelta(days=days)
    if local(until).date() < first:
        words = _(
            "名册至少要公布 %(days)d 天供更正，最早到%(day)s截止。来不及的，请先把开始投票的时间往后推。",
            days=days,
            day=day_words(first),
        )
        raise Refused(words, field="until")


def freeze(vote: Vote, *, at: datetime) -> None:
    """Nothing on the roll changes from here; within the transaction that opens the vote (the caller moves it to OPEN).
    Refused while a correction is undecided or may still be asked, and where the roll is not published or empty.
    """
    lock(vote)
    if vote.state is not VoteState.ROLL:
        raise Refused(_("名册没有在公布中，不能开始投票。请先公布名册。"))
    if vote.corrections_until is not None and at < vote.corrections_until:
        raise Refused(_("名册还在公布更正，截止以后才能开始投票。"))
    if waiting(vote):
        raise Refused(_("还有人要求更正名册，没有答复。请先到名册页逐条答复，再开始投票。"))
    if not entitled(vote).heads:
        raise Refused(_("名册上没有人，不能开始投票。"))
    twice = roll_doubles.doubles(vote)
    if twice:
        raise Refused(double_words(twice))
    vote.frozen_at = at
    audit.record("deliberation.roll_frozen", vote, entries=entitled(vote).heads)


def double_words(twice: Sequence[tuple[int, int]]) -> str:
    named = [_("%(first)d 号和 %(second)d 号", first=first, second=second) for first, second in twice[:10]]
    return _("名册上有同一个人（户）占了两行：%(lines)s。请重新生成名册，或划掉一行", lines=_("、").join(named))


def waiting(vote: Vote) -> int:
    """How many asked to have the roll put right and have no answer yet."""
    query = sa.select(sa.func.count(RollCorrection.id))
    found = db.session.scalar(query.where(RollCorrection.vote_id == vote.id, RollCorrection.state == AskState.OPEN))
    return found or 0


def strike(vote: Vote, number: int, *, why: str, by: Actor) -> RollEntry:
    """Take an entry off the roll before it is frozen; it stays readable, with the reason."""
    lock(vote)
    _editable(vote)
    found = entry_numbered(vote, number)
    if found is None:
        raise Refused(_("名册上没有这个号，或者已经划掉了。"), field="number")
    where = (RollEntry.id == found.id, RollEntry.struck_at.is_(None))
    if not guarded(sa.update(RollEntry).where(*where).values(struck_at=now(), struck_why=why)):
        raise Refused(_("这一行刚刚被划掉了，请刷新页面再看。"))
    db.session.refresh(found)
    audit.record("deliberation.roll_struck", vote, reason=why, number=number)
    public_log.log(vote.topic, "roll_struck", by_name=by.name, why=why, number=number)
    if vote.state is VoteState.ROLL:
        roll_telling.struck(vote, found, why=why)
    return found


def restore(vote: Vote, number: int, *, why: str, by: Actor) -> RollEntry:
    """Put an entry that was struck off back on the roll."""
    lock(vote)
    _editable(vote)
    where = (RollEntry.vote_id == vote.id, RollEntry.number == number, RollEntry.struck_at.is_not(None))
    struck = db.session.scalar(sa.select(RollEntry).where(*where))
    if struck is not None and vote.unit is Unit.OWNER and struck.struck_why == GONE:
        raise Refused(_("房屋登记里已没有这一行的业主，不能直接恢复。请先在房屋页更正业主，再回来重新生成名册。"))
    if struck is not None and roll_doubles.stands_beside(vote, struck):
        raise Refused(_("这个人（户）已经在名册上另有一行，每人（户）只有一票。要恢复这一行，请先划掉那一行。"))
    if not guarded(sa.update(RollEntry).where(*where).values(struck_at=None, struck_why="")):
        raise Refused(_("这一行没有被划掉，不用恢复。"), field="number")
    audit.record("deliberation.roll_restored", vote, reason=why, number=number)
    public_log.log(vote.topic, "roll_restored", by_name=by.name, why=why, number=number)
    found = entry_numbered(vote, number)
    if found is None:
        raise Refused(_("名册上没有这个号。"))
    db.session.refresh(found)
    if vote.state is VoteState.ROLL:
        roll_telling.added(vote, found)
    return found


def add_person(vote: Vote, person: Person, *, why: str, by: Actor) -> RollEntry:
    """Put somebody on the roll by hand, before it is frozen: one entry of her own."""
    lock(vote)
    _editable(vote)
    if vote.unit is Unit.OWNER:
        raise Refused(_("业主名册按房屋登记的业主生成。请在房屋页登记业主，再回来重新生成名册。"))
    if roll_doubles.holds(vote, person):
        raise Refused(_("这个人（户）已经在名册上了，每人（户）只有一票。"))
    earlier = sa.select(RollEntry.number).where(RollEntry.vote_id == vote.id, RollEntry.unit == f"hand:{person.id}")
    struck = db.session.scalar(earlier)
    if struck is not None:
        raise Refused(_("这个人加过，是 %(number)d 号，后来划掉了。请在那一行点“恢复”。", number=struck))
    numbers = sa.select(sa.func.max(RollEntry.number)).where(RollEntry.vote_id == vote.id)
    made = RollEntry(vote=vote, number=(db.session.scalar(numbers) or 0) + 1, unit=f"hand:{person.id}")
    made.name, made.place, made.added_why = person.name, _place_of(person), why
    db.session.add(made)
    db.session.flush()
    db.session.add(RollPerson(vote_id=vote.id, entry_id=made.id, person_id=person.id))
    db.session.flush()
    audit.record("deliberation.roll_added", vote, reason=why, number=made.number)
    public_log.log(vote.topic, "roll_added", by_name=by.name, why=why, number=made.number)
    if vote.state is VoteState.ROLL:
        roll_telling.added(vote, made)
    return made


def _place_of(person: Person) -> str:
    home = person.household.dwelling if person.household else None
    return roll_units.place_words(home.building.estate.name, home.building.name) if home else ""


def _editable(vote: Vote) -> None:
    if vote.frozen_at is not None or vote.state not in {VoteState.DRAFT, VoteState.ROLL}:
        raise Refused(_("名册已经定下来了，开始投票以后不能再改。"))


def lock(vote: Vote) -> None:
    """Read again what stands, held until the act is done: whoever opens the vote meanwhile waits."""
    db.session.flush()
    db.session.refresh(vote, with_for_update={"of": Vote})


def entries(vote: Vote, *, struck: bool = False) -> list[RollEntry]:
    """The roll by number; with `struck` also those struck off."""
    query = sa.select(RollEntry).where(RollEntry.vote_id == vote.id).order_by(RollEntry.number)
    return list(db.session.scalars(query if struck else query.where(RollEntry.struck_at.is_(None))))


def entry_numbered(vote: Vote, number: int) -> RollEntry | None:
    """The entry that stands under a number and is not struck off."""
    query = sa.select(RollEntry).where(RollEntry.vote_id == vote.id, RollEntry.number == number)
    return db.session.scalar(query.where(RollEntry.struck_at.is_(None)))


def entries_of(vote: Vote, person: Person, *, struck: bool = False) -> list[RollEntry]:
    """The entries that somebody may vote for, by number: her own, her household's, those of her dwellings."""
    mine = sa.select(RollPerson.entry_id).where(
        RollPerson.vote_id == vote.id, RollPerson.person_id.in_(people.ids_of(person))
    )
    query = sa.select(RollEntry).where(RollEntry.vote_id == vote.id, RollEntry.id.in_(mine)).order_by(RollEntry.number)
    return list(db.session.scalars(query if struck else query.where(RollEntry.struck_at.is_(None))))


def entitled(vote: Vote) -> Weight:
    """Everybody on the roll who is not struck off: heads, and m² for owners."""
    query = sa.select(sa.func.count(RollEntry.id), sa.func.sum(RollEntry.area_m2))
    heads, area = db.session.execute(query.where(RollEntry.vote_id == vote.id, RollEntry.struck_at.is_(None))).one()
    return Weight(heads, area or Weight().area)
