"""The pages of the map of opinion, on both platforms, without JavaScript."""

from datetime import timedelta

import pytest

from portal.core import jobs
from portal.core.clock import now
from portal.core.db import db
from portal.deliberation.models.codes import MapState, Stage
from portal.deliberation.models.opinions import OpinionMap
from portal.deliberation.service import maps
from portal.identity.permissions import Role
from tests.counting import count_queries
from tests.deliberation.mapped import TWO, drawn, here, stands


@pytest.fixture
def topic(deliberating):
    return deliberating.topic("6 号楼加装电梯")


@pytest.fixture
def near(monkeypatch):
    here(monkeypatch)


def _page(topic, more=""):
    return f"/deliberation/topics/{topic.id}/map{more}"


def _desk(topic, more=""):
    return f"/desk/deliberation/topics/{topic.id}/map{more}"


def test_everybody_reads_the_groups_what_they_hold_and_what_all_hold(client, make, topic, near):
    people = stands(make, topic, TWO)
    drawn(topic)
    page = client.get(_page(topic))
    assert page.status_code == 200
    for said in (
        "14 人表了态，想法分成 2 组",
        "甲组有 8 人，占 57%",
        "本组 100% 这样想，其他人 0%",
        "第 5 条看法",
        "甲组 100%，",
        "不等于全体居民",
        "<circle",
        'data-read-aloud="#map-words"',
    ):
        assert said in " ".join(page.text.split()), said
    assert not any(person.name in page.text for person in people)
    figures = client.get(_page(topic, "/figures")).text
    assert "第 1 条看法" in figures
    assert "同意 57%，不同意 43%，说不好 0%" in figures
    assert "同意 0%，不同意 100%，说不好 0%" in figures


def test_the_page_of_the_topic_leads_to_its_map_once(client, make, topic, near):
    assert _page(topic) not in client.get(f"/deliberation/topics/{topic.id}").text
    stands(make, topic, TWO)
    drawn(topic)
    assert client.get(f"/deliberation/topics/{topic.id}").text.count(f'"{_page(topic)}"') == 1


def test_people_of_one_mind_are_told_so_and_no_group_is_drawn(client, make, topic, near):
    stands(make, topic, ("+++-+++",) * 12)
    drawn(topic)
    page = " ".join(client.get(_page(topic)).text.split())
    assert "没有分出明显的组" in page
    assert "<circle" not in page
    assert "都不同意" in page


def test_without_a_map_the_page_says_what_is_missing_and_where_to_take_part(client, topic):
    page = client.get(_page(topic)).text
    assert "还没有意见地图" in page
    assert "现在有 0 人、0 条" in page
    assert "去对看法表态" in page
    assert "还没有数字" in client.get(_page(topic, "/figures")).text


def test_a_map_that_lacked_people_is_not_promised_in_a_while(client, make, topic, near):
    stands(make, topic, (*("+++",) * 9, "++."))
    assert "快要画了" in client.get(_page(topic)).text
    assert drawn(topic).state is MapState.TOO_FEW
    page = client.get(_page(topic)).text
    assert "上次没有画成" in page
    assert "快要画了" not in page


def test_a_draft_has_no_page(client, deliberating):
    draft = deliberating.topic(stage=Stage.DRAFT)
    assert client.get(_page(draft)).status_code == 404
    assert client.get(_page(draft, "/figures")).status_code == 404


def test_a_worker_draws_a_map_and_reads_it(client, make, topic, near):
    stands(make, topic, TWO)
    client.sign_in(make.worker())
    assert "画一张新的" in client.get(_desk(topic)).text
    assert client.post(_desk(topic, "/ask")).status_code == 303
    page = client.get(_desk(topic)).text
    for said in ("画好了", "14 人、8 条看法，分成 2 组", "甲组（8 人）", "各组最看重的", "上次画图以后只有 0 人新表态"):
        assert said in page, said
    assert "画一张新的" not in page
    # Pressed twice: refused in words, nothing drawn again.
    client.post(_desk(topic, "/ask"))
    assert "上次画图以后只有 0 人新表态" in client.get(_desk(topic)).text
    assert len(maps.runs_of(topic)) == 1
    listed = client.get("/desk/deliberation/maps").text
    assert "6 号楼加装电梯" in listed
    assert "14 人、8 条看法" in listed


