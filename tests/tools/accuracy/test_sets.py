"""Several labelled folders, and everyone in them."""

from pathlib import Path

import pytest

from function.engines.protocol import Engine
from function.sources.records import UnusableSourceError
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.labelled import Dataset, LeftOut
from tools.accuracy.sets import add_mixed, name_set, read_sets


def test_people_of_two_sets_with_one_name_are_two_people() -> None:
    blank = LeftOut("P1", "P1/9.jpg", "no face found")
    sets = [
        name_set(name, Dataset(make_sources(Crowd(), people=2, each=1), (blank,)))
        for name in ("friends", "family")
    ]
    mixed = add_mixed(sets)[-1]
    names = {source.name for source in mixed.dataset.with_left_out()}
    assert names == {"friends/P0", "friends/P1", "family/P0", "family/P1"}


def test_only_several_sets_are_mixed() -> None:
    dataset = Dataset(make_sources(Crowd(), people=2, each=1), ())
    one, other = name_set("friends", dataset), name_set("family", dataset)
    assert [found.name for found in add_mixed([one])] == ["friends"]
    assert [found.name for found in add_mixed([one, other])] == ["friends", "family", "mixed"]


@pytest.mark.parametrize("names", [("a/photos", "b/photos"), ("a/mixed", "b/photos")])
def test_folders_that_would_share_a_name_are_refused_before_any_is_read(
    names: tuple[str, str], tmp_path: Path, engine: Engine
) -> None:
    folders = [tmp_path / name for name in names]
    with pytest.raises(UnusableSourceError, match="is taken"):
        read_sets(folders, engine, lambda _: None)


def test_a_folder_is_named_also_if_it_is_asked_for_as_a_dot(
    people_folder: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(people_folder)
    said: list[str] = []
    (found,) = read_sets([Path()], engine, said.append)
    assert found.dataset.sources[0].name == f"{people_folder.name}/Barack Obama"
    assert said == [f"reading {people_folder.name}"]
