"""The templates of topics that a street begins with: what communities commonly deliberate."""

import re
from typing import Any

from portal.deliberation.models.codes import Category, Forum, PartyKind

_AGENDA = (
    ("主持人说明规则和议程", 5),
    ("介绍情况和方案", 15),
    ("大家发言", 40),
    ("归纳意见、表态", 20),
    ("宣布下一步", 5),
)


def _agenda(*items: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"title": title, "minutes": minutes} for title, minutes in items or _AGENDA]


def _parties(*deliberating: str, supporting: str = "") -> list[dict[str, str]]:
    rows = [{"kind": PartyKind.WORKING.value, "name": "社区居民委员会", "stake": ""}]
    rows += [{"kind": PartyKind.DELIBERATING.value, "name": name, "stake": ""} for name in deliberating]
    if supporting:
        rows.append({"kind": PartyKind.SUPPORTING.value, "name": supporting, "stake": "没有"})
    return rows


def _facts(category: Category, forum: Forum, title: str, summary: str, **more: Any) -> dict[str, Any]:
    plain = {"category": category.value, "forum": forum.value, "title": title, "summary": summary, "days": 14}
    return plain | {"agenda": _agenda()} | more


SAMPLES: tuple[dict[str, Any], ...] = (
    {
        "name": "老楼加装电梯",
        "facts": _facts(
            Category.AFFAIR,
            Forum.OWNERS,
            "（几）号楼（几）单元加装电梯",
            "这个单元没有电梯，老人和带孩子的家庭上下楼不方便。想先听听每一户愿不愿意装、装在哪里、"
            "低楼层有什么担心、钱怎么分摊。",
            cost_words="政府补贴一部分，其余由本单元业主按楼层分摊，具体数额由设计单位报价后再议。",
            binding_words="本单元业主表决通过后，由居委会协助报街道和规划部门，公示无异议再动工。",
            parties=_parties("本单元全体业主", "一楼和二楼业主代表", supporting="电梯设计单位"),
            opinions=[
                "加装电梯以后，老人就医、买菜会方便很多。",
                "一楼和二楼的采光、噪声要先说清楚，再决定装不装。",
                "费用应当按楼层分摊，低楼层少出或者不出。",
                "电梯的维修费和电费，应当提前说好由谁出。",
            ],
            days=21,
        ),
    },
    {
        "name": "小区停车怎么停",
        "facts": _facts(
            Category.DIFFICULTY,
            Forum.COUNCIL,
            "小区停车位怎么安排",
            "车多位少，晚上占了消防通道，访客也没有地方停。想商量怎么划线、怎么分配、收不收费、收来的钱做什么用。",
            cost_words="划线和道闸由物业报价；收费的收入公开，用在小区公共部分。",
            binding_words="协商一致的由物业试行三个月；涉及共有部分经营的，再由业主表决。",
            parties=_parties("有车住户代表", "无车住户代表", "物业服务企业"),
            opinions=[
                "消防通道上一辆车也不能停，停了就要拖走。",
                "没有固定车位的住户，应当先到先停。",
                "停车费应当用在小区的维修和绿化上，每季度公布一次。",
            ],
        ),
    },
    {
        "name": "小区环境整治",
        "facts": _facts(
            Category.AFFAIR,
            Forum.TALK,
            "小区绿化和公共场地怎么改",
            "小花园的地砖松了、灯坏了，晾晒和健身的地方不够。上级有一笔改造资金，想请大家说说先改哪里、改成什么样。",
            cost_words="用老旧小区改造资金，不向居民收钱。",
            binding_words="按商量出的先后顺序列入改造计划，做不了的逐条说明原因。",
            parties=_parties("楼组长", "居民代表", "物业服务企业", supporting="设计单位"),
            opinions=[
                "应当先把路灯和松动的地砖修好。",
                "应当给老人多留一些能坐下来的地方。",
                "应当留出固定的晾晒区。",
            ],
        ),
    },
    {
        "name": "文明养犬公约",
        "facts": _facts(
            Category.DIFFICULTY,
            Forum.ROUND_TABLE,
            "我们小区怎么文明养狗",
            "有人怕狗、有人爱狗，遛狗不牵绳、不清理的事常有反映。想一起订一份大家都做得到的约定。",
            cost_words="只要几个拾便箱和告示牌，由居委会工作经费出。",
            binding_words="商量好的写进居民公约，由志愿者劝导；违反法规的报有关部门。",
            parties=_parties("养狗的住户代表", "不养狗的住户代表", "物业服务企业"),
            opinions=[
                "遛狗必须牵绳，电梯里要抱起来或者戴嘴套。",
                "应当划一块可以放开绳子的地方。",
                "不清理粪便的，应当在小区里提醒并公布次数，不公布姓名。",
            ],
        ),
    },
    {
        "name": "维修资金使用",
        "facts": _facts(
            Category.STATUTE,
            Forum.OWNERS,
            "用维修资金修（屋面／外墙／管道）",
            "（哪里）坏了，影响（哪些）住户，要动用维修资金。先把情况、报价、怎么分摊说清楚，再请业主表决。",
            cost_words="从住宅专项维修资金里出，按专有部分面积分摊，结算后公布明细。",
            binding_words="业主按《民法典》第二百七十八条表决，通过了才动用。",
            parties=_parties("有关业主", "业主委员会", supporting="工程造价咨询单位"),
            opinions=["应当请两家以上单位报价，再比较。", "完工以后应当请业主代表一起验收。"],
            agenda=_agenda(
                ("说明损坏情况，看照片", 10),
                ("介绍报价和分摊办法", 15),
                ("业主提问", 30),
                ("归纳意见", 15),
                ("说明表决办法和时间", 10),
            ),
        ),
    },
    {
        "name": "助餐点选址和服务",
        "facts": _facts(
            Category.POLICY,
            Forum.HEARING,
            "社区助餐点开在哪里、怎么开",
            "打算在社区开一个老年助餐点。想听听开在哪里方便、几点开饭、要不要送餐、油烟和噪声怎么管。",
            cost_words="场地由街道提供，餐费按补贴办法执行，运营单位公开选择。",
            binding_words="多数人同意的地点和时间写进运营合同，三个月后再听一次意见。",
            parties=_parties("老年居民代表", "附近住户代表", "运营单位"),
            opinions=[
                "助餐点应当开在老人走十分钟以内的地方。",
                "附近的住户不应当受油烟和噪声影响。",
                "行动不便的老人应当能送餐上门。",
            ],
        ),
    },
    {
        "name": "居民公约修订",
        "facts": _facts(
            Category.AFFAIR,
            Forum.RESIDENTS,
            "修订居民公约",
            "现在的居民公约用了好几年，有些条款过时了。请大家说说哪些要留、哪些要改、要添什么。",
            cost_words="不花钱，印发费用由居委会工作经费出。",
            binding_words="由居民会议表决通过，报街道备案后公布。",
            parties=_parties("居民代表", "驻社区单位", "社区社会组织"),
            opinions=["公约应当写得短，一页纸看得完。", "公约里的每一条都应当做得到、查得到。"],
            days=30,
        ),
    },
    {
        "name": "社区之间共同的事",
        "facts": _facts(
            Category.REQUESTED,
            Forum.SQUAD,
            "（哪几个）社区共同的（路口／河道／公园）怎么管",
            "这件事关系到相邻的几个社区，一个社区定不了。由街道牵头，请各社区的居民和有关单位一起商量。",
            cost_words="由街道统筹，需要各社区分担的另行商量。",
            binding_words="形成的意见由街道落实，进度在各社区同时公布。",
            parties=_parties("各社区居民代表", "有关部门和单位"),
            opinions=["应当先把责任划清楚，再谈怎么改。", "进度应当在每个社区都公布。"],
        ),
    },
)

LEFT_OPEN = re.compile("（[^（）]*）")


def left_open(text: str) -> list[str]:
    """The gaps of our templates, such as （几）号楼, that nobody has filled in yet."""
    gaps = {
        gap for sample in SAMPLES for name in ("title", "summary") for gap in LEFT_OPEN.findall(sample["facts"][name])
    }
    return [gap for gap in dict.fromkeys(LEFT_OPEN.findall(text)) if gap in gaps]
