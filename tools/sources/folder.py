"""A folder of photos: DIR/<Performer Name>/*.jpg, or DIR/<Performer Name>.jpg for a single one.

A `performer.json` next to the photos may hold name, disambiguation, aliases and urls.
"""

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from db.records import Performer
from function.media.photos import read_photo_file
from function.sources.records import Photo, SourceRecord, UnusableSourceError

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"}
DETAILS_FILE = "performer.json"


def read_folder(folder: Path) -> Iterator[SourceRecord]:
    """Yield the performers of a folder, ordered by name.

    Raises:
        UnusableSourceError: there is no such folder, it holds no photo, or a performer.json in it
            cannot be used.
    """
    if not folder.is_dir():
        raise UnusableSourceError(f"There is no folder {folder}.")
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    records = [record for entry in entries for record in _read_entry(entry)]
    if not records:
        raise UnusableSourceError(
            f"{folder} holds no photos. Put them in {folder.name}/<Performer Name>/*.jpg, "
            f"or one each in {folder.name}/<Performer Name>.jpg."
        )
    yield from records


def _read_entry(entry: Path) -> Iterator[SourceRecord]:
    if entry.is_dir():
        photos = sorted(path for path in entry.iterdir() if _is_photo(path))
        if photos:
            yield _record(entry.name, _read_details(entry / DETAILS_FILE), photos)
    elif _is_photo(entry):
        yield _record(entry.stem, {}, [entry])


def _is_photo(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.suffix.lower() in PHOTO_SUFFIXES and path.is_file() and not hidden


def photo_at(path: Path) -> Photo:
    """Describe a photo in a file, to be read when it is needed."""
    return Photo(str(path), functools.partial(read_photo_file, path))


def _record(folder_name: str, details: dict[str, Any], photos: list[Path]) -> SourceRecord:
    performer = Performer(
        id=0,
        name=details.get("name", folder_name),
        disambiguation=details.get("disambiguation", ""),
        aliases=tuple(details.get("aliases", [])),
        urls=tuple(details.get("urls", [])),
        source="folder",
        source_id=folder_name,
    )
    return SourceRecord(performer, tuple(photo_at(path) for path in photos))


def _read_details(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        details = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UnusableSourceError(f"{path} is not JSON ({error}). Fix it or remove it.") from error
    _check_details(path, details)
    return dict(details)


def _check_details(path: Path, details: Any) -> None:
    kinds = {"name": str, "disambiguation": str, "aliases": list, "urls": list}
    if not isinstance(details, dict):
        raise UnusableSourceError(f"{path} holds a {type(details).__name__}; it must be an object.")
    for key, value in details.items():
        kind = kinds.get(key)
        is_list_of_texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if kind is None:
            known = ", ".join(kinds)
            raise UnusableSourceError(f"{path} has the field {key!r}; it may have {known}.")
        if not (is_list_of_texts if kind is list else isinstance(value, str)):
            form = "a list of strings" if kind is list else "a string"
            raise UnusableSourceError(f"{path}: {key} is {value!r}; it must be {form}.")
