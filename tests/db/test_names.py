"""Which names a performer may have: one rule for imports, the command line and the page."""

import pytest

from db.names import MAX_NAME_CHARACTERS, find_complaint, find_name_complaint
from tests.support.galleries import performer


@pytest.mark.parametrize(
    "name", ["Zoë", "李 小龍", "=SUM(A1)", "-", "👩‍👩‍👧", "O'Neill <b>", "x" * MAX_NAME_CHARACTERS]
)
def test_any_name_that_fits_on_a_line_is_fine(name: str) -> None:
    assert find_name_complaint(name) == ""
    assert find_complaint(performer(name, "1")) == ""


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "empty"),
        ("  \t", "empty"),
        ("\u200b\u202e", "empty"),
        ("a\nb", "line break"),
        ("a\x00", "control character"),
        ("x" * (MAX_NAME_CHARACTERS + 1), "301 characters; 300 at most"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused_with_the_reason(name: str, complaint: str) -> None:
    assert complaint in find_name_complaint(name)
    assert complaint in find_complaint(performer(name, "1"))
