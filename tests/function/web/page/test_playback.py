"""What the page plays, by what the disk says of it."""

import pytest

from function.web.page.playback import _date_of


@pytest.mark.parametrize(
    ("seconds", "year"), [(1.7e9, 2023), (0.0, 1970), (-1e12, 1970), (1e12, 9999), (1e30, 9999)]
)
def test_any_date_on_a_disk_is_one_that_can_be_sent(seconds: float, year: int) -> None:
    assert _date_of(seconds).year == year
