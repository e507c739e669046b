"""Rules of bodies: loaded once, confirmed, replaced, a place's own; and the delegates who decide for groups."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Area, AreaKind, Settlement
from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.bodies import BodyRule, Delegate
from portal.deliberation.models.codes import Body
from portal.deliberation.roll_jobs import load_rules
from portal.deliberation.service import rules
from portal.deliberation.service.rules import RuleFacts
from portal.identity.permissions import Role
from portal.registry.models import PersonState
from tests.client import Client
from tests.counting import count_queries
from tests.deliberating import Deliberating
from tests.make import Make

ALL = (Scope("all", ""),)


@pytest.fixture
def law(make: Make) -> list[BodyRule]:
    load_rules()
    return rules.rules(ALL)


@pytest.fixture
def street(make: Make, client: Client, law: list[BodyRule]) -> Client:
    return client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))


def _of(body: Body) -> BodyRule:
    db.session.rollback()
    return next(one for one in rules.rules(ALL) if one.body is body)


def _facts(**more: object) -> RuleFacts:
    plain: dict[str, object] = {
        "article": "新法第二十条",
        "notice_days": 5,
        "quorum": 1,
        "quorum_of": 2,
        "quorum_over": True,
        "passes": 1,
        "passes_of": 2,
        "passes_over": True,
        "registered_only": False,
        "least_age": 18,
        "note": "",
    }
    return RuleFacts(**plain | more)  # type: ignore[arg-type]


def _typed(**more: object) -> dict[str, object]:
    return {
        "article": "新法第二十条",
        "notice_days": 5,
        "quorum": 2,
        "quorum_of": 3,
        "quorum_how": "reach",
        "passes": 1,
        "passes_of": 2,
        "passes_how": "over",
        "least_age": 18,
        "valid_from": (today() + timedelta(days=1)).isoformat(),
        "idem": "k" * 20,
        **more,
    }


def test_the_law_is_loaded_once_and_the_changed_statutes_wait_to_be_confirmed(law: list[BodyRule]) -> None:
    load_rules()
    assert len(rules.rules(ALL)) == len(law) == len(Body)
    waiting = {one.body for one in law if one.confirmed_at is None}
    assert waiting == set(Body) - {Body.OWNERS_ORDINARY, Body.OWNERS_SPECIAL}
    assert all(one.valid_from == date(2026, 1, 1) for one in law if one.body in waiting)


def test_a_place_goes_by_its_own_rule_then_its_streets_then_the_laws(
    make: Make, deliberating: Deliberating, law: list[BodyRule]
) -> None:
    by, here, other = deliberating.committee(), make.community(), make.community("别处社区", Settlement.VILLAGE)
    day, body = today(), Body.VILLAGE_DELEGATES
    with transaction():
        of_street = rules.add_local(body, make.street(), _facts(), valid_from=day, by=by)
        own = rules.add_local(body, here, _facts(notice_days=3), valid_from=day, by=by)
    assert rules.rule_for(body, here, day).id == own.id
    assert rules.rule_for(body, other, day).id == rules.rule_for(body, make.street(), day).id == of_street.id
    assert rules.rule_for(body, here, day - timedelta(days=1)).area_id is None
    with pytest.raises(Refused, match="没有可用的议事规则"):
        rules.rule_for(body, here, date(2025, 12, 31))


def test_no_row_of_the_rules_ends_in_two_stops(street: Client) -> None:
    listed = street.get("/desk/deliberation/rules").text
    assert "村委会选举" in listed
    assert "。。" not in listed


def test_a_replaced_rule_ends_the_day_before_the_new_one(
    make: Make, deliberating: Deliberating, law: list[BodyRule]
) -> None:
    rule, begins, by = _of(Body.RESIDENTS_PERSONS), today() + timedelta(days=10), deliberating.committee()
    with transaction():
        made = rules.replace(rule, _facts(), valid_from=begins, by=by)
    assert rules.rule_for(rule.body, make.community(), begins - timedelta(days=1)).id == rule.id
    assert rules.rule_for(rule.body, make.community(), begins).id == made.id
    with pytest.raises(Refused, match="已经停用"), transaction():
        rules.replace(rule, _facts(), valid_from=begins, by=by)
    load_rules()
    assert sum(1 for one in rules.rules(ALL, ended=True) if one.body is rule.body) == 2


def test_the_street_confirms_a_row_with_what_it_was_compared(street: Client) -> None:
    rule = _of(Body.RESIDENTS_PERSONS)
    assert "待核对" in street.get("/desk/deliberation/rules").text
    assert street.post(f"/desk/deliberation/rules/{rule.id}/confirm", data={"note": ""}).status_code == 422
    said = {"note": "2026年新法第二十条，国家法律法规数据库"}
    assert street.post(f"/desk/deliberation/rules/{rule.id}/confirm", data=said).status_code == 303
    again = _of(Body.RESIDENTS_PERSONS)
    assert again.confirmed_at is not None
    assert "待核对" not in again.note
    assert said["note"] in again.note
    assert street.post(f"/desk/deliberation/rules/{rule.id}/confirm", data=said).status_code == 422
    db.session.rollback()
    found = sa.select(sa.func.count(AuditRow.id)).where(AuditRow.action == "deliberation.rule_confirmed")
    assert db.session.scalar(found) == 1


def test_a_rule_is_replaced_and_added_once_however_often_it_is_sent(street: Client, make: Make) -> None:
    rule = _of(Body.RESIDENTS_HOUSEHOLDS)
    for _turn in range(2):
        assert street.post(f"/desk/deliberation/rules/{rule.id}/replace", data=_typed()).status_code == 303
    assert sum(1 for one in rules.rules(ALL, ended=True) if one.body is rule.body) == 2
    own = _typed(body_kind=Body.COMMITTEE.value, area=make.community().code, idem="l" * 20)
    for _turn in range(2):
        assert street.post("/desk/deliberation/rules/new", data=own).status_code == 303
    again = street.post("/desk/deliberation/rules/new", data=own | {"idem": "m" * 20})
    assert again.status_code == 422
    assert "已经有这一种会议的本地规则" in again.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quorum", "5"),
        ("passes", "0"),
        ("passes_of", "0"),
        ("valid_from", "2020-01-01"),
        ("article", ""),
        ("quorum", "x"),
    ],
)
def test_what_is_no_rule_is_refused_at_its_field(street: Client, field: str, value: str) -> None:
    rule = _of(Body.RESIDENTS_PERSONS)
    answer = street.post(f"/desk/deliberation/rules/{rule.id}/replace", data=_typed(**{field: value}))
    assert answer.status_code == 422
    assert _of(Body.RESIDENTS_PERSONS).id == rule.id


def test_a_local_rule_ends_and_the_laws_does_not(street: Client, make: Make, deliberating: Deliberating) -> None:
    with transaction():
        own = rules.add_local(
            Body.COMMITTEE, make.community(), _facts(), valid_from=today(), by=deliberating.committee()
        )
    said = {"reason": "按法律办", "last_day": today().isoformat()}
    assert street.post(f"/desk/deliberation/rules/{own.id}/end", data=said).status_code == 303
    law = next(one for one in rules.rules(ALL) if one.body is Body.COMMITTEE)
    refused = street.post(f"/desk/deliberation/rules/{law.id}/end", data=said)
    assert refused.status_code == 422
    assert "不能停用" in refused.text


def test_a_street_does_not_see_another_streets_rule(street: Client, make: Make, deliberating: Deliberating) -> None:
    other = make.add(Area(kind=AreaKind.STREET, code="999901002", name="别的街道"))
    with transaction():
        own = rules.add_local(Body.COMMITTEE, other, _facts(), valid_from=today(), by=deliberating.committee())
    assert street.get(f"/desk/deliberation/rules/{own.id}/confirm").status_code == 404
    assert "别的街道" not in street.get("/desk/deliberation/rules").text


def test_everybody_reads_the_rules_and_which_are_not_confirmed(client: Client, law: list[BodyRule]) -> None:
    page = client.get("/deliberation/rules")
    assert page.status_code == 200
    assert "待核对" in page.text
    assert "四分之三" in page.text


# Delegates


def test_a_committee_member_enters_a_delegate_and_sees_names_and_masked_telephones(make: Make, client: Client) -> None:
    person = make.person("赵桂兰", phone="13800001234")
    client.sign_in(make.worker(Role.COMMITTEE_MEMBER))
    said = {
        "community": make.community().code,
        "body_kind": Body.RESIDENT_DELEGATES.value,
        "group": "第三居民小组",
        "since": today().isoformat(),
        "person_words": "赵桂",
        "idem": "k" * 20,
    }
    found = client.post("/desk/deliberation/delegates/new", data=said | {"person_look": "1"})
    assert found.status_code == 200
    assert "138****1234" in found.text
    assert "13800001234" not in found.text
    assert client.post("/desk/deliberation/delegates/new", data=said).status_code == 422
    for _turn in range(2):
        sent = client.post("/desk/deliberation/delegates/new", data=said | {"person": person.public_id})
        assert sent.status_code == 303
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count(Delegate.id))) == 1
    assert db.session.scalar(sa.select(sa.func.count(AuditRow.id)).where(AuditRow.action == "registry.searched")) == 1
    assert "赵桂兰" in client.get("/desk/deliberation/delegates").text


def test_nobody_from_elsewhere_or_gone_becomes_a_delegate(make: Make, client: Client) -> None:
    far = make.person("钱别处", community=make.community("别处社区"))
    gone = make.person("孙迁出", state=PersonState.MOVED_OUT)
    client.sign_in(make.worker())
    said = {
        "community": make.community().code,
        "body_kind": Body.COMMITTEE.value,
        "since": today().isoformat(),
        "idem": "k" * 20,
    }
    for person in (far, gone):
        sent = client.post("/desk/deliberation/delegates/new", data=said | {"person": person.public_id})
        assert sent.status_code == 422
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count(Delegate.id))) == 0


def test_a_term_is_ended_with_a_reason_in_ones_own_community_alone(make: Make, client: Client) -> None:
    row = {"body": Body.COMMITTEE, "since": today() - timedelta(days=9), "group": ""}
    mine = make.add(Delegate(community_id=make.community().id, person_id=make.person().id, **row))
    there = make.community("别处社区")
    other = make.add(Delegate(community_id=there.id, person_id=make.person("李四").id, **row))
    client.sign_in(make.worker())
    said = {"until": (today() - timedelta(days=1)).isoformat(), "reason": "辞去委员"}
    assert client.post(f"/desk/deliberation/delegates/{other.id}/end", data=said).status_code == 404
    assert client.post(f"/desk/deliberation/delegates/{mine.id}/end", data=said | {"reason": ""}).status_code == 422
    assert client.post(f"/desk/deliberation/delegates/{mine.id}/end", data=said).status_code == 303
    assert "王秀英" not in client.get("/desk/deliberation/delegates").text
    assert "王秀英" in client.get("/desk/deliberation/delegates?past=1").text


def test_the_lists_take_few_questions_however_long_they_are(make: Make, street: Client) -> None:
    for number in range(12):
        make.add(
            Delegate(
                community_id=make.community().id,
                person_id=make.person(f"代表{number}").id,
                body=Body.COMMITTEE,
                since=today(),
            )
        )
    for address in ("/desk/deliberation/delegates", "/desk/deliberation/rules"):
        with count_queries() as asked:
            assert street.get(address).status_code == 200
        assert len(asked) <= 8, asked
