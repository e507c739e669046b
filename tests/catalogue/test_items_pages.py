"""The pages of the catalogue: what residents read, and what workers keep, in their own area only."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from portal.catalogue.models.codes import ConditionKind, ItemState, ListKind
from portal.catalogue.models.items import Item, Material, Provider, SearchMiss, Synonym
from portal.catalogue.models.lists import ListEntry, Proof
from portal.catalogue.service import items, keeping, lists
from portal.catalogue.service.keeping import ItemFacts
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.registry.models import RestrictedTag, TagKind
from tests.acting import actor_of
from tests.catalogue.offering import a_condition, a_group, a_provider, an_agent, an_item
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make

K = ConditionKind


def _typed(provider: Provider, area: Any, **more: Any) -> dict[str, Any]:
    return {
        "idem": "k1", "area": area.code, "provider": provider.id, "kind": "appointment", "title": "上门理发",
        "summary": "志愿理发师到家", "keywords": "剪头", "situations": ["old", "home"], "who": "行动不便的老人",
        "papers": "身份证\n选交：病历｜最近的\n免带：户口簿", "cost_fen": "0", "place": "上门到家", "times": "每周二",
        "cancel_hours": "2", "ahead_days": "14", "valid_from": today().isoformat(),
    } | more  # fmt: skip


def _actions() -> list[str]:
    return list(db.session.scalars(sa.select(AuditRow.action).order_by(AuditRow.id)))


@pytest.mark.parametrize("cookie", ["1", "1.3"])
def test_everybody_may_read_the_catalogue(client: Client, make: Make, cookie: str) -> None:
    item = an_item(make, conditions=[a_condition(K.QUESTION, question="住一楼吗？")])
    client.set_cookie("scale", cookie)
    paths = (
        "",
        "list",
        "list?situation=old",
        "list?provider=community",
        "search?q=理发",
        "search?q=没有的",
        f"{item.id}",
    )
    for path in (*paths, f"{item.id}/print", f"{item.id}/check", "proofs", "proofs?q=单身", "lists", "lists/seals"):
        answer = client.get(f"/services/{path}")
        assert answer.status_code == 200, path
    page = client.get(f"/services/{item.id}").get_data(as_text=True)
    assert all(words in page for words in ("谁能办", "带什么", "花多少钱", "在哪办", "什么时候", "我能办吗"))


def test_a_draft_and_a_list_that_is_none_are_not_there(client: Client, make: Make) -> None:
    draft = an_item(make, state=ItemState.DRAFT)
    for path in (f"{draft.id}", f"{draft.id}/check", f"{draft.id}/print", "lists/none", "99999"):
        assert client.get(f"/services/{path}").status_code == 404


def test_a_signed_in_resident_sees_her_own_community(client: Client, make: Make) -> None:
    an_item(make, "甲社区的")
    far = make.community("荷塘社区")
    an_item(make, "荷塘的", area=far)
    client.sign_in(make.resident(make.person(community=far)))
    assert "荷塘的" in client.get("/services/list").get_data(as_text=True)
    assert "甲社区的" in client.get(f"/services/list?community={make.community().code}").get_data(as_text=True)


def test_the_lists_ask_few_questions_whatever_the_rows(client: Client, make: Make) -> None:
    person = make.person()
    client.sign_in(make.resident(person))
    for number in range(12):
        an_item(make, f"服务{number}")
    for path in ("", "list", "search?q=服务"):
        with count_queries() as asked:
            assert client.get(f"/services/{path}").status_code == 200
        assert len(asked) <= 8, (path, len(asked))


def test_a_long_list_comes_in_pages(client: Client, make: Make) -> None:
    provider = a_provider(make)
    for number in range(31):
        an_item(make, f"服务{number:02d}", provider=provider)
    first, second = (client.get(f"/services/list?page={page}").get_data(as_text=True) for page in (1, 2))
    assert "服务29" in first
    assert "服务30" not in first
    assert "服务30" in second
    assert client.get("/services/list?page=9").status_code == 200


def test_what_nothing_was_found_under_is_told_without_a_name(client: Client, make: Make) -> None:
    code = make.community().code
    answer = client.post(f"/services/missing?community={code}", data={"words": "修手表"})
    assert answer.status_code == 303
    assert [miss.words for miss in db.session.scalars(sa.select(SearchMiss))] == ["修手表"]
    refused = client.post(f"/services/missing?community={code}", data={"words": "13800138000"})
    assert refused.status_code == 422
    assert "不要写电话" in refused.get_data(as_text=True)


def test_the_register_answers_for_her_and_the_rest_is_asked(client: Client, make: Make) -> None:
    other = an_item(make, "老年优待证")
    aged = a_condition(K.AGE_AT_LEAST, number=80, unmet="还没满 80 周岁", remedy="先办优待证", next_item_id=other.id)
    item = an_item(make, "高龄津贴", conditions=[aged, a_condition(K.QUESTION, position=1, question="住满一年了吗？")])
    client.sign_in(make.resident(make.person(born=date(1970, 1, 1))))
    page = client.get(f"/services/{item.id}/check").get_data(as_text=True)
    assert "还没满 80 周岁" in page
    assert f"/services/{other.id}" in page
    assert "住满一年了吗？" in page
    question = items.item(item.id).conditions[1].id
    answered = client.post(f"/services/{item.id}/check", data={f"answer-{question}": "no"}).get_data(as_text=True)
    assert "这一条不符合" in answered


def test_an_agent_reads_what_her_mothers_register_says_but_not_her_income(client: Client, make: Make) -> None:
    mother, daughter = make.person(tags=[TagKind.LOW_INCOME]), make.person("李小红", born=date(1980, 1, 1))
    account = make.resident(daughter)
    an_agent(make, account, mother)
    conditions = [
        a_condition(K.AGE_AT_LEAST, number=70, met="已满 70"),
        a_condition(K.TAG, position=1, tags=[TagKind.LOW_INCOME.value], met="登记里是低保", unmet="登记里不是低保"),
    ]
    item = an_item(make, conditions=conditions)
    client.sign_in(account)
    page = client.get(f"/services/{item.id}/check?whom={mother.public_id}").get_data(as_text=True)
    assert "已满 70" in page
    assert "登记里是低保" not in page
    assert "登记里不是低保" not in page


def test_somebody_elses_register_answers_nobody(client: Client, make: Make) -> None:
    stranger = make.person("赵国强", born=date(1940, 1, 1))
    item = an_item(make, conditions=[a_condition(K.AGE_AT_LEAST, number=70, met="已满 70", unmet="没满 70")])
    client.sign_in(make.resident(make.person(born=date(1990, 1, 1))))
    page = client.get(f"/services/{item.id}/check?whom={stranger.public_id}").get_data(as_text=True)
    assert "没满 70" in page
    assert "已满 70" not in page


def test_no_condition_can_name_a_restricted_tag(client: Client, make: Make) -> None:
    item = an_item(make)
    client.sign_in(make.worker())
    page = client.get(f"/desk/services/items/{item.id}/conditions/new").get_data(as_text=True)
    assert "community_correction" not in page
    typed = {"kind": "tag", "tags": ["community_correction"], "unmet": "不", "remedy": "问", "answer": "yes"}
    assert client.post(f"/desk/services/items/{item.id}/conditions/new", data=typed).status_code == 422
    assert RestrictedTag.__tablename__ == "restricted_tag"


def test_answering_keeps_nothing(client: Client, make: Make) -> None:
    item = an_item(make, conditions=[a_condition(K.QUESTION, question="收入低吗？")])
    before = len(_actions())
    number = items.item(item.id).conditions[0].id
    assert client.post(f"/services/{item.id}/check", data={f"answer-{number}": "yes"}).status_code == 200
    assert len(_actions()) == before


def test_a_worker_makes_publishes_and_withdraws_a_service(client: Client, make: Make) -> None:
    here = make.community()
    provider = a_provider(make, here)
    client.sign_in(make.worker())
    made = client.post("/desk/services/items/new", data=_typed(provider, here))
    assert made.status_code == 303
    assert client.post("/desk/services/items/new", data=_typed(provider, here)).location == made.location
    item = db.session.scalars(sa.select(Item)).one()
    assert (item.state, item.initials, item.cost_fen) == (ItemState.DRAFT, "smlf", 0)
    papers = [(row.name, row.is_required, row.fetched) for row in items.item(item.id).materials]
    assert papers == [("身份证", True, False), ("病历", False, False), ("户口簿", False, True)]
    client.post(f"/desk/services/items/{item.id}/publish")
    assert client.get(f"/services/{item.id}").status_code == 200
    assert client.post(f"/desk/services/items/{item.id}/withdraw", data={"reason": ""}).status_code == 422
    client.post(f"/desk/services/items/{item.id}/withdraw", data={"reason": "理发师搬走了"})
    assert client.get(f"/services/{item.id}").status_code == 404
    assert "理发师搬走了" in client.get(f"/desk/services/items/{item.id}").get_data(as_text=True)
    done = ["catalogue.item_created", "catalogue.item_published", "catalogue.item_withdrawn"]
    assert [action for action in _actions() if action.startswith("catalogue.item")] == done


def test_the_second_editor_keeps_what_she_typed_and_is_told(client: Client, make: Make) -> None:
    here = make.community()
    provider = a_provider(make, here)
    item = an_item(make, provider=provider)
    typed = _typed(provider, here, times="周五上午", place="上门到家", version="1", summary=item.summary, who=item.who)
    with transaction():
        held = items.item(item.id)
        facts = replace(ItemFacts.of(held), place="社区大厅")
        keeping.save(held, facts, [], version=1, by=actor_of(make.worker(name="周洁")))
    client.sign_in(make.worker(name="孙工"))
    answer = client.post(f"/desk/services/items/{item.id}/edit", data=typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "周洁改过这个事项" in page
    assert "周五上午" in page
    assert 'value="社区大厅"' in page
    again = client.post(f"/desk/services/items/{item.id}/edit", data=typed | {"version": "2", "place": "社区大厅"})
    assert again.status_code == 303
    assert (make.read(item).times, make.read(item).place) == ("周五上午", "社区大厅")


def test_what_is_not_hers_is_not_there_for_a_worker(client: Client, make: Make) -> None:
    far = make.community("荷塘社区")
    item = an_item(make, area=far, conditions=[a_condition(K.WOMAN)])
    group = a_group(make, "理发", "剪头", area=far)
    with transaction():
        lists.seed(far, by="周洁")
    entry, proof = db.session.scalars(sa.select(ListEntry)).first(), db.session.scalars(sa.select(Proof)).first()
    miss = make.add(SearchMiss(area_id=far.id, words="修手表"))
    assert entry is not None
    assert proof is not None
    condition = items.item(item.id).conditions[0].id
    client.sign_in(make.worker())
    own = f"items/{item.id}"
    for path in (own, f"{own}/edit", f"{own}/withdraw", f"{own}/conditions/new", f"{own}/conditions/{condition}"):
        assert client.get(f"/desk/services/{path}").status_code == 404, path
    for path in (
        *(f"{own}/publish", f"{own}/copy", f"{own}/conditions/{condition}/up", f"{own}/conditions/{condition}/remove"),
        *(f"synonyms/{group.id}/remove", f"misses/{miss.id}/settle"),
    ):
        assert client.post(f"/desk/services/{path}").status_code == 404, path
    for path in (
        *(f"providers/{item.provider_id}/edit", f"providers/{item.provider_id}/close", f"synonyms/{group.id}"),
        *(f"entries/{entry.id}", f"entries/{entry.id}/end", f"proofs/{proof.id}", f"proofs/{proof.id}/end"),
    ):
        assert client.get(f"/desk/services/{path}").status_code == 404, path
    assert "上门理发" not in client.get("/desk/services/items").get_data(as_text=True)


def test_a_worker_cannot_put_a_service_into_anothers_area(client: Client, make: Make) -> None:
    far = make.community("荷塘社区")
    provider = a_provider(make, far)
    client.sign_in(make.worker())
    assert client.post("/desk/services/items/new", data=_typed(provider, far)).status_code == 422
    assert db.session.scalar(sa.select(Item)) is None


def test_what_the_street_offers_a_community_worker_reads_and_copies_but_does_not_change(
    client: Client, make: Make
) -> None:
    streets = an_item(make, "高龄津贴", area=make.street())
    hidden = an_item(make, "街道的草稿", area=make.street(), state=ItemState.DRAFT)
    client.sign_in(make.worker())
    page = client.get("/desk/services/items").get_data(as_text=True)
    assert "高龄津贴" in page
    assert "街道的草稿" not in page
    assert f"/desk/services/items/{streets.id}/edit" not in page
    one = client.get(f"/desk/services/items/{streets.id}").get_data(as_text=True)
    assert f"/desk/services/items/{streets.id}/edit" not in one
    assert client.get(f"/desk/services/items/{hidden.id}").status_code == 404
    assert client.get(f"/desk/services/items/{streets.id}/edit").status_code == 404
    copied = client.post(f"/desk/services/items/{streets.id}/copy", data={"area": make.community().code, "idem": "c"})
    assert copied.status_code == 303
    assert client.get(copied.location).status_code == 200


def test_a_form_sent_twice_makes_one_row(client: Client, make: Make) -> None:
    here = make.community()
    client.sign_in(make.worker())
    typed = {"area": here.code, "words": "修表、手表", "idem": "k1"}
    line = {"area": here.code, "title": "报表", "basis": "某文件", "valid_from": today().isoformat(), "idem": "k2"}
    for _again in range(2):
        assert client.post("/desk/services/synonyms/new", data=typed).status_code == 303
        assert client.post("/desk/services/lists/work/new", data=line).status_code == 303
    assert len(list(db.session.scalars(sa.select(Synonym)))) == 1
    assert len(list(db.session.scalars(sa.select(ListEntry)))) == 1


def test_a_grid_worker_keeps_no_catalogue(client: Client, make: Make) -> None:
    client.sign_in(make.worker(Role.GRID_WORKER))
    assert client.get("/desk/services/items").status_code == 403


def test_words_lists_and_proofs_are_kept_on_their_pages(client: Client, make: Make) -> None:
    here = make.community()
    client.sign_in(make.worker())
    for path in ("synonyms", "misses", "lists", "lists/purchases", "proofs", "providers", "items", "synonyms/new"):
        assert client.get(f"/desk/services/{path}").status_code == 200, path
    client.post("/desk/services/samples")
    assert len(lists.proofs(here)) == 20
    client.post("/desk/services/synonyms/new", data={"area": here.code, "words": "修表、手表"})
    group = db.session.scalars(sa.select(Synonym).order_by(Synonym.id.desc())).first()
    assert group is not None
    assert group.words == ["修表", "手表"]
    line = {"area": here.code, "title": "统计报表", "basis": "某文件", "valid_from": today().isoformat()}
    assert client.post("/desk/services/lists/appraisals/new", data=line).status_code == 303
    assert client.post("/desk/services/lists/appraisals/new", data=line | {"basis": ""}).status_code == 422
    assert "统计报表" in [entry.title for entry in lists.shown(here, ListKind.APPRAISALS)]
    proof = lists.proofs(here)[0]
    ended = {"last_day": today().isoformat(), "reason": "改由网上查"}
    assert client.post(f"/desk/services/proofs/{proof.id}/end", data=ended).status_code == 303
    assert client.get(f"/desk/services/proofs/{proof.id}").status_code == 200


def test_providers_are_made_mended_and_closed(client: Client, make: Make) -> None:
    here = make.community()
    client.sign_in(make.worker())
    typed = {"area": here.code, "kind": "volunteers", "name": "陪伴队", "phone": "0571-88880000"}
    assert client.post("/desk/services/providers/new", data=typed).status_code == 303
    assert client.post("/desk/services/providers/new", data=typed).status_code == 422
    provider = db.session.scalars(sa.select(Provider)).one()
    path = f"/desk/services/providers/{provider.id}"
    assert client.post(f"{path}/edit", data=typed | {"version": "1", "hours": "每天"}).status_code == 303
    late = client.post(f"{path}/edit", data=typed | {"version": "1", "hours": "周末"})
    assert late.status_code == 422
    assert "别人改过" in late.get_data(as_text=True)
    assert client.post(f"{path}/close", data={"reason": "解散了"}).status_code == 303
    assert make.read(provider).closed_on == today()


def test_a_copy_leads_to_its_form_and_conditions_are_kept(client: Client, make: Make) -> None:
    item = an_item(make, conditions=[a_condition(K.WOMAN)])
    make.add(Material(item_id=item.id, name="身份证"))
    client.sign_in(make.worker())
    copied = client.post(f"/desk/services/items/{item.id}/copy", data={"area": make.community().code, "idem": "c1"})
    assert copied.status_code == 303
    assert client.get(copied.location).status_code == 200
    made = db.session.scalars(sa.select(Item).order_by(Item.id.desc())).first()
    assert made is not None
    assert [row.name for row in made.materials] == ["身份证"]
    path = f"/desk/services/items/{made.id}/conditions"
    number = made.conditions[0].id
    typed = {"kind": "age_at_least", "number": "60", "unmet": "没到", "remedy": "再等等", "answer": "yes"}
    assert client.get(f"{path}/{number}").status_code == 200
    assert client.post(f"{path}/{number}", data=typed).status_code == 303
    assert client.post(f"{path}/new", data=typed | {"number": ""}).status_code == 422
    assert client.post(f"{path}/new", data=typed | {"number": "90"}).status_code == 303
    client.post(f"{path}/{number}/remove")
    assert [one.number for one in items.item(made.id).conditions] == [90]


def test_the_desk_lists_ask_few_questions_whatever_the_rows(client: Client, make: Make) -> None:
    for number in range(10):
        an_item(make, f"服务{number}")
        a_group(make, f"词{number}", f"语{number}")
    with transaction():
        lists.seed(make.community(), by="周洁")
    client.sign_in(make.worker())
    for path in ("items", "providers", "synonyms", "misses", "lists", "proofs"):
        with count_queries() as asked:
            assert client.get(f"/desk/services/{path}").status_code == 200
        assert len(asked) <= 8, (path, asked)
