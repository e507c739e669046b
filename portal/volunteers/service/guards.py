"""What the law asks of an activity before it is published (志愿服务条例 12, 14-17), in words that say what to mend."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _

from portal.core.clock import local, now
from portal.core.errors import Refused
from portal.core.web import day_words
from portal.volunteers.models.activities import Activity
from portal.volunteers.models.codes import ServiceKind
from portal.volunteers.service.signup_words import long_day

ADULT = 18
# Below eight nobody can agree to anything (民法典 19, 20).
LEAST_AGE = 8
PROFESSIONAL = frozenset({ServiceKind.HEALTH, ServiceKind.LAW})


@dataclass(frozen=True)
class Flaw:
    """One thing to mend, and the field of the activity's form where that is done."""

    words: str
    field: str


def flaws(activity: Activity, until: datetime | None = None) -> list[Flaw]:
    """What keeps an activity from being published; `until` is when its last shift ends, where it has one."""
    found = [*_told(activity), *_insured(activity, until), *_skilled(activity), *_of_age(activity)]
    return [flaw for flaw in found if flaw]


def check(activity: Activity, until: datetime | None = None) -> None:
    """Refuse to publish, with everything that is to be mended."""
    found = flaws(activity, until)
    if found:
        raise Refused("".join(flaw.words for flaw in found), field=found[0].field)


def check_shift(activity: Activity, ends_at: datetime, *, field: str = "") -> None:
    """The same guard for a shift that is added to a published activity, or moved."""
    found = _insured(activity, ends_at)
    if found:
        raise Refused("".join(flaw.words for flaw in found), field=field)


def _told(activity: Activity) -> list[Flaw]:
    """A call for volunteers says who leads, what is done, and with which risks (12, 14)."""
    found = []
    if not activity.risks.strip():
        words = _("请写明可能的风险和防范办法；没有特别的风险，也要写清要注意什么。")
        found.append(Flaw(words, "risks"))
    if activity.leader_id is None and not (activity.leader_name and activity.leader_phone):
        found.append(Flaw(_("请写明活动负责人和电话。"), "leader_name"))
    if not activity.positions:
        found.append(Flaw(_("请至少设一个岗位，写明要几个人。"), "positions"))
    return found


def _insured(activity: Activity, until: datetime | None) -> list[Flaw]:
    """A dangerous activity is insured before it begins, until its last shift ends (17)."""
    if not activity.is_risky:
        return []
    if not activity.insurance.strip() or activity.insured_until is None:
        words = _("这个活动可能有人身危险，请先给志愿者买好人身意外伤害保险，再填保险和有效期。")
        return [Flaw(words, "insurance")]
    if activity.insured_until <= now():
        return [Flaw(_("保险已经到期，请续保以后改“保险到哪天”。"), "insured_until")]
    if until is not None and activity.insured_until < until:
        words = _(
            "保险到 %(until)s 为止，不够到 %(last)s 的班次。请续保以后改“保险到哪天”，或者不排那以后的班次。",
            until=insured_day(activity.insured_until),
            last=day_words(local(until).date()),
        )
        return [Flaw(words, "insured_until")]
    return []


def insured_day(until: datetime) -> str:
    """The last day that is insured."""
    return long_day(local(until - timedelta(seconds=1)).date())


def _skilled(activity: Activity) -> list[Flaw]:
    """Who gives professional help has its qualification (16)."""
    if activity.kind not in PROFESSIONAL or not activity.positions:
        return []
    if any(skill.needs_proof for position in activity.positions for skill in position.skills):
        return []
    words = _("健康和法律服务要有资格的人来做：请给至少一个岗位选上要看证书的技能。")
    return [Flaw(words, "positions")]


def _of_age(activity: Activity) -> list[Flaw]:
    """What is asked of volunteers fits their age (15); a minor comes with a guardian's consent."""
    if activity.least_age >= ADULT:
        return []
    if activity.least_age < LEAST_AGE:
        return [Flaw(_("8 周岁以下的孩子不能当志愿者，请改最小年龄。"), "least_age")]
    if activity.is_risky:
        words = _("可能有人身危险的活动不能招未满 18 周岁的人，请把最小年龄改成 18。")
        return [Flaw(words, "least_age")]
    if not activity.conditions.strip():
        words = _("招未成年人的活动，请在参加条件里写明谁看护、怎么接送。")
        return [Flaw(words, "conditions")]
    return []
