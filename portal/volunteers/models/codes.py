"""The codes of the volunteers' tables, and the moves between states."""

from enum import StrEnum


class ServiceKind(StrEnum):
    """What a volunteer does (服务类别)."""

    MEALS = "meals"
    VISITING = "visiting"
    ESCORT = "escort"
    CHILDREN = "children"
    TEACHING = "teaching"
    CULTURE = "culture"
    ENVIRONMENT = "environment"
    ORDER = "order"
    HEALTH = "health"
    LAW = "law"
    REPAIR = "repair"
    DIGITAL = "digital"
    EMERGENCY = "emergency"
    OTHER = "other"


class VolunteerState(StrEnum):
    """PAUSED by her own wish, BARRED for false reports or no-shows until a day, LEFT for good."""

    APPLIED = "applied"
    ACTIVE = "active"
    PAUSED = "paused"
    BARRED = "barred"
    REFUSED = "refused"
    LEFT = "left"


VOLUNTEER_MOVES: dict[VolunteerState, set[VolunteerState]] = {
    VolunteerState.APPLIED: {VolunteerState.ACTIVE, VolunteerState.REFUSED, VolunteerState.LEFT},
    VolunteerState.ACTIVE: {VolunteerState.PAUSED, VolunteerState.BARRED, VolunteerState.LEFT},
    VolunteerState.PAUSED: {VolunteerState.ACTIVE, VolunteerState.BARRED, VolunteerState.LEFT},
    VolunteerState.BARRED: {VolunteerState.ACTIVE, VolunteerState.LEFT},
    VolunteerState.REFUSED: {VolunteerState.APPLIED},
    VolunteerState.LEFT: {VolunteerState.APPLIED},
}


class ConsentWay(StrEnum):
    """How a guardian agreed: by the guardian's own account, or on paper shown to a worker."""

    ACCOUNT = "account"
    PAPER = "paper"


class WishState(StrEnum):
    """What became of somebody's wish to be in a team."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ActivityState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    CALLED_OFF = "called_off"
    ENDED = "ended"


ACTIVITY_MOVES: dict[ActivityState, set[ActivityState]] = {
    ActivityState.DRAFT: {ActivityState.PUBLISHED, ActivityState.CALLED_OFF},
    ActivityState.PUBLISHED: {ActivityState.CALLED_OFF, ActivityState.ENDED},
    ActivityState.CALLED_OFF: set(),
    ActivityState.ENDED: {ActivityState.PUBLISHED},
}


class Joining(StrEnum):
    """Whether who signs up is in at once, or waits for a worker's or leader's yes; or only workers assign."""

    OPEN = "open"
    APPROVED = "approved"
    ASSIGNED = "assigned"


class ShiftState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    CALLED_OFF = "called_off"


SHIFT_MOVES: dict[ShiftState, set[ShiftState]] = {
    ShiftState.OPEN: {ShiftState.CLOSED, ShiftState.CALLED_OFF},
    ShiftState.CLOSED: {ShiftState.OPEN, ShiftState.CALLED_OFF},
    ShiftState.CALLED_OFF: set(),
}


class Task(StrEnum):
    """What is done for somebody who is served."""

    MEAL = "meal"
    VISIT = "visit"
    ESCORT = "escort"
    OTHER = "other"


class SignupState(StrEnum):
    """REQUESTED and JOINED hold a place; CALLED_OFF with the shift; REMOVED by a worker or leader, with a reason."""

    REQUESTED = "requested"
    JOINED = "joined"
    PRESENT = "present"
    DONE = "done"
    NO_SHOW = "no_show"
    LEFT = "left"
    REMOVED = "removed"
    REFUSED = "refused"
    CALLED_OFF = "called_off"


SIGNUP_MOVES: dict[SignupState, set[SignupState]] = {
    SignupState.REQUESTED: {
        SignupState.JOINED,
        SignupState.REFUSED,
        SignupState.LEFT,
        SignupState.REMOVED,
        SignupState.CALLED_OFF,
    },
    SignupState.JOINED: {
        SignupState.PRESENT,
        SignupState.DONE,
        SignupState.NO_SHOW,
        SignupState.LEFT,
        SignupState.REMOVED,
        SignupState.CALLED_OFF,
    },
    SignupState.PRESENT: {SignupState.DONE, SignupState.JOINED, SignupState.CALLED_OFF},
    SignupState.DONE: {SignupState.PRESENT, SignupState.JOINED},
    SignupState.NO_SHOW: {SignupState.JOINED, SignupState.PRESENT, SignupState.DONE},
    SignupState.LEFT: set(),
    SignupState.REMOVED: set(),
    SignupState.REFUSED: set(),
    SignupState.CALLED_OFF: set(),
}
# What holds a place of the post, and the volunteer's own time.
HOLDS = frozenset(
    {SignupState.REQUESTED, SignupState.JOINED, SignupState.PRESENT, SignupState.DONE, SignupState.NO_SHOW}
)


class Way(StrEnum):
    """How somebody came to a shift. APPROVED is who asked and was told yes, whatever the activity asks for since."""

    SELF = "self"
    APPROVED = "approved"
    FAMILY = "family"
    LINE = "line"
    INVITED = "invited"
    SWAP = "swap"
    WORKER = "worker"
    LEADER = "leader"
    PLAN = "plan"


class SwapState(StrEnum):
    ASKED = "asked"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class InvitationState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Mark(StrEnum):
    """How a coming or going came to be known."""

    QR = "qr"
    PIN = "pin"
    LEADER = "leader"
    PAPER = "paper"
    OFFLINE = "offline"
    WORKER = "worker"


class HoursState(StrEnum):
    """OPEN while only the coming is known; TO_CONFIRM when entered by hand, until a second person agrees."""

    OPEN = "open"
    TO_CONFIRM = "to_confirm"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"


class RecordState(StrEnum):
    """A record counts while RECORDED; VOID was a mistake, and keeps its history."""

    RECORDED = "recorded"
    VOID = "void"


class CorrectionState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class CertificateState(StrEnum):
    REQUESTED = "requested"
    NOTICED = "noticed"
    ISSUED = "issued"
    REFUSED = "refused"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"


CERTIFICATE_MOVES: dict[CertificateState, set[CertificateState]] = {
    CertificateState.REQUESTED: {
        CertificateState.NOTICED,
        CertificateState.ISSUED,
        CertificateState.REFUSED,
        CertificateState.WITHDRAWN,
    },
    CertificateState.NOTICED: {CertificateState.ISSUED, CertificateState.REFUSED, CertificateState.WITHDRAWN},
    CertificateState.ISSUED: {CertificateState.REVOKED},
    CertificateState.REFUSED: set(),
    CertificateState.REVOKED: set(),
    CertificateState.WITHDRAWN: set(),
}


class StarState(StrEnum):
    """申请、审定、公示、授予."""

    APPLIED = "applied"
    PUBLISHED = "published"
    AWARDED = "awarded"
    REFUSED = "refused"
    REVOKED = "revoked"


class PlanState(StrEnum):
    """A proposal for a roster, from the queue to what was applied."""

    QUEUED = "queued"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    APPLIED = "applied"
    UNDONE = "undone"
