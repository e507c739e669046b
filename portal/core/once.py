"""Making a row once: a form that was sent twice answers with what its first post made."""

from collections.abc import Callable
from typing import Protocol

from portal.core import tokens
from portal.core.access import current_actor
from portal.core.forms import OnceForm


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


def made_once(action: str, form: OnceForm, make: Callable[[], Numbered]) -> str:
    """The number of what this form makes, or of what an earlier post of the same form made."""
    actor, key, body = current_actor().public_id, form.text("idem"), form.body()
    earlier = tokens.same_request(actor, action, key, body)
    if earlier:
        return earlier
    number = str(make().id)
    tokens.remember_request(actor, action, key, body, number)
    return number
