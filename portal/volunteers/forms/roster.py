"""What the roster is asked and told: its filters, an act on it, words to many, and why a file is taken."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, TextAreaField
from wtforms.validators import Length, Optional

from portal.core import tokens, web
from portal.core.access import Actor
from portal.core.clock import today
from portal.core.db import undo
from portal.core.errors import Refused
from portal.core.forms import Form, OnceForm, TrimmedField, at_most, required
from portal.volunteers.service.rearranging import Done, Soft

UNDO, UNDO_FOR = "volunteers.roster_undo", timedelta(minutes=15)
ACTS = ("assign", "move", "swap", "give", "remove")
WAY_AHEAD = timedelta(days=400)


def monday_of(text: str) -> date:
    """The Monday of the week of a day that an address names; this week's for anything else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = today()
    if abs(day - today()) > WAY_AHEAD:
        day = today()
    return day - timedelta(days=day.weekday())


class FilterForm(Form):
    """The filters of the roster, by GET."""

    class Meta(Form.Meta):
        csrf = False

    activity = SelectField(_l("活动"), choices=[], validators=[Optional()])
    skill = SelectField(_l("技能"), choices=[], validators=[Optional()])
    short = BooleanField(_l("只看缺人的"))


class ActForm(OnceForm):
    """An act on the roster. Which fields it needs depends on the act; what it is done to is looked up in scope."""

    act = HiddenField()
    signup = HiddenField()
    other = HiddenField()
    volunteer = HiddenField()
    post = HiddenField()
    reason = TrimmedField(_l("原因"), validators=[at_most(100)])
    # Whether a reason would put past what was refused.
    soft = False

    def validate_act(self, field: Any) -> None:
        if field.data not in ACTS:
            field.data = ""

    def refuse(self, refused: Refused) -> None:
        self.soft = isinstance(refused, Soft)
        self.form_errors.append(refused.message)

    def number(self, name: str) -> int:
        """The number of a row that a field says; 0, which none has, for anything else."""
        return web.number_asked(name, said=request.form)

    def said(self) -> dict[str, str]:
        """The act without its reason, to be sent again with one."""
        return {name: self.text(name) for name in ("act", "signup", "other", "volunteer", "post") if self.text(name)}

    def done(self, act: Callable[[], Done], *, by: Actor) -> Done | None:
        """Do it once; None where it was refused, of which nothing is left."""
        key, body = self.text("idem"), self.body()
        try:
            if tokens.same_request(by.public_id, UNDO, key, body):
                return Done(_("刚才已经办好了。"), {})
            done = act()
            tokens.remember_request(by.public_id, UNDO, key, body, "done")
        except Refused as refused:
            undo()
            self.refuse(refused)
            return None
        return done

    @classmethod
    def fresh(cls) -> "ActForm":
        """One with a new key, whatever was sent."""
        return cls(formdata=None)


class MessageForm(OnceForm):
    words = TextAreaField(_l("要说的话"), validators=[required(), Length(max=200, message=_l("最多 %(max)d 个字"))])


class TakeForm(Form):
    reason = TrimmedField(_l("为什么要导出"), validators=[required(), at_most(100)])


def kept(done: Done) -> str:
    """What was done, as an address carries it to the page after it."""
    return tokens.sign(UNDO, [done.words, done.undo])


def told() -> Done | None:
    """What the act before this page did, as long as it may be taken back by its button."""
    said = tokens.unsign(UNDO, request.args.get("undo", ""), within=UNDO_FOR)
    return Done(said[0], said[1]) if said else None


def asked_of_address() -> dict[str, str]:
    """What an address of the roster says, as far as it is known."""
    known = ("community", "week", "view", "activity", "skill", "short")
    return {name: request.args[name] for name in known if request.args.get(name)}
