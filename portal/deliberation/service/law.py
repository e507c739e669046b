"""The rules that the law has for bodies, as rows to begin from: article, notice, quorum, majority, from when."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from portal.deliberation.models.codes import Body

# Both organisation laws changed on this day; what follows is their earlier text, carried forward until confirmed.
CHANGED = date(2026, 1, 1)
CIVIL_CODE = date(2021, 1, 1)
COMMUNITY = "城市居民委员会组织法第九条、第十条"
VILLAGE = "村民委员会组织法"
CARRIED = "2026年1月1日起两部组织法有修改，本条按修改前的条文沿用，待核对。"
OWNERS = "民法典第二百七十八条；物业管理条例第十四条"


@dataclass(frozen=True)
class LawRow:
    """A row as BodyRule has it. `confirmed`: its text was compared with the statute in force."""

    body: Body
    article: str
    quorum: int
    quorum_of: int
    quorum_over: bool
    passes: int = 1
    passes_of: int = 2
    passes_over: bool = True
    notice_days: int = 0
    by_area: bool = False
    registered_only: bool = False
    valid_from: date = CHANGED
    note: str = CARRIED
    confirmed: bool = False

    def columns(self) -> dict[str, Any]:
        held = asdict(self)
        held.pop("confirmed")
        return held


def _half(body: Body, article: str, **more: Any) -> LawRow:
    return LawRow(body, article, 1, 2, quorum_over=True, **more)


def _two_thirds(body: Body, article: str, **more: Any) -> LawRow:
    return LawRow(body, article, 2, 3, quorum_over=False, **more)


LAW: tuple[LawRow, ...] = (
    _half(Body.RESIDENTS_PERSONS, COMMUNITY),
    _half(Body.RESIDENTS_HOUSEHOLDS, COMMUNITY),
    _half(Body.RESIDENTS_GROUPS, COMMUNITY, note=CARRIED + "每个居民小组推选代表二至三人。"),
    _two_thirds(
        Body.RESIDENT_DELEGATES,
        "城市居民委员会组织法第四章（2026年1月1日起）",
        note="新法才写入居民代表会议，条文待核对；现按各地惯例：三分之二以上成员到会，到会者过半数通过。",
    ),
    _half(Body.VILLAGERS_PERSONS, VILLAGE + "第二十一条、第二十二条", notice_days=10, registered_only=True),
    _two_thirds(Body.VILLAGERS_HOUSEHOLDS, VILLAGE + "第二十一条、第二十二条", notice_days=10, registered_only=True),
    _two_thirds(
        Body.VILLAGE_DELEGATES,
        VILLAGE + "第二十五条、第二十六条",
        note=CARRIED + "浙江等地规定会前三日告知事项，可另立本地规则。",
    ),
    _two_thirds(Body.VILLAGE_GROUP_PERSONS, VILLAGE + "第二十八条", registered_only=True),
    _two_thirds(Body.VILLAGE_GROUP_HOUSEHOLDS, VILLAGE + "第二十八条", registered_only=True),
    _half(
        Body.VILLAGE_ELECTION,
        VILLAGE + "第十四条、第十五条",
        notice_days=20,
        registered_only=True,
        note=CARRIED
        + "选民名册在选举日的二十日前公布；候选人多于名额；登记参加选举的村民过半数投票有效，得票过半数当选。",
    ),
    _half(
        Body.VILLAGE_ELECTION_AGAIN,
        VILLAGE + "第十五条",
        passes=1,
        passes_of=3,
        passes_over=False,
        registered_only=True,
        note=CARRIED + "当选人不足名额的另行选举：得票多的当选，所得票数不少于已投选票的三分之一。",
    ),
    _half(
        Body.VILLAGE_RECALL,
        VILLAGE + "第十六条",
        registered_only=True,
        note=CARRIED + "五分之一以上有选举权的村民或者三分之一以上村民代表联名可以提出；被提出罢免的人有权申辩。",
    ),
    LawRow(
        Body.COMMITTEE,
        "城市居民委员会组织法第十一条；村民委员会组织法第二十九条",
        quorum=0,
        quorum_of=1,
        quorum_over=False,
        note=CARRIED + "法律只写少数服从多数，没有写到会人数。",
    ),
    _two_thirds(
        Body.OWNERS_ORDINARY,
        OWNERS,
        notice_days=15,
        by_area=True,
        valid_from=CIVIL_CODE,
        confirmed=True,
        note="面积和人数两项都要达到。一般事项：参与表决的面积和人数都过半数同意。",
    ),
    _two_thirds(
        Body.OWNERS_SPECIAL,
        OWNERS,
        passes=3,
        passes_of=4,
        passes_over=False,
        notice_days=15,
        by_area=True,
        valid_from=CIVIL_CODE,
        confirmed=True,
        note="第六至八项（筹集维修资金、改建重建、改变共有部分用途或经营）：面积和人数都要四分之三以上同意。",
    ),
)


@dataclass(frozen=True)
class RegionalRow:
    """A province's own row, of the streets and towns whose code begins with its figures (GB/T 2260)."""

    region: str
    row: LawRow


REGIONAL: tuple[RegionalRow, ...] = (
    RegionalRow(
        "33",
        _two_thirds(
            Body.VILLAGE_DELEGATES,
            "浙江省实施村民委员会组织法办法第十八条、第二十三条",
            notice_days=3,
            note=CARRIED + "三百人以上或者居住分散的村设村民代表会议；会前三日告知事项；不得与村民会议的决定相抵触。",
        ),
    ),
)
