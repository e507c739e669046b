"""Forms of activities with their positions, and of what is done to one with a reason."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FieldList, FormField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms import Form as Part
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.areas.models import Area
from portal.core.errors import Refused
from portal.core.forms import CountField, DayField, ManyField, MobileField, OnceForm, TrimmedField, at_most, required
from portal.volunteers.models.activities import Activity
from portal.volunteers.models.codes import Joining, ServiceKind
from portal.volunteers.models.people import Skill
from portal.volunteers.service import activity_words, keeping, kinds
from portal.volunteers.service.keeping import Facts, PositionFacts

MOST_POSITIONS = 8


def between(least: int, most: int) -> list[Any]:
    words = _l("请填 %(min)d 到 %(max)d 之间的整数")
    return [InputRequired(_l("请填写这一项")), NumberRange(least, most, message=words)]


class PositionPart(Part):
    """One position; a row without a name is none."""

    position_id = HiddenField(default="0")
    name = TrimmedField(_l("岗位名称"), [Optional(), at_most(40)])
    needs = CountField(_l("每班几人"), [Optional(), NumberRange(1, 200, _l("请填 1 到 200 之间的整数"))])
    does = TrimmedField(_l("做什么"), [Optional(), at_most(300)])
    least_hours = CountField(
        _l("先要服务满几小时"), [Optional(), NumberRange(0, 1000, _l("请填 0 到 1000 之间的整数"))]
    )
    newcomers = CountField(
        _l("每 100 人里最多几位新志愿者（100 是不限）"),
        [Optional(), NumberRange(0, 100, _l("请填 0 到 100 之间的整数"))],
    )
    skills = ManyField(_l("需要的技能"), [Optional()], coerce=int)

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        fine = super().validate(extra_validators)
        if self.name.data and self.needs.data is None and not self.needs.errors:
            self.needs.errors = [_("请填要几个人")]
            fine = False
        return fine

    def facts(self) -> PositionFacts:
        said = str(self.position_id.data or "")
        return PositionFacts(
            name=self.name.data or "",
            needs=self.needs.data or 1,
            id=int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0,
            does=self.does.data or "",
            skills=tuple(self.skills.data or ()),
            least_hours=self.least_hours.data or 0,
            newcomers=100 if self.newcomers.data is None else self.newcomers.data,
        )


class ActivityForm(OnceForm):
    """An activity and its positions. `made` is its public id afterwards; `seen` when it was last changed."""

    made = ""

    seen = HiddenField()
    title = TrimmedField(_l("活动名称"), [required(), at_most(60)])
    kind = SelectField(_l("服务类别"))
    content = TextAreaField(_l("服务内容"), [required(_l("请写明做什么")), at_most(1000)])
    place = TrimmedField(_l("集合地点"), [required(_l("请写明在哪里集合")), at_most(120)])
    facility = SelectField(_l("在哪个设施"), coerce=int, default=0)
    organisation = SelectField(_l("活动组织单位"), coerce=int, default=0)
    team = SelectField(_l("由哪支志愿队承办"), coerce=int, default=0)
    leader = TrimmedField(
        _l("负责人的志愿者编号"),
        [Optional(), at_most(16)],
        description=_l("填了编号，这位志愿者就能在自己的手机上管签到"),
    )
    leader_name = TrimmedField(_l("活动负责人"), [Optional(), at_most(60)])
    leader_phone = MobileField(_l("负责人手机"), [Optional(), at_most(20)], description=_l("只给报了名的志愿者看"))
    conditions = TextAreaField(_l("参加条件和保障"), [Optional(), at_most(300)])
    risks = TextAreaField(
        _l("可能的风险和防范"), [Optional(), at_most(500)], description=_l("发布前必须写明，志愿者报名前会看到")
    )
    is_risky = BooleanField(_l("可能发生人身危险，要先买意外险"))
    insurance = TrimmedField(
        _l("给志愿者买的保险"), [Optional(), at_most(120)], description=_l("例如：平安志愿者意外险，每人 50 万")
    )
    insured_day = DayField(_l("保险到哪天"), [Optional()])
    joining = RadioField(_l("怎么报名"), default=Joining.OPEN.value)
    members_only = BooleanField(_l("只限这支志愿队的队员"))
    least_age = CountField(_l("最小年龄"), between(8, 100), default=18)
    most_age = CountField(_l("最大年龄"), [Optional(), NumberRange(8, 120, _l("请填 8 到 120 之间的整数"))])
    opens_days = CountField(_l("提前几天开始报名"), between(1, 180), default=30)
    leave_hours = CountField(_l("开始前几小时内不能自己退出"), between(0, 240), default=24)
    late_minutes = CountField(_l("开始后几分钟内还能报名"), between(0, 240), default=0)
    day_minutes = CountField(
        _l("一人一天最多几分钟"), between(0, 1440), default=0, description=_l("填 0 就按全街道的规定")
    )
    factor = CountField(_l("积分系数（100 是照常，200 是加倍）"), between(0, 500), default=100)
    positions = FieldList(FormField(PositionPart), max_entries=MOST_POSITIONS)

    def offer(self, community: Area, skills: Sequence[Skill]) -> None:
        """What can be chosen in a community."""
        facilities, bodies, teams = keeping.choices_of(community)
        self.kind.choices = kinds.choices()
        self.joining.choices = activity_words.choices(Joining)
        own = _("%(community)s居民委员会", community=community.name)
        self.facility.choices = [(0, _("不在设施里"))] + [(one.id, one.name) for one in facilities]
        self.organisation.choices = [(0, own)] + [(one.id, one.name) for one in bodies]
        self.team.choices = [(0, _("不由志愿队承办"))] + [(one.id, one.name) for one in teams]
        for row in self.positions:
            row.form.skills.choices = [(skill.id, skill.name) for skill in skills]

    def refuse(self, refused: Refused) -> None:
        """What is wrong with the positions as a whole stands on top: a list of parts has no place for words."""
        super().refuse(Refused(refused.message) if refused.field == "positions" else refused)

    def facts(self) -> Facts:
        words = ("title", "content", "place", "leader", "leader_name", "conditions", "risks", "insurance")
        text: dict[str, Any] = {name: self.text(name) for name in words}
        counts = ("least_age", "opens_days", "leave_hours", "late_minutes", "day_minutes", "factor")
        numbers: dict[str, Any] = {name: self[name].data or 0 for name in counts}
        return Facts(
            **text,
            **numbers,
            kind=ServiceKind(self.kind.data),
            positions=tuple(row.form.facts() for row in self.positions if row.form.name.data),
            facility_id=self.facility.data or None,
            organisation_id=self.organisation.data or None,
            team_id=self.team.data or None,
            leader_phone=self.text("leader_phone") or None,
            is_risky=bool(self.is_risky.data),
            insured_day=self.insured_day.data,
            joining=Joining(self.joining.data),
            members_only=bool(self.members_only.data),
            most_age=self.most_age.data,
        )

    def refuse_older(self, activity: Activity) -> None:
        """Of two who edit one activity the second is told that somebody was faster."""
        if self.text("seen") != activity.updated_at.isoformat():
            self.seen.data = activity.updated_at.isoformat()
            raise Refused(_("您打开这一页以后，有同事改过这个活动。您填的内容还在，请核对后再保存一次。"))


def activity_form(community: Area, skills: Sequence[Skill], filled: Mapping[str, Any] | None = None) -> ActivityForm:
    """Empty, or filled from a template or from what stands; with one row more for a further position."""
    data = dict(filled or {})
    rows = [*data.get("positions", ())][: MOST_POSITIONS - 1]
    form = ActivityForm(data=data | {"positions": [*rows, {}]})
    form.offer(community, skills)
    return form


def stands(activity: Activity) -> dict[str, Any]:
    """The fields as the activity fills them."""
    plain = {name: getattr(activity, name) for name in keeping.PLAIN}
    return plain | {
        "seen": activity.updated_at.isoformat(),
        "kind": activity.kind.value,
        "joining": activity.joining.value,
        "facility": activity.facility_id or 0,
        "organisation": activity.organisation_id or 0,
        "team": activity.team_id or 0,
        "leader": activity.leader.number if activity.leader else "",
        "insured_day": keeping.insured_day(activity),
        "positions": [
            {
                "position_id": str(one.id),
                "name": one.name,
                "needs": one.needs,
                "does": one.does,
                "least_hours": one.least_minutes // 60,
                "newcomers": one.newcomers,
                "skills": [skill.id for skill in one.skills],
            }
            for one in activity.positions
        ],
    }


class ReasonForm(OnceForm):
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因，会告诉志愿者")), at_most(120)])


class SaveTemplateForm(OnceForm):
    name = TrimmedField(_l("模板名称"), [required(), at_most(60)])
    reach = RadioField(_l("给谁用"), default="community")

    def offer(self, *, street: bool) -> None:
        ours = [("community", _("本社区"))]
        self.reach.choices = [*ours, ("street", _("全街道"))] if street else ours
