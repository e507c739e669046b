"""Handling: sign, give back, contact, ask help, pause, ask for more time, escalate; only whoever has it."""

from datetime import date, datetime

from flask_babel import gettext as _

from portal.casework.models.cases import Case, CaseHelp
from portal.casework.models.codes import HELD, CaseState, Deed, Extension, PhotoStage
from portal.casework.models.limits import LimitStep
from portal.casework.service import limits, loads, moves, photos, responsible, telling
from portal.core import clock, working
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.web import day_words
from portal.core.working import WorkingTime
from portal.identity import staff
from portal.identity.permissions import Permission

S = CaseState


def held_by(case: Case, by: Actor) -> None:
    """Refuse who does not have the request."""
    if case.holder != by.public_id:
        name = case.holder_name or _("还没有人")
        raise Refused(_("这件诉求现在由%(name)s办理，您可以写协助记录，不能替他办。", name=name))


def sign(case: Case, *, by: Actor) -> None:
    held_by(case, by)
    moves.move(case, S.SIGNED, by=moves.worker(by))


def begin(case: Case, *, by: Actor) -> None:
    held_by(case, by)
    moves.move(case, S.WORKING, by=moves.worker(by))


def give_back(case: Case, why: str, *, by: Actor) -> None:
    """退单: with a reason, in time, and so often as the limits say; then the dispatcher decides."""
    held_by(case, by)
    if not why.strip():
        raise Refused(_("请写明退单原因，派单人要看。"), field="why")
    most = limits.limit_of(case, LimitStep.RETURNS).count
    if case.returns >= most:
        words = _("这件诉求已经退过 %(count)d 次，不能再退。请联系派单人，由派单人决定由谁办。", count=case.returns)
        raise Refused(words, field="why")
    if now() > return_until(case):
        raise Refused(_("已过退单期限，不能再退。确实不归您办，请联系派单人改派。"), field="why")
    mover = moves.worker(by)
    empty = {"holder": "", "holder_name": ""}
    moves.move(case, S.RETURNED, by=mover, inside=why.strip(), returns=case.returns + 1, **empty)


def may_give_back(case: Case) -> bool:
    """Whether it can still be given back: so often as the limits say, and in time."""
    return case.returns < limits.limit_of(case, LimitStep.RETURNS).count and now() <= return_until(case)


def return_until(case: Case) -> datetime:
    """Until when whoever was given a request may give it back."""
    begun = case.assigned_at or case.signed_at or case.state_at
    return limits.limit_of(case, LimitStep.RETURN).after(begun, WorkingTime(clock.local(begun).date()))


def contact(case: Case, words: str, *, by: Actor) -> None:
    """Written down that the reporter was spoken to; the first time counts for the response rate."""
    held_by(case, by)
    if not words.strip():
        raise Refused(_("请写一写联系的情况。"), field="words")
    if case.contacted_at is None:
        case.contacted_at = now()
    moves.step(case, Deed.CONTACTED, by=moves.worker(by), words=words.strip())


def note(case: Case, words: str, *, shown: bool, by: Actor) -> None:
    """A line of the timeline: for workers only, or for the reporter too."""
    if not words.strip():
        raise Refused(_("请写点内容。"), field="words")
    said = {"words": words.strip()} if shown else {"inside": words.strip()}
    moves.step(case, Deed.NOTED, by=moves.worker(by), **said)


def pause(case: Case, why: str, *, by: Actor) -> None:
    held_by(case, by)
    if not why.strip():
        raise Refused(_("请写明为什么暂缓，居民会看到。"), field="why")
    moves.move(case, S.PAUSED, by=moves.worker(by), words=why.strip())


def resume(case: Case, *, by: Actor) -> None:
    held_by(case, by)
    moves.move(case, S.WORKING, by=moves.worker(by))


def ask_help(case: Case, worker: str, party: str, what: str, *, by: Actor) -> CaseHelp:
    """协办: a colleague or a party outside; who asks stays responsible."""
    held_by(case, by)
    if case.state not in HELD:
        raise Refused(_("这件诉求已经办完，不用再请人协助。"))
    if not what.strip():
        raise Refused(_("请写明要对方做什么。"), field="what")
    whom = next((one for one in loads.candidates(case) if one.public_id == worker), None)
    if worker and (whom is None or whom.public_id == by.public_id):
        raise Refused(_("请从名单里选一位同事。"), field="worker")
    if whom is None and not party.strip():
        raise Refused(_("请选一位同事，或填写协助的单位。"), field="party")
    at = now()
    asked = CaseHelp(
        case_id=case.id,
        asked_of=whom.public_id if whom else "",
        asked_of_name=whom.name if whom else party.strip(),
        asked_by_name=by.name,
        asked_at=at,
        due=limits.limit_of(case, LimitStep.HELP).after(at, WorkingTime(clock.local(at).date())),
        what=what.strip(),
    )
    db.session.add(asked)
    moves.step(case, Deed.HELP_ASKED, by=moves.worker(by), inside=what.strip(), to_name=asked.asked_of_name)
    db.session.expire(case, ["helps"])
    if whom:
        telling.tell_worker(case, whom.public_id, "help_asked", by=by.name)
    return asked


