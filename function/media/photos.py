"""Reads a photo file, if its size is that of a photo."""

import base64
from pathlib import Path

MAX_PHOTO_BYTES = 64_000_000
"""Larger files are not read: no JPEG of a camera with 200 million pixels needs more."""


TOO_LARGE = f"too large: over {MAX_PHOTO_BYTES // 1_000_000} MB"


class PhotoRefusedError(Exception):
    """A photo cannot be enrolled; the message is the reason, in a few words."""


class PhotoNotFetchedError(PhotoRefusedError):
    """A photo did not arrive this time; another attempt may succeed."""


def read_photo_file(path: Path) -> bytes:
    """Read a photo from an ordinary file that is not too large for one.

    Raises:
        OSError: it cannot be read.
        PhotoRefusedError: it is a device or pipe, or too large.
    """
    if path.exists() and not path.is_file():
        raise PhotoRefusedError("unreadable: not an ordinary file")
    with path.open("rb") as file:
        content = file.read(MAX_PHOTO_BYTES + 1)
    if len(content) > MAX_PHOTO_BYTES:
        raise PhotoRefusedError(TOO_LARGE)
    return content


def read_data_uri(uri: str) -> bytes:
    """Decode the picture in a data: URI, or plain base64.

    Raises:
        PhotoRefusedError: it is not base64.
    """
    head, _, body = uri.rpartition(",")
    if head and not head.endswith(";base64"):
        raise PhotoRefusedError("unreadable: a data URI that is not base64")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:
        raise PhotoRefusedError("unreadable: not base64") from None
