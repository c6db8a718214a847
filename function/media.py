"""The path of a request becomes a file inside the media root, or an error."""

from pathlib import Path

from function.errors import (
    BadParameterError,
    OutsideMediaRootError,
    UnreadableVideoError,
    VideoNotFoundError,
)


def resolve_video(asked: str, media_root: Path) -> Path:
    """Find the video that `asked` names: absolute inside the media root, or relative to it.

    Raises:
        BadParameterError: the path is empty or holds a NUL.
        OutsideMediaRootError: it leads out of the media root, also by `..` or a symbolic link.
        VideoNotFoundError: nothing is there.
        UnreadableVideoError: it is a folder, or no ordinary file.
    """
    if not asked.strip() or "\0" in asked:
        raise BadParameterError("path is empty or holds a NUL. Give the path of a video.")
    root = media_root.resolve()
    try:
        path = (root / asked).resolve()
        inside = path.is_relative_to(root)
        exists = inside and path.exists()
    except (OSError, RuntimeError, ValueError):
        raise VideoNotFoundError(f"There is no video {asked!r} in the media root.") from None
    if not inside:
        raise OutsideMediaRootError(
            "The path leads out of the media root. Give one inside it, or set MEDIA_ROOT."
        )
    if not exists:
        raise VideoNotFoundError(
            f"There is no video {asked!r} in the media root. Check the path; it may be relative "
            "to the media root, or absolute inside it."
        )
    if not path.is_file():
        found = "a folder" if path.is_dir() else "not an ordinary file"
        raise UnreadableVideoError(f"{asked!r} is {found}. Give the path of a video.")
    return path
