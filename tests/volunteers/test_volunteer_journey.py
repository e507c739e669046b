"""A volunteer's whole way through HTTP alone: from a template to a certificate, and what its page says once revoked."""

import re
from datetime import datetime, timedelta

import time_machine
from flask import Flask

from portal.core.clock import SHANGHAI
from portal.identity.models import Account
from portal.identity.permissions import Role
from tests.make import Make
from tests.visitor import Visitor

# A Monday; the activity is on Tuesdays and Fridays.
BEGIN = datetime(2026, 6, 8, tzinfo=SHANGHAI)
READ = {"我看过活动内容、风险和保险，自愿参加": True}


def at(days: int, hour: int, minute: int = 0) -> time_machine.travel:
    return time_machine.travel(BEGIN + timedelta(days=days, hours=hour, minutes=minute), tick=False)


class People:
    """Everybody of the story, each with a browser that is signed in anew at every moment of it."""

    def __init__(self, make: Make, app: Flask) -> None:
        self.app = app
        names = ("李小红", "王大力", "陈芳", "赵明")
        self.accounts: dict[str, Account] = {name: make.resident(make.person(name)) for name in names}
        self.accounts["周洁"] = make.worker(name="周洁")
        self.accounts["何立新"] = make.worker(Role.STREET_ADMINISTRATOR, name="何立新")

    def __call__(self, name: str) -> Visitor:
        visitor = Visitor(self.app)
        visitor.client.sign_in(self.accounts[name])
        return visitor


def publish(people: People) -> str:
    """The street's templates; an activity from one, its shifts by pattern, published; the address of its page."""
    people("何立新").go("/desk/volunteers/templates").press("装入常用模板")
    desk = people("周洁").go("/desk/volunteers/activities/new").follow("用这个新建", beside="楼道清洁日")
    desk.press("保存", {"集合地点": "春风里 1 栋门口", "活动负责人": "周洁", "负责人手机": "13900000001"})
    pattern = {"星期几": ["周二", "周五"], "每天几点到几点": "9:00-11:00", "从哪天起": "2026-06-09"}
    desk.press("直接排班次", pattern | {"到哪天为止": "2026-06-30"}).reads("排好了 7 个班次")
    desk.press("发布").reads("已发布", "招募中")
    return desk.address


def register(people: People, activity: str) -> None:
    """All of them; the one who leads it is named by his number."""
    for name in ("李小红", "王大力", "陈芳", "赵明"):
        visitor = people(name).go("/volunteers/").follow("登记")
        visitor.press("同意并登记", {"我读过并同意志愿者守则": True})
    number = re.search(r"编号(\w{10})", "".join(people("王大力").go("/volunteers/me").page.itertext()))
    assert number
    people("周洁").go(activity).follow("修改").press("保存", {"负责人的志愿者编号": number[1]}).reads("已保存")


def join_and_swap(people: People) -> None:
    """Two join; one cannot come, and a third takes her place over."""
    for name in ("李小红", "陈芳"):
        visitor = people(name).go("/volunteers/activities").follow("楼道清洁日")
        visitor.reads("这个岗位要先服务满 5 小时")
        visitor.follow("报名", beside="6月12日").press("确认报名", READ).reads("报上名了")
    visitor.follow("找人换班").press("发出", {"想说的话": "家里有事"}).reads("有人接之前，您还在这一班上")
    people("赵明").go("/volunteers/mine").follow("楼道清洁日").press("我来接这一班", READ).reads("换好了")
    people("陈芳").go("/volunteers/mine").reads("没有要去的班次", "已退出")


def code_of(leader: Visitor, words: str) -> str:
    """What the leader's telephone shows at this moment."""
    leader.go("/volunteers/lead").follow("6月12日").follow(words)
    shown = re.search(r"(\d{3}) (\d{3})", re.sub(r"<[^>]+>", " ", leader.html))
    assert shown
    return shown[1] + shown[2]


def check_in_and_out(people: People) -> None:
    with at(4, 8, 50):
        hong = people("李小红").go("/volunteers/attend").follow("签到")
        hong.press("签到", {"签到码": "000000"}, answer=422)
        hong.press("签到", {"签到码": code_of(people("王大力"), "出示签到码")}).reads("签到成功")
    with at(4, 11, 5):
        hong = people("李小红").go("/volunteers/attend").follow("签退")
        hong.press("签退", {"签到码": code_of(people("王大力"), "出示签退码")}).reads("服务 2.0 小时")
        leader = people("王大力").go("/volunteers/lead").follow("6月12日").follow("未到", beside="赵明")
        leader.press("登记未到", {"原因": "没有来，也没有请假"}).reads("没有来，也没有请假")


def correct(people: People) -> None:
    """The record made itself; half an hour too much is put right, and so are the points."""
    people("李小红").go("/volunteers/points").reads("20 分")
    hong = people("李小红").go("/volunteers/hours/records").follow("楼道清洁日").follow("申请更正")
    hong.press("提交申请", {"服务时间（小时）": "1.5", "为什么要更正": "十点半就做完了"}).reads("收到了")
    desk = people("周洁").go("/desk/volunteers/records/corrections").follow("李小红")
    desk.press("答复", {"采纳哪些内容": ["服务时间（小时）"]}).reads("答复好了")
    people("李小红").go("/volunteers/hours").reads("1.5")
    people("李小红").go("/volunteers/points").reads("15 分")


def certify(people: People) -> tuple[str, Visitor]:
    """Asked for, issued, downloaded; the desk's page of it, and the one that anybody may look it up on."""
    organiser = "春风里社区居民委员会，1.5 小时"
    asked = {"从哪天": "2026-06-01", "到哪天": "2026-06-12", "由哪个单位出证明": organiser}
    hong = people("李小红").go("/volunteers/certificates/ask").press("提交申请", asked)
    desk = people("周洁").go("/desk/volunteers/certificates").follow("李小红").follow("开具")
    desk.press("开具", {"单位负责人": "何立新", "联系方式": "0551-61000000"}).reads("已开具")
    hong.go("/volunteers/certificates").reads("已开具", "1.5 小时")
    paper = hong.client.get(next(a for a in hong.page.iter("a") if a.get("href", "").endswith("/file")).get("href", ""))
    assert paper.data.startswith(b"%PDF")
    anybody = Visitor(people.app)
    anybody.go(next(a for a in hong.page.iter("a") if "/verify/" in a.get("href", "")).get("href", ""))
    anybody.reads("有效", "1.5")
    assert anybody.lacks("李小红")
    return desk.address, anybody


def test_from_a_template_to_a_certificate_that_is_revoked(make: Make, app: Flask):
    people = People(make, app)
    with at(0, 9):
        activity = publish(people)
        register(people, activity)
        join_and_swap(people)
    check_in_and_out(people)
    with at(5, 9):
        correct(people)
        issued, found = certify(people)
    with at(6, 9):
        desk = people("周洁").go(issued).follow("撤销")
        desk.press("确定撤销", {"撤销的原因": "记录有误，重新核对"})
        found.go(found.address).reads("已撤销", "记录有误，重新核对")
        assert found.lacks("李小红")
