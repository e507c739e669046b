"""Worker pages: closing a canteen and opening it again."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core.access import requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.web import go, page, turn_down
from portal.identity.permissions import Permission
from portal.meals.forms.menus import ClosingForm
from portal.meals.service import canteens
from portal.meals.service import closing as service
from portal.meals.worker.blueprint import bp


@bp.route("/canteens/<int:canteen_id>/close", methods=["GET", "POST"])
@requires(Permission.MEALS_MENUS)
def canteen_close(canteen_id: int) -> Response:
    canteen = canteens.canteen_in(canteens.area_scopes(scopes(Permission.MEALS_MENUS)), canteen_id)
    form = ClosingForm()
    if form.validate_on_submit():
        try:
            count = service.close(canteen, **form.facts())
            flash(_("已登记停止供餐，取消订餐数：%(count)d，都已通知本人。", count=count), "ok")
            return go(".canteen", canteen_id=canteen.id)
        except Refused as refused:
            form.refuse(refused)
    first, until = form.first.data or today(), form.reopens_on.data
    menus = service.menus_in_the_way(canteen, first, until)
    return page("meals/worker/canteen_close.html", canteen=canteen, menus=menus, form=form, status=form.status)


@bp.route("/canteens/<int:canteen_id>/reopen", methods=["POST"])
@requires(Permission.MEALS_MENUS)
def canteen_reopen(canteen_id: int) -> Response:
    canteen = canteens.canteen_in(canteens.area_scopes(scopes(Permission.MEALS_MENUS)), canteen_id)
    try:
        service.reopen(canteen)
        flash(_("「%(name)s」恢复供餐了。撤回的菜单要重新发布，居民才看得到。", name=canteen.name), "ok")
    except Refused as refused:
        turn_down(refused)
    return go(".canteen", canteen_id=canteen.id)
