"""A vote in three taps on a phone, in both views, with and without JavaScript; the receipt, and the result of it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.db import db, transaction
from portal.deliberation.models.votes import NamedBallot, SecretBallot, Vote
from portal.deliberation.service import counting
from tests.browser.conftest import Open, Reader
from tests.client import Client
from tests.deliberating import Deliberating
from tests.deliberation.test_vote_counting import cast_all

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]
VIEWS = [
    pytest.param("1", True, id="standard"),
    pytest.param("1.3", True, id="elder"),
    pytest.param("1", False, id="standard-without-scripts"),
    pytest.param("1.3", False, id="elder-without-scripts"),
]


def _receipt(phone: Reader) -> str:
    return phone.page.locator("#vote-receipt .code").inner_text()


def _look_up(phone: Reader, vote: Vote, receipt: str) -> None:
    phone.go(f"/deliberation/votes/{vote.id}/receipt")
    phone.fill("回执号", receipt.lower()).press("查一查")


@pytest.mark.parametrize(("scale", "scripts"), VIEWS)
def test_three_taps_a_receipt_and_the_result(
    deliberating: Deliberating, reader: Open, client: Client, scale: str, scripts: bool
):
    vote = deliberating.vote(named=False)
    person, account = deliberating.person_with_account("王秀英")
    deliberating.entry(vote, person)
    cast_all(vote, deliberating.voters(vote, 5), [1, 1, 1, 2, 3])
    phone = reader(scale=scale, scripts=scripts).carry(client.sign_in(account))
    phone.go(f"/deliberation/votes/{vote.id}")
    phone.page.get_by_text("反对", exact=True).click()
    phone.press("下一步")
    assert phone.reads("您选的是")
    phone.press("确认投票")
    receipt = _receipt(phone)
    # A reload of the answer sends the form again: the same receipt, one ballot.
    phone.page.reload()
    assert _receipt(phone.look()) == receipt
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SecretBallot)) == 6
    _look_up(phone, vote, receipt)
    assert phone.reads("您的票在票箱里")
    with transaction():
        db.session.get_one(Vote, vote.id).closes_at = clock.now() - timedelta(seconds=1)
    for act in (counting.close, counting.count):
        with transaction():
            act(counting.one(vote.id))
    _look_up(phone, vote, receipt)
    assert phone.reads("选的是“反对”")
    phone.go(f"/deliberation/votes/{vote.id}")
    assert phone.reads("通过")
    assert phone.reads("反对")


@pytest.mark.parametrize("scale", ["1", "1.3"])
def test_a_named_vote_is_changed_on_a_phone(deliberating: Deliberating, reader: Open, client: Client, scale: str):
    vote = deliberating.vote(may_change=True)
    person, account = deliberating.person_with_account("王秀英")
    deliberating.entry(vote, person)
    phone = reader(scale=scale).carry(client.sign_in(account))
    phone.go(f"/deliberation/votes/{vote.id}")
    for option in ("同意", "弃权"):
        phone.page.locator("label.choice").get_by_text(option, exact=True).click()
        phone.press("下一步").press("确认投票")
        phone.go(f"/deliberation/votes/{vote.id}")
        assert phone.reads(f"投的是：{option}")
        phone.page.get_by_text("1 号").or_(phone.page.get_by_text("王秀英")).first.click()
        phone.look()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(NamedBallot)) == 2
