"""What the endpoints of deliberation's map ask for."""

ASKS: dict[str, str] = {
    "deliberation.resident.map_figures": "public",
    "deliberation.resident.map_page": "public",
    "deliberation.worker.map_ask": "deliberation.keep",
    "deliberation.worker.map_cancel": "deliberation.keep",
    "deliberation.worker.map_desk": "deliberation.keep",
    "deliberation.worker.map_list": "deliberation.keep",
}
