"""A request's whole way through both platforms: reported twice, returned, extended, answered, done again, satisfied."""

import re
import secrets

from flask import Flask

from portal.casework.models.cases import Case
from portal.casework.models.codes import CaseState, Extension, Satisfaction
from portal.core import calendar, clock
from portal.core.db import db, transaction
from portal.identity.models import Account
from portal.identity.permissions import Role
from tests.casework.asked import Neighbour, Street, page, street, told
from tests.client import Client
from tests.make import Make

S = CaseState


class Desk:
    """A worker at the desk: presses buttons as the page of a case offers them."""

    def __init__(self, app: Flask, account: Account) -> None:
        self.account = account
        self.client = app.test_client()
        assert isinstance(self.client, Client)
        self.client.sign_in(account)

    def does(self, case: Case, act: str, where: str = "act", **fields: str) -> None:
        known = {"seen": fresh(case).state_at.isoformat(), "idem": secrets.token_hex(8)}
        answer = self.client.post(f"/desk/cases/{case.public_id}/{where}/{act}", data=known | fields)
        assert answer.status_code == 303, (
            act,
            re.findall(r"field__error.*?<span>(.*?)</span>", answer.get_data(as_text=True)),
        )


def fresh(case: Case) -> Case:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, case.id)


def report(client: Client, who: Neighbour, what: str) -> Case:
    """Through the three steps by HTTP, whatever is alike."""
    client.sign_in(who.account)
    begun = client.post("/cases/new", data={"what": what, "idem": secrets.token_hex(8)})
    draft = begun.headers["Location"].split("/")[3]
    client.post(f"/cases/new/{draft}/where", data={"pick": str(who.building.id)})
    client.post(f"/cases/new/{draft}/where", data={"place": "门口"})
    sent = client.post(f"/cases/new/{draft}/photos", data={"act": "send"})
    assert sent.headers["Location"].endswith("/sent")
    return db.session.query(Case).filter_by(public_id=draft).one()


def staff_of(place: Street, app: Flask) -> tuple[Desk, Desk, Desk]:
    """A dispatcher and two who handle requests in the community."""
    return (
        Desk(app, place.make.worker(name="周洁")),
        Desk(app, place.make.worker(Role.CASE_WORKER, name="孙梅")),
        Desk(app, place.make.worker(Role.CASE_WORKER, name="王建国")),
    )


def next_working_day(case: Case) -> str:
    assert case.finish_due is not None
    return calendar.add_working_days(clock.local(case.finish_due).date(), 1).isoformat()


def two_become_one(case: Case, double: Case, dispatcher: Desk) -> None:
    """Two of one matter: the second goes into the first, and its reporter follows."""
    assert case.number
    assert case.number in page(dispatcher.client, "/desk/cases/?tab=unassigned")
    dispatcher.does(case, "accept", "dispatch", words="马上安排")
    assert fresh(case).finish_due is not None
    dispatcher.does(double, "merge", "dispatch", number=case.number, why="同一盏灯")
    assert (fresh(double).state, fresh(double).main_id) == (S.MERGED, case.id)


def returned_and_given_anew(case: Case, dispatcher: Desk, wrong: Desk, right: Desk) -> None:
    dispatcher.does(case, "assign", "dispatch", worker=wrong.account.public_id)
    wrong.does(case, "return", why="路灯由设施岗负责")
    assert (fresh(case).state, fresh(case).returns, fresh(case).holder) == (S.RETURNED, 1, "")
    dispatcher.does(case, "assign", "dispatch", worker=right.account.public_id)
    right.does(case, "sign")
    right.does(case, "begin")


def extended(case: Case, dispatcher: Desk, right: Desk) -> None:
    """More time, asked for before the end and granted by somebody else."""
    before = fresh(case).finish_due
    right.does(case, "extension", until=next_working_day(fresh(case)), why="等配件到货")
    dispatcher.does(case, "decide", "supervise", granted="yes")
    found = fresh(case)
    assert found.extension is Extension.GRANTED
    assert before is not None
    assert found.finish_due is not None
    assert found.finish_due > before


def answered_twice(case: Case, right: Desk, desks: tuple[Desk, ...], anybody: Client) -> None:
    """Answered; not solved, said by the link of the message; done again."""
    right.does(case, "answer", words="已更换灯头。")
    link = str(told("casework.answered")[-1].facts["path"])
    assert anybody.post(link, data={"answer": "unsolved", "words": "当晚又灭了"}).status_code == 303
    found = fresh(case)
    assert (found.state, found.redos) == (S.REDO, 1)
    holder = {one.account.public_id: one for one in desks}[found.holder]
    holder.does(case, "begin")
    holder.does(case, "answer", words="更换了整条线路，三晚回看都亮。")


def test_a_request_from_report_to_satisfied(make: Make, client: Client, app: Flask) -> None:
    place = street(make)
    with transaction():
        calendar.fill(clock.today().year)
    first, second = place.resident("王秀英"), place.resident("李小红")
    dispatcher, wrong, right = desks = staff_of(place, app)
    case = report(client, first, "3 单元门口的路灯不亮了，晚上看不清台阶")
    double = report(client, second, "3 单元门口路灯坏了，晚上看不清路")
    two_become_one(case, double, dispatcher)
    assert "已并入" in page(client, f"/cases/{double.public_id}")
    returned_and_given_anew(case, dispatcher, wrong, right)
    extended(case, dispatcher, right)
    anybody = app.test_client()
    assert isinstance(anybody, Client)
    answered_twice(case, right, desks, anybody)
    # Solved and satisfied, in one tap by the reporter; the other is told.
    client.sign_in(first.account)
    assert client.post(f"/cases/{case.public_id}", data={"answer": "good"}).status_code == 303
    found = fresh(case)
    assert (found.state, found.solved, found.satisfaction) == (S.CLOSED, True, Satisfaction.GOOD)
    assert second.person.public_id in {row.recipient_id for row in told("casework.followed")}
    story = page(client, f"/cases/{case.public_id}")
    for words in ("当晚又灭了", "更换了整条线路", "同意延期", "重新办理", "已办结"):
        assert words in story, words
    for inside in ("路灯由设施岗负责", "李小红"):
        assert inside not in story, inside
