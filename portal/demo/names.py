"""Plausible names for people who do not exist, drawn from a seeded source."""

import random
from datetime import date

from portal.core.ids import Sex, check_digit

SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
COMPOUND = ("欧阳", "诸葛", "上官", "司马")
OLD_WOMEN = (
    "秀英",
    "桂兰",
    "玉珍",
    "淑芬",
    "凤英",
    "翠花",
    "素珍",
    "月娥",
    "桂芳",
    "彩云",
    "兰香",
    "惠珍",
    "春梅",
    "金凤",
)
OLD_MEN = (
    "建国",
    "德明",
    "志强",
    "国华",
    "永福",
    "文斌",
    "长根",
    "家栋",
    "学文",
    "金生",
    "福根",
    "振华",
    "水根",
    "大成",
)
WOMEN = ("丽华", "雅琴", "小燕", "晓芳", "静怡", "婷婷", "雪梅", "思雨", "佳慧", "欣怡", "海燕", "美玲", "诗涵", "雨桐")
MEN = ("伟", "海涛", "俊杰", "浩然", "子轩", "志远", "立新", "宏伟", "宇航", "建平", "晓东", "明辉", "一鸣", "天佑")


def surname(source: random.Random) -> str:
    return source.choice(COMPOUND) if source.random() < 0.01 else source.choice(SURNAMES)


def given(source: random.Random, sex: Sex, born: date) -> str:
    old = born.year < 1965
    women, men = (OLD_WOMEN, OLD_MEN) if old else (WOMEN, MEN)
    return source.choice(women if sex is Sex.FEMALE else men)


# Who has an account is met once, in her own place.
TAKEN = {
    "王建国": "王德明",
    "王秀英": "王桂兰",
    "何立新": "何宏伟",
    "沈一鸣": "沈明辉",
    "冯静怡": "冯雪梅",
    "江学文": "江家栋",
}


def nobodys(name: str) -> str:
    """The name, or another where it is that of an account."""
    return TAKEN.get(name, name)


class Numbers:
    """ID numbers of the region that does not exist: orders 900 and up.

    With the demonstration's seed none of them stands in the sample register; a test holds it."""

    def __init__(self) -> None:
        self._used: dict[tuple[date, Sex], int] = {}

    def next(self, born: date, sex: Sex) -> str:
        turn = self._used.get((born, sex), 0)
        self._used[born, sex] = turn + 1
        first = f"999901{born:%Y%m%d}{900 + 2 * turn + (1 if sex is Sex.MALE else 0):03d}"
        return first + check_digit(first)
