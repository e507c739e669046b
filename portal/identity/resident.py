"""The resident platform of identity: signing in by password or code, a forgotten password, own sessions."""

from flask import Blueprint, Response, flash, request, session, url_for
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import Platform, actor_or_none, public, requires
from portal.core.errors import Refused, TooMany
from portal.identity import codes, credentials, pages, service
from portal.identity.devices import device_words
from portal.identity.forms import NewPasswordForm, PhoneForm, SignInForm
from portal.identity.models import CodePurpose
from portal.identity.permissions import Permission

bp = Blueprint("resident", __name__)
bp.add_app_template_filter(device_words, "device")


HOME = "home.resident.index"


def _next() -> str:
    return pages.next_address(HOME)


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Response:
    if request.method == "GET" and actor_or_none():
        return web.go_to(_next())
    form = SignInForm()
    if form.validate_on_submit():
        try:
            service.sign_in(pages.check_password(form.text("phone"), form.text("password"), Platform.RESIDENT))
            return pages.enter(HOME)
        except TooMany as full:
            form.slow_down(full)
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/resident/sign_in.html", form=form, next=_next(), status=form.status)


@bp.route("/sign-in/code", methods=["GET", "POST"])
@public
def sign_in_code() -> Response:
    form = PhoneForm()
    if form.validate_on_submit():
        try:
            pages.start_code(CodePurpose.SIGN_IN, form.text("phone"))
            return web.go(".sign_in_code_check", next=_next())
        except TooMany as full:
            form.slow_down(full)
    return web.page("identity/resident/sign_in_code.html", form=form, next=_next(), status=form.status)


@bp.route("/sign-in/code/check", methods=["GET", "POST"])
@public
def sign_in_code_check() -> Response:
    def done(flow: str, code: str) -> Response:
        codes.sign_in(flow, code)
        return pages.enter(HOME)

    restart = url_for(".sign_in_code", next=_next())
    return pages.ask_code(
        CodePurpose.SIGN_IN, done, restart=restart, template="identity/resident/sign_in_code_check.html"
    )


@bp.route("/reset", methods=["GET", "POST"])
@public
def reset() -> Response:
    form = PhoneForm()
    if form.validate_on_submit():
        try:
            pages.start_code(CodePurpose.RESET, form.text("phone"))
            return web.go(".reset_check")
        except TooMany as full:
            form.slow_down(full)
    return web.page("identity/resident/reset.html", form=form, status=form.status)


@bp.route("/reset/check", methods=["GET", "POST"])
@public
def reset_check() -> Response:
    def done(flow: str, code: str) -> Response:
        session["reset"] = credentials.prove_for_reset(flow, code)
        return web.go(".reset_password")

    return pages.ask_code(
        CodePurpose.RESET, done, restart=url_for(".reset"), template="identity/resident/reset_check.html"
    )


@bp.route("/reset/password", methods=["GET", "POST"])
@public
def reset_password() -> Response:
    word = session.get("reset", "")
    if credentials.half_way_account(word, "reset") is None:
        return web.go(".reset")
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            if credentials.new_password(word, form.text("password")) is None:
                return web.go(".reset")
            flash(_("密码已经修改，其他设备已退出登录。"), "ok")
            return _in_keeping_words()
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/resident/reset_password.html", form=form, status=form.status)


def _in_keeping_words() -> Response:
    for key in ("reset", pages.flow_key(CodePurpose.RESET), "csrf_token"):
        session.pop(key, None)
    return web.go_to(_next())


@bp.route("/sign-out", methods=["POST"])
@public
def sign_out() -> Response:
    return pages.leave(HOME)


@bp.route("/sessions", endpoint="sessions")
@requires(Permission.SELF)
def own_sessions() -> Response:
    return pages.own_sessions("identity/resident/sessions.html")


@bp.route("/sessions/<int:session_id>/end", methods=["POST"])
@requires(Permission.SELF)
def end_session(session_id: int) -> Response:
    return pages.end_session(session_id, back=".sessions")


@bp.route("/sessions/end-others", methods=["POST"])
@requires(Permission.SELF)
def end_other_sessions() -> Response:
    return pages.end_other_sessions(back=".sessions")


@bp.route("/password", methods=["GET", "POST"])
@requires(Permission.SELF)
def password() -> Response:
    return pages.change_password("identity/resident/password.html", after=".sessions")
