"""Finds the videos in folders, and what is new or changed among them."""

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from db.ledgers import Ledger
from db.names import show_text
from db.videos import Kind, Stamp, VideoFile, stamp_of
from function.library.albums import (
    all_fingerprints_at,
    fingerprint_of,
    is_archive,
    is_picture,
    kind_at,
    small_content_at,
    stamp_of_folder,
)
from function.media.formats import TEXT_HEAD_BYTES, TEXT_SUFFIXES, VIDEO_SUFFIXES, is_text
from function.media.spellings import as_written, spellings


@dataclass(frozen=True)
class Found:
    """What is in some folders: new or changed files, the paths of all, and what cannot be read.

    `unreadable` holds paths, each with the reason, and `texts` the paths of files that are named
    like videos but hold text, such as TypeScript in `.ts`.
    """

    files: tuple[VideoFile, ...]
    paths: tuple[bytes, ...]
    unreadable: tuple[tuple[bytes, str], ...]
    texts: tuple[bytes, ...] = ()

    @property
    def texts_told(self) -> str:
        """What to say about the texts, with one of them as an example; "" if there is none."""
        if not self.texts:
            return ""
        count, first = len(self.texts), text_of(self.texts[0])
        return f"Left out, as they are named like videos but hold text: {count}, such as {first}"


def find_videos(
    places: Sequence[Path],
    known: Mapping[bytes, Stamp],
    tell: Callable[[int], None] = lambda _: None,
    *,
    pictures: bool = False,
) -> Found:
    """Look for videos in folders and below, or at the paths of files.

    A file whose size and time are `known` is not read again. `tell` is called with the number of
    files found so far. Links are followed, each folder is looked into once, and hidden names are
    left out, as are links that lead nowhere, what is no ordinary file, and text that is not named.
    With `pictures`, albums are found too: archives, and folders in which pictures are. An archive
    or a single picture that is named is always found.
    """
    unreadable: list[tuple[bytes, str]] = []
    walked = _walk(places, unreadable, pictures=pictures)
    return _find(walked, known, unreadable, set(map(os.fsencode, places)), tell)


def find_albums(paths: Iterable[bytes], known: Mapping[bytes, Stamp]) -> Found:
    """Look at albums whose paths are known, as `find_videos` does; one that is gone is left out."""
    return _find(((path, "album") for path in paths), known, [], (), lambda _: None)


def _find(
    walked: Iterable[tuple[bytes, Kind]],
    known: Mapping[bytes, Stamp],
    unreadable: list[tuple[bytes, str]],
    asked: Collection[bytes],
    tell: Callable[[int], None],
) -> Found:
    files: list[VideoFile] = []
    paths: list[bytes] = []
    texts: list[bytes] = []
    for path, kind in walked:
        tell(len(paths) + 1)
        try:
            if path not in asked and not _is_there(path):
                continue
            is_new_video = kind == "video" and path not in asked and path not in known
            if is_new_video and _is_text(path):
                texts.append(path)
                continue
            file = _read(path, known, kind)
        except OSError as error:
            unreadable.append((path, error.strerror or str(error)))
            continue
        paths.append(path)
        if file:
            files.append(file)
    return Found(tuple(files), tuple(paths), tuple(unreadable), tuple(texts))


def is_below(path: bytes, places: Sequence[Path]) -> bool:
    """Say whether a path is one of some places, or in one of these folders."""
    return any(
        path == place or path.startswith(place.rstrip(b"/") + b"/")
        for place in map(os.fsencode, places)
    )


def is_truly_below(path: bytes, places: Sequence[Path]) -> bool:
    """Say whether a path is below some places, and no link leads out of them."""
    return is_below(path, places) and is_below(os.path.realpath(path), places)


def find_ids(ledger: Ledger, path: Path) -> frozenset[int]:
    """Return the ids of the videos that a user's path names, perhaps through links.

    They go by what they hold: what replaced a video is another one. What is no longer there is
    found by its last path, as that is printed.
    """
    path = as_written(path)
    places = {path.absolute(), path.resolve()}
    by_path = ledger.ids(map(bytes, places)) or _find_spelled(ledger, places)
    place = bytes(path.absolute())
    try:
        content = small_content_at(place)
        known = (ledger.ids_of_content(one, content) for one in all_fingerprints_at(place))
        by_content = next(filter(None, known), frozenset[int]())
    except (OSError, ValueError):  # nothing is there, or a pipe
        return by_path
    return by_path & by_content or by_content


