"""The demonstration's catalogue: providers, eighty services with their conditions, words, lists and proofs."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area, AreaKind
from portal.catalogue.forms.items import papers_of
from portal.catalogue.models.codes import ConditionKind, ItemKind, ItemState, ProviderKind, Situation
from portal.catalogue.models.items import Condition, Item, Material, Provider, SearchMiss
from portal.catalogue.service import dictionary, lists, searching
from portal.core.clock import days_before, today
from portal.registry.models import Organisation, TagKind

BY = "演示数据"
TABLE = Path(__file__).with_name("services.csv")
SIGNS = dict(zip("老小病残困住学乐法", Situation, strict=True))
KINDS = {"约": ItemKind.APPOINTMENT, "办": ItemKind.APPLICATION, "看": ItemKind.INFORMATION}
PHONE = "0571-88880{:03d}"
# name, kind, address, hours
PROVIDERS = (
    ("社区居委会", ProviderKind.COMMUNITY, "党群服务中心一层", "周一至周五 8:30–17:30，周六 9:00–11:30"),
    ("社区卫生服务站", ProviderKind.COMMUNITY, "3 号楼东侧", "周一至周六 8:00–17:00"),
    ("人民调解委员会", ProviderKind.COMMUNITY, "党群服务中心调解室", "周一至周五 8:30–17:30"),
    ("春晖公益服务中心", ProviderKind.ORGANISATION, "日间照料中心", "每天 8:00–17:00"),
    ("老年协会", ProviderKind.ORGANISATION, "日间照料中心二层", "每天 8:30–17:00"),
    ("社区社会工作站", ProviderKind.SOCIAL_WORKER, "党群服务中心二层", "周一至周六 9:00–17:30"),
    ("社区法律顾问", ProviderKind.SOCIAL_WORKER, "党群服务中心多功能室", "每周五 14:00–17:00"),
    ("夕阳红陪伴队", ProviderKind.VOLUNTEERS, "党群服务中心二层", "每天 9:00–17:00"),
    ("绿色家园队", ProviderKind.VOLUNTEERS, "党群服务中心二层", "每天 9:00–17:00"),
    ("应急救护队", ProviderKind.VOLUNTEERS, "党群服务中心一层", "全天"),
    ("春晖慈善工作站", ProviderKind.CHARITY, "2 号楼临街", "周二、周四 9:00–16:00"),
    ("好邻居超市", ProviderKind.BUSINESS, "1 号楼临街", "每天 7:00–21:00"),
    ("安居物业服务有限公司", ProviderKind.BUSINESS, "5 号楼一层", "每天 8:00–20:00，报修全天"),
)


@dataclass(frozen=True)
class Offer:
    """One service, a line of services.csv. `lives` are signs of 老小病残困住学乐法; `kind` is 约 (by appointment), 办
    (by application) or 看 (to read); `cost` is in fen, None where only `price` can say it; `papers` are lines as the
    form of an item takes them.
    """

    title: str
    summary: str
    said: str
    lives: str
    by: str
    kind: str
    cost: int | None = None
    price: str = ""
    who: str = "本街道居民"
    place: str = "党群服务中心一层服务大厅"
    times: str = ""
    takes: str = ""
    papers: str = ""
    how: str = ""
    basis: str = ""
    days: int | None = None
    per_week: int | None = None


def offers() -> list[Offer]:
    """The services of the table, in its order."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [_offer(row) for row in csv.DictReader(lines)]


def _offer(row: dict[str, str]) -> Offer:
    numbers = {name: int(row[name]) if row[name] else None for name in ("cost", "days", "per_week")}
    facts: dict[str, Any] = row | {"papers": row["papers"].replace("；", "\n")} | numbers
    return Offer(**facts)


@dataclass(frozen=True)
class If:
    """A condition of a service of the demonstration, and where to go on when it is not met."""

    kind: ConditionKind
    unmet: str
    remedy: str
    other: str = ""
    number: int | None = None
    tags: tuple[TagKind, ...] = ()
    question: str = ""
    met: str = ""
    answer: bool = True


K, T = ConditionKind, TagKind
LOCAL = If(K.REGISTERED_HERE, "要户籍在本地。", "请在户籍地申请；社区可以告诉您户籍地怎么办。", met="户籍在本地。")


def _aged(number: int, remedy: str, other: str = "") -> If:
    return If(K.AGE_AT_LEAST, f"还没满 {number} 周岁。", remedy, other, number, met=f"已满 {number} 周岁。")


