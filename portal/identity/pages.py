"""What the pages of both platforms do alike: ask for a code, give the password again, show and end sessions."""

from collections.abc import Callable

from flask import Response, flash, request, session, url_for
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import Platform, current_actor, safe_next
from portal.core.errors import Refused, TooMany
from portal.identity import codes, credentials, service, sessions
from portal.identity.forms import ChangePasswordForm, CodeForm
from portal.identity.models import CodePurpose


def address() -> str:
    """Where the request came from, as throttles count it."""
    return request.remote_addr or ""


def next_address(home: str) -> str:
    return safe_next(request.args.get("next"), url_for(home))


def enter(home: str) -> Response:
    """On to where she was going, leaving behind what the browser held before signing in."""
    session.clear()
    return web.go_to(next_address(home))


def leave(after: str) -> Response:
    sessions.close_session()
    session.clear()
    return web.go(after)


def check_password(login: str, password: str, platform: Platform) -> service.Found:
    return service.check_password(login, password, platform=platform, address=address())


def flow_key(purpose: CodePurpose) -> str:
    """Where the browser's session keeps a flow, so that a code of one purpose is no good for another."""
    return f"{purpose.value}_flow"


def start_code(purpose: CodePurpose, phone: str) -> None:
    session[flow_key(purpose)] = codes.start(purpose, phone, address=address())


def ask_code(purpose: CodePurpose, done: Callable[[str, str], Response], *, restart: str, template: str) -> Response:
    """The page that asks for a flow's code: `done(flow, code)` checks it; another one can be sent meanwhile."""
    flow, form = session.get(flow_key(purpose)), CodeForm()
    if not flow:
        return web.go_to(restart)
    try:
        if form.is_submitted() and form.again.data:
            return _send_again(purpose, flow)
        if form.validate_on_submit():
            return done(flow, form.text("code"))
    except Refused as refused:
        form.refuse(refused)
    except TooMany as full:
        form.slow_down(full)
    return web.page(template, form=form, restart=restart, status=form.status)


def _send_again(purpose: CodePurpose, flow: str) -> Response:
    session[flow_key(purpose)] = codes.send_again(purpose, flow, address=address())
    flash(_("新的验证码已经发出，前一条短信里的不再有效。"), "ok")
    return web.go_to(request.full_path.rstrip("?"))


def own_sessions(template: str) -> Response:
    actor = current_actor()
    return web.page(
        template,
        live=sessions.live(actor.account_id),
        current=actor.session_id,
        signed=service.account(actor.account_id),
    )


def end_session(session_id: int, *, back: str) -> Response:
    sessions.end(current_actor().account_id, session_id)
    flash(_("那台设备已退出登录。"), "ok")
    return web.go(back)


def end_other_sessions(*, back: str) -> Response:
    sessions.end_others(current_actor())
    flash(_("其他设备都已退出登录。"), "ok")
    return web.go(back)


def change_password(template: str, *, after: str) -> Response:
    actor, form = current_actor(), ChangePasswordForm()
    if form.validate_on_submit():
        try:
            credentials.change_password(actor, form.text("current"), form.text("password"))
            flash(_("密码已经修改，其他设备已退出登录。"), "ok")
            return web.go(after)
        except Refused as refused:
            form.refuse(refused)
    return web.page(template, form=form, duty=actor.cache["duty"], status=form.status)
