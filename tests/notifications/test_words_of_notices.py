"""The words of a notice stand in lines: the title first, then what it says."""

from tests.sites import ROOT


def test_no_title_loses_the_line_break_after_it():
    """A block tag at the end of a line takes the break with it, and the body would run on in the title."""
    files = sorted((ROOT / "templates").glob("*/messages/*.txt"))
    assert files
    assert [file.name for file in files if file.read_text("utf-8").partition("\n")[0].endswith("%}")] == []
