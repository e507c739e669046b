"""Codes of deliberation: categories, forums (中办发〔2015〕41号), a topic's stages and the moves between them."""

from enum import StrEnum


class Category(StrEnum):
    """What may be deliberated (41号, 协商内容)."""

    AFFAIR = "affair"
    DIFFICULTY = "difficulty"
    POLICY = "policy"
    STATUTE = "statute"
    REQUESTED = "requested"


class Forum(StrEnum):
    """In which form (协商形式)."""

    COUNCIL = "council"
    HEARING = "hearing"
    TALK = "talk"
    SQUAD = "squad"
    SAGES = "sages"
    ROUND_TABLE = "round_table"
    OWNERS = "owners"
    RESIDENTS = "residents"
    DELEGATES = "delegates"


class Stage(StrEnum):
    """民意征集 → 协商会议 → 专家咨询 → 补充听证 → 提交表决 → 公开公示 → 落实反馈 → 归档; before them a draft."""

    DRAFT = "draft"
    COLLECTING = "collecting"
    MEETING = "meeting"
    EXPERTS = "experts"
    HEARING = "hearing"
    VOTING = "voting"
    NOTICE = "notice"
    FOLLOW_UP = "follow_up"
    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"


# The road as it is drawn; what lies between where a topic is and where it goes is skipped, with a reason.
ROAD = (
    Stage.COLLECTING,
    Stage.MEETING,
    Stage.EXPERTS,
    Stage.HEARING,
    Stage.VOTING,
    Stage.NOTICE,
    Stage.FOLLOW_UP,
    Stage.ARCHIVED,
)
S = Stage
STAGE_MOVES: dict[Stage, set[Stage]] = {
    S.DRAFT: {S.COLLECTING, S.WITHDRAWN},
    S.COLLECTING: {S.MEETING, S.WITHDRAWN},
    S.MEETING: {S.EXPERTS, S.HEARING, S.VOTING, S.NOTICE, S.WITHDRAWN},
    S.EXPERTS: {S.HEARING, S.VOTING, S.NOTICE, S.WITHDRAWN},
    S.HEARING: {S.VOTING, S.NOTICE, S.WITHDRAWN},
    # A failed quorum leads back to talking; so does an objection that holds.
    S.VOTING: {S.NOTICE, S.HEARING, S.MEETING, S.WITHDRAWN},
    S.NOTICE: {S.FOLLOW_UP, S.HEARING, S.MEETING, S.WITHDRAWN},
    S.FOLLOW_UP: {S.ARCHIVED},
    S.ARCHIVED: set(),
    S.WITHDRAWN: set(),
}


class IdeaState(StrEnum):
    """A resident's proposal: looked at first where the community says so, supported, put before the committee."""

    PENDING = "pending"
    OPEN = "open"
    REACHED = "reached"
    TAKEN = "taken"
    DECLINED = "declined"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


I = IdeaState  # noqa: E741 the table below reads best so
IDEA_MOVES: dict[IdeaState, set[IdeaState]] = {
    I.PENDING: {I.OPEN, I.DECLINED, I.MERGED, I.WITHDRAWN},
    I.OPEN: {I.REACHED, I.TAKEN, I.DECLINED, I.MERGED, I.WITHDRAWN},
    I.REACHED: {I.TAKEN, I.DECLINED, I.MERGED, I.WITHDRAWN},
    I.TAKEN: set(),
    I.DECLINED: set(),
    I.MERGED: set(),
    I.WITHDRAWN: set(),
}


class PartyKind(StrEnum):
    """工作主体, 协商主体, 专业支持主体: the last advises and has no vote."""

    WORKING = "working"
    DELIBERATING = "deliberating"
    SUPPORTING = "supporting"


class OpinionState(StrEnum):
    PENDING = "pending"
    SHOWN = "shown"
    HIDDEN = "hidden"


class Stand(StrEnum):
    AGREE = "agree"
    DISAGREE = "disagree"
    PASS = "pass"  # noqa: S105 no password


class MapState(StrEnum):
    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    TOO_FEW = "too_few"
    FAILED = "failed"
    CANCELLED = "cancelled"


class MeetingState(StrEnum):
    DRAFT = "draft"
    NOTIFIED = "notified"
    RUNNING = "running"
    CLOSED = "closed"
    REPORTED = "reported"
    CANCELLED = "cancelled"


M = MeetingState
MEETING_MOVES: dict[MeetingState, set[MeetingState]] = {
    M.DRAFT: {M.NOTIFIED, M.CANCELLED},
    M.NOTIFIED: {M.RUNNING, M.CANCELLED},
    M.RUNNING: {M.CLOSED},
    M.CLOSED: {M.REPORTED, M.RUNNING},
    M.REPORTED: set(),
    M.CANCELLED: set(),
}


class Part(StrEnum):
    """As what somebody comes to a meeting."""

    MEMBER = "member"
    SPEAKER = "speaker"
    LISTENER = "listener"
    EXPERT = "expert"