def _find_spelled(ledger: Ledger, places: Collection[Path]) -> frozenset[int]:
    """Find videos by paths as they are shown, where that is not how they are on the disk."""
    if not any(map(_is_oddly_spelled, places)):
        return frozenset()
    wanted = {spellings(str(place))[0] for place in places}
    return frozenset(
        one.id
        for one in ledger.iterate()
        if any(wanted.intersection(spellings(os.fsdecode(path))) for path in one.known_paths)
    )


def is_at(path: bytes, places: Sequence[Path]) -> bool:
    """Say whether a path is in some places, which hold no links themselves, even through links.

    A place that is no longer there may be given as its path is shown.
    """
    return (
        is_below(path, places)
        or is_below(os.path.realpath(path), places)
        or any(_is_shown_below(path, place) for place in places if _is_oddly_spelled(place))
    )


def _is_oddly_spelled(place: Path) -> bool:
    return not str(place).isascii() or "\\" in str(place)


def _is_shown_below(path: bytes, place: Path) -> bool:
    wanted = spellings(str(place))[0]
    return any(
        shown == wanted or shown.startswith(f"{wanted.rstrip('/')}/")
        for shown in spellings(os.fsdecode(path))
    )


def text_of(path: bytes) -> str:
    r"""Write a path that may hold bytes which are no text, as `\xe9`; `open_media` reads that."""
    return show_text(os.fsdecode(path))


def _is_there(path: bytes) -> bool:
    """Say whether an ordinary file, or a folder, is there, perhaps by a link."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  # bytes, as below
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return False
        raise


def _is_text(path: bytes) -> bool:
    """Say whether a file holds text, by its beginning, if text files have such names too."""
    if not path.lower().endswith(TEXT_SUFFIXES):
        return False
    with open(path, "rb") as file:  # noqa: PTH123  # bytes, as above
        return is_text(file.read(TEXT_HEAD_BYTES))


def _read(path: bytes, known: Mapping[bytes, Stamp], kind: Kind) -> VideoFile | None:
    """Return a file to offer; None if it is known as it is."""
    found = os.stat(path)  # noqa: PTH116  # a path of bytes: its name may be no text
    is_folder = stat.S_ISDIR(found.st_mode)
    stamp = stamp_of_folder(path) if is_folder else stamp_of(found.st_size, found.st_mtime_ns)
    if known.get(path) == stamp:
        return None
    return read_file(path, stamp, kind)


def read_file(path: bytes, stamp: Stamp, kind: Kind) -> VideoFile:
    """Read what a file or a folder is known by, to be offered to a ledger.

    Raises:
        OSError: it cannot be read.
    """
    real = os.path.realpath(path)
    real_path = b"" if real == path else real
    content = small_content_at(path)
    return VideoFile(path, stamp, fingerprint_of(path), real_path, kind, content)


def _walk(
    places: Sequence[Path], unreadable: list[tuple[bytes, str]], *, pictures: bool
) -> Iterator[tuple[bytes, Kind]]:
    """Yield the paths of videos and albums, folder by folder in order of name, each once."""

    def note(error: OSError) -> None:
        unreadable.append((os.fsencode(error.filename), error.strerror or str(error)))

    seen: set[tuple[int, int]] = set()
    waiting = [os.fsencode(place) for place in places]
    for place in waiting:
        if not os.path.isdir(place):  # noqa: PTH112  # bytes, as above
            yield place, kind_at(place)
            continue
        for folder, below, names in os.walk(place, onerror=note):
            try:
                status = os.stat(folder)  # noqa: PTH116  # bytes, as above
            except OSError as error:  # it went while we looked
                note(error)
                below.clear()
                continue
            if (status.st_dev, status.st_ino) in seen:
                below.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            below[:] = sorted(name for name in below if not name.startswith(b"."))
            # A folder goes by its own name, so where links lead comes after all that is no link.
            paths = (os.path.join(folder, name) for name in below)  # noqa: PTH118
            waiting += filter(os.path.islink, paths)
            yield from _in_folder(folder, sorted(names), pictures=pictures)


def _in_folder(
    folder: bytes, names: Sequence[bytes], *, pictures: bool
) -> Iterator[tuple[bytes, Kind]]:
    if pictures and any(map(is_picture, names)):
        yield folder, "album"
    for name in names:
        path = os.path.join(folder, name)  # noqa: PTH118  # bytes, as above
        if _is_video(name):
            yield path, "video"
        elif pictures and is_archive(name) and not name.startswith(b"."):
            yield path, "album"


def _is_video(name: bytes) -> bool:
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  # bytes, as above
    return not name.startswith(b".") and os.fsdecode(suffix) in VIDEO_SUFFIXES
