"""Measures how well unknown people are grouped across videos, on photos made into films."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from function.engines.models import PRIMARY
from function.library.grouping import Grouping
from function.library.strangers import parts_of, stranger_template_of
from function.matching.second_models import SecondModel
from function.people.people import person_of
from tools.accuracy.groups import GroupFigures, measure_groups
from tools.accuracy.labelled import Source
from tools.accuracy.trials import join_sources

PHOTOS_IN_FILM = (1, 3, 5)


@dataclass(frozen=True)
class FilmFigures:
    """How well films of so many photos are grouped, one after another in several drawings."""

    photos: int
    drawings: tuple[GroupFigures, ...]


def measure_stranger_films(
    sources: Sequence[Source], second: SecondModel | None, *, rounds: int, seed: int = 1
) -> Iterator[FilmFigures]:
    """Make everyone's photos into films of 1, 3 and 5, and group those of all; clips stay clips."""
    for photos in PHOTOS_IN_FILM:
        shuffler = random.Random(seed)  # noqa: S311  # films are drawn, not secrets
        drawn = (make_films(sources, photos, shuffler) for _ in range(rounds))
        yield FilmFigures(photos, tuple(group_films(films, second) for films in drawn))


def make_films(
    sources: Sequence[Source], photos: int, shuffler: random.Random
) -> list[tuple[Source, ...]]:
    """Deal each person's photos into films of so many; the last one may have fewer."""
    by_name: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        if source.faces and not source.is_video:
            by_name[source.name].append(source)
    films: list[tuple[Source, ...]] = [
        (source,) for source in sources if source.faces and source.is_video
    ]
    for _, own in sorted(by_name.items()):
        shuffled = shuffler.sample(own, len(own))
        starts = range(0, len(shuffled), photos)
        films += [tuple(shuffled[start : start + photos]) for start in starts]
    return shuffler.sample(films, len(films))


def group_films(films: Sequence[Sequence[Source]], second: SecondModel | None) -> GroupFigures:
    """Group the one person of each film, and compare with their names."""
    fusion = second.fusion if second else None
    people = [person_of(join_sources(film), PRIMARY) for film in films]
    templates = [(row, stranger_template_of(person, fusion)) for row, person in enumerate(people)]
    given = second.all_densities() if second else None
    parts = parts_of(templates, len(films), [fusion] if fusion else [], given)
    grouping = Grouping(parts, np.ones(len(films), np.bool_), {})
    for _ in grouping.run():
        pass
    return measure_groups(grouping.root.tolist(), [film[0].name for film in films])


def render_stranger_films(figures: Iterator[FilmFigures]) -> str:
    """Write the figures as a Markdown table, each the mean of its drawings."""
    lines = ["| photos in a film | purity | completeness | strangers | people |"]
    lines.append("|---|---|---|---|---|")
    for one in figures:
        columns = [
            (each.b_cubed_precision, each.b_cubed_recall, each.people_found, each.people_true)
            for each in one.drawings
        ]
        purity, completeness, found, true = np.mean(columns, axis=0)
        lines.append(
            f"| {one.photos} | {purity:.2%} | {completeness:.1%} | {found:.1f} | {true:.0f} |"
        )
    return "\n".join(lines) + "\n"
