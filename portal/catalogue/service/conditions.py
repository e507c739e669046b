"""我能办吗: each condition of an item answered from the register, or asked, and told in words with a way on.

Nothing that is answered here is kept. Restricted tags cannot be a condition: a condition names kinds of TagKind alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from flask_babel import gettext as _

from portal.catalogue.models.codes import TOLD_TO_AGENTS, ConditionKind
from portal.catalogue.models.items import Condition, Item
from portal.catalogue.service import item_words
from portal.core.ids import Sex
from portal.registry.models import Person, Registration

# What an accepted family agent must be allowed to do for somebody, to be told what the register says of her.
ACTION = "catalogue.book"


class Outcome(StrEnum):
    MET = "met"
    UNMET = "unmet"
    UNSURE = "unsure"
    OPEN = "open"


@dataclass(frozen=True)
class Step:
    """One condition for one reader: how it came out, whether the register said so, and the words of it."""

    condition: Condition
    outcome: Outcome
    known: bool
    title: str
    words: str
    remedy: str = ""


@dataclass(frozen=True)
class Verdict:
    """All steps, and what follows: UNMET where anything is not met, OPEN where anything is still to be said, UNSURE
    where the reader does not know, MET where everything is.
    """

    steps: Sequence[Step]

    @property
    def outcome(self) -> Outcome:
        found = {step.outcome for step in self.steps}
        worst = (Outcome.UNMET, Outcome.OPEN, Outcome.UNSURE)
        return next((one for one in worst if one in found), Outcome.MET)

    @property
    def asked(self) -> list[Step]:
        """What the register does not say and the reader must."""
        return [step for step in self.steps if not step.known]

    @property
    def failed(self) -> list[Step]:
        return [step for step in self.steps if step.outcome is Outcome.UNMET]

    @property
    def unsure(self) -> list[Step]:
        return [step for step in self.steps if step.outcome is Outcome.UNSURE]

    @property
    def unsaid(self) -> list[Step]:
        return [step for step in self.steps if step.outcome is Outcome.OPEN]


@dataclass(frozen=True)
class Reader:
    """Whom the question is about: a person of the register, or nobody known. An agent is told less of another."""

    person: Person | None = None
    is_agent: bool = False


def judge(item: Item, reader: Reader, answers: Mapping[int, bool | None], on: date) -> Verdict:
    """Every condition of an item in order. `answers` are yes, no and None (she does not know) by the condition's id."""
    return Verdict([_step(condition, item, reader, answers, on) for condition in item.conditions])


def _step(condition: Condition, item: Item, reader: Reader, answers: Mapping[int, bool | None], on: date) -> Step:
    fact = _fact(condition, item, reader, on)
    known = fact is not None
    said = fact if known else answers.get(condition.id)
    title = item_words.question_words(condition)
    if said is None and condition.id in answers:
        return Step(condition, Outcome.UNSURE, known, title, _("这一条您还不清楚。"), _finding_out(item))
    if said is None:
        return Step(condition, Outcome.OPEN, known, title, "")
    if said == condition.answer:
        return Step(condition, Outcome.MET, known, title, condition.met or _("这一条符合。"))
    return Step(
        condition, Outcome.UNMET, known, title, condition.unmet or _("这一条不符合。"), _remedy(condition, item, known)
    )


def _remedy(condition: Condition, item: Item, known: bool) -> str:
    """What to do then; never nothing."""
    said = [condition.remedy] if condition.remedy else []
    if known and condition.kind is not ConditionKind.WOMAN:
        said.append(_("如果社区登记的情况和实际不一样，请带证件到社区改登记，改好就能办。"))
    if not said:
        phone = item.telephone
        said.append(
            _("请打 %(phone)s 问问有没有别的办法。", phone=phone)
            if phone
            else _("请到社区服务大厅问问有没有别的办法。")
        )
    return "".join(said)


def _finding_out(item: Item) -> str:
    """Who helps a reader who does not know."""
    if item.telephone:
        return _("请打 %(phone)s，或者到社区服务大厅问，工作人员帮您一起查。", phone=item.telephone)
    return _("请到社区服务大厅问，工作人员帮您一起查。")


def _fact(condition: Condition, item: Item, reader: Reader, on: date) -> bool | None:
    """What the register says to a condition's question; None where it says nothing, or not to this reader."""
    person = reader.person
    if person is None:
        return None
    match condition.kind:
        case ConditionKind.AGE_AT_LEAST | ConditionKind.AGE_AT_MOST:
            fact = _age_fact(condition, person.age(on))
        case ConditionKind.WOMAN:
            fact = None if person.sex is Sex.UNKNOWN else person.sex is Sex.FEMALE
        case ConditionKind.REGISTERED_HERE:
            unknown = person.registration is Registration.UNKNOWN
            fact = None if unknown else person.registration is Registration.LOCAL
        case ConditionKind.LIVES_HERE:
            fact = item.area_id in {person.community_id, person.community.parent_id}
        case ConditionKind.TAG:
            fact = _tag_fact(condition, reader, person, on)
        case _:
            fact = None
    return fact


def _age_fact(condition: Condition, age: int | None) -> bool | None:
    """The birthday itself counts. One year above the limit begins on the next birthday."""
    if age is None or condition.number is None:
        return None
    return age >= condition.number if condition.kind is ConditionKind.AGE_AT_LEAST else age <= condition.number


def _tag_fact(condition: Condition, reader: Reader, person: Person, on: date) -> bool | None:
    if reader.is_agent and not condition.tag_kinds() <= TOLD_TO_AGENTS:
        return None
    return bool(condition.tag_kinds() & person.tag_kinds(on))
