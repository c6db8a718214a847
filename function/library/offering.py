"""Queues the videos at some places that are to be scanned, and notes those that are gone."""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from db.ledgers import Ledger
from db.videos import Depth, Kind, VideoFile, VideoRecord
from function.library.albums import is_picture, kind_at
from function.library.finding import Found, find_albums, find_videos, is_at, is_below
from function.media.files import NOT_THERE

FEWEST_TO_DOUBT = 20
"""From this many videos on, nobody is likely to have deleted more than half at once."""

LOST = (
    "{missing} videos that were scanned there are missing; is its disk connected? They are not "
    "taken for gone. If you deleted them, say so: --gone"
)


SEEN_AT_ONCE = 500
"""After this many files that are offered, their number is reported."""


def find_at(
    ledger: Ledger,
    places: Sequence[Path],
    tell: Callable[[int], None] = lambda _: None,
    *,
    pictures: bool = False,
) -> Found:
    """Find the videos at some places, and albums if `pictures`; see `find_videos`.

    A file that was gone and is back as it was is known and not read. That is so where a container
    and its host, which see each file under another path, share a library.
    """
    gone = ledger.stamps(gone=True)
    found = find_videos(places, {**gone, **ledger.stamps()}, tell, pictures=pictures)
    new = {file.path for file in found.files}
    if back := [path for path in found.paths if path in gone and path not in new]:
        ledger.note_back(back)
    return found


def find_within(
    ledger: Ledger,
    places: Sequence[Path],
    roots: Sequence[Path],
    tell: Callable[[int], None] = lambda _: None,
    *,
    pictures: bool = False,
    again: bool = False,
) -> Found:
    """Find the videos at some places, and albums if `pictures`; see `find_at`.

    With `again`, albums that are known are found in any case. What a link leads to outside all
    `roots` is unreadable.
    """
    found = find_at(ledger, places, tell, pictures=pictures)
    if again:
        found = with_known_albums(ledger, found, places)
    outside = {path for path in found.paths if not is_below(os.path.realpath(path), roots)}
    return replace(
        found,
        files=tuple(file for file in found.files if file.path not in outside),
        paths=tuple(path for path in found.paths if path not in outside),
        unreadable=(*found.unreadable, *((path, "outside the media root") for path in outside)),
    )


def with_known_albums(ledger: Ledger, found: Found, places: Sequence[Path]) -> Found:
    """Add the albums at some places that are known, though no others were looked for."""
    there = set(found.paths)
    known = sorted(
        path
        for album in ledger.iterate()
        if album.kind == "album"
        for path in album.paths
        if path not in there and is_at(path, places) and _holds_something(path)
    )
    albums = find_albums(known, ledger.stamps())
    return replace(
        found,
        files=(*found.files, *albums.files),
        paths=(*found.paths, *albums.paths),
        unreadable=(*found.unreadable, *albums.unreadable),
    )


def queue_videos(
    ledger: Ledger, found: Found, depth: Depth, *, retry: bool = False, again: bool = False
) -> None:
    """Queue what is new or changed, or was scanned at a lesser depth, of what was found.

    With `retry`, videos are queued again that failed; with `again`, all that were scanned before.
    """
    offer_files(ledger, found.files, depth)
    videos = ledger.ids(found.paths)
    ledger.want(videos, depth)
    if retry:
        ledger.retry(videos)
    if again:
        ledger.want_again(videos, depth)


def offer_files(
    ledger: Ledger,
    files: Sequence[VideoFile],
    depth: Depth,
    tell: Callable[[int], object] = lambda _: None,
) -> None:
    """Queue files that are new or changed; one that failed by a wrong name is read by its new.

    A picture named as a video fails as one, and a video named as a picture likewise. Renamed, it is
    still the same content, but of the other kind. `tell` is called with how many more are noted,
    now and then.
    """
    kinds = {file.path: file.kind for file in files}
    for start in range(0, len(files), SEEN_AT_ONCE):
        some = files[start : start + SEEN_AT_ONCE]
        ledger.offer(some, depth)
        _turn_renamed(ledger, [file.path for file in some], kinds)
        tell(len(some))


