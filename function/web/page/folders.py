"""Lists the media root, one folder at a time, for choosing a video or a picture."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict

from flask import Request, Response

from db.names import quote, show_text
from function.errors import OutsideMediaRootError, UnreadableVideoError, VideoNotFoundError
from function.media.files import open_beneath
from function.media.formats import VIDEO_SUFFIXES
from function.media.order import natural_key
from function.media.photo_kinds import PHOTO_SUFFIXES
from function.media.spellings import as_written
from function.web.queries import read_path
from function.web.responses import json_response
from function.web.service import Service

MOST_ENTRIES = 2000
"""A longer folder is cut off, and says so: nobody scrolls further, and the page stays fast."""


EntryKind: TypeAlias = Literal["folder", "video", "picture"]


class FileEntry(TypedDict):
    """A video or picture to choose: `path` is relative to the media root."""

    name: str
    path: str
    bytes: int


class FolderEntry(TypedDict):
    """A folder to open: `path` is relative to the media root."""

    name: str
    path: str


class FolderReply(TypedDict):
    """What is in one folder; `crumbs` lead to it from the top, `left_out` counts those cut off."""

    folder: str
    crumbs: list[FolderEntry]
    folders: list[FolderEntry]
    videos: list[FileEntry]
    pictures: list[FileEntry]
    left_out: int


@dataclass(frozen=True)
class _Place:
    """A folder, the media root it is in, and whether there are several roots."""

    folder: Path
    root: Path
    is_only_root: bool

    def name_path(self, path: Path) -> str:
        """Write a path as the page asks for it: relative if there is one root, else absolute."""
        if not self.is_only_root:
            return show_text(path.as_posix())
        return "" if path == self.root else show_text(path.relative_to(self.root).as_posix())


@dataclass(frozen=True)
class _Entry:
    """A name in a folder, what it is by its name, and how many bytes it has."""

    name: str
    kind: EntryKind
    bytes: int


def answer_folder(service: Service, request: Request) -> Response:
    """Answer `GET /videos?folder=...` with what is in that folder."""
    asked = read_path(request, "folder") or ""
    return json_response(list_folder(asked, service.settings.media_root))


def list_folder(asked: str, media_roots: Sequence[Path]) -> FolderReply:
    """List the folders, videos and pictures of one folder, never anything outside the media roots.

    With several roots, the top ("") lists the roots. Hidden entries and links that lead outside the
    root are left out. Names that are not UTF-8 are shown with escapes, and found by them.

    Raises:
        OutsideMediaRootError: the folder is outside.
        VideoNotFoundError: there is no such folder, or it may not be read.
    """
    roots = [root.resolve() for root in media_roots]
    if not asked and len(roots) > 1:
        folders = [_entry_of(root.name, root.as_posix()) for root in roots]
        return FolderReply(
            folder="", crumbs=[_TOP], folders=folders, videos=[], pictures=[], left_out=0
        )
    place = _resolve_folder(asked, roots)
    try:
        with open_beneath(place.root, place.folder.relative_to(place.root)) as folder:
            entries = sorted(_entries(place, folder), key=_in_order)
    except (OSError, UnreadableVideoError):
        raise VideoNotFoundError(
            f"The folder {quote(asked)} cannot be read. Check who owns it."
        ) from None
    shown = entries[:MOST_ENTRIES]
    return FolderReply(
        folder=place.name_path(place.folder),
        crumbs=_crumbs(place),
        folders=[_folder(entry, place) for entry in shown if entry.kind == "folder"],
        videos=[_file(entry, place) for entry in shown if entry.kind == "video"],
        pictures=[_file(entry, place) for entry in shown if entry.kind == "picture"],
        left_out=len(entries) - len(shown),
    )


def _in_order(entry: _Entry) -> tuple[object, str]:
    return natural_key(entry.name), entry.name


_TOP = FolderEntry(name="Media folder", path="")


def _crumbs(place: _Place) -> list[FolderEntry]:
    within = place.folder.relative_to(place.root)
    steps = [place.root / part for part in [*reversed(within.parents), within]]
    wanted = [step for step in dict.fromkeys(steps) if step != place.root or not place.is_only_root]
    return [
        _TOP,
        *(_entry_of(step.name, place.name_path(step)) for step in wanted),
    ]


def _resolve_folder(asked: str, roots: Sequence[Path]) -> _Place:
    is_inside = False
    for root in roots:
        try:
            folder = as_written(root / asked).resolve()
            inside, exists = folder.is_relative_to(root), folder.is_dir()
        except (OSError, RuntimeError, ValueError):
            inside, exists = True, False
        if inside and exists:
            return _Place(folder, root, is_only_root=len(roots) == 1)
        is_inside |= inside
    if not is_inside:
        raise OutsideMediaRootError("The folder is outside the media root. Choose one inside it.")
    raise VideoNotFoundError(
        f"There is no folder {quote(asked)} in the media root. Go back to the top."
    )


def _entries(place: _Place, folder: int) -> Iterator[_Entry]:
    """Yield what is in a folder, given also as a descriptor, which nobody can swap meanwhile."""
    with os.scandir(folder) as found:
        for entry in found:
            if entry.name.startswith("."):
                continue
            try:
                status = _status(entry, place)
            except (OSError, RuntimeError, ValueError, VideoNotFoundError, UnreadableVideoError):
                continue  # it vanished, or its link leads outside
            kind = _kind_of(entry.name)
            if stat.S_ISDIR(status.st_mode):
                yield _Entry(entry.name, "folder", status.st_size)
            elif kind and stat.S_ISREG(status.st_mode):
                yield _Entry(entry.name, kind, status.st_size)


def _kind_of(name: str) -> EntryKind | None:
    suffix = Path(name).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return "video"
    return "picture" if suffix in PHOTO_SUFFIXES else None


def _status(entry: "os.DirEntry[str]", place: _Place) -> os.stat_result:
    """Say what an entry is, or what its link leads to, if that is inside the root.

    Raises:
        ValueError: it leads outside.
        OSError, RuntimeError, VideoNotFoundError, UnreadableVideoError: it leads nowhere.
    """
    if not entry.is_symlink():
        return entry.stat(follow_symlinks=False)
    target = (place.folder / entry.name).resolve()
    with open_beneath(place.root, target.relative_to(place.root)) as descriptor:
        return os.fstat(descriptor)


def _folder(entry: _Entry, place: _Place) -> FolderEntry:
    return _entry_of(entry.name, place.name_path(place.folder / entry.name))


def _entry_of(name: str, path: str) -> FolderEntry:
    return FolderEntry(name=show_text(name), path=show_text(path))


def _file(entry: _Entry, place: _Place) -> FileEntry:
    path = place.name_path(place.folder / entry.name)
    return FileEntry(name=show_text(entry.name), path=path, bytes=entry.bytes)
