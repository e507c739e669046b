"""Seeds: the committee's own first statements, so that nobody meets an empty page; changed until one is answered."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.deliberation.models.codes import OpinionState, Stage
from portal.deliberation.models.opinions import Opinion, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service.opinions import refuse_twin, tidy
from portal.deliberation.service.veiling import Veiled

OPEN = frozenset({Stage.DRAFT, Stage.COLLECTING})


def add(topic: Topic, words: str, *, by: Actor) -> tuple[Opinion, Veiled]:
    """A statement of the committee's, shown at once."""
    if topic.stage not in OPEN:
        raise Refused(_("民意征集已经结束，不能再加看法。"))
    veiled = tidy(topic, words)
    refuse_twin(topic, veiled.words)
    made = Opinion(topic_id=topic.id, words=veiled.words, masked=veiled.masked, entered_by_name=by.name)
    made.state = OpinionState.SHOWN
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.opinion_seeded", made)
    return made, veiled


def change(seed: Opinion, words: str) -> Veiled:
    """Put it in other words, as long as nobody took a stand on the old ones."""
    veiled = tidy(seed.topic, words)
    if veiled.words != seed.words:
        refuse_twin(seed.topic, veiled.words)
    stood = sa.select(OpinionVote.id).where(OpinionVote.opinion_id == seed.id).exists()
    where = (Opinion.id == seed.id, Opinion.person_id.is_(None), Opinion.on_paper.is_(False), ~stood)
    if not guarded(sa.update(Opinion).where(*where).values(words=veiled.words, masked=veiled.masked)):
        raise Refused(_("已经有人对这条表了态，不能再改文字。可以另写一条，把这条隐去。"))
    db.session.refresh(seed)
    audit.record("deliberation.opinion_changed", seed)
    return veiled