def test_what_is_being_drawn_is_watched_and_can_be_cancelled(client, make, topic, near, monkeypatch):
    stands(make, topic, TWO)
    monkeypatch.setattr(jobs, "enqueue", lambda name, **arguments: None)
    client.sign_in(make.worker())
    client.post(_desk(topic, "/ask"))
    page = client.get(_desk(topic)).text
    assert 'hx-trigger="every 2s"' in page
    assert "正在读取表态" in page
    part = client.get(_desk(topic), headers={"HX-Request": "true", "HX-Target": "map-progress"})
    assert "HX-Refresh" not in part.headers
    (run,) = maps.runs_of(topic)
    assert client.post(_desk(topic, f"/{run.public_id}/cancel")).status_code == 303
    db.session.expire_all()
    assert db.session.get_one(OpinionMap, run.id).state is MapState.CANCELLED
    part = client.get(_desk(topic), headers={"HX-Request": "true", "HX-Target": "map-progress"})
    assert part.headers["HX-Refresh"] == "true"
    client.post(_desk(topic, f"/{run.public_id}/cancel"))
    assert "不用取消" in client.get(_desk(topic)).text
    assert client.post(_desk(topic, "/nothing/cancel")).status_code == 404


def test_another_community_neither_reads_nor_draws(client, make, topic, deliberating, near):
    stands(make, topic, TWO)
    run = drawn(topic)
    client.sign_in(make.worker(scope=make.community("远山社区")))
    assert client.get(_desk(topic)).status_code == 404
    assert client.post(_desk(topic, "/ask")).status_code == 404
    assert client.post(_desk(topic, f"/{run.public_id}/cancel")).status_code == 404
    assert "6 号楼加装电梯" not in client.get("/desk/deliberation/maps").text


def test_a_community_reads_the_streets_map_and_the_street_draws_it(client, make, deliberating, near):
    shared = deliberating.topic("跨社区的公交站", area=make.street(), communities=[make.community()])
    stands(make, shared, TWO)
    client.sign_in(make.worker())
    assert "由他们来画" in client.get(_desk(shared)).text
    assert client.post(_desk(shared, "/ask")).status_code == 404
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR, make.street(), name="陈街道"))
    assert client.post(_desk(shared, "/ask")).status_code == 303


def test_lists_and_pages_ask_as_little_of_many_as_of_few(client, make, deliberating, near):
    client.sign_in(make.worker())

    def asked(path):
        with count_queries() as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    first = deliberating.topic("第一件")
    stands(make, first, TWO)
    drawn(first)
    few = asked("/desk/deliberation/maps")
    for title in ("第二件", "第三件", "第四件"):
        topic = deliberating.topic(title)
        stands(make, topic, TWO[:3])
        make.add(OpinionMap(topic_id=topic.id, state=MapState.FAILED, asked_at=now() - timedelta(days=1), words="没有"))
    assert asked("/desk/deliberation/maps") == few <= 8
    assert asked(_desk(first)) <= 12
    assert asked(_page(first)) <= 8
    assert asked(_page(first, "/figures")) <= 8


def test_more_than_a_page_of_statements_is_turned_over(client, make, topic, near):
    stands(make, topic, ("+" * 60,) * 12)
    drawn(topic)
    first = client.get(_page(topic, "/figures")).text
    assert "下一页" in first
    second = client.get(_page(topic, "/figures?page=2")).text
    assert "上一页" in second
    assert second.count("条看法</th>") == 10


def test_the_empty_list_says_how_maps_come_about(client, make):
    client.sign_in(make.worker())
    assert "还没有公开的议题" in client.get("/desk/deliberation/maps").text
