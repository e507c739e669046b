"""The words of topics: stages, categories, forums, parties."""

from enum import StrEnum

from flask_babel import gettext as _

from portal.core.web import current_view
from portal.deliberation.models.codes import Category, Forum, PartyKind, Stage


def stage_said(stage: Stage) -> str:
    return {
        Stage.DRAFT: _("草稿"),
        Stage.COLLECTING: _("民意征集"),
        Stage.MEETING: _("协商会议"),
        Stage.EXPERTS: _("专家咨询"),
        Stage.HEARING: _("补充听证"),
        Stage.VOTING: _("提交表决"),
        Stage.NOTICE: _("公开公示"),
        Stage.FOLLOW_UP: _("落实反馈"),
        Stage.ARCHIVED: _("归档"),
        Stage.WITHDRAWN: _("已撤回"),
    }[stage]


def cost_said(fen: int) -> str:
    """Large sums as people say them: 9.6 万元; what is not that round to the fen."""
    wan = 1_000_000
    if fen >= wan and fen % (wan // 100) == 0 and current_view().locale == "zh":
        return _("%(wan)s 万元", wan=f"{fen / wan:g}")
    whole, rest = divmod(fen, 100)
    return _("%(yuan)s 元", yuan=f"{whole:,}" + (f".{rest:02d}" if rest else ""))


def stage_code(code: str) -> str:
    """The same of a code as a notice keeps it."""
    return stage_said(Stage(code)) if code in set(Stage) else code


def stage_meaning(stage: Stage) -> str:
    """What happens in a stage, for who never saw such a road."""
    return {
        Stage.DRAFT: _("还在准备，居民还看不到。"),
        Stage.COLLECTING: _("听大家怎么想：看材料、写看法、对别人的看法表态。"),
        Stage.MEETING: _("坐下来面对面商量，可以报名发言或旁听。"),
        Stage.EXPERTS: _("请懂行的人出主意，专家没有表决权。"),
        Stage.HEARING: _("争议大的再听一次各方意见。"),
        Stage.VOTING: _("由有权的居民或业主投票决定。"),
        Stage.NOTICE: _("把结果公布出来，有不同意见可以在期限内提出异议。"),
        Stage.FOLLOW_UP: _("照着结果去做，进度、花费和照片都公布。"),
        Stage.ARCHIVED: _("事情办完，材料留存，随时可以查看。"),
        Stage.WITHDRAWN: _("议题撤回了，不再往下走，原因写在记录里。"),
    }[stage]


def category_said(category: Category) -> str:
    return {
        Category.AFFAIR: _("公共事务和公益"),
        Category.DIFFICULTY: _("困难和矛盾"),
        Category.POLICY: _("政策落实"),
        Category.STATUTE: _("法规要求协商的"),
        Category.REQUESTED: _("各方提出的"),
    }[category]


def forum_said(forum: Forum) -> str:
    return {
        Forum.COUNCIL: _("议事会"),
        Forum.HEARING: _("听证会"),
        Forum.TALK: _("民情恳谈"),
        Forum.SQUAD: _("小队议事会"),
        Forum.SAGES: _("乡贤参事会"),
        Forum.ROUND_TABLE: _("民生圆桌会"),
        Forum.OWNERS: _("业主协商"),
        Forum.RESIDENTS: _("居民会议"),
        Forum.DELEGATES: _("代表会议"),
    }[forum]


def party_said(kind: PartyKind) -> str:
    return {
        PartyKind.WORKING: _("工作主体"),
        PartyKind.DELIBERATING: _("协商主体"),
        PartyKind.SUPPORTING: _("专业支持"),
    }[kind]


def party_meaning(kind: PartyKind) -> str:
    return {
        PartyKind.WORKING: _("召集和办事的"),
        PartyKind.DELIBERATING: _("一起商量和决定的"),
        PartyKind.SUPPORTING: _("只出主意，没有表决权"),
    }[kind]


def topic_said(code: StrEnum) -> str:
    """Any of these codes in words, for a template."""
    if isinstance(code, Stage):
        return stage_said(code)
    if isinstance(code, Category):
        return category_said(code)
    if isinstance(code, Forum):
        return forum_said(code)
    return party_said(PartyKind(code))


def stage_tint(stage: Stage) -> str:
    """The tint of a stage's tag."""
    tints = {Stage.DRAFT: "mute", Stage.ARCHIVED: "mute", Stage.WITHDRAWN: "mute", Stage.NOTICE: "ok"}
    return tints.get(stage, "info")


def field_words(name: str) -> str:
    """A field's name as the form says it."""
    known = {
        "title": _("题目"),
        "summary": _("是怎么回事"),
        "category": _("内容类别"),
        "forum": _("协商形式"),
        "place": _("在哪里"),
        "cost_fen": _("大约花多少钱（元）"),
        "cost_words": _("钱从哪里来"),
        "binding_words": _("商量出结果以后怎么办"),
        "agenda": _("打算怎么议"),
        "looks_first": _("看法先看过再公布"),
        "communities": _("关系到哪些社区"),
        "parties": _("谁来参加"),
    }
    return known.get(name, name)
