"""A file that lists performers: JSON, NDJSON, CSV or TSV, from a path or from stdin.

Columns: name, disambiguation, aliases, urls, id, stash_ids, photos. In CSV and TSV a cell holds
several values separated by |. A photo is a path (relative to the file), a URL or a data: URI; a
stash id is "ENDPOINT ID", or in JSON {"endpoint": ..., "stash_id": ...}.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.records import Identity, Performer
from function.media.photos import read_data_uri, read_photo_file
from function.sources.downloads import without_key
from function.sources.records import (
    Photo,
    Refusal,
    Remark,
    SourceRecord,
    UnusableSourceError,
)
from tools.sources.rows import Row, read_rows

COLUMNS = ("name", "disambiguation", "aliases", "urls", "id", "stash_ids", "photos")
EXPORTED = "encodings"
"""A column of our own lists: how many there are, or the encodings themselves."""
LIST_SEPARATOR = "|"
SHOWN_CHARACTERS = 120
MAX_ORIGIN_CHARACTERS = 2000


@dataclass(frozen=True)
class TableOptions:
    """How to read a table: its name for ids, where photos are, which column is which."""

    source: str
    folder: Path
    fetch: Callable[[str], bytes]
    columns: Mapping[str, str]


def read_table(path: Path, options: TableOptions) -> Iterator[SourceRecord | Refusal]:
    """Yield the performers of a file row by row; a row that cannot be used becomes a Refusal.

    Raises:
        UnusableSourceError: the file cannot be read at all, or has no name column.
    """
    for column in options.columns:
        if column not in COLUMNS:
            known = ", ".join(COLUMNS)
            raise UnusableSourceError(f"There is no column {column!r} to map; there are {known}.")
    name_column = options.columns.get("name", "name")
    seen: set[str] = set()
    for row in read_rows(path, name_column):
        yield _record(row, options, seen)


def _record(row: Row, options: TableOptions, seen: set[str]) -> SourceRecord | Refusal:
    place = f"row {row.number}"
    if row.complaint:
        return Refusal("", place, row.complaint)
    cells = {
        column: row.cells.get(options.columns.get(column, column).casefold()) for column in COLUMNS
    }
    remarks = _Remarks(place, seen)
    remarks.name_unknown(row, options)
    try:
        performer = _performer(cells, options.source, remarks)
        photos = tuple(_photo(text, options) for text in _texts(cells["photos"], "photos"))
    except ValueError as error:
        return Refusal(str(cells["name"] or "")[:SHOWN_CHARACTERS], place, str(error))
    if performer.source_id in seen:
        return Refusal(
            performer.name[:SHOWN_CHARACTERS],
            place,
            "an earlier row has the same id, or the same name without one; tell them apart by the "
            "column id or disambiguation",
        )
    seen.add(performer.source_id)
    return SourceRecord(
        performer,
        photos,
        updated_at=_version_of(cells),
        remarks=tuple(Remark(performer.name, place, one) for one in remarks.said),
    )


class _Remarks:
    """What is said of a row whose performer can be enrolled, but not with everything in it."""

    def __init__(self, place: str, seen: set[str]) -> None:
        self._place = place
        self._seen = seen
        self.said: list[str] = []

    def name_unknown(self, row: Row, options: TableOptions) -> None:
        """Say which columns are not used, each only once for the whole table."""
        used = {options.columns.get(column, column).casefold() for column in COLUMNS}
        for column in row.cells.keys() - used:
            key = f"\0column {column}"
            if column and key not in self._seen:
                self.said.append(_unused(column))
            self._seen.add(key)

    def texts(self, cells: Mapping[str, Any], column: str) -> tuple[str, ...]:
        """Read a cell of several texts; one that cannot be read is left out, with a remark."""
        try:
            return tuple(_texts(cells[column], column))
        except ValueError as error:
            self.said.append(f"left out: {error}")
            return ()


def _unused(column: str) -> str:
    """Say that a column is not used, and what to do about it."""
    if column == EXPORTED:
        return "encodings are not read from a list; to move a gallery: export --bundle FILE"
    ours = ", ".join(COLUMNS)
    return (
        f"the column {column!r} is not used; to use it: --column OURS={column}, OURS being {ours}"
    )


def _version_of(cells: Mapping[str, Any]) -> str:
    """Return a value that changes when a row does, so that photos at URLs are fetched only once.

    Files may change while their paths stay the same; rows that name files have no version, and are
    read every time.
    """
    photos = _texts(cells["photos"], "photos")
    if not photos or not all(photo.startswith(("http", "data:")) for photo in photos):
        return ""
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


def _performer(cells: Mapping[str, Any], source: str, remarks: _Remarks) -> Performer:
    name = _text(cells["name"], "name")
    if not name:
        raise ValueError("the name is empty")
    disambiguation = _text(cells["disambiguation"], "disambiguation")
    by_name = f"{name} ({disambiguation})" if disambiguation else name
    return Performer(
        id=0,
        name=name,
        disambiguation=disambiguation,
        aliases=remarks.texts(cells, "aliases"),
        urls=remarks.texts(cells, "urls"),
        source=source,
        source_id=_text(cells["id"], "id") or by_name,
        identities=tuple(_stash_ids(cells["stash_ids"])),
    )


def _photo(text: str, options: TableOptions) -> Photo:
    if text.startswith("data:"):
        return Photo(f"{text[:24]}...", functools.partial(read_data_uri, text))
    if text.startswith(("http://", "https://")):
        return Photo(
            without_key(text)[:MAX_ORIGIN_CHARACTERS], functools.partial(options.fetch, text)
        )
    if "\0" in text:
        raise ValueError("the path of a photo contains a NUL")
    path = options.folder / text
    return Photo(str(path)[:MAX_ORIGIN_CHARACTERS], functools.partial(read_photo_file, path))


def _stash_ids(value: Any) -> Iterator[Identity]:
    entries = value if isinstance(value, list) else _texts(value, "stash_ids")
    for entry in entries:
        if isinstance(entry, dict):
            endpoint, stash_id = str(entry.get("endpoint", "")), str(entry.get("stash_id", ""))
        else:
            endpoint, _, stash_id = str(entry).rpartition(" ")
        if not endpoint.startswith("http") or not stash_id:
            raise ValueError('a stash id is written "ENDPOINT ID"')
        yield Identity(endpoint.strip(), stash_id)


def _text(value: Any, column: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        raise ValueError(f"{column} is a {type(value).__name__}; it must be a string")  # noqa: TRY004  # of the row
    return str(value).strip()


def _texts(value: Any, column: str) -> list[str]:
    if isinstance(value, list):
        return [text for one in value if (text := _text(one, column))]
    text = _text(value, column)
    # A data: URI may stand alone in a cell; it contains no separator.
    return [part.strip() for part in text.split(LIST_SEPARATOR) if part.strip()]
