"""The audit in words: kinds of things and names of facts; what has no word here shows its code."""

from typing import Any

from flask_babel import gettext as _

from portal.core import reasons
from portal.identity.permissions import Role
from portal.identity.permissions import label as role_label


def things() -> dict[str, str]:
    """Kinds of things that rows are about, by the name of their model."""
    return {
        "Account": _("账号"),
        "Person": _("居民"),
        "Household": _("户"),
        "Dwelling": _("房屋"),
        "Happening": _("登记事件"),
        "Claim": _("账号认领"),
        "FamilyAgent": _("亲情代办"),
        "ImportBatch": _("导入批次"),
        "Roster": _("名单"),
        "Export": _("导出申请"),
        "Canteen": _("助餐点"),
        "Dish": _("菜品"),
        "Menu": _("菜单"),
        "MealOrder": _("订餐"),
        "SubsidyRule": _("补贴规则"),
        "SubsidyLine": _("补贴明细"),
        "PersonTag": _("人群标签"),
        "Facility": _("设施"),
        "Organisation": _("组织"),
        "Staff": _("服务人员"),
        "Certificate": _("证书"),
        "VolunteerTeam": _("志愿队"),
        "StockItem": _("物资"),
        "Shift": _("班次"),
        "Swap": _("换班"),
        "Area": _("辖区"),
        "Announcement": _("公告"),
        "Notice": _("通知"),
        "Visit": _("探访"),
        "SafetyCheck": _("确认平安"),
        "Referral": _("转介单"),
        "CareRound": _("专项探访"),
        "CareRule": _("关爱规则"),
        "Application": _("办事申请"),
        "ApplicationPaper": _("申请材料"),
        "Appointment": _("预约"),
        "AnswerTemplate": _("答复模板"),
        "Case": _("诉求"),
        "CaseHelp": _("协助"),
        "CasePhoto": _("诉求照片"),
        "Category": _("诉求类别"),
        "Redirect": _("转办去向"),
        "Condition": _("办理条件"),
        "ErrandPaper": _("代办材料"),
        "Item": _("服务项目"),
        "ListEntry": _("清单事项"),
        "Proof": _("证明"),
        "Limit": _("时限"),
        "Matter": _("共性问题"),
        "Provider": _("服务提供者"),
        "QuarterPage": _("季度公布"),
        "RoomBlock": _("停用时段"),
        "RoomBooking": _("场地预约"),
        "RoomRule": _("场地规则"),
        "RoomSeries": _("连续预约"),
        "SearchMiss": _("没找到的词"),
        "Slot": _("时段"),
        "Synonym": _("同义词"),
        "Timetable": _("时间表"),
        "Waiting": _("候补"),
    }


def facts() -> dict[str, str]:
    """Names of the facts a row keeps."""
    return {
        "platform": _("平台"),
        "permission": _("权限"),
        "endpoint": _("页面"),
        "role": _("角色"),
        "scope": _("范围"),
        "until": _("到期"),
        "key": _("参数"),
        "value": _("数值"),
        "valid_from": _("生效日期"),
        "year": _("年份"),
        "day": _("日期"),
        "days": _("天数"),
        "works": _("上班"),
        "name": _("姓名"),
        "fields": _("字段"),
        "field": _("字段"),
        "plain": _("明文"),
        "number": _("编号"),
        "count": _("数量"),
        "rows": _("条数"),
        "batches": _("批数"),
        "flaws": _("问题数"),
        "first": _("起始日"),
        "asked": _("查询条件"),
        "filename": _("文件名"),
        "kind": _("方式"),
        "channel": _("途径"),
        "version": _("版本"),
        "tag": _("标签"),
        "since": _("起始"),
        "subject": _("事项"),
        "by": _("由谁"),
        "person": _("居民编号"),
        "removed": _("移除数"),
        "restored": _("还原数"),
        "meal": _("餐次"),
        "menu": _("菜单号"),
        "menus": _("菜单数"),
        "skipped": _("跳过数"),
        "dishes": _("菜品数"),
        "orders": _("订单数"),
        "portions": _("份数"),
        "price_fen": _("价格（分）"),
        "bill_fen": _("总价（分）"),
        "subsidy_fen": _("补贴（分）"),
        "paid_fen": _("实付（分）"),
        "fen": _("金额（分）"),
        "subsidy_reversed": _("冲回补贴（分）"),
        "means": _("核销方式"),
        "payment": _("付款方式"),
        "ticked": _("勾选数"),
        "collected": _("取餐数"),
        "no_shows": _("未取餐数"),
        "before": _("早于记录号"),
        "missed": _("逾期数"),
        "listed": _("在册人数"),
        "way": _("方式"),
        "findings": _("发现数"),
        "tries": _("次数"),
        "consent": _("意愿"),
        "when": _("时段"),
        "not_needed": _("说不需要"),
        "level": _("等级"),
        "due": _("期限"),
        "state": _("状态"),
        "outcome": _("结果"),
        "result": _("结果"),
        "valid_to": _("结束日期"),
        "giver": _("移交人"),
        "taker": _("接手人"),
        "room": _("房间"),
        "after": _("改后"),
        "against": _("反映对象"),
        "area": _("辖区"),
        "at": _("时间"),
        "capability": _("业务"),
        "capacity": _("名额号"),
        "changed": _("改动"),
        "columns": _("字段"),
        "community": _("社区"),
        "counts": _("数量"),
        "first_day": _("起始日"),
        "found": _("找到数"),
        "granted": _("是否同意"),
        "grid": _("网格"),
        "item": _("服务项目号"),
        "kept": _("保留数"),
        "last_day": _("截止日"),
        "late": _("超过时限"),
        "of": _("所属"),
        "open": _("开放"),
        "other": _("另一件"),
        "paper": _("材料号"),
        "people": _("人数"),
        "period": _("时间段"),
        "plan": _("安排"),
        "quarter": _("季度"),
        "reopens_on": _("恢复日期"),
        "rooms": _("房间数"),
        "score": _("评分"),
        "slot": _("时段号"),
        "slots": _("时段数"),
        "stage": _("阶段"),
        "step": _("环节"),
        "stranger": _("登记外人员"),
        "successor": _("后续规则"),
        "told": _("通知数"),
        "unit": _("单位"),
        "unsettled": _("待处理数"),
        "use": _("用途"),
        "view": _("看哪一页"),
        "was": _("原来"),
        "withdrawn": _("撤回数"),
        "uscc_overridden": _("信用代码校验不过仍采用"),
    }


def told(value: Any) -> str:
    """A fact's value as it is read."""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, list):
        return _("、").join(told(one) for one in value)
    return str(value)


def roles(codes: str) -> str:
    """The roles a person held at that moment, in words."""
    names = [role_label(Role(code)) if code in set(Role) else code for code in codes.split(",") if code]
    return _("、").join(names)


def reason(text: str) -> str:
    """Why, as somebody wrote it, or in the words of a code that the program gave."""
    return reasons.said(text)


def actor(name: str, public_id: str) -> str:
    known = {"system": _("系统"), "anonymous": _("未登录")}
    return known.get(public_id, name)
