"""Worker pages of certificates and stars: issuing, refusing, taking back; the street's levels."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import settings, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.certificates import (
    ApplyForm,
    CauseForm,
    IssueForm,
    RevokeForm,
    StarRevokeForm,
    StarRuleForm,
)
from portal.volunteers.service import certificate_paper, certificates, recording, records, stars
from portal.volunteers.worker.blueprint import bp

bp.add_app_template_filter(recording.certifier, "certifier")

CERTIFY, RULES = Permission.VOLUNTEERS_CERTIFY, Permission.VOLUNTEERS_RULES


def _tab(known: dict[str, Any]) -> str:
    asked = request.args.get("tab", "")
    return asked if asked in known else next(iter(known))


def _page_asked() -> int:
    return min(max(web.number_asked("page", 1), 1), 500)


@bp.route("/certificates")
@requires(CERTIFY)
def certificates_page() -> Response:
    within, tab, page = scopes(CERTIFY), _tab(certificates.TABS), _page_asked()
    found = certificates.certificates_in(within, tab, page=page)
    facts: dict[str, Any] = {"tab": tab, "page": page, "more": len(found) > certificates.PAGE}
    facts["counts"] = certificates.counts(within)
    return web.page("volunteers/worker/certificates_page.html", certificates=found[: certificates.PAGE], **facts)


@bp.route("/certificates/<public_id>")
@requires(CERTIFY)
def certificate_page(public_id: str) -> Response:
    found = certificates.certificate_in(scopes(CERTIFY), public_id)
    facts: dict[str, Any] = {"records": certificates.certified(found), "notice": settings.get(certificates.NOTICE)}
    facts["less"] = found.issued_at is not None and certificates.has_void(found)
    return web.page("volunteers/worker/certificate_page.html", certificate=found, **facts)


@bp.route("/certificates/<public_id>/issue", methods=["GET", "POST"])
@requires(CERTIFY, fresh=True)
def certificate_issue(public_id: str) -> Response:
    found, form = certificates.certificate_in(scopes(CERTIFY), public_id), IssueForm()
    says = ("responsible", "contact")

    def act() -> None:
        said = {name: form.text(name) for name in says}
        certificates.issue(found, by=current_actor(), **said)

    if form.carries_out(act):
        flash(_("已开始公示。") if found.notice_until else _("开好了，正在制作，做好会通知志愿者。"), "ok")
        return web.go(".certificate_page", public_id=public_id)
    facts: dict[str, Any] = {"notice": settings.get(certificates.NOTICE), "records": certificates.certified(found)}
    return web.page(
        "volunteers/worker/certificate_issue.html", certificate=found, form=form, status=form.status, **facts
    )


@bp.route("/certificates/<public_id>/refuse", methods=["GET", "POST"])
@requires(CERTIFY)
def certificate_refuse(public_id: str) -> Response:
    found, form = certificates.certificate_in(scopes(CERTIFY), public_id), CauseForm()
    if form.carries_out(lambda: certificates.refuse(found, reason=form.text("reason"))):
        flash(_("已答复志愿者。"), "ok")
        return web.go(".certificate_page", public_id=public_id)
    return web.page("volunteers/worker/certificate_refuse.html", certificate=found, form=form, status=form.status)


@bp.route("/certificates/<public_id>/revoke", methods=["GET", "POST"])
@requires(CERTIFY, fresh=True)
def certificate_revoke(public_id: str) -> Response:
    found, form = certificates.certificate_in(scopes(CERTIFY), public_id), RevokeForm()
    if form.carries_out(lambda: certificates.revoke(found, reason=form.text("reason"), by=current_actor())):
        flash(_("已撤销，查验页面马上显示“已撤销”。"), "ok")
        return web.go(".certificate_page", public_id=public_id)
    return web.page("volunteers/worker/certificate_revoke.html", certificate=found, form=form, status=form.status)


@bp.route("/certificates/<public_id>/remake", methods=["POST"])
@requires(CERTIFY)
def certificate_remake(public_id: str) -> Response:
    found = certificates.certificate_in(scopes(CERTIFY), public_id)
    try:
        certificates.remake(found)
        flash(_("正在重新制作，过一会儿刷新看看。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".certificate_page", public_id=public_id)


@bp.route("/certificates/<public_id>/file", methods=["POST"])
@requires(CERTIFY, fresh=True)
def certificate_file(public_id: str) -> Response:
    """The paper may say the whole number of a document: the password is asked for, and who took it is kept."""
    found = certificates.certificate_in(scopes(CERTIFY), public_id)
    return web.download(certificate_paper.handed_out(found), f"{found.number}.pdf", "application/pdf")


@bp.route("/stars")
@requires(CERTIFY)
def stars_page() -> Response:
    within, tab, page = scopes(CERTIFY), _tab(stars.TABS), _page_asked()
    found = stars.stars_in(within, tab, page=page)
    facts: dict[str, Any] = {"tab": tab, "page": page, "more": len(found) > stars.PAGE, "counts": stars.counts(within)}
    return web.page("volunteers/worker/stars_page.html", stars=found[: stars.PAGE], **facts)


@bp.route("/stars/<public_id>", methods=["GET", "POST"])
@requires(CERTIFY)
def star_page(public_id: str) -> Response:
    """The review; its button publishes the star."""
    found, form = stars.star_in(scopes(CERTIFY), public_id), ApplyForm()
    if form.carries_out(lambda: stars.publish(found, by=current_actor())):
        flash(_("审定通过，已开始公示。"), "ok")
        return web.go(".stars_page")
    facts: dict[str, Any] = {"total": records.total(found.volunteer), "sums": records.sums(found.volunteer)}
    return web.page("volunteers/worker/star_page.html", star=found, form=form, status=form.status, **facts)


@bp.route("/stars/<public_id>/refuse", methods=["GET", "POST"])
@requires(CERTIFY)
def star_refuse(public_id: str) -> Response:
    form = CauseForm()
    found = stars.star_in(scopes(CERTIFY), public_id)
    return _ended(form, lambda: stars.refuse(found, reason=form.text("reason"), by=current_actor()), star=found)


@bp.route("/stars/<public_id>/revoke", methods=["GET", "POST"])
@requires(CERTIFY, fresh=True)
def star_revoke(public_id: str) -> Response:
    form = StarRevokeForm()
    found = stars.star_in(scopes(CERTIFY), public_id)

    def act() -> None:
        stars.revoke(found, reason=form.text("reason"), is_false=bool(form.is_false.data), by=current_actor())

    if form.carries_out(act):
        flash(_("已取消，已通知志愿者。"), "ok")
        return web.go(".stars_page")
    years = settings.get(stars.BARRED)
    return web.page("volunteers/worker/star_revoke.html", star=found, form=form, years=years, status=form.status)


def _ended(form: CauseForm, act: Callable[[], None], **facts: Any) -> Response:
    if form.carries_out(act):
        flash(_("已答复志愿者。"), "ok")
        return web.go(".stars_page")
    return web.page("volunteers/worker/star_refuse.html", form=form, status=form.status, **facts)


@bp.route("/star-rules")
@requires(RULES)
def star_rules() -> Response:
    force = {one.id for one in stars.rules_on(today()).values()}
    return web.page("volunteers/worker/star_rules.html", rules=stars.all_rules(), force=force, today=today())


@bp.route("/star-rules/load", methods=["POST"])
@requires(RULES)
def star_rules_load() -> Response:
    count = stars.seed(by=current_actor().name)
    flash(_("装入了 %(count)d 级标准。", count=count) if count else _("已经有标准了，没有装入。"), "ok")
    return web.go(".star_rules")


@bp.route("/star-rules/new", methods=["GET", "POST"])
@requires(RULES)
def star_rule_new() -> Response:
    asked = web.number_asked("from")
    form = StarRuleForm.of(stars.rule(asked)) if asked else StarRuleForm()

    def act() -> None:
        by = current_actor().name
        stars.set_rule(int(form.text("level")), int(form.hours.data or 0), by=by, **form.facts())

    if form.carries_out(act):
        flash(_("保存好了。"), "ok")
        return web.go(".star_rules")
    return web.page("volunteers/worker/star_rule_new.html", form=form, status=form.status)
