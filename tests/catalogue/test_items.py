"""Services as workers keep them: states, scope, two editors at once, copies."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from portal.catalogue.models.codes import MOVES, ItemKind, ItemState, ProviderKind, Situation
from portal.catalogue.models.items import Item
from portal.catalogue.service import items, keeping, providers
from portal.catalogue.service.keeping import ItemFacts, Paper
from portal.catalogue.service.providers import ProviderFacts
from portal.core.access import Scope
from portal.core.clock import days_before, today
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role
from tests.acting import actor_of
from tests.catalogue.offering import a_provider, an_item
from tests.make import Make


def _facts(item: Item, **more: object) -> ItemFacts:
    return replace(ItemFacts.of(item), **more)  # type: ignore[arg-type]


def test_residents_see_what_is_published_valid_and_theirs(make: Make) -> None:
    here, street = make.community(), make.street()
    an_item(make, "草稿", state=ItemState.DRAFT)
    an_item(make, "撤下的", state=ItemState.WITHDRAWN)
    an_item(make, "明天才开始", valid_from=days_before(today(), -1))
    an_item(make, "昨天结束", valid_to=days_before(today(), 1))
    an_item(make, "别的社区的", area=make.community("荷塘社区"))
    an_item(make, "街道的", area=street)
    an_item(make, "今天是最后一天", valid_to=today())
    an_item(make, "今天开始", valid_from=today())
    assert {brief.title for brief in items.published(here)[0]} == {"街道的", "今天是最后一天", "今天开始"}


def test_a_situation_and_a_kind_of_provider_narrow_the_list(make: Make) -> None:
    here = make.community()
    team = a_provider(make, here, kind=ProviderKind.VOLUNTEERS)
    an_item(make, "上门理发", provider=team, situations=["old", "home"])
    an_item(make, "四点半课堂", situations=["young"])
    assert [brief.title for brief in items.published(here, situation=Situation.OLD)[0]] == ["上门理发"]
    assert [brief.title for brief in items.published(here, kind=ProviderKind.VOLUNTEERS)[0]] == ["上门理发"]
    counted = items.counted(here)
    assert (counted.count, counted.situations[Situation.HOME], counted.kinds[ProviderKind.COMMUNITY]) == (2, 1, 1)


def test_a_draft_is_nobodys_to_read(make: Make) -> None:
    draft = an_item(make, state=ItemState.DRAFT)
    with pytest.raises(Missing):
        items.shown(draft.id)
    assert items.item(draft.id).title == "上门理发"


def test_a_worker_keeps_the_items_of_her_community_and_no_others(make: Make) -> None:
    mine, other = an_item(make), an_item(make, "别的", area=make.community("荷塘社区"))
    streets = an_item(make, "街道的", area=make.street())
    within = (Scope("community", make.community().code),)
    assert items.item_in(within, mine.id).id == mine.id
    for item in (other, streets):
        with pytest.raises(Missing):
            items.item_in(within, item.id)
    assert items.served_in(within, streets.id).id == streets.id
    with pytest.raises(Missing):
        items.served_in(within, other.id)
    whole = (Scope("street", make.street().code),)
    assert {item.title for item in items.items_within(whole)[0]} == {"上门理发", "别的", "街道的"}


def test_every_move_of_an_item_is_in_the_table(make: Make) -> None:
    acts: dict[ItemState, Callable[[Item], None]] = {
        ItemState.PUBLISHED: keeping.publish,
        ItemState.WITHDRAWN: lambda item: keeping.withdraw(item, reason="不做了"),
    }
    for state in ItemState:
        for goal, act in acts.items():
            item = an_item(make, f"从{state}", state=state)
            if goal in MOVES[state]:
                with transaction():
                    act(items.item(item.id))
                assert make.read(item).state is goal
            else:
                with pytest.raises(Refused):
                    act(items.item(item.id))


def test_withdrawing_needs_a_reason(make: Make) -> None:
    item = an_item(make)
    with pytest.raises(Refused, match="为什么"):
        keeping.withdraw(items.item(item.id), reason=" ")


def test_what_residents_ask_first_must_stand_before_publishing(make: Make) -> None:
    item = an_item(make, state=ItemState.DRAFT, who="", place="")
    with pytest.raises(Refused, match="谁能办、在哪办"):
        keeping.publish(items.item(item.id))
    application = an_item(make, state=ItemState.DRAFT, kind=ItemKind.APPLICATION)
    with pytest.raises(Refused, match="工作日"):
        keeping.publish(items.item(application.id))


def test_the_second_of_two_editors_is_told_what_the_first_changed(make: Make) -> None:
    item, worker = an_item(make), make.worker(name="周洁")
    with transaction():
        first = items.item(item.id)
        keeping.save(first, _facts(first, place="社区大厅"), [], version=1, by=actor_of(worker))
    with transaction(), pytest.raises(Refused, match="周洁改过这个事项（在哪办：社区大厅）"):
        keeping.save(items.item(item.id), _facts(item, times="周五"), [], version=1, by=actor_of(worker))
    assert make.read(item).place == "社区大厅"


def test_papers_of_the_same_name_stay_the_same_row(make: Make) -> None:
    item, by = an_item(make), actor_of(make.worker())
    with transaction():
        keeping.save(item, _facts(item), [Paper("身份证"), Paper("户口簿")], version=1, by=by)
    before = {row.name: row.id for row in items.item(item.id).materials}
    with transaction():
        held = items.item(item.id)
        keeping.save(held, _facts(held), [Paper("户口簿", "复印一份"), Paper("照片")], version=held.version, by=by)
    db.session.expire_all()
    after = {row.name: row.id for row in items.item(item.id).materials}
    assert list(after) == ["户口簿", "照片"]
    assert after["户口簿"] == before["户口簿"]


def test_a_copy_is_a_draft_with_papers_and_conditions(make: Make) -> None:
    item = an_item(make)
    with transaction():
        made = keeping.copy(items.item(item.id), make.community(), by=actor_of(make.worker()))
    assert (made.state, made.title, made.code != item.code) == (ItemState.DRAFT, "上门理发（副本）", True)


def test_an_item_takes_a_provider_of_its_area_or_its_street(make: Make) -> None:
    item, by = an_item(make), actor_of(make.worker())
    above, beside = a_provider(make, make.street()), a_provider(make, make.community("荷塘社区"))
    with pytest.raises(Refused, match="提供方"):
        keeping.save(items.item(item.id), _facts(item, provider_id=beside.id), [], version=1, by=by)
    db.session.rollback()
    with transaction():
        keeping.save(items.item(item.id), _facts(item, provider_id=above.id), [], version=1, by=by)
    assert make.read(item).provider_id == above.id


def test_a_provider_with_published_items_cannot_be_closed(make: Make) -> None:
    item = an_item(make)
    within = (Scope("community", make.community().code),)
    provider = providers.provider_in(within, item.provider_id)
    with pytest.raises(Refused, match="1 个已发布的事项"):
        providers.close(provider, reason="不做了")


def test_two_providers_of_an_area_have_two_names(make: Make) -> None:
    a_provider(make, name="夕阳红")
    facts = ProviderFacts(ProviderKind.VOLUNTEERS, "夕阳红", "", "", "", "", None)
    with transaction(), pytest.raises(Refused, match="同名"):
        providers.add(make.community(), facts)


def test_a_street_administrator_keeps_the_items_of_her_street(make: Make) -> None:
    streets = an_item(make, area=make.street())
    account = make.worker(Role.STREET_ADMINISTRATOR)
    within = tuple(Scope(grant.scope_kind, grant.scope_ref) for grant in account.grants)
    assert items.item_in(within, streets.id).id == streets.id
