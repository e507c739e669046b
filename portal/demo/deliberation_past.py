"""What went before the demonstration's decisions: statements, comments, meetings, an expert; all told in the log."""

from datetime import date, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.deliberation.models.codes import Forum, Stage
from portal.deliberation.models.meetings import Expert
from portal.deliberation.models.topics import Topic
from portal.demo.deliberation_days import AGES, CANTEEN, DOGS, RAMPS
from portal.demo.deliberation_meetings import Tale, held, told
from portal.demo.deliberation_opinions import Statement, Thread, statements, threads
from portal.registry.models import Person, PersonState

SAID: dict[str, tuple[Statement, ...]] = {
    DOGS: (
        ("出门一定要牵绳，进电梯收短", "", 31, 1, 2),
        ("狗拉了不捡的，要在楼门口提醒", "1", 24, 5, 4),
        ("划一块地方让狗跑一跑", "1", 17, 12, 4),
        ("养狗的人自己组织起来互相提醒", "1", 26, 2, 3),
    ),
    RAMPS: (
        ("先修坐轮椅的住户多的门口", "", 28, 1, 2),
        ("坡道要缓，老人自己推得上去", "1", 33, 0, 1),
        ("扶手要两道，高的矮的都能扶", "1", 25, 2, 5),
    ),
    CANTEEN: (
        ("午饭十一点开，老人吃得早", "", 29, 6, 2),
        ("送餐远一点，走不动的送到床前", "1", 34, 1, 1),
        ("少油少盐的菜每天要有", "1", 31, 1, 3),
        ("晚饭也要开，不能只管一顿", "p", 22, 5, 6),
    ),
}
THREADS: dict[str, tuple[Thread, ...]] = {
    DOGS: (("早上遛狗的太早，五点多就叫，能不能定个时间？", ("写进公约了：早上六点以前不让狗在楼下叫。", True)),),
    RAMPS: (("施工的时候轮椅怎么进出？", ("封闭的两天放临时坡板，志愿者在门口帮忙。", True)),),
    CANTEEN: (
        ("我爸咬不动，能不能有软一点的？", ("每天一样软食，在菜单上标“软”。", True)),
        ("三公里是从助餐点算还是从小区门口算？", ("听说从助餐点算，荷塘那边也送到了。", False)),
    ),
}
DOGS_HELD = Tale(
    "文明养犬圆桌会",
    (
        ("志愿者说一个月看到的情况", 10, "赵德明", "一个月数了 41 次没捡、27 次没牵绳，多在早上六点半前后。"),
        (
            "养狗的和不养狗的轮流说",
            35,
            "",
            "养狗的愿意牵绳、捡干净，希望有个地方让狗跑；不养狗的希望儿童乐园不带狗进去。",
        ),
        ("一条一条定公约", 30, "周洁", "四条都念了一遍，改了两处说法。"),
    ),
    "养狗的 12 人、不养狗的 14 人坐在一起，商量出四条公约，全体同意。\n跑狗的地方暂时没有合适的，记下来明年再看。",
    "主持：居委会。\n一、志愿者介绍情况。\n二、轮流发言，每人两分钟。\n三、四条公约逐条同意。\n四、拾便箱放三处，位置再看现场。",
    "同意《文明养犬公约》四条",
    (26, 0, 0),
    26,
    "5 号楼代表",
    "2 号楼代表",
    Forum.ROUND_TABLE,
)
RAMPS_HELD = Tale(
    "单元门口坡道议事会",
    (
        ("残联的人讲现场看到的", 15, "残联刘老师", "14 个门口都有台阶，最高的五级，轮椅一个人上不去。"),
        ("住户发言", 35, "", "坐轮椅的住户希望先修 1、3、5 号楼；一楼住户希望坡道不要挡窗。"),
        ("讨论钱和时间", 30, "赵德明", "区里出八成，社区公益金出两成；年底以前做完。"),
    ),
    "大家商量给 14 个单元门口修坡道、装扶手，先修坐轮椅的住户多的门口。\n提交居民代表会议表决。",
    "主持：居委会。\n一、残联介绍现场。\n二、九位居民发言。\n三、商定修法、先后和钱从哪里来，提交居民代表会议。",
    "把坡道和扶手的方案提交居民代表会议",
    (24, 1, 1),
    26,
)
CANTEEN_HELD = Tale(
    "助餐点议事会",
    (
        ("助餐点报账", 15, "助餐点李站长", "每天堂食七八十人，一点以后没有人来；十一点前常有人在门口等。"),
        ("吃饭的老人说", 35, "", "多数人希望早一点开饭，送餐的范围大一点。"),
        ("归纳成两种方案", 25, "周洁", "十一点开，或者十一点半开；送餐都到三公里。"),
    ),
    "大家提了十七条意见，归纳成两种开饭时间、一个送餐范围，开听证会再听一次。",
    "主持：居委会。\n一、助餐点报账。\n二、十一位老人发言。\n三、归纳成两种方案，请营养师看菜单，再开听证会。",
    "把两种方案拿到听证会上",
    (27, 0, 1),
    28,
    "1 号楼代表",
    "4 号楼代表",
)
CANTEEN_HEARING = Tale(
    "开饭时间和送餐范围听证会",
    (
        ("讲两种方案", 15, "周洁", "十一点开饭要多一位厨师早到；十一点半开饭不用加人。"),
        ("两边各讲理由", 30, "", "老人吃药要按时，希望十一点；上班的家属希望十一点半，好回来帮忙。"),
        ("听证代表表态", 25, "赵德明", "二十位代表里十六位赞成十一点。"),
    ),
    "听证代表多数赞成十一点开饭、送餐到三公里。\n提交居民代表会议表决。",
    "主持：居委会。\n一、介绍方案。\n二、正反两方各四人发言。\n三、听证代表表态，十六比四。",
    "听证会建议十一点开饭、送餐到三公里",
    (16, 4, 0),
    20,
    "听证代表",
    "听证代表",
    Forum.HEARING,
)
# How many days ago each was held.
HELD = {
    DOGS: ((24, DOGS_HELD),),
    RAMPS: ((118, RAMPS_HELD),),
    CANTEEN: ((207, CANTEEN_HELD), (180, CANTEEN_HEARING)),
}


