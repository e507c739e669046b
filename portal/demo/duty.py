"""The demonstration's rota and announcements: last week to next week, one uncovered evening, a swap asked."""

from datetime import date, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core.clock import at, now, today
from portal.duty.models import Cover, Fallback, Shift, ShiftRole, Swap, Turn, WorkPhone
from portal.duty.service.words import facts_of
from portal.identity.models import Account
from portal.notifications.models import Announcement, AnnouncementState, AnnouncementTag
from portal.registry.models import TagKind

# One account of the desk a community; their street's administrator leads.
DESK = {"999901001001": ("worker", "case"), "999901001002": ("worker2", "grid")}
PHONES = {"worker": "0571-88886601", "case": "0571-88886602", "worker2": "0571-88886603", "grid": "0571-88886604",
          "street": "0571-88886600"}  # fmt: skip
# Nobody is on duty on the Thursday of next week yet, so that the desk has an hour to notice.
UNPLANNED = 10
# title, body, area, tags, urgent
NOTICES = (
    (
        "春晖街道 12 月停水检修通知",
        (
            "因自来水管网检修，11 月 30 日 9:00 至 17:00 春风里、荷塘两个社区停水。\n"
            "请提前储水，关好水龙头。\n咨询电话：0571-88886600。"
        ),
        "999901001",
        (),
        True,
    ),
    (
        "周三上午义诊",
        (
            "家庭医生团队本周三 8:30 至 11:00 在日间照料中心义诊，可测血压、血糖，看慢病用药。\n"
            "行动不便的居民可以打电话约上门。"
        ),
        "999901001001",
        (),
        False,
    ),
    (
        "独居和空巢老人冬季安全提醒",
        "天冷用电用气请小心：出门关火，电热毯不过夜，煤气灶旁不放杂物。\n社区会逐户上门检查燃气软管，不收费。",
        "999901001001",
        (TagKind.LIVING_ALONE, TagKind.EMPTY_NEST),
        False,
    ),
    (
        "荷塘社区议事会征集议题",
        "小区东门停车、非机动车棚改造，您怎么看？请在 12 月 10 日前告诉网格员。",
        "999901001002",
        (),
        False,
    ),
)


def build_duty(session: Session, areas: dict[str, Area]) -> None:
    """Three weeks of shifts round today, the hours that must be covered, and who stands in."""
    query = sa.select(Account).where(Account.username.in_(PHONES)).order_by(Account.id)
    accounts = {str(account.username): account for account in session.scalars(query)}
    for login, phone in PHONES.items():
        session.add(WorkPhone(account_id=accounts[login].id, phone=phone))
    monday = today() - timedelta(days=today().weekday())
    for code, (first, second) in DESK.items():
        community = areas[code]
        session.add(Fallback(community_id=community.id, account_id=accounts["street"].id, phone=PHONES["street"]))
        for weekday in range(6):
            opens, closes = (time(8, 30), time(17, 30)) if weekday < 5 else (time(9), time(12))
            session.add(Cover(community_id=community.id, weekday=weekday, opens=opens, closes=closes))
        for offset in range(-7, 22):
            if offset != UNPLANNED:
                _day(session, community, monday + timedelta(days=offset), accounts[first], accounts[second])
    session.flush()
    _swap(session, areas["999901001001"], accounts)


def _day(session: Session, community: Area, day: date, first: Account, second: Account) -> None:
    """On workdays one at the counter and every other evening one at the telephone; on Saturdays a half day."""
    odd = day.toordinal() % 2
    if day.weekday() < 5:
        _shift(session, community, (day, time(8, 30), time(17, 30)), ShiftRole.COUNTER, (first, second)[odd])
        _shift(session, community, (day, time(17, 30), time(21)), ShiftRole.TELEPHONE, (second, first)[odd])
    elif day.weekday() == 5:
        _shift(session, community, (day, time(9), time(12)), ShiftRole.COUNTER, (first, second)[odd])


def _shift(
    session: Session, community: Area, span: tuple[date, time, time], role: ShiftRole, account: Account
) -> Shift:
    day, opens, closes = span
    shift = Shift(
        community_id=community.id,
        place="社区服务大厅" if role is ShiftRole.COUNTER else "值班室",
        role=role,
        starts_at=at(day, opens),
        ends_at=at(day, closes),
    )
    shift.turns = [Turn(account_id=account.id)]
    session.add(shift)
    return shift


def _swap(session: Session, community: Area, accounts: dict[str, Account]) -> None:
    """许文静 asks 周洁 to take her next turn."""
    asker, taker = accounts["case"], accounts["worker"]
    query = (
        sa.select(Turn)
        .join(Shift)
        .where(Shift.community_id == community.id, Turn.account_id == asker.id, Shift.starts_at > now())
        .order_by(Shift.starts_at.desc(), Turn.id)
    )
    turn = session.scalars(query).first()
    if turn is not None:
        swap = Swap(community_id=community.id, turn_id=turn.id, asker_id=asker.id, taker_id=taker.id, asked_at=now())
        swap.subject, swap.reason = [facts_of(turn.shift)], "家里老人复查"
        session.add(swap)


def build_announcements(session: Session, areas: dict[str, Area]) -> None:
    moment = now()
    for age, (title, body, code, tags, urgent) in enumerate(NOTICES):
        announcement = Announcement(
            area_id=areas[code].id,
            title=title,
            body=body,
            is_urgent=urgent,
            from_at=moment - timedelta(days=age + 1),
            until_at=moment + timedelta(days=14),
            state=AnnouncementState.PUBLISHED,
            written_at=moment - timedelta(days=age + 1),
            written_by="demo",
            written_by_name="周洁",
            published_at=moment - timedelta(days=age + 1),
        )
        announcement.tags = [AnnouncementTag(kind=kind) for kind in tags]
        session.add(announcement)
    session.flush()
