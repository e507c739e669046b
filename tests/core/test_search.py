"""Finding by words: surnames as their bearers say them, names of every make, bigrams that find what stands there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import search

WORDS = st.text("停水通知ab12·三号楼 ", max_size=20)


@pytest.mark.parametrize(
    ("name", "pinyin"),
    [
        ("单田芳", "shan tian fang"),
        ("仇英", "qiu ying"),
        ("曾国藩", "zeng guo fan"),
        ("解晓东", "xie xiao dong"),
        ("区志明", "ou zhi ming"),
        ("朴志勇", "piao zhi yong"),
        ("查良镛", "zha liang yong"),
        ("盖叫天", "ge jiao tian"),
        ("乐嘉", "yue jia"),
        ("冼星海", "xian xing hai"),
        ("洗玉兰", "xian yu lan"),
        ("翟志刚", "zhai zhi gang"),
        ("褚时健", "chu shi jian"),
        ("逄先知", "pang xian zhi"),
        ("缪荃孙", "miao quan sun"),
        ("燕青", "yan qing"),
        ("华罗庚", "hua luo geng"),
        ("任远", "ren yuan"),
        ("卜大", "bu da"),
        ("尉迟恭", "yu chi gong"),
        ("万俟卨", "mo qi xie"),
        ("长孙无忌", "zhang sun wu ji"),
        ("澹台灭明", "tan tai mie ming"),
        ("诸葛亮", "zhu ge liang"),
        ("令狐冲", "ling hu chong"),
        ("吕布", "lv bu"),
        ("买买提·艾力", "mai mai ti ai li"),
        ("John Smith", "john smith"),
        ("张 三", "zhang san"),
        ("㛃", "jie"),
        ("", ""),
        ("·", ""),
    ],
)
def test_a_name_is_read_as_its_bearer_says_it(name: str, pinyin: str) -> None:
    assert search.pinyin(name) == pinyin
    assert search.initials(name) == "".join(syllable[0] for syllable in pinyin.split())


def test_a_surname_reading_holds_only_at_the_beginning() -> None:
    assert search.pinyin("张单") == "zhang dan"


def test_a_character_without_a_reading_stands_for_itself() -> None:
    assert search.initials("张\U00030000") == "z\U00030000"


def test_every_surname_has_one_syllable_for_each_character() -> None:
    assert all(len(name) == len(syllables) for name, syllables in search.SURNAME_READINGS.items())


@given(st.text())
def test_no_name_raises(name: str) -> None:
    assert search.pinyin(name).count(" ") == max(0, len(search.initials(name)) - 1)


def test_bigrams_cut_words_apart_and_keep_single_signs() -> None:
    assert search.bigrams("停水通知，3号楼 A") == ["停水", "水通", "通知", "3号", "号楼", "a"]
    assert search.bigrams(" ·，") == []


@given(WORDS, st.text("停水通知ab12三号楼", min_size=2, max_size=4), WORDS)
def test_a_word_that_stands_in_a_text_is_found_by_its_bigrams(before: str, word: str, after: str) -> None:
    text, sought = search.bigrams(before + word + after), search.bigrams(word)
    assert any(text[start : start + len(sought)] == sought for start in range(len(text)))


def test_width_case_and_spaces_do_not_matter() -> None:
    assert search.normalise(" ＡＢＣ　１２  ") == "abc 12"


@given(st.text(st.characters(codec="gb18030", exclude_categories=["Cs", "Co", "Cn"])))
def test_the_normal_form_is_normal(text: str) -> None:
    assert search.normalise(search.normalise(text)) == search.normalise(text)
