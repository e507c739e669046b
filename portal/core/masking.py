"""Masking: how a sensitive value is shown to someone who may know that it exists, but not what it is.

The shapes are the convention of GB/T 35273 (de-identified display). Nothing here raises.
"""

import re

STAR = "*"
COMPOUND_SURNAMES = frozenset(
    {
        "欧阳", "太史", "端木", "上官", "司马", "东方", "独孤", "南宫", "万俟", "闻人", "夏侯",
        "诸葛", "尉迟", "公羊", "赫连", "澹台", "皇甫", "宗政", "濮阳", "公冶", "太叔", "申屠",
        "公孙", "仲孙", "轩辕", "令狐", "钟离", "宇文", "长孙", "慕容", "鲜于", "闾丘", "司徒",
        "司空", "亓官", "司寇", "子车", "颛孙", "巫马", "公西", "漆雕", "乐正", "壤驷", "公良",
        "拓跋", "夹谷", "宰父", "谷梁", "百里", "呼延", "东郭", "南门", "羊舌", "微生", "左丘",
        "东门", "西门", "第五", "梁丘", "单于", "淳于", "段干", "歐陽", "諸葛", "司馬", "東方",
        "萬俟", "長孫", "尉遲", "聞人", "鮮于",
    }
)  # fmt: skip


def mask_name(name: str | None) -> str:
    """张*, 张*三, 诸葛*平: the surname, and the last character when something stays hidden before it."""
    text = (name or "").strip()
    surname = 2 if text[:2] in COMPOUND_SURNAMES and len(text) > 2 else 1
    if len(text) <= surname + 1:
        return text[:surname] + STAR if len(text) > 1 else STAR * len(text)
    return mask_middle(text, surname, 1)


def mask_phone(phone: str | None) -> str:
    """138****1234; of a landline the area code and the last four figures stay."""
    text = re.sub(r"\s|^\+86-?|^0086-?", "", phone or "")
    landline = re.fullmatch(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))-?[0-9]{3,4}([0-9]{4})(-[0-9]+)?", text)
    if landline:
        return f"{landline[1]}-{STAR * 4}{landline[2]}"
    digits = text.replace("-", "")
    return mask_middle(digits, 3, 4) if len(digits) == 11 else mask_middle(digits, 1, 2)


def mask_id(number: str | None) -> str:
    """999901********7286: region and last four, never the birth date. Other papers keep three signs."""
    text = (number or "").strip()
    if len(text) == 18:
        return mask_middle(text, 6, 4)
    if len(text) == 15:
        return mask_middle(text, 6, 3)
    return mask_middle(text, 1, 2)


def mask_address(estate: str | None, building: str | None = "", *finer: str | None) -> str:
    """梧桐苑15号楼***: estate and building stay; entrance, door and whatever else is finer do not."""
    shown = (estate or "").strip() + (building or "").strip()
    return shown + STAR * 3 if any((part or "").strip() for part in finer) else shown


def mask_middle(text: str | None, start: int, end: int) -> str:
    """Keeps `start` and `end` characters and stars the rest; a text too short keeps only its first."""
    value = (text or "").strip()
    if start < 0 or end < 0 or len(value) <= start + end:
        return value[:1] + STAR * (len(value) - 1) if len(value) > 2 else STAR * len(value)
    return value[:start] + STAR * (len(value) - start - end) + value[len(value) - end :]
