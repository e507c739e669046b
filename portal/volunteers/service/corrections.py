"""Wishes to have a record put right (67号令 13): of one record or a missing one, answered field by field.

`wishes` holds, by field, {"from": as it was recorded, "to": as it ought to be} in the form of a record's history, and
once it is answered {"accepted": true or false, "why": the reason}.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.registry.models import Organisation
from portal.volunteers.models.codes import CorrectionState, RecordState, ServiceKind
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import Correction, ServiceRecord
from portal.volunteers.service import people, record_telling, recording, records
from portal.volunteers.service.recording import RecordFacts

PAGE = 30
TABS = ("asked", "answered")


def wishes_of(before: Mapping[str, Any], facts: RecordFacts) -> dict[str, dict[str, Any]]:
    """What somebody would have otherwise."""
    wanted: dict[str, Any] = {
        "activity": facts.activity,
        "content": facts.content,
        "place": facts.place,
        "starts_at": facts.starts_at.isoformat(),
        "ends_at": facts.ends_at.isoformat(),
        "minutes": facts.minutes,
    }
    return {
        name: {"from": before.get(name), "to": value} for name, value in wanted.items() if before.get(name) != value
    }


def ask(volunteer: Volunteer, record: ServiceRecord, facts: RecordFacts, *, reason: str) -> Correction:
    """Ask to have a record put right; one wish of a record at a time."""
    if record.state is not RecordState.RECORDED:
        raise Refused(_("这条记录已经作废。要重新记录的话，请申请“补记一次服务”。"))
    recording.check_over(facts)
    recording.check(facts)
    recording.check_shift(record, facts)
    wishes = wishes_of(recording.snapshot(record), facts)
    if not wishes:
        raise Refused(_("和原来的记录一样，没有要更正的内容。请把不对的地方改成对的，再提交。"))
    if _open_of(record) is not None:
        raise Refused(_("这条记录已经有一份更正申请在等答复。要改的话，请先撤回那一份。"))
    return _made(volunteer, record.community, record, wishes, reason)


def ask_missing(volunteer: Volunteer, community: Area, facts: RecordFacts, *, reason: str) -> Correction:
    """Ask for a record that is missing, of the community that organised."""
    recording.check_over(facts)
    recording.check(facts)
    return _made(volunteer, community, None, wishes_of({}, facts), reason)


def _made(
    volunteer: Volunteer, community: Area, record: ServiceRecord | None, wishes: dict[str, Any], reason: str
) -> Correction:
    made = Correction(volunteer=volunteer, community=community, record=record, wishes=wishes, reason=reason)
    db.session.add(made)
    db.session.flush()
    audit.record("volunteers.correction_asked", made, fields=sorted(wishes), missing=record is None)
    return made


def _open_of(record: ServiceRecord) -> Correction | None:
    query = sa.select(Correction).where(Correction.record_id == record.id, Correction.state == CorrectionState.ASKED)
    return db.session.scalars(query.order_by(Correction.id)).first()


def withdraw(correction: Correction) -> None:
    _decide(correction, CorrectionState.WITHDRAWN, by="")
    audit.record("volunteers.correction_withdrawn", correction)


def answer(
    correction: Correction,
    taken: Collection[str],
    *,
    words: str,
    by: Actor,
    kind: ServiceKind | None = None,
    leader: str = "",
    organisation: Organisation | None = None,
) -> None:
    """Answer each field: those in `taken` are put into the record, the others refused with a reason.

    A missing record is made when everything was accepted; it needs to know which kind of service, who led and who
    organised.
    """
    refused = [name for name in correction.wishes if name not in taken]
    if refused and not words.strip():
        raise Refused(_("有内容没有采纳，请写明原因，志愿者会看到。"), field="words")
    if correction.record is None and taken and refused:
        raise Refused(_("补记要么全部采纳，要么全部不采纳。时间不对的，请不采纳并写明应该怎么填。"), field="taken")
    _decide(correction, CorrectionState.ACCEPTED if taken else CorrectionState.REFUSED, by=by.name)
    correction.answer = words
    correction.wishes = {
        name: wish | {"accepted": name in taken, "why": "" if name in taken else words}
        for name, wish in correction.wishes.items()
    }
    if taken and correction.record is not None:
        _carry_out(correction, correction.record, taken, by)
    elif taken:
        _make_missing(correction, kind, leader, organisation, by)
    audit.record("volunteers.correction_answered", correction, taken=sorted(taken), refused=sorted(refused))
    record_telling.tell_correction(correction, accepted=len(taken), refused=len(refused))


def _decide(correction: Correction, state: CorrectionState, *, by: str) -> None:
    moment = now()
    where = (Correction.id == correction.id, Correction.state == CorrectionState.ASKED)
    values = {"state": state, "decided_at": moment, "decided_by_name": by}
    if not guarded(sa.update(Correction).where(*where).values(**values)):
        raise Refused(_("这份申请已经答复过或撤回了。请刷新页面再看。"))
    db.session.refresh(correction, ["state", "decided_at", "decided_by_name"])


def wished(correction: Correction, taken: Collection[str]) -> dict[str, Any]:
    """The new values of some fields, as a record takes them."""
    found: dict[str, Any] = {}
    for name, wish in correction.wishes.items():
        if name in taken:
            found[name] = datetime.fromisoformat(wish["to"]) if name.endswith("_at") else wish["to"]
    return found


def _carry_out(correction: Correction, record: ServiceRecord, taken: Collection[str], by: Actor) -> None:
    facts = replace(recording.current_facts(record), **wished(correction, taken))
    reason = _("本人申请更正：%(reason)s", reason=correction.reason)
    recording.change(record, facts, seen=record.version, reason=reason, by=by.name)


def _make_missing(
    correction: Correction, kind: ServiceKind | None, leader: str, organisation: Organisation | None, by: Actor
) -> None:
    if kind is None:
        raise Refused(_("请选服务类别。"), field="kind")
    if not leader.strip():
        raise Refused(_("请填活动负责人。"), field="leader")
    facts = RecordFacts(**wished(correction, correction.wishes), kind=kind, leader_name=leader)
    made = recording.record_by_hand(correction.volunteer, correction.community, organisation, facts, by=by)
    correction.record = made


def _whole() -> sa.Select[Correction]:
    return sa.select(Correction).options(
        joinedload(Correction.volunteer).joinedload(Volunteer.person),
        joinedload(Correction.community),
        joinedload(Correction.record).joinedload(ServiceRecord.community),
    )


def corrections_of(volunteer: Volunteer, *, limit: int = 50) -> list[Correction]:
    query = _whole().where(Correction.volunteer_id.in_(records.ids_of(volunteer)))
    return list(db.session.scalars(query.order_by(Correction.asked_at.desc(), Correction.id.desc()).limit(limit)))


def correction_for(volunteer: Volunteer, public_id: str) -> Correction:
    return _one(_whole().where(Correction.volunteer_id.in_(records.ids_of(volunteer))), public_id)


def _in(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    return Correction.community_id.in_(people.community_ids(within))


def corrections_in(within: Collection[Scope], tab: str, *, page: int = 1) -> list[Correction]:
    """A page of what is to be answered, the oldest first, or of what was, the latest first; one more than fits."""
    query = _whole().where(_in(within))
    if tab == "asked":
        query = query.where(Correction.state == CorrectionState.ASKED).order_by(Correction.asked_at, Correction.id)
    else:
        query = query.where(Correction.state != CorrectionState.ASKED)
        query = query.order_by(Correction.decided_at.desc(), Correction.id.desc())
    return list(db.session.scalars(query.limit(PAGE + 1).offset((page - 1) * PAGE)))


def correction_in(within: Collection[Scope], public_id: str) -> Correction:
    return _one(_whole().where(_in(within)), public_id)


def count_asked(within: Collection[Scope]) -> int:
    query = sa.select(sa.func.count(Correction.id)).where(_in(within), Correction.state == CorrectionState.ASKED)
    return int(db.session.scalar(query) or 0)


def _one(query: sa.Select[Correction], public_id: str) -> Correction:
    found = db.session.scalar(query.where(Correction.public_id == public_id))
    if found is None:
        raise Missing
    return found
