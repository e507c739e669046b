"""The web's mechanics: pages and fragments, redirects, security headers, static files, language and the elder view."""

import re
import secrets
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import structlog
from babel.dates import format_date
from flask import (
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    has_request_context,
    make_response,
    render_template,
    request,
    url_for,
)
from flask.globals import request_ctx
from flask_babel import Babel, Domain
from flask_wtf.csrf import generate_csrf
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from jinja2_fragments.flask import render_block
from markupsafe import Markup
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from portal.config import Config
from portal.core import access, masking, money, statics
from portal.core.clock import local, now, today
from portal.core.db import undo
from portal.core.errors import Refused

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; "
    "manifest-src 'self'"
)
# How many links are kept: some hundred bytes each.
ADDRESSES = 4096
LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
DAYS = {
    ("zh", False): "M月d日 EEE",
    ("zh", True): "y年M月d日 EEE",
    ("en", False): "EEE d MMM",
    ("en", True): "EEE d MMM y",
}
# How far from today, in days, a day of another year needs no year: at new year nobody doubts which January is meant.
SOON = 60
SCALES = ("1", "1.3", "1.8")
# The greatest number of an id column.
MOST_ASKED = 2**31 - 1


_seen: ContextVar["View | None"] = ContextVar("seen", default=None)


@dataclass(frozen=True)
class View:
    """How this reader wants to see pages."""

    scale: str
    locale: str
    site_name: str
    place_name: str = ""

    @property
    def elder(self) -> bool:
        return self.scale != "1"


class Sentences(Domain):
    """The catalogue. A message id is the Chinese sentence itself, so a Chinese reader's page looks nothing up."""

    def gettext(self, string: str, **variables: Any) -> str:
        if current_view().locale == "zh":
            return string % variables if variables else string
        return super().gettext(string, **variables)

    def of(self, string: str) -> str:
        """The sentence in the reader's language, its placeholders still empty."""
        return str(self.get_translations().ugettext(string))


@lru_cache(maxsize=8192)
def _marked(string: str, _locale: str) -> Markup:
    """What a template's sentence is in a language, looked up and marked as safe once."""
    sentences: Sentences = current_app.extensions["portal.sentences"]
    return Markup(string if _locale == "zh" else sentences.of(string))  # noqa: S704 a literal of ours


@pass_eval_context
def _sentence(context: EvalContext, string: str, **variables: Any) -> str:
    """`_()` in templates: what is put into a sentence is escaped."""
    text = _marked(string, current_view().locale)
    if not context.autoescape:
        return str(text) % variables
    return text % variables if variables or "%" in text else text


def page(template: str, *, status: int = 200, **context: Any) -> Response:
    """A whole page, or the block named by HX-Target when htmx asks for a part of it."""
    block = request.headers.get("HX-Target", "").replace("-", "_")
    whole = (
        not request.headers.get("HX-Request")
        or not block
        or "HX-History-Restore-Request" in request.headers
        or "HX-Boosted" in request.headers
        or block not in current_app.jinja_env.get_template(template).blocks
    )
    body = render_template(template, **context) if whole else render_block(template, block, **context)
    response = make_response(body, status)
    response.headers["Vary"] = "HX-Request, HX-Target, Cookie"
    return response


def go(endpoint: str, **values: Any) -> Response:
    """After success: 303 for a plain form, 204 and HX-Redirect for htmx."""
    return go_to(url_for(endpoint, **values))


def _address(endpoint: str, **values: Any) -> str:
    """`url_for()` in templates: a link is made once, as those of every page's frame and of its filters, and kept."""
    # Behind the proxies, whose every look-up a page of forty links pays.
    asked_of, app = request_ctx.request, request_ctx.app
    full = f"{asked_of.blueprint}{endpoint}" if endpoint[0] == "." and asked_of.blueprint else endpoint
    # The kind of a value belongs to it: 1 and True are equal, and written otherwise.
    asked = tuple((name, type(value), value) for name, value in values.items())
    try:
        known: str = app.extensions["portal.addresses"](asked_of.script_root, full, asked)
    except TypeError:
        # A list of values is no key.
        return url_for(endpoint, **values)
    return known


def _made(_root: str, endpoint: str, asked: tuple[tuple[str, type, Any], ...]) -> str:
    return url_for(endpoint, **{name: value for name, _kind, value in asked})


def go_to(address: str) -> Response:
    if request.headers.get("HX-Request"):
        return Response("", 204, {"HX-Redirect": address})
    return Response("", 303, {"Location": address})


def settle(address: str, part: Callable[[], Response]) -> Response:
    """After an act on a part of a page: for htmx that part as it stands now, else 303 to the page's address."""
    return part() if request.headers.get("HX-Target") else go_to(address)


def turn_down(refused: Refused, tint: str = "warn") -> None:
    """Say on the next page what was refused. What the act had written is undone, which a redirect would commit."""
    undo()
    flash(refused.message, tint)


def absolute(endpoint: str, **values: Any) -> str:
    """An address for messages and QR codes: from the configured public URL, never from the Host header."""
    config: Config = current_app.extensions["portal.config"]
    return config.public_url + url_for(endpoint, **values)


def address(path: str) -> str:
    """The same for a path, also where no request runs."""
    config: Config = current_app.extensions["portal.config"]
    return config.public_url + path


def number_asked(name: str, default: int = 0, *, said: Mapping[str, str] | None = None) -> int:
    """A whole number that the address asks for, or a form said; the default for what no column could hold."""
    text = (request.args if said is None else said).get(name, "")
    # Ten figures at most are read: a number of a million figures would cost time.
    number = int(text) if re.fullmatch(r"-?\d{1,10}", text, re.ASCII) else default
    return number if abs(number) <= MOST_ASKED else default


