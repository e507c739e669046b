"""The worker platform of notifications: a worker's own notices; announcements from draft to the wall."""

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.notifications import wording
from portal.notifications.forms import AnnouncementForm, WithdrawForm
from portal.notifications.models import Announcement, AnnouncementState
from portal.notifications.service import announcements as service
from portal.notifications.service import inbox

bp = Blueprint("worker", __name__)


@bp.route("/")
@requires(Permission.DESK)
def index() -> Response:
    """What the portal has told this worker."""
    notices = inbox.notices_of(current_actor())
    lines = [(notice, wording.words_for(notice.topic, notice.facts)) for notice in notices]
    return web.page("notifications/worker/index.html", lines=lines, unread=inbox.unread(current_actor()))


@bp.route("/read", methods=["POST"])
@requires(Permission.DESK)
def read_all() -> Response:
    inbox.mark_all_read(current_actor(), up_to=web.number_asked("up_to", said=request.form))
    return web.go(".index")


def _announcement(announcement_id: int) -> Announcement:
    return service.announcement_in(scopes(Permission.ANNOUNCE), announcement_id)


@bp.route("/announcements")
@requires(Permission.ANNOUNCE)
def announcements() -> Response:
    asked = request.args.get("state", AnnouncementState.PUBLISHED.value)
    if asked not in set(AnnouncementState):
        raise Missing
    found = service.announcements_in(scopes(Permission.ANNOUNCE), AnnouncementState(asked))
    reads = service.read_counts(found)
    template = "notifications/worker/announcements.html"
    return web.page(template, found=found, state=asked, reads=reads, moment=now())


@bp.route("/announcements/new", methods=["GET", "POST"])
@requires(Permission.ANNOUNCE)
def announcement_new() -> Response:
    within, form = scopes(Permission.ANNOUNCE), AnnouncementForm()
    form.offer(service.areas_in(within))
    if form.validate_on_submit():
        try:
            written = service.write(within, form.words(), by=current_actor(), key=form.text("idem"))
            flash(_("草稿已保存，请预览后发布。"), "ok")
            return web.go(".announcement", announcement_id=written.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("notifications/worker/announcement_new.html", form=form, announcement=None, status=form.status)


@bp.route("/announcements/<int:announcement_id>")
@requires(Permission.ANNOUNCE)
def announcement(announcement_id: int) -> Response:
    """The preview of a draft; for what is published, how far it came."""
    found = _announcement(announcement_id)
    counts = service.counts(found)
    return web.page("notifications/worker/announcement.html", announcement=found, counts=counts, moment=now())


@bp.route("/announcements/<int:announcement_id>/edit", methods=["GET", "POST"])
@requires(Permission.ANNOUNCE)
def announcement_edit(announcement_id: int) -> Response:
    found, within = _announcement(announcement_id), scopes(Permission.ANNOUNCE)
    form = AnnouncementForm(standing=found)
    form.offer(service.areas_in(within))
    if form.validate_on_submit():
        try:
            service.change(found, within, form.words())
            flash(_("草稿已保存，请预览后发布。"), "ok")
            return web.go(".announcement", announcement_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("notifications/worker/announcement_edit.html", form=form, announcement=found, status=form.status)


@bp.route("/announcements/<int:announcement_id>/publish", methods=["POST"])
@requires(Permission.ANNOUNCE)
def announcement_publish(announcement_id: int) -> Response:
    found = _announcement(announcement_id)
    try:
        service.publish(found)
        flash(_("公告已发布。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".announcement", announcement_id=found.id)


@bp.route("/announcements/<int:announcement_id>/drop", methods=["POST"])
@requires(Permission.ANNOUNCE)
def announcement_drop(announcement_id: int) -> Response:
    found = _announcement(announcement_id)
    try:
        service.drop(found)
        flash(_("草稿已删除。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".announcements", state=AnnouncementState.DRAFT.value)


@bp.route("/announcements/<int:announcement_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.ANNOUNCE)
def announcement_withdraw(announcement_id: int) -> Response:
    found, form = _announcement(announcement_id), WithdrawForm()
    if form.validate_on_submit():
        try:
            service.withdraw(found, form.text("reason"))
            flash(_("公告已撤回，居民看不到了。"), "ok")
            return web.go(".announcement", announcement_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page(
        "notifications/worker/announcement_withdraw.html", form=form, announcement=found, status=form.status
    )


@bp.route("/announcements/<int:announcement_id>/print")
@requires(Permission.ANNOUNCE)
def announcement_print(announcement_id: int) -> Response:
    """For the wall: the words large, and a code that opens them on a telephone."""
    found = _announcement(announcement_id)
    address = web.absolute("notifications.resident.announcement", announcement_id=found.id)
    qr = files.qr_svg(address, title=_("公告的二维码"))
    return web.page("notifications/worker/announcement_print.html", announcement=found, qr=qr, printed_at=now())
