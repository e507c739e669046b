"""The public pages of services and requests where no community is set up yet."""

import pytest

from tests.client import Client

PAGES = ("/services/", "/services/list", "/services/search?q=理发", "/services/proofs", "/services/lists")


@pytest.mark.parametrize("address", PAGES)
def test_a_portal_without_communities_says_so_and_what_to_do(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    html = answer.get_data(as_text=True)
    assert "社区还没有开通服务" in html
    assert "回首页" in html


@pytest.mark.parametrize("address", ["/services/rooms", "/cases/board"])
def test_rooms_and_the_board_are_there_without_communities(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert "empty" in answer.get_data(as_text=True)
