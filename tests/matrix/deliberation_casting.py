"""What the endpoints of deliberation's casting ask for."""

ASKS: dict[str, str] = {
    "deliberation.resident.vote_cast": "deliberation.use",
    "deliberation.resident.vote_file": "public",
    "deliberation.resident.vote_page": "public",
    "deliberation.resident.vote_password": "deliberation.use",
    "deliberation.resident.vote_receipt": "public",
    "deliberation.resident.vote_recount": "public",
    "deliberation.worker.vote_close": "deliberation.votes",
    "deliberation.worker.vote_count": "deliberation.votes",
    "deliberation.worker.vote_named": "deliberation.votes",
}
