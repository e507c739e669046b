"""Logs: JSON in production, plain lines on a terminal; numbers of people never stand in them."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from portal.config import Config

# Anything that could be an ID number or a telephone is masked on its way out, whoever logged it.
LONG_DIGITS = re.compile(r"(?<!\d)(\d{3})\d{4,11}(\d{3}[\dXx])(?![\dXx])")
# PostgreSQL tells the values of a row that it refuses; hiding the statement's parameters does not hide these.
DETAIL = re.compile(r"DETAIL: .*?(?=\n\n|\n\[SQL:|\Z)", re.DOTALL)


def masked(text: str) -> str:
    return LONG_DIGITS.sub(r"\1****\2", DETAIL.sub("DETAIL: …", text))


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = masked(value)
    return event


class _MaskedFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def init(config: Config) -> None:
    plain = config.log_format == "plain"
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_MaskedFormatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
