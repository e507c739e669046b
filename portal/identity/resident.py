"""The resident platform of identity: signing in by password or code, a forgotten password, own sessions."""

from flask import Blueprint, Response, flash, request, session, url_for
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import Platform, actor_or_none, current_actor, public, requires, safe_next
from portal.core.errors import Refused
from portal.identity import credentials, service, sessions
from portal.identity.devices import device_words
from portal.identity.forms import ChangePasswordForm, CodeForm, NewPasswordForm, PhoneForm, SignInForm
from portal.identity.models import CodePurpose
from portal.identity.permissions import Permission

bp = Blueprint("resident", __name__)
bp.add_app_template_filter(device_words, "device")


def _next() -> str:
    return safe_next(request.args.get("next"), url_for("home.resident.index"))


def _in() -> Response:
    """On to where she was going, leaving behind what the browser held before signing in."""
    session.clear()
    return web.go_to(_next())


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Response:
    if request.method == "GET" and actor_or_none():
        return web.go_to(_next())
    form = SignInForm()
    if form.validate_on_submit():
        try:
            found = service.check_password(
                form.text("phone"), form.text("password"), platform=Platform.RESIDENT, address=request.remote_addr or ""
            )
            service.sign_in(found)
            return _in()
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/resident/sign_in.html", form=form, next=_next(), status=form.status)


@bp.route("/sign-in/code", methods=["GET", "POST"])
@public
def sign_in_code() -> Response:
    form = PhoneForm()
    if form.validate_on_submit():
        session["sign_in_flow"] = service.start_code(
            CodePurpose.SIGN_IN, form.text("phone"), address=request.remote_addr or ""
        )
        return web.go(".sign_in_code_check", next=_next())
    return web.page("identity/resident/sign_in_code.html", form=form, next=_next(), status=form.status)


@bp.route("/sign-in/code/check", methods=["GET", "POST"])
@public
def sign_in_code_check() -> Response:
    flow = session.get("sign_in_flow")
    if not flow:
        return web.go(".sign_in_code", next=_next())
    form = CodeForm()
    if form.validate_on_submit():
        try:
            service.sign_in_by_code(flow, form.text("code"))
            return _in()
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/resident/sign_in_code_check.html", form=form, next=_next(), status=form.status)


@bp.route("/reset", methods=["GET", "POST"])
@public
def reset() -> Response:
    form = PhoneForm()
    if form.validate_on_submit():
        session["reset_flow"] = service.start_code(
            CodePurpose.RESET, form.text("phone"), address=request.remote_addr or ""
        )
        return web.go(".reset_check")
    return web.page("identity/resident/reset.html", form=form, status=form.status)


@bp.route("/reset/check", methods=["GET", "POST"])
@public
def reset_check() -> Response:
    flow = session.get("reset_flow")
    if not flow:
        return web.go(".reset")
    form = CodeForm()
    if form.validate_on_submit():
        try:
            session["reset"] = credentials.prove_for_reset(flow, form.text("code"))
            return web.go(".reset_password")
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/resident/reset_check.html", form=form, status=form.status)


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
            flash(_("密码已经换好，其他设备已退出登录。"), "ok")
            return _in_keeping_words()
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/resident/reset_password.html", form=form, status=form.status)


def _in_keeping_words() -> Response:
    for key in ("reset", "reset_flow", "csrf_token"):
        session.pop(key, None)
    return web.go_to(_next())


@bp.route("/sign-out", methods=["POST"])
@public
def sign_out() -> Response:
    sessions.close_session()
    session.clear()
    return web.go("home.resident.index")


@bp.route("/sessions", endpoint="sessions")
@requires(Permission.SELF)
def own_sessions() -> Response:
    actor = current_actor()
    return web.page("identity/resident/sessions.html", live=sessions.live(actor.account_id), current=actor.session_id)


@bp.route("/sessions/<int:session_id>/end", methods=["POST"])
@requires(Permission.SELF)
def end_session(session_id: int) -> Response:
    sessions.end(current_actor().account_id, session_id)
    flash(_("那台设备已退出登录。"), "ok")
    return web.go(".sessions")


@bp.route("/sessions/end-others", methods=["POST"])
@requires(Permission.SELF)
def end_other_sessions() -> Response:
    sessions.end_others(current_actor())
    flash(_("其他设备都已退出登录。"), "ok")
    return web.go(".sessions")


@bp.route("/password", methods=["GET", "POST"])
@requires(Permission.SELF)
def password() -> Response:
    form = ChangePasswordForm()
    if form.validate_on_submit():
        try:
            credentials.change_password(current_actor(), form.text("current"), form.text("password"))
            flash(_("密码已经换好，其他设备已退出登录。"), "ok")
            return web.go(".sessions")
        except Refused as refused:
            form.refuse(refused)
    return web.page("identity/resident/password.html", form=form, status=form.status)
