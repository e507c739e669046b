"""Worker pages: finding somebody by words, by a whole number beyond one's own area, and by filters."""

from datetime import timedelta
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _

from portal.core import audit, settings, tokens, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.identity.permissions import Permission
from portal.registry.forms.search import BeyondForm, ListForm, SearchForm, wanted
from portal.registry.service import beyond as looking_beyond
from portal.registry.service import finding, lists, records
from portal.registry.worker.blueprint import bp

MOST_FOUND = 50
MOST_PRINTED = 500


@bp.route("/", methods=["GET", "POST"])
@requires(Permission.PEOPLE_READ)
def search() -> Response:
    form, found = SearchForm(), None
    if form.validate_on_submit():
        found = finding.found_lines(form.text("q"), scopes(Permission.PEOPLE_READ), MOST_FOUND + 1)
        records.record_search(form.text("q"), len(found))
        # A whole number is not repeated on the page it found.
        if finding.kind_of_query(form.text("q")) in finding.NUMBERS:
            form.q.data = ""
    shown, more = (found or [])[:MOST_FOUND], len(found or []) > MOST_FOUND
    facts = {"asked": found is not None, "found": shown, "more": more, "today": today()}
    return web.page("registry/worker/search.html", form=form, status=form.status, **facts)


@bp.route("/beyond", methods=["GET", "POST"])
@requires(Permission.PEOPLE_READ)
def beyond() -> Response:
    form, found = BeyondForm(), None
    if form.validate_on_submit():
        hourly = settings.get(looking_beyond.HOURLY)
        tokens.throttle("registry.beyond", current_actor().public_id, limit=hourly, per=timedelta(hours=1))
        within = scopes(Permission.PEOPLE_READ)
        found = looking_beyond.beyond(form.text("number"), within, reason=form.text("reason"))
        form.number.data = ""
    return web.page("registry/worker/beyond.html", form=form, found=found, status=form.status)


@bp.route("/list")
@requires(Permission.PEOPLE_READ)
def listing() -> Response:
    asked = wanted(request.args)
    place = lists.ground(asked, scopes(Permission.PEOPLE_READ))
    page = lists.page_of(asked, place, after=request.args.get("after", "")[:32])
    facts: dict[str, Any] = {"page": page, "query": asked.query(), "today": today(), "most": lists.MOST_COUNTED}
    return web.page("registry/worker/listing.html", form=ListForm.of(asked, place), **facts)


@bp.route("/list/print", methods=["POST"])
@requires(Permission.PEOPLE_READ)
def listing_print() -> Response:
    """A sheet of the list as it is filtered; that it was printed is recorded."""
    asked = wanted(request.args)
    place = lists.ground(asked, scopes(Permission.PEOPLE_READ))
    lines = lists.all_lines(asked, place, limit=MOST_PRINTED + 1)
    title = lists.in_words(asked, place)
    audit.record("registry.list_printed", count=len(lines[:MOST_PRINTED]), asked=title)
    facts: dict[str, Any] = {"more": len(lines) > MOST_PRINTED, "title": title, "heading": _("居民名册")}
    facts |= {"today": today(), "printed": now(), "back": url_for(".listing", **dict[str, Any](asked.query()))}
    return web.page("registry/worker/sheet.html", lines=lines[:MOST_PRINTED], **facts)
