"""The words of a notice: templates/<feature>/messages/<event>.txt, first line the title, the rest the body."""

from dataclasses import dataclass
from typing import Any

import structlog
from flask import current_app
from flask_babel import gettext as _
from jinja2 import Environment, TemplateNotFound

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Words:
    title: str
    body: str

    @property
    def line(self) -> str:
        """Both in one line, as a telephone shows it."""
        pause = "" if self.title.endswith("。") else " "
        return " ".join(f"{self.title}{pause}{self.body}".split())


def _environment() -> Environment:
    """The application's templates as plain text: what is escaped here would be escaped twice on a page."""
    found: Environment | None = current_app.extensions.get("portal.messages")
    if found is None:
        found = current_app.extensions["portal.messages"] = current_app.jinja_env.overlay(autoescape=False)
    return found


def words_for(topic: str, facts: dict[str, Any]) -> Words:
    """In the reader's language; a missing or broken template falls back to a sentence that is always true."""
    feature, _dot, event = topic.partition(".")
    name = f"{feature}/messages/{event}.txt"
    try:
        text = _environment().get_template(name).render(**facts)
    except TemplateNotFound:
        log.warning("notice.no_words", topic=topic)
        return _generic()
    except Exception as error:  # noqa: BLE001 one bad template must not stop an inbox, or the whole outbox
        log.warning("notice.bad_words", topic=topic, error=type(error).__name__)
        return _generic()
    title, _line, body = text.strip().partition("\n")
    return Words(title.strip(), body.strip()) if title.strip() else _generic()


def _generic() -> Words:
    return Words(_("您有一条新通知"), _("请登录社区服务，在相应的页面查看。"))
