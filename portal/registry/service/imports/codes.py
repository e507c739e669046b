"""The words offices use for what the register keeps as codes: relations, tags, diets, the standards' groups."""

import re
from collections.abc import Mapping
from typing import TypeVar

from portal.areas.models import DwellingUse
from portal.core.ids import Sex
from portal.registry.models import (
    Diet,
    FacilityKind,
    IdKind,
    Marriage,
    OrganisationKind,
    Politics,
    Presence,
    Registration,
    Relation,
    Schooling,
    StaffKind,
    Standing,
    TagKind,
    Tenure,
    Work,
)
from portal.registry.service import ethnicities

Code = TypeVar("Code", bound=str)


def _codes(words: Mapping[Code, str]) -> dict[str, Code]:
    """Each word with the code it stands for."""
    return {word: code for code, said in words.items() for word in said.split()}


SEX_WORDS = _codes({Sex.MALE: "男 男性 M", Sex.FEMALE: "女 女性 F"})
# 子女 is told apart by the sex.
CHILD_WORDS = frozenset({"子女", "孩子", "儿女"})
RELATION_WORDS = _codes(
    {
        Relation.HEAD: "户主 本人 本人或户主",
        Relation.SPOUSE: "配偶 妻 夫 妻子 丈夫 老伴 爱人",
        Relation.SON: "子 儿子 独生子 长子 次子 三子 四子 五子 养子 继子",
        Relation.DAUGHTER: "女 女儿 独生女 长女 次女 二女 三女 四女 五女 养女 继女",
        Relation.GRANDCHILD: "孙子女 孙 孙子 孙女 外孙 外孙子 外孙女 曾孙 曾孙女 孙辈",
        Relation.PARENT: "父母 父 母 父亲 母亲 公公 婆婆 岳父 岳母 继父 继母 养父 养母",
        Relation.GRANDPARENT: "祖父母 外祖父母 祖父 祖母 外祖父 外祖母 爷爷 奶奶 外公 外婆 姥姥 姥爷 祖辈",
        Relation.SIBLING: "兄弟姐妹 兄弟姊妹 兄 弟 姐 妹 姊 哥哥 弟弟 姐姐 妹妹 兄弟 姐妹",
        Relation.OTHER: "其他 其它 其他亲属 其他关系 非亲属 儿媳 女婿 媳妇 侄子 侄女 外甥 外甥女 保姆 租客 亲戚",
    }
)
REGISTRATION_WORDS = _codes(
    {
        Registration.LOCAL: "本地户籍 本地 本市 本市户籍 户籍 户籍人口 本社区 本街道 常住户籍 是 人户一致 在册",
        Registration.OUTSIDE: "外地户籍 外地 外来 流动 流动人口 非本地 非户籍 外省 外市 外来人口 暂住 否 人户分离",
    }
)
TAG_WORDS = _codes(
    {
        TagKind.LIVING_ALONE: "独居 独居老人",
        TagKind.EMPTY_NEST: "空巢 空巢老人",
        TagKind.LEFT_BEHIND: "留守 留守老人",
        TagKind.DISABLED_ELDER: "失能 失能老人 半失能 失智 失能失智",
        TagKind.SEVERELY_DISABLED: "重残 重度残疾 重残人员 重度残疾人",
        TagKind.FAMILY_PLANNING: "计生特殊家庭 计划生育特殊家庭 计生特扶 特扶",
        TagKind.LOW_INCOME: "低保 低保户 最低生活保障 低保对象",
        TagKind.LOW_INCOME_EDGE: "低保边缘 低边 低边户 低保边缘家庭",
        TagKind.DESTITUTE: "特困 特困人员 特困供养 五保 五保户",
        TagKind.MERIT_FAMILY: "优抚 优抚对象 三属 三属五老 烈属 军烈属",
        TagKind.BEREAVED: "失独 失独家庭",
        TagKind.BASIC_ELDERCARE: "基本养老服务对象 基本养老",
        TagKind.CHILD_IN_DIFFICULTY: "困境儿童",
        TagKind.LEFT_BEHIND_CHILD: "留守儿童",
        TagKind.ORPHAN: "孤儿",
        TagKind.LEFT_BEHIND_WOMAN: "留守妇女",
        TagKind.DISABLED: "残疾 残疾人",
        TagKind.LOW_EARNING: "低收入 低收入家庭 低收入人口",
        TagKind.VETERAN: "退役军人 退伍军人 复退军人",
        TagKind.HARDSHIP_WORKER: "困难职工",
        TagKind.NO_EARNER_FAMILY: "零就业家庭 零就业家庭成员",
        TagKind.UNEMPLOYED: "失业 失业人员",
        TagKind.MIGRANT_WORKER: "农民工",
    }
)
DIET_WORDS = _codes(
    {
        Diet.LOW_SUGAR: "低糖 无糖 控糖 糖尿病餐",
        Diet.LOW_SALT: "低盐 少盐 低钠",
        Diet.LOW_FAT: "低脂 低油 少油",
        Diet.SOFT: "软食 软烂 软饭",
        Diet.SEMI_LIQUID: "半流质 半流食 流食",
        Diet.VEGETARIAN: "素食 素 吃素",
        Diet.HALAL: "清真 清真餐",
    }
)


