"""Veiling: names and numbers of people are taken out of what residents write for everybody, and the writer is told.

Numbers go by their shape, also where they are written in Chinese figures or with gaps: mobile and landline numbers,
ID and card numbers, chat accounts. Names go by the register of the communities concerned, and by what stands beside
them where the register does not know them. What is put in is never longer than what it replaces.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db
from portal.core.masking import COMPOUND_SURNAMES
from portal.registry.models import Person

PHONE, CARD, CHAT = "〔电话已隐去〕", "〔证件号已隐去〕", "〔账号〕"
SOME = "某"

# Sign for sign, so that what is found in the plain form stands at the same place in the text.
PLAIN = str.maketrans(
    "０１２３４５６７８９零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖ＸｘＯｏ－—–＋",
    "0123456789001234567891123456789XxOo---+",
)
GAP = r"[\s\-._·]?"
MOBILE = re.compile(rf"(?<!\d)(?:\+?86{GAP})?1{GAP}[3-9](?:{GAP}\d){{9}}(?!{GAP}\d)")
ID_CARD = re.compile(rf"(?<!\d)\d(?:{GAP}\d){{16}}{GAP}[\dXx](?!\d)")
LONG = re.compile(rf"(?<!\d)\d(?:{GAP}\d){{14,18}}(?!\d)")
LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[\s\-]?[2-8]\d{6,7}(?!\d)")
# Seven or eight figures may be an amount or a day: a number only where it is called one.
CALLED = re.compile(r"(?:电话|座机|手机|号码|拨打|打|联系|致电)\D{0,4}?(?<!\d)([2-8]\d{6,7})(?!\d)")
ACCOUNT = re.compile(
    r"(?:微信|威信|薇信|扣扣|[QqVv][QqXx])号?码?[是为:：\s]{0,3}([A-Za-z][\w\-]{5,19}|\d{5,12})(?![\w\-])"
)

HAN = re.compile(r"[\u4e00-\u9fff]")
# The hundred commonest surnames, but for those that are mostly words (和, 于, 方, 高, 白…).
SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱林何郭罗梁宋郑谢韩唐冯董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田"
    "任姜范廖邹熊陆郝孔崔邱秦侯邵孟龙万段雷钱汤尹黎易武乔贺赖龚"
)
TITLES = (
    "先生|女士|大爷|大妈|大娘|大叔|大伯|大姐|大哥|阿姨|叔叔|奶奶|爷爷|婆婆|师傅|老师|医生|律师|经理|主任|书记|老板|同志"
)
GIVEN = r"[\u4e00-\u9fff]"
TITLED = re.compile(rf"([{''.join(sorted(SURNAMES))}])({GIVEN}{{1,2}}?)(?={TITLES})")
ENDS = r"(?=[，。、！？；：,.!?;:\s的家说把在是又总不经住]|$)"
NAMED = re.compile(rf"(?:名叫|叫做|叫|姓名[是为:：]?)([{''.join(sorted(SURNAMES))}])({GIVEN}{{1,2}}?){ENDS}")
# Words of every day that could be somebody's name too.
COMMON = """
    高兴 文明 和平 平安 方圆 江山 安宁 安静 金山 白云 方向 程序 马力 成功 石头 梅花 黄金 温和 常青 向阳 钟表 时光
    周全 康乐 乐园 安康 万能 高山 安全 车库 明白 公平 公正 全面 方便 花园 温暖 项目 单元 毛病 平台 华东 白天 于是
    向前 金鱼 关心 强烈 严重 顾客 计划 宁静 康复 幸福 平房 明显 严肃 洪水 古树 应急 古老 长久 长期 开放
"""
WORDS = frozenset(COMMON.split())
LONGEST, SHORTEST = 4, 2


@dataclass(frozen=True)
class Veiled:
    """A text without what was taken out of it; how many names and how many numbers that were."""

    words: str
    names: int = 0
    numbers: int = 0

    @property
    def masked(self) -> bool:
        return bool(self.names or self.numbers)

    def said(self) -> str:
        """What the writer is told of it; "" where nothing was taken out."""
        if self.names and self.numbers:
            return _("里面的姓名和号码已经替您隐去，没有保存。")
        if self.names:
            return _("里面的姓名已经替您隐去，没有保存。")
        return _("里面的号码已经替您隐去，没有保存。") if self.numbers else ""


@dataclass(frozen=True)
class _Cut:
    start: int
    end: int
    put: str
    name: bool = False


def veil(text: str, community_ids: Collection[int]) -> Veiled:
    """What everybody may read of a text; names are looked for in the register of some communities."""
    numbers = _apart([*_numbers(text)])
    plain = _without(text, numbers)
    names = _apart([*_registered(plain, community_ids), *_by_neighbours(plain)])
    return Veiled(_without(plain, names), len(names), len(numbers))


def _numbers(text: str) -> Iterator[_Cut]:
    plain = text.translate(PLAIN)
    for pattern, put in ((ID_CARD, CARD), (LONG, CARD), (MOBILE, PHONE), (LANDLINE, PHONE)):
        yield from (_Cut(found.start(), found.end(), put) for found in pattern.finditer(plain))
    for pattern, put in ((CALLED, PHONE), (ACCOUNT, CHAT)):
        yield from (_Cut(found.start(1), found.end(1), put) for found in pattern.finditer(plain))


def _registered(text: str, community_ids: Collection[int]) -> Iterator[_Cut]:
    """The names of people of these communities, also with gaps between the signs."""
    places = [place for place, sign in enumerate(text) if not sign.isspace()]
    candidates: dict[str, list[tuple[int, int]]] = {}
    for first in range(len(places)):
        for length in range(SHORTEST, LONGEST + 1):
            part = places[first : first + length]
            if len(part) == length and all(HAN.match(text[place]) for place in part):
                candidates.setdefault("".join(text[place] for place in part), []).append((part[0], part[-1] + 1))
    wanted = [name for name in candidates if name not in WORDS]
    if not wanted:
        return
    query = sa.select(Person.name).where(Person.name.in_(wanted), Person.community_id.in_(community_ids)).distinct()
    for name in db.session.scalars(query.order_by(Person.name)):
        yield from (_Cut(start, end, _some(name), name=True) for start, end in candidates[name])


def _by_neighbours(text: str) -> Iterator[_Cut]:
    """Names that the register does not know: before 先生 or 大爷, after 名叫."""
    for pattern in (TITLED, NAMED):
        for found in pattern.finditer(text):
            # A surname right before a title (谢谢王老师) is called by it alone.
            if pattern is TITLED and found[2][-1] in SURNAMES:
                continue
            yield _Cut(found.start(1), found.end(2), _some(found[1] + found[2]), name=True)


def _some(name: str) -> str:
    """王秀英 as 王某某, as such things are written."""
    surname = 2 if name[:2] in COMPOUND_SURNAMES and len(name) > 2 else 1
    return name[:surname] + SOME * (len(name) - surname)


def _apart(cuts: list[_Cut]) -> list[_Cut]:
    """Of cuts that overlap the longest, the first of equals; in order of place."""
    kept: list[_Cut] = []
    for cut in sorted(cuts, key=lambda cut: (cut.start - cut.end, cut.start)):
        if all(cut.end <= other.start or other.end <= cut.start for other in kept):
            kept.append(cut)
    return sorted(kept, key=lambda cut: cut.start)


def _without(text: str, cuts: list[_Cut]) -> str:
    for cut in reversed(cuts):
        text = text[: cut.start] + cut.put + text[cut.end :]
    return text
