"""The blueprint that the worker modules of care visits put their views on."""

from flask import Blueprint

from portal.core import reasons, web
from portal.visits.service import words

bp = Blueprint("worker", __name__)
bp.add_app_template_filter(words.care, "care")
bp.add_app_template_filter(words.why_listed, "why_listed")
bp.add_app_template_filter(words.rule_condition, "rule_condition")
bp.add_app_template_filter(words.record_lines, "record_lines")
bp.add_app_template_filter(words.holding_words, "holding_words")
bp.add_app_template_filter(words.level_word, "level_word")
bp.add_app_template_filter(words.exclusion_word, "exclusion_word")
bp.add_app_template_filter(words.party_words, "party_words")
bp.add_app_template_filter(words.move_words, "move_words")
bp.add_app_template_filter(words.role_words, "role_words")
bp.add_app_template_filter(reasons.said, "reason_words")


def asked_page() -> int:
    """The page of a list that the address asks for."""
    return min(max(web.number_asked("page", 1), 1), 500)
