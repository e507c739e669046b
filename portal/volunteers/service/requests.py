"""Joining where a yes is needed: a worker or leader answers a request."""

from flask_babel import gettext as _

from portal.core import audit
from portal.core.clock import now
from portal.core.errors import Refused
from portal.volunteers.models.codes import SignupState, Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import joining, leaving
from portal.volunteers.service.signup_telling import tell_signup


def answer_request(signup: Signup, *, yes: bool, by: joining.Who, reason: str = "") -> None:
    """Take somebody onto the post she asked for, or refuse her with a reason; her place was held meanwhile."""
    if signup.state is not SignupState.REQUESTED:
        raise Refused(_answered())
    if not yes:
        if not reason:
            raise Refused(_("不通过要写原因，志愿者会看到。"), field="reason")
        joining.take_off(signup, SignupState.REFUSED, by=by, reason=reason)
        return
    if signup.placed_by == by.public_id:
        raise Refused(_("不能通过自己提的申请。请另一位负责人或社区来办。"))
    if signup.starts_at <= now():
        raise Refused(_("这一班已经开始，不能再通过；请到签到里补登。"))
    joining.mark(signup, SignupState.JOINED, by=by, way=Way.APPROVED)
    audit.record("volunteers.request_granted", signup, on_behalf_of=signup.volunteer.person.public_id, by=by.name)
    tell_signup("signup_joined", signup, way="approved")


def answer(signup: Signup, *, yes: bool, by: joining.Who, reason: str = "") -> None:
    """Answer whatever a signup waits for: to join, or to be let go. A no says why."""
    if not yes and not reason:
        raise Refused(_("不同意要写原因，志愿者会看到。"), field="reason")
    if signup.leave_asked_at is not None:
        leaving.answer_leave(signup, yes=yes, by=by, reason=reason)
    else:
        answer_request(signup, yes=yes, by=by, reason=reason)


def _answered() -> str:
    return _("这个申请已经处理过了，请刷新看看。")
