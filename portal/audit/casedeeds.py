"""The audit in words: what is done with requests."""

from flask_babel import gettext as _


def desk_case_actions() -> dict[str, str]:
    return {
        "cases.limits_seeded": _("填入诉求期限"),
        "cases.limit_set": _("设置诉求期限"),
        "cases.limit_ended": _("结束诉求期限"),
        "cases.category_made": _("新增诉求类别"),
        "cases.category_changed": _("修改诉求类别设置"),
        "cases.category_ended": _("结束诉求类别"),
        "cases.redirect_made": _("新增别处办理提示"),
        "cases.redirect_changed": _("修改别处办理提示"),
        "cases.redirect_ended": _("结束别处办理提示"),
        "cases.party_set": _("填写诉求反映的是谁"),
        "cases.taken_in": _("登记诉求"),
        "cases.person_sought": _("登记诉求时查找居民"),
        "cases.extension_decided": _("审批诉求延期"),
        "cases.unlinked": _("取消诉求关联"),
        "cases.phone_revealed": _("查看诉求人电话"),
        "cases.template_kept": _("保存答复模板"),
        "cases.template_ended": _("停用答复模板"),
        "cases.matter_found": _("发现反复发生的事项"),
        "cases.matter_taken": _("反复事项列为议题"),
        "cases.matter_dismissed": _("反复事项暂不处理"),
        "cases.matter_split": _("从反复事项移出诉求"),
        "cases.matter_joined": _("诉求放回反复事项"),
        "cases.quarter_published": _("公布季度诉求情况"),
        "cases.figures_exported": _("导出诉求统计"),
    }


def case_actions() -> dict[str, str]:
    """What residents and workers do with a request; its timeline's deeds among them."""
    return {
        "cases.moved": _("推进诉求"),
        "cases.classified": _("调整诉求类别"),
        "cases.contacted": _("联系诉求人"),
        "cases.noted": _("写诉求办理记录"),
        "cases.added": _("补充诉求情况"),
        "cases.urged": _("催办诉求"),
        "cases.extension_asked": _("申请诉求延期"),
        "cases.extension_granted": _("同意诉求延期"),
        "cases.extension_refused": _("不同意诉求延期"),
        "cases.help_asked": _("请求协助办理诉求"),
        "cases.help_given": _("协助办理诉求"),
        "cases.supervised": _("督办诉求"),
        "cases.escalated": _("诉求转上级或有关单位"),
        "cases.linked": _("关联诉求"),
        "cases.published": _("公示诉求"),
        "cases.hidden": _("撤下诉求公示"),
        "cases.passed": _("交接诉求"),
        "cases.call_back_tried": _("回访没有联系上"),
        "cases.reopen_asked": _("请求批准重办诉求"),
        "cases.reopen_refused": _("没有批准重办诉求"),
        "cases.reopening_approved": _("批准重办诉求"),
        "cases.followed": _("关注诉求"),
        "cases.unfollowed": _("取消关注诉求"),
        "cases.photo_added": _("加诉求照片"),
        "cases.photo_dropped": _("删诉求照片"),
        "cases.draft_dropped": _("删没写完的诉求"),
        "cases.categories_seeded": _("填入诉求默认类别"),
        "cases.handed_over": _("交接网格的诉求"),
        "cases.taken_back": _("收回交接的诉求"),
        "cases.purged": _("清除过期诉求"),
    }
