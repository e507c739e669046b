"""One lunch from the register to the desk, told in order through the pages: points 2 to 8 of what a person can do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import jobs
from portal.core.access import Platform
from portal.core.db import db
from portal.identity import passwords
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.meals.models import Canteen
from tests.identity.telephone import Telephone
from tests.make import Make
from tests.meals.stand import clock_at, heard
from tests.registry.registers import REGISTER
from tests.visitor import Visitor

PASSWORD = "春天的花-2026"
DESK_PASSWORD = "zhe shi yi ju hen chang de hua"
# After the last birth that the register knows; Friday of the week after is New Year's Day.
THE_DAY_BEFORE, DAY = date(2026, 12, 21), date(2026, 12, 22)
FISH, TOMATO = "红烧带鱼套餐", "番茄炒蛋套餐"
CANTEEN = "春风里助餐点"
# A daughter with the mobile that the register knows, and her mother of 76, whose mobile is new.
DAUGHTER, HER_NUMBER, HER_MOBILE = "邹玲莉", "999901197505157164", "13808774909"
MOTHER, MOTHERS_NUMBER, MOTHERS_MOBILE = "袁梅梅", "999901195009235267", "13700005678"
# Who telephones, with the last four figures of the number in the register.
CALLERS = {"侯兰兰": "0816", "周瑶翠": "9531", "武淑秀": "0847", "程兰红": "4561"}
HOU, ZHOU, WU, CHENG = CALLERS


@dataclass
class Story:
    """Who takes part, what they carry from one step to the next, and what siblings would hear."""

    app: Flask
    make: Make
    telephone: Telephone
    worker: Account
    administrator: Account
    planner: Account
    codes: dict[str, str] = field(default_factory=dict)
    photograph: bytes = b""
    operator: Account | None = None

    def at_desk(self, account: Account | None) -> Visitor:
        """Sign in at the desk, as workers do again after a quarter of an hour away."""
        assert account
        visitor = Visitor(self.app).go("/desk/")
        return visitor.press("登录", {"用户名": account.username or "", "密码": DESK_PASSWORD})

    def at_home(self, phone: str) -> Visitor:
        visitor = Visitor(self.app).go("/account/sign-in")
        return visitor.press("登录", {"手机号": phone, "密码": PASSWORD})

    def every_minute(self) -> None:
        """What the schedule does of itself."""
        jobs.of(self.app).works["meals.settle"]()
        db.session.rollback()


@pytest.fixture(scope="module")
def desk_hash() -> str:
    return passwords.hashed(DESK_PASSWORD, Platform.DESK)


@pytest.fixture
def story(app: Flask, make: Make, desk_hash: str) -> Iterator[Story]:
    """A street with one community and its workers; nobody is registered and nothing is cooked. Forms are guarded."""
    app.config.update(WTF_CSRF_ENABLED=True)
    held = app.extensions["portal.sms"]
    make.community()
    workers = {
        role: make.worker(role, name=name, password_hash=desk_hash)
        for role, name in (
            (Role.COMMUNITY_WORKER, "周洁"),
            (Role.SYSTEM_ADMINISTRATOR, "钱伟"),
            (Role.STREET_ADMINISTRATOR, "吴芳"),
        )
    }
    yield Story(app, make, Telephone(app), *workers.values())
    app.extensions["portal.sms"] = held


# 2. The register.


def a_worker_imports_the_register_and_finds_somebody(story: Story) -> None:
    desk = story.at_desk(story.worker).go("/desk/people/imports")
    desk.press("上传", {"登记表文件": (REGISTER.read_bytes(), REGISTER.name)})
    assert desk.reads("对应列", "3200 行", "已按列名猜好")
    desk.press("开始检查")
    assert desk.reads("新增3168", "不接收22", "待核实10", "有变动0")
    desk.press("确认导入 3168 人")
    assert desk.reads("已导入，人员现在可以在居民查询里找到。", "新增3168", "不接收22", "待核实10")
    desk.follow("不接收")
    assert desk.reads("42（空）姓名：没有填姓名。", "358解建生身份证号（999901********4731）：最后一位对不上")
    assert desk.follow("待核实").reads("万平刚", "先出现的第 730 行")
    desk.go("/desk/people/").press("查询", {"查找居民": "zll"})
    assert desk.reads(DAUGHTER, "梧桐苑 15号楼 2单元 1502", "138****4909")


# 3. The canteen, its dishes and menus; the street's subsidy.


def the_community_opens_a_canteen(story: Story, desk_hash: str) -> None:
    desk = story.at_desk(story.worker).go("/desk/meals/menus").follow("新增助餐点")
    about = {"名称": CANTEEN, "地址": "梧桐苑 6 号楼一层", "电话": "0571-88880000", "取餐方式": ["堂食", "自取"]}
    lunch = {"lunch-serves": True, "lunch-opens": "11:00", "lunch-closes": "12:30", "lunch-cutoff": "09:00"}
    desk.press("保存", {**about, "法定节假日休息": True, **lunch})
    assert desk.reads(f"已新增助餐点「{CANTEEN}」")
    opened = db.session.scalars(sa.select(Canteen)).one()
    story.operator = story.make.worker(Role.CANTEEN_OPERATOR, opened, name="孙厨", password_hash=desk_hash)


def the_holidays_and_the_subsidy_are_entered(story: Story) -> None:
    desk = story.at_desk(story.administrator).go("/desk/administration/holidays?year=2026")
    assert desk.press("录入国家放假安排").reads("国庆节")
    desk.follow("添加一天").press("保存", {"日期": "2027-01-01", "这一天": "放假", "名称": "元旦"})
    assert desk.reads("元旦")
    desk = story.at_desk(story.planner).go("/desk/meals/rules/new")
    what = {"方案名称": "春晖街道助餐", "规则名称": "60 岁以上午餐", "适用范围": "春晖街道", "金额（元）": "5"}
    desk.press("保存", {**what, "年龄从（岁）": "60", "哪几餐": ["午餐"], "依据": "春晖街道助餐办法"})
    assert desk.reads("规则已加上", "60 岁以上午餐")


def the_canteen_publishes_menus_and_copies_the_week(story: Story) -> None:
    desk = story.at_desk(story.operator).go("/desk/meals/menus").follow("菜品")
    desk.follow("加菜品").press("保存", {"菜品名称": FISH, "价格（元）": "15", "过敏原": "鱼"})
    tomato = {"菜品名称": TOMATO, "价格（元）": "12", "适合的饮食": ["软食", "素食"], "过敏原": "鸡蛋"}
    desk.follow("加菜品").press("保存", tomato)
    assert desk.reads(f"已加入菜品「{TOMATO}」")
    for day in ("12月22日", "12月25日"):
        desk.go("/desk/meals/menus").follow("填菜单", beside=day)
        chosen = {f"选用{dish}": True for dish in (FISH, TOMATO)}
        desk.press("保存并发布", {**chosen, f"{FISH}的份数": "20", f"{TOMATO}的份数": "10"})
        assert desk.reads("菜单已发布")
    desk.follow("下一周").press("复制上一周")
    assert desk.reads("从上一周复制了 1 份菜单，都是草稿", "元旦休息")
    assert desk.press("发布这一周").reads("已发布 1 份菜单")


# 4. Residents register, are recognised or wait, act for each other, and order.


def _register(story: Story, name: str, number: str, mobile: str) -> Visitor:
    phone = Visitor(story.app).go("/people/register")
    who = {"姓名": name, "身份证号码": number, "手机号": mobile, "设一个密码": PASSWORD}
    consent = "我同意社区为核对身份、提供服务而处理我的身份证号码等敏感个人信息"
    phone.press("下一步", {**who, "所在社区（村）": "春风里社区", consent: True})
    return phone.press("完成注册", {"短信验证码": story.telephone.code(mobile)})


def a_daughter_registers_and_is_recognised_at_once(story: Story) -> None:
    phone = _register(story, DAUGHTER, HER_NUMBER, HER_MOBILE)
    assert phone.reads("身份已经核对，可以订餐和办理其他服务。")


def her_mother_registers_waits_and_is_confirmed_by_the_worker(story: Story) -> None:
    phone = _register(story, MOTHER, MOTHERS_NUMBER, MOTHERS_MOBILE)
    assert phone.reads("社区工作人员会尽快核对")
    assert phone.go("/meals/").reads("身份核对好以后就可以订餐")
    desk = story.at_desk(story.worker).follow("账号认领等待核对")
    assert desk.follow("核对", beside=MOTHER).reads("登记里可能是")
    assert desk.press("确认是此人", beside=MOTHER).reads(f"已确认为{MOTHER}")
    assert phone.go("/people/identity").reads("身份已经核对")


def the_daughter_asks_to_act_for_her_mother_who_accepts(story: Story) -> None:
    phone = story.at_home(HER_MOBILE).go("/people/agents/ask")
    phone.press("提交申请", {"对方姓名": MOTHER, "身份证号或手机号": MOTHERS_NUMBER, "您是对方的": "子女"})
    assert phone.reads("等待对方同意")
    hers = story.at_home(MOTHERS_MOBILE).go("/people/agents")
    assert hers.reads("有人申请为您代办", DAUGHTER)
    assert hers.press("同意").reads("您已同意，对方现在可以为您代办。")
    assert phone.go("/people/agents").reads("可以代办")


def she_orders_for_her_mother_and_sees_the_subsidy_and_why(story: Story) -> None:
    phone = story.at_home(HER_MOBILE).go(f"/meals/?day={DAY}").follow(f"给{MOTHER}订")
    phone.follow("订这一餐").press("算一算", {f"{FISH}要几份": "1 份", "给助餐点的话": "切碎一点"})
    assert phone.reads("60 岁以上午餐：满 76 岁，每餐减 5 元", "取餐时付¥10.00", "软食")
    phone.press("确认订餐")
    assert phone.reads("订好了", f"用餐人{MOTHER}", FISH, "60 岁以上午餐：满 76 岁，每餐减 5 元", "取餐时付¥10.00")
    story.codes[MOTHER], story.photograph = phone.text("code"), phone.photograph()
    assert len(story.codes[MOTHER]) == 6
    hers = story.at_home(MOTHERS_MOBILE).go("/meals/orders").follow(story.codes[MOTHER])
    assert hers.reads(f"由{DAUGHTER}代订", story.codes[MOTHER])


def she_orders_for_herself_changes_and_cancels(story: Story) -> None:
    phone = story.at_home(HER_MOBILE).go(f"/meals/?day={DAY}").follow(f"给{DAUGHTER}订").follow("订这一餐")
    phone.press("确认订餐", {f"{TOMATO}要几份": "1 份"})
    assert phone.reads(f"用餐人{DAUGHTER}", "取餐时付¥12.00")
    assert phone.lacks("60 岁以上午餐")
    code = phone.text("code")
    phone.follow("修改").press("确认修改", {f"{TOMATO}要几份": "2 份", "怎么取餐": "自取"})
    assert phone.reads("改好了，取餐码不变", "取餐方式自取", "取餐时付¥24.00", code)
    phone.follow("取消订餐").press("确定取消", {"取消的原因": "要上班"})
    assert phone.reads("已取消，名额和补贴都已退回。")
    assert phone.go("/meals/orders").reads("待取餐", f"给{MOTHER}订", "以往", "已取消")


# 5. The telephone.


def the_worker_orders_for_those_who_telephone(story: Story) -> None:
    desk = story.at_desk(story.worker)
    for name, tail in CALLERS.items():
        desk.go("/desk/meals/orders/phone").press("查找", {"找人": tail}).follow("给这位订餐", beside=name)
        desk.follow("订餐", beside=CANTEEN).press("确认订餐", {f"{TOMATO} ¥12.00": "1 份"})
        assert desk.reads(f"已为{name}订餐", f"用餐人{name}", "谁订的周洁", "每餐减 5 元", "取餐时付¥7.00")
        story.codes[name] = desk.text("code")


# 6. The cut-off, and the kitchen's papers.


def an_order_begun_before_the_cut_off_is_refused_after_it(story: Story) -> None:
    with clock_at("08:59", DAY):
        phone = story.at_home(HER_MOBILE).go(f"/meals/?day={DAY}").follow(f"给{DAUGHTER}订").follow("订这一餐")
    with clock_at("09:00", DAY):
        phone.press("确认订餐", {f"{TOMATO}要几份": "1 份"}, answer=422)
        assert phone.reads("已过订餐截止时间，不能再订、改或取消。有急事请打助餐点电话 0571-88880000。")
        assert phone.go("/meals/orders").follow(story.codes[MOTHER]).reads("已过截止时间，不能再修改或取消")


def the_kitchen_prints_its_sheet_labels_and_names(story: Story) -> None:
    desk = story.at_desk(story.operator).go(f"/desk/meals/kitchen?day={DAY}")
    assert desk.reads("订餐已截止，数字不再变化", f"{TOMATO}4", f"{FISH}1")
    desk.follow("打印备餐单")
    assert desk.reads("共 5 单 5 份", f"{FISH}软食1{MOTHER}", f"{TOMATO}低盐1{CHENG}", f"{MOTHER}切碎一点")
    desk.go(f"/desk/meals/kitchen?day={DAY}").follow("打印标签")
    assert desk.reads(f"{MOTHER} {story.codes[MOTHER][-3:]}", f"{FISH} · 堂食", "要软食", *CALLERS)
    desk.go(f"/desk/meals/kitchen?day={DAY}").follow("打印名单")
    assert desk.reads("断网时用", *(f"{name}{tail}{TOMATO}" for name, tail in CALLERS.items()))
    assert desk.lacks(DAUGHTER)


# 7. Noon.


def the_operator_redeems_by_qr_and_by_code_and_never_twice(story: Story) -> None:
    counter = story.at_desk(story.operator).go("/desk/meals/redeem")
    counter.press("识别照片", {"二维码照片": (story.photograph, "二维码.png")})
    assert counter.reads(MOTHER, FISH, "忌口：要软食", "应收¥10.00")
    assert counter.press("收款并核销", {"收款": "现金"}).reads(f"{MOTHER} 的餐已核销。", "现金¥10.00", "扫码")
    counter.press("查找", {"取餐码": story.codes[HOU].lower()})
    assert counter.reads(HOU, TOMATO, "应收¥7.00")
    beside = story.at_desk(story.operator).go(counter.address)
    assert counter.press("收款并核销", {"收款": "刷卡"}).reads(f"{HOU} 的餐已核销。", "刷卡¥7.00")
    assert beside.press("收款并核销", {"收款": "现金"}, answer=422).reads("由孙厨核销，不能再取")
    counter.press("查找", {"取餐码": story.codes[HOU]})
    assert counter.reads("由孙厨核销，不能再取")
    assert counter.lacks("收款并核销")
    counter.go("/desk/meals/redeem").press("识别照片", {"二维码照片": (story.photograph, "二维码.png")})
    assert counter.reads("不能再取")


def the_network_fails_and_the_paper_list_is_entered_for_one(story: Story) -> None:
    desk = story.at_desk(story.operator).go(f"/desk/meals/kitchen?day={DAY}")
    assert desk.press("登记断网").reads("补录名单之前，这一餐不会有人被记为未取餐")
    desk.press("录入名单", {f"{ZHOU}已取": True})
    assert desk.reads("名单已录入：新核销 1 份。")


def half_an_hour_after_closing_the_rest_are_no_shows(story: Story, missed: list[dict[str, object]]) -> None:
    with clock_at("12:59", DAY):
        story.every_minute()
        assert missed == []
    with clock_at("13:00", DAY):
        story.every_minute()
        story.every_minute()
        assert len(missed) == 2
        desk = story.at_desk(story.worker)
        assert desk.reads("今天订餐5", "已取餐3", "待取餐0", "未取餐2", "请回访确认平安")


def a_late_entry_withdraws_one_of_them(story: Story, missed: list[dict[str, object]]) -> None:
    late = heard(story.app, "meals.collected_late")
    desk = story.at_desk(story.operator).go(f"/desk/meals/kitchen?day={DAY}").follow("补录纸质名单")
    assert desk.reads(f"{WU}0847未取餐", f"{CHENG}4561未取餐")
    assert desk.press("录入名单", {f"{WU}已取": True}).reads("名单已录入：新核销 1 份。")
    assert len(late) == 1
    assert late[0]["order"] in {fact["order"] for fact in missed}


# 8. The desk.


def the_desk_shows_the_day_and_the_persons_page_her_orders(story: Story) -> None:
    desk = story.at_desk(story.worker)
    assert desk.reads("今天订餐5", "已取餐4", "待取餐0", "未取餐1")
    assert desk.reads("按助餐点", f"{CANTEEN}401")
    for initials, name, words in (
        ("ymm", MOTHER, f"已取餐{FISH}（{CANTEEN}）"),
        ("wsx", WU, f"已取餐{TOMATO}（{CANTEEN}）"),
        ("clh", CHENG, f"未取餐{TOMATO}（{CANTEEN}）"),
    ):
        desk.go("/desk/people/").press("查询", {"查找居民": initials}).follow(name)
        assert desk.reads(name, "往来记录", words)


def test_a_lunch_from_the_register_to_the_desk(story: Story, desk_hash: str) -> None:
    with clock_at("09:00", THE_DAY_BEFORE):
        a_worker_imports_the_register_and_finds_somebody(story)
        the_community_opens_a_canteen(story, desk_hash)
        the_holidays_and_the_subsidy_are_entered(story)
        the_canteen_publishes_menus_and_copies_the_week(story)
    with clock_at("15:00", THE_DAY_BEFORE):
        a_daughter_registers_and_is_recognised_at_once(story)
        her_mother_registers_waits_and_is_confirmed_by_the_worker(story)
        the_daughter_asks_to_act_for_her_mother_who_accepts(story)
        she_orders_for_her_mother_and_sees_the_subsidy_and_why(story)
        she_orders_for_herself_changes_and_cancels(story)
    with clock_at("08:30", DAY):
        the_worker_orders_for_those_who_telephone(story)
    an_order_begun_before_the_cut_off_is_refused_after_it(story)
    with clock_at("09:05", DAY):
        the_kitchen_prints_its_sheet_labels_and_names(story)
    with clock_at("11:30", DAY):
        the_operator_redeems_by_qr_and_by_code_and_never_twice(story)
    missed = heard(story.app, "meals.not_collected")
    with clock_at("12:10", DAY):
        the_network_fails_and_the_paper_list_is_entered_for_one(story)
    half_an_hour_after_closing_the_rest_are_no_shows(story, missed)
    with clock_at("14:00", DAY):
        a_late_entry_withdraws_one_of_them(story, missed)
        the_desk_shows_the_day_and_the_persons_page_her_orders(story)
