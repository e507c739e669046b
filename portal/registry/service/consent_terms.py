"""What data of residents are used for, purpose by purpose: on what basis, and what somebody is told of it."""

from dataclasses import dataclass
from enum import StrEnum

from flask_babel import gettext as _

from portal.registry.models import Purpose


class Basis(StrEnum):
    """Why data may be used (Personal Information Protection Law, art. 13), and so how it stands before anybody spoke.

    A duty of the law asks nobody. What somebody asked to have done is told to her, unless she wants to hear nothing.
    Everything else waits for a yes.
    """

    DUTY = "duty"
    REQUEST = "request"
    CONSENT = "consent"


@dataclass(frozen=True)
class Terms:
    """What somebody is told of a purpose before she says yes or no. A new `version` asks anew."""

    purpose: Purpose
    version: int
    title: str
    basis: str
    what: str
    kept: str
    withdrawing: str
    rests_on: Basis = Basis.CONSENT
    sensitive: bool = False
    ends_account: bool = False
    unanswered: str = ""

    @property
    def asks(self) -> bool:
        return self.rests_on is not Basis.DUTY


def terms() -> list[Terms]:
    """Every purpose, the duty of the law first."""
    return [
        Terms(
            Purpose.SERVICE,
            1,
            _("基本服务和户籍人口登记"),
            _("法律规定的职责，不需要您同意（个人信息保护法第十三条）"),
            _("姓名、性别、出生日期、住址、家庭成员，用来登记和提供社区服务。"),
            _("住在本社区期间，迁出后按档案规定保存。"),
            _("这一项不能撤回，但您可以查看、更正。"),
            Basis.DUTY,
        ),
        Terms(
            Purpose.VISIT,
            1,
            _("探访关爱"),
            _("社区对独居、高龄、困难居民的探访职责，不需要您同意（个人信息保护法第十三条）"),
            _("定期上门或打电话看看您好不好，记下需要帮忙的事。"),
            _("和探访记录一起按规定保存。"),
            _("用不着同意；不想被探访，请在“上门探访”里告诉社区，会照办。"),
            Basis.DUTY,
        ),
        Terms(
            Purpose.ID_NUMBER,
            1,
            _("身份证号码"),
            _("您的单独同意"),
            _("核对您是不是本社区的居民，避免别人冒用您的名义。"),
            _("账号使用期间。"),
            _("不能再用账号办事，所以撤回就是注销账号。到窗口照常办事。"),
            sensitive=True,
            ends_account=True,
            unanswered=_("没有开通账号，就用不到。"),
        ),
        Terms(
            Purpose.HEALTH,
            1,
            _("饮食禁忌和健康情况"),
            _("您的单独同意"),
            _("给您安排合适的餐食，提醒厨房您不能吃什么；探访时照顾到您的身体。"),
            _("到您撤回为止。"),
            _("登记的饮食和健康情况马上删除，厨房不再知道您忌口什么，订餐时也不再提醒。"),
            sensitive=True,
            unanswered=_("订餐时忌口和过敏只随那份订单告诉厨房，不提供给别的人。"),
        ),
        Terms(
            Purpose.SMS,
            1,
            _("办事短信"),
            _("您自己要办的事，要把结果告诉您（个人信息保护法第十三条）；不想要可以不要"),
            _("没有账号时，把您的订餐、预约、办事结果发短信告诉您。"),
            _("到您不要为止。"),
            _("不再给您发办事短信；登录用的验证码照发。"),
            Basis.REQUEST,
        ),
        Terms(
            Purpose.NEWS,
            1,
            _("通知和邀请短信"),
            _("您的同意"),
            _("没有账号时，把议事、投票、志愿活动的通知和邀请发短信告诉您。"),
            _("到您撤回为止。"),
            _("不再给您发这些短信；公告栏和网上照样能看到。"),
            unanswered=_("不发这些短信；公告栏和网上照样能看到。"),
        ),
        Terms(
            Purpose.PHOTO,
            1,
            _("探访时拍照"),
            _("您的单独同意，拍之前还会当面问您"),
            _("记下探访时家里的情况，例如损坏的电线。"),
            _("和探访记录一起保存。"),
            _("以后探访不再拍照，工作人员也传不上照片。"),
            sensitive=True,
            unanswered=_("拍之前当面问您，您说可以才拍，并记在这里。"),
        ),
        Terms(
            Purpose.SHARING,
            1,
            _("提供给服务组织"),
            _("您的单独同意（个人信息保护法第二十三条）"),
            _("把姓名、电话、住址提供给为您服务的养老、助残等组织。"),
            _("到您撤回为止。"),
            _("不再提供；已经提供的，社区会通知对方删除。"),
            unanswered=_("不提供给任何组织。"),
        ),
    ]
