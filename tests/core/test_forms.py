"""What every form does with what is typed."""

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form as Plain

from portal.core.forms import ClockField, CountField, DayField, required


class Asked(Plain):
    day = DayField("day", [required("请填日期")])
    at = ClockField("at", [required("请填时间")])
    count = CountField("count", [required("请填人数")])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", {"请填日期", "请填时间", "请填人数"}),
        (" ", {"请填日期", "请填时间", "请填人数"}),
        ("x", {"请填日期，例如 2026-05-01", "请填时间，例如 08:30", "请填整数"}),
    ],
)
def test_what_cannot_be_read_is_not_said_to_be_missing(app, typed, told):
    with app.test_request_context():
        form = Asked(MultiDict(dict.fromkeys(("day", "at", "count"), typed)))
        assert not form.validate()
        assert {str(error) for errors in form.errors.values() for error in errors} == told
