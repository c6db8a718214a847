"""`results` and `rematch` as a user types them."""

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from db.sqlite.ledger import SqliteLedger
from db.sqlite.store import StoredGallery
from tests.support.scans import (
    enrol,
    names_in,
    read,
    write_squares,
)


@pytest.mark.parametrize("forms", [("--csv", "--table"), ("--json", "--csv")])
def test_results_have_one_form(run: Any, media: Path, forms: tuple[str, ...]) -> None:
    run("scan", media)
    assert "Give one of --table, --csv, --json." in run("results", *forms, exit_code=2).stderr


@pytest.fixture
def named(run: Any, media: Path, gallery: Path, tmp_path: Path) -> Any:
    """Ada is in 00.mp4 and two.mp4, Eve in two.mp4; the others are strangers."""
    write_squares(media / "two.mp4", 100, 101)
    run("scan", "--strangers", "keep", media)
    with SqliteLedger(tmp_path / "l.db") as ledger:
        video = next(one.id for one in ledger.videos() if one.paths[0].endswith(b"two.mp4"))
        looks = [one.person.views[0].encodings[0] for one in ledger.sightings([video])[video]]
    enrol(gallery, "Ada", looks[0])
    enrol(gallery, "=Eve", looks[1])
    assert read(run("rematch"))["changed"] == 4
    return run


def test_results_are_filtered_by_performer_verdict_state_and_place(named: Any, media: Path) -> None:
    everything = names_in(read(named("results")))
    assert everything == {
        "00.mp4": [None, "Ada"],
        "01.mp4": [None, "=Eve"],
        "02.mp4": [None, None],
        "two.mp4": ["=Eve", "Ada"],
    }
    assert list(names_in(read(named("results", "--performer", "ada")))) == ["00.mp4", "two.mp4"]
    matches = names_in(read(named("results", "--verdict", "match")))
    assert matches == {"00.mp4": ["Ada"], "01.mp4": ["=Eve"], "two.mp4": ["=Eve", "Ada"]}
    unknown = names_in(read(named("results", "--verdict", "unknown", "--performer", "Ada")))
    assert unknown == {}
    assert list(names_in(read(named("results", media / "01.mp4")))) == ["01.mp4"]
    assert list(names_in(read(named("results", media)))) == list(everything)
    assert read(named("results", media.parent / "med")) == []
    (media / "copies").mkdir()
    shutil.copy(media / "01.mp4", media / "copies" / "a copy.mp4")
    named("scan", media)
    pair = [f"{media}/01.mp4", f"{media}/copies/a copy.mp4"]
    for place in (pair, pair[::-1]):
        (listed,) = read(named("results", place[0]))
        assert [listed["path"], *listed["other_paths"]] == place
    assert read(named("results", "--state", "failed")) == []
    (media / "02.mp4").unlink()
    named("scan", media)
    (gone,) = read(named("results", "--state", "gone", media))
    assert gone["path"] == f"{media}/02.mp4"
    assert "Nobody" in named("results", "--performer", "Nobody", exit_code=1).stderr


def test_results_are_listed_folder_by_folder_as_people_count_with_the_gone_last(
    run: Any, media: Path
) -> None:
    names = ["b 10.mp4", "B 2.mp4", "é.mp4", "f.mp4", "s 10/x.mp4", "S 2/x.mp4", "S 2 more/x.mp4"]
    for number, name in enumerate(names):
        (media / name).parent.mkdir(exist_ok=True)
        write_squares(media / name, 50 + number)
    for number in range(3):
        (media / f"0{number}.mp4").unlink()
    run("scan", "--strangers", "off", media)
    (media / "B 2.mp4").unlink()
    run("scan", media)
    listed = [Path(one["path"]).relative_to(media) for one in read(run("results"))]
    in_order = ["b 10.mp4", "é.mp4", "f.mp4", "S 2/x.mp4", "S 2 more/x.mp4", "s 10/x.mp4"]
    assert list(map(str, listed)) == [*in_order, "B 2.mp4"]


def test_results_are_printed_as_csv_and_as_a_table(named: Any, media: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(named("results", "--csv").stdout)))
    assert sorted(row["performer"] for row in rows) == [
        "",
        "",
        "",
        "",
        "'=Eve",
        "'=Eve",
        "Ada",
        "Ada",
    ]
    table = named("results", "--table", "--verdict", "match", media / "two.mp4").stdout.splitlines()
    assert table[0] == f"{media}/two.mp4  (done)"
    assert sorted(line.split()[3] for line in table[1:]) == ["=Eve", "Ada"]


def test_somebody_forgotten_or_merged_away_is_named_no_more(named: Any, gallery: Path) -> None:
    with StoredGallery(gallery) as opened:
        ada, eve = opened.find_performer("Ada"), opened.find_performer("=Eve")
        opened.merge(eve, ada)
    named("results", "--performer", str(ada.id), exit_code=1)
    names = {name for names in names_in(read(named("results"))).values() for name in names}
    assert "Ada" not in names
    with StoredGallery(gallery) as opened:
        opened.forget(opened.find_performer("=Eve"))
    found = read(named("results"))
    assert {name for names in names_in(found).values() for name in names} == {None}
    assert {one["verdict"] for video in found for one in video["people"]} == {"unknown"}
    assert read(named("rematch")) == {"videos": 0, "people": 0, "changed": 0}


def test_a_rematch_of_nothing_says_what_to_do(run: Any, tmp_path: Path) -> None:
    SqliteLedger(tmp_path / "l.db").close()
    assert "Scan first" in run("rematch", exit_code=1).stderr
