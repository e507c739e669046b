"""The price that a page showed is the price that is ordered, or the order is refused in words."""

import re

from portal.core.db import db, transaction
from portal.meals.models import MealOrder, MenuDish
from tests.make import Make

SEEN = re.compile(r'name="seen"[^>]*value="([^"]*)"')


def _seen(page) -> str:
    return SEEN.search(page.text).group(1).replace("&#34;", '"')


def _dearer(row: MenuDish) -> None:
    with transaction() as session:
        session.get_one(MenuDish, row.id).price_fen += 300


def _form(row: MenuDish, seen: str) -> dict[str, str]:
    return {f"dish_{row.id}": "1", "way": "dine_in", "idem": "key-of-the-form", "note": "少油", "seen": seen}


def test_a_price_changed_between_page_and_press_is_refused_in_words_with_the_form_kept(make: Make, client):
    menu = make.menu()
    row, path = menu.dishes[0], f"/meals/{menu.id}/order"
    client.sign_in(make.resident(make.person()))
    seen = _seen(client.get(path))
    _dearer(row)
    page = client.post(path, data=_form(row, seen))
    assert page.status_code == 422
    assert "价格刚刚改过，请看清楚再订" in page.text
    assert "少油" in page.text
    assert re.search(rf'name="dish_{row.id}"\s+type="radio"\s+value="1" checked', page.text)
    assert db.session.query(MealOrder).count() == 0
    # The page now shows the new price, and its next press is good.
    assert client.post(path, data=_form(row, _seen(page))).status_code == 303
    assert db.session.query(MealOrder).one().bill_fen == make.read(row).price_fen


def test_seen_prices_that_cannot_be_read_change_nothing(make: Make, client):
    menu = make.menu()
    client.sign_in(make.resident(make.person()))
    assert client.post(f"/meals/{menu.id}/order", data=_form(menu.dishes[0], "[1")).status_code == 303