def _turn_renamed(ledger: Ledger, paths: Sequence[bytes], kinds: Mapping[bytes, Kind]) -> None:
    for video in ledger.records(sorted(ledger.ids(paths))):
        others: dict[Kind, Kind] = {"video": "album", "album": "video"}
        other = others[video.kind]
        if video.scanned is None and other in {kinds.get(path) for path in video.paths}:
            there = [path for path in video.paths if os.path.exists(path)]  # noqa: PTH110  # bytes
            if all(kinds.get(path, kind_at(path)) == other for path in there):
                ledger.turn_into(video.id, other)


def note_missing(
    ledger: Ledger, found: Found, places: Sequence[Path], *, gone: bool = False
) -> Found:
    """Note the known files at some places that are no longer there, unless a disk may be missing.

    It may be if a folder that held some is empty, or if most of what was known at a place is
    missing. Then nothing there is noted, but the folder is unreadable in what is returned; `gone`
    says that the user deleted them. Files that were moved, to where they were `found`, are noted,
    wherever they were before.
    """
    missing = _missing(ledger, found, places)
    ledger.note_gone(_left_behind(ledger, found, places))
    if gone or not missing:
        ledger.note_gone(missing)
        return found
    moved = set(_moved(ledger, found, missing))
    left = [path for path in missing if path not in moved]
    lost = _find_lost(ledger, left, places)
    folders = [Path(os.fsdecode(folder)) for folder, _ in lost]
    ledger.note_gone([*moved, *(path for path in left if not is_below(path, folders))])
    told = tuple((folder, LOST.format(missing=count)) for folder, count in lost)
    return replace(found, unreadable=(*found.unreadable, *told))


def is_nowhere(place: Path) -> bool:
    """Say whether nothing is at a place, or where it leads; a disk that fails says nothing."""
    try:
        place.stat()
    except OSError as error:
        return error.errno in NOT_THERE
    return False


def is_lost(place: Path, roots: Sequence[Path]) -> bool:
    """Say whether a place below a root no longer exists, although the root does.

    A root that does not exist is a missing disk, and says nothing about what is on it.
    """
    above = [root for root in roots if is_below(os.fsencode(place), [root])]
    return place not in roots and is_nowhere(place) and not any(map(is_nowhere, above))


def lost_below(ledger: Ledger, places: Sequence[Path]) -> list[bytes]:
    """Return the known files that were at some places, and are not there.

    A place may be written as it is shown, so that one beside it may be meant as well.
    """
    return [path for path in ledger.stamps() if is_at(path, places) and not _holds_something(path)]


def _missing(ledger: Ledger, found: Found, places: Sequence[Path]) -> list[bytes]:
    there, looked_at = set(found.paths), frozenset(os.fsencode(place) for place in places)
    # What lies in a folder that cannot be read may still be there.
    unknown = [Path(os.fsdecode(path)) for path, _ in found.unreadable]
    return [
        path
        for path in ledger.stamps()
        if path not in there
        and any(_above(path, looked_at))
        and not is_below(path, unknown)
        # A scan of a folder leaves out what has a hidden name or no suffix, and maybe albums.
        and not _holds_something(path)
    ]


def _left_behind(ledger: Ledger, found: Found, places: Sequence[Path]) -> list[bytes]:
    """Return where files were that were moved to these places from elsewhere.

    A copy on a disk that is missing is noted as well: nothing is lost, as it is known again once a
    scan finds it.
    """
    there, looked_at = set(found.paths), frozenset(os.fsencode(place) for place in places)
    known = ledger.stamps()
    elsewhere = {path for path in known if path not in there and not any(_above(path, looked_at))}
    if not elsewhere:  # nearly always; the rest asks for each file
        return []
    same = {video for file in found.files for video in ledger.ids_of_content(file.oshash)}
    both = (same | ledger.ids(found.paths)) & ledger.ids(elsewhere)
    is_found = _looker(found)
    return [
        path
        for video in filter(is_found, ledger.records(sorted(both)))
        for path in elsewhere.intersection(video.paths)
        if not _holds_something(path)
    ]


