"""The worker platform of deliberation: one module a task, all on one blueprint."""

from portal.deliberation.worker import casting as casting
from portal.deliberation.worker import delegates as delegates
from portal.deliberation.worker import experts as experts
from portal.deliberation.worker import follow_ups as follow_ups
from portal.deliberation.worker import ideas as ideas
from portal.deliberation.worker import maps as maps
from portal.deliberation.worker import meeting_people as meeting_people
from portal.deliberation.worker import meeting_running as meeting_running
from portal.deliberation.worker import meetings as meetings
from portal.deliberation.worker import minutes_templates as minutes_templates
from portal.deliberation.worker import opinion_paper as opinion_paper
from portal.deliberation.worker import opinion_sheets as opinion_sheets
from portal.deliberation.worker import opinions as opinions
from portal.deliberation.worker import outcomes as outcomes
from portal.deliberation.worker import paper as paper
from portal.deliberation.worker import proxies as proxies
from portal.deliberation.worker import rolls as rolls
from portal.deliberation.worker import rules as rules
from portal.deliberation.worker import topic_acts as topic_acts
from portal.deliberation.worker import topic_templates as topic_templates
from portal.deliberation.worker import topics as topics
from portal.deliberation.worker import vote_prints as vote_prints
from portal.deliberation.worker import votes as votes
from portal.deliberation.worker.blueprint import bp

__all__ = ["bp"]