ID_KIND_WORDS = _codes(
    {
        IdKind.ID_CARD: "居民身份证 身份证 二代身份证 中华人民共和国居民身份证 1 01 111",
        IdKind.RESIDENCE_PERMIT: "港澳台居民居住证 港澳居民居住证 台湾居民居住证 居住证",
        IdKind.PASSPORT: "护照 普通护照 外国护照 中国护照",
        IdKind.TRAVEL_PERMIT: (
            "港澳居民来往内地通行证 台湾居民来往大陆通行证 港澳台居民来往内地通行证 回乡证 台胞证 港澳通行证 通行证"
        ),
        IdKind.FOREIGNER_PERMIT: "外国人永久居留身份证 外国人永久居留证 永久居留证",
        IdKind.OTHER: "其他 其它 其他证件 出生医学证明 户口簿 军官证 士兵证",
    }
)
MARRIAGE_WORDS = _codes(
    {
        Marriage.SINGLE: "未婚 10 单身 否",
        Marriage.MARRIED: "已婚 20 21 22 23 初婚 再婚 复婚 有配偶 是",
        Marriage.WIDOWED: "丧偶 30 寡居",
        Marriage.DIVORCED: "离婚 40 离异",
        Marriage.UNKNOWN: "未说明 90 不详",
    }
)
SCHOOLING_WORDS = _codes(
    {
        Schooling.GRADUATE: "研究生 硕士 博士 硕士研究生 博士研究生 研究生及以上 10 11 14",
        Schooling.UNIVERSITY: "本科 大学 大学本科 本科及以上 20 21",
        Schooling.COLLEGE: "大专 专科 大学专科 高职 大专及以上 30 31",
        Schooling.VOCATIONAL: "中专 技校 职高 中技 中等专业学校 职业高中 中等职业教育 40 41 44",
        Schooling.SENIOR_HIGH: "高中 普通高中 高中及以上 60 61",
        Schooling.JUNIOR_HIGH: "初中 初级中学 70 71",
        Schooling.PRIMARY: "小学 80 81",
        Schooling.NONE: "文盲 未上过学 不识字 无学历 半文盲 学龄前 学前 未入学 90",
    }
)
POLITICS_WORDS = _codes(
    {
        Politics.PARTY_MEMBER: "中共党员 党员 共产党员 中国共产党党员 01 1",
        Politics.PROBATIONARY: "中共预备党员 预备党员 02 2",
        Politics.LEAGUE_MEMBER: "共青团员 团员 03 3",
        Politics.DEMOCRATIC_PARTY: (
            "民主党派 民革 民盟 民建 民进 农工党 致公党 九三学社 台盟 民革党员 民盟盟员 民建会员 民进会员 农工党党员 "
            "致公党党员 九三学社社员 台盟盟员"
        ),
        Politics.MASSES: "群众 普通群众 无党派 无党派人士 12 13",
    }
)
WORK_WORDS = _codes(
    {
        Work.EMPLOYED: "在职 就业 在业 已就业 上班 在岗 企业职工 公务员 务工 打工",
        Work.SELF_EMPLOYED: "个体 个体经营 自由职业 自主创业 灵活就业 个体工商户 经商",
        Work.FARMING: "务农 农民 农业",
        Work.UNEMPLOYED: "失业 待业 未就业 无业 下岗",
        Work.RETIRED: "退休 离休 离退休 已退休 内退",
        Work.STUDENT: "学生 在校学生 在校 上学 在读",
        Work.AT_HOME: "在家 家务 料理家务 学龄前 学前儿童 婴幼儿 丧失劳动能力",
    }
)
PRESENCE_WORDS = _codes(
    {
        Presence.BOTH_HERE: "户在人在 人户一致 人户同在 在户 常住 是 否分离",
        Presence.ONLY_REGISTERED: "户在人不在 空挂户 空挂 户在人走 外出 人不在",
        Presence.ONLY_LIVING: "人在户不在 流入 寄住人口 暂住 人来户不来",
    }
)
TENURE_WORDS = _codes(
    {
        Tenure.OWNER: "自有 自有住房 自购 产权 自住 自建 业主 商品房 自有产权 自建房",
        Tenure.TENANT: "租住 租赁 租房 出租 承租 租客 公租房 廉租房 租用",
        Tenure.LODGER: "寄住 借住 寄居 投亲 集体宿舍 单位宿舍 暂住",
    }
)
USE_WORDS = _codes(
    {
        DwellingUse.OWN: "自住 自用 居住 住宅 自有 常住 业主自住",
        DwellingUse.RENTED: "出租 租赁 租住 群租 出租屋 已出租",
        DwellingUse.BUSINESS: "商用 经营 商铺 办公 商业 店铺 营业",
        DwellingUse.EMPTY: "空置 空房 闲置 空 未入住 无人居住",
        DwellingUse.UNKNOWN: "不详 未知",
    }
)
FACILITY_WORDS = _codes(
    {
        FacilityKind.SERVICE_CENTRE: "党群服务中心 服务中心 服务站 便民服务 居委会",
        FacilityKind.ELDER_CARE: "养老 日间照料 老年 托老 居家养老 驿站",
        FacilityKind.ACTIVITY: "活动室 活动中心 文体 文化 活动场所",
        FacilityKind.CHILDREN: "儿童 托育 亲子 青少年",
        FacilityKind.HEALTH: "卫生 医疗 诊所 医院 药店 康复",
        FacilityKind.CANTEEN: "助餐 食堂 餐厅 长者食堂",
        FacilityKind.READING: "图书 阅览 书屋 书房",
        FacilityKind.SPORTS: "健身 体育 球场 广场 操场",
        FacilityKind.SHELTER: "避难 应急 避险",
    }
)
ORGANISATION_WORDS = _codes(
    {
        OrganisationKind.COMMUNITY_GROUP: "社区社会组织 志愿队 互助 舞蹈队 合唱队 文体队",
        OrganisationKind.SOCIAL: "社会组织 社会团体 民非 社会服务机构 民办非企业 基金会 社工",
        OrganisationKind.PROPERTY: "物业",
        OrganisationKind.OWNERS: "业委会 业主委员会 业主大会",
        OrganisationKind.SHOP: "商户 商铺 个体 店铺 超市 门店",
        OrganisationKind.UNIT: "驻区单位 驻区 机关 事业单位 学校 企业 公司",
    }
)
STAFF_WORDS = _codes(
    {
        StaffKind.SOCIAL_WORKER: "社会工作师 社会工作者 社工师 社工 助理社会工作师",
        StaffKind.GRID_WORKER: "网格员 网格长 网格 专职网格员 网格管理员",
        StaffKind.CHILD_OFFICER: "儿童主任 儿童督导员 儿童",
        StaffKind.MEDIATOR: "人民调解员 调解员 调解",
        StaffKind.LAWYER: "法律顾问 律师 法律明白人 法律",
        StaffKind.DOCTOR: "家庭医生 医生 全科医生 乡村医生 护士 医护",
        StaffKind.CARER: "养老护理员 护理员 护理 照护员 助老员 养老",
        StaffKind.PROPERTY: "物业人员 物业 保安 保洁 楼管",
        StaffKind.COMMUNITY_WORKER: "社区工作者 社区专职 专职社工 社区专职工作者 两委 居委会 社区干部 书记 主任",
    }
)
STANDING_WORDS = _codes(
    {
        Standing.REGISTERED: "登记 已登记 注册 已注册",
        Standing.FILED: "备案 已备案",
        Standing.NONE: "未登记 未备案 未登记未备案 都没有",
    }
)
DISABILITY_CLASSES = _codes(
    {
        "1": "1 视力 视力残疾 视力一类 盲",
        "2": "2 听力 听力残疾 聋",
        "3": "3 言语 言语残疾 语言 语言残疾 哑",
        "4": "4 肢体 肢体残疾 肢残",
        "5": "5 智力 智力残疾 智残",
        "6": "6 精神 精神残疾",
        "7": "7 多重 多重残疾",
    }
)
DISABILITY_GRADES = _codes(
    {
        "1": "1 一级 1级 壹级 一",
        "2": "2 二级 2级 贰级 二",
        "3": "3 三级 3级 叁级 三",
        "4": "4 四级 4级 肆级 四",
    }
)

ETHNICITY_CODES = {name.removesuffix("族"): code for code, name in ethnicities.BY_CODE.items()} | {
    "其他": "97",
    "其它": "97",
    "外国血统": "98",
    "外国血统中国籍人士": "98",
    "入籍": "98",
}


def ethnicity_of(text: str) -> str:
    """01 for 汉, 汉族, 1 or 01; "" for a word that is none."""
    compact = re.sub(r"\s", "", text)
    if compact.isascii() and compact.isdigit():
        code = compact.zfill(2)
        return code if code in ETHNICITY_CODES.values() else ""
    return ETHNICITY_CODES.get(compact) or ETHNICITY_CODES.get(compact.removesuffix("族"), "")
