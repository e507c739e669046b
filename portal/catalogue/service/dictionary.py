"""The words people search with: groups that mean the same, and the words under which nothing was found."""

import re
from collections.abc import Collection, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.catalogue.models.items import SearchMiss, Synonym
from portal.catalogue.service import grounds
from portal.catalogue.service.samples import words as sample
from portal.core import audit, search, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded, insert_once
from portal.core.errors import Missing, Refused

MOST_WORDS = 30
A_PAGE = 50
# Numbers of telephones, papers and doors say who asked.
FIGURES = re.compile(r"\d{5,}")


def groups(within: Collection[Scope], words: str = "") -> list[Synonym]:
    """The groups a worker keeps and those of the street above, perhaps those that hold a word; by area."""
    query = sa.select(Synonym).where(Synonym.area_id.in_(grounds.served(within))).options(joinedload(Synonym.area))
    found = db.session.scalars(query.order_by(Synonym.area_id, Synonym.id))
    asked = search.normalise(words)
    return [group for group in found if not asked or any(asked in word for word in group.words)]


def group_in(within: Collection[Scope], group_id: int) -> Synonym:
    query = sa.select(Synonym).where(Synonym.id == group_id, Synonym.area_id.in_(grounds.kept(within)))
    found = db.session.scalar(query.options(joinedload(Synonym.area)))
    if found is None:
        raise Missing
    return found


def words_in(text: str) -> list[str]:
    """The words of a text as they are kept: parted by spaces, commas or lines, each once."""
    said = [search.normalise(word) for word in re.split(r"[\s,，、;；/|]+", text)]
    return list(dict.fromkeys(word for word in said if word))


def add(area: Area, words: Sequence[str], *, by: Actor) -> Synonym:
    _refuse_wrong(words)
    group = Synonym(area=area, words=list(words), updated_by=by.name)
    db.session.add(group)
    db.session.flush()
    audit.record("catalogue.synonym_added", group, count=len(words))
    _settle(area, words)
    return group


def save(group: Synonym, words: Sequence[str], *, seen: Sequence[str], by: Actor) -> None:
    """Change a group; refused when somebody else changed it since the page showed `seen`."""
    query = sa.select(Synonym).where(Synonym.id == group.id).with_for_update(of=Synonym)
    db.session.scalars(query.execution_options(populate_existing=True)).one()
    if list(seen) != list(group.words):
        stands = _("、").join(group.words)
        raise Refused(
            _("别人刚改过这一组，现在是：%(words)s。您填的还在，请核对后再保存一次。", words=stands), field="words"
        )
    _refuse_wrong(words)
    group.words, group.updated_at, group.updated_by = list(words), now(), by.name
    audit.record("catalogue.synonym_edited", group, count=len(words))
    _settle(group.area, words)


def remove(group: Synonym) -> None:
    db.session.delete(group)
    audit.record("catalogue.synonym_removed", group, count=len(group.words))
    db.session.flush()


def seed(area: Area, *, by: str) -> int:
    """The sample groups, for an area that has none and whose street has none; answer how many."""
    around = grounds.around(area)
    if db.session.scalar(sa.select(Synonym.id).where(Synonym.area_id.in_(around)).limit(1)) is not None:
        return 0
    made = [Synonym(area_id=area.id, words=words_in(group), updated_by=by) for group in sample.GROUPS]
    db.session.add_all(made)
    db.session.flush()
    audit.record("catalogue.synonyms_seeded", None, count=len(made))
    return len(made)


def _refuse_wrong(words: Sequence[str]) -> None:
    if len(words) < 2:
        raise Refused(_("一组至少写两个意思一样的词，例如：理发、剪头。"), field="words")
    if len(words) > MOST_WORDS or any(len(word) > 20 for word in words):
        words_said = _("一组最多 %(most)d 个词，每个词不超过 20 个字。", most=MOST_WORDS)
        raise Refused(words_said, field="words")


def _settle(area: Area, words: Sequence[str]) -> None:
    """What nothing was found under is settled by a group that now holds it, here and in the communities below."""
    below = sa.select(Area.id).where(sa.or_(Area.id == area.id, Area.parent_id == area.id))
    statement = sa.update(SearchMiss).where(SearchMiss.area_id.in_(below), SearchMiss.words.in_(list(words)))
    db.session.execute(statement.values(settled=True))


def note_miss(community: Area, words: str, *, source: str) -> None:
    """Keep the words somebody found nothing under, never who said so. `source` is throttled and not kept."""
    said = search.normalise(words)[:40]
    if not said:
        raise Refused(_("请先写下您要找什么。"), field="words")
    if FIGURES.search(said):
        raise Refused(_("请只写要找的服务，不要写电话、证件号码。"), field="words")
    tokens.throttle("catalogue.miss", source, limit=20, per=timedelta(hours=1))
    row = {"area_id": community.id, "words": said, "times": 1, "last_on": today(), "settled": False}
    if insert_once(SearchMiss, row):
        return
    again = sa.update(SearchMiss).where(SearchMiss.area_id == community.id, SearchMiss.words == said)
    guarded(again.values(times=SearchMiss.times + 1, last_on=today(), settled=False))


def misses(within: Collection[Scope], *, page: int = 1) -> tuple[list[SearchMiss], bool]:
    """What people found nothing under and nobody settled yet, the most frequent first; and whether there is more."""
    query = (
        sa.select(SearchMiss)
        .where(SearchMiss.area_id.in_(grounds.kept(within)), SearchMiss.settled.is_(False))
        .options(joinedload(SearchMiss.area))
        .order_by(SearchMiss.times.desc(), SearchMiss.last_on.desc(), SearchMiss.id)
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    found = list(db.session.scalars(query))
    return found[:A_PAGE], len(found) > A_PAGE


def settle(within: Collection[Scope], miss_id: int) -> None:
    """Nothing to be done about these words."""
    query = sa.select(SearchMiss).where(SearchMiss.id == miss_id, SearchMiss.area_id.in_(grounds.kept(within)))
    miss = db.session.scalar(query)
    if miss is None:
        raise Missing
    miss.settled = True
    audit.record("catalogue.miss_settled", miss)


def purge(before: date) -> int:
    """Forget words that nobody has said since a day; answer how many."""
    gone = db.session.execute(sa.delete(SearchMiss).where(SearchMiss.last_on < before))
    return int(getattr(gone, "rowcount", 0))
