"""The words offices use: for columns, relations, registration, tags and diets; and what counts as an empty cell."""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from portal.core.ids import Sex
from portal.registry.models import Diet, Registration, Relation, TagKind


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


COLUMN_WORDS: dict[Field, tuple[str, ...]] = {
    Field.NAME: ("姓名", "居民姓名", "人员姓名", "名字", "成员姓名", "居民"),
    Field.SEX: ("性别",),
    Field.ID_NUMBER: (
        "身份证号", "身份证号码", "公民身份号码", "公民身份证号码", "居民身份证号", "居民身份证号码",
        "身份证", "证件号码", "证件号", "身份号码",
    ),
    Field.BIRTH_DATE: ("出生日期", "出生年月日", "出生年月", "生日", "出生时间"),
    Field.PHONE: ("联系电话", "手机", "手机号", "手机号码", "电话", "电话号码", "联系方式", "移动电话", "联系手机"),
    Field.HOUSEHOLD_NUMBER: ("户号", "家庭编号", "户编号", "户籍编号", "家庭户号", "户口编号", "家庭号", "户主编号"),
    Field.RELATION: ("与户主关系", "户主关系", "关系", "家庭关系", "成员关系", "与户主的关系"),
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
}  # fmt: skip
KNOWN_COLUMNS = {word: field for field, words in COLUMN_WORDS.items() for word in words}

SEX_WORDS = {"男": Sex.MALE, "男性": Sex.MALE, "M": Sex.MALE, "女": Sex.FEMALE, "女性": Sex.FEMALE, "F": Sex.FEMALE}

# 子女 is told apart by the sex.
CHILD_WORDS = frozenset({"子女", "孩子", "儿女"})
RELATION_WORDS: dict[str, Relation] = {
    word: relation
    for relation, words in {
        Relation.HEAD: "户主 本人 本人或户主",
        Relation.SPOUSE: "配偶 妻 夫 妻子 丈夫 老伴 爱人",
        Relation.SON: "子 儿子 独生子 长子 次子 三子 四子 五子 养子 继子",
        Relation.DAUGHTER: "女 女儿 独生女 长女 次女 二女 三女 四女 五女 养女 继女",
        Relation.GRANDCHILD: "孙子女 孙 孙子 孙女 外孙 外孙子 外孙女 曾孙 曾孙女 孙辈",
        Relation.PARENT: "父母 父 母 父亲 母亲 公公 婆婆 岳父 岳母 继父 继母 养父 养母",
        Relation.GRANDPARENT: "祖父母 外祖父母 祖父 祖母 外祖父 外祖母 爷爷 奶奶 外公 外婆 姥姥 姥爷 祖辈",
        Relation.SIBLING: "兄弟姐妹 兄弟姊妹 兄 弟 姐 妹 姊 哥哥 弟弟 姐姐 妹妹 兄弟 姐妹",
        Relation.OTHER: "其他 其它 其他亲属 其他关系 非亲属 儿媳 女婿 媳妇 侄子 侄女 外甥 外甥女 保姆 租客 亲戚",
    }.items()
    for word in words.split()
}

REGISTRATION_WORDS: dict[str, Registration] = {
    word: registration
    for registration, words in {
        Registration.LOCAL: "本地户籍 本地 本市 本市户籍 户籍 户籍人口 本社区 本街道 常住户籍 是 人户一致 在册",
        Registration.OUTSIDE: "外地户籍 外地 外来 流动 流动人口 非本地 非户籍 外省 外市 外来人口 暂住 否 人户分离",
    }.items()
    for word in words.split()
}

TAG_WORDS: dict[str, TagKind] = {
    word: kind
    for kind, words in {
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
    }.items()
    for word in words.split()
}

DIET_WORDS: dict[str, Diet] = {
    word: kind
    for kind, words in {
        Diet.LOW_SUGAR: "低糖 无糖 控糖 糖尿病餐",
        Diet.LOW_SALT: "低盐 少盐 低钠",
        Diet.LOW_FAT: "低脂 低油 少油",
        Diet.SOFT: "软食 软烂 软饭",
        Diet.SEMI_LIQUID: "半流质 半流食 流食",
        Diet.VEGETARIAN: "素食 素 吃素",
        Diet.HALAL: "清真 清真餐",
    }.items()
    for word in words.split()
}

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