def _tagged(unmet: str, remedy: str, other: str, *tags: TagKind) -> If:
    return If(K.TAG, unmet, remedy, other, tags=tags)


def _asked(question: str, unmet: str, remedy: str, other: str = "", *, answer: bool = True) -> If:
    return If(K.QUESTION, unmet, remedy, other, question=question, answer=answer)


CONDITIONS: dict[str, tuple[If, ...]] = {
    "高龄津贴": (_aged(80, "满 80 周岁当月就可以来办。现在可以先办老年优待证。", "老年优待证"), LOCAL),
    "老年优待证": (_aged(60, "满 60 周岁就可以办。"),),
    "老年人免费体检": (
        _aged(65, "可以先去量血压、测血糖，也是免费的。", "量血压测血糖"),
        If(K.LIVES_HERE, "平时不住在这里。", "请到现在住的地方的社区卫生服务机构体检，一样免费。"),
    ),
    "两癌筛查": (
        If(K.WOMAN, "这项检查只给妇女做。", "可以约专家义诊。", "专家义诊"),
        _aged(35, "不到年龄，有不舒服请直接看医生。", "专家义诊"),
        If(K.AGE_AT_MOST, "已经超过 64 周岁。", "65 周岁起每年有免费体检。", "老年人免费体检", 64),
        _asked("近三年做过两癌检查吗？", "三年里只做一次。", "请记下上次的日期，满三年再来。", answer=False),
    ),
    "助浴服务": (
        _aged(60, "可以请家政服务帮忙。", "家政保洁"),
        _asked("自己洗澡有困难吗？", "这项服务留给洗澡有困难的老人。", "日间照料中心的浴室可以自己用。", "日间照料"),
    ),
    "紧急呼叫设备安装": (
        _aged(70, "不到 70 周岁的，可以登记探访。", "独居老人探访"),
        _tagged(
            "社区登记里没有写您独居或空巢。",
            "一个人住的请打电话给社区，核实后就能装。",
            "独居老人探访",
            T.LIVING_ALONE,
            T.EMPTY_NEST,
        ),
    ),
    "适老化改造": (
        _aged(60, "60 周岁以下的残疾人家庭请看无障碍改造。", "无障碍改造"),
        _tagged(
            "补贴给低保、特困、失能等困难老人家庭。",
            "不在补贴范围的可以自费改造，社区介绍师傅。",
            "水电小修",
            *(T.LOW_INCOME, T.LOW_INCOME_EDGE, T.DESTITUTE, T.DISABLED_ELDER, T.SEVERELY_DISABLED, T.LIVING_ALONE),
        ),
        _asked("房子是自己的，或房东同意改吗？", "租来的房子要房东同意。", "请先和房东商量，社区可以帮忙说。"),
    ),
    "困难老人家庭清洁": (
        _tagged(
            "这项免费清洁给低保、特困、失能老人家庭。",
            "可以约家政保洁。",
            "家政保洁",
            T.LOW_INCOME,
            T.DESTITUTE,
            T.DISABLED_ELDER,
        ),
    ),
    "无障碍改造": (
        _tagged(
            "社区登记里没有残疾人证。",
            "有证请带来登记；还没有证的先办证。",
            "残疾人证办理",
            T.DISABLED,
            T.SEVERELY_DISABLED,
        ),
    ),
    "残疾人两项补贴": (
        _tagged(
            "社区登记里没有残疾人证。",
            "有证请带来登记；还没有证的先办证。",
            "残疾人证办理",
            T.DISABLED,
            T.SEVERELY_DISABLED,
        ),
        LOCAL,
    ),
    "残疾人证办理": (LOCAL,),
    "最低生活保障申请": (
        LOCAL,
        _asked(
            "全家每人每月平均收入低于当地低保标准吗？",
            "收入高于标准，不能办低保。",
            "遇到突发困难可以申请临时救助。",
            "临时救助",
        ),
        _asked(
            "家里有没有两套以上住房或经营用车？",
            "财产超过规定。",
            "遇到突发困难可以申请临时救助。",
            "临时救助",
            answer=False,
        ),
    ),
    "医疗救助申请": (
        _tagged(
            "社区登记里没有低保、特困、低保边缘身份。",
            "大病花费特别多的也可以申请，请带票据到窗口。",
            "临时救助",
            *(T.LOW_INCOME, T.LOW_INCOME_EDGE, T.DESTITUTE),
        ),
    ),
    "日间照料": (
        _aged(60, "60 周岁以下需要照料的，可以找社工商量。", "心理咨询"),
        _asked(
            "有没有传染病，或需要一直有人看护的情况？",
            "日间照料中心照顾不了。",
            "可以申请上门照护。",
            "失能老人上门照护",
            answer=False,
        ),
    ),
    "失能老人上门照护": (
        _aged(60, "60 周岁以下失能的，请问残联托养服务。", "残疾人两项补贴"),
        _asked("做过能力评估，结果是失能吗？", "要先做能力评估。", "请打电话约评估，评估不收费。", "日间照料"),
    ),
    "四点半课堂": (
        _asked("孩子在上小学吗？", "只收小学生。", "学龄前可以看托育和亲子活动。", "亲子绘本活动"),
        _asked("有监护人来接送吗？", "要有监护人接送。", "接送有困难的，请和社工商量，志愿者可以结伴送。", "代购代取"),
    ),
    "居住证办理": (
        If(K.REGISTERED_HERE, "户籍在本地，不用办居住证。", "直接用身份证、户口簿办事。", answer=False),
        _asked("在这里住满半年了吗？", "要住满半年。", "先到派出所做居住登记，满半年再来。"),
    ),
    "老年大学": (_aged(50, "可以参加书法国画班。", "书法国画班"),),
    "急救培训": (_aged(16, "16 周岁以下请由家长带着参加亲子活动。", "亲子绘本活动"),),
}
MISSES = (("修手表", 3), ("卖旧报纸", 2), ("配钥匙", 4), ("洗地毯", 1))