def give_help(case: Case, help_id: int, answer: str, *, by: Actor) -> None:
    """What came of it: written by whoever was asked, or by the responsible for a party outside."""
    asked = next((one for one in case.helps if one.id == help_id), None)
    if asked is None or by.public_id not in {asked.asked_of or case.holder, case.holder}:
        raise Missing
    if asked.given_at is not None:
        raise Refused(_("这次协助已经回复过了。"))
    if not answer.strip():
        raise Refused(_("请写明协助的结果。"), field="answer")
    asked.answer, asked.given_at = answer.strip(), now()
    moves.step(case, Deed.HELP_GIVEN, by=moves.worker(by), inside=answer.strip(), to_name=asked.asked_of_name)
    if case.holder and case.holder != by.public_id:
        telling.tell_worker(case, case.holder, "help_given", by=by.name)


def latest_extension(case: Case) -> date | None:
    """The last day that may be asked for: so many working days after the end; None where nothing may be asked."""
    if case.finish_due is None:
        return None
    limit = limits.limit_of(case, LimitStep.EXTENSION)
    end = clock.local(case.finish_due).date()
    return WorkingTime(end).last_day(end, limit.count)


def ask_extension(case: Case, until: date, why: str, *, by: Actor) -> None:
    """延期: once, with a reason, before the end; a supervisor decides."""
    held_by(case, by)
    last = latest_extension(case)
    if last is None or case.finish_due is None or case.state not in {S.SIGNED, S.WORKING}:
        raise Refused(_("签收以后、答复以前才能申请延期。"))
    times = limits.limit_of(case, LimitStep.EXTENSIONS).count
    wrong = [
        (case.extension is not Extension.NONE or times < 1, "until", _("延期只能申请一次，这件已经申请过了。")),
        (now() >= case.finish_due, "until", _("已经到期，不能再申请延期。请尽快办理答复。")),
        (not why.strip(), "why", _("请写明为什么要延期。")),
        (until <= clock.local(case.finish_due).date(), "until", _("新的期限要晚于现在的期限。")),
        (until > last, "until", _("最多延到 %(day)s。", day=day_words(last))),
        (not WorkingTime(until).works(until), "until", _("请选一个工作日。")),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)
    case.extension, case.extension_why = Extension.ASKED, why.strip()[:200]
    case.extension_until = clock.at(until, working.Hours.set().last)
    moves.step(case, Deed.EXTENSION_ASKED, by=moves.worker(by), inside=why.strip())
    for account in staff.workers_on(Permission.CASES_SUPERVISE, [case.community.code]):
        if account.public_id != by.public_id:
            telling.tell_worker(case, account.public_id, "extension_asked", by=by.name)


def escalate(case: Case, party: str, why: str, *, by: Actor) -> None:
    """Beyond the community: the street or a body outside answers for it, the first responsible follows it up."""
    held_by(case, by)
    if case.state not in HELD:
        raise Refused(_("这件诉求已经办完，不用再上报。"))
    if not party.strip():
        raise Refused(_("请填写由哪个单位承办。"), field="party")
    responsible.check(party, case.community)
    if not why.strip():
        raise Refused(_("请写明为什么要上报。"), field="why")
    case.party, case.escalated_at = party.strip()[:60], now()
    moves.step(case, Deed.ESCALATED, by=moves.worker(by), words=why.strip(), to_name=case.party)
    street = case.community.parent
    for account in staff.workers_on(Permission.CASES_SUPERVISE, [street.code] if street else []):
        telling.tell_worker(case, account.public_id, "escalated", by=by.name)


def drop_photo(case: Case, photo_id: str, *, by: Actor) -> None:
    """A worker takes out what a worker put in; what the reporter sent stays."""
    held_by(case, by)
    photo = next((one for one in case.photos if one.public_id == photo_id), None)
    if photo is None or photo.stage is PhotoStage.REPORT:
        raise Missing
    photos.drop(case, photo_id)
