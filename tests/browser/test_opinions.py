"""Statements on a phone: read, answered one at a time, written, changed; in both views, with and without JavaScript."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.db import db
from portal.deliberation.models.codes import Stand
from portal.deliberation.models.opinions import OpinionVote
from portal.registry.models import Person
from tests.browser.conftest import Open, Reader
from tests.deliberating import Deliberating
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]
VIEWS = [
    pytest.param("1", True, id="standard"),
    pytest.param("1.3", True, id="elder"),
    pytest.param("1.3", False, id="elder-without-scripts"),
]


def _stands(person: Person) -> list[Stand]:
    db.session.rollback()
    query = sa.select(OpinionVote.stand).where(OpinionVote.person_id == person.id).order_by(OpinionVote.id)
    return list(db.session.scalars(query))


def _answers(phone: Reader, name: str) -> None:
    """A tap on the statement that is shown; the next one comes by itself."""
    shown = phone.page.locator("#statement")
    words = shown.inner_text()
    # Nobody reads a sentence in less, and faster taps are held.
    phone.page.wait_for_timeout(700)
    phone.page.get_by_role("button", name=name, exact=True).click()
    shown.filter(has_text=words).wait_for(state="detached")
    phone.look()


@pytest.mark.parametrize(("scale", "scripts"), VIEWS)
def test_she_answers_writes_and_changes_her_mind(
    make: Make, app: Flask, deliberating: Deliberating, reader: Open, scale: str, scripts: bool
):
    topic, hong = deliberating.topic("6 号楼加装电梯"), make.person("李小红")
    make.person("王秀英")
    for words in ("愿意为加装电梯出一部分钱", "电梯装在北面，不挡南面的窗"):
        deliberating.opinion(topic, words)
    phone = reader(scale=scale, scripts=scripts)
    phone.carry(app.test_client().sign_in(make.resident(hong)))  # type: ignore[attr-defined]
    phone.go(f"/deliberation/topics/{topic.id}/opinions")
    _answers(phone, "不同意")
    assert _stands(hong) == [Stand.DISAGREE]
    _answers(phone, "说不好，跳过")
    assert _stands(hong) == [Stand.DISAGREE, Stand.PASS]
    assert phone.reads("都表过态了")
    phone.press("写一条自己的看法")
    phone.fill("您的看法", "王秀英说装在北面好，打13812345678问她").press("发出去")
    assert phone.reads("里面的姓名和号码已经替您隐去")
    assert phone.reads("王某某说装在北面好")
    assert not phone.reads("13812345678")
    phone.press("改成同意")
    assert phone.reads("改好了")
    assert _stands(hong).count(Stand.AGREE) == 2
    phone.go(f"/deliberation/topics/{topic.id}/opinions/all")
    assert not phone.reads("李小红")
    phone.go("/deliberation/speaking")


@pytest.mark.parametrize(("scale", "scripts"), VIEWS[1:])
def test_she_comments_and_answers(
    make: Make, app: Flask, deliberating: Deliberating, reader: Open, scale: str, scripts: bool
):
    topic = deliberating.topic("6 号楼加装电梯")
    deliberating.comment(topic, "一楼采光怎么办", make.person("赵六"))
    phone = reader(scale=scale, scripts=scripts)
    phone.carry(app.test_client().sign_in(make.resident(make.person("李小红"))))  # type: ignore[attr-defined]
    phone.go(f"/deliberation/topics/{topic.id}/comments")
    phone.page.get_by_text("回复", exact=True).first.click()
    phone.look()
    phone.fill("想说的话", "请设计院来量一量").press("发出去")
    assert phone.reads("李姓居民")
    assert phone.reads("请设计院来量一量")
