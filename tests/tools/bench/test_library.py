"""The growth of a library is measured with people made up for both nets that ship."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.bench import library
from tools.bench.library import main


@pytest.mark.parametrize("sightings", ["many", "0"])
def test_what_is_no_number_of_people_is_refused(sightings: str) -> None:
    told = CliRunner().invoke(main, [sightings])
    assert (told.exit_code, "SIGHTINGS" in told.output) == (2, True)


def test_people_of_a_small_gallery_are_measured_by_both_nets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "PERFORMERS", 20)
    made_up, store = library.MadeUp(), library.open_store(tmp_path / "gallery.db")
    made_up.enrol(store, range(20))
    (fused,) = library.open_gallery(store).gallery.fused
    assert len(fused.templates.means) == 20
    grown = library.measure(40, made_up, store, tmp_path)
    assert (grown.sightings, set(grown.seconds)) == (40, set(library.STEPS))
