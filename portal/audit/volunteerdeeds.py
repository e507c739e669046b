"""The audit in words: what is done about volunteers; a function for each task, all told by volunteer_actions."""

from flask_babel import gettext as _


def volunteer_actions() -> dict[str, str]:
    return {
        **_people_actions(),
        **_plan_actions(),
        **_attendance_actions(),
        **_activity_actions(),
        **_point_actions(),
        **_roster_actions(),
        **_signup_actions(),
        **_record_actions(),
    }


def _people_actions() -> dict[str, str]:
    """Registering, profiles, guardians, proofs, training, pairs and teams."""
    return {
        "volunteers.registered": _("登记志愿者"),
        "volunteers.taken_up": _("通过志愿者登记"),
        "volunteers.refused": _("不通过志愿者登记"),
        "volunteers.profile_changed": _("修改志愿者资料"),
        "volunteers.times_changed": _("修改志愿者空闲时间"),
        "volunteers.absence_added": _("填写志愿者外出"),
        "volunteers.absence_dropped": _("删除志愿者外出"),
        "volunteers.feed_made": _("生成志愿日历地址"),
        "volunteers.feed_dropped": _("停用志愿日历地址"),
        "volunteers.guardian_agreed": _("监护人同意志愿服务"),
        "volunteers.guardian_declined": _("监护人不同意志愿服务"),
        "volunteers.guardian_withdrew": _("监护人撤回同意"),
        "volunteers.paused": _("暂停志愿服务"),
        "volunteers.came_back": _("恢复志愿服务"),
        "volunteers.barred": _("停止志愿者资格"),
        "volunteers.lifted": _("恢复志愿者资格"),
        "volunteers.left": _("退出志愿者"),
        "volunteers.person_sought": _("登记志愿者时查找居民"),
        "volunteers.skill_proven": _("核验志愿者技能"),
        "volunteers.proof_dropped": _("取消技能核验"),
        "volunteers.training_noted": _("登记志愿者培训"),
        "volunteers.training_dropped": _("删除志愿者培训"),
        "volunteers.award_noted": _("登记志愿者表彰"),
        "volunteers.award_dropped": _("删除志愿者表彰"),
        "volunteers.pair_made": _("设置志愿者搭档"),
        "volunteers.pair_ended": _("解除志愿者搭档"),
        "volunteers.outer_number_set": _("填写外部志愿者编号"),
        "volunteers.skill_made": _("新增志愿技能"),
        "volunteers.skill_changed": _("修改志愿技能"),
        "volunteers.exported": _("导出志愿者名单"),
        "volunteers.team_asked": _("申请加入志愿队"),
        "volunteers.team_answered": _("答复加入志愿队"),
        "volunteers.team_member_removed": _("请志愿者离开志愿队"),
        "volunteers.team_left": _("离开志愿队"),
        "volunteers.station_set": _("设置志愿服务站点"),
        "volunteers.station_closed": _("撤下志愿服务站点"),
    }


def _activity_actions() -> dict[str, str]:
    """Activities, templates, shifts and whom they serve."""
    return {
        "volunteers.activity_added": _("新建志愿活动"),
        "volunteers.activity_changed": _("修改志愿活动"),
        "volunteers.activity_published": _("发布志愿活动"),
        "volunteers.activity_ended": _("结束志愿活动"),
        "volunteers.activity_reopened": _("重新招募志愿活动"),
        "volunteers.activity_called_off": _("取消志愿活动"),
        "volunteers.template_saved": _("保存活动模板"),
        "volunteers.templates_loaded": _("装入常用活动模板"),
        "volunteers.template_offered": _("启用活动模板"),
        "volunteers.template_withdrawn": _("停用活动模板"),
        "volunteers.shifts_made": _("按规律排班次"),
        "volunteers.shifts_undone": _("整批撤销班次"),
        "volunteers.shift_added": _("加班次"),
        "volunteers.shift_changed": _("修改班次"),
        "volunteers.shift_closed": _("班次停止报名"),
        "volunteers.shift_opened": _("班次重新接受报名"),
        "volunteers.shift_called_off": _("取消班次"),
        "volunteers.served_sought": _("查找班次的服务对象"),
        "volunteers.served_added": _("给班次加服务对象"),
        "volunteers.served_changed": _("修改服务对象的安排"),
        "volunteers.served_dropped": _("从班次去掉服务对象"),
        "volunteers.served_shown": _("志愿者查看服务对象"),
        "volunteers.served_done": _("志愿者登记服务完成"),
    }


def _point_actions() -> dict[str, str]:
    """The ledger of points, its rules, and the shop."""
    return {
        "points.earned": _("积分入账"),
        "points.spent": _("使用积分"),
        "points.expired": _("积分到期"),
        "points.adjusted": _("人工调整积分"),
        "points.reversed": _("撤销积分记录"),
        "points.settled": _("抵扣欠的积分"),
        "points.rule_set": _("设置积分规则"),
        "points.rule_ended": _("停用积分规则"),
        "points.goods_added": _("上架积分物品"),
        "points.goods_changed": _("修改积分物品"),
        "points.goods_asked": _("用积分换物品"),
        "points.goods_handed": _("交付积分换的物品"),
        "points.goods_cancelled": _("取消积分兑换"),
    }


