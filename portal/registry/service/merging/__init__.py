"""Merging: two records of one human being become one, the other its alias; and the way back, exactly."""

from portal.registry.service.merging.acts import merge
from portal.registry.service.merging.fields import Choice, choices, chosen, kept_first, result
from portal.registry.service.merging.undoing import merge_in, merges, undo

__all__ = ["Choice", "choices", "chosen", "kept_first", "merge", "merge_in", "merges", "result", "undo"]
