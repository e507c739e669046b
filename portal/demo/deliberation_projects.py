"""The demonstration's projects in the five steps of 三社联动: one that is being carried out, one that was assessed."""

from typing import Any

from portal.deliberation.models.codes import ProjectStep
from portal.demo.deliberation_days import CANTEEN, RAMPS

P = ProjectStep
# Its name, the step it is in, how many days ago it ended, what each step wrote down, how many days ago each began.
Row = tuple[str, ProjectStep, int, dict[ProjectStep, dict[str, Any]], tuple[int, ...]]
PROJECTS: dict[str, Row] = {
    RAMPS: (
        "单元门口无障碍改造",
        P.CARRY_OUT,
        0,
        {
            P.NEED: {
                "who": "居民建议",
                "group": "坐轮椅的、推童车的、腿脚不便的老人",
                "evidence": "入户走访 214 户，63 户说进出单元门困难。",
                "supports": "48",
            },
            P.DESIGN: {
                "aim": "年底以前，1 至 7 号楼的每个单元门都能自己推轮椅进出。",
                "target": "全体住户，先照顾 23 位坐轮椅的居民",
                "content": "14 个门口修坡道、装扶手、铺防滑面。",
                "output": "坡道 14 处，扶手 28 副，请居民试走 14 次。",
                "budget": 9_600_000,
                "source": "lottery",
            },
            P.AWARD: {
                "notice": "在社区公告栏和门户公布十天，三家报名。",
                "deadline": "公告后第十天",
                "winner": "春晖社会工作服务中心",
                "grade": "4A 级社会组织",
                "scores": "方案 38、经验 27、报价 26，共 91 分",
                "published": "结果公示五个工作日，没有异议。",
            },
            P.CARRY_OUT: {
                "agreement": "社区、物业和服务中心三方协议",
                "milestones": "图纸、九个门口、十四个门口、试走",
                "staff": "社工 2 人，志愿者 11 人",
                "records": "每周一贴进度，已经贴了 9 次。",
                "spent": 5_180_000,
            },
        },
        (69, 64, 58, 47),
    ),
    CANTEEN: (
        "助餐点延时和送餐",
        P.ASSESS,
        42,
        {
            P.NEED: {
                "who": "社区和居民",
                "group": "独居和走不动的老人",
                "evidence": "三次听意见，112 人到场。",
                "supports": "67",
            },
            P.DESIGN: {
                "aim": "十一点能吃上午饭，三公里内有人送。",
                "target": "六十岁以上的居民",
                "content": "改时间、添桌子、添送餐车。",
                "output": "每天送餐 30 户以上，堂食 80 人以上。",
                "budget": 1_000_000,
                "source": "own",
            },
            P.AWARD: {
                "notice": "在社区公告栏和门户公布七天，两家报名。",
                "winner": "春风里助餐点的运营单位",
                "published": "结果公示五个工作日，没有异议。",
            },
            P.CARRY_OUT: {
                "agreement": "运营合同的补充协议",
                "staff": "送餐员 2 人，志愿者 6 人",
                "records": "送餐登记 88 天，每天 36 户。",
                "spent": 973_000,
            },
            P.ASSESS: {
                "satisfied": "93",
                "output": "堂食每天 96 人，送餐每天 36 户，都达到了。",
                "finance": "账目公布过，没有超支。",
                "third": "街道请区养老服务协会看过",
                "verdict": "excellent",
            },
        },
        (127, 124, 119, 112, 60),
    ),
}
