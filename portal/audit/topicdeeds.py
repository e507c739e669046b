"""The audit in words: what is done about topics; a function for each task, all told by topic_actions."""

from flask_babel import gettext as _


def topic_actions() -> dict[str, str]:
    return {
        **_idea_actions(),
        **_topic_actions(),
        **_opinion_actions(),
        **_map_actions(),
        **_meeting_actions(),
        **_roll_actions(),
        **_casting_actions(),
        **_paper_actions(),
        **_outcome_actions(),
    }


def _idea_actions() -> dict[str, str]:
    """Proposals, supports, answers."""
    return {
        "deliberation.idea_made": _("提居民建议"),
        "deliberation.idea_shown": _("公开居民建议"),
        "deliberation.idea_supported": _("附议居民建议"),
        "deliberation.idea_unsupported": _("收回附议"),
        "deliberation.idea_reached": _("居民建议附议够了"),
        "deliberation.idea_withdrawn": _("收回居民建议"),
        "deliberation.idea_taken": _("居民建议列为议题"),
        "deliberation.idea_merged": _("合并居民建议"),
        "deliberation.idea_declined": _("答复居民建议，不列为议题"),
        "deliberation.idea_reminded": _("提醒答复居民建议"),
        "deliberation.topic_recurred": _("反复发生的诉求列为议题"),
    }


def _topic_actions() -> dict[str, str]:
    """Topics, templates, stages, papers."""
    return {
        "deliberation.topic_created": _("起草议题"),
        "deliberation.topic_edited": _("修改议题"),
        "deliberation.topic_moved": _("议题进入下一步"),
        "deliberation.topic_extended": _("延长议题的时间"),
        "deliberation.topic_followed": _("关注议题"),
        "deliberation.topic_unfollowed": _("取消关注议题"),
        "deliberation.topic_paper_added": _("添加议题材料"),
        "deliberation.topic_paper_withdrawn": _("撤下议题材料"),
        "deliberation.outreach_noted": _("记下一次征求意见"),
        "deliberation.template_saved": _("存下议题模板"),
        "deliberation.templates_loaded": _("装入常用议题模板"),
        "deliberation.template_offered": _("启用议题模板"),
        "deliberation.template_withdrawn": _("停用议题模板"),
    }


def _opinion_actions() -> dict[str, str]:
    """Opinions, comments, moderation."""
    return {
        "deliberation.opinion_written": _("发表看法"),
        "deliberation.opinion_withdrawn": _("撤回看法"),
        "deliberation.opinion_hidden": _("隐去看法"),
        "deliberation.opinion_passed": _("看过并公开看法"),
        "deliberation.opinion_restored": _("恢复看法"),
        "deliberation.opinion_seeded": _("加想问的看法"),
        "deliberation.opinion_changed": _("修改想问的看法"),
        "deliberation.opinion_entered": _("录入纸质意见"),
        "deliberation.sheet_begun": _("录纸质意见第一遍"),
        "deliberation.sheet_differs": _("纸质意见两遍不一样"),
        "deliberation.sheet_dropped": _("作废纸质意见的录入"),
        "deliberation.person_sought": _("为录入意见查找居民"),
        "deliberation.stands_begun": _("开始对看法表态"),
        "deliberation.comment_written": _("发表留言"),
        "deliberation.comment_answered": _("回复留言"),
        "deliberation.comment_withdrawn": _("撤回留言"),
        "deliberation.comment_hidden": _("隐去留言"),
        "deliberation.comment_passed": _("看过并公开留言"),
        "deliberation.comment_restored": _("恢复留言"),
    }


def _map_actions() -> dict[str, str]:
    """The map of opinion."""
    return {
        "deliberation.map_asked": _("开始画意见地图"),
        "deliberation.map_computed": _("意见地图画好"),
        "deliberation.map_too_few": _("意见地图人数不够，没有画"),
        "deliberation.map_failed": _("意见地图没有画成"),
        "deliberation.map_cancelled": _("取消画意见地图"),
    }


def _meeting_actions() -> dict[str, str]:
    """Meetings, notices, experts."""
    return {
        "deliberation.meeting_made": _("新建会议"),
        "deliberation.meeting_changed": _("修改会议安排"),
        "deliberation.meeting_notified": _("发会议通知"),
        "deliberation.meeting_cancelled": _("取消会议"),
        "deliberation.meeting_joined": _("报名会议"),
        "deliberation.meeting_left": _("退出会议名单"),
        "deliberation.meeting_seated": _("会议候补有座"),
        "deliberation.meeting_added": _("加入会议名单"),
        "deliberation.meeting_shown_as": _("选择公布时怎么写自己"),
        "deliberation.meeting_came": _("会议签到"),
        "deliberation.meeting_unmarked": _("撤销会议签到"),
        "deliberation.meeting_counts": _("改是否计入法定到会人数"),
        "deliberation.meeting_opened": _("开始会议"),
        "deliberation.meeting_item_begun": _("开始一项议程"),
        "deliberation.meeting_item_ended": _("结束一项议程"),
        "deliberation.meeting_said": _("写一项议程说了什么"),
        "deliberation.motion_put": _("提出动议"),
        "deliberation.motion_counted": _("登记举手结果"),
        "deliberation.motion_withdrawn": _("撤回动议"),
        "deliberation.meeting_closed": _("散会"),
        "deliberation.meeting_reopened": _("会议接着开"),
        "deliberation.minutes_written": _("写会议纪要"),
        "deliberation.minutes_template_kept": _("换上会议纪要格式"),
        "deliberation.minutes_template_removed": _("撤下会议纪要格式"),
        "deliberation.meeting_reported": _("公布会议情况"),
        "deliberation.expert_invited": _("请专家"),
        "deliberation.expert_changed": _("修改专家资料"),
        "deliberation.expert_published": _("公布专家意见"),
        "deliberation.expert_withdrawn": _("撤下专家"),
    }


