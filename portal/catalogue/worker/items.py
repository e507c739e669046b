"""Worker pages: keeping services, and the conditions of 我能办吗."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.items import ConditionForm, CopyForm, ItemForm, WithdrawForm
from portal.catalogue.models.codes import ItemState
from portal.catalogue.models.items import Condition, Item
from portal.catalogue.service import deciding, grounds, item_words, items, keeping, seeing, withdrawing
from portal.catalogue.worker.blueprint import bp
from portal.core import web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.identity.permissions import Permission

KEEP = Permission.CATALOGUE_KEEP
bp.add_app_template_filter(keeping.field_words, "service_field")


def _kept(item_id: int) -> Item:
    return items.item_in(scopes(KEEP), item_id)


@bp.route("/items")
@requires(KEEP)
def service_items() -> Response:
    within, page = scopes(KEEP), min(max(web.number_asked("page", 1), 1), 1000)
    state = next((one for one in ItemState if one == request.args.get("state")), None)
    words = request.args.get("q", "").strip()[:40]
    found, more = items.items_within(within, state=state, words=words, page=page)
    facts: dict[str, Any] = {"state": state, "words": words, "page": page, "more": more}
    facts |= {"counts": items.count_of(within), "states": item_words.choices(ItemState), "today": today()}
    facts |= {"kept": grounds.kept_ids(within)}
    return web.page("catalogue/worker/service_items.html", items=found, **facts)


@bp.route("/items/<int:item_id>")
@requires(KEEP)
def service_item(item_id: int) -> Response:
    places = grounds.places(scopes(KEEP))
    found, form = items.served_in(scopes(KEEP), item_id), CopyForm().offer(places)
    mine = found.area_id in {place.id for place in places}
    facts: dict[str, Any] = {"form": form, "changes": items.history(found), "today": today(), "mine": mine}
    return web.page("catalogue/worker/service_item.html", item=found, **facts)


@bp.route("/items/new", methods=["GET", "POST"])
@requires(KEEP)
def item_new() -> Response:
    within = scopes(KEEP)
    form = ItemForm().offer(grounds.places(within))
    if form.validate_on_submit():
        try:
            number = made_once("catalogue.item", form, lambda: _created(form, within))
            return web.go(".service_item", item_id=number)
        except Refused as refused:
            form.refuse(refused)
    return web.page("catalogue/worker/item_new.html", form=form, status=form.status)


def _created(form: ItemForm, within: tuple[Scope, ...]) -> Item:
    flash(_("存成草稿了。看看对不对，再发布。"), "ok")
    return keeping.create(
        grounds.place(within, form.text("area")), form.facts(), form.papers_said(), by=current_actor()
    )


@bp.route("/items/<int:item_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def item_edit(item_id: int) -> Response:
    found = _kept(item_id)
    form = ItemForm.of(found)
    if form.validate_on_submit():
        try:
            changed = keeping.save(found, form.facts(), form.papers_said(), version=form.seen, by=current_actor())
            flash(_("已保存。") if changed else _("没有改动。"), "ok")
            return web.go(".service_item", item_id=item_id)
        except Refused as refused:
            form.refuse(refused)
            form.catch_up(found)
    return web.page("catalogue/worker/item_edit.html", item=found, form=form, status=form.status)


@bp.route("/items/<int:item_id>/publish", methods=["POST"])
@requires(KEEP)
def item_publish(item_id: int) -> Response:
    try:
        keeping.publish(_kept(item_id))
        flash(_("已发布，居民现在能看到。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".service_item", item_id=item_id)


@bp.route("/items/<int:item_id>/withdraw", methods=["GET", "POST"])
@requires(KEEP)
def item_withdraw(item_id: int) -> Response:
    found = _kept(item_id)
    hanging = withdrawing.hanging(found)
    form = WithdrawForm().offer(hanging.booked)
    if form.carries_out(lambda: _withdraw(found, form)):
        return web.go(".service_item", item_id=item_id)
    return web.page("catalogue/worker/item_withdraw.html", item=found, form=form, hanging=hanging, status=form.status)


def _withdraw(item: Item, form: WithdrawForm) -> None:
    told = withdrawing.withdraw(item, reason=form.text("reason"), call_off=form.calls_off)
    flash(_("已撤下，居民看不到了。"), "ok")
    if told:
        flash(_("取消了 %(count)d 个预约，已通知本人。", count=told), "ok")


@bp.route("/items/<int:item_id>/copy", methods=["POST"])
@requires(KEEP)
def item_copy(item_id: int) -> Response:
    within = scopes(KEEP)
    found = items.served_in(within, item_id)
    form = CopyForm().offer(grounds.places(within))
    if not form.validate_on_submit():
        return web.go(".service_item", item_id=item_id)
    place = grounds.place(within, form.text("area"))
    number = made_once("catalogue.copy", form, lambda: keeping.copy(found, place, by=current_actor()))
    flash(_("这是复制成的草稿，请改好名称再发布。"), "ok")
    return web.go(".item_edit", item_id=number)


@bp.route("/items/<int:item_id>/conditions/new", methods=["GET", "POST"])
@requires(KEEP)
def condition_new(item_id: int) -> Response:
    found = _kept(item_id)
    form = ConditionForm().offer(items.alternatives(found))
    if form.carries_out(lambda: made_once("catalogue.condition", form, lambda: deciding.add(found, form.facts()))):
        flash(_("条件加上了。"), "ok")
        return web.go(".service_item", item_id=item_id)
    return web.page("catalogue/worker/condition_new.html", item=found, form=form, status=form.status)


@bp.route("/items/<int:item_id>/conditions/<int:condition_id>", methods=["GET", "POST"])
@requires(KEEP)
def condition_edit(item_id: int, condition_id: int) -> Response:
    found = _kept(item_id)
    condition = deciding.condition_of(found, condition_id)
    form = ConditionForm.of(condition, items.alternatives(found))
    if form.carries_out(lambda: _mend(found, condition, form)):
        flash(_("已保存。"), "ok")
        return web.go(".service_item", item_id=item_id)
    return web.page("catalogue/worker/condition_edit.html", item=found, form=form, status=form.status)


def _mend(item: Item, condition: Condition, form: ConditionForm) -> None:
    """Of two who edit one condition the second is told what the first changed."""
    seeing.hold(condition)
    form.refuse_older(form.stands(condition), by="")
    deciding.mend(item, condition, form.facts())


@bp.route("/items/<int:item_id>/conditions/<int:condition_id>/up", methods=["POST"])
@requires(KEEP)
def condition_up(item_id: int, condition_id: int) -> Response:
    found = _kept(item_id)
    deciding.lift(found, deciding.condition_of(found, condition_id))
    return web.go(".service_item", item_id=item_id)


@bp.route("/items/<int:item_id>/conditions/<int:condition_id>/remove", methods=["POST"])
@requires(KEEP)
def condition_remove(item_id: int, condition_id: int) -> Response:
    found = _kept(item_id)
    deciding.remove(found, deciding.condition_of(found, condition_id))
    flash(_("条件删掉了。"), "ok")
    return web.go(".service_item", item_id=item_id)
