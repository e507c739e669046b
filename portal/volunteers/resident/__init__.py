"""The resident platform of the volunteers: one module a task, all on one blueprint."""

from portal.volunteers.resident import activities as activities
from portal.volunteers.resident import attend as attend
from portal.volunteers.resident import certificates as certificates
from portal.volunteers.resident import feed as feed
from portal.volunteers.resident import guardians as guardians
from portal.volunteers.resident import hours as hours
from portal.volunteers.resident import lead as lead
from portal.volunteers.resident import lead_roster as lead_roster
from portal.volunteers.resident import pairs as pairs
from portal.volunteers.resident import people as people
from portal.volunteers.resident import points as points
from portal.volunteers.resident import requests as requests
from portal.volunteers.resident import served as served
from portal.volunteers.resident import signups as signups
from portal.volunteers.resident import stations as stations
from portal.volunteers.resident import swaps as swaps
from portal.volunteers.resident import teams as teams
from portal.volunteers.resident.blueprint import bp

__all__ = ["bp"]
