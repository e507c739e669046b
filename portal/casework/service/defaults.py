"""What a street starts with: two levels of categories, and who else handles what (rules.md section 7, 条例 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.casework.models.categories import CaseRedirect, Category
from portal.casework.models.codes import CaseKind, RedirectKind, Urgency
from portal.casework.service import limits
from portal.core import audit
from portal.core.clock import today
from portal.core.db import db

R, K = RedirectKind, CaseKind


@dataclass(frozen=True)
class _Redirect:
    key: str
    name: str
    kind: RedirectKind
    phone: str
    says: str
    words: str


@dataclass(frozen=True)
class _Leaf:
    code: str
    name: str
    kind: CaseKind
    keywords: str
    redirect: str = ""
    party: str = ""
    private: bool = False
    urgency: Urgency = Urgency.NORMAL
    questions: Sequence[dict[str, object]] = ()


REDIRECTS = (
    _Redirect(
        "119",
        "消防 119",
        R.EMERGENCY,
        "119",
        "正在着火、冒烟、有人被困，请先打 119，再到安全的地方等。",
        "着火 起火 冒烟 火灾 爆炸 困在电梯 被困",
    ),
    _Redirect(
        "110",
        "公安 110",
        R.EMERGENCY,
        "110",
        "正在发生的打架、盗窃、威胁、家暴，请先打 110。",
        "打架 持刀 抢劫 小偷 被偷 盗窃 威胁 家暴 走失 诈骗 被骗",
    ),
    _Redirect(
        "120",
        "急救 120",
        R.EMERGENCY,
        "120",
        "有人昏迷、受伤、突然发病，请先打 120。",
        "昏迷 晕倒 受伤流血 心脏病发作 喘不上气 没有呼吸 中毒",
    ),
    _Redirect(
        "122",
        "交通事故 122",
        R.EMERGENCY,
        "122",
        "路上发生交通事故，请先打 122，有人受伤再打 120。",
        "车祸 撞人 撞车 交通事故",
    ),
    _Redirect(
        "gas",
        "燃气泄漏 119",
        R.EMERGENCY,
        "119",
        "闻到燃气味：请马上离开，不要开关电灯和电器，不要点火，不要在屋里打电话；到外面打 119，或打燃气公司抢修电话。",
        "燃气味 煤气味 天然气味 液化气味 漏气 漏煤气 漏燃气 漏天然气 燃气漏 煤气漏 燃气泄漏 煤气泄漏 天然气泄漏 "
        "闻到燃气 闻到煤气 闻到天然气 一股燃气 一股煤气 燃气的味 煤气的味 燃气臭 煤气臭 瓦斯",
    ),
    _Redirect(
        "12345",
        "政务服务热线 12345",
        R.HOTLINE,
        "12345",
        "公交、医保、房产证、公积金等由政府部门办理，打 12345 更快。",
        "公交线路 医保报销 房产证 公积金 户口 身份证办理 驾驶证 上学划片 红绿灯",
    ),
    _Redirect(
        "12315",
        "消费投诉 12315",
        R.HOTLINE,
        "12315",
        "买东西、消费的纠纷由市场监管部门办理，请打 12315。",
        "假货 退款 退货 短斤缺两 价格欺诈 保健品",
    ),
    _Redirect(
        "12333",
        "劳动保障 12333",
        R.HOTLINE,
        "12333",
        "欠薪、不交社保、工伤、劳动合同由人力资源社会保障部门（劳动监察）办理，社区办不了，请打 12333。",
        "拖欠工资 拖工资 欠工资 欠我工资 不发工资 没发工资 克扣工资 讨薪 欠薪 社保 社会保险 养老保险 失业保险 工伤 "
        "劳动合同 劳动监察 加班费",
    ),
    _Redirect(
        "12369",
        "生态环境和工地噪声 12345",
        R.HOTLINE,
        "12345",
        "工厂排烟排污、工地噪声由生态环境、城市管理等部门处理，社区没有执法权，请打 12345（原环保热线 12369 已并入）。",
        "黑烟 排污 废水 废气 扬尘 工厂噪声 厂里噪声 工地噪声 工地噪音 噪声工地 工地施工 夜间施工 半夜施工 打桩 工地吵",
    ),
    _Redirect(
        "legal",
        "法律援助 12348",
        R.LEGAL,
        "12348",
        "已经起诉、仲裁、信访的事项，由受理的机关办理；要法律帮助请打 12348。",
        "起诉 法院 判决 仲裁 信访 上诉 执行局",
    ),
    _Redirect(
        "water",
        "供水抢修",
        R.OTHER,
        "12345",
        "小区外的水管爆裂、停水由供水公司抢修，可以打 12345 转供水。",
        "水管爆裂 自来水停水 停水",
    ),
    _Redirect(
        "power",
        "供电抢修 95598",
        R.OTHER,
        "95598",
        "停电、电线落地由供电公司抢修，请打 95598，不要靠近电线。",
        "停电 电线掉 变压器 电表",
    ),
)

LAMP = {"key": "lamp", "label": "灯杆编号，或者在哪个单元门口", "required": False, "choices": []}
SINCE = {
    "key": "since",
    "label": "从什么时候开始",
    "required": False,
    "choices": ["今天", "这几天", "一周以上", "一个月以上"],
}
HOURS = {"key": "hours", "label": "一般在什么时候", "required": False, "choices": ["白天", "晚上", "半夜", "一直"]}
LIFT = {"key": "trapped", "label": "有没有人困在里面", "required": True, "choices": ["没有", "有（请先打 119）"]}

TREE: tuple[tuple[str, str, tuple[_Leaf, ...]], ...] = (
    (
        "environment",
        "环境卫生",
        (
            _Leaf("rubbish", "垃圾清运", K.HELP, "垃圾 垃圾桶 满了 臭 异味 清运 垃圾房 厨余 没人收"),
            _Leaf("bulky", "大件和装修垃圾", K.HELP, "大件 旧家具 沙发 床垫 装修垃圾 建筑垃圾 渣土"),
            _Leaf(
                "corridor", "楼道堆物和保洁", K.COMPLAINT, "楼道 堆物 堆放 杂物 纸箱 鞋柜 公共走道 保洁 楼梯间 楼梯口"
            ),
            _Leaf(
                "green",
                "绿化树木",
                K.HELP,
                "树 树枝 修剪 草坪 杂草 绿化 绿化带 毁绿 种菜 种花 种点花 枯树 柳树 砍树 树倒 虫子",
            ),
            _Leaf("pests", "鼠蟑蚊", K.HELP, "老鼠 蟑螂 蚊子 灭鼠 消杀 白蚁"),
        ),
    ),
    (
        "facility",
        "公共设施",
        (
            _Leaf(
                "light",
                "路灯楼道灯",
                K.HELP,
                "路灯 灯不亮 楼道灯 黑 楼道黑 太黑 盏灯 照明 感应灯 灯坏",
                questions=(LAMP, SINCE),
            ),
            _Leaf(
                "lift",
                "电梯",
                K.HELP,
                "电梯 停梯 卡住 困人 平层 抖动",
                redirect="119",
                questions=(LIFT,),
                urgency=Urgency.URGENT,
            ),
            _Leaf(
                "road",
                "道路井盖",
                K.HELP,
                "路面 坑 大坑 有坑 个坑 井盖 地砖 积水 台阶 台阶破 塌 塌陷 破损 路不平 成河 减速带坏",
                questions=(SINCE,),
            ),
            _Leaf(
                "pipe",
                "下水道和漏水",
                K.HELP,
                "下水道 堵了 下水慢 污水 化粪池 漏水 渗水 返水 管道 外溢 往上冒",
                questions=(SINCE,),
            ),
            _Leaf("fitness", "健身器材和长椅", K.HELP, "健身器材 健身广场 长椅 凉亭 滑梯 游乐 单杠 乒乓球台"),
            _Leaf("barrier", "无障碍和加装扶手", K.ADVICE, "无障碍 坡道 扶手 轮椅 盲道 加装电梯"),
        ),
    ),
    (
        "order",
        "秩序安全",
        (
            _Leaf(
                "parking", "车辆停放", K.COMPLAINT, "停车 乱停 车位 占道 堵车 僵尸车 挡路 挡着路 地锁 停得 堵着停 并停"
            ),
            _Leaf("ebike", "电动车充电", K.COMPLAINT, "电动车 电瓶车 飞线 充电 上楼 充电桩", redirect=""),
            _Leaf("fire", "消防通道", K.REPORT, "消防通道 着火 起火 冒烟 消防栓 灭火器 堵住 安全出口 疏散"),
            _Leaf("falling", "高空抛物", K.REPORT, "高空抛物 扔东西 往下扔 坠落 掉下来 外墙 瓷砖 脱落"),
            _Leaf("dogs", "养犬", K.COMPLAINT, "狗 犬 的狗 有狗 养狗 大狗 狗咬 遛狗 狗叫 不拴绳 狗屎 流浪狗 流浪猫"),
            _Leaf(
                "noise",
                "噪声扰民",
                K.COMPLAINT,
                "噪声 噪音 太吵 吵到 吵得 电钻 麻将 广场舞 跳舞 装修声 唱歌 唱戏 音响 声音太大 嗡嗡 扰民 施工",
                questions=(HOURS,),
            ),
        ),
    ),
    (
        "property",
        "物业管理",
        (
            _Leaf("repair", "报修不及时", K.COMPLAINT, "报修 物业不管 没人修 维修 拖 推诿 物业"),
            _Leaf("fees", "物业收费", K.QUESTION, "物业费 收费 涨价 公摊 维修资金 公共收益"),
            _Leaf("gate", "门禁和保安", K.HELP, "门禁 保安 大门坏 刷卡 单元门坏 门打不开 监控 摄像头 陌生人"),
            _Leaf("owners", "业委会", K.ADVICE, "业委会 业主大会 换届 选聘 表决"),
        ),
    ),
    (
        "people",
        "民生服务",
        (
            _Leaf("elderly", "老人照护", K.HELP, "独居 助餐 食堂 照护 养老 高龄 津贴 送饭 照顾老人"),
            _Leaf("hardship", "困难救助", K.HELP, "低保 困难 救助 临时救助 大病 没钱 残疾", private=True),
            _Leaf("children", "托育和儿童", K.QUESTION, "托班 四点半 托管 儿童 放学 暑假 带孩子"),
            _Leaf("proof", "证明和办事", K.QUESTION, "证明 盖章 盖个章 开证明 办理 材料 居住证", redirect="12345"),
            _Leaf("jobs", "就业", K.QUESTION, "找工作 就业 招聘 失业 下岗 培训 工作介绍", redirect="12333"),
            _Leaf("activity", "活动和场地", K.ADVICE, "活动 活动室 场地 棋牌 书法 舞蹈 借用 春游"),
        ),
    ),
    (
        "neighbours",
        "邻里家庭",
        (
            _Leaf("dispute", "邻里纠纷", K.HELP, "邻居 吵架 纠纷 调解 矛盾 泡了 不肯赔", private=True),
            _Leaf(
                "family",
                "家庭矛盾",
                K.HELP,
                "家暴 夫妻 婆媳 婆婆 儿媳 赡养 虐待 离婚 不肯管老人",
                redirect="110",
                private=True,
            ),
            _Leaf("staff", "反映工作人员", K.COMPLAINT, "态度 工作人员 居委会 网格员 社工 不理 推脱", private=True),
        ),
    ),
    (
        "beyond",
        "部门办理",
        (
            _Leaf(
                "illegal",
                "违章搭建",
                K.REPORT,
                "违建 违章 搭建 私搭 加盖 阳光房 群租 隔成 外推 圈地 圈了",
                party="街道综合行政执法队",
            ),
            _Leaf(
                "business",
                "无照经营和占道摊点",
                K.REPORT,
                "摊点 占道经营 无照 没有照 油烟 烧烤 烧烤摊 流动摊贩 摆摊 早点摊 卖菜",
                party="街道综合行政执法队",
            ),
            _Leaf(
                "traffic",
                "公交和交通设施",
                K.ADVICE,
                "公交 车站 红绿灯 斑马线 减速带 限速",
                redirect="12345",
                party="交通运输部门",
            ),
            _Leaf(
                "utilities",
                "水电气热",
                K.HELP,
                "停水 停电 燃气 燃气味 煤气 煤气味 天然气 天然气味 漏气 液化气 暖气 供暖 水压 不热 电表 水表",
                party="供水供电供气单位",
            ),
            _Leaf(
                "pollution",
                "污染排放",
                K.REPORT,
                "污染 黑烟 排黑烟 排污 废水 废气 扬尘 化工 工厂 刺鼻 河道 河里 工地 工地噪声 工地噪音 噪声工地 "
                "工地施工 夜间施工 半夜施工 打桩",
                redirect="12369",
                party="生态环境部门",
            ),
            _Leaf(
                "labour",
                "欠薪和社保",
                K.REPORT,
                "工资 拖欠 拖欠工资 欠薪 讨薪 社保 社会保险 不交社保 不给交社保 工伤 劳动合同 劳动监察 加班费",
                redirect="12333",
                party="人力资源社会保障部门",
            ),
        ),
    ),
    ("other", "其他", (_Leaf("other_any", "说不清属于哪类", K.HELP, ""),)),
)


def seed(area_code: str, *, by: str, since: date | None = None) -> int:
    """Fill a street's categories, redirects and limits where it has none; return how many categories."""
    standing = sa.select(Category.id).where(Category.area_code == area_code).limit(1)
    if db.session.scalar(standing) is not None:
        return 0
    day = since or today()
    dated = {"area_code": area_code, "valid_from": day, "set_by": by}
    known = {}
    for position, one in enumerate(REDIRECTS):
        known[one.key] = CaseRedirect(
            name=one.name,
            kind=one.kind,
            phone=one.phone,
            says=one.says,
            words=one.words.split(),
            position=position,
            **dated,
        )
    db.session.add_all(known.values())
    count = 0
    for position, (code, name, leaves) in enumerate(TREE):
        parent = Category(code=code, name=name, position=position, **dated)
        db.session.add(parent)
        for place, leaf in enumerate(leaves):
            db.session.add(_category(leaf, parent, place, known, dated))
            count += 1
    db.session.flush()
    limits.seed(area_code, by=by, since=day)
    audit.record("cases.categories_seeded", None, count=count)
    return count


def _category(
    leaf: _Leaf, parent: Category, position: int, redirects: dict[str, CaseRedirect], dated: dict[str, object]
) -> Category:
    return Category(
        parent=parent,
        code=leaf.code,
        name=leaf.name,
        kind=leaf.kind,
        urgency=leaf.urgency,
        keywords=leaf.keywords.split(),
        questions=list(leaf.questions),
        redirect=redirects.get(leaf.redirect),
        off_list=bool(leaf.party),
        party=leaf.party,
        private=leaf.private,
        position=position,
        **dated,
    )
