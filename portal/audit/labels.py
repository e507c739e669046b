"""The audit in Chinese: actions, kinds of things and names of facts; what has no word here shows its code."""

from typing import Any

from flask_babel import gettext as _

from portal.identity.permissions import Role
from portal.identity.permissions import label as role_label


def actions() -> dict[str, str]:
    """What was done, by action; said once a page."""
    return {**_entrance_actions(), **_register_actions(), **_meal_actions(), **_site_actions()}


def _entrance_actions() -> dict[str, str]:
    return {
        "identity.signed_in": _("登录"),
        "identity.signed_out": _("退出登录"),
        "identity.sign_in_failed": _("登录失败"),
        "identity.session_ended": _("结束一处登录"),
        "identity.sessions_ended": _("结束其他登录"),
        "identity.confirmed": _("再次输入密码"),
        "identity.totp_set": _("绑定动态口令"),
        "identity.totp_reset": _("解除动态口令"),
        "identity.password_set": _("修改密码"),
        "identity.password_reset": _("重置密码"),
        "identity.account_opened": _("开设账号"),
        "identity.account_disabled": _("停用账号"),
        "identity.account_enabled": _("恢复账号"),
        "identity.role_granted": _("授予角色"),
        "identity.role_revoked": _("收回角色"),
        "access.denied": _("越权访问被拒绝"),
    }


def _register_actions() -> dict[str, str]:
    return {
        "registry.searched": _("查询居民"),
        "registry.revealed": _("查看明文"),
        "registry.reveal_alarm": _("查看明文过多报警"),
        "registry.person_added": _("登记居民"),
        "registry.person_edited": _("修改居民信息"),
        "registry.tag_added": _("添加人群标签"),
        "registry.tag_ended": _("结束人群标签"),
        "registry.consent_given": _("同意个人信息处理"),
        "registry.claim_made": _("申请认领账号"),
        "registry.claim_confirmed": _("通过账号认领"),
        "registry.claim_refused": _("退回账号认领"),
        "registry.claim_undone": _("撤销账号认领"),
        "registry.agent_requested": _("申请亲情代办"),
        "registry.agent_accepted": _("同意亲情代办"),
        "registry.agent_declined": _("拒绝亲情代办"),
        "registry.agent_ended": _("结束亲情代办"),
        "registry.import_uploaded": _("上传登记表"),
        "registry.import_check_started": _("检查登记表"),
        "registry.import_cancelled": _("取消导入"),
        "registry.import_confirmed": _("确认导入"),
        "registry.import_undone": _("撤销导入"),
        "registry.import_refusals_downloaded": _("下载导入退回清单"),
    }


def _meal_actions() -> dict[str, str]:
    return {
        "meals.canteen_opened": _("开设助餐点"),
        "meals.canteen_changed": _("修改助餐点"),
        "meals.canteen_closed": _("关闭助餐点"),
        "meals.dish_added": _("添加菜品"),
        "meals.dish_changed": _("修改菜品"),
        "meals.dish_retired": _("停用菜品"),
        "meals.dish_restored": _("恢复菜品"),
        "meals.menu_begun": _("新建菜单"),
        "meals.menu_changed": _("修改菜单"),
        "meals.menu_published": _("发布菜单"),
        "meals.menu_withdrawn": _("撤下菜单"),
        "meals.week_copied": _("复制上周菜单"),
        "meals.order_placed": _("下单"),
        "meals.order_changed": _("改单"),
        "meals.order_cancelled": _("取消订餐"),
        "meals.redeemed": _("核销"),
        "meals.redemption_undone": _("撤销核销"),
        "meals.person_sought": _("查找取餐人"),
        "meals.outage_declared": _("登记断网"),
        "meals.outage_entered": _("补录断网名单"),
        "meals.settled": _("供餐结算"),
        "meals.subsidy_taken_back": _("收回补贴"),
        "meals.rule_added": _("添加补贴规则"),
        "meals.rule_changed": _("修改补贴规则"),
        "meals.rule_succeeded": _("接续补贴规则"),
        "meals.rule_ended": _("结束补贴规则"),
    }


def _site_actions() -> dict[str, str]:
    return {
        "settings.parameter_set": _("修改参数"),
        "calendar.filled": _("录入全年节假日"),
        "calendar.day_set": _("设置节假日"),
        "calendar.day_cleared": _("移除节假日"),
        "audit.read": _("查阅审计记录"),
        "audit.verified": _("核对审计链"),
        "demo.loaded": _("载入演示数据"),
    }


def things() -> dict[str, str]:
    """Kinds of things that rows are about, by the name of their model."""
    return {
        "Account": _("账号"),
        "Person": _("居民"),
        "Household": _("户"),
        "Claim": _("账号认领"),
        "FamilyAgent": _("亲情代办"),
        "ImportBatch": _("导入批次"),
        "Canteen": _("助餐点"),
        "Dish": _("菜品"),
        "Menu": _("菜单"),
        "MealOrder": _("订餐"),
        "SubsidyRule": _("补贴规则"),
        "SubsidyLine": _("补贴明细"),
        "PersonTag": _("人群标签"),
        "Notice": _("通知"),
    }


def facts() -> dict[str, str]:
    """Names of the facts a row keeps."""
    return {
        "platform": _("平台"),
        "permission": _("权限"),
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
        "count": _("数量"),
        "rows": _("条数"),
        "batches": _("批数"),
        "flaws": _("问题数"),
        "first": _("起始日"),
        "asked": _("查询条件"),
        "filename": _("文件名"),
        "kind": _("方式"),
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


def actor(name: str, public_id: str) -> str:
    known = {"system": _("系统"), "anonymous": _("未登录")}
    return known.get(public_id, name)
