"""Merging one person into another: what is asked first, what follows, and what is written down."""

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, events
from portal.core.access import actor_or_none
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Refused
from portal.core.ids import new_public_id
from portal.registry.models import (
    AgentState,
    Claim,
    ClaimState,
    EmergencyContact,
    FamilyAgent,
    Happening,
    HappeningKind,
    HappeningPart,
    Household,
    Person,
    PersonState,
    Purpose,
    Relation,
    RestrictedTag,
    Source,
    TagKind,
    TwinPair,
    TwinState,
)
from portal.registry.service import changes, consents, erasing, households, people, words
from portal.registry.service.merging import snapshots
from portal.registry.service.merging.fields import take

LIVE = (AgentState.REQUESTED, AgentState.ACCEPTED)


def merge(kept: Person, merged: Person, *, taking: Collection[str] = (), reason: str = "") -> Happening:
    """Make `merged` an alias of `kept`, who takes the named groups of fields over from it. Nothing above is
    re-pointed: queries resolve the alias. Raises Refused, each time with a sentence.
    """
    if kept.id == merged.id:
        raise Refused(_("这是同一份登记，不能和自己合并。"))
    _lock(kept, merged)
    _check(kept, merged)
    claims, agents, homes = _claims(merged), _agents(merged), _households(kept, merged)
    touched = [kept, merged, *homes, *claims, *agents]
    before = snapshots.rows_of(touched)
    happening = Happening(public_id=new_public_id(), kind=HappeningKind.MERGE, community_id=kept.community_id)
    with unique_or(_taken()):
        _become_one(kept, merged, taking, homes, ref=happening.public_id, reason=reason)
        _follow(kept, claims, agents, homes)
        made = _copies(kept, merged)
        if told := hanging(made):
            differing: dict[str, list[str | None]] = {name: [None, text] for name, text in told.items()}
            changes.note(kept, differing, Source.MERGE, ref=happening.public_id, reason=reason)
    happening.note = reason or None
    _write_down(happening, (kept, merged), before, snapshots.rows_of(touched), made)
    audit.record("registry.people_merged", kept, reason=reason, person=merged.public_id, fields=sorted(taking))
    events.publish("person_merged", kept=kept, merged=merged)
    return happening


def _become_one(
    kept: Person, merged: Person, taking: Collection[str], homes: Collection[Household], *, ref: str, reason: str
) -> None:
    """The two rows themselves, with a line in the history of each."""
    heads = {home.id: households.head_of(households.living(home)) for home in homes}
    with (
        changes.changing(merged, Source.MERGE, ref=ref, reason=reason),
        changes.changing(kept, Source.MERGE, ref=ref, reason=reason),
    ):
        take(kept, merged, taking)
        merged.merged_into_id, merged.household_id = kept.id, None
        _hand_on(kept, merged, heads)
    db.session.flush()
    if consents.refuses(kept, purpose=Purpose.HEALTH):
        erasing.histories([kept.id, merged.id])


def _taken() -> Refused:
    return Refused(_("刚才有人改动了这两份登记，请返回重新核对。"))


def _lock(*two: Person) -> None:
    """Both rows as they are now, in one order, so that two merges of the same people wait for each other."""
    query = sa.select(Person).where(Person.id.in_([who.id for who in two])).order_by(Person.id).with_for_update()
    db.session.scalars(query, execution_options={"populate_existing": True}).all()


def _check(kept: Person, merged: Person) -> None:
    if people.resolved(kept).id == people.resolved(merged).id:
        raise Refused(_("这两份登记已经合并过了，不用再合并。"))
    if kept.merged_into_id or merged.merged_into_id:
        raise Refused(_("其中一份登记已经合并到别人名下。请打开合并后的那一份，再和它合并。"))
    if kept.community_id != merged.community_id:
        raise Refused(_("两份登记在不同的社区，不能直接合并。请先在一边办理迁出，再合并。"))
    if (kept.state is PersonState.DEAD) is not (merged.state is PersonState.DEAD):
        raise Refused(_("一份登记为已去世，另一份在世，不能合并。请先核实，改正去世登记后再合并。"))
    if kept.guardian_id == merged.id or merged.guardian_id == kept.id:
        raise Refused(_("其中一人登记为另一人的监护人，不会是同一个人。登记有误请先改监护人。"))
    owned = sa.select(sa.func.count()).where(
        Claim.person_id.in_([kept.id, merged.id]), Claim.state == ClaimState.CONFIRMED
    )
    if int(db.session.scalar(owned) or 0) > 1:
        raise Refused(_("两份登记各有一个居民账号，不能合并。请先在“账号认领”里撤销其中一个，再合并。"))


def _claims(merged: Person) -> list[Claim]:
    """The merged one's account comes along, so that the kept person cannot be given to a second one."""
    query = sa.select(Claim).where(Claim.person_id == merged.id, Claim.state == ClaimState.CONFIRMED)
    return list(db.session.scalars(query.order_by(Claim.id)))


def _agents(merged: Person) -> list[FamilyAgent]:
    query = sa.select(FamilyAgent).where(FamilyAgent.person_id == merged.id, FamilyAgent.state.in_(LIVE))
    return list(db.session.scalars(query.order_by(FamilyAgent.id)))


def _households(kept: Person, merged: Person) -> list[Household]:
    numbers = {who.household_id for who in (kept, merged) if who.household_id}
    return list(db.session.scalars(sa.select(Household).where(Household.id.in_(numbers)).order_by(Household.id)))


