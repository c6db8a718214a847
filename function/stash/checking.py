"""Checks a connection by real files: what Stash sees of one, and what we see of it."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from db.counted import counted
from db.ledgers import Ledger
from db.names import show_text
from function.errors import RecognitionError
from function.library.finding import is_below, text_of
from function.library.oshash import is_oshash_of
from function.media.files import open_within
from function.settings import Settings
from function.sources.records import UnusableSourceError
from function.stash.client import Stash
from function.stash.connection import Connection, keep_path_map
from function.stash.paths import beginning_of, locator, names_in, pair_of, places_with_tail
from function.stash.records import File, Scene, SceneFilter

SEARCH_SECONDS = 3.0
"""How long the media root is searched for a file by its name: whoever asks waits for it."""

MOST_LIBRARIES = 5
"""Of so many of Stash's folders a file is looked at."""


@dataclass(frozen=True)
class Line:
    """One thing that was checked: whether it is well, and what was seen, with what to do if not."""

    ok: bool
    text: str


def check(
    settings: Settings, connection: Connection, ledger: Ledger | None = None, scene: str = ""
) -> tuple[Line, ...]:
    """Check that Stash answers, and that its files are found here; keep what is learnt of paths.

    A file of `scene` is looked at, or one of each of Stash's folders.
    """
    stash = connection.open(is_awaited=True)
    try:
        lines = [_greeting(stash)]
        examples = list(_examples(stash, scene))
    except UnusableSourceError as error:
        return (Line(ok=False, text=str(error)),)
    if not examples:
        lines.append(Line(ok=False, text="Stash has no scene with a file. Let it scan a folder."))
    for file in examples:
        line, pair = _look(file, settings, connection, ledger)
        lines.append(line)
        if pair and pair not in connection.path_map:
            keep_path_map(settings, [pair])
            connection = replace(connection, path_map=(*connection.path_map, pair))
    return tuple(lines)


def _greeting(stash: Stash) -> Line:
    totals = stash.totals()
    text = (
        f"Stash {stash.version()} at {stash.shown_url} answers: "
        f"{counted(totals.scenes, 'scene')}, {counted(totals.performers, 'performer')}."
    )
    return Line(ok=True, text=text)


def _examples(stash: Stash, scene: str) -> Iterator[File]:
    if scene:
        found = stash.scene(scene)
        if found is None:
            raise UnusableSourceError(f"Stash has no scene {scene}.")
        yield from found.files[:1]
        return
    folders = stash.libraries()[:MOST_LIBRARIES]
    for folder in folders or ("",):
        one = next(_with_files(stash, folder), None)
        if one:
            yield one.files[0]


def _with_files(stash: Stash, folder: str) -> Iterator[Scene]:
    return (one for one in stash.scenes(SceneFilter(path=folder)) if one.files)


def _look(
    file: File, settings: Settings, connection: Connection, ledger: Ledger | None
) -> tuple[Line, tuple[str, str] | None]:
    """Look for a file here: where it should be, then where it may be; say what was seen."""
    theirs = f"Stash sees {show_text(file.path)} ({file.size_bytes} bytes)"
    if not names_in(file.path):
        return Line(
            ok=False, text=f"{theirs}, which is no path of a file. Let Stash scan it."
        ), None
    path = locator(settings, connection)(file.path)
    if path is not None and _is_same(Path(os.fsdecode(path)), file, settings.media_root):
        return Line(ok=True, text=f"{theirs}; here it is {text_of(path)}, the same file."), None
    roots = [root.resolve() for root in settings.media_root]
    places = (one for one in _candidates(file, roots, ledger) if is_below(os.fsencode(one), roots))
    found = next((one for one in places if _is_same(one, file, roots)), None)
    if found is not None:
        pair = pair_of(file.path, found, [pair[0] for pair in connection.path_map])
        text = f"{theirs}; here it is {found}. From now on {pair[0]} of Stash is {pair[1]} here."
        return Line(ok=True, text=text), pair
    if path is not None:
        text = f"{theirs}; here {text_of(path)} is another file. Check MEDIA_ROOT and PATH_MAP."
    else:
        shown = ", ".join(map(str, settings.media_root))
        text = (
            f"{theirs}; it is not in the media root here ({shown}). Give both the same folder, or "
            f"set MEDIA_ROOT to where it is, or PATH_MAP={beginning_of(file.path)}=/your/folder."
        )
    return Line(ok=False, text=text), None


def _candidates(file: File, roots: Sequence[Path], ledger: Ledger | None) -> Iterator[Path]:
    yield from places_with_tail(file.path, roots)
    if ledger is not None and file.oshash:
        for video in ledger.records(sorted(ledger.ids_of_content(file.oshash))):
            yield from (Path(os.fsdecode(path)) for path in video.paths)
    yield from _by_name(names_in(file.path)[-1], roots)


def _by_name(name: str, roots: Sequence[Path]) -> Iterator[Path]:
    until = time.monotonic() + SEARCH_SECONDS
    for root in roots:
        for folder, _, files in os.walk(root):
            if time.monotonic() > until:
                return
            if name in files:
                yield Path(folder, name)


def _is_same(path: Path, file: File, roots: Sequence[Path]) -> bool:
    """Say whether a file here is the one that Stash sees: by size, and by fingerprint if known."""
    try:
        with open_within(path, roots) as media:
            if os.fstat(media.descriptor).st_size != file.size_bytes:
                return False
            return not file.oshash or is_oshash_of(file.oshash, media.descriptor)
    except (OSError, RecognitionError):
        return False
