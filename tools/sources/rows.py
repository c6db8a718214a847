"""Reads a table as rows, in any of the forms: JSON, NDJSON, CSV or TSV."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from db.names import show_text
from function.sources.records import UnusableSourceError
from function.sources.shapes import MOST_VALUES, count_values

MAX_CELL_CHARACTERS = 96_000_000
"""A photo of 64 MB in base64, and some room."""

LONGEST_LINE = 2 * MAX_CELL_CHARACTERS
"""Characters of one line: a performer with some photos."""

MAX_JSON_BYTES = 512_000_000
MOST_IN_JSON = 5_000_000
"""Values in a single JSON list, of 100,000 performers with everything; they take a gigabyte."""

SHOWN_CHARACTERS = 60
DELIMITERS = ",;\t|"
SEPARATORS = f"{DELIMITERS}[{{"
"""In front of every cell of a line, and every value in JSON, but the first stands one of these."""

LINE_ENDS = ("\n", "\r")
_STATED_DELIMITER = re.compile(r'"?sep=(\t|[^\s"])"?\s*', re.IGNORECASE)
"""The first line of a table of Excel's may say this; it hides the line."""

DATABASE = b"SQLite format 3\0"

NUMBERED_FROM = 2
"""A spreadsheet's first row holds the names of the columns."""


@dataclass(frozen=True)
class Row:
    """One row, by column name; `complaint` says why it cannot be read."""

    number: int
    cells: dict[str, Any] = field(default_factory=dict)
    complaint: str = ""


def read_rows(path: Path, name_column: str) -> Iterator[Row]:
    """Yield the rows of a table, one at a time in memory, unless it is a single JSON list.

    Raises:
        UnusableSourceError: the file is missing, empty or not text, or lacks the name column.
    """
    try:
        head = _read_head(path)
        if head.startswith(DATABASE):
            raise UnusableSourceError(
                f"{path.name} is a gallery or a bundle, no list. For a bundle, use import bundle."
            )
        # What is not UTF-8 becomes a complaint about its row, not the end of the table.
        with path.open(encoding=_encoding_of(head), errors="surrogateescape", newline="") as text:
            yield from map(_checked, _rows_of(text, path, name_column))
    except UnicodeError as error:
        raise UnusableSourceError(
            f"{path.name} is not UTF-8 text ({_reason_of(error)}). Save it as UTF-8, or as "
            "UTF-16 with a byte order mark."
        ) from error
    except OSError as error:
        raise UnusableSourceError(f"{path} cannot be read: {error.strerror or error}.") from error


def _reason_of(error: UnicodeError) -> str:
    return str(getattr(error, "reason", error))


def _checked(row: Row) -> Row:
    """Return the row, with a complaint if a text in it is not UTF-8."""
    written = json.dumps(row.cells, ensure_ascii=False, default=str)
    if show_text(written) == written:
        return row
    name = show_text(str(next(iter(row.cells.values()), "")))[:SHOWN_CHARACTERS]
    return Row(row.number, complaint=f"not UTF-8 text, in the row of {name}: save it as UTF-8")


def _rows_of(text: TextIO, path: Path, name_column: str) -> Iterator[Row]:
    first = text.readline(MAX_CELL_CHARACTERS)
    while first and not first.strip():
        first = text.readline(MAX_CELL_CHARACTERS)
    if not first:
        raise UnusableSourceError(f"{path.name} is empty.")
    first.encode()  # or a binary file, or one in another encoding, would be read row by row
    start = first.lstrip()[0]
    if start == "<":
        raise UnusableSourceError(f"{path.name} is HTML or XML. Save it as CSV or JSON.")
    text.seek(0)
    if start == "{" and _is_one_performer(first):
        yield from _ndjson_rows(text)
    elif start in "[{":
        yield from _json_rows(text, path)
    else:
        yield from _csv_rows(text, first, path, name_column)


