"""A request's timeline in a worker's words, where the resident's speak to her."""

from typing import Any

from flask_babel import lazy_gettext as _l

from portal.casework.models.cases import CaseStep
from portal.casework.models.codes import CaseState, Deed
from portal.casework.service.words import step_word

_DEEDS: dict[Deed, Any] = {Deed.CONTACTED: _l("联系了居民")}
_MOVES: dict[CaseState, Any] = {
    CaseState.DISSATISFIED: _l("居民不满意，或说没有解决"),
    CaseState.RETURNED: _l("退单，等重新分派"),
}


def desk_step(step: CaseStep) -> str:
    """A line of the timeline as a worker reads it."""
    if step.deed is Deed.MOVED and step.to_state in _MOVES:
        return str(_MOVES[step.to_state])
    return str(_DEEDS[step.deed]) if step.deed in _DEEDS else step_word(step)
