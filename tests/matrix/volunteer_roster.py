"""What the endpoints of the volunteers' roster ask for."""

ASKS: dict[str, str] = {
    "volunteers.resident.lead_place": "volunteers.use",
    "volunteers.resident.lead_post": "volunteers.use",
    "volunteers.resident.lead_roster": "volunteers.use",
    "volunteers.worker.roster": "volunteers.keep",
    "volunteers.worker.roster_calendar": "volunteers.keep",
    "volunteers.worker.roster_files": "volunteers.keep fresh",
    "volunteers.worker.roster_invite": "volunteers.keep",
    "volunteers.worker.roster_message": "volunteers.keep",
    "volunteers.worker.roster_place": "volunteers.keep",
    "volunteers.worker.roster_post": "volunteers.keep",
    "volunteers.worker.roster_print": "volunteers.keep",
}
