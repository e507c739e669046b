"""Names and numbers of people are taken out of what everybody reads; what only looks like one stays."""

import pytest

from portal.deliberation.service import veiling
from portal.deliberation.service.veiling import CARD, CHAT, PHONE, veil


def _veil(make, text):
    return veil(text, [make.community().id])


@pytest.mark.parametrize(
    "number",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "１３８１２３４５６７８",
        "一三八一二三四五六七八",
        "+86 13812345678",
        "0571-88881234",
        "057188881234",
    ],
)
def test_a_telephone_number_is_taken_out_however_it_is_written(make, number):
    found = _veil(make, f"有事找我{number}，白天都在")
    assert found.words == f"有事找我{PHONE}，白天都在"
    assert found.numbers == 1


def test_a_number_without_area_code_is_one_where_it_is_called_so(make):
    assert _veil(make, "物业电话88881234没人接").words == f"物业电话{PHONE}没人接"
    assert _veil(make, "预算88881234元").words == "预算88881234元"


@pytest.mark.parametrize(
    "number", ["330102195005051234", "33010219500505123x", "6222021234567890123", "330102500505123"]
)
def test_id_and_card_numbers_are_taken_out(make, number):
    assert _veil(make, f"他的号{number}我有").words == f"他的号{CARD}我有"


@pytest.mark.parametrize("said", ["微信abc_12345", "微信号：lihong99", "QQ12345678", "vx: hello2026"])
def test_chat_accounts_are_taken_out(make, said):
    found = _veil(make, f"加我{said}")
    assert CHAT in found.words
    assert found.masked


@pytest.mark.parametrize(
    "said",
    [
        "一楼二楼三楼都不用出钱，四楼以上按层分",
        "每户出 12000 元，20261122 开会再定",
        "拨打 12345 反映过",
        "6号楼2单元301门口堆着东西",
        "1、2、3、4、5、6、7、8、9、10、11 号楼都要装",
        "感谢王老师和张师傅帮忙",
        "谢谢谢老师",
        "先生和女士分开排队",
    ],
)
def test_amounts_days_doors_and_family_names_with_a_title_stay(make, said):
    found = _veil(make, said)
    assert found.words == said
    assert not found.masked
    assert found.said() == ""


def test_a_neighbour_of_the_register_is_taken_out_by_name(make):
    make.person("王秀英")
    make.person("李军")
    found = _veil(make, "王秀英家的狗总叫，李军也知道")
    assert found.words == "王某某家的狗总叫，李某也知道"
    assert found.names == 2
    assert "姓名" in found.said()


def test_gaps_in_a_name_help_nobody_and_the_longer_name_goes_first(make):
    make.person("王秀英")
    make.person("王秀")
    assert _veil(make, "王 秀 英不肯出钱").words == "王某某不肯出钱"


def test_somebody_of_another_community_is_only_known_by_what_stands_beside_her(make):
    make.person("赵桂兰", community=make.community("秋实社区"))
    assert _veil(make, "赵桂兰来过").words == "赵桂兰来过"
    assert _veil(make, "赵桂兰阿姨来过").words == "赵某某阿姨来过"
    assert _veil(make, "楼上有个人叫赵桂兰，很热心").words == "楼上有个人叫赵某某，很热心"


def test_a_word_of_every_day_stays_though_somebody_is_called_so(make):
    make.person("文明")
    assert _veil(make, "大家文明养狗").words == "大家文明养狗"


def test_names_and_numbers_at_once_are_both_said(make):
    make.person("欧阳小兰")
    found = _veil(make, "欧阳小兰的电话是13812345678")
    assert found.words == f"欧阳某某的电话是{PHONE}"
    assert found.said() == "里面的姓名和号码已经替您隐去，没有保存。"


@pytest.mark.parametrize("text", ["0571-8888123" + "4" * n for n in range(5)] + ["1" * 40, "138" * 30, "", "，", "王"])
def test_what_is_put_in_is_never_longer(make, text):
    make.person("王秀英")
    assert len(_veil(make, text + "王秀英").words) <= len(text + "王秀英")


def test_figures_are_read_however_they_are_written():
    assert "１３８零幺".translate(veiling.PLAIN) == "13801"
