"""Two hundred queries as residents say them, with the services they mean; half were used for tuning, half were not."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.catalogue.models.codes import ItemKind, ProviderKind
from portal.catalogue.service import dictionary, searching
from portal.catalogue.service.items import Brief
from portal.catalogue.service.samples.words import GROUPS
from portal.catalogue.service.searching import Entry
from portal.core import search
from portal.demo import services

TABLE = Path(__file__).parent / "data" / "service_queries.csv"
SHOWN = 3


@dataclass(frozen=True)
class Query:
    part: str
    words: str
    titles: frozenset[str]


@dataclass(frozen=True)
class Marks:
    """Of what was shown in the first three, the share that was meant; of what was meant, the share that was shown;
    and the share of queries whose first answer was meant.
    """

    queries: int
    precision: float
    recall: float
    first: float
    missed: Sequence[tuple[str, list[str]]]


def queries(part: str = "") -> list[Query]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        rows = [Query(row["part"], row["query"], frozenset(row["titles"].split("；"))) for row in csv.DictReader(lines)]
    return [query for query in rows if not part or query.part == part]


def entries() -> list[Entry]:
    """The demonstration's services as a search reads them."""
    return [_entry(number, offer) for number, offer in enumerate(services.offers(), start=1)]


def _entry(number: int, offer: services.Offer) -> Entry:
    initials, pinyin = searching.sounds(offer.title)
    kind = ProviderKind.COMMUNITY
    brief = Brief(number, offer.title, offer.summary, ItemKind.INFORMATION, [], None, offer.by, kind)
    texts = [search.normalise(text) for text in (offer.title, offer.said, offer.summary, offer.by)]
    return Entry(brief, texts[0], texts[1], texts[2], texts[3], initials, pinyin.replace(" ", ""))


def answers(words: str, held: Sequence[Entry], groups: Sequence[Sequence[str]]) -> list[str]:
    found = searching.ranked(held, search.normalise(words), groups)
    return [entry.brief.title for entry in found[:SHOWN]]


def marks(part: str = "") -> Marks:
    """How well the search does on a part of the set, or on all of it."""
    held, groups = entries(), [dictionary.words_in(group) for group in GROUPS]
    asked = queries(part)
    found = [(query, answers(query.words, held, groups)) for query in asked]
    shown = sum(len(titles) for _query, titles in found)
    right = sum(len(query.titles & set(titles)) for query, titles in found)
    meant = sum(len(query.titles) for query in asked)
    first = sum(bool(titles) and titles[0] in query.titles for query, titles in found)
    missed = [(query.words, titles) for query, titles in found if not query.titles & set(titles)]
    return Marks(len(asked), right / max(shown, 1), right / meant, first / len(asked), missed)
