"""The media root becomes a list to choose a video from, one folder at a time."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

from flask import Request, Response

from function.errors import OutsideMediaRootError, VideoNotFoundError
from function.responses import json_response
from function.service import Service

VIDEO_SUFFIXES = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".mpg", ".mpeg"),
        *(".ts", ".m2ts", ".mts", ".vob", ".ogv", ".3gp", ".divx"),
    )
)
"""What the page offers; a video of another name can still be typed."""

MOST_ENTRIES = 2000
"""A longer folder is cut off, and says so: nobody scrolls further, and the browser stays quick."""


class VideoEntry(TypedDict):
    """A video to choose: `path` is relative to the media root."""

    name: str
    path: str
    bytes: int


class FolderEntry(TypedDict):
    """A folder to open: `path` is relative to the media root."""

    name: str
    path: str


class FolderReply(TypedDict):
    """What is in one folder; `parent` is None at the media root, `left_out` counts the rest."""

    folder: str
    parent: str | None
    folders: list[FolderEntry]
    videos: list[VideoEntry]
    left_out: int


def answer_folder(service: Service, request: Request) -> Response:
    """Answer `GET /videos?folder=...` with what is in that folder."""
    asked = request.args.get("folder", "")
    return json_response(list_folder(asked, service.settings.media_root))


def list_folder(asked: str, media_root: Path) -> FolderReply:
    """List the folders and videos of one folder, never what lies outside the media root.

    Hidden entries, and links that lead out of the root, are not there; neither are names that are
    not UTF-8, which no browser could send back.

    Raises:
        OutsideMediaRootError: the folder lies outside.
        VideoNotFoundError: there is no such folder, or it may not be read.
    """
    root = media_root.resolve()
    folder = _resolve_folder(asked, root)
    try:
        entries = sorted(_entries(folder, root), key=lambda entry: entry.name.casefold())
    except OSError:
        raise VideoNotFoundError(
            f"The folder {asked!r} cannot be read. Check who owns it."
        ) from None
    shown = entries[:MOST_ENTRIES]
    return FolderReply(
        folder=_relative(folder, root),
        parent=None if folder == root else _relative(folder.parent, root),
        folders=[_folder(entry, root) for entry in shown if entry.is_dir()],
        videos=[_video(entry, root) for entry in shown if not entry.is_dir()],
        left_out=len(entries) - len(shown),
    )


def _resolve_folder(asked: str, root: Path) -> Path:
    try:
        folder = (root / asked).resolve()
        inside, exists = folder.is_relative_to(root), folder.is_dir()
    except (OSError, RuntimeError, ValueError):
        inside, exists = True, False
    if not inside:
        raise OutsideMediaRootError("The folder leads out of the media root. Choose one inside it.")
    if not exists:
        raise VideoNotFoundError(
            f"There is no folder {asked!r} in the media root. Go back to the top."
        )
    return folder


def _entries(folder: Path, root: Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not _is_utf8(entry.name):
                continue
            if entry.is_symlink() and not _leads_inside(Path(entry.path), root):
                continue
            is_video = Path(entry.name).suffix.lower() in VIDEO_SUFFIXES
            if entry.is_dir() or (is_video and entry.is_file()):
                yield entry


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _relative(path: Path, root: Path) -> str:
    relative = path.relative_to(root).as_posix()
    return "" if relative == "." else relative


def _folder(entry: "os.DirEntry[str]", root: Path) -> FolderEntry:
    return FolderEntry(name=entry.name, path=_relative(Path(entry.path), root))


def _video(entry: "os.DirEntry[str]", root: Path) -> VideoEntry:
    size = entry.stat().st_size
    return VideoEntry(name=entry.name, path=_relative(Path(entry.path), root), bytes=size)
