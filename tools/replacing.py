"""Writes the files a verb is asked for: whole, and never over a file of the user's own."""

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from function.sources.records import UnusableSourceError
from tools.ending import tidied_up

HEAD_BYTES = 1 << 12
"""What tells a file of ours stands in so many bytes of its beginning."""

READABLE = 0o644


def refuse_others(
    files: Iterable[Path], mark: bytes, known: Collection[bytes] = frozenset()
) -> None:
    """Check, before anything is written, that files are not there yet, or are of ours.

    Ours have `mark` near their beginning, or one of the `known` contents: an earlier version marked
    none.

    Raises:
        UnusableSourceError: one is somebody else's.
    """
    for file in files:
        if os.path.lexists(file) and not _is_ours(file, mark, known):
            raise UnusableSourceError(
                f"{file} is there already, and was not written by this command. Move it away, or "
                "name another place."
            )


def _is_ours(file: Path, mark: bytes, known: Collection[bytes]) -> bool:
    if not file.is_file():  # to open a pipe would wait for ever
        return False
    longest = max(map(len, known), default=0)
    with file.open("rb") as opened:
        content = opened.read(max(HEAD_BYTES, longest + 1))
    return mark in content[:HEAD_BYTES] or content in known


@contextmanager
def replaced(file: Path, mode: int = READABLE) -> Iterator[Path]:
    """Give a new file to write, which takes the place of another once it is whole.

    If it does not become whole, what is there stays as it is, and nothing lies beside it, also if
    the system ends this program. A link is replaced, never written through.
    """
    with tidied_up():
        yield from _replaced(file, mode)


def _replaced(file: Path, mode: int) -> Iterator[Path]:
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(descriptor)
    new = Path(name)
    try:
        yield new
        new.chmod(mode)
        new.replace(file)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def write_whole(file: Path, content: bytes, mode: int = READABLE) -> None:
    """Write a file whole, or leave what is there as it is; see `replaced`."""
    with replaced(file, mode) as new:
        new.write_bytes(content)
