"""The demonstration's resources: facilities with rooms, organisations, staff with certificates, teams and stock."""

from datetime import date, time, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core.clock import now, today
from portal.registry.models import (
    Certificate,
    Facility,
    FacilityKind,
    Organisation,
    OrganisationKind,
    Person,
    Room,
    RoomUse,
    Staff,
    StaffKind,
    Standing,
    StockEntry,
    StockItem,
    StockReason,
    TeamMember,
    VolunteerTeam,
)
from portal.registry.service.resources import hours

Use = tuple[str, int, int, int, str]
Place = tuple[str, FacilityKind, str, str, str, tuple[str, ...], tuple[tuple[str, int, tuple[Use, ...]], ...]]
Body = tuple[str, OrganisationKind, Standing, str, str, int | None, int | None]
Papers = tuple[tuple[str, int | None], ...]
Goods = tuple[str, str, str, int, tuple[tuple[StockReason, int, str], ...]]
OFFICE, LONG = "周一至周五 8:30-11:30 14:00-17:30；周六 9:00-11:30", "每天 7:00-21:00"
# name, kind, m², address, hours, what makes it easy, rooms as (name, capacity, uses as (name, weekday, from, to, by))
FACILITIES: tuple[Place, ...] = (
    (
        "党群服务中心",
        FacilityKind.SERVICE_CENTRE,
        "420.00",
        "1 号楼北侧临街",
        OFFICE,
        ("ramp", "low_counter", "toilet", "wheelchair"),
        (
            (
                "多功能室",
                60,
                (
                    ("居民议事会", 0, 9, 11, "社区居委会"),
                    ("手机课堂", 2, 9, 11, "社区社工站"),
                    ("合唱队排练", 2, 14, 16, "夕阳红合唱队"),
                    ("法律咨询", 4, 14, 17, "社区法律顾问"),
                ),
            ),
            ("调解室", 8, (("人民调解", 1, 9, 11, "调解委员会"),)),
        ),
    ),
    (
        "日间照料中心",
        FacilityKind.ELDER_CARE,
        "286.50",
        "3 号楼一层",
        "每天 8:00-17:00",
        ("ramp", "handrail", "toilet"),
        (
            ("休息室", 20, (("午休", 0, 12, 14, ""),)),
            ("康复室", 12, (("健康操", 1, 9, 10, "家庭医生团队"), ("血压测量", 3, 8, 10, "家庭医生团队"))),
        ),
    ),
    ("图书阅览室", FacilityKind.READING, "75.00", "党群服务中心二层", "周二至周日 9:00-17:00", ("lift",), ()),
    ("健身广场", FacilityKind.SPORTS, "960.00", "小区中心绿地", LONG, ("ramp",), ()),
    ("应急避难场所", FacilityKind.SHELTER, "2400.00", "小学操场", "全天", (), ()),
)
ORGANISATIONS: tuple[Body, ...] = (
    ("社区社会工作站", OrganisationKind.SOCIAL, Standing.REGISTERED, "52999901MJ00000180", "", 3, 300),
    ("老年协会", OrganisationKind.COMMUNITY_GROUP, Standing.FILED, "", "春晖备字〔2024〕12 号", None, None),
    ("安居物业服务有限公司", OrganisationKind.PROPERTY, Standing.REGISTERED, "91999901MJ0000018Y", "", None, None),
    ("业主委员会", OrganisationKind.OWNERS, Standing.FILED, "", "春晖业备〔2023〕5 号", None, None),
    ("好邻居超市", OrganisationKind.SHOP, Standing.NONE, "", "", None, None),
    ("春晖公益服务中心", OrganisationKind.SOCIAL, Standing.REGISTERED, "51999901MJ00000183", "", 4, -20),
)
# name, category, organisation's place in the list above, certificates as (name, days until it ends, or None)
STAFF: tuple[tuple[str, StaffKind, int | None, Papers], ...] = (
    ("方晓岚", StaffKind.SOCIAL_WORKER, 0, (("社会工作师", 400), ("心理咨询培训合格证", 35))),
    ("陆家明", StaffKind.DOCTOR, None, (("医师执业证书", None), ("全科医生转岗培训证", 900))),
    ("孟庆华", StaffKind.MEDIATOR, None, (("人民调解员证", -12),)),
    ("杜秋萍", StaffKind.CARER, 0, (("养老护理员三级", 700), ("健康证", 20))),
    ("汪律师", StaffKind.LAWYER, None, (("律师执业证", 180),)),
    ("钱师傅", StaffKind.PROPERTY, 2, (("低压电工操作证", 50),)),
    ("苗苗", StaffKind.CHILD_OFFICER, None, ()),
)
TEAMS = (
    ("夕阳红陪伴队", "陪独居老人聊天、散步、看病", 8),
    ("绿色家园队", "楼道清扫、垃圾分类劝导", 12),
    ("应急救护队", "急救、防汛、疏散", 6),
)
# name, unit, place, warning level, movements as (reason, count, note)
STOCK: tuple[Goods, ...] = (
    (
        "大米（5 公斤）",
        "袋",
        "党群服务中心库房",
        20,
        ((StockReason.DONATED, 60, "爱心企业捐赠"), (StockReason.GIVEN, 46, "重阳节慰问")),
    ),
    (
        "食用油（5 升）",
        "桶",
        "党群服务中心库房",
        10,
        ((StockReason.BOUGHT, 40, ""), (StockReason.GIVEN, 18, "重阳节慰问")),
    ),
    ("轮椅", "辆", "日间照料中心", 1, ((StockReason.DONATED, 4, "残联配发"), (StockReason.LENT, 2, "6 号楼老人借用"))),
    ("防汛沙袋", "个", "物业仓库", 100, ((StockReason.BOUGHT, 200, "汛前储备"),)),
    (
        "一次性口罩",
        "盒",
        "党群服务中心库房",
        50,
        ((StockReason.BOUGHT, 100, ""), (StockReason.USED, 65, "窗口和志愿队领用")),
    ),
)


