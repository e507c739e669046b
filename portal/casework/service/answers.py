"""Answering: whoever has it, its linked duplicates with it when she says so, with words from a template."""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area
from portal.casework.models.answers import AnswerTemplate
from portal.casework.models.cases import Case
from portal.casework.models.codes import OPEN, CaseState
from portal.casework.service import handling, limits, linking, moves
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused

S = CaseState
# From where one is to where an answer may be given.
WAY: dict[CaseState, CaseState] = {
    S.SUBMITTED: S.ACCEPTED,
    S.ACCEPTED: S.ANSWERED,
    S.ASSIGNED: S.SIGNED,
    S.RETURNED: S.ASSIGNED,
    S.SIGNED: S.WORKING,
    S.PAUSED: S.WORKING,
    S.REDO: S.WORKING,
    S.WORKING: S.ANSWERED,
}
ANSWERED_FROM = frozenset(WAY)
SHORTEST = 5


def answer(case: Case, words: str, also: Collection[str], *, by: Actor) -> int:
    """Answer a request, and those of its open duplicates that are named by public id; answers how many in all.

    What nobody has yet may be answered at once by whoever dispatches (即时答).
    """
    if case.state not in OPEN or case.state is S.DISSATISFIED:
        raise Refused(_("这件诉求现在不能答复。请刷新页面看看最新进展。"))
    if case.holder:
        handling.held_by(case, by)
    text = words.strip()
    if len(text) < SHORTEST:
        raise Refused(_("请把办理结果写清楚，至少 %(count)d 个字。", count=SHORTEST), field="words")
    others = {other.public_id: other for other in linking.answerable(case)}
    if not set(also) <= set(others):
        raise Refused(_("选中的重复件里有的已经答复了，请刷新页面再选。"), field="also")
    done = [case, *(others[public_id] for public_id in sorted(also))]
    for one in done:
        _answer(one, text, by)
    return len(done)


def _answer(case: Case, words: str, by: Actor) -> None:
    mover = moves.worker(by)
    while WAY[case.state] is not S.ANSWERED:
        moves.move(case, WAY[case.state], by=mover, **_hers(case, by))
    case.contacted_at = case.contacted_at or now()
    moves.move(case, S.ANSWERED, by=mover, words=words, answer=words, **_hers(case, by))


def _hers(case: Case, by: Actor) -> dict[str, str]:
    """Who answers what nobody had is its first responsible."""
    own = {} if case.holder else {"holder": by.public_id, "holder_name": by.name}
    return own if case.first_holder else own | {"first_holder": by.public_id, "first_holder_name": by.name}


def templates_for(case: Case) -> list[AnswerTemplate]:
    """The words ready for a request's category, the closest first."""
    codes = limits.codes_of(case.category)
    query = (
        sa.select(AnswerTemplate)
        .where(
            AnswerTemplate.community_id == case.community_id,
            AnswerTemplate.ended_at.is_(None),
            AnswerTemplate.category_code.in_([*codes, ""]),
        )
        .order_by(sa.func.length(AnswerTemplate.category_code).desc(), AnswerTemplate.name, AnswerTemplate.id)
    )
    return list(db.session.scalars(query))


def filled(template: AnswerTemplate, case: Case) -> str:
    """A template's words with what is known of the request in them."""
    known = {
        "【编号】": case.number or "",
        "【标题】": case.title,
        "【社区】": case.community.name,
        "【办理人】": case.holder_name,
    }
    words = template.words
    for mark, value in known.items():
        words = words.replace(mark, value)
    return words


def templates(within: Collection[Scope]) -> list[AnswerTemplate]:
    """All of one's communities, those in use first."""
    held = [area.id for area in areas.whole_communities(within)]
    query = (
        sa.select(AnswerTemplate)
        .where(AnswerTemplate.community_id.in_(held))
        .options(sa.orm.joinedload(AnswerTemplate.community))
        .order_by(AnswerTemplate.ended_at.is_not(None), AnswerTemplate.category_code, AnswerTemplate.id)
    )
    return list(db.session.scalars(query))


def template_in(within: Collection[Scope], template_id: int) -> AnswerTemplate:
    found = next((one for one in templates(within) if one.id == template_id), None)
    if found is None:
        raise Missing
    return found


def keep(
    template: AnswerTemplate | None, community: Area, *, name: str, category_code: str, words: str, by: Actor
) -> AnswerTemplate:
    """A new template, or an older one in other words."""
    row = template or AnswerTemplate(community_id=community.id)
    row.name, row.category_code, row.words, row.set_by, row.at = name, category_code, words, by.name, now()
    db.session.add(row)
    db.session.flush()
    audit.record("cases.template_kept", row)
    return row


def end(template: AnswerTemplate) -> None:
    """Out of use, or back in use."""
    template.ended_at = None if template.ended_at else now()
    audit.record("cases.template_ended" if template.ended_at else "cases.template_kept", template)
