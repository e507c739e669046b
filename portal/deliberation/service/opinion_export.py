"""All statements of a topic as a table for everybody: words and totals, no person and no time."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db
from portal.core.sheets import write_workbook
from portal.deliberation.models.codes import OpinionState
from portal.deliberation.models.opinions import Opinion
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import opinions
from portal.deliberation.service.moderating import hidden_said
from portal.deliberation.service.opinion_words import opinion_said
from portal.deliberation.service.opinions import OWN, READ, Counted

MOST = 5000


def workbook(topic: Topic) -> bytes:
    """Ordered by their words, so that the table does not tell in which order they were written."""
    found = _found(topic)
    counted = opinions.counted(found)
    heads = [_("看法"), _("来自"), _("同意"), _("不同意"), _("说不好"), _("状态")]
    rows = [_row(one, counted[one.id]) for one in found]
    return write_workbook(heads, rows, sheet=_("看法"), widths=(60, 16, 8, 8, 8, 30), numbers=True)


def _found(topic: Topic) -> list[Opinion]:
    query = sa.select(Opinion).where(Opinion.topic_id == topic.id, Opinion.state.in_(READ), Opinion.hidden_why != OWN)
    return list(db.session.scalars(query.order_by(Opinion.words, Opinion.id).limit(MOST)))


def _row(one: Opinion, count: Counted) -> list[object]:
    hidden = one.state is OpinionState.HIDDEN
    said = _("（已隐去）") if hidden else one.words
    state = hidden_said(one.hidden_why) if hidden else opinion_said(one.state)
    told: list[object] = [count.agree, count.disagree, count.passed] if count.told else ["", "", ""]
    return [said, _source(one), *told, state]


def _source(one: Opinion) -> str:
    if one.is_seed:
        return _("居委会")
    return _("纸质") if one.on_paper else _("居民")
