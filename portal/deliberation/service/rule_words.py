"""Bodies and their rules in words."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import gettext as _

from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import AskState, Body, Unit
from portal.deliberation.models.votes import RollEntry
from portal.deliberation.service import rules


def body_words(body: Body) -> str:
    return {
        Body.RESIDENTS_PERSONS: _("居民会议（18 周岁以上居民）"),
        Body.RESIDENTS_HOUSEHOLDS: _("居民会议（每户一名代表）"),
        Body.RESIDENTS_GROUPS: _("居民会议（居民小组代表）"),
        Body.RESIDENT_DELEGATES: _("居民代表会议"),
        Body.VILLAGERS_PERSONS: _("村民会议（18 周岁以上村民）"),
        Body.VILLAGERS_HOUSEHOLDS: _("村民会议（每户一名代表）"),
        Body.VILLAGE_DELEGATES: _("村民代表会议"),
        Body.VILLAGE_GROUP_PERSONS: _("村民小组会议（18 周岁以上村民）"),
        Body.VILLAGE_GROUP_HOUSEHOLDS: _("村民小组会议（每户一名代表）"),
        Body.VILLAGE_ELECTION: _("村委会选举"),
        Body.VILLAGE_ELECTION_AGAIN: _("村委会另行选举"),
        Body.VILLAGE_RECALL: _("罢免村委会成员"),
        Body.COMMITTEE: _("居民委员会或村民委员会"),
        Body.OWNERS_ORDINARY: _("业主共同决定（一般事项）"),
        Body.OWNERS_SPECIAL: _("业主共同决定（维修资金、改建、经营）"),
    }[body]


def unit_words(unit: Unit) -> str:
    return {
        Unit.PERSON: _("每人一票"),
        Unit.HOUSEHOLD: _("每户一票"),
        Unit.DELEGATE: _("每位代表一票"),
        Unit.OWNER: _("每位业主一票，按面积和人数两样算"),
    }[unit]


def share_words(part: int, whole: int, *, over: bool) -> str:
    """A share as the rule reads: 过半数 does not include the number, 以上 does."""
    said = _fraction(part, whole)
    return _("超过%(share)s（正好%(share)s不算）", share=said) if over else _("达到%(share)s（正好也算）", share=said)


def _fraction(part: int, whole: int) -> str:
    known = {
        (1, 3): _("三分之一"),
        (1, 2): _("一半"),
        (2, 3): _("三分之二"),
        (3, 4): _("四分之三"),
        (4, 5): _("五分之四"),
    }
    return known.get((part, whole), f"{part}/{whole}")


def quorum_words(rule: Mapping[str, Any]) -> str:
    """Of a rule as it is written on a vote: how many must take part."""
    part, whole = rule["quorum"]
    if not part:
        return _("没有规定要多少人参加")
    share = share_words(part, whole, over=rule["quorum_over"])
    if rule["by_area"]:
        return _("参加的业主，人数和面积都要%(share)s", share=share)
    return _("参加的要%(share)s", share=share)


def passes_words(rule: Mapping[str, Any]) -> str:
    """The same: how many of those who take part must agree."""
    part, whole = rule["passes"]
    share = share_words(part, whole, over=rule["passes_over"])
    if rule["by_area"]:
        return _("同意的业主，在参加的人数和面积里都要%(share)s", share=share)
    return _("同意的在参加的人里要%(share)s", share=share)


def words_of(rule: BodyRule) -> list[str]:
    """A row in sentences; the stop behind each is its page's."""
    held = rules.snapshot(rule)
    said = [quorum_words(held), passes_words(held)]
    if rule.notice_days:
        said.append(_("会前要提前 %(days)s 天通知", days=rule.notice_days))
    if rule.registered_only:
        said.append(_("只有户籍在本地的人有表决权"))
    if used := use_words(rule.body):
        said.append(used.rstrip("。."))
    return said


def use_words(body: Body) -> str:
    """What a rule's page says of the votes that use its row; "" where every vote of the body does."""
    return {
        Body.VILLAGE_ELECTION: _(
            "用在议题的表决里：由谁表决选“村委会选举”，无记名，一次选一个名额，写两位或更多候选人。"
            "一个职位要选几人的，这里的表决办不了，请在选举会场用纸质选票。"
        ),
        Body.VILLAGE_ELECTION_AGAIN: _("这里的表决办不了另行选举，请在选举会场用纸质选票；这一条供对照。"),
        Body.VILLAGE_RECALL: _("用在议题的表决里：由谁表决选“罢免村委会成员”，无记名，一次一人，只问同意还是不同意。"),
    }.get(body, "")


def ask_words(state: AskState) -> str:
    return {
        AskState.OPEN: _("等答复"),
        AskState.UPHELD: _("已采纳"),
        AskState.DENIED: _("没有采纳"),
        AskState.WITHDRAWN: _("已撤回"),
    }[state]


def entry_words(entry: RollEntry) -> str:
    said = _("%(number)d 号，%(name)s，%(place)s", number=entry.number, name=entry.name, place=entry.place)
    return _("%(said)s（已划掉）", said=said) if entry.struck_at else said


WORDS: dict[str, Callable[..., Any]] = {
    "body_words": body_words,
    "unit_words": unit_words,
    "rule_words": words_of,
    "ask_words": ask_words,
    "entry_words": entry_words,
}
