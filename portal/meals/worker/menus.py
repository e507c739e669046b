"""Worker pages: canteens, their dishes, and their menus week by week."""

from collections.abc import Collection
from datetime import date
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core.access import Scope, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing, Refused
from portal.core.web import go, number_asked, page
from portal.identity.permissions import Permission
from portal.meals.forms.menus import CanteenForm, DishForm, MenuForm, ReasonForm
from portal.meals.models import Canteen, Dish, Meal, Menu
from portal.meals.service import canteens, publishing
from portal.meals.service import menus as service
from portal.meals.worker.blueprint import bp

USUAL_PORTIONS = 50


def asked_day(name: str, default: date) -> date:
    """A date out of the address, or the default."""
    try:
        return date.fromisoformat(request.args.get(name) or request.form.get(name, ""))
    except ValueError:
        return default


def asked_canteen(within: Collection[Scope]) -> tuple[list[Canteen], Canteen | None]:
    """The canteens in scope, and the one a page is about: the one in the address, else the first."""
    found = canteens.canteens_in(within)
    return found, canteens.chosen(found, number_asked("canteen") or None)


@bp.route("/menus")
@requires(Permission.MEALS_MENUS)
def menus() -> Response:
    within = scopes(Permission.MEALS_MENUS)
    found, canteen = asked_canteen(within)
    first = service.monday_of(asked_day("week", today()))
    return page(
        "meals/worker/menus.html",
        canteen=canteen,
        canteens=found,
        first=first,
        step=service.WEEK,
        days=service.week(canteen, first) if canteen else [],
        unknown=canteen is not None and service.holidays_unknown(canteen, service.sunday_of(first)),
        gone=canteens.gone_in(within),
        may_manage=bool(canteens.area_scopes(within)),
    )


@bp.route("/menus/<int:canteen_id>/<day>/<meal>", methods=["GET", "POST"])
@requires(Permission.MEALS_MENUS)
def menu(canteen_id: int, day: str, meal: str) -> Response:
    canteen = canteens.canteen_in(scopes(Permission.MEALS_MENUS), canteen_id)
    when, served = _day(day), service.time_of(canteen, _meal(meal))
    standing = service.menu_of(canteen, when, served.meal)
    dishes = service.dishes_for(canteen, standing)
    form = MenuForm() if request.method == "POST" else MenuForm.of(standing, dishes, USUAL_PORTIONS)
    if form.validate_on_submit():
        try:
            _save(canteen, when, served.meal, standing, form)
            return go(".menus", canteen=canteen.id, week=service.monday_of(when))
        except Refused as refused:
            form.refuse(refused)
    context = _about(canteen, when) | {"served": served, "menu": standing}
    by_id = {str(dish.id): dish for dish in dishes}
    return page("meals/worker/menu.html", form=form, status=form.status, dishes=by_id, **context)


def _about(canteen: Canteen, day: date) -> dict[str, Any]:
    """Where and when a menu is, and whether nobody can say yet if that is a holiday."""
    return {"canteen": canteen, "day": day, "unknown": service.holidays_unknown(canteen, day)}


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise Missing from None


def _meal(word: str) -> Meal:
    if word not in set(Meal):
        raise Missing
    return Meal(word)


def _save(canteen: Canteen, day: date, meal: Meal, standing: Menu | None, form: MenuForm) -> None:
    menu = standing or service.new_menu(canteen, day, meal)
    service.set_dishes(menu, form.servings())
    if form.publish.data:
        publishing.publish(menu)
        flash(_("%(menu)s的菜单已发布。", menu=service.menu_words(day, meal)), "ok")
    else:
        flash(_("%(menu)s的菜单已保存。", menu=service.menu_words(day, meal)), "ok")


@bp.route("/menus/<int:menu_id>/withdraw", methods=["GET", "POST"])
@requires(Permission.MEALS_MENUS)
def menu_withdraw(menu_id: int) -> Response:
    menu = service.menu_in(scopes(Permission.MEALS_MENUS), menu_id)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            count = publishing.withdraw(menu, form.reason.data or "")
            flash(_("菜单已撤回，取消了 %(count)d 份订餐并通知了本人。", count=count), "ok")
            return go(".menus", canteen=menu.canteen_id, week=service.monday_of(menu.day))
        except Refused as refused:
            form.refuse(refused)
    return page("meals/worker/menu_withdraw.html", menu=menu, form=form, status=form.status)


@bp.route("/menus/<int:canteen_id>/publish-week", methods=["POST"])
@requires(Permission.MEALS_MENUS)
def menu_week_publish(canteen_id: int) -> Response:
    canteen = canteens.canteen_in(scopes(Permission.MEALS_MENUS), canteen_id)
    first = service.monday_of(asked_day("week", today()))
    result = publishing.publish_week(canteen, first)
    if result.done:
        flash(_("已发布 %(count)d 份菜单。", count=len(result.done)), "ok")
    if result.skipped:
        flash(_("没有发布：%(which)s。", which=result.why()), "warn")
    if not result.done and not result.skipped:
        flash(_("这一周没有待发布的草稿。"), "info")
    return go(".menus", canteen=canteen.id, week=first)


