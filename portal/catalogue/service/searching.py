"""Finding an item in a resident's own words: synonyms of the staff, pinyin, and a ranking by the field that holds them.

A catalogue of a community and its street has some hundred items: they are read once, lean, and ranked here, alike on
both databases.
"""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa

from portal.areas.models import Area
from portal.catalogue.models.items import Item, Synonym
from portal.catalogue.service import grounds, items
from portal.catalogue.service.items import Brief
from portal.core import search
from portal.core.clock import today
from portal.core.db import db

LONGEST = 40
Groups = tuple[tuple[str, ...], ...]
# What a sentence says besides what it is about; taken out before anything is compared. Longer ones first.
FILLERS = re.compile(
    "|".join(
        sorted(
            (
                *(
                    "我想要",
                    "我想",
                    "想要",
                    "我要",
                    "怎么办理",
                    "怎么办",
                    "怎样",
                    "怎么",
                    "如何",
                    "哪里",
                    "哪儿",
                    "在哪",
                    "什么",
                ),
                *(
                    "可以",
                    "能不能",
                    "有没有",
                    "谁来",
                    "谁能",
                    "帮我",
                    "帮忙",
                    "帮",
                    "请问",
                    "请",
                    "一下",
                    "办理",
                    "附近",
                    "社区",
                ),
                *(
                    "没人",
                    "有人",
                    "给我",
                    "给",
                    "需要",
                    "咋办",
                    "咋",
                    "多少钱",
                    "去哪",
                    "我妈",
                    "我爸",
                    "我家",
                    "家里",
                    "我",
                ),
                *("吗", "呢", "的", "了", "啊", "吧", "哪", "去", "想", "要", "有", "人", "个", "来", "找"),
            ),
            key=len,
            reverse=True,
        )
    )
)
LATIN = re.compile(r"[a-z]+")
TITLE, KEYWORDS, SYNONYMS, SUMMARY, PROVIDER = 10.0, 9.0, 6.0, 4.0, 2.0
# What a word that a synonym stands for is worth of one that was said; what neighbouring signs and single signs are.
SYNONYM, PAIR, SIGN = 0.9, 0.7, 0.2
# What is less is not what was meant; nor is what reaches less than a share of the best.
LEAST, NEAR_BEST = 2.6, 0.65
# Of the signs that were said, the nearest titles hold one in so many at least.
NEAR_SHARE = 3


@dataclass(frozen=True)
class Entry:
    """An item as the search reads it: its normal texts, and what a list shows of it."""

    brief: Brief
    title: str
    keywords: str
    summary: str
    provider: str
    initials: str
    pinyin: str


@dataclass(frozen=True)
class Found:
    """What a search found, best first; where nothing, the titles that are nearest."""

    words: str
    items: Sequence[Brief]
    near: Sequence[Brief] = ()


@cache
def _rows() -> sa.Select[Any]:
    return items.lean().add_columns(Item.keywords, Item.initials, Item.pinyin)


@cache
def _groups() -> sa.Select[Any]:
    areas: sa.BindParameter[Any] = sa.bindparam("areas", expanding=True)
    return sa.select(Synonym.words).where(Synonym.area_id.in_(areas)).order_by(Synonym.id)


def find(community: Area, words: str, *, most: int = 20) -> Found:
    """What a community's residents mean by some words; `near` only where nothing was found."""
    asked = search.normalise(words)[:LONGEST]
    if not asked:
        return Found("", [])
    around = grounds.around(community)
    rows = db.session.execute(_rows(), {"areas": around, "day": today()})
    entries = [_entry(row) for row in rows]
    groups: list[list[str]] = list(db.session.scalars(_groups(), {"areas": around}))
    found = ranked(entries, asked, groups)[:most]
    near = [] if found else _nearest(entries, asked)
    return Found(words.strip()[:LONGEST], [entry.brief for entry in found], [entry.brief for entry in near])


def _entry(row: sa.Row[Any]) -> Entry:
    columns = tuple(row)
    keywords, initials, pinyin = columns[-3:]
    brief = Brief(*columns[:-3])
    return Entry(
        brief,
        search.normalise(brief.title),
        search.normalise(keywords),
        search.normalise(brief.summary),
        search.normalise(brief.provider),
        initials,
        pinyin.replace(" ", ""),
    )


