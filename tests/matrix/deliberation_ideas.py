"""What the endpoints of deliberation's ideas ask for."""

ASKS: dict[str, str] = {
    "deliberation.resident.idea_list": "public",
    "deliberation.resident.idea_new": "deliberation.use",
    "deliberation.resident.idea_page": "public",
    "deliberation.resident.idea_support": "deliberation.use",
    "deliberation.resident.idea_unsupport": "deliberation.use",
    "deliberation.resident.idea_withdraw": "deliberation.use",
    "deliberation.worker.idea_decline": "deliberation.keep",
    "deliberation.worker.idea_desk_list": "deliberation.keep",
    "deliberation.worker.idea_desk_page": "deliberation.keep",
    "deliberation.worker.idea_merge": "deliberation.keep",
    "deliberation.worker.idea_release": "deliberation.keep",
    "deliberation.worker.idea_take": "deliberation.keep",
}
