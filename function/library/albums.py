"""Albums: folders of pictures, zip archives of them, and single pictures, each read as one item.

Pictures are read one at a time, each on its own, so that a bad one affects no other.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from db.names import show_text
from db.videos import AlbumPicture, Kind, Shown, Stamp, VideoFound, stamp_of
from function.errors import (
    OutsideMediaRootError,
    PhotoUnusableError,
    TimeLimitError,
    UnreadableVideoError,
    VideoNotFoundError,
)
from function.faces.found import PictureFound, Progress
from function.library.oshash import content_of, fingerprint, oshash_of
from function.media.files import MediaFile, open_any
from function.media.order import natural_key
from function.media.photo_kinds import ARCHIVE_SUFFIXES, PHOTO_SUFFIXES, is_still
from function.media.pictures import MOST_LEFT_OUT, MOST_PICTURES, Contents
from function.people.gathering import PeopleFound
from function.people.pictures import gather_pictures
from function.sandbox.readers import PictureReader

MOST_FACES, MOST_CROP_BYTES = 20_000, 200_000_000
"""How many faces of one album are kept while it is read, and how large their pictures are in all;
none of later pictures are. A face of the largest kind takes some 15 KB, most take less."""

MOST_LATE = 10
"""An album with this many pictures that take too long, a minute each, is given up."""

LONGEST_REASON = 500
"""Most letters of a reason why a picture cannot be used: thousands are kept, and a child gives
them."""

MOST_HASHED = 64
"""The content of this many pictures of a folder, spread over it, tells it from others."""

FILMS = frozenset((".gif", ".apng"))
"""A file of this kind is a film if it is named by itself and moves, and a picture in an album."""

NOTHING = PictureFound(1, 1, ())
"""What is found in a picture that cannot be read."""

Open: TypeAlias = Callable[[Path], AbstractContextManager[MediaFile]]
"""Opens a file, or raises OutsideMediaRootError: a link in a folder may lead anywhere."""


@dataclass(frozen=True, eq=False)
class AlbumFound:
    """Everyone in an album, its pictures in order, and who is where on them.

    After the pictures come the files that were left out.
    """

    people: PeopleFound
    pictures: tuple[AlbumPicture, ...]
    shown: tuple[Shown, ...]


def kind_of(path: bytes) -> Kind:
    """Say by its name whether a file that a user names is a video, or an album."""
    suffix = Path(os.fsdecode(path)).suffix.lower()
    is_picture = suffix in PHOTO_SUFFIXES and suffix not in FILMS
    return "album" if is_picture or suffix in ARCHIVE_SUFFIXES else "video"


def kind_at(path: bytes) -> Kind:
    """Say what is at a path: a folder that is scanned as such is an album, too.

    If the name could be that of a picture or of a film, the content decides.
    """
    if os.path.isdir(path):  # noqa: PTH112  # bytes
        return "album"
    kind = kind_of(path)
    is_either = Path(os.fsdecode(path)).suffix.lower() in FILMS
    return "album" if kind == "video" and is_either and _is_still_at(path) else kind


def is_archive(name: bytes) -> bool:
    """Say by its name whether a file is an archive of pictures."""
    return Path(os.fsdecode(name)).suffix.lower() in ARCHIVE_SUFFIXES


def is_picture(name: bytes) -> bool:
    """Say by its name whether a file in a folder is a picture of an album."""
    suffix = Path(os.fsdecode(name)).suffix.lower()
    return not name.startswith(b".") and suffix in PHOTO_SUFFIXES


def stamp_of_folder(folder: bytes) -> Stamp:
    """Return the size of all pictures in a folder, and when one of them, or the folder, changed.

    Raises:
        OSError: it cannot be listed.
    """
    files = list(_pictures_in(folder))
    changed = [os.stat(folder).st_mtime_ns, *(one.status.st_mtime_ns for one in files)]  # noqa: PTH116  # bytes
    return stamp_of(sum(one.status.st_size for one in files), max(changed))


def fingerprint_of(path: bytes) -> str:
    """Return the fingerprint of a file, or of a folder by the pictures in it: 16 digits.

    A folder's is made of the names and sizes of all its pictures and the contents of some.

    Raises:
        OSError: it cannot be read.
    """
    if not os.path.isdir(path):  # noqa: PTH112  # a path of bytes: its name may be no text
        return _fingerprint_at(path)
    files = list(_pictures_in(path))
    step = max(1, -(-len(files) // MOST_HASHED))
    made_of = hashlib.blake2b(digest_size=8)
    for number, one in enumerate(files):
        content = _fingerprint_at(os.path.join(path, one.name)) if number % step == 0 else ""  # noqa: PTH118  # bytes
        made_of.update(b"%s\0%d\0%s\0" % (one.name, one.status.st_size, content.encode()))
    return made_of.hexdigest()


def all_fingerprints_at(path: bytes) -> list[str]:
    """Return what the library may know a file or a folder by, the surest first.

    Raises:
        OSError: it cannot be read.
    """
    return [one for one in (small_content_at(path), fingerprint_of(path)) if one]


def small_content_at(path: bytes) -> str:
    """Return a fingerprint of all that a small file holds; "" of others, and of a folder.

    Raises:
        OSError: it cannot be read.
    """
    if os.path.isdir(path):  # noqa: PTH112  # bytes
        return ""
    with _opened(path) as descriptor:
        return content_of(descriptor)


def read_album(
    reader: PictureReader, path: Path, open_file: Open = open_any
) -> Generator[Progress | AlbumFound]:
    """Find who is on the pictures of an album: yields progress, and AlbumFound last.

    Progress counts pictures, not seconds. A picture that cannot be used is in the result with the
    reason.

    Raises:
        UnreadableVideoError, VideoOverLimitError: none of it can be used.
        VideoNotFoundError, OutsideMediaRootError: it is not there, or not to be read.
        EngineUnavailableError, StoppingError: as for `Reader.find_people`.
    """
    models = reader.ready().models
    listed = _list(reader, path, open_file)
    if not listed.pictures:
        raise UnreadableVideoError(f"{path.name} holds no picture that could be read.")
    found: list[PictureFound] = []
    pictures: list[AlbumPicture] = []
    faces = taken = late = 0
    for one in listed.pictures:
        yield Progress(float(len(found)), float(len(listed.pictures)), faces)
        seen, looked_at, is_late = _look(reader, path, one, open_file)
        taken += sum(len(face.crop) for face in seen.faces)
        if reason := _why_too_many(faces + len(seen.faces), taken):
            seen, looked_at = NOTHING, replace(looked_at, faces=0, reason=reason)
        found.append(seen)
        pictures.append(looked_at)
        faces, late = faces + len(seen.faces), late + is_late
        if late == MOST_LATE:
            raise UnreadableVideoError(f"{MOST_LATE} pictures of {path.name} took too long.")
    _require_one(pictures, path)
    gathered = gather_pictures(found, models)
    yield AlbumFound(gathered.found, (*pictures, *listed.left_out), gathered.shown)


def with_pictures(kept: VideoFound, album: AlbumFound | None) -> VideoFound:
    """Add to what is kept the pictures of an album, and where those who were kept are on them."""
    if album is None:
        return kept
    positions = {position for position, _ in kept.people}
    shown = tuple(one for one in album.shown if one.person in positions)
    return replace(kept, pictures=album.pictures, shown=shown)


def _why_too_many(faces: int, crop_bytes: int) -> str:
    """Say why no more faces of an album are kept; "" if they are."""
    if faces > MOST_FACES:
        return f"the album shows more than {MOST_FACES:,} faces"
    if crop_bytes > MOST_CROP_BYTES:
        return f"the faces of the album take more than {MOST_CROP_BYTES // 10**6} MB"
    return ""


@dataclass(frozen=True)
class _Listed:
    pictures: tuple[AlbumPicture, ...]
    left_out: tuple[AlbumPicture, ...]


@dataclass(frozen=True)
class _File:
    name: bytes
    status: os.stat_result


def _list(reader: PictureReader, path: Path, open_file: Open) -> _Listed:
    """List the pictures of an album: those of a folder, of an archive, or the one that it is."""
    if path.is_dir():
        return _list_folder([one.name for one in _pictures_in(os.fsencode(path))])
    if is_archive(os.fsencode(path)):
        with open_file(path) as media:
            return _listed(reader.list_archive(media))
    return _Listed((AlbumPicture(show_text(path.name)),), ())


def _list_folder(names: Sequence[bytes]) -> _Listed:
    pictures, left_out = [], []
    for name in names:
        try:
            pictures.append(AlbumPicture(name.decode()))
        except UnicodeDecodeError:
            shown = name.decode(errors="replace")
            left_out.append(AlbumPicture(shown, reason="its name is not UTF-8; rename it"))
    if (over := len(pictures) - MOST_PICTURES) > 0:
        why = f"more than {MOST_PICTURES:,} pictures"
        left_out.append(AlbumPicture(f"{over} more", reason=why))
    return _Listed(tuple(pictures[:MOST_PICTURES]), tuple(left_out[:MOST_LEFT_OUT]))


def _listed(contents: Contents) -> _Listed:
    left_out = [AlbumPicture(one.name, reason=one.reason) for one in contents.left_out]
    if contents.left_over:
        left_out.append(AlbumPicture(f"{contents.left_over} more", reason="left out"))
    return _Listed(
        tuple(
            AlbumPicture(one.name, place=one.place, content=one.content)
            for one in contents.pictures
        ),
        tuple(left_out),
    )


def _look(
    reader: PictureReader, album: Path, picture: AlbumPicture, open_file: Open
) -> tuple[PictureFound, AlbumPicture, bool]:
    """Find the faces in a picture, or note in it why not; say whether that took too long."""
    try:
        with open_file(file_of(album, picture)) as media:
            content = oshash_of(media.descriptor) if picture.place is None else picture.content
            seen = reader.find_in_picture(replace(media, name=picture.name), picture.place)
        return seen, replace(picture, faces=len(seen.faces), content=content), False
    except TimeLimitError as error:
        return NOTHING, replace(picture, reason=_cut(str(error))), True
    except OutsideMediaRootError:
        return NOTHING, replace(picture, reason="a link leads outside the media root"), False
    except (PhotoUnusableError, UnreadableVideoError, VideoNotFoundError) as error:
        reason = str(error).removeprefix(f"{picture.name}: ").rstrip(".")
        return NOTHING, replace(picture, reason=_cut(reason)), False


def _cut(reason: str) -> str:
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}…"


def file_of(album: Path, picture: AlbumPicture) -> Path:
    """Return the file that holds a picture of an album: its own, or the archive."""
    return album / picture.name if picture.place is None and album.is_dir() else album


def _require_one(pictures: Sequence[AlbumPicture], path: Path) -> None:
    if all(one.reason for one in pictures):
        name, reason = pictures[0].name, pictures[0].reason
        if len(pictures) == 1:
            raise UnreadableVideoError(f"{path.name}: It cannot be used ({reason}).")
        which = f"{path.name}: None of its {len(pictures)} pictures can be used"
        raise UnreadableVideoError(f"{which} ({name}: {reason}).")


def _pictures_in(folder: bytes) -> Iterator[_File]:
    """Yield the pictures in a folder, in the order in which people count."""
    with os.scandir(folder) as entries:
        found = [one for one in entries if is_picture(one.name)]
    for entry in sorted(found, key=lambda one: (natural_key(os.fsdecode(one.name)), one.name)):
        try:
            status = entry.stat()
        except OSError:
            continue  # a link that leads nowhere, or a file that went while we looked
        if stat.S_ISREG(status.st_mode):
            yield _File(entry.name, status)


def _is_still_at(path: bytes) -> bool:
    try:
        with _opened(path) as descriptor:
            return is_still(descriptor)
    except OSError:
        return False  # reading it will say why it cannot be read


def _fingerprint_at(path: bytes) -> str:
    with _opened(path) as descriptor:
        return fingerprint(descriptor, path)


@contextmanager
def _opened(path: bytes) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
