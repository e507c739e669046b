"""Composition root: builds the two platforms and mounts the features. Nobody imports it but commands and tests."""

from functools import partial
from types import ModuleType

from flask import Blueprint, Flask
from flask_babel import gettext as _
from flask_login import LoginManager
from flask_wtf import CSRFProtect

import portal.administration.jobs
import portal.administration.worker
import portal.areas.models
import portal.areas.service
import portal.audit.worker
import portal.casework.jobs
import portal.casework.resident
import portal.casework.worker
import portal.catalogue.jobs
import portal.catalogue.resident
import portal.catalogue.worker
import portal.deliberation.jobs
import portal.deliberation.models.meetings
import portal.deliberation.models.opinions
import portal.deliberation.models.outcomes
import portal.deliberation.resident
import portal.deliberation.worker
import portal.duty.models
import portal.duty.worker
import portal.home.jobs
import portal.home.models
import portal.home.resident
import portal.home.worker
import portal.identity.jobs
import portal.identity.resident
import portal.identity.worker
import portal.meals.jobs
import portal.meals.models
import portal.meals.resident
import portal.meals.worker
import portal.notifications.jobs
import portal.notifications.models
import portal.notifications.resident
import portal.notifications.worker
import portal.places.models
import portal.points.models
import portal.registry.jobs
import portal.registry.models
import portal.registry.models.owners
import portal.registry.resident
import portal.registry.worker
import portal.visits.jobs
import portal.visits.models
import portal.visits.resident
import portal.visits.worker
import portal.volunteers.jobs
import portal.volunteers.models.plans
import portal.volunteers.models.records
import portal.volunteers.resident
import portal.volunteers.worker
from portal import config as configuration
from portal.areas.models import AreaKind
from portal.config import Config, Mode
from portal.core import (
    access,
    audit,
    blinding,
    calendar,
    db,
    events,
    failures,
    health,
    housekeeping,
    jobs,
    logs,
    outbox,
    sealing,
    settings,
    tokens,
    web,
)
from portal.core.access import Actor, Platform
from portal.core.db import aside
from portal.identity import permissions, scopes, sessions
from portal.meals.service import canteens

# Every table must be known before the database is asked for anything.
TABLES = (calendar.SpecialDay, health.Heartbeat, outbox.OutboxRow, settings.Parameter, tokens.RequestKey)


def create_app(config: Config | None = None) -> Flask:
    """Build the portal. Raise BadConfig or RuntimeError rather than start half-configured."""
    config = config or configuration.load()
    logs.init(config)
    app = Flask("portal", template_folder=str(config.templates), static_folder=None)
    app.testing = config.mode is Mode.TEST
    sealing.use(sealing.load(config.keys_file, create=not config.production), config.keys_file)
    blinding.guard()
    db.init(app, config)
    web.init(app, config)
    events.init(app)
    jobs.init(app, config)
    CSRFProtect(app)
    app.jinja_env.globals["csrf_token"] = web.csrf_token
    _identify(app)
    failures.init(app)
    _mount(app)
    _wire(app)
    _name_scopes()
    web.bind_macros(app)
    access.close_up(app)
    return app


def _identify(app: Flask) -> None:
    login = LoginManager(app)
    login.session_protection = None
    login.request_loader(lambda _request: sessions.load_actor())
    app.after_request(sessions.set_cookies)
    access.init(
        app,
        grants=permissions.grants,
        sign_in={Platform.RESIDENT: "identity.resident.sign_in", Platform.DESK: "identity.worker.sign_in"},
        confirm="identity.worker.confirm",
        denied=_denied,
    )


def _denied(_actor: Actor, permission: str) -> None:
    with aside() as session:
        audit.record("access.denied", session=session, permission=permission)


def _feature(app: Flask, name: str, address: str, *, resident: ModuleType | None, worker: ModuleType | None) -> None:
    """Mount a package's two platforms: resident pages at its address, worker pages below /desk."""
    feature = Blueprint(name, __name__)
    if resident:
        feature.register_blueprint(resident.bp, url_prefix=address)
    if worker:
        feature.register_blueprint(worker.bp, url_prefix=f"/desk{address}")
    app.register_blueprint(feature)


def _mount(app: Flask) -> None:
    app.register_blueprint(health.bp)
    home, identity, registry = portal.home, portal.identity, portal.registry
    _feature(app, "home", "", resident=home.resident, worker=home.worker)
    _feature(app, "identity", "/account", resident=identity.resident, worker=identity.worker)
    _feature(app, "registry", "/people", resident=registry.resident, worker=registry.worker)
    _feature(app, "meals", "/meals", resident=portal.meals.resident, worker=portal.meals.worker)
    _feature(app, "visits", "/visits", resident=portal.visits.resident, worker=portal.visits.worker)
    _feature(app, "catalogue", "/services", resident=portal.catalogue.resident, worker=portal.catalogue.worker)
    _feature(app, "casework", "/cases", resident=portal.casework.resident, worker=portal.casework.worker)
    _feature(app, "volunteers", "/volunteers", resident=portal.volunteers.resident, worker=portal.volunteers.worker)
    deliberation = portal.deliberation
    _feature(app, "deliberation", "/deliberation", resident=deliberation.resident, worker=deliberation.worker)
    _feature(app, "duty", "/duty", resident=None, worker=portal.duty.worker)
    notifications = portal.notifications
    _feature(app, "notifications", "/notices", resident=notifications.resident, worker=notifications.worker)
    _feature(app, "administration", "/administration", resident=None, worker=portal.administration.worker)
    _feature(app, "audit", "/audit", resident=None, worker=portal.audit.worker)


def _wire(app: Flask) -> None:
    """The jobs of each feature, and the events that siblings send each other."""
    housekeeping.register(jobs.of(app))
    for feature in (
        portal.administration.jobs,
        portal.identity.jobs,
        portal.notifications.jobs,
        portal.registry.jobs,
        portal.meals.jobs,
    ):
        feature.register(jobs.of(app))
    portal.registry.jobs.listen(app)
    portal.visits.jobs.register(jobs.of(app))
    portal.catalogue.jobs.register(jobs.of(app))
    portal.catalogue.jobs.listen(app)
    portal.casework.jobs.register(jobs.of(app))
    portal.casework.jobs.listen(app)
    portal.volunteers.jobs.register(jobs.of(app))
    portal.volunteers.jobs.listen(app)
    portal.deliberation.jobs.register(jobs.of(app))
    portal.deliberation.jobs.listen(app)
    portal.home.jobs.register(jobs.of(app))
    portal.visits.jobs.listen(app)


def _name_scopes() -> None:
    """What a role can be held on, in words: the kinds that areas and capabilities know."""
    areas = portal.areas.service
    for kind in AreaKind:
        scopes.declare(kind.value, partial(areas.choices, kind), label=partial(areas.kind_label, kind))
    scopes.declare("canteen", canteens.as_scopes, label=lambda: _("助餐点"))
