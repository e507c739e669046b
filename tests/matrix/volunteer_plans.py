"""What the endpoints of computed plans ask for."""

ASKS: dict[str, str] = {
    "volunteers.worker.plan_apply": "volunteers.keep",
    "volunteers.worker.plan_cancel": "volunteers.keep",
    "volunteers.worker.plan_line": "volunteers.keep",
    "volunteers.worker.plan_new": "volunteers.keep",
    "volunteers.worker.plan_page": "volunteers.keep",
    "volunteers.worker.plan_post": "volunteers.keep",
    "volunteers.worker.plan_undo": "volunteers.keep",
    "volunteers.worker.plans_page": "volunteers.keep",
}
