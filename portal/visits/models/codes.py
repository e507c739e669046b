"""What a care visit writes as a code."""

from enum import StrEnum


class Level(StrEnum):
    """关爱等级, the most urgent first."""

    HIGH = "high"
    FOCUS = "focus"
    GENERAL = "general"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class Frequency(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class Method(StrEnum):
    """How somebody is visited: the ways of 民发〔2022〕73号 and of the local rules that follow it."""

    HOME = "home"
    PHONE = "phone"
    VIDEO = "video"
    OUTSIDE = "outside"
    VOLUNTEER = "volunteer"
    THIRD_PARTY = "third_party"
    NEIGHBOUR = "neighbour"
    MESSAGE = "message"

    @property
    def confirms(self) -> bool:
        """Whether meeting this way is 见到本人或通话确认: a neighbour's word or a message is a signal only."""
        return self not in {Method.NEIGHBOUR, Method.MESSAGE}


class TimeOfDay(StrEnum):
    ANY = "any"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class Consent(StrEnum):
    """What the person wishes: asked or not, agreed, no visits at home, or refused in writing."""

    UNASKED = "unasked"
    AGREED = "agreed"
    NOT_AT_HOME = "not_at_home"
    REFUSED = "refused"


class Exclusion(StrEnum):
    """Why somebody on the list need not be visited in a month (the rate's reason codes)."""

    DEAD = "dead"
    MOVED = "moved"
    HOSPITAL = "hospital"
    INSTITUTION = "institution"
    AWAY = "away"
    REFUSAL = "refusal"


class VisitKind(StrEnum):
    ROUTINE = "routine"
    PROMISED = "promised"
    SOON = "soon"
    ROUND = "round"
    SAFETY = "safety"
    EXTRA = "extra"


class VisitState(StrEnum):
    """NOT_MET waits for the next try; MISSED is a period that passed without a visit."""

    PLANNED = "planned"
    DRAFT = "draft"
    NOT_MET = "not_met"
    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"


VISIT_MOVES = {
    VisitState.PLANNED: {
        VisitState.DRAFT,
        VisitState.NOT_MET,
        VisitState.DONE,
        VisitState.MISSED,
        VisitState.CANCELLED,
    },
    # Back to PLANNED: what was typed turned out to be about an earlier visit.
    VisitState.DRAFT: {
        VisitState.PLANNED,
        VisitState.NOT_MET,
        VisitState.DONE,
        VisitState.MISSED,
        VisitState.CANCELLED,
    },
    VisitState.NOT_MET: {VisitState.DONE, VisitState.MISSED, VisitState.CANCELLED},
    VisitState.DONE: set(),
    # Ticked on paper in its time and entered afterwards.
    VisitState.MISSED: {VisitState.DONE},
    VisitState.CANCELLED: {VisitState.PLANNED},
}
OPEN = (VisitState.PLANNED, VisitState.DRAFT, VisitState.NOT_MET)


class Urgency(StrEnum):
    NONE = "none"
    NORMAL = "normal"
    URGENT = "urgent"
    AT_ONCE = "at_once"


class Condition(StrEnum):
    """How body, mind or daily life are doing."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Money(StrEnum):
    ENOUGH = "enough"
    TIGHT = "tight"
    HARD = "hard"


class Family(StrEnum):
    """赡养人履责: whether those who should support her do."""

    OFTEN = "often"
    SELDOM = "seldom"
    NOT = "not"
    NONE = "none"


class Hazard(StrEnum):
    WATER = "water"
    ELECTRICITY = "electricity"
    GAS = "gas"
    FIRE = "fire"
    SLIPPING = "slipping"
    CLUTTER = "clutter"


class Need(StrEnum):
    MEALS = "meals"
    CLEANING = "cleaning"
    BATHING = "bathing"
    MEDICINE = "medicine"
    ESCORT = "escort"
    REPAIR = "repair"
    COMPANY = "company"
    REHABILITATION = "rehabilitation"


class Deed(StrEnum):
    """What else was done on the spot, after the five contents of 民发〔2022〕73号."""

    POLICY = "policy"
    FAMILY_URGED = "family_urged"
    RESCUE = "rescue"
    SUPPLIES = "supplies"


class FindingKind(StrEnum):
    HEALTH = "health"
    MIND = "mind"
    HOME_SAFETY = "home_safety"
    CARE = "care"
    MONEY = "money"
    FAMILY = "family"
    ABUSE = "abuse"
    CHILD = "child"
    OTHER = "other"


class ReferralState(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    DONE = "done"
    RETURNED = "returned"
    DROPPED = "dropped"


REFERRAL_MOVES = {
    ReferralState.OPEN: {ReferralState.TAKEN, ReferralState.DONE, ReferralState.RETURNED, ReferralState.DROPPED},
    ReferralState.TAKEN: {ReferralState.DONE, ReferralState.RETURNED, ReferralState.DROPPED},
    ReferralState.RETURNED: {ReferralState.OPEN, ReferralState.DROPPED},
    ReferralState.DONE: set(),
    ReferralState.DROPPED: set(),
}
REFERRAL_OPEN = (ReferralState.OPEN, ReferralState.TAKEN, ReferralState.RETURNED)


class RoundKind(StrEnum):
    HEAT = "heat"
    COLD = "cold"
    STORM = "storm"
    FESTIVAL = "festival"
    OTHER = "other"


class CheckCause(StrEnum):
    """Why somebody's safety is to be confirmed today."""

    NOT_MET = "not_met"
    MEAL = "meal"


class CheckState(StrEnum):
    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


CHECK_MOVES = {
    CheckState.OPEN: {CheckState.TAKEN, CheckState.CLOSED},
    CheckState.TAKEN: {CheckState.CLOSED},
    # Withdrawn because the meal was fetched after all; then the next one was not.
    CheckState.CLOSED: {CheckState.OPEN},
}


class StepKind(StrEnum):
    """The rungs of the ladder when somebody is not met."""

    AGAIN = "again"
    CONTACT = "contact"
    COLLEAGUE = "colleague"
    COMMITTEE = "committee"
    EMERGENCY = "emergency"


class StepResult(StrEnum):
    REACHED = "reached"
    NOT_REACHED = "not_reached"


class CheckOutcome(StrEnum):
    SAFE = "safe"
    AWAY = "away"
    HOSPITAL = "hospital"
    RESCUED = "rescued"
    DEAD = "dead"
    OTHER = "other"
