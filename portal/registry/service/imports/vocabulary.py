"""The words offices use for columns, what a register of each kind may hold, and what counts as an empty cell."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from portal.registry.models import ImportKind


class Field(StrEnum):
    """What a column of a register may hold."""

    NAME = "name"
    SEX = "sex"
    ID_NUMBER = "id_number"
    BIRTH_DATE = "birth_date"
    PHONE = "phone"
    HOUSEHOLD_NUMBER = "household_number"
    RELATION = "relation"
    ESTATE = "estate"
    BUILDING = "building"
    UNIT = "unit"
    ROOM = "room"
    ADDRESS = "address"
    GRID = "grid"
    REGISTRATION = "registration"
    REGISTERED_ADDRESS = "registered_address"
    TAGS = "tags"
    DIET = "diet"
    NOTE = "note"
    ID_KIND = "id_kind"
    ETHNICITY = "ethnicity"
    MARRIAGE = "marriage"
    SCHOOLING = "schooling"
    POLITICS = "politics"
    WORK = "work"
    PRESENCE = "presence"
    TENURE = "tenure"
    LIVING_SINCE = "living_since"
    CONTACT_NAME = "contact_name"
    CONTACT_RELATION = "contact_relation"
    CONTACT_PHONE = "contact_phone"
    DISABILITY_CLASS = "disability_class"
    DISABILITY_GRADE = "disability_grade"
    GUARDIAN = "guardian"
    HEAD_NAME = "head_name"
    AREA = "area_m2"
    FLOOR = "floor"
    USE = "use"
    TITLE = "title"
    SORT = "sort"
    USCC = "uscc"
    STANDING = "standing"
    GRADE = "grade"
    FILED_NUMBER = "filed_number"
    LEADER = "leader"
    POST = "post"
    EMPLOYER = "employer"
    PAPER = "paper"
    PAPER_NUMBER = "paper_number"
    ISSUED_ON = "issued_on"
    EXPIRES_ON = "expires_on"
    PURPOSE = "purpose"
    FOUNDED_ON = "founded_on"
    MEMBERS = "members"
    HEADCOUNT = "headcount"
    MEASURE = "measure"
    QUANTITY = "quantity"
    PLACE = "place"
    LOW_BELOW = "low_below"
    OWNER = "owner"
    SHARE = "share"
    OWNED_SINCE = "owned_since"


COLUMN_WORDS: dict[Field, tuple[str, ...]] = {
    Field.NAME: (
        "姓名", "居民姓名", "人员姓名", "名字", "成员姓名", "居民", "家庭成员", "家庭成员姓名", "常住人口姓名",
        "住户姓名", "老人姓名", "公民姓名",
    ),
    Field.SEX: ("性别", "男女", "性別"),
    Field.ID_NUMBER: (
        "身份证号", "身份证号码", "公民身份号码", "公民身份证号码", "居民身份证号", "居民身份证号码",
        "身份证", "证件号码", "证件号", "身份号码",
    ),
    Field.BIRTH_DATE: ("出生日期", "出生年月日", "出生年月", "生日", "出生时间"),
    Field.PHONE: (
        "联系电话", "手机", "手机号", "手机号码", "电话", "电话号码", "联系方式", "移动电话", "联系手机", "业主电话",
        "业主手机", "产权人电话",
    ),
    Field.HOUSEHOLD_NUMBER: ("户号", "家庭编号", "户编号", "户籍编号", "家庭户号", "户口编号", "家庭号", "户主编号"),
    Field.RELATION: (
        "与户主关系", "户主关系", "关系", "家庭关系", "成员关系", "与户主的关系", "家庭成员关系", "和户主关系", "称谓",
    ),
    Field.ESTATE: ("小区", "小区名称", "所属小区", "住宅小区", "自然村", "村组", "村民小组", "院落"),
    Field.BUILDING: ("楼栋", "楼号", "栋号", "幢号", "楼幢", "楼栋号", "楼座", "栋", "幢"),
    Field.UNIT: ("单元", "单元号"),
    Field.ROOM: ("房号", "室号", "房间号", "门牌号", "室", "门牌", "房屋号"),
    Field.ADDRESS: (
        "住址", "现住址", "地址", "家庭住址", "居住地址", "现居住地址", "详细地址", "居住地", "常住地址",
    ),
    Field.GRID: ("网格", "所属网格", "网格名称", "所在网格", "网格号"),
    Field.REGISTRATION: (
        "户籍", "户籍性质", "户籍类型", "户籍类别", "户籍情况", "是否本地户籍", "是否本地", "是否户籍", "人户情况",
    ),
    Field.REGISTERED_ADDRESS: ("户籍地址", "户籍地", "户口所在地", "户籍所在地", "户口地址"),
    Field.TAGS: (
        "人员标签", "标签", "重点人群类别", "重点人群", "人群标签",
        "人员类别", "人群类别", "特殊人群", "人员类型",
    ),
    Field.DIET: ("饮食要求", "饮食", "饮食禁忌", "忌口", "用餐要求", "饮食习惯", "助餐要求"),
    Field.NOTE: ("备注", "说明", "其他", "备注说明", "其它"),
    Field.ID_KIND: ("证件类型", "证件种类", "证件类别", "身份证件类型"),
    Field.ETHNICITY: ("民族", "民族成份", "族别"),
    Field.MARRIAGE: ("婚姻状况", "婚姻", "婚否", "婚姻情况", "婚育状况"),
    Field.SCHOOLING: ("学历", "文化程度", "受教育程度", "最高学历", "教育程度"),
    Field.POLITICS: ("政治面貌", "政治身份", "党派"),
    Field.WORK: ("从业状况", "就业状况", "就业情况", "从业情况", "工作状况", "职业状况", "就业状态"),
    Field.PRESENCE: ("人户状态", "人户分离", "人户分离情况", "人户一致性", "实际居住情况", "居住状态"),
    Field.TENURE: ("居住类型", "居住性质", "住房性质", "房屋来源", "居住方式", "住房类型"),
    Field.LIVING_SINCE: (
        "起居日期", "入住日期", "居住起始日期", "来本地日期", "居住开始日期", "入住时间", "来本社区时间", "居住时间",
    ),
    Field.CONTACT_NAME: ("紧急联系人", "紧急联系人姓名", "应急联系人", "联系人姓名", "亲属姓名", "紧急联络人"),
    Field.CONTACT_RELATION: ("紧急联系人关系", "与联系人关系", "联系人关系", "与紧急联系人关系"),
    Field.CONTACT_PHONE: (
        "紧急联系人电话", "紧急联系电话", "紧急电话", "联系人电话", "应急联系电话", "亲属电话", "紧急联系人手机",
        "紧急联系人联系方式",
    ),
    Field.DISABILITY_CLASS: ("残疾类别", "残疾类型", "残疾种类", "残疾证类别", "残疾情况"),
    Field.DISABILITY_GRADE: ("残疾等级", "残疾级别", "残疾程度", "残疾证等级"),
    Field.GUARDIAN: ("监护人", "监护人姓名", "法定监护人"),
    Field.HEAD_NAME: ("户主", "户主姓名"),
    Field.AREA: (
        "面积", "建筑面积", "产权面积", "房屋面积", "住房面积", "建筑面积平方米", "面积平方米", "面积㎡", "专有面积",
        "专有部分面积", "证载面积",
    ),
    Field.FLOOR: ("楼层", "所在楼层", "层", "所在层", "层数"),
    Field.USE: ("房屋用途", "用途", "使用性质", "房屋性质", "房屋使用情况", "居住情况", "房屋状态", "使用情况"),
}  # fmt: skip
COLUMN_WORDS |= {
    Field.TITLE: (
        "名称", "设施名称", "场所名称", "组织名称", "单位名称", "机构名称", "社会组织名称", "商户名称",
        "企业名称", "全称", "队伍名称", "志愿队名称", "团队名称", "志愿队", "志愿服务队", "服务队名称",
        "志愿服务队名称", "队名", "物资名称", "物品名称", "品名", "物资", "物品", "器材名称", "货品名称",
    ),
    Field.SORT: (
        "类型", "类别", "设施类型", "场所类型", "组织类型", "单位类型", "机构类型", "组织类别", "性质",
        "队伍类型", "队伍类别", "服务类型", "服务类别",
    ),
    Field.USCC: ("统一社会信用代码", "信用代码", "社会信用代码", "统一信用代码", "组织机构代码"),
    Field.STANDING: ("登记备案情况", "登记情况", "登记或备案", "备案情况", "登记状态"),
    Field.GRADE: ("评估等级", "等级", "评估级别"),
    Field.FILED_NUMBER: ("备案编号", "备案号", "登记证号"),
    Field.LEADER: (
        "负责人", "联系人", "法定代表人", "法人", "负责人姓名", "联系人姓名", "队长", "队长姓名", "领队", "组长",
    ),
    Field.POST: (
        "岗位", "职务", "岗位名称", "人员类别", "队伍类别", "类别", "工种", "人员类型", "岗位类别", "类型", "职责",
    ),
    Field.EMPLOYER: (
        "所在单位", "工作单位", "所属单位", "所在组织", "所属组织", "所在机构", "所属机构", "单位", "单位名称",
        "派出单位",
    ),
    Field.PAPER: (
        "证书", "证书名称", "资格证书", "职业资格", "持证情况", "资格证", "职业资格证书", "持有证书", "证书类别",
        "资质",
    ),
    Field.PAPER_NUMBER: ("证书编号", "证书号", "证书号码", "资格证号", "证号", "资格证编号", "证书管理号"),
    Field.ISSUED_ON: ("发证日期", "发证时间", "取得时间", "取得日期", "颁发日期", "取证日期", "取证时间"),
    Field.EXPIRES_ON: (
        "到期日期", "有效期至", "有效期", "到期时间", "失效日期", "证书有效期", "证书到期日", "证书到期日期",
        "有效期限", "到期日", "有效期截止日期", "截止日期",
    ),
    Field.PURPOSE: (
        "服务内容", "服务方向", "服务项目", "服务领域", "主要服务内容", "活动内容", "主要活动", "服务类型", "宗旨",
    ),
    Field.FOUNDED_ON: ("成立日期", "成立时间", "成立年月", "组建时间", "组建日期"),
    Field.MEMBERS: ("成员", "队员", "成员名单", "队员名单", "成员姓名", "队员姓名", "志愿者", "志愿者名单"),
    Field.HEADCOUNT: (
        "人数", "队员人数", "成员人数", "队伍人数", "志愿者人数", "总人数", "成员数", "队员数", "注册人数",
    ),
    Field.MEASURE: ("单位", "计量单位", "数量单位"),
    Field.QUANTITY: (
        "数量", "库存", "库存数量", "现有数量", "现存数量", "结存", "结存数量", "实有数", "实有数量", "盘点数",
        "盘点数量", "实盘数量", "在库数量", "现有库存", "库存量", "件数",
    ),
    Field.PLACE: ("存放地点", "存放位置", "存放处", "库位", "仓库", "地点", "位置", "保管地点"),
    Field.OWNER: (
        "产权人", "业主", "业主姓名", "产权人姓名", "所有权人", "房屋所有权人", "权利人", "权利人姓名", "共有人",
        "房主", "房主姓名", "产权单位", "产权人名称", "业主名称", "姓名", "名称", "开发商",
    ),
    Field.SHARE: (
        "份额", "共有份额", "产权份额", "占有份额", "所占份额", "所有权份额", "共有比例", "产权比例", "占比",
    ),
    Field.OWNED_SINCE: (
        "取得日期", "取得时间", "登记日期", "登记时间", "产权登记日期", "产权取得日期", "过户日期", "过户时间",
        "购房日期", "购房时间", "发证日期", "起始日期", "从哪天起",
    ),
    Field.LOW_BELOW: ("预警线", "最低库存", "安全库存", "警戒线", "预警数量", "库存下限", "下限", "最低数量"),
}  # fmt: skip
PLACE = (Field.ESTATE, Field.BUILDING, Field.UNIT, Field.ROOM, Field.ADDRESS)
PERSON = tuple(Field)[: list(Field).index(Field.GUARDIAN) + 1]
FIELDS: dict[ImportKind, tuple[Field, ...]] = {
    ImportKind.PERSONS: PERSON,
    # A guardian is chosen in the record, where it is held to who may be one; an update would only write a note.
    ImportKind.UPDATE: PERSON[:-1],
    ImportKind.HOUSEHOLDS: (Field.HOUSEHOLD_NUMBER, Field.HEAD_NAME, *PLACE),
    ImportKind.DWELLINGS: (*PLACE, Field.FLOOR, Field.AREA, Field.USE),
    ImportKind.OWNERS: (
        *PLACE,
        Field.AREA,
        Field.OWNER,
        Field.ID_NUMBER,
        Field.USCC,
        Field.PHONE,
        Field.SHARE,
        Field.OWNED_SINCE,
    ),
    ImportKind.FACILITIES: (Field.TITLE, Field.SORT, Field.AREA, Field.ADDRESS, Field.PHONE, Field.NOTE),
    ImportKind.ORGANISATIONS: (
        Field.TITLE,
        Field.SORT,
        Field.USCC,
        Field.STANDING,
        Field.GRADE,
        Field.FILED_NUMBER,
        Field.LEADER,
        Field.ADDRESS,
        Field.PHONE,
        Field.NOTE,
    ),
    ImportKind.STAFF: (
        Field.NAME,
        Field.POST,
        Field.EMPLOYER,
        Field.PHONE,
        Field.PAPER,
        Field.PAPER_NUMBER,
        Field.ISSUED_ON,
        Field.EXPIRES_ON,
        Field.NOTE,
    ),
    ImportKind.TEAMS: (
        Field.TITLE,
        Field.SORT,
        Field.PURPOSE,
        Field.FOUNDED_ON,
        Field.LEADER,
        Field.PHONE,
        Field.HEADCOUNT,
        Field.MEMBERS,
    ),
    ImportKind.STOCK: (Field.TITLE, Field.MEASURE, Field.QUANTITY, Field.PLACE, Field.LOW_BELOW),
}
KNOWN_COLUMNS = {word: field for field, words in COLUMN_WORDS.items() for word in words}


def known_columns(kind: ImportKind) -> dict[str, Field]:
    """Each word that offices use for a column of such a register, with its field."""
    return {word: field for field in FIELDS[kind] for word in COLUMN_WORDS[field]}


EMPTY_WORDS = frozenset({"", "无", "没有", "暂无", "/", "\\", "-", "--", "—", "——", "N/A", "NULL", "空"})
WORD_BREAK = re.compile(r"[、,;/|\s]+")
SPACES = re.compile(r"\s+")


def plain(word: str) -> str:
    """A column's word without the stars, colons, spaces and remarks in brackets that offices put around it."""
    text = re.sub(r"[\s*:]+", "", unicodedata.normalize("NFKC", word))
    return re.sub(r"[(\[【].*?[)\]】]", "", text) or text


@lru_cache(maxsize=20_000)
def tidy(text: str) -> str:
    """Half-width, trimmed, single spaces; words that mean nothing become empty."""
    if not text:
        return ""
    value = text.strip() if text.isascii() else SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    return "" if len(value) < 5 and value.upper() in EMPTY_WORDS else value


def words_of(text: str) -> list[str]:
    """The words of a cell separated by 、 , ; / or spaces, empty ones left out."""
    return [word for word in WORD_BREAK.split(text) if word and word not in EMPTY_WORDS]