class AttendeeState(StrEnum):
    GOING = "going"
    WAITING = "waiting"
    LEFT = "left"


class SignIn(StrEnum):
    CODE = "code"
    LIST = "list"


class Body(StrEnum):
    """Who decides, and by which unit: a row of rules 2.2 or 2.3 each."""

    RESIDENTS_PERSONS = "residents_persons"
    RESIDENTS_HOUSEHOLDS = "residents_households"
    RESIDENTS_GROUPS = "residents_groups"
    RESIDENT_DELEGATES = "resident_delegates"
    VILLAGERS_PERSONS = "villagers_persons"
    VILLAGERS_HOUSEHOLDS = "villagers_households"
    VILLAGE_DELEGATES = "village_delegates"
    VILLAGE_GROUP_PERSONS = "village_group_persons"
    VILLAGE_GROUP_HOUSEHOLDS = "village_group_households"
    VILLAGE_ELECTION = "village_election"
    VILLAGE_ELECTION_AGAIN = "village_election_again"
    VILLAGE_RECALL = "village_recall"
    COMMITTEE = "committee"
    OWNERS_ORDINARY = "owners_ordinary"
    OWNERS_SPECIAL = "owners_special"


class Unit(StrEnum):
    """What one vote belongs to."""

    PERSON = "person"
    HOUSEHOLD = "household"
    DELEGATE = "delegate"
    OWNER = "owner"


UNITS: dict[Body, Unit] = {
    Body.RESIDENTS_PERSONS: Unit.PERSON,
    Body.RESIDENTS_HOUSEHOLDS: Unit.HOUSEHOLD,
    Body.RESIDENTS_GROUPS: Unit.DELEGATE,
    Body.RESIDENT_DELEGATES: Unit.DELEGATE,
    Body.VILLAGERS_PERSONS: Unit.PERSON,
    Body.VILLAGERS_HOUSEHOLDS: Unit.HOUSEHOLD,
    Body.VILLAGE_DELEGATES: Unit.DELEGATE,
    Body.VILLAGE_GROUP_PERSONS: Unit.PERSON,
    Body.VILLAGE_GROUP_HOUSEHOLDS: Unit.HOUSEHOLD,
    Body.VILLAGE_ELECTION: Unit.PERSON,
    Body.VILLAGE_ELECTION_AGAIN: Unit.PERSON,
    Body.VILLAGE_RECALL: Unit.PERSON,
    Body.COMMITTEE: Unit.DELEGATE,
    Body.OWNERS_ORDINARY: Unit.OWNER,
    Body.OWNERS_SPECIAL: Unit.OWNER,
}


class VoteState(StrEnum):
    """`counting` lasts within one transaction: only then the database lets the ballots be written anew."""

    DRAFT = "draft"
    ROLL = "roll"
    OPEN = "open"
    CLOSED = "closed"
    COUNTING = "counting"
    COUNTED = "counted"
    VOID = "void"
    CANCELLED = "cancelled"


V = VoteState
VOTE_MOVES: dict[VoteState, set[VoteState]] = {
    V.DRAFT: {V.ROLL, V.CANCELLED},
    V.ROLL: {V.OPEN, V.DRAFT, V.CANCELLED},
    V.OPEN: {V.CLOSED, V.CANCELLED},
    V.CLOSED: {V.COUNTING},
    V.COUNTING: {V.COUNTED, V.VOID, V.CANCELLED},
    V.COUNTED: set(),
    V.VOID: set(),
    V.CANCELLED: set(),
}


class Channel(StrEnum):
    PHONE = "phone"
    PAPER = "paper"
    PROXY = "proxy"


class ProxyState(StrEnum):
    GIVEN = "given"
    USED = "used"
    WITHDRAWN = "withdrawn"


class BatchState(StrEnum):
    """Paper votes: a first person enters them, a second one does it again unseen, the differences are settled."""

    FIRST = "first"
    SECOND = "second"
    DIFFERS = "differs"
    AGREED = "agreed"
    BOOKED = "booked"
    DROPPED = "dropped"


class SheetState(StrEnum):
    """A paper of opinions: read by a first person, by a second one unseen, the differences settled."""

    SECOND = "second"
    DIFFERS = "differs"
    BOOKED = "booked"
    DROPPED = "dropped"


class AskState(StrEnum):
    """Something asked of the committee: a correction of the roll, an objection during the notice."""

    OPEN = "open"
    UPHELD = "upheld"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"


class OutcomeState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    STANDS = "stands"
    SENT_BACK = "sent_back"


class ProjectStep(StrEnum):
    """三社联动 (rules 3): 需求, 设计, 承接, 实施, 评估."""

    NEED = "need"
    DESIGN = "design"
    AWARD = "award"
    CARRY_OUT = "carry_out"
    ASSESS = "assess"


class TaskState(StrEnum):
    OPEN = "open"
    DOING = "doing"
    DONE = "done"
    DROPPED = "dropped"


class Score(StrEnum):
    SATISFIED = "satisfied"
    MOSTLY = "mostly"
    DISSATISFIED = "dissatisfied"
