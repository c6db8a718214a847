"""A folder of photos: DIR/<Performer Name>/*.jpg, or DIR/<Performer Name>.jpg for a single one.

A `performer.json` next to the photos may hold name, disambiguation, aliases and urls. Folders in a
performer's folder hold more of their photos: DIR/<Performer Name>/2020/*.jpg. A folder named by a
letter, or by two like A-F, holds performers instead.
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from db.names import show_text, tidy_name
from db.records import Performer
from function.media.photo_kinds import is_photo
from function.media.photos import read_photo_file
from function.sources.records import (
    Photo,
    Refusal,
    Remark,
    SourceRecord,
    UnusableSourceError,
)

DETAILS_FILE = "performer.json"

LARGEST_DETAILS_BYTES = 1_000_000
"""Names and addresses of one performer; a file with holes may seem larger than any memory."""

LEFT_BY_SYSTEMS = ("thumbs.db", "desktop.ini", "icon\r", "ehthumbs.db", "@eadir", "__macosx")
"""What Windows, macOS and NAS systems put into folders of photos; nobody needs to hear of it."""

_LETTERS = re.compile(r"(\w|#)(\s*[-\N{EN DASH}_~]\s*\w)?")
"""The name of a folder that holds performers by their first letter: A, A-F, 0-9, #."""

_PART_OF_ONE = re.compile(
    r"[\W\d_]*|.*\d{4}.*|(set|shoot|part|vol|gallery|photo ?set|session)s?[\W\d_]*"
    r"|photos?|pics?|pictures?|images?|portraits?|faces?|headshots?|new|old|misc|other|best|extra",
    re.IGNORECASE,
)
"""The name of a folder with some photos of one performer: a number, a date, a set."""

MOST_NESTED = 50
"""Folders within each other; nobody sorts photos so deep, and each costs a call within a call."""

Place: TypeAlias = tuple[int, int]
"""What tells a folder from all others, whatever leads to it: its device and its number there."""

FIELDS = {"name": str, "disambiguation": str, "aliases": list, "urls": list}


@dataclass(frozen=True)
class _Found:
    """What lies in a folder and below it: photos, and what was left out, with the reason."""

    photos: tuple[Path, ...]
    left_out: tuple[Remark, ...]


def read_folder(folder: Path) -> Iterator[SourceRecord | Refusal]:
    """Yield the performers of a folder, ordered by name; one who cannot be read is a Refusal.

    Raises:
        UnusableSourceError: there is no such folder, it holds no photo, or it is one performer's.
    """
    if folder.is_file():
        raise UnusableSourceError(
            f"{show_text(str(folder))} is a file. Name a folder of photos; for a list, use import "
            "file."
        )
    if not folder.is_dir():
        raise UnusableSourceError(f"There is no folder {show_text(str(folder))}.")
    try:
        is_one = _details_in(folder) is not None
        records = [] if is_one else list(_read_entries(folder))
    except OSError as error:
        raise UnusableSourceError(f"{folder} cannot be read: {error.strerror}.") from error
    if is_one:
        raise UnusableSourceError(
            f"{show_text(str(folder))} is the folder of one performer: it holds a {DETAILS_FILE}. "
            f"Import the folder that it is in: {show_text(str(folder.absolute().parent))}."
        )
    if not any(not isinstance(record, Remark) for record in records):
        raise UnusableSourceError(
            f"{folder} holds no photos. Put them in {folder.name}/<Performer Name>/*.jpg, "
            f"or one each in {folder.name}/<Performer Name>.jpg."
        )
    yield from _with_remarks([*_remark_on_names(folder, records), *records])


def read_performers(folder: Path) -> Iterator[SourceRecord]:
    """Yield the performers of a folder whose every performer is needed.

    Raises:
        UnusableSourceError: as for `read_folder`, or one of them cannot be read.
    """
    for record in read_folder(folder):
        if isinstance(record, Refusal):
            raise UnusableSourceError(f"{record.photo}: {record.reason}.")
        yield record


def photo_at(path: Path) -> Photo:
    """Describe a photo in a file, to be read when it is needed."""
    return Photo(show_text(str(path)), functools.partial(read_photo_file, path))


