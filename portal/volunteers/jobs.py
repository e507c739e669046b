"""Background work of the volunteers."""

from flask import Flask

from portal.core import clock, events
from portal.core.each import each
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.places import service as places
from portal.points.service import goods_orders, ledger
from portal.volunteers import record_jobs
from portal.volunteers.service import (
    earning,
    inviting,
    lines,
    marks_missing,
    pair_asking,
    planning,
    recording,
    signup_reminding,
    subscribers,
    swapping,
)


def expire_points() -> None:
    """Points whose last day has passed: each balance in a transaction of its own."""
    day = clock.today()
    each(ledger.due_to_expire(day), lambda number: ledger.expire_balance(number, day))


def lapse_goods() -> None:
    """Goods of the shop that nobody fetched in time."""
    each(goods_orders.overdue(clock.now()), goods_orders.lapse)


def catch_up_points() -> None:
    """Records whose points an event missed."""
    each(earning.lately(), earning.book)


def ask_marks() -> None:
    """Who did not check out, and what a leader left open: each shift in a transaction of its own."""
    each(marks_missing.due(clock.now()), marks_missing.ask)


def remind_signups() -> None:
    moment = clock.now()
    each(signup_reminding.due(moment), lambda number: signup_reminding.remind(number, moment))


def promote_lines() -> None:
    """Whoever was next in a line while her row was being changed elsewhere."""
    each(lines.offered(clock.now()), lines.promote)


def lapse_questions() -> None:
    """Swaps that nobody took before the shift, invitations and partners that did not answer in time."""
    moment = clock.now()
    each(swapping.due(moment), swapping.lapse)
    each(inviting.due(moment), inviting.lapse)
    each(pair_asking.due(moment), pair_asking.lapse)


def resume_plans() -> None:
    planning.resume()


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add(planning.JOB, planning.compute)
    jobs.add("volunteers.resume_plans", resume_plans, EVERY_MINUTE)
    jobs.add("volunteers.remind_signups", remind_signups, Scheduled(minute="*/5", hour="*"))
    jobs.add("volunteers.promote_lines", promote_lines, EVERY_MINUTE)
    jobs.add("volunteers.lapse_questions", lapse_questions, Scheduled(minute="*/5", hour="*"))
    jobs.add("volunteers.ask_marks", ask_marks, Scheduled(minute="*/10", hour="*"))
    jobs.add("volunteers.expire_points", expire_points, Scheduled(minute="5", hour="0"))
    jobs.add("volunteers.lapse_goods", lapse_goods, Scheduled(minute="45", hour="6"))
    jobs.add("volunteers.catch_up_points", catch_up_points, Scheduled(minute="25", hour="1"))
    record_jobs.register(jobs)


def listen(app: Flask) -> None:
    """Hear what the register and places tell."""
    record_jobs.listen(app)
    events.subscribe(app, places.OFFERED, lines.on_place_offered)
    events.subscribe(app, places.LAPSED, lines.on_place_lapsed)
    events.subscribe(app, places.CLOSED, lines.on_place_closed)
    for told in (recording.RECORDED, recording.CHANGED, recording.VOIDED):
        events.subscribe(app, told, earning.on_record)
    events.subscribe(app, "person_died", subscribers.on_person_died)
    events.subscribe(app, "person_merged", subscribers.on_person_merged)
