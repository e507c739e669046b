"""The map of opinion in a real browser: on a phone in both views, and drawn at a desk."""

import pytest

from tests.deliberation.mapped import TWO, drawn, here, stands

pytestmark = pytest.mark.browser


@pytest.fixture
def topic(deliberating, make, monkeypatch):
    here(monkeypatch)
    made = deliberating.topic("6 号楼加装电梯")
    stands(make, made, TWO)
    return made


@pytest.mark.parametrize("scale", ["1", "1.3", "1.8"])
def test_the_map_is_read_on_a_phone(reader, topic, scale):
    drawn(topic)
    phone = reader(scale=scale).go(f"/deliberation/topics/{topic.id}/map")
    assert phone.reads("甲组有 8 人")
    assert phone.page.locator("svg circle").count() >= 2
    phone.press("每一条看法的数字")
    assert phone.reads("第 1 条看法")


def test_a_worker_draws_the_map_at_a_desk(reader, client, make, topic):
    client.sign_in(make.worker())
    desk = reader(desk=True).carry(client).go("/desk/deliberation/maps")
    desk.press("6 号楼加装电梯").press("画一张新的")
    assert desk.reads("分成 2 组")


def test_without_scripts_the_map_is_drawn_too(reader, client, make, topic):
    client.sign_in(make.worker())
    desk = reader(scripts=False).carry(client).go(f"/desk/deliberation/topics/{topic.id}/map")
    desk.press("画一张新的")
    assert desk.reads("分成 2 组")