def _with_remarks(
    records: list[SourceRecord | Refusal | Remark],
) -> Iterator[SourceRecord | Refusal]:
    """Hand remarks on files that belong to nobody to the first performer; name who comes twice."""
    remarks = tuple(one for one in records if isinstance(one, Remark))
    seen: dict[str, str] = {}
    for record in records:
        if isinstance(record, SourceRecord):
            twice = _remark_on_twice(record, seen)
            yield replace(record, remarks=(*remarks, *record.remarks, *twice))
            remarks = ()
        elif isinstance(record, Refusal):
            yield record


def _remark_on_names(
    folder: Path, records: list[SourceRecord | Refusal | Remark]
) -> Iterator[Remark]:
    """Say what was taken for a name, if the folder may be that of one performer."""
    found = [one.performer.source_id for one in records if isinstance(one, SourceRecord)]
    no_names = [name for name in found if _PART_OF_ONE.fullmatch(name)]
    is_of_photos = len(found) > 1 and not any(one.is_dir() for one in _visible(folder))
    if no_names or is_of_photos:
        said = (
            f"each file and folder in it is taken for a performer of that name, like "
            f"{show_text((no_names or found)[0])!r}; if all show one person, import the folder "
            "above instead (`merge` and `rename` mend what was enrolled)"
        )
        yield Remark("", show_text(str(folder)), said)


def _remark_on_twice(record: SourceRecord, seen: dict[str, str]) -> tuple[Remark, ...]:
    """Say if a name stands in two places of the folder: both are taken for one performer."""
    name, place = record.performer.source_id, record.photos[0].origin
    first = seen.setdefault(tidy_name(name), place)
    said = f"taken for one performer with {first}, by the name; if not, rename one"
    return () if first == place else (Remark(show_text(name), place, said),)


def _read_entries(
    folder: Path, above: frozenset[Place] = frozenset()
) -> Iterator[SourceRecord | Refusal | Remark]:
    above |= {_place_of(folder)}
    for entry in _visible(folder):
        try:
            if entry.is_dir():
                yield from _read_subfolder(entry, above)
            elif is_photo(entry):
                yield _record(entry.stem, {}, (), [entry])
            else:
                yield _not_a_photo("", entry)
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
            yield Refusal(show_text(entry.name), show_text(str(entry)), reason)


def _read_subfolder(
    folder: Path, above: frozenset[Place]
) -> Iterator[SourceRecord | Refusal | Remark]:
    reason = _reason_against(folder, above)
    if reason:
        yield Remark("", show_text(str(folder)), reason)
        return
    below = [entry for entry in _visible(folder) if entry.is_dir()]
    details = _details_in(folder)
    holds_photos = any(not entry.is_dir() and is_photo(entry) for entry in _visible(folder))
    is_one = details is not None or (holds_photos and not (below and _is_by_letter(folder)))
    parts = all(_PART_OF_ONE.fullmatch(entry.name) for entry in below)
    if not is_one and below and _is_by_letter(folder):
        yield from _read_entries(folder, above)
        return
    found = _search(folder, above)
    if not found.photos:
        reason = "left out: there is no photo in it"
        nothing = Remark(show_text(folder.name), show_text(str(folder)), reason)
        yield from found.left_out or (nothing,)
    elif is_one or parts:
        yield _read_performer(folder, found)
    else:
        yield Refusal(
            show_text(folder.name),
            show_text(str(folder)),
            f"it holds folders only, like {show_text(below[0].name)!r}: if they are photos of one "
            f"performer, put a {DETAILS_FILE} with {{}} into it; if they are performers, import "
            "this folder by itself",
        )


def _place_of(folder: Path) -> Place:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _reason_against(folder: Path, above: frozenset[Place]) -> str:
    """Say why a folder is not entered; "" if it can be."""
    if _place_of(folder) in above:
        return "left out: it is a link to a folder that it is in"
    if len(above) > MOST_NESTED:
        return f"left out: more than {MOST_NESTED} folders within each other"
    return ""


def _is_by_letter(folder: Path) -> bool:
    return bool(_LETTERS.fullmatch(folder.name))


