"""Sets: labelled libraries that are measured one by one, and all together as one more set."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from function.engines.protocol import Engine
from function.sources.records import UnusableSourceError
from tools.accuracy.labelled import Dataset, read_dataset

MIXED = "mixed"
"""The name of the set of everyone."""


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """A library under a name, which also begins the names of its people: `holiday/Grace Hopper`.

    So two sets may both have a `001` without making one person of them.
    """

    name: str
    dataset: Dataset


def read_sets(
    folders: Sequence[Path], engine: Engine, report: Callable[[str], None]
) -> list[LabelledSet]:
    """Read each folder as a set with the folder's name; `report` is told which is being read.

    Raises:
        UnusableSourceError: two sets would have the same name, or a folder cannot be read.
    """
    # "." and ".." have no name of their own.
    names = [folder.resolve().name for folder in folders]
    taken = Counter([*names, MIXED] if len(names) > 1 else names)
    for folder, name in zip(folders, names, strict=True):
        if taken[name] > 1:
            raise UnusableSourceError(
                f"The name of {folder} is taken: by another folder, or by {MIXED!r}, the set of "
                "everyone. Give each folder a name of its own."
            )
    sets = []
    for folder, name in zip(folders, names, strict=True):
        report(f"reading {name}")
        sets.append(name_set(name, read_dataset(folder, engine)))
    return sets


def name_set(name: str, dataset: Dataset) -> LabelledSet:
    """Give a library a name, and put it before the names of its people."""
    sources = tuple(replace(one, name=f"{name}/{one.name}") for one in dataset.sources)
    left_out = tuple(replace(one, name=f"{name}/{one.name}") for one in dataset.left_out)
    return LabelledSet(name, Dataset(sources, left_out))


def add_mixed(sets: Sequence[LabelledSet]) -> list[LabelledSet]:
    """Return the sets, and if there are several also the set of everyone, at the end."""
    if len(sets) == 1:
        return list(sets)
    sources = tuple(source for one in sets for source in one.dataset.sources)
    left_out = tuple(file for one in sets for file in one.dataset.left_out)
    return [*sets, LabelledSet(MIXED, Dataset(sources, left_out))]