def _attendance_actions() -> dict[str, str]:
    """Coming and going, hours by hand, who did not come."""
    return {
        "volunteers.came": _("登记志愿者到达"),
        "volunteers.went": _("登记志愿者离开"),
        "volunteers.mark_taken_back": _("撤销志愿签到或签退"),
        "volunteers.hours_entered": _("手工填写志愿服务时间"),
        "volunteers.hours_confirmed": _("确认志愿服务时间"),
        "volunteers.hours_disputed": _("对志愿服务时间提出异议"),
        "volunteers.no_show_marked": _("登记志愿者未到"),
        "volunteers.no_show_undone": _("撤销志愿者未到"),
        "volunteers.shift_messaged": _("通知志愿班次的人"),
    }


def _roster_actions() -> dict[str, str]:
    return {
        "volunteers.signup_moved": _("调整志愿排班"),
        "volunteers.rule_put_past": _("说明理由后安排志愿者"),
        "volunteers.roster_printed": _("打印志愿排班"),
        "volunteers.roster_exported": _("导出志愿排班"),
        "volunteers.roster_message": _("通知志愿者"),
    }


def _signup_actions() -> dict[str, str]:
    """Joining and leaving shifts, lines, swaps, invitations."""
    return {
        "volunteers.signup_made": _("报上志愿班次"),
        "volunteers.signup_requested": _("申请志愿班次"),
        "volunteers.request_granted": _("通过志愿班次申请"),
        "volunteers.signup_ended": _("退出或调出志愿班次"),
        "volunteers.signup_handed_on": _("志愿班次换给别人"),
        "volunteers.leave_asked": _("志愿班次请假"),
        "volunteers.leave_refused": _("不同意志愿班次请假"),
        "volunteers.can_stay_said": _("说明能否多留一班"),
        "volunteers.swap_asked": _("发起换班"),
        "volunteers.swap_done": _("换班完成"),
        "volunteers.swap_declined": _("不接换班"),
        "volunteers.swap_withdrawn": _("收回换班"),
        "volunteers.swap_lapsed": _("换班没有人接"),
        "volunteers.invited": _("邀请志愿者"),
        "volunteers.invitation_accepted": _("接受志愿邀请"),
        "volunteers.invitation_declined": _("谢绝志愿邀请"),
        "volunteers.invitation_withdrawn": _("收回志愿邀请"),
        "volunteers.invitation_lapsed": _("志愿邀请过期"),
        "volunteers.pair_asked": _("约搭档一起报名"),
        "volunteers.pair_waits": _("搭档两人一起候补"),
        "volunteers.pair_accepted": _("答应搭档一起报名"),
        "volunteers.pair_declined": _("谢绝搭档"),
        "volunteers.pair_withdrawn": _("收回搭档相约"),
        "volunteers.pair_lapsed": _("搭档相约过期"),
    }


def _record_actions() -> dict[str, str]:
    """Records, wishes, certificates and stars."""
    return {
        "volunteers.service_recorded": _("记录志愿服务"),
        "volunteers.record_changed": _("更正志愿服务记录"),
        "volunteers.record_voided": _("作废志愿服务记录"),
        "volunteers.record_rated": _("评价志愿服务"),
        "volunteers.records_sampled": _("导出志愿服务抽查名单"),
        "volunteers.correction_asked": _("申请更正志愿服务记录"),
        "volunteers.correction_withdrawn": _("撤回志愿服务更正申请"),
        "volunteers.correction_answered": _("答复志愿服务更正申请"),
        "volunteers.certificate_asked": _("申请志愿服务证明"),
        "volunteers.certificate_noticed": _("公示志愿服务证明"),
        "volunteers.certificate_issued": _("开具志愿服务证明"),
        "volunteers.certificate_made": _("志愿服务证明制作完成"),
        "volunteers.certificate_stuck": _("志愿服务证明没有做出来"),
        "volunteers.certificate_remade": _("重新制作志愿服务证明"),
        "volunteers.certificate_withdrawn": _("撤回志愿服务证明申请"),
        "volunteers.certificate_refused": _("不予开具志愿服务证明"),
        "volunteers.certificate_taken": _("下载志愿服务证明"),
        "volunteers.certificate_revoked": _("撤销志愿服务证明"),
        "volunteers.star_rules_loaded": _("装入志愿者星级标准"),
        "volunteers.star_rule_set": _("设置志愿者星级标准"),
        "volunteers.star_applied": _("申请志愿者星级"),
        "volunteers.star_published": _("志愿者星级审定公示"),
        "volunteers.star_refused": _("志愿者星级不予通过"),
        "volunteers.star_awarded": _("授予志愿者星级"),
        "volunteers.star_revoked": _("取消志愿者星级"),
    }


def _plan_actions() -> dict[str, str]:
    """Proposals of a roster: computed, edited, applied and taken back."""
    return {
        "volunteers.plan_started": _("开始计算排班方案"),
        "volunteers.plan_computed": _("排班方案算完"),
        "volunteers.plan_failed": _("排班方案没有算成"),
        "volunteers.plan_cancelled": _("取消计算排班方案"),
        "volunteers.plan_line_struck": _("从排班方案划去人员"),
        "volunteers.plan_line_restored": _("恢复排班方案里的人员"),
        "volunteers.plan_line_added": _("向排班方案添加人员"),
        "volunteers.plan_applied": _("应用排班方案"),
        "volunteers.plan_undone": _("撤回排班方案"),
    }
