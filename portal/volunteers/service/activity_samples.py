"""The templates that a street begins with: what communities commonly ask volunteers for."""

from typing import Any

from portal.volunteers.models.codes import Joining, ServiceKind


def _position(name: str, does: str, needs: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "does": does, "needs": needs, "skills": [], "least_hours": 0, "newcomers": 100} | more


def _facts(content: str, place: str, risks: str, **more: Any) -> dict[str, Any]:
    plain = {
        "conditions": "身体健康，能按时到岗；有事去不了请提前退出。",
        "is_risky": False,
        "insurance": "",
        "joining": Joining.OPEN.value,
        "least_age": 18,
        "opens_days": 30,
        "leave_hours": 24,
    }
    return {"content": content, "place": place, "risks": risks} | plain | more


SAMPLES: tuple[dict[str, Any], ...] = (
    {
        "name": "午间送餐",
        "kind": ServiceKind.MEALS,
        "facts": _facts(
            "把助餐点的午餐送到行动不便的老人家中，看看老人的气色，有异常马上报社区。",
            "社区助餐点",
            "爬楼、骑车有摔倒和烫伤的可能：走稳不跑，餐盒提平，骑车戴头盔。",
            is_risky=True,
        ),
        "positions": [
            _position("送餐员", "领餐、送到门口、收回餐盒", 4, newcomers=50),
            _position("分餐员", "按名单装袋、核对忌口", 1, skills=["健康证"]),
        ],
        "pattern": {"weekdays": [0, 1, 2, 3, 4], "slots": "10:30-12:30"},
    },
    {
        "name": "独居老人探访",
        "kind": ServiceKind.VISITING,
        "facts": _facts(
            "两人一组上门看望独居、空巢老人，陪聊半小时，看看水电煤气是不是安全。",
            "老人家中（到社区集合）",
            "进门先敲门说明身份，不收钱物，不代管钱卡；遇到老人不适打 120，再报社区。",
            joining=Joining.APPROVED.value,
        ),
        "positions": [_position("探访员", "上门探访、填探访小卡", 6, newcomers=50)],
        "pattern": {"weekdays": [1, 4], "slots": "9:00-11:00"},
    },
    {
        "name": "陪诊",
        "kind": ServiceKind.ESCORT,
        "facts": _facts(
            "陪老人去医院：挂号、候诊、取药、送回家；不替老人作医疗决定。",
            "老人家中到医院",
            "路上和医院里有摔倒、感染的可能：戴口罩，坐电梯不走扶梯，突发不适找医护。",
            joining=Joining.ASSIGNED.value,
            is_risky=True,
        ),
        "positions": [_position("陪诊员", "全程陪同一位老人", 2, skills=["急救"], least_hours=10, newcomers=0)],
        "pattern": {"weekdays": [0, 2], "slots": "7:30-11:30"},
    },
    {
        "name": "楼道清洁日",
        "kind": ServiceKind.ENVIRONMENT,
        "facts": _facts(
            "清理楼道杂物和小广告，擦扶手，劝导电动车不进楼。",
            "小区集合点",
            "搬重物量力而行，戴手套口罩，不爬高擦窗。",
            least_age=12,
            conditions="未满 18 周岁由监护人陪同，自己接送；穿防滑的鞋。",
        ),
        "positions": [
            _position("清洁员", "清楼道、擦扶手", 10),
            _position("领队", "发工具、点人数", 2, least_hours=5, newcomers=0),
        ],
        "pattern": {"weekdays": [5], "slots": "8:30-10:30"},
    },
    {
        "name": "社区义诊",
        "kind": ServiceKind.HEALTH,
        "facts": _facts(
            "给居民量血压、测血糖、答疑；不开处方，不卖药。",
            "党群服务中心一层",
            "采血用一次性针头，用过的放利器盒；有晕针的马上坐下。",
            joining=Joining.APPROVED.value,
        ),
        "positions": [
            _position("义诊医护", "量血压、测血糖、答疑", 3, skills=["医护资格"], newcomers=100),
            _position("引导员", "排队叫号、登记", 3),
        ],
        "pattern": {"weekdays": [5], "slots": "9:00-11:30"},
    },
    {
        "name": "防诈宣讲",
        "kind": ServiceKind.ORDER,
        "facts": _facts(
            "入户、摆摊讲最近的骗术，教老人装反诈应用、看清转账对象。",
            "小区广场",
            "不替居民操作手机银行，不记密码；天热注意补水。",
        ),
        "positions": [
            _position("宣讲员", "讲案例、答问题", 2, least_hours=5, newcomers=50),
            _position("协助员", "发资料、登记", 4),
        ],
        "pattern": {"weekdays": [2], "slots": "15:00-17:00"},
    },
    {
        "name": "四点半课堂",
        "kind": ServiceKind.CHILDREN,
        "facts": _facts(
            "放学后看护小学生写作业、读书、做手工，等家长来接。",
            "社区活动室",
            "孩子不离开活动室，交接要家长本人签名；有孩子不适马上打家长电话。",
            joining=Joining.APPROVED.value,
        ),
        "positions": [
            _position("辅导员", "看作业、答疑", 3, newcomers=50),
            _position("安全员", "点人数、交接", 1, least_hours=10, newcomers=0),
        ],
        "pattern": {"weekdays": [0, 1, 2, 3, 4], "slots": "16:00-18:00"},
    },
    {
        "name": "文明交通劝导",
        "kind": ServiceKind.ORDER,
        "facts": _facts(
            "早晚高峰在路口劝导行人走斑马线、骑车戴头盔。",
            "小区东门路口",
            "站在人行道上，穿反光背心，不下机动车道，不和人争执。",
            is_risky=True,
        ),
        "positions": [_position("劝导员", "路口劝导", 4, newcomers=50)],
        "pattern": {"weekdays": [0, 2, 4], "slots": "7:00-8:30；17:00-18:30"},
    },
    {
        "name": "智能手机教学",
        "kind": ServiceKind.DIGITAL,
        "facts": _facts(
            "一对一教老人用微信、挂号、打车、扫码，讲怎么防诈骗。",
            "社区多功能室",
            "不碰老人的银行卡和密码，支付由老人自己操作。",
            least_age=14,
            conditions="有耐心，说话慢；未满 18 周岁由监护人同意并接送。",
        ),
        "positions": [
            _position("教学员", "一对一教学", 6, skills=["手机教学"]),
            _position("主讲", "讲一个主题", 1, least_hours=5),
        ],
        "pattern": {"weekdays": [3], "slots": "9:30-11:00"},
    },
    {
        "name": "夜间巡防",
        "kind": ServiceKind.EMERGENCY,
        "facts": _facts(
            "两人一组在小区巡查消防通道、门禁、陌生人，汛期看积水。",
            "小区物业值班室",
            "夜里走亮处，不追人，发现情况打 110 或 119；雨天穿反光雨衣。",
            is_risky=True,
        ),
        "positions": [_position("巡防员", "巡查、记录", 2, newcomers=50)],
        "pattern": {"weekdays": [4, 5], "slots": "22:00-00:30"},
    },
)
