"""What the catalogue writes as a code: situations of life, kinds of providers, items, conditions and lists."""

from enum import StrEnum

from portal.registry.models import TagKind


class Situation(StrEnum):
    """The nine situations of life a resident looks under: 老、小、病、残、困、住、学、乐、法."""

    OLD = "old"
    YOUNG = "young"
    SICK = "sick"
    DISABLED = "disabled"
    NEED = "need"
    HOME = "home"
    LEARN = "learn"
    JOY = "joy"
    LAW = "law"


class ProviderKind(StrEnum):
    """Who serves: 社区、社会组织、社会工作者、志愿者、慈善力量（五社）and a business."""

    COMMUNITY = "community"
    ORGANISATION = "organisation"
    SOCIAL_WORKER = "social_worker"
    VOLUNTEERS = "volunteers"
    CHARITY = "charity"
    BUSINESS = "business"


class ItemKind(StrEnum):
    """How an item is had: by appointment, by application with papers, or by reading how it goes."""

    APPOINTMENT = "appointment"
    APPLICATION = "application"
    INFORMATION = "information"


class ItemState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


MOVES = {
    ItemState.DRAFT: {ItemState.PUBLISHED, ItemState.WITHDRAWN},
    ItemState.PUBLISHED: {ItemState.WITHDRAWN},
    ItemState.WITHDRAWN: {ItemState.PUBLISHED},
}


class ConditionKind(StrEnum):
    """A fact of the register, or a question."""

    AGE_AT_LEAST = "age_at_least"
    AGE_AT_MOST = "age_at_most"
    TAG = "tag"
    WOMAN = "woman"
    REGISTERED_HERE = "registered_here"
    LIVES_HERE = "lives_here"
    QUESTION = "question"


AGES = frozenset({ConditionKind.AGE_AT_LEAST, ConditionKind.AGE_AT_MOST})

# What the register says of somebody's home and need of care, a family agent who looks after her knows. Every other
# tag (income, loss, what the family lived through) is asked of an agent, never told.
TOLD_TO_AGENTS = frozenset(
    {
        TagKind.LIVING_ALONE,
        TagKind.EMPTY_NEST,
        TagKind.LEFT_BEHIND,
        TagKind.DISABLED_ELDER,
        TagKind.BASIC_ELDERCARE,
    }
)


class ListKind(StrEnum):
    """四张清单: what a community works on, seals, is appraised for, and what the government buys."""

    WORK = "work"
    SEALS = "seals"
    APPRAISALS = "appraisals"
    PURCHASES = "purchases"
