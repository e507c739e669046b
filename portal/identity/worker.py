"""The worker platform of identity: the desk's sign-in in its steps, and what a worker keeps of her own account."""

from flask import Blueprint, Response, current_app, flash, request, session
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import Platform, actor_or_none, current_actor, public, requires
from portal.core.clock import today
from portal.core.errors import Refused, TooMany
from portal.identity import credentials, pages, recovery, service
from portal.identity.forms import ConfirmForm, DeskSignInForm, NewTotpForm, TotpForm
from portal.identity.permissions import Permission

bp = Blueprint("worker", __name__)

# Where each duty is done, and what stays open meanwhile.
DUTIES = {"password": "identity.worker.password", "totp": "identity.worker.totp"}
MEANWHILE = frozenset(
    {"identity.worker.confirm", "identity.worker.sign_out", "identity.worker.sign_in", "home.resident.preferences"}
)


@bp.before_app_request
def duties_first() -> Response | None:
    """A worker with a first password, or without the authenticator she must have, goes nowhere else.

    Reading the actor here, before every view, also keeps the note of a session's last use out of the view's
    transaction.
    """
    actor = actor_or_none()
    duty = actor.cache.get("duty", "password") if actor and actor.platform is Platform.DESK else ""
    if not duty or request.endpoint in {None, DUTIES[duty], *MEANWHILE}:
        return None
    return web.go(DUTIES[duty])


HOME = "home.worker.index"


def _next() -> str:
    return pages.next_address(HOME)


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Response:
    form = DeskSignInForm()
    if form.validate_on_submit():
        try:
            found = pages.check_password(form.text("username"), form.text("password"), Platform.DESK)
            if found.totp:
                session["half_way"] = credentials.half_way(service.checked(found), "totp")
                return web.go(".sign_in_totp", next=_next())
            service.sign_in(found)
            return pages.enter(HOME)
        except TooMany as full:
            form.slow_down(full)
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/worker/sign_in.html", form=form, status=form.status)


@bp.route("/sign-in/totp", methods=["GET", "POST"])
@public
def sign_in_totp() -> Response:
    word = session.get("half_way", "")
    if credentials.half_way_account(word, "totp") is None:
        return web.go(".sign_in", next=_next())
    form = TotpForm()
    if form.validate_on_submit():
        try:
            return _entered(credentials.finish_sign_in(word, form.text("code")))
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/worker/sign_in_totp.html", form=form, next=_next(), status=form.status)


def _entered(left: int | None) -> Response:
    """In, with a word about the recovery codes where one was used."""
    answer = pages.enter(HOME)
    if left is not None:
        flash(_("您刚用掉一个恢复码，还剩 %(left)d 个。手机丢了，请联系安全管理员重新绑定。", left=left), "warn")
    return answer


@bp.route("/sign-out", methods=["POST"])
@public
def sign_out() -> Response:
    return pages.leave(".sign_in")


@bp.route("/confirm", methods=["GET", "POST"])
@requires(Permission.DESK)
def confirm() -> Response:
    form = ConfirmForm()
    if form.validate_on_submit():
        try:
            credentials.confirm(current_actor(), form.text("password"))
            return web.go_to(_next())
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/worker/confirm.html", form=form, status=form.status)


@bp.route("/sessions", endpoint="sessions")
@requires(Permission.DESK)
def own_sessions() -> Response:
    return pages.own_sessions("identity/worker/sessions.html")


@bp.route("/sessions/<int:session_id>/end", methods=["POST"])
@requires(Permission.DESK)
def end_session(session_id: int) -> Response:
    return pages.end_session(session_id, back=".sessions")


@bp.route("/sessions/end-others", methods=["POST"])
@requires(Permission.DESK)
def end_other_sessions() -> Response:
    return pages.end_other_sessions(back=".sessions")


@bp.route("/password", methods=["GET", "POST"])
@requires(Permission.DESK)
def password() -> Response:
    return pages.change_password("identity/worker/password.html", after=HOME)


@bp.route("/totp", methods=["GET", "POST"])
@requires(Permission.DESK, fresh=True)
def totp() -> Response:
    actor, form = current_actor(), NewTotpForm()
    secret = credentials.shown_secret(actor, form.text("secret"))
    if form.validate_on_submit() and secret:
        try:
            codes = credentials.bind_totp(actor, secret, form.text("code"))
            return _codes_page(codes)
        except Refused as refused:
            form.refuse(refused)
    if secret is None:
        if form.is_submitted():
            form.refuse(Refused(_("这个二维码已经过期，请扫下面的新码"), field="code"))
        secret, form.secret.data = credentials.new_secret(actor)
    return _totp_page(form, secret)


def _totp_page(form: NewTotpForm, secret: str) -> Response:
    actor, site = current_actor(), current_app.extensions["portal.config"].site_name
    qr = files.qr_svg(credentials.totp_address(actor, secret, issuer=site), title=_("动态口令的二维码"))
    duty = actor.cache["duty"]
    return web.page("identity/worker/totp.html", form=form, secret=secret, qr=qr, duty=duty, status=form.status)


def _codes_page(codes: tuple[str, ...]) -> Response:
    return web.page("identity/worker/recovery_codes_shown.html", codes=codes, on=today())


@bp.route("/recovery-codes", methods=["GET", "POST"])
@requires(Permission.DESK, fresh=True)
def recovery_codes() -> Response:
    actor, form = current_actor(), TotpForm()
    if form.validate_on_submit():
        try:
            return _codes_page(credentials.renew_recovery(actor, form.text("code")))
        except Refused as refused:
            form.refuse(refused)
    bound, left = bool(service.account(actor.account_id).totp_secret), recovery.left(actor.account_id)
    return web.page("identity/worker/recovery_codes.html", form=form, bound=bound, left=left, status=form.status)
