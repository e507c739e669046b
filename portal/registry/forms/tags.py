"""What a worker types about tags, restricted tags and emergency contacts."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField
from wtforms.validators import Optional, ValidationError

from portal.core.clock import today
from portal.core.forms import DayField, Form, TrimmedField, at_most, required
from portal.registry.forms.people import PhoneField, told
from portal.registry.models import EmergencyContact, PersonTag, RestrictedKind, TagKind
from portal.registry.service import tags
from portal.registry.service.tags import TagSaid


class ReasonForm(Form):
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(100)])


class SpanFields(Form):
    since = DayField(_l("从哪天起"), [required(_l("请填日期"))], default=today)
    until = DayField(_l("到哪天止"), [Optional()])
    source = TrimmedField(_l("依据"), [required(_l("请写明依据，例如民政名单、入户核实")), at_most(60)])

    def validate_since(self, field: DayField) -> None:
        if field.data is not None and field.data > today():
            raise ValidationError(_("请填今天或更早的日期"))


class TagFields(SpanFields):
    disability = SelectField(_l("残疾类别"), choices=[])
    grade = SelectField(_l("残疾等级"), choices=[])

    def offer_grades(self) -> None:
        classes = [(str(number), tags.class_words(number)) for number in tags.CLASSES]
        grades = [(str(number), tags.grade_words(number)) for number in tags.GRADES]
        self.disability.choices, self.grade.choices = [("0", _("不填")), *classes], [("0", _("不填")), *grades]

    def said(self) -> TagSaid:
        return TagSaid(
            since=self.since.data or today(),
            until=self.until.data,
            source=self.text("source"),
            disability=int(self.disability.data),
            grade=int(self.grade.data),
        )


class TagForm(TagFields):
    kind = SelectField(_l("标签"), choices=[])

    @classmethod
    def fresh(cls) -> "TagForm":
        form = cls(data={"disability": "0", "grade": "0", "since": today()})
        form.kind.choices = told(TagKind)
        form.offer_grades()
        return form


class TagEditForm(TagFields, ReasonForm):
    @classmethod
    def of(cls, tag: PersonTag) -> "TagEditForm":
        disability, grade = tags.parted(tag)
        plain = {"since": tag.since, "until": tag.until, "source": tag.source}
        form = cls(data={**plain, "disability": str(disability), "grade": str(grade)})
        form.offer_grades()
        if tag.kind is not TagKind.DISABLED:
            form.disability.choices, form.grade.choices = [("0", _("不填"))], [("0", _("不填"))]
        return form


class RestrictedForm(SpanFields):
    kind = SelectField(_l("标签"), choices=[])

    @classmethod
    def fresh(cls) -> "RestrictedForm":
        form = cls()
        form.kind.choices = told(RestrictedKind)
        return form


class CarriersForm(ReasonForm):
    """Whose tag is asked for, and why; `after` is the person the last page ended with."""

    kind = SelectField(_l("标签"), choices=[])
    names = BooleanField(_l("显示完整姓名和住址"))
    after = HiddenField()

    @classmethod
    def fresh(cls) -> "CarriersForm":
        form = cls()
        form.kind.choices = told(RestrictedKind)
        return form


class EndForm(ReasonForm):
    until = DayField(_l("到哪天止"), [required(_l("请填日期"))], default=today)


class EndTagForm(Form):
    """A tag ends: from a day on, today unless said. `home` leads back to the household whose page asked."""

    day = DayField(_l("从哪天起不再独居"), [Optional()])
    home = HiddenField()


class EmergencyForm(Form):
    name = TrimmedField(_l("姓名"), [required(_l("请填写姓名")), at_most(60)])
    relation = TrimmedField(_l("与本人的关系"), [required(_l("请填写关系，例如女儿、邻居")), at_most(20)])
    phone = PhoneField(_l("电话"), [required(_l("请填写电话")), at_most(40)])


class EmergencyEditForm(Form):
    name = TrimmedField(_l("姓名"), [required(_l("请填写姓名")), at_most(60)])
    relation = TrimmedField(_l("与本人的关系"), [required(_l("请填写关系，例如女儿、邻居")), at_most(20)])
    phone = PhoneField(_l("新电话"), [Optional(), at_most(40)])

    @classmethod
    def of(cls, contact: EmergencyContact) -> "EmergencyEditForm":
        return cls(data={"name": contact.name, "relation": contact.relation})
