"""What is no number of people is refused before anything is made up."""

import pytest
from click.testing import CliRunner

from tools.bench.library import main


@pytest.mark.parametrize("sightings", ["many", "0"])
def test_what_is_no_number_of_people_is_refused(sightings: str) -> None:
    told = CliRunner().invoke(main, [sightings])
    assert (told.exit_code, "SIGHTINGS" in told.output) == (2, True)