def build_past(session: Session, community: Area, day: date) -> None:
    living = sa.select(Person).where(Person.community_id == community.id, Person.state == PersonState.PRESENT)
    grown = living.where(Person.birth_date < date(day.year - 30, 1, 1), Person.merged_into_id.is_(None))
    people = list(session.scalars(grown.order_by(Person.id).offset(40).limit(45)))
    topics = {one.title: one for one in session.scalars(sa.select(Topic).where(Topic.area_id == community.id))}
    for title in (DOGS, RAMPS, CANTEEN):
        if title not in topics:
            continue
        topic, began, ids = topics[title], AGES[title][Stage.COLLECTING], [one.id for one in people]
        statements(session, topic, ids, SAID[title], began - 2)
        threads(session, topic, ids, THREADS[title], began - 4)
        for ago, tale in HELD[title]:
            held(session, topic, people, clock.at(day - timedelta(days=ago), time(14)), tale)
    if CANTEEN in topics:
        _advised(session, topics[CANTEEN], day)
    session.flush()


def _advised(session: Session, topic: Topic, day: date) -> None:
    asked = clock.at(day - timedelta(days=198), time(10))
    said = {"asked": "十一点开饭、一天两顿，菜要怎么配？", "organisation": "区疾病预防控制中心", "stake": ""}
    said["advice"] = "两顿之间隔六个小时合适。\n每天一样软食、两样少盐，豆制品和深色蔬菜每天都要有。"
    at = asked + timedelta(days=4)
    times = {"invited_at": asked, "advised_at": at, "published_at": at}
    session.add(Expert(topic_id=topic.id, name="沈慧", field="老年营养", by_name="周洁", **said, **times))
    told(session, topic.id, "expert_invited", asked, field="老年营养")
    told(session, topic.id, "expert_published", at, field="老年营养")
