"""What a request writes as a code, and the moves it knows (rules.md section 7)."""

from enum import StrEnum


class CaseState(StrEnum):
    """草稿→已提交→受理/不受理→分派→签收→退单→办理中→挂起→已答复→回访→办结 / 不满意→重办→归档; 合并, 撤回."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    ASSIGNED = "assigned"
    SIGNED = "signed"
    RETURNED = "returned"
    WORKING = "working"
    PAUSED = "paused"
    ANSWERED = "answered"
    CALLED_BACK = "called_back"
    DISSATISFIED = "dissatisfied"
    REDO = "redo"
    CLOSED = "closed"
    ARCHIVED = "archived"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


S = CaseState
_GONE = {S.MERGED, S.WITHDRAWN}
# The only moves there are. An extension (延期), help (协办) and supervision (督办) happen within a state.
CASE_MOVES: dict[CaseState, set[CaseState]] = {
    S.DRAFT: {S.SUBMITTED, S.WITHDRAWN},
    S.SUBMITTED: {S.ACCEPTED, S.DECLINED} | _GONE,
    S.ACCEPTED: {S.ASSIGNED, S.SIGNED, S.ANSWERED, S.DECLINED} | _GONE,
    S.DECLINED: {S.SUBMITTED, S.ARCHIVED},
    S.ASSIGNED: {S.SIGNED, S.RETURNED, S.ASSIGNED} | _GONE,
    S.SIGNED: {S.WORKING, S.RETURNED, S.ASSIGNED} | _GONE,
    S.RETURNED: {S.ASSIGNED, S.DECLINED} | _GONE,
    S.WORKING: {S.PAUSED, S.ANSWERED, S.ASSIGNED} | _GONE,
    S.PAUSED: {S.WORKING} | _GONE,
    S.ANSWERED: {S.CALLED_BACK, S.WORKING},
    S.CALLED_BACK: {S.CLOSED, S.DISSATISFIED},
    S.DISSATISFIED: {S.REDO, S.CLOSED},
    S.REDO: {S.ASSIGNED, S.WORKING},
    S.CLOSED: {S.REDO, S.ARCHIVED},
    S.MERGED: {S.SUBMITTED, S.ARCHIVED},
    S.WITHDRAWN: {S.ARCHIVED},
    S.ARCHIVED: set(),
}
FINAL = frozenset({S.ARCHIVED})
# Somebody answers for it: her clock runs (paused, it stands still).
HELD = frozenset({S.ASSIGNED, S.SIGNED, S.WORKING, S.PAUSED, S.REDO})
# Not yet answered, whoever's turn it is.
OPEN = frozenset({S.SUBMITTED, S.ACCEPTED, S.RETURNED, S.DISSATISFIED}) | HELD
# Open, or answered and not yet called back.
RUNNING = OPEN | {S.ANSWERED, S.CALLED_BACK}
# What a resident sees on a public board, once a worker released it.
DONE = frozenset({S.ANSWERED, S.CALLED_BACK, S.DISSATISFIED, S.CLOSED, S.ARCHIVED})


class CaseKind(StrEnum):
    """咨询、求助、投诉、举报、建议."""

    QUESTION = "question"
    HELP = "help"
    COMPLAINT = "complaint"
    REPORT = "report"
    ADVICE = "advice"


class Urgency(StrEnum):
    NORMAL = "normal"
    URGENT = "urgent"
    HARD = "hard"


class Channel(StrEnum):
    PORTAL = "portal"
    PHONE = "phone"
    VISIT = "visit"
    COUNTER = "counter"
    PAPER = "paper"


class RedirectKind(StrEnum):
    """Who else handles it (条例 11): only an emergency stops the request here."""

    EMERGENCY = "emergency"
    HOTLINE = "hotline"
    LEGAL = "legal"
    OTHER = "other"


class Against(StrEnum):
    """Whom a request complains of, as far as she is known here."""

    NOBODY = "nobody"
    WORKER = "worker"
    COMMITTEE = "committee"
    ORGANISATION = "organisation"


class Side(StrEnum):
    RESIDENT = "resident"
    WORKER = "worker"
    SYSTEM = "system"


class Deed(StrEnum):
    """What a step of the timeline tells; MOVED is a move from a state to another."""

    MOVED = "moved"
    CLASSIFIED = "classified"
    CONTACTED = "contacted"
    NOTED = "noted"
    ADDED = "added"
    URGED = "urged"
    EXTENSION_ASKED = "extension_asked"
    EXTENSION_GRANTED = "extension_granted"
    EXTENSION_REFUSED = "extension_refused"
    HELP_ASKED = "help_asked"
    HELP_GIVEN = "help_given"
    SUPERVISED = "supervised"
    ESCALATED = "escalated"
    LINKED = "linked"
    PUBLISHED = "published"
    HIDDEN = "hidden"
    PASSED = "passed"
    CALL_BACK_TRIED = "call_back_tried"
    REOPEN_ASKED = "reopen_asked"
    REOPEN_REFUSED = "reopen_refused"


class Extension(StrEnum):
    NONE = "none"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class Colour(StrEnum):
    """督办: yellow a day before the end, red after it."""

    NONE = "none"
    YELLOW = "yellow"
    RED = "red"


class CallBackWay(StrEnum):
    LINK = "link"
    PORTAL = "portal"
    PHONE = "phone"
    VISIT = "visit"


class Satisfaction(StrEnum):
    """满意、基本满意、不满意."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"


class PhotoStage(StrEnum):
    REPORT = "report"
    BEFORE = "before"
    AFTER = "after"


class LinkKind(StrEnum):
    DUPLICATE = "duplicate"
    RELATED = "related"
