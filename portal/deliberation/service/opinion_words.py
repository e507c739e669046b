"""The words of opinions: stands, states, who is speaking, why something is hidden."""

from enum import StrEnum

from flask_babel import gettext as _

from portal.deliberation.models.codes import OpinionState, Stand
from portal.deliberation.models.opinions import Comment, Opinion
from portal.deliberation.service import moderating
from portal.deliberation.service.idea_words import writer_said
from portal.deliberation.service.moderating import Why

TINTS = {OpinionState.PENDING: "warn", OpinionState.SHOWN: "ok", OpinionState.HIDDEN: "mute"}
STAND_TINTS = {Stand.AGREE: "ok", Stand.DISAGREE: "bad", Stand.PASS: "mute"}


def opinion_said(code: StrEnum) -> str:
    """Any code of opinions in words, for a template."""
    if isinstance(code, Stand):
        return {Stand.AGREE: _("同意"), Stand.DISAGREE: _("不同意"), Stand.PASS: _("说不好")}[code]
    if isinstance(code, Why):
        return moderating.why_words(code)
    return {
        OpinionState.PENDING: _("等社区看过"),
        OpinionState.SHOWN: _("已公开"),
        OpinionState.HIDDEN: _("已隐去"),
    }[OpinionState(code)]


def opinion_tint(code: StrEnum) -> str:
    return STAND_TINTS[code] if isinstance(code, Stand) else TINTS[OpinionState(code)]


def opinion_by(opinion: Opinion) -> str:
    """Who says it, as everybody reads it."""
    if opinion.is_seed:
        return _("居委会想问大家")
    return _("一位居民写在纸上") if opinion.on_paper else _("一位居民说")


def comment_by(comment: Comment) -> str:
    """The committee by its writer's name, a resident by her family name."""
    if comment.is_official:
        return _("居委会 %(name)s", name=comment.by_name)
    return writer_said(comment.person.name if comment.person else "")


def opinion_source(opinion: Opinion) -> str:
    """Where a statement comes from, for the desk; of who wrote it nothing."""
    if opinion.is_seed:
        return _("居委会（%(name)s）", name=opinion.entered_by_name)
    return _("纸质，%(name)s录入", name=opinion.entered_by_name) if opinion.on_paper else _("居民")
