"""The worker platform of home: one module a page, all on one blueprint."""

from portal.home.worker import copies, desk, grids, handovers, quality
from portal.home.worker.blueprint import bp

__all__ = ["bp", "copies", "desk", "grids", "handovers", "quality"]
