"""Refusals and their words: what a person reads when something cannot be done."""


class Refused(Exception):
    """An act the state does not allow, in words a resident may read; `field` names the form field to mend."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Conflict(Refused):
    """The same request key came again with another content: answered 409."""


class Missing(Exception):
    """What is not there, or not in the asker's scope: answered 404 in both cases."""


class TooMany(Exception):
    """A throttle is full; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after