def build_services(session: Session, areas: dict[str, Area], street_code: str) -> None:
    """Everything for the street, and what people in one community did not find."""
    street = areas[street_code]
    providers = _providers(session, street)
    made = {offer.title: _item(street, providers[offer.by], offer) for offer in offers()}
    session.add_all(made.values())
    session.flush()
    for title, conditions in CONDITIONS.items():
        made[title].conditions = [_condition(place, one, made) for place, one in enumerate(conditions)]
    home = next(area for code, area in sorted(areas.items()) if area.kind is AreaKind.COMMUNITY)
    session.add(_draft(home, providers["社区居委会"]))
    session.add_all(SearchMiss(area=home, words=words, times=times) for words, times in MISSES)
    dictionary.seed(street, by=BY)
    lists.seed(street, by=BY)
    session.flush()


def _providers(session: Session, street: Area) -> dict[str, Provider]:
    held: dict[str, int] = {}
    for name, number in session.execute(sa.select(Organisation.name, Organisation.id).order_by(Organisation.id)):
        held.setdefault(name, number)
    made = {
        name: Provider(
            area=street,
            organisation_id=held.get(name),
            kind=kind,
            name=name,
            phone=PHONE.format(number),
            address=address,
            hours=hours,
        )
        for number, (name, kind, address, hours) in enumerate(PROVIDERS, start=101)
    }
    session.add_all(made.values())
    session.flush()
    return made


def _item(area: Area, provider: Provider, offer: Offer) -> Item:
    initials, pinyin = searching.sounds(offer.title)
    papers = papers_of(offer.papers)
    facts: dict[str, Any] = {name: getattr(offer, name) for name in ("title", "summary", "who", "how", "place")}
    item = Item(
        area=area,
        provider=provider,
        kind=KINDS[offer.kind],
        state=ItemState.PUBLISHED,
        keywords=offer.said,
        initials=initials,
        pinyin=pinyin,
        situations=[SIGNS[sign].value for sign in offer.lives],
        cost_fen=offer.cost,
        cost=offer.price,
        times=offer.times,
        takes=offer.takes,
        basis=offer.basis,
        limit_days=offer.days,
        per_week=offer.per_week,
        valid_from=days_before(today(), 180),
        updated_by=BY,
        **facts,
    )
    item.materials = [
        Material(position=place, name=one.name, note=one.note, is_required=one.is_required, fetched=one.fetched)
        for place, one in enumerate(papers)
    ]
    return item


def _condition(position: int, one: If, made: dict[str, Item]) -> Condition:
    facts = {name: getattr(one, name) for name in ("kind", "number", "question", "met", "unmet", "remedy", "answer")}
    other = made[one.other].id if one.other else None
    return Condition(position=position, tags=[tag.value for tag in one.tags], next_item_id=other, **facts)


def _draft(area: Area, provider: Provider) -> Item:
    """One that is still being written, which residents do not see."""
    offer = Offer("智能快递柜代收", "写到一半，等物业定时间", "快递", "住", provider.name, "看")
    item = _item(area, provider, offer)
    item.state = ItemState.DRAFT
    return item