def ranked(entries: Sequence[Entry], asked: str, groups: Collection[Sequence[str]]) -> list[Entry]:
    """The entries that some words mean, best first."""
    letters = asked.replace(" ", "")
    if LATIN.fullmatch(letters):
        weight = {entry.brief.id: _by_sound(entry, letters) for entry in entries}
    else:
        weight = _by_words(entries, asked, tuple(tuple(group) for group in groups))
    best = max(weight.values(), default=0.0)
    meant = [entry for entry in entries if weight[entry.brief.id] >= max(LEAST, best * NEAR_BEST)]
    return sorted(meant, key=lambda entry: (-weight[entry.brief.id], entry.brief.id))


def _by_sound(entry: Entry, letters: str) -> float:
    """Letters are the first of each sign (lf for 理发), or whole syllables."""
    if len(letters) < 2:
        return 0.0
    if entry.initials.startswith(letters):
        return TITLE + 1
    return TITLE if letters in entry.initials or letters in entry.pinyin else 0.0


def _by_words(entries: Sequence[Entry], asked: str, groups: Groups) -> dict[int, float]:
    """Whole words weigh by the field that holds them; pairs of signs and single signs also by how rare they are."""
    core = FILLERS.sub(" ", asked).split() or asked.split()
    terms = dict.fromkeys(core, 1.0)
    for group in groups:
        if any(word in asked for word in group):
            for word in group:
                terms.setdefault(word, SYNONYM)
    fields = {entry.brief.id: _fields(entry, groups) for entry in entries}
    parts = _parts(core, [" ".join(text for text, _worth in held) for held in fields.values()])
    return {number: _whole(held, terms) + _partly(held, parts) for number, held in fields.items()}


def _fields(entry: Entry, groups: Groups) -> list[tuple[str, float]]:
    """The texts of an entry with their worth; what the staff say its words mean is one of them."""
    return [
        (entry.title, TITLE),
        (entry.keywords, KEYWORDS),
        (_meant(f"{entry.title} {entry.keywords}", groups), SYNONYMS),
        (entry.summary, SUMMARY),
        (entry.provider, PROVIDER),
    ]


@lru_cache(maxsize=4096)
def _meant(own: str, groups: Groups) -> str:
    """The words of every group that a text has a word of: the same for each search until one of them changes."""
    return " ".join(word for group in groups if any(word in own for word in group) for word in group)


def _parts(core: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """The pairs and single signs of what was said, with their weight: the rarer, the more they tell."""
    pairs = {pair: PAIR for word in core for pair in search.bigrams(word) if len(pair) == 2}
    signs = {sign: SIGN for word in core for sign in word}
    whole = math.log(len(texts) + 1)
    held = {part: sum(part in text for text in texts) for part in (*pairs, *signs)}
    return {
        part: share * (math.log((len(texts) + 1) / (held[part] + 0.5)) / whole)
        for part, share in (pairs | signs).items()
        if held[part]
    }


def _whole(fields: Sequence[tuple[str, float]], terms: dict[str, float]) -> float:
    """The three words that speak most for an entry; a short one says less."""
    found = [
        share * worth * min(1.0, 0.4 + 0.3 * len(term))
        for term, share in terms.items()
        for worth in [max((worth for text, worth in fields if term in text), default=0.0)]
    ]
    return sum(sorted(found, reverse=True)[:3])


def _partly(fields: Sequence[tuple[str, float]], parts: dict[str, float]) -> float:
    return sum(
        share * max((worth for text, worth in fields if part in text), default=0.0) for part, share in parts.items()
    )


def _nearest(entries: Sequence[Entry], asked: str) -> list[Entry]:
    """The titles that share the most signs with some words: a way on where nothing was found."""
    signs = set(FILLERS.sub("", asked)) or set(asked)
    shared = [(len(signs & set(entry.title + entry.keywords)), entry) for entry in entries]
    like = [pair for pair in shared if pair[0] * NEAR_SHARE >= len(signs)]
    near = sorted(like, key=lambda pair: (-pair[0], pair[1].brief.id))
    return [entry for _count, entry in near[:3]]


def sounds(title: str) -> tuple[str, str]:
    """The first letters and the whole sound of a title, as an item keeps them."""
    return search.initials(title)[:80], search.pinyin(title)[:320]
