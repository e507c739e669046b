"""The resident platform of deliberation: one module a task, all on one blueprint."""

from portal.deliberation.resident import casting as casting
from portal.deliberation.resident import comments as comments
from portal.deliberation.resident import follow_ups as follow_ups
from portal.deliberation.resident import ideas as ideas
from portal.deliberation.resident import maps as maps
from portal.deliberation.resident import meetings as meetings
from portal.deliberation.resident import opinions as opinions
from portal.deliberation.resident import outcomes as outcomes
from portal.deliberation.resident import rolls as rolls
from portal.deliberation.resident import topics as topics
from portal.deliberation.resident import votes as votes
from portal.deliberation.resident.blueprint import bp

__all__ = ["bp"]
