"""A Stash export: a folder or zip with performers/*.json, each with its picture in base64."""

import functools
import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from db.names import show_text
from db.records import Identity, Performer
from function.media.photos import read_data_uri
from function.sources.records import (
    Photo,
    Refusal,
    Remark,
    SourceRecord,
    UnusableSourceError,
)
from function.sources.shapes import MOST_VALUES, count_values

MAX_ENTRY_BYTES = 96_000_000
"""A picture of 64 MB in base64, and the rest of the record."""

MAX_RATIO = 100
"""Zipping shrinks a JPEG in base64 by about a third; what shrinks a hundredfold is a bomb."""

SOURCE = "stash-export"


def read_export(path: Path) -> Iterator[SourceRecord | Refusal]:
    """Yield the performers of an export; nothing is unpacked to disk.

    Raises:
        UnusableSourceError: it is not an export, or the zip is damaged.
    """
    found = 0
    entries = _folder_entries(path) if path.is_dir() else _zip_entries(path)
    for place, content in entries:
        found += 1
        yield content if isinstance(content, Refusal) else _record(place, content)
    if not found:
        raise UnusableSourceError(
            f"{path} holds no performers/*.json. Make one in Stash: Settings, Tasks, Export."
        )


def _folder_entries(path: Path) -> Iterator[tuple[str, bytes | Refusal]]:
    root = path.resolve()
    for file in sorted(path.glob("**/performers/*.json")):
        place = show_text(str(file.relative_to(path)))
        if not file.resolve().is_relative_to(root):
            yield place, Refusal(file.stem, place, "leads outside the folder")
        elif file.exists() and not file.is_file():  # to open a pipe would wait for ever
            yield place, Refusal(file.stem, place, "not an ordinary file")
        elif _size_of(file) > MAX_ENTRY_BYTES:
            yield place, Refusal(file.stem, place, f"over {MAX_ENTRY_BYTES // 1_000_000} MB")
        else:
            yield place, _read_file(file, place)


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0  # reading it says why


def _read_file(file: Path, place: str) -> bytes | Refusal:
    try:
        return file.read_bytes()
    except OSError as error:
        return Refusal(show_text(file.stem), place, f"it cannot be read: {error.strerror}")


class _Performers(list[zipfile.ZipInfo]):
    """The performers among the files of a zip: others, which may be a million, take no memory."""

    def append(self, info: zipfile.ZipInfo, /) -> None:
        if _is_performer(info):
            super().append(info)


class _NoNames(dict[str, zipfile.ZipInfo]):
    """The files of a zip by name, of which nobody asks."""

    def __setitem__(self, name: str, info: zipfile.ZipInfo, /) -> None:
        pass


class _Export(zipfile.ZipFile):
    """A zip that lists its performers. Where Python calls this otherwise, it lists all."""

    def _RealGetContents(self) -> None:  # noqa: N802  # zipfile's name
        self.filelist, self.NameToInfo = _Performers(), _NoNames()
        super()._RealGetContents()  # type: ignore[misc]  # no part of its interface


def _is_performer(info: zipfile.ZipInfo) -> bool:
    place = PurePosixPath(info.filename)
    return place.suffix == ".json" and place.parent.name == "performers"


def _zip_entries(path: Path) -> Iterator[tuple[str, bytes | Refusal]]:
    try:
        with _Export(path) as archive:
            for entry in archive.infolist():
                if _is_performer(entry):
                    place = PurePosixPath(entry.filename)
                    yield entry.filename, _read_entry(archive, entry, place)
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnusableSourceError(f"{path} is neither a folder nor a zip ({reason}).") from error


def _read_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: PurePosixPath
) -> bytes | Refusal:
    complaint = _complaint_about(entry, place)
    content = b""
    if not complaint:
        try:
            with archive.open(entry) as file:
                # The size that a zip states may be false; this one is measured.
                content = file.read(MAX_ENTRY_BYTES + 1)
        except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            complaint = f"damaged: {error}"
    if len(content) > MAX_ENTRY_BYTES:
        complaint = f"over {MAX_ENTRY_BYTES // 1_000_000} MB"
    return Refusal(place.stem, entry.filename, complaint) if complaint else content


def _complaint_about(entry: zipfile.ZipInfo, place: PurePosixPath) -> str:
    if place.is_absolute() or ".." in place.parts:
        return "its path leads outside the zip"
    if entry.flag_bits & 1:
        return "encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "not zipped as Stash does it: unpack the zip, and import the folder"
    if entry.file_size > MAX_ENTRY_BYTES:
        return f"over {MAX_ENTRY_BYTES // 1_000_000} MB"
    if entry.file_size > MAX_RATIO * max(1, entry.compress_size):
        return f"unpacks to over {MAX_RATIO} times its size"
    return ""


def _record(place: str, content: bytes) -> SourceRecord | Refusal:
    if count_values(content) > MOST_VALUES:
        return Refusal(PurePosixPath(place).stem, place, f"over {MOST_VALUES:,} values")
    try:
        entry = json.loads(content)
        name = _text(entry["name"])
        disambiguation = str(entry.get("disambiguation") or "")
        performer = Performer(
            id=0,
            name=name,
            disambiguation=disambiguation,
            aliases=tuple(_texts(entry.get("aliases"))),
            urls=tuple(_texts(entry.get("urls") or entry.get("url"))),
            source=SOURCE,
            source_id=f"{name} ({disambiguation})" if disambiguation else name,
            identities=tuple(
                Identity(str(one["endpoint"]), str(one["stash_id"]))
                for one in entry.get("stash_ids") or ()
                if _is_stash_id(one)
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"not a Stash performer ({type(error).__name__}: {error})"
        return Refusal(PurePosixPath(place).stem, place, reason)
    image = entry.get("image")
    photos = [Photo(place, functools.partial(read_data_uri, str(image)))] if image else []
    odd = sum(not _is_stash_id(one) for one in entry.get("stash_ids") or ())
    remark = Remark(name, place, f"left out: {odd} stash ids without an endpoint or an id")
    return SourceRecord(
        performer,
        tuple(photos),
        updated_at=str(entry.get("updated_at") or ""),
        remarks=(remark,) if odd else (),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str | int):
        raise TypeError(f"the name is {value!r}")
    return str(value)


def _is_stash_id(value: Any) -> bool:
    return isinstance(value, dict) and bool(value.get("endpoint") and value.get("stash_id"))


def _texts(value: Any) -> list[str]:
    # Older exports wrote aliases as one text, separated by commas.
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return [str(one) for one in value or ()]
