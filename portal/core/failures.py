"""Every error answers with a page that says what happened and how to go on."""

from datetime import timedelta
from typing import Any

import structlog
from flask import Flask, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from portal.core import access, audit, tokens
from portal.core.access import Actor, Platform
from portal.core.db import aside, db
from portal.core.errors import Conflict, Missing, Refused, TooMany

log = structlog.get_logger(__name__)
MISSED_A_MINUTE = 30


def words(code: int) -> tuple[str, str]:
    """The title and the sentence for a status."""
    known = {
        400: (_("这次提交没有被接受"), _("内容不完整或页面放得太久。请返回上一页，刷新后再试一次。")),
        401: (_("请先登录"), _("登录后就可以继续刚才的操作。")),
        403: (_("您没有这项权限"), _("这个页面需要相应的权限。如果工作需要，请联系安全管理员。")),
        404: (_("没有找到这个页面"), _("地址可能不对，或者这项内容不在您的范围内。")),
        405: (_("不能这样打开"), _("请从页面上的按钮进入。")),
        409: (_("内容前后不一致"), _("这张表单已经提交过。请返回列表看看结果。")),
        413: (_("文件太大"), _("请上传不超过 20 MB 的文件，或把它分成几份。")),
        422: (_("还有内容需要修改"), _("请返回修改后再提交。")),
        429: (_("操作太频繁"), _("请稍等一会儿再试。急事请打社区电话。")),
        503: (_("现在有点忙"), _("系统正忙，您的内容没有提交。请过几秒再试一次。")),
    }
    return known.get(code, (_("系统出了点问题"), _("问题已经记录下来。请稍后再试；急事请打社区电话。")))


def answer(code: int, message: str = "", headers: dict[str, str] | None = None) -> Response:
    title, sentence = words(code)
    actions = [(_("回首页"), url_for("home.resident.index"))]
    if request.path.startswith("/desk"):
        actions = [(_("回工作台"), url_for("home.worker.index"))]
    if (
        code in {400, 413, 429, 503}
        and request.method == "POST"
        and request.url_rule
        and "GET" in (request.url_rule.methods or ())
    ):
        actions.insert(0, (_("重新打开这一页"), request.full_path.rstrip("?")))
    body = render_template("errors/error.html", code=code, title=title, message=message or sentence, actions=actions)
    return Response(body, code, headers or {}, mimetype="text/html")


def _http(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    return answer(error.code or 500)


def _foreign_host(_error: SecurityError) -> Response:
    """No page of ours can be built for a host that is not ours: its links would be the stranger's."""
    return Response(words(400)[0], 400, mimetype="text/plain")


def _csrf(_error: CSRFError) -> Response:
    return answer(400, _("页面放得太久，这次没有提交成功。请返回上一页，刷新后再试一次。"))


def _refused(refused: Refused) -> Response:
    db.session.rollback()
    return answer(409 if isinstance(refused, Conflict) else 422, refused.message)


def _too_many(error: TooMany) -> Response:
    minutes = max(1, round(error.retry_after / 60))
    sentence = _("操作太频繁，请大约 %(minutes)d 分钟后再试。急事请打社区电话。", minutes=minutes)
    return answer(429, sentence, {"Retry-After": str(error.retry_after)})


def _missing(_error: Missing) -> Response:
    db.session.rollback()
    actor = access.actor_or_none()
    if actor is not None and actor.platform is Platform.DESK:
        _note_missed(actor)
    return answer(404)


def _note_missed(actor: Actor) -> None:
    """What a worker asked for and may not see, or is not there: which page, never what was asked of it.

    So many a minute, so that nobody floods the audit; a busy database does not change the answer either.
    """
    try:
        tokens.throttle("access.missed", actor.public_id, limit=MISSED_A_MINUTE, per=timedelta(minutes=1))
        with aside() as session:
            audit.record("access.missed", session=session, endpoint=request.endpoint or "")
    except TooMany:
        return
    except OperationalError as error:
        log.warning("audit.missed", error=type(error.orig).__name__)


def _busy(error: OperationalError) -> Response:
    log.warning("database.busy", error=type(error.orig).__name__)
    db.session.rollback()
    return answer(503, headers={"Retry-After": "3"})


def _unstorable(_error: DataError) -> Response:
    """A value that no column can hold, such as a NUL character in an address."""
    db.session.rollback()
    return answer(400)


def _broken(error: Exception) -> Response:
    log.error("request.failed", path=request.path, exc_info=error)
    db.session.rollback()
    return answer(500)


def init(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RequestEntityTooLarge, lambda _error: answer(413))
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(TooMany, _too_many)
    app.register_error_handler(Missing, _missing)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(DataError, _unstorable)
    if not app.testing:
        app.register_error_handler(Exception, _broken)
