"""Worker pages: desk accounts, their roles and first passwords."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.administration.forms import AccountFilter, AccountForm, ExpiryForm, GrantForm
from portal.administration.service import accounts as service
from portal.administration.worker.blueprint import bp
from portal.core.access import Platform, current_actor, requires
from portal.core.errors import Refused
from portal.core.web import go, page
from portal.identity import passwords
from portal.identity import service as identity
from portal.identity.permissions import Permission, label


@bp.route("/accounts")
@requires(Permission.ACCOUNTS_MANAGE)
def accounts() -> Response:
    form = AccountFilter(request.args, roles=[(role.value, label(role)) for role in service.DESK_ROLES])
    valid = form.validate()
    role = service.desk_role(form.role.data) if valid and form.role.data else None
    lines = service.lines(form.q.data or "", role) if valid else []
    return page("administration/worker/accounts.html", status=form.status, form=form, lines=lines)


@bp.route("/accounts/new", methods=["GET", "POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def open_account() -> Response:
    form, first, made = AccountForm(), passwords.generated(), None
    if form.validate_on_submit():
        hashed = passwords.hashed(first, Platform.DESK)  # before the first query: hashing holds no transaction
        try:
            made = identity.open_desk_account(**form.wanted(), password_hash=hashed)
        except Refused as refused:
            form.refuse(refused)
    return page("administration/worker/open_account.html", status=form.status, form=form, made=made, first=first)


@bp.route("/accounts/<public_id>")
@requires(Permission.ACCOUNTS_MANAGE)
def account(public_id: str) -> Response:
    found = service.desk_account(public_id)
    roles = [(role, label(role), service.role_duties(role)) for role in service.DESK_ROLES]
    own = found.id == current_actor().account_id
    return page("administration/worker/account.html", line=service.line(found), roles=roles, own=own)


@bp.route("/accounts/<public_id>/roles/<role>", methods=["GET", "POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def grant_role(public_id: str, role: str) -> Response:
    changed, given = service.account_to_change(public_id, by=current_actor()), service.desk_role(role)
    form = GrantForm(scopes=service.scope_choices(given))
    if form.validate_on_submit():
        try:
            service.grant_role(changed, given, scope=form.scope.data, until=form.until.data)
            flash(_("已授予“%(role)s”，对方需要重新登录", role=label(given)), "ok")
            return go(".account", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    facts = {"account": changed, "role_label": label(given), "duties": service.role_duties(given)}
    return page("administration/worker/grant_role.html", status=form.status, form=form, **facts)


@bp.route("/accounts/<public_id>/roles/<int:grant_id>/revoke", methods=["POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def revoke_role(public_id: str, grant_id: int) -> Response:
    identity.revoke(service.account_to_change(public_id, by=current_actor()), grant_id)
    flash(_("已收回，对方需要重新登录"), "ok")
    return go(".account", public_id=public_id)


@bp.route("/accounts/<public_id>/expiry", methods=["GET", "POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def set_expiry(public_id: str) -> Response:
    changed = service.account_to_change(public_id, by=current_actor())
    form = ExpiryForm(expires_on=changed.expires_on)
    if form.validate_on_submit():
        try:
            identity.expire(changed, form.expires_on.data)
            flash(_("账号到期日已保存"), "ok")
            return go(".account", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return page("administration/worker/set_expiry.html", status=form.status, form=form, account=changed)


@bp.route("/accounts/<public_id>/disable", methods=["POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def disable_account(public_id: str) -> Response:
    identity.disable(service.account_to_change(public_id, by=current_actor()))
    flash(_("已停用，对方的登录已全部结束"), "ok")
    return go(".account", public_id=public_id)


@bp.route("/accounts/<public_id>/enable", methods=["POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def enable_account(public_id: str) -> Response:
    identity.enable(service.account_to_change(public_id, by=current_actor()))
    flash(_("已恢复使用"), "ok")
    return go(".account", public_id=public_id)


@bp.route("/accounts/<public_id>/password", methods=["POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def reset_password(public_id: str) -> Response:
    first = passwords.generated()
    hashed = passwords.hashed(first, Platform.DESK)  # before the first query: hashing holds no transaction
    changed = service.account_to_change(public_id, by=current_actor())
    identity.reset_password(changed, hashed)
    return page("administration/worker/reset_password.html", account=changed, first=first)


@bp.route("/accounts/<public_id>/totp", methods=["POST"])
@requires(Permission.ACCOUNTS_MANAGE, fresh=True)
def reset_totp(public_id: str) -> Response:
    identity.reset_totp(service.account_to_change(public_id, by=current_actor()))
    flash(_("已解除动态口令，对方下次登录时重新绑定"), "ok")
    return go(".account", public_id=public_id)
