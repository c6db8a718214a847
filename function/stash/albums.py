"""Says which album of the ledger shows an image or a gallery of Stash.

A gallery is a folder or an archive, which is an album. An image is one picture of such an album if
that was looked at, else an album of its own.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from db.ledgers import Ledger
from db.videos import Stamp, VideoFile, VideoRecord, stamp_of
from function.library.albums import kind_at, stamp_of_folder
from function.library.finding import read_file
from function.library.offering import offer_files
from function.media.photo_kinds import ARCHIVE_SUFFIXES
from function.stash.client import Stash
from function.stash.paths import Locate, is_windows

NOT_SEEN = -1


@dataclass(frozen=True)
class InAlbum:
    """An album of the ledger, and which of its pictures is meant, from 0; None for all of them.

    It is NOT_SEEN while that is not known, and if the picture was left out.
    """

    album: VideoRecord
    picture: int | None = None


def find_in_album(ledger: Ledger, path: str, locate: Locate) -> InAlbum | None:
    """Return what shows an image or a gallery, by its path as Stash sees it; None if nothing does.

    An image that was looked at for itself is shown as such; else as a picture of its folder or
    archive.
    """
    for holder, inside in (path, ""), *_holders(path):
        place = locate(holder)
        for record in ledger.records(sorted(ledger.ids([place]))) if place else ():
            if not inside:
                return InAlbum(record)
            names = [one.name for one in ledger.pictures([record.id])[record.id]]
            if record.kind == "album" and inside in names:
                return InAlbum(record, names.index(inside))
            if _is_archive(holder):
                return InAlbum(record, NOT_SEEN)
    return None


def album_place(path: str, locate: Locate) -> bytes | None:
    """Return where an image or a gallery lies here, or the archive that it is in; else None."""
    places = (path, *(holder for holder, _ in _holders(path) if _is_archive(holder)))
    return next((place for one in places if (place := locate(one))), None)


def album_stamp(place: bytes) -> Stamp:
    """Return the stamp of an album, which tells without reading it whether it is known.

    Raises:
        OSError: it is not there, or cannot be listed.
    """
    path = Path(os.fsdecode(place))
    if path.is_dir():
        return stamp_of_folder(place)
    status = path.stat()
    return stamp_of(status.st_size, status.st_mtime_ns)


def read_album_file(place: bytes) -> VideoFile:
    """Return an album as it is queued.

    Raises:
        OSError: it cannot be read.
    """
    return read_file(place, album_stamp(place), kind_at(place))


def album_paths(stash: Stash) -> Iterator[str]:
    """Yield the paths of all galleries of Stash, then of the images that are in none of them."""
    galleries = {one.path for one in stash.galleries() if one.path}
    yield from sorted(galleries)
    for image in stash.images():
        if image.path and not any(holder in galleries for holder, _ in _holders(image.path)):
            yield image.path


def paths_of_some(stash: Stash, images: Iterable[str], galleries: Iterable[str]) -> Iterator[str]:
    """Yield the paths of some galleries, by id, or of the images of those without; and of images.

    What is gone from Stash is left out.
    """
    for id_ in galleries:
        gallery = stash.gallery(id_)
        if gallery and gallery.path:
            yield gallery.path
        elif gallery:
            yield from (image.path for image in stash.images_in(id_) if image.path)
    for id_ in images:
        image = stash.image(id_)
        if image and image.path:
            yield image.path


def queue_album(ledger: Ledger, file: VideoFile) -> None:
    """Queue an album that is new or changed."""
    offer_files(ledger, [file], "deep" if file.kind == "album" else "normal")


def _holders(path: str) -> Iterator[tuple[str, str]]:
    """Yield the archive that an image is in, if it is in one, and its folder; with its name there.

    Of an image in an archive Stash says the path of the archive, and then that in it.
    """
    slash = "\\" if is_windows(path) else "/"
    names = path.split(slash)
    for end in range(len(names) - 1, 0, -1):
        holder = slash.join(names[:end])
        if end == len(names) - 1 or _is_archive(holder):
            yield holder, "/".join(names[end:])


def _is_archive(path: str) -> bool:
    """Say by a path of Stash's whether it is a zip; it may be one that no file here can have."""
    return path.lower().endswith(tuple(ARCHIVE_SUFFIXES))
