"""What a register writes as a code: the standards' groups, as far as a community needs to tell people apart."""

from enum import StrEnum


class PersonState(StrEnum):
    PRESENT = "present"
    MOVED_OUT = "moved_out"
    DEAD = "dead"


class IdKind(StrEnum):
    """证件类型. Residence permits for people of Hong Kong, Macao and Taiwan follow GB 11643 too."""

    ID_CARD = "id_card"
    RESIDENCE_PERMIT = "residence_permit"
    PASSPORT = "passport"
    TRAVEL_PERMIT = "travel_permit"
    FOREIGNER_PERMIT = "foreigner_permit"
    OTHER = "other"


class Registration(StrEnum):
    """Household registration (户籍) as far as the register says it: here, elsewhere, or not said."""

    LOCAL = "local"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


class Presence(StrEnum):
    """人户状态: whether the person and the registration are both here."""

    BOTH_HERE = "both_here"
    ONLY_REGISTERED = "only_registered"
    ONLY_LIVING = "only_living"
    UNKNOWN = "unknown"


class Tenure(StrEnum):
    """居住类型: in a home of one's own, rented, or as a lodger."""

    OWNER = "owner"
    TENANT = "tenant"
    LODGER = "lodger"
    UNKNOWN = "unknown"


class Relation(StrEnum):
    """Relation to the head of household, the groups of GB/T 4761."""

    HEAD = "head"
    SPOUSE = "spouse"
    SON = "son"
    DAUGHTER = "daughter"
    GRANDCHILD = "grandchild"
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    SIBLING = "sibling"
    OTHER = "other"


class Marriage(StrEnum):
    """GB/T 2261.2: 10, 20, 30, 40, 90."""

    SINGLE = "single"
    MARRIED = "married"
    WIDOWED = "widowed"
    DIVORCED = "divorced"
    UNKNOWN = "unknown"


class Schooling(StrEnum):
    """GB/T 4658, by group."""

    GRADUATE = "graduate"
    UNIVERSITY = "university"
    COLLEGE = "college"
    VOCATIONAL = "vocational"
    SENIOR_HIGH = "senior_high"
    JUNIOR_HIGH = "junior_high"
    PRIMARY = "primary"
    NONE = "none"
    UNKNOWN = "unknown"


class Politics(StrEnum):
    """GB/T 4762, by group."""

    PARTY_MEMBER = "party_member"
    PROBATIONARY = "probationary"
    LEAGUE_MEMBER = "league_member"
    DEMOCRATIC_PARTY = "democratic_party"
    MASSES = "masses"
    UNKNOWN = "unknown"


class Work(StrEnum):
    """从业状况."""

    EMPLOYED = "employed"
    SELF_EMPLOYED = "self_employed"
    FARMING = "farming"
    UNEMPLOYED = "unemployed"
    RETIRED = "retired"
    STUDENT = "student"
    AT_HOME = "at_home"
    UNKNOWN = "unknown"


class TagKind(StrEnum):
    """Why somebody may need the community: the six elder categories first, then children, need and merit."""

    LIVING_ALONE = "living_alone"
    EMPTY_NEST = "empty_nest"
    LEFT_BEHIND = "left_behind"
    DISABLED_ELDER = "disabled_elder"
    SEVERELY_DISABLED = "severely_disabled"
    FAMILY_PLANNING = "family_planning"
    LOW_INCOME = "low_income"
    LOW_INCOME_EDGE = "low_income_edge"
    DESTITUTE = "destitute"
    MERIT_FAMILY = "merit_family"
    BEREAVED = "bereaved"
    BASIC_ELDERCARE = "basic_eldercare"
    CHILD_IN_DIFFICULTY = "child_in_difficulty"
    LEFT_BEHIND_CHILD = "left_behind_child"
    ORPHAN = "orphan"
    LEFT_BEHIND_WOMAN = "left_behind_woman"
    DISABLED = "disabled"
    LOW_EARNING = "low_earning"
    VETERAN = "veteran"
    HARDSHIP_WORKER = "hardship_worker"
    NO_EARNER_FAMILY = "no_earner_family"
    UNEMPLOYED = "unemployed"
    MIGRANT_WORKER = "migrant_worker"


class RestrictedKind(StrEnum):
    """Tags that only named roles see (need to know): kept in a table of their own, sealed."""

    SEVERE_MENTAL_ILLNESS = "severe_mental_illness"
    COMMUNITY_CORRECTION = "community_correction"
    YOUTH_AT_RISK = "youth_at_risk"
    CHILD_OF_PRISONER = "child_of_prisoner"


class Diet(StrEnum):
    LOW_SUGAR = "low_sugar"
    LOW_SALT = "low_salt"
    LOW_FAT = "low_fat"
    SOFT = "soft"
    SEMI_LIQUID = "semi_liquid"
    VEGETARIAN = "vegetarian"
    HALAL = "halal"
