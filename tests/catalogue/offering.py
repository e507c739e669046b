"""Providers, services and conditions as the tests of the catalogue need them."""

from collections.abc import Iterable
from typing import Any

from portal.areas.models import Area
from portal.catalogue.models.codes import ConditionKind, ItemKind, ItemState, ProviderKind, Situation
from portal.catalogue.models.items import Condition, Item, Provider, Synonym
from portal.catalogue.service import searching
from portal.core.clock import days_before, today
from portal.identity.models import Account
from portal.registry.models import AgentState, FamilyAgent, Person
from tests.make import Make


def a_provider(
    make: Make, area: Area | None = None, *, name: str = "", kind: ProviderKind = ProviderKind.COMMUNITY
) -> Provider:
    area = area or make.community()
    return make.add(Provider(area_id=area.id, kind=kind, name=name or f"居委会{make.number()}", phone="0571-88880101"))


def an_item(make: Make, title: str = "上门理发", *, area: Area | None = None, **more: Any) -> Item:
    """A published service of the test's community, valid since a month, unless told otherwise."""
    area = area or make.community()
    provider = more.pop("provider", None) or a_provider(make, area)
    conditions: Iterable[Condition] = more.pop("conditions", ())
    initials, pinyin = searching.sounds(title)
    facts: dict[str, Any] = {
        "kind": ItemKind.APPOINTMENT,
        "state": ItemState.PUBLISHED,
        "summary": f"{title}的说明",
        "situations": [Situation.OLD.value],
        "who": "本社区居民",
        "place": "上门到家",
        "valid_from": days_before(today(), 30),
    }
    item = Item(area_id=area.id, provider_id=provider.id, title=title, initials=initials, pinyin=pinyin, **facts | more)
    item.conditions = list(conditions)
    return make.add(item)


def a_condition(kind: ConditionKind, **more: Any) -> Condition:
    facts: dict[str, Any] = {
        "answer": True,
        "tags": [],
        "question": "",
        "met": "",
        "unmet": "这一条不符合",
        "remedy": "请到窗口问",
    }
    return Condition(kind=kind, **facts | more)


def a_group(make: Make, *words: str, area: Area | None = None) -> Synonym:
    return make.add(Synonym(area_id=(area or make.community()).id, words=list(words)))


def an_agent(make: Make, account: Account, principal: Person) -> None:
    """An accepted family agent who may book for somebody."""
    make.add(
        FamilyAgent(
            account_id=account.id,
            person_id=principal.id,
            principal_name=principal.name,
            relation="child",
            actions="catalogue.book",
            state=AgentState.ACCEPTED,
            until=days_before(today(), -30),
            requested_at=principal.created_at,
        )
    )
