"""Reads pictures out of a zip archive, one at a time and only in memory: nothing is unpacked.

An archive may come from anywhere, so the process that decodes pictures reads it, too.
"""

import codecs
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from function.errors import UnreadableVideoError, VideoOverLimitError
from function.media.descriptors import DescriptorFile
from function.media.order import natural_key
from function.media.photo_kinds import ARCHIVE_SUFFIXES, PHOTO_SUFFIXES
from function.media.photos import MAX_PHOTO_BYTES, TOO_LARGE, PhotoRefusedError
from function.media.pictures import LONGEST_NAME, MOST_LEFT_OUT, MOST_PICTURES, Contents, Entry

MOST_FILES = 100_000
"""An archive with more is refused: its list takes half a second, and a hundred megabytes."""

LONGEST_LIST_BYTES = 32_000_000
"""So is one whose list is longer: it is read in one piece. Of each file it holds some 100 bytes."""

_ARCHIVES = ARCHIVE_SUFFIXES | {".rar", ".cbr", ".7z", ".cb7", ".tar", ".gz"}
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError)
"""What reading a damaged archive raises; bz2 raises OSError and ValueError."""

codecs.lookup("cp437")  # the usual encoding of names, loaded now: later no file is opened


def list_archive(descriptor: int, name: str) -> Contents:
    """List the pictures in a zip archive that is an open descriptor; messages call it `name`.

    Folders and hidden files are passed over. Files that are not pictures, other archives, encrypted
    and huge files are listed with the reason why they are left out.

    Raises:
        UnreadableVideoError: it is no zip archive, or a damaged one.
        VideoOverLimitError: it holds too many files.
    """
    with _opened(descriptor, name) as archive:
        entries = [
            Entry(place, _shown(one.filename), _refuse(one), f"{one.CRC:08x}")
            for place, one in enumerate(archive.infolist())
            if not one.filename.endswith("/") and not _is_hidden(one.filename)
        ]
    entries.sort(key=lambda entry: (natural_key(entry.name), entry.place))
    pictures = [entry for entry in entries if not entry.reason]
    left_out = [entry for entry in entries if entry.reason]
    left_out += [
        Entry(entry.place, entry.name, f"more than {MOST_PICTURES:,} pictures")
        for entry in pictures[MOST_PICTURES:]
    ]
    listed = tuple(left_out[:MOST_LEFT_OUT])
    return Contents(tuple(pictures[:MOST_PICTURES]), listed, len(left_out) - len(listed))


def read_entry(descriptor: int, place: int, stamp: str = "") -> bytes:
    """Read a file of a zip archive that is an open descriptor, by its place in its list.

    The list is kept for the next picture of the archive, which has the same `stamp`.

    Raises:
        PhotoRefusedError: it is damaged, encrypted, or larger than a photo, whatever it says.
    """
    try:
        with _opened(descriptor, "the archive", stamp) as archive:
            infos = archive.infolist()
            if not 0 <= place < len(infos):
                raise PhotoRefusedError("unreadable: it is no longer in the archive")
            with archive.open(infos[place]) as file:
                content = file.read(MAX_PHOTO_BYTES + 1)
    except (UnreadableVideoError, VideoOverLimitError) as error:
        raise PhotoRefusedError(f"unreadable: {error}") from error
    except (*_DAMAGE, NotImplementedError, RuntimeError) as error:
        raise PhotoRefusedError(f"unreadable: {str(error) or type(error).__name__}") from error
    if len(content) > MAX_PHOTO_BYTES:
        raise PhotoRefusedError(TOO_LARGE)
    return content


def forget_list() -> None:
    """Free the memory of the list that is kept."""
    _last.keep("", [])


class _LastList:
    """The list of one archive: an album is read picture by picture, each on its own."""

    def __init__(self) -> None:
        self._kept: tuple[str, list[zipfile.ZipInfo]] = ("", [])

    def of(self, stamp: str) -> list[zipfile.ZipInfo] | None:
        """Return the list of the archive with this stamp, if it is the one that is kept."""
        kept, files = self._kept
        return files if stamp and stamp == kept else None

    def keep(self, stamp: str, files: list[zipfile.ZipInfo]) -> None:
        """Keep a list instead of the one before."""
        self._kept = stamp, files


_last = _LastList()


class _Reader(io.BufferedReader):
    """Reads an archive; what would be a longer list than any is not read at all.

    While `reads_list` is unset, as for a picture, it reads as much as it is asked for.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        super().__init__(DescriptorFile(descriptor))
        self.reads_list = False
        self._called = name

    def read(self, size: int | None = -1, /) -> bytes:
        if self.reads_list and size is not None and size > LONGEST_LIST_BYTES:
            raise VideoOverLimitError(
                f"{self._called} has a list of its files of {size // 1_000_000} MB, more than "
                f"{LONGEST_LIST_BYTES // 1_000_000} MB. Unpack it, and scan the folder."
            )
        return super().read(size)


class _ShortList(list[zipfile.ZipInfo]):
    """The files of an archive; Python takes 12 times the memory that a list of any length takes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._called = name

    def append(self, info: zipfile.ZipInfo, /) -> None:
        if len(self) >= MOST_FILES:
            raise VideoOverLimitError(
                f"{self._called} holds more than {MOST_FILES:,} files. Unpack it, and scan the "
                "folder."
            )
        super().append(info)


class _Archive(zipfile.ZipFile):
    """An archive whose list may be known. Where Python calls this otherwise, it is read again."""

    def __init__(self, file: _Reader, name: str, known: list[zipfile.ZipInfo] | None) -> None:
        self._file = file
        self._called = name
        self._known = known
        super().__init__(file)

    def _RealGetContents(self) -> None:  # noqa: N802  # zipfile's name
        if self._known is None:
            self.filelist = _ShortList(self._called)
            self._file.reads_list = True
            super()._RealGetContents()  # type: ignore[misc]  # no part of its interface
            self._file.reads_list = False
        else:
            self.filelist = self._known


@contextmanager
def _opened(descriptor: int, name: str, stamp: str = "") -> Iterator[zipfile.ZipFile]:
    with _Reader(descriptor, name) as file:
        try:
            archive = _Archive(file, name, _last.of(stamp))
        except (*_DAMAGE, NotImplementedError) as error:
            what = str(error) or type(error).__name__
            raise UnreadableVideoError(
                f"{name} cannot be read as a zip archive ({what}). Pack it again."
            ) from error
        with archive:
            if stamp:
                _last.keep(stamp, archive.filelist)
            yield archive


def _refuse(info: zipfile.ZipInfo) -> str:
    """Say why a file of an archive is left out; "" if it may be a picture."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        return "its name leads out of the archive"
    suffix = path.suffix.lower()
    if suffix in _ARCHIVES:
        return "an archive within an archive"
    if suffix not in PHOTO_SUFFIXES:
        return "not a picture"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    return TOO_LARGE if info.file_size > MAX_PHOTO_BYTES else ""


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith(".") and part != ".." for part in parts) or "__MACOSX" in parts


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[-LONGEST_NAME:]