class _Lines:
    """The lines of a text; one that would fill the memory is passed over, with an error.

    Quotes may make a row of many lines: `begin_row` says that another begins.
    """

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._values = 0

    def begin_row(self) -> None:
        """Count the values from the start again."""
        self._values = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        if len(line) == LONGEST_LINE and not line.endswith(LINE_ENDS):
            self._pass_over_rest()
            raise csv.Error(f"a line of over {LONGEST_LINE:,} characters")
        self._values += sum(map(line.count, SEPARATORS))
        if self._values > MOST_VALUES:
            raise csv.Error(f"a line of over {MOST_VALUES:,} values")
        return line

    def _pass_over_rest(self) -> None:
        while (rest := self._text.readline(LONGEST_LINE)) and not rest.endswith(LINE_ENDS):
            pass


def _ndjson_rows(text: TextIO) -> Iterator[Row]:
    lines = _Lines(text)
    for number in count(1):
        lines.begin_row()
        try:
            line = next(lines, "")
            if line.strip():
                yield _row_of(number, json.loads(line))
        except csv.Error as error:
            yield Row(number, complaint=str(error))
        except (ValueError, RecursionError) as error:
            yield Row(number, complaint=f"not JSON: {error}")
        else:
            if not line:
                return


def _json_rows(text: TextIO, path: Path) -> Iterator[Row]:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise UnusableSourceError(
            f"{path.name} is one JSON value of over {MAX_JSON_BYTES // 1_000_000} MB. Write it as "
            "NDJSON, one performer per line."
        )
    content = text.read()
    if count_values(content) > MOST_IN_JSON:
        raise UnusableSourceError(
            f"{path.name} is one JSON value of over {MOST_IN_JSON:,} values. Write it as NDJSON, "
            "one performer per line."
        )
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableSourceError(f"{path.name} is not JSON ({error}).") from error
    if isinstance(entries, dict):
        entries = entries.get("performers", [entries])
    if not isinstance(entries, list):
        raise UnusableSourceError(f"{path.name} holds no list of performers.")
    yield from (_row_of(number, entry) for number, entry in enumerate(entries, 1))


def _csv_rows(text: TextIO, first: str, path: Path, name_column: str) -> Iterator[Row]:
    before = csv.field_size_limit(MAX_CELL_CHARACTERS)
    try:
        stated = _STATED_DELIMITER.fullmatch(first)
        while stated and text.readline(MAX_CELL_CHARACTERS) not in (first, ""):
            pass  # lines with nothing in them
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=stated[1] if stated else find_delimiter(first))
        header = [cell.strip() for cell in _next_filled(reader)]
        if not header:
            raise UnusableSourceError(f"{path.name} does not name its columns.")
        columns = {cell.casefold(): cell for cell in header}
        if name_column.casefold() not in columns:
            raise UnusableSourceError(
                f"{path.name} has no column {name_column!r}; it has {', '.join(header)[:200]}. "
                "Say which one it is: --column name=..."
            )
        yield from _csv_body(reader, lines, [cell.casefold() for cell in header])
    finally:
        csv.field_size_limit(before)


def _csv_body(reader: Any, lines: _Lines, header: list[str]) -> Iterator[Row]:
    number = NUMBERED_FROM - 1
    while True:
        number += 1
        lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(number, complaint=f"cannot be read: {error}")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            complaint = f"{len(cells)} cells under {len(header)} columns; quote the delimiter"
            yield Row(number, complaint=complaint)
            continue
        yield Row(number, dict(zip(header, cells, strict=False)))


def find_delimiter(header: str) -> str:
    """Find which delimiter a header uses: the most frequent one outside quotes."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _next_filled(reader: Any) -> list[str]:
    """Return the next row that holds something; an empty one if there is none."""
    try:
        return next((cells for cells in reader if any(cell.strip() for cell in cells)), [])
    except csv.Error as error:
        raise UnusableSourceError(f"The first line cannot be read ({error}).") from error


def _row_of(number: int, entry: Any) -> Row:
    if not isinstance(entry, dict):
        return Row(number, complaint=f"a {type(entry).__name__}, not an object")
    return Row(number, {str(key).casefold(): value for key, value in entry.items()})


def _is_one_performer(line: str) -> bool:
    if count_values(line) > MOST_VALUES:
        return False
    try:
        return "performers" not in json.loads(line)
    except (ValueError, RecursionError):
        return False


def _read_head(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise UnusableSourceError(
            f"{path} is not an ordinary file. For a folder, use import folder."
        )
    with path.open("rb") as file:
        return file.read(len(DATABASE))


def _encoding_of(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return "utf-8-sig"
