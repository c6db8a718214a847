"""Measures on films cut from labelled clips who is found, named and when, from end to end.

Each film is recognised as the function does it, at several intervals between samples, with
fragments joined and without.
"""

import os
import random
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from db.snapshots import Snapshot
from function.engines.models import models_of
from function.engines.protocol import Engine
from function.faces.face import Face
from function.faces.found import FacesFound
from function.faces.search import search_video
from function.faces.second_encodings import details_of
from function.matching.densities import Densities
from function.matching.matches import Identification
from function.matching.second_models import open_second
from function.people.appearances import Span, find_appearances
from function.people.gathering import PeopleFound, gather_groups
from function.recognition import name_people, task_of
from function.settings import Settings
from function.sources.records import UnusableSourceError
from tools.accuracy.casts import Cast
from tools.accuracy.films import (
    KEYFRAMES_EVERY,
    OF_TRUTH,
    Shown,
    make_film,
    plan_film,
    write_truth,
)
from tools.accuracy.labelled import LeftOut
from tools.accuracy.trials import make_gallery
from tools.ending import tidied_up
from tools.replacing import refuse_others

if sys.platform != "win32":
    import fcntl

EVERY_SECONDS = (None, 1.0, 2.0, 5.0)
"""The intervals that are measured unless others are asked for; None: the function chooses."""

UNFINISHED = ".unfinished-films"
"""The folder in which a film lies until it is whole."""


@dataclass(frozen=True, eq=False)
class _Film:
    """One film as it was searched at one interval, and the true name of each person's faces."""

    found: PeopleFound
    true_names: tuple[tuple[str | None, ...], ...]


@dataclass(frozen=True)
class _Person:
    """One person found: the true name of most of their faces, and the name they were given.

    The true name is None if the labels do not know most of the faces. `is_mixed` says that some
    faces are somebody else's.
    """

    true_name: str | None
    given_name: str | None
    is_mixed: bool
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class FilmOutcome:
    """What came of one film: counts of people, and overlaps with the truth, from 0 to 1.

    `named` says for each performer in it how many of the people found have the performer's name.
    """

    there: int
    found: int
    missed: int
    mixed: int
    unlabelled: int
    named: tuple[int, ...]
    named_wrong: int
    strangers: int
    strangers_named: int
    overlaps: tuple[float, ...]
    overlaps_named: tuple[float, ...]


@dataclass(frozen=True)
class FilmFigures:
    """All films at one interval, with or without joining of fragments.

    `every_seconds` is None where the function chose the interval. People are counted once in each
    film they are in. `found` counts the people of the answers; of them, `mixed` have faces of
    several people, and `unlabelled` show nobody who is labelled. `missed` were there, and nobody
    found is mostly them. Performers are named once, by several of the people found (`named_twice`),
    or not; `named_wrong` are people given somebody else's name. Overlaps are what the appearances
    and the truth share of the time that they cover together, on average over people: of everyone
    there, with all who are mostly them, and of each performer who is named, with those so named.
    """

    every_seconds: float | None
    is_joined: bool
    there: int
    found: int
    ratio: float
    missed: int
    mixed: int
    unlabelled: int
    performers: int
    named_once: int
    named_twice: int
    not_named: int
    named_wrong: int
    strangers: int
    strangers_named: int
    overlap: float
    overlap_named: float | None


