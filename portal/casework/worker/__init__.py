"""The worker platform of casework: one module a task, all on one blueprint."""

from portal.casework.worker import cases, dwelling, intake, limits, metrics, queue, recurring, rules, templates
from portal.casework.worker.blueprint import bp

__all__ = ["bp", "cases", "dwelling", "intake", "limits", "metrics", "queue", "recurring", "rules", "templates"]