def current_view() -> View:
    """How the reader wants to see the portal; asked for each sentence of a page, so found once a request."""
    return _seen.get() or _view_of_request()


def show_as(view: View) -> None:
    """See the rest of this request in another way."""
    _seen.set(view)


def _view_of_request() -> View:
    config: Config = current_app.extensions["portal.config"]
    if not has_request_context():
        # A job writing to somebody: nobody's cookies, so the portal's own language.
        return View(scale="1", locale="zh", site_name=config.site_name)
    scale, language = request.cookies.get("scale", "1"), request.cookies.get("locale", "zh")
    return View(
        scale=scale if scale in SCALES else "1",
        locale=language if language in LOCALES else "zh",
        site_name=config.site_name,
    )


def _locale() -> str:
    return LOCALES[current_view().locale] if has_request_context() else LOCALES["zh"]


def download(body: bytes, filename: str, mimetype: str) -> Response:
    """A file to save: always an attachment, its name in UTF-8."""
    response = make_response(body)
    response.mimetype = mimetype
    quoted = urlencode({"": filename})[1:].replace("+", "%20")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quoted}"
    return response


def day_words(day: date) -> str:
    """A date as people say it: 11月23日 周一, in English Mon 23 Nov; with its year where that is not plain.

    Of a moment the day in the street.
    """
    this, day = today(), local(day).date() if isinstance(day, datetime) else day
    named = day.year != this.year and abs((day - this).days) > SOON
    return _day_words(day, current_view().locale, named)


@lru_cache(maxsize=2048)
def _day_words(day: date, locale: str, named: bool) -> str:
    """A page writes the same few days again and again."""
    return str(format_date(day, DAYS[locale, named], locale=LOCALES[locale]))


def full_day(day: date | str) -> str:
    """A date in full, also as a notice carries it: 2027年5月21日."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    day = local(day).date() if isinstance(day, datetime) else day
    locale = current_view().locale
    return str(format_date(day, "yyyy年M月d日" if locale == "zh" else "d MMM yyyy", locale=LOCALES[locale]))


def moment_words(moment: datetime) -> str:
    return f"{day_words(local(moment).date())} {local(moment):%H:%M}"


def _start() -> None:
    g.request_id = secrets.token_hex(8)
    _seen.set(_view_of_request())
    current_app.extensions["portal.sentences"].as_default()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method not in {"GET", "HEAD", "OPTIONS"} and site not in {"same-origin", "none"}:
        abort(403)


def _forget(_error: BaseException | None) -> None:
    _seen.set(None)


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    camera = "(self)" if request.endpoint in current_app.config["CAMERA_ENDPOINTS"] else "()"
    headers.setdefault("Permissions-Policy", f"camera={camera}, microphone=(), geolocation=()")
    if "ETag" not in headers:
        headers.setdefault("Cache-Control", "no-store")
    headers["X-Request-Id"] = g.get("request_id", "")
    return response


class RowNumber(IntegerConverter):
    """A number in an address that a row can have; a larger one matches no page and so answers 404."""

    def __init__(self, url_map: Map, **bounds: Any) -> None:
        super().__init__(url_map, **({"max": 2**31 - 1} | bounds))


def init(app: Flask, config: Config) -> None:
    app.url_map.converters["int"] = RowNumber
    app.config.update(
        SECRET_KEY=config.secret_key,
        SECRET_KEY_FALLBACKS=list(config.secret_key_fallbacks),
        SESSION_COOKIE_NAME="__Host-form" if config.production else "form",
        SESSION_COOKIE_SECURE=config.production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=24 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        MAX_FORM_PARTS=2000,
        TRUSTED_HOSTS=list(config.trusted_hosts) or None,
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE=LOCALES["zh"],
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
        BABEL_TRANSLATION_DIRECTORIES=str(config.translations),
        CAMERA_ENDPOINTS=frozenset(),
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.extensions["portal.config"] = config
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies, x_proto=config.proxies, x_host=0)  # type: ignore[method-assign]
    Babel(app, locale_selector=_locale)
    app.extensions["portal.sentences"] = Sentences(str(config.translations))
    app.jinja_env.globals.update(_=_sentence, gettext=_sentence)
    files = statics.build(config.static, config.instance / "static")
    app.extensions.update({"portal.statics": files, "portal.addresses": lru_cache(ADDRESSES)(_made)})
    app.jinja_env.autoescape = True
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        static_url=files.url,
        may=access.may,
        url_for=_address,
    )
    app.jinja_env.filters.update(
        mask_name=masking.mask_name,
        mask_phone=masking.mask_phone,
        mask_id=masking.mask_id,
        yuan=money.yuan,
        day=day_words,
        full_day=full_day,
        clock_time=lambda moment: f"{local(moment):%H:%M}",
        moment=moment_words,
    )
    app.context_processor(_context)
    app.before_request(_start)
    app.teardown_request(_forget)
    app.after_request(_headers)


def csrf_token() -> str:
    """A page writes its token into every form: made for the first of them."""
    known: str | None = g.get("csrf_token")
    return known or generate_csrf()


def bind_macros(app: Flask) -> None:
    """Bind templates/ui/components.html as the global `ui`; fragments see it too."""
    with app.test_request_context():
        app.jinja_env.globals["ui"] = app.jinja_env.get_template("ui/components.html").module


def _context() -> dict[str, Any]:
    return {"view": current_view(), "actor": access.actor_or_none(), "now_local": local(now())}