@dataclass(frozen=True)
class FilmEvaluation:
    """All figures, how the films were made, and the clips that show nobody."""

    films: int
    seed: int
    film_seconds: float
    people: int
    enrolled: int
    rows: tuple[FilmFigures, ...]
    left_out: tuple[LeftOut, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the figures as plain dictionaries, lists and numbers."""
        return asdict(self)


def measure_films(
    cast: Cast,
    engine: Engine,
    settings: Settings,
    *,
    films: int = 8,
    every: Sequence[float | None] = EVERY_SECONDS,
    seed: int = 1,
    keep: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> FilmEvaluation:
    """Cut the footage of a cast into films, and measure each interval on all of them.

    The same seed makes the same films. With `keep`, films and their truth stay in that folder.
    `report` is told of each film.
    """
    outcomes: dict[tuple[float | None, bool], list[FilmOutcome]] = defaultdict(list)
    seconds = 0.0
    with tidied_up(), _open_folder(keep) as where:
        for number, path in enumerate(_name_films(where, films), 1):
            shown = _make(path, cast, f"{seed}/{number}")
            seconds += shown[-1].end_seconds
            report(f"film {number} of {films}: {shown[-1].end_seconds:.0f} s")
            for interval in every:
                asked = replace(settings, every_seconds=interval)
                for is_joined, outcome in _measure(path, shown, cast, engine, asked):
                    outcomes[interval, is_joined].append(outcome)
    rows = tuple(
        _sum_up(interval, of_films, is_joined=is_joined)
        for (interval, is_joined), of_films in outcomes.items()
    )
    people, enrolled = len(cast.footage), len(cast.enrolled)
    return FilmEvaluation(films, seed, seconds, people, enrolled, rows, cast.left_out)


@contextmanager
def _open_folder(keep: Path | None) -> Iterator[Path]:
    """Give the folder for the films; one that is not to be kept is removed at the end.

    So is what is not finished in it, and what an evaluation that was killed left there.
    """
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        unfinished = folder / UNFINISHED
        stack.callback(shutil.rmtree, unfinished, ignore_errors=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True, exist_ok=True)
        yield folder


@contextmanager
def held(keep: Path | None) -> Iterator[None]:
    """Keep other evaluations out of a folder, if films are to be kept in one.

    Raises:
        UnusableSourceError: another one leaves its films there.
    """
    if keep is None or sys.platform == "win32":
        yield
        return
    is_new = not keep.exists()
    keep.mkdir(parents=True, exist_ok=True)
    handle = os.open(keep, os.O_RDONLY)
    try:
        _lock(handle, keep)
        yield
    finally:
        os.close(handle)
        if is_new:
            with suppress(OSError):  # unless something was kept
                keep.rmdir()


def _lock(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UnusableSourceError(
            f"Another evaluation leaves its films in {folder}. Wait until it has ended, or name "
            "another folder."
        ) from error
    except OSError:
        pass  # some network shares lock no folder


def check_folder(keep: Path, films: int) -> None:
    """Check that nothing of the user's is where films and their truth will be kept.

    Raises:
        UnusableSourceError: something is.
    """
    truths = {film: film.with_suffix(".json") for film in _name_films(keep, films)}
    refuse_others(truths.values(), OF_TRUTH)
    # A film has no mark; beside one of ours lies its truth.
    refuse_others((film for film, truth in truths.items() if not truth.exists()), OF_TRUTH)


def _name_films(folder: Path, films: int) -> list[Path]:
    return [folder / f"film-{number}.mp4" for number in range(1, films + 1)]


def _make(path: Path, cast: Cast, seed: str) -> tuple[Shown, ...]:
    chance = random.Random(seed)  # noqa: S311  # as above
    shots = plan_film(cast.footage, chance)
    unfinished = path.parent / UNFINISHED / path.name
    shown = make_film(unfinished, shots, chance.choice(KEYFRAMES_EVERY))
    write_truth(path.with_suffix(".json"), shown)  # first: it says that the film is ours
    unfinished.replace(path)
    return shown


def _measure(
    path: Path, shown: tuple[Shown, ...], cast: Cast, engine: Engine, settings: Settings
) -> Iterator[tuple[bool, FilmOutcome]]:
    """Recognise a film once, with fragments joined and without."""
    second = open_second(settings.engine_options)
    fusion, densities = (second.fusion, second.all_densities()) if second else (None, None)
    gallery = make_gallery(cast.enrolled, engine.encoder.model, fusion)
    film = _search(path, shown, engine, settings)
    for is_joined in (True, False):
        people = _name(film, gallery, settings, densities, is_joined=is_joined)
        yield is_joined, _compare(people, shown, set(cast.enrolled))


def _search(path: Path, shown: tuple[Shown, ...], engine: Engine, settings: Settings) -> _Film:
    """Find the people of a film as a reader does, and the true name of each of their faces."""
    *_, found = search_video(path, path.name, engine, task_of(settings))
    if not isinstance(found, FacesFound):
        raise TypeError(f"a search ended with {type(found).__name__}")
    details = partial(details_of, found.faces, encoder=engine.second)
    people, groups = gather_groups(found, models_of(engine), details)
    names = tuple(tuple(_find_true_name(face, shown) for face in group) for group in groups)
    return _Film(people, names)


def _find_true_name(face: Face, shown: Sequence[Shown]) -> str | None:
    return next((one.name for one in shown if one.holds(face.seconds, face.box)), None)


def _name(
    film: _Film,
    gallery: Snapshot,
    settings: Settings,
    densities: Sequence[Densities] | None = None,
    *,
    is_joined: bool,
) -> list[_Person]:
    found = film.found if is_joined else replace(film.found, links=())
    named = name_people(found, gallery, settings, densities).identifications
    return [_describe(one, film.true_names) for one in named]


def _describe(one: Identification, true_names: Sequence[Sequence[str | None]]) -> _Person:
    counted = Counter(name for member in one.members for name in true_names[member])
    ((true_name, _),) = counted.most_common(1)
    given = one.matches[0].performer.name if one.verdict == "match" else None
    return _Person(true_name, given, len(counted) > 1, tuple(find_appearances(one.seen)))


def _compare(people: Sequence[_Person], shown: Sequence[Shown], enrolled: set[str]) -> FilmOutcome:
    """Compare the people found in a film with who is there."""
    there = sorted({one.name for one in shown})
    performers = [name for name in there if name in enrolled]
    right = Counter(one.true_name for one in people if one.given_name == one.true_name)
    wrong = [one for one in people if one.given_name not in (None, one.true_name)]
    strangers = [one for one in wrong if one.true_name not in enrolled]
    return FilmOutcome(
        there=len(there),
        found=len(people),
        missed=len(set(there) - {one.true_name for one in people}),
        mixed=sum(one.is_mixed for one in people),
        unlabelled=sum(one.true_name is None for one in people),
        named=tuple(right[name] for name in performers),
        named_wrong=len(wrong) - len(strangers),
        strangers=len(there) - len(performers),
        strangers_named=len(strangers),
        overlaps=tuple(
            _overlap([one for one in people if one.true_name == name], name, shown)
            for name in there
        ),
        overlaps_named=tuple(
            _overlap([one for one in people if one.given_name == name], name, shown)
            for name in performers
            if right[name]
        ),
    )


def _overlap(people: Sequence[_Person], name: str, shown: Sequence[Shown]) -> float:
    """Return the share of the time of either that both people and truth cover."""
    spans = _unite([span for one in people for span in one.spans])
    truth = _unite([(one.start_seconds, one.end_seconds) for one in shown if one.name == name])
    both = sum(
        max(0.0, min(end, true_end) - max(start, true_start))
        for (start, end), (true_start, true_end) in product(spans, truth)
    )
    return both / (_length(spans) + _length(truth) - both)


def _unite(spans: Sequence[Span]) -> list[Span]:
    """Make one of spans that touch or overlap."""
    united: list[Span] = []
    for start, end in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _length(spans: Sequence[Span]) -> float:
    return sum(end - start for start, end in spans)


def _sum_up(
    every_seconds: float | None,
    films: Sequence[FilmOutcome],
    *,
    is_joined: bool,
) -> FilmFigures:
    named = [times for film in films for times in film.named]
    overlaps = [share for film in films for share in film.overlaps]
    of_named = [share for film in films for share in film.overlaps_named]
    there = sum(film.there for film in films)
    found = sum(film.found for film in films)
    return FilmFigures(
        every_seconds=every_seconds,
        is_joined=is_joined,
        there=there,
        found=found,
        ratio=found / there,
        missed=sum(film.missed for film in films),
        mixed=sum(film.mixed for film in films),
        unlabelled=sum(film.unlabelled for film in films),
        performers=len(named),
        named_once=named.count(1),
        named_twice=sum(times > 1 for times in named),
        not_named=named.count(0),
        named_wrong=sum(film.named_wrong for film in films),
        strangers=sum(film.strangers for film in films),
        strangers_named=sum(film.strangers_named for film in films),
        overlap=sum(overlaps) / len(overlaps),
        overlap_named=sum(of_named) / len(of_named) if of_named else None,
    )


COLUMNS: tuple[tuple[str, Callable[[FilmFigures], str]], ...] = (
    ("sampled every", lambda row: _interval(row.every_seconds)),
    ("fragments", lambda row: "joined" if row.is_joined else "apart"),
    ("people found / there", lambda row: f"{row.found} / {row.there} = {row.ratio:.2f}"),
    ("missed", lambda row: f"{row.missed}"),
    ("of two people", lambda row: f"{row.mixed}"),
    (
        "performers named once, twice, not",
        lambda row: f"{row.named_once}, {row.named_twice}, {row.not_named}",
    ),
    ("named wrong", lambda row: f"{row.named_wrong}"),
    ("strangers named", lambda row: f"{row.strangers_named} of {row.strangers}"),
    ("overlap", lambda row: f"{row.overlap:.2f}"),
    ("of those named", lambda row: _share(row.overlap_named)),
)


def render_films(evaluation: FilmEvaluation) -> str:
    """Format the figures as a Markdown table, ending in a newline."""
    cells = [[label for label, _ in COLUMNS], ["---"] * len(COLUMNS)]
    cells += [[figure(row) for _, figure in COLUMNS] for row in evaluation.rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _interval(every_seconds: float | None) -> str:
    return "auto" if every_seconds is None else f"{every_seconds:g} s"


def _share(overlap: float | None) -> str:
    return "-" if overlap is None else f"{overlap:.2f}"
