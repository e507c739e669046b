"""The calendar feed at a volunteer's secret address: no sign-in, nothing kept, nothing said about a wrong one."""

from datetime import timedelta

from flask import Response, abort, request

from portal.core import tokens, web
from portal.core.access import public
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import feed as feeds
from portal.volunteers.service import profile

# Calendars ask a few times an hour; who guesses keys asks more.
LIMIT, PER = 120, timedelta(hours=1)


@bp.route("/feed/<key>.ics")
@public
def feed(key: str) -> Response:
    tokens.throttle("volunteers.feed", request.remote_addr or "", limit=LIMIT, per=PER)
    volunteer = profile.volunteer_of_feed(key)
    if volunteer is None:
        abort(404)
    text = feeds.feed_text(feeds.signups_of(volunteer), address=web.absolute(".my_shifts"))
    answer = Response(text, mimetype="text/calendar")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