def build_resources(session: Session, areas: dict[str, Area]) -> None:
    """The whole list in the first community, the half of it in the others."""
    for turn, code in enumerate(("999901001001", "999901001002", "999901001203")):
        _community(session, areas[code].id, turn)
    session.flush()


def _community(session: Session, community_id: int, turn: int) -> None:
    short = {0: "春风里", 1: "荷塘", 2: "芷溪"}[turn]
    most = None if turn == 0 else 3
    for number, facts in enumerate(FACILITIES[:most]):
        session.add(_facility(community_id, short, f"0571-8888{turn}{number:03d}", facts))
    made = [_organisation(community_id, short, turn, facts) for facts in ORGANISATIONS[:most]]
    session.add_all(made)
    session.flush()
    for number, (name, kind, place, papers) in enumerate(STAFF[:most]):
        belongs = made[place].id if place is not None else None
        session.add(_staff(community_id, (name, kind), f"1390000{turn}{number:03d}", belongs, papers))
    members = list(
        session.scalars(sa.select(Person).where(Person.community_id == community_id).order_by(Person.id).limit(60))
    )
    for number, (name, purpose, count) in enumerate(TEAMS[:most]):
        session.add(_team(community_id, short + name, purpose, members[number * 15 : number * 15 + count]))
    for item in STOCK[:most]:
        _stock(session, community_id, item)


def _facility(community_id: int, short: str, phone: str, facts: Place) -> Facility:
    name, kind, area, address, opening, eases, rooms = facts
    facility = Facility(
        community_id=community_id,
        name=short + name,
        kind=kind,
        area_m2=Decimal(area),
        address=address,
        phone=phone,
        hours=hours.parse(opening),
        eases=list(eases),
    )
    facility.rooms = [_room(*room) for room in rooms]
    return facility


def _room(name: str, capacity: int, uses: tuple[Use, ...]) -> Room:
    room = Room(name=name, capacity=capacity, is_accessible=True)
    room.uses = [
        RoomUse(name=use, weekday=weekday, opens=time(opens), closes=time(closes), held_by=by)
        for use, weekday, opens, closes, by in uses
    ]
    return room


def _organisation(community_id: int, short: str, turn: int, facts: Body) -> Organisation:
    name, kind, standing, uscc, filed, grade, days = facts
    return Organisation(
        community_id=community_id,
        name=short + name,
        kind=kind,
        standing=standing,
        uscc=uscc if turn == 0 and uscc else None,
        filed_number=filed,
        grade=grade,
        grade_from=date(2021, 12, 1) if grade else None,
        grade_until=today() + timedelta(days=days) if days else None,
        contact_name="联系人" + str(turn + 1),
        contact_phone=f"1380001{turn}{len(name):03d}",
        phone=f"0571-8889{turn}{len(name):03d}",
        hours=hours.parse(LONG if kind is OrganisationKind.SHOP else OFFICE),
    )


def _staff(community_id: int, who: tuple[str, StaffKind], phone: str, belongs: int | None, papers: Papers) -> Staff:
    member = Staff(community_id=community_id, name=who[0], kind=who[1], phone=phone, organisation_id=belongs)
    member.certificates = [
        Certificate(name=name, issued_on=date(2023, 6, 1), expires_on=today() + timedelta(days=days) if days else None)
        for name, days in papers
    ]
    return member


def _team(community_id: int, name: str, purpose: str, people: list[Person]) -> VolunteerTeam:
    team = VolunteerTeam(community_id=community_id, name=name, purpose=purpose, founded_on=date(2023, 3, 5))
    team.leader_id = people[0].id if people else None
    team.members = [TeamMember(person_id=person.id, since=date(2023, 3, 5)) for person in people]
    return team


def _stock(session: Session, community_id: int, facts: Goods) -> None:
    name, unit, place, low_below, moves = facts
    item = StockItem(community_id=community_id, name=name, unit=unit, place=place, low_below=low_below, quantity=0)
    session.add(item)
    session.flush()
    for age, (reason, count, note) in zip(range(30, 0, -10), moves, strict=False):
        delta = count if reason.brings else -count
        item.quantity += delta
        entry = StockEntry(item_id=item.id, delta=delta, left_after=item.quantity, reason=reason, note=note)
        entry.at, entry.by, entry.by_name = now() - timedelta(days=age), "demo", "周洁"
        session.add(entry)
        session.flush()