def _read_performer(folder: Path, found: _Found) -> SourceRecord | Refusal:
    path = _details_in(folder) or folder / DETAILS_FILE
    try:
        content = _read_json(path) if path.exists() else {}
    except (OSError, ValueError, RecursionError) as error:
        reason = f"{DETAILS_FILE} is not JSON ({error}). Fix it or remove it"
        return Refusal(show_text(folder.name), show_text(str(path)), reason)
    details, remarks = _usable_details(content)
    said = tuple(Remark(show_text(folder.name), show_text(str(path)), one) for one in remarks)
    return _record(folder.name, details, (*said, *found.left_out), list(found.photos))


def _details_in(folder: Path) -> Path | None:
    """Find the file about a performer, in whatever case its name is written; best as it should."""
    found = [one for one in _visible(folder) if one.name.lower() == DETAILS_FILE]
    return max(found, key=lambda one: one.name == DETAILS_FILE, default=None)


def _read_json(path: Path) -> Any:
    """Read JSON in UTF-8, UTF-16 or UTF-32; to open a pipe would wait for ever.

    Raises:
        OSError, ValueError, RecursionError: it is none.
    """
    if not path.is_file():
        raise ValueError("not an ordinary file")
    if path.stat().st_size > LARGEST_DETAILS_BYTES:
        raise ValueError(f"over {LARGEST_DETAILS_BYTES // 1_000_000} MB")
    return json.loads(path.read_bytes())


def _search(folder: Path, above: frozenset[Place]) -> _Found:
    """Find the photos in a performer's folder and in those below it."""
    name = show_text(folder.name)
    reason = _reason_against(folder, above)
    if reason:
        return _Found((), (Remark(name, show_text(str(folder)), reason),))
    above |= {_place_of(folder)}
    photos: list[Path] = []
    left_out: list[Remark] = []
    for entry in _visible(folder):
        if entry.name.lower() == DETAILS_FILE:
            continue
        try:
            if entry.is_dir() and not entry.is_symlink():
                below = _search(entry, above)
                photos += below.photos
                left_out += (replace(one, performer=name) for one in below.left_out)
            elif is_photo(entry):
                photos.append(entry)
            else:
                left_out.append(_not_a_photo(name, entry))
        except OSError as error:
            reason = f"left out: it cannot be read ({error.strerror})"
            left_out.append(Remark(name, show_text(str(entry)), reason))
    return _Found(tuple(photos), tuple(left_out))


def _not_a_photo(performer: str, path: Path) -> Remark:
    return Remark(performer, show_text(str(path)), "left out: not a photo")


def _visible(folder: Path) -> list[Path]:
    return [
        entry
        for entry in sorted(folder.iterdir())
        if not entry.name.startswith(".") and entry.name.lower() not in LEFT_BY_SYSTEMS
    ]


def _record(
    folder_name: str, details: dict[str, Any], remarks: tuple[Remark, ...], photos: list[Path]
) -> SourceRecord:
    performer = Performer(
        id=0,
        name=details.get("name", folder_name),
        disambiguation=details.get("disambiguation", ""),
        aliases=tuple(details.get("aliases", [])),
        urls=tuple(details.get("urls", [])),
        source="folder",
        source_id=folder_name,
    )
    return SourceRecord(performer, tuple(photo_at(path) for path in photos), remarks=remarks)


def _usable_details(details: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the fields that can be used, and a remark on each that cannot."""
    if not isinstance(details, dict):
        return {}, [f"left out: it holds a {type(details).__name__}, not an object"]
    usable: dict[str, Any] = {}
    remarks = []
    for key, value in details.items():
        if key not in FIELDS:
            remarks.append(f"the field {key!r} is not known; there are {', '.join(FIELDS)}")
        elif value is not None:
            read = _read_field(FIELDS[key], value)
            usable |= {} if read is None else {key: read}
            form = "a list of texts" if FIELDS[key] is list else "a text"
            remarks += [f"{key} is left out: it must be {form}"] if read is None else []
    return usable, remarks


def _read_field(kind: type, value: Any) -> str | list[str] | None:
    """Read a text, or texts, as people write them: a number, or one text instead of a list."""
    if kind is str:
        return str(value) if isinstance(value, str | int | float) else None
    values = value if isinstance(value, list) else [value]
    texts = [str(one) for one in values if isinstance(one, str | int | float)]
    return texts if len(texts) == len([one for one in values if one is not None]) else None
