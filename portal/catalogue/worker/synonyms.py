"""Worker pages: words that mean the same, and the words under which residents found nothing."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.lists import SynonymForm
from portal.catalogue.models.items import Synonym
from portal.catalogue.service import dictionary, grounds
from portal.catalogue.worker.blueprint import bp
from portal.core import web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.once import made_once
from portal.identity.permissions import Permission

KEEP = Permission.CATALOGUE_KEEP


@bp.route("/synonyms")
@requires(KEEP)
def synonyms() -> Response:
    words = request.args.get("q", "").strip()[:20]
    groups = dictionary.groups(scopes(KEEP), words)
    kept = grounds.kept_ids(scopes(KEEP))
    return web.page("catalogue/worker/synonyms.html", groups=groups, words=words, kept=kept)


@bp.route("/synonyms/new", methods=["GET", "POST"])
@requires(KEEP)
def synonym_new() -> Response:
    within = scopes(KEEP)
    form = SynonymForm(data={"words": request.args.get("words", "")[:40]}).offer(grounds.places(within))
    if form.carries_out(lambda: made_once("catalogue.synonym", form, lambda: _added(form, within))):
        flash(_("这一组词存好了，居民马上就能这样搜。"), "ok")
        return web.go(".synonyms")
    return web.page("catalogue/worker/synonym_new.html", form=form, status=form.status)


def _added(form: SynonymForm, within: tuple[Scope, ...]) -> Synonym:
    return dictionary.add(grounds.place(within, form.text("area")), form.said(), by=current_actor())


@bp.route("/synonyms/<int:group_id>", methods=["GET", "POST"])
@requires(KEEP)
def synonym_edit(group_id: int) -> Response:
    group = dictionary.group_in(scopes(KEEP), group_id)
    form = SynonymForm.of(group)
    seen = dictionary.words_in(form.text("seen"))
    if form.carries_out(lambda: dictionary.save(group, form.said(), seen=seen, by=current_actor())):
        flash(_("已保存。"), "ok")
        return web.go(".synonyms")
    form.seen.data = "、".join(group.words)
    return web.page("catalogue/worker/synonym_edit.html", group=group, form=form, status=form.status)


@bp.route("/synonyms/<int:group_id>/remove", methods=["POST"])
@requires(KEEP)
def synonym_remove(group_id: int) -> Response:
    dictionary.remove(dictionary.group_in(scopes(KEEP), group_id))
    flash(_("这一组词删掉了。"), "ok")
    return web.go(".synonyms")


@bp.route("/misses")
@requires(KEEP)
def misses() -> Response:
    page = min(max(web.number_asked("page", 1), 1), 1000)
    found, more = dictionary.misses(scopes(KEEP), page=page)
    return web.page("catalogue/worker/misses.html", misses=found, more=more, page=page)


@bp.route("/misses/<int:miss_id>/settle", methods=["POST"])
@requires(KEEP)
def miss_settle(miss_id: int) -> Response:
    dictionary.settle(scopes(KEEP), miss_id)
    flash(_("标成已处理。"), "ok")
    return web.go(".misses")