def _roll_actions() -> dict[str, str]:
    """Bodies, rules, owners, delegates, rolls."""
    return {
        "deliberation.rules_loaded": _("装入法律的议事规则"),
        "deliberation.rule_confirmed": _("核对议事规则"),
        "deliberation.rule_replaced": _("改成新的议事规则"),
        "deliberation.rule_added": _("新增本地议事规则"),
        "deliberation.rule_ended": _("停用本地议事规则"),
        "deliberation.delegate_added": _("登记委员或代表"),
        "deliberation.delegate_ended": _("结束委员或代表任期"),
        "deliberation.roll_built": _("生成表决名册"),
        "deliberation.roll_published": _("公布表决名册"),
        "deliberation.roll_frozen": _("表决名册定下来"),
        "deliberation.roll_struck": _("从表决名册划掉"),
        "deliberation.roll_restored": _("恢复到表决名册"),
        "deliberation.roll_added": _("加到表决名册"),
        "deliberation.roll_printed": _("打印表决名册"),
        "deliberation.roll_correction_asked": _("要求更正表决名册"),
        "deliberation.roll_correction_withdrawn": _("撤回名册更正要求"),
        "deliberation.roll_correction_answered": _("答复名册更正要求"),
        "registry.owner_added": _("登记业主"),
        "registry.owner_ended": _("业主不再拥有房屋"),
        "registry.owner_linked": _("把业主和居民登记对上"),
        "registry.owner_unlinked": _("撤销业主和居民的对应"),
    }


def _casting_actions() -> dict[str, str]:
    """Casting, closing, counting."""
    return {
        "deliberation.vote_cast": _("投记名票（不记所选）"),
        "deliberation.vote_closed": _("结束投票"),
        "deliberation.vote_counted": _("计票"),
        "deliberation.vote_void": _("投票作废"),
    }


def _paper_actions() -> dict[str, str]:
    """Votes made and opened, paper, proxies."""
    return {
        "deliberation.vote_made": _("新建表决"),
        "deliberation.vote_changed": _("修改表决"),
        "deliberation.vote_rule_confirmed": _("核对表决的规则"),
        "deliberation.vote_announced": _("发布表决通知"),
        "deliberation.vote_notice_withdrawn": _("撤回表决通知"),
        "deliberation.vote_put_off": _("改投票时间"),
        "deliberation.vote_opened": _("开始投票"),
        "deliberation.vote_cancelled": _("取消表决"),
        "deliberation.vote_reminded": _("提醒还没投票的人"),
        "deliberation.papers_begun": _("开始录一箱纸质票"),
        "deliberation.papers_entered": _("录完一遍纸质票"),
        "deliberation.papers_settled": _("核对纸质票的差异"),
        "deliberation.papers_dropped": _("作废一批纸质票"),
        "deliberation.papers_booked": _("纸质票入账"),
        "deliberation.papers_all_in": _("确认纸质票全部录入"),
        "deliberation.paper_handed": _("发出一张纸质选票"),
        "deliberation.paper_returned": _("收回一张空白选票"),
        "deliberation.proxy_taken": _("登记投票委托书"),
        "deliberation.proxy_seen": _("查看投票委托书"),
        "deliberation.proxy_holder_sought": _("查找受托人的账号"),
        "deliberation.proxy_withdrawn": _("撤回投票委托"),
    }


def _outcome_actions() -> dict[str, str]:
    """Outcomes, objections, tasks, ratings."""
    return {
        "deliberation.outcome_drafted": _("起草协商结果"),
        "deliberation.outcome_edited": _("修改协商结果"),
        "deliberation.outcome_published": _("公示协商结果"),
        "deliberation.outcome_stands": _("协商结果公示期满"),
        "deliberation.outcome_sent_back": _("撤下协商结果，重新商量"),
        "deliberation.objection_made": _("提出异议"),
        "deliberation.objection_withdrawn": _("收回异议"),
        "deliberation.objection_answered": _("答复异议"),
        "deliberation.follow_up_made": _("新增落实事项"),
        "deliberation.follow_up_edited": _("修改落实事项"),
        "deliberation.follow_up_reported": _("填写落实进度"),
        "deliberation.follow_up_dropped": _("落实事项不办了"),
        "deliberation.follow_up_reminded": _("提醒落实事项"),
        "deliberation.project_opened": _("开项目"),
        "deliberation.project_edited": _("填写项目内容"),
        "deliberation.project_moved": _("项目进入下一步"),
        "deliberation.project_ended": _("项目评估完成"),
        "deliberation.topic_rated": _("评议落实情况"),
    }
