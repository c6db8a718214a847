"""Files of Stash: which videos of the ledger hold what they hold."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from db.ledgers import Ledger
from db.videos import VideoRecord
from function.library.albums import small_content_at
from function.library.oshash import SMALL_BYTES
from function.stash.paths import Locate
from function.stash.records import File


class Known(NamedTuple):
    """What tells whether a video of the ledger is in a file; see `VideoRecord`."""

    id: int
    size_bytes: int
    content: str


def known_of(video: VideoRecord) -> Known:
    """Return what tells by which files a video is held."""
    return Known(video.id, video.size_bytes, video.content)


def find_in_file(
    file: File,
    by_fingerprint: Callable[[str], Sequence[Known]],
    by_path: Callable[[bytes], Sequence[Known]],
    locate: Locate,
) -> list[int]:
    """Return the ids of the videos that a file of Stash's holds, by its fingerprint.

    Small files may share a fingerprint and hold different things, so where they lie counts first,
    and a video that is known to hold something else is none of theirs. Of one that is not here
    nobody can tell.
    """
    same = by_fingerprint(file.oshash) if file.oshash else ()
    sizes = (file.size_bytes, *(one.size_bytes for one in same))
    if not any(0 < size <= SMALL_BYTES for size in sizes):
        return [one.id for one in same]
    place, content = locate(file.path), ""
    with suppress(OSError):
        content = small_content_at(place) if place else ""
    alike = (*(by_fingerprint(content) if content else ()), *same)
    found = [
        list(dict.fromkeys(one.id for one in some if one.content in ("", content)))
        for some in (by_path(place) if place else (), alike)
    ]
    return found[0] or found[1]


def find_in_ledger(file: File, ledger: Ledger, locate: Locate) -> list[int]:
    """Return the ids of the videos of a ledger that a file of Stash's holds; see `find_in_file`."""

    def known(ids: frozenset[int]) -> list[Known]:
        return [known_of(one) for one in ledger.records(sorted(ids))]

    return find_in_file(
        file,
        lambda oshash: known(ledger.ids_of_content(oshash)),
        lambda path: known(ledger.ids([path])),
        locate,
    )