def _follow(
    kept: Person, claims: Collection[Claim], agents: Collection[FamilyAgent], homes: Collection[Household]
) -> None:
    """Accounts and agents act for the kept one; an agent she has already, or who is herself, ends here. A household
    that nobody belongs to any more is closed.
    """
    for claim in claims:
        claim.person_id = kept.id
    db.session.flush()
    own = sa.select(Claim.account_id).where(Claim.person_id == kept.id, Claim.state == ClaimState.CONFIRMED)
    theirs = sa.select(FamilyAgent.account_id).where(FamilyAgent.person_id == kept.id, FamilyAgent.state.in_(LIVE))
    needless = {*db.session.scalars(own), *db.session.scalars(theirs)}
    for agent in agents:
        if agent.account_id in needless:
            agent.state, agent.decided_at = AgentState.ENDED, now()
        else:
            agent.person_id = kept.id
    db.session.flush()
    numbers = sa.select(Person.household_id).where(Person.household_id.in_([home.id for home in homes]))
    lived_in = set(db.session.scalars(numbers))
    for home in homes:
        if home.id not in lived_in and home.closed_on is None:
            home.closed_on = today()
    db.session.flush()


def _hand_on(kept: Person, merged: Person, heads: Mapping[int, Person | None]) -> None:
    """A household that one of the two headed is headed by the kept one, or by nobody when nobody else lives in it."""
    for home_id, head in heads.items():
        home = db.session.get_one(Household, home_id)
        left = households.living(home) if head in (kept, merged) else []
        if not left or households.head_of(left):
            continue
        if kept not in left:
            facts = {"name": merged.name if head is merged else kept.name, "number": home.number}
            raise Refused(_("%(name)s是 %(number)s 户的户主，这一户还有别人。请先给这一户变更户主，再合并。", **facts))
        kept.relation = Relation.HEAD
        db.session.flush()


def _copies(kept: Person, merged: Person) -> snapshots.Rows:
    """What the kept one has not yet: tags in force, restricted ones too, and whom to call. The alias keeps its own."""
    day = today()
    held, dated = kept.tag_kinds(day), {(tag.kind, tag.since) for tag in kept.tags}
    tags = [
        tag for tag in merged.tags if tag.holds(day) and tag.kind not in held and (tag.kind, tag.since) not in dated
    ]
    phones = {contact.phone for contact in kept.contacts}
    contacts = [contact for contact in merged.contacts if contact.phone not in phones]
    made = [_copy(row, kept) for row in (*tags, *_restricted(kept, merged), *contacts)]
    for rank, contact in enumerate((row for row in made if isinstance(row, EmergencyContact)), len(kept.contacts) + 1):
        contact.rank = rank
    db.session.flush()
    db.session.expire(kept, ["tags", "contacts"])
    return snapshots.rows_of(made)


def hanging(made: snapshots.Rows) -> dict[str, str]:
    """The copied tags and contacts as a history names them; restricted ones are not named."""
    tags = [words.tag(TagKind(row["kind"])) for row in made.get("person_tag", {}).values()]
    contacts = [row["name"] for row in made.get("emergency_contact", {}).values()]
    told = {"tags": _("、").join(tags), "contacts": _("、").join(contacts)}
    return {name: text for name, text in told.items() if text}


def _restricted(kept: Person, merged: Person) -> list[RestrictedTag]:
    query = sa.select(RestrictedTag).where(RestrictedTag.person_id.in_([kept.id, merged.id])).order_by(RestrictedTag.id)
    tags = [tag for tag in db.session.scalars(query) if tag.holds(today())]
    held = {tag.kind for tag in tags if tag.person_id == kept.id}
    return [tag for tag in tags if tag.person_id == merged.id and tag.kind not in held]


def _copy(row: Any, kept: Person) -> Any:
    model = type(row)
    names = [column.key for column in model.__table__.columns if column.key not in {"id", "public_id", "person_id"}]
    made = model(person_id=kept.id, **{name: getattr(row, name) for name in names})
    db.session.add(made)
    return made


def _write_down(
    happening: Happening,
    people_of: tuple[Person, Person],
    before: snapshots.Rows,
    after: snapshots.Rows,
    made: snapshots.Rows,
) -> None:
    """The event with both people in it, and their pair, if it was waiting, decided. The copied rows stand sealed
    beside what became of the others; unsealed stand ids only.
    """
    kept, merged = people_of
    actor = actor_or_none()
    was, became = snapshots.differing(before, after)
    happening.day, happening.recorded_at = today(), now()
    happening.recorded_by, happening.recorded_name = (actor.public_id, actor.name) if actor else ("system", "")
    happening.before, happening.after = snapshots.written(was), snapshots.written({**became, **made})
    happening.made = {"kept": kept.id, "merged": merged.id}
    happening.parts = [HappeningPart(person_id=kept.id), HappeningPart(person_id=merged.id)]
    db.session.add(happening)
    first, second = sorted((kept.id, merged.id))
    pair = sa.update(TwinPair).where(TwinPair.person_id == first, TwinPair.other_id == second)
    decided = {"decided_at": now(), "decided_by": happening.recorded_by, "decided_name": happening.recorded_name}
    db.session.execute(pair.values(state=TwinState.MERGED, **decided))
    db.session.flush()
