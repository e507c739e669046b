"""The worker platform of the volunteers: one module a task, all on one blueprint."""

from portal.volunteers.worker import activities as activities
from portal.volunteers.worker import attendance as attendance
from portal.volunteers.worker import attendance_hours as attendance_hours
from portal.volunteers.worker import certificates as certificates
from portal.volunteers.worker import honours as honours
from portal.volunteers.worker import people as people
from portal.volunteers.worker import people_acts as people_acts
from portal.volunteers.worker import plans as plans
from portal.volunteers.worker import points as points
from portal.volunteers.worker import records as records
from portal.volunteers.worker import requests as requests
from portal.volunteers.worker import roster as roster
from portal.volunteers.worker import roster_papers as roster_papers
from portal.volunteers.worker import served as served
from portal.volunteers.worker import shifts as shifts
from portal.volunteers.worker import shop as shop
from portal.volunteers.worker import stations as stations
from portal.volunteers.worker import teams as teams
from portal.volunteers.worker.blueprint import bp

__all__ = ["bp"]