@bp.route("/menus/<int:canteen_id>/copy-week", methods=["POST"])
@requires(Permission.MEALS_MENUS)
def menu_week_copy(canteen_id: int) -> Response:
    canteen = canteens.canteen_in(scopes(Permission.MEALS_MENUS), canteen_id)
    first = service.monday_of(asked_day("week", today()))
    result = publishing.copy_week(canteen, first)
    if result.done:
        flash(_("从上一周复制了 %(count)d 份菜单，都是草稿，核对后请发布。", count=len(result.done)), "ok")
    if result.skipped:
        flash(_("跳过：%(which)s。", which=result.why()), "warn")
    if not result.done and not result.skipped:
        flash(_("上一周没有菜单可以复制，请先填一天的菜单。"), "info")
    return go(".menus", canteen=canteen.id, week=first)


@bp.route("/canteens/<int:canteen_id>/dishes")
@requires(Permission.MEALS_MENUS)
def dishes(canteen_id: int) -> Response:
    canteen = canteens.canteen_in(scopes(Permission.MEALS_MENUS), canteen_id)
    retired = request.args.get("retired") == "1"
    found = canteens.dishes_of(canteen, retired=retired)
    return page("meals/worker/dishes.html", canteen=canteen, dishes=found, retired=retired)


@bp.route("/canteens/<int:canteen_id>/dishes/new", methods=["GET", "POST"])
@requires(Permission.MEALS_MENUS)
def dish_new(canteen_id: int) -> Response:
    canteen = canteens.canteen_in(scopes(Permission.MEALS_MENUS), canteen_id)
    form = DishForm()
    if form.validate_on_submit():
        try:
            canteens.add_dish(canteen, form.recipe())
            flash(_("已加入菜品「%(name)s」。", name=form.name.data), "ok")
            return go(".dishes", canteen_id=canteen.id)
        except Refused as refused:
            form.refuse(refused)
    return page("meals/worker/dish_new.html", canteen=canteen, form=form, status=form.status)


@bp.route("/dishes/<int:dish_id>", methods=["GET", "POST"])
@requires(Permission.MEALS_MENUS)
def dish(dish_id: int) -> Response:
    found: Dish = canteens.dish_in(scopes(Permission.MEALS_MENUS), dish_id)
    form = DishForm(dish=found)
    if form.validate_on_submit():
        try:
            canteens.change_dish(found, form.recipe())
            flash(_("菜品「%(name)s」已保存。", name=form.name.data), "ok")
            return go(".dishes", canteen_id=found.canteen_id)
        except Refused as refused:
            form.refuse(refused)
    return page("meals/worker/dish.html", dish=found, canteen=found.canteen, form=form, status=form.status)


@bp.route("/dishes/<int:dish_id>/retire", methods=["POST"])
@requires(Permission.MEALS_MENUS)
def dish_retire(dish_id: int) -> Response:
    found = canteens.dish_in(scopes(Permission.MEALS_MENUS), dish_id)
    canteens.retire_dish(found)
    flash(_("「%(name)s」已停用，不再出现在选菜单里。", name=found.name), "ok")
    return go(".dishes", canteen_id=found.canteen_id)


@bp.route("/dishes/<int:dish_id>/restore", methods=["POST"])
@requires(Permission.MEALS_MENUS)
def dish_restore(dish_id: int) -> Response:
    found = canteens.dish_in(scopes(Permission.MEALS_MENUS), dish_id)
    canteens.restore_dish(found)
    flash(_("「%(name)s」已恢复。", name=found.name), "ok")
    return go(".dishes", canteen_id=found.canteen_id, retired=1)


@bp.route("/canteens/<int:canteen_id>", methods=["GET", "POST"])
@requires(Permission.MEALS_MENUS)
def canteen(canteen_id: int) -> Response:
    within = scopes(Permission.MEALS_MENUS)
    managed = canteens.managed(within, canteen_id)
    # An operator sees the page; only who answers for the area may change it.
    found = canteens.canteen_in(canteens.area_scopes(within) if request.method == "POST" else within, canteen_id)
    form = CanteenForm(canteen=found)
    form.community.choices = [(found.community.code, found.community.name)]
    if form.validate_on_submit():
        try:
            canteens.change_canteen(found, form.facts())
            flash(_("「%(name)s」的资料已保存。", name=found.name), "ok")
            return go(".menus", canteen=found.id)
        except Refused as refused:
            form.refuse(refused)
    return page("meals/worker/canteen.html", canteen=found, form=form, managed=managed, status=form.status)


@bp.route("/canteens/new", methods=["GET", "POST"])
@requires(Permission.MEALS_MENUS)
def canteen_new() -> Response:
    within = scopes(Permission.MEALS_MENUS)
    form = CanteenForm()
    form.community.choices = [(area.code, area.name) for area in canteens.communities(within) or _nowhere()]
    if form.validate_on_submit():
        try:
            opened = canteens.open_canteen(within, form.community.data, form.facts())
            flash(_("已新增助餐点「%(name)s」，请接着加菜品。", name=opened.name), "ok")
            return go(".dishes", canteen_id=opened.id)
        except Refused as refused:
            form.refuse(refused)
    return page("meals/worker/canteen_new.html", canteen=None, form=form, managed=True, status=form.status)


def _nowhere() -> list[Area]:
    """An operator answers for a canteen, not for an area: there is no place to open one."""
    raise Missing
