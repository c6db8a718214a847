"""An evaluation on a page."""

import resource
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest

from function.engines.models import PRIMARY
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.evaluate import Evaluation, Setting, evaluate
from tools.accuracy.labelled import Dataset
from tools.accuracy.pages import BEGIN, CALIBRATION_FILE, END, MISSES_FILE, check_page, write_page
from tools.accuracy.sets import name_set
from tools.accuracy.tables import render_markdown

SCORES = Path(__file__).parents[3] / "docs" / "scores.md"


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    sets = [
        name_set(name, Dataset(make_sources(Crowd(seed), people=4, each=3), ()))
        for seed, name in enumerate(("near", "far"))
    ]
    return evaluate(sets, PRIMARY, on=date(2026, 11, 23), settings=[Setting(1, 1)], rounds=1)


def test_a_page_is_rewritten_between_its_markers_and_twice_gives_the_same_bytes(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    before = f"# Between `{BEGIN}` and `{END}`\n\n"
    page.write_text(f"{before}{BEGIN}\nan old table\n{END}\n\nAfter.\n")
    names = ("page.md", CALIBRATION_FILE, MISSES_FILE)
    write_page(page, evaluation)
    first = [(tmp_path / name).read_bytes() for name in names]
    write_page(page, evaluation)
    assert [(tmp_path / name).read_bytes() for name in names] == first
    table = render_markdown(evaluation)
    assert page.read_text() == f"{before}{BEGIN}\n{table}{END}\n\nAfter.\n"


def test_the_drawings_show_the_set_of_everyone(evaluation: Evaluation, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    write_page(page, evaluation)
    for name in (CALIBRATION_FILE, MISSES_FILE):
        assert ": 8 people</title>" in (tmp_path / name).read_text()


def test_a_page_says_which_nets_were_measured_if_not_the_usual_ones(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    write_page(page, evaluation, nets="dlib's net and SFace")
    table = render_markdown(evaluation)
    assert page.read_text() == f"{BEGIN}\nMeasured with dlib's net and SFace.\n\n{table}{END}\n"
    for name in (CALIBRATION_FILE, MISSES_FILE):
        ET.parse(tmp_path / name)
        assert "8 people, dlib's net and SFace</title>" in (tmp_path / name).read_text()


def test_no_drawing_of_the_users_own_is_replaced(evaluation: Evaluation, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    write_page(page, evaluation)
    check_page(page)
    (tmp_path / MISSES_FILE).write_text("<svg>of my own</svg>")
    with pytest.raises(UnusableSourceError, match=f"{MISSES_FILE} is there already"):
        check_page(page)


def test_a_page_that_cannot_be_written_to_its_end_stays_as_it_was(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n" + "Mine.\n" * 10)
    page.chmod(0o640)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_page(page, evaluation)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert page.read_text().endswith("Mine.\n")
    assert [*tmp_path.iterdir()] == [page]
    write_page(page, evaluation)
    assert page.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("text", "missing"),
    [("no markers", BEGIN), (f"{BEGIN}\n", END), (f"{END}\n{BEGIN}\n", END)],
)
def test_a_page_without_markers_is_refused_and_left_as_it_is(
    text: str, missing: str, evaluation: Evaluation, tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(UnusableSourceError, match=f"has no line {missing}"):
        check_page(page)
    with pytest.raises(UnusableSourceError, match="put both where it belongs"):
        write_page(page, evaluation)
    assert page.read_text() == text
    assert list(tmp_path.iterdir()) == [page]


def test_a_page_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnusableSourceError, match=r"gone\.md cannot be read: No such file") as told:
        check_page(tmp_path / "gone.md")
    assert str(told.value).count("gone.md") == 1


def test_the_page_of_scores_has_a_place_for_the_table_and_shows_both_drawings() -> None:
    check_page(SCORES)
    for name in (CALIBRATION_FILE, MISSES_FILE):
        assert f"]({name})" in SCORES.read_text()
        assert ET.parse(SCORES.parent / name).getroot().tag == "{http://www.w3.org/2000/svg}svg"
