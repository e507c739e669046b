"""Finding by words: one normal form, bigrams for the full-text index, and pinyin that knows surnames."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

# How a surname is read where a dictionary of common words reads otherwise, or might in some phrase. Where
# families differ (盖 ge or gai, 覃 qin or tan), one reading stands.
SURNAME_READINGS = {
    "万俟": ("mo", "qi"), "萬俟": ("mo", "qi"), "尉迟": ("yu", "chi"), "尉遲": ("yu", "chi"),
    "长孙": ("zhang", "sun"), "長孫": ("zhang", "sun"), "澹台": ("tan", "tai"), "澹臺": ("tan", "tai"),
    "乐正": ("yue", "zheng"), "樂正": ("yue", "zheng"), "单": ("shan",), "單": ("shan",), "仇": ("qiu",),
    "曾": ("zeng",), "解": ("xie",), "区": ("ou",), "區": ("ou",), "朴": ("piao",), "查": ("zha",),
    "盖": ("ge",), "蓋": ("ge",), "乐": ("yue",), "樂": ("yue",), "洗": ("xian",), "燕": ("yan",),
    "华": ("hua",), "任": ("ren",), "翟": ("zhai",), "褚": ("chu",), "缪": ("miao",), "繆": ("miao",),
    "秘": ("bi",), "祭": ("zhai",), "覃": ("qin",), "折": ("she",), "种": ("chong",), "召": ("shao",),
    "么": ("yao",), "郇": ("xun",), "佴": ("nai",), "员": ("yun",), "員": ("yun",), "贠": ("yun",),
    "薄": ("bo",), "角": ("jue",), "句": ("gou",), "阚": ("kan",), "闞": ("kan",), "能": ("nai",),
    "粘": ("nian",), "繁": ("po",), "都": ("du",), "乜": ("nie",), "卜": ("bu",), "蔚": ("yu",),
    "铫": ("yao",), "那": ("na",), "葛": ("ge",), "车": ("che",), "石": ("shi",), "盛": ("sheng",),
    "宿": ("su",), "叶": ("ye",), "沈": ("shen",), "纪": ("ji",), "贾": ("jia",), "俞": ("yu",),
    "万": ("wan",),
}  # fmt: skip
WORD = re.compile(r"[^\W_]+")


def normalise(text: str) -> str:
    """Half-width, lower-case, trimmed, single spaces: the form in which texts are kept and compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def bigrams(text: str) -> list[str]:
    """Every pair of neighbouring signs, word by word; one sign alone stands for itself. 停水了 -> 停水 水了."""
    return [word[start : start + 2] for word in WORD.findall(normalise(text)) for start in range(max(1, len(word) - 1))]


def pinyin(name: str) -> str:
    """A person's name in syllables parted by spaces (shan tian fang), which sorts as a dictionary does."""
    return " ".join(_syllables(name))


def initials(name: str) -> str:
    """The first letters of a person's name: 单田芳 -> stf."""
    return "".join(syllable[0] for syllable in _syllables(name))


def _syllables(name: str) -> list[str]:
    text = normalise(name)
    surname = next((text[:length] for length in (2, 1) if text[:length] in SURNAME_READINGS), "")
    return [*SURNAME_READINGS.get(surname, ()), *_reader()(text[len(surname) :])]


@cache
def _reader() -> Callable[[str], list[str]]:
    # Here and not above: importing its dictionaries takes 0.2 s and much memory, which most processes never need.
    from pypinyin import lazy_pinyin  # noqa: PLC0415
    from pypinyin.constants import PHRASES_DICT  # noqa: PLC0415

    _share_equals(PHRASES_DICT.values())

    # What has no reading (Latin words, figures, a character too rare for the dictionary) stands for itself.
    return lambda text: [word for syllable in lazy_pinyin(text) for word in WORD.findall(syllable)]


def _share_equals(phrases: Iterable[list[list[str]]]) -> None:
    """The dictionary holds a list and a text for each sign of each phrase; one for all equal ones saves 30 MB."""
    known: dict[tuple[str, ...], list[str]] = {}
    for readings in phrases:
        readings[:] = [known.setdefault(tuple(reading), reading) for reading in readings]