def _looker(found: Found) -> Callable[[VideoRecord], bool]:
    """Make what says whether a video's content was found; another may lie at its path now."""
    contents = {(file.oshash, file.stamp.size_bytes) for file in found.files}
    as_known = set(found.paths).difference(file.path for file in found.files)
    return lambda video: (
        (video.oshash, video.size_bytes) in contents or not as_known.isdisjoint(video.paths)
    )


def _holds_something(path: bytes) -> bool:
    """Say whether a file is there, or a folder that holds pictures or cannot be read."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  # a path of bytes: its name may be no text
        return not stat.S_ISDIR(mode) or any(map(is_picture, os.listdir(path)))  # noqa: PTH208
    except OSError as error:  # a disk that fails says nothing about what is on it
        return error.errno not in NOT_THERE
    except ValueError:  # no file can have such a name
        return False


def _moved(ledger: Ledger, found: Found, missing: Sequence[bytes]) -> Iterator[bytes]:
    """Yield those whose content was found elsewhere."""
    is_found = _looker(found)
    for path in missing:
        if any(map(is_found, ledger.records(sorted(ledger.ids([path]))))):
            yield path


def _find_lost(
    ledger: Ledger, missing: Sequence[bytes], places: Sequence[Path]
) -> list[tuple[bytes, int]]:
    """Return the folders whose disk may be missing, each with how many videos are missing there."""
    lost = Counter(folder for path in missing if _is_empty(folder := _nearest_folder(path)))
    looked_at, gone = frozenset(os.fsencode(place) for place in places), frozenset(missing)
    before = Counter(place for path in ledger.stamps() for place in _above(path, looked_at))
    left = Counter(place for path in missing for place in _above(path, looked_at))
    for place, count in left.items():
        most = before[place] >= FEWEST_TO_DOUBT and count * 2 > before[place]
        # It may have gone while we looked, together with its folder, when most files were found.
        if most or (place not in gone and _is_empty(place)):
            lost[place] = count
    return sorted(lost.items())


def find_missing_disk(ledger: Ledger, path: bytes, places: Sequence[Path]) -> Path | None:
    """Say where a disk may be missing, if a file is not there that was found at some places.

    It may be if the place is not there or empty, or so is a folder that held many videos.
    """
    for place in (bytes(place) for place in places if bytes(place) != path):
        if is_below(path, [Path(os.fsdecode(place))]) and _is_empty(place):
            return Path(os.fsdecode(place))
    folder = _nearest_folder(path)
    if not _is_empty(folder):
        return None
    found = Path(os.fsdecode(folder))
    known = sum(is_below(one, [found]) for one in ledger.stamps())
    return found if known >= FEWEST_TO_DOUBT else None


def _nearest_folder(path: bytes) -> bytes:
    """Return the folder of a file, or if it is gone too, the nearest one above that is there."""
    folder = os.path.dirname(path)  # noqa: PTH120  # bytes, as above
    while not os.path.isdir(folder):  # noqa: PTH112
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder


def _is_empty(folder: bytes) -> bool:
    """Say whether nothing but hidden names is in a folder, as where a disk was unplugged."""
    try:
        return all(name.startswith(b".") for name in os.listdir(folder))  # noqa: PTH208
    except OSError:
        return True


def _above(path: bytes, places: frozenset[bytes]) -> Iterator[bytes]:
    """Yield those of some places, of which there may be thousands, that a path is, or is in."""
    above = b""
    while path != above:
        if path in places:
            yield path
        path, above = os.path.dirname(path), path  # noqa: PTH120  # bytes, as above
