"""The gallery as a list of performers: NDJSON, or CSV that is safe to open in a spreadsheet."""

import base64
import csv
import json
from collections.abc import Iterator
from typing import Any, TextIO

from db.blobs import to_blob
from db.galleries import Gallery
from db.records import Performer
from function.library.lists import without_formulas
from tools.sources.table import LIST_SEPARATOR

CSV_COLUMNS = ("id", "name", "disambiguation", "aliases", "urls", "stash_ids", "encodings")


def write_ndjson(gallery: Gallery, output: TextIO, *, with_encodings: bool) -> int:
    """Write one performer per line, in the form `import file` reads; returns how many."""
    performers = gallery.performers()
    for performer in performers:
        entry = _entry(performer)
        if with_encodings:
            entry["encodings"] = list(_encodings(gallery, performer))
        output.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return len(performers)


def write_csv(gallery: Gallery, output: TextIO) -> int:
    """Write one performer per row, without encodings; returns how many."""
    writer = csv.writer(output)
    writer.writerow(CSV_COLUMNS)
    performers = gallery.performers()
    for performer in performers:
        entry = _entry(performer)
        entry["stash_ids"] = [" ".join(one) for one in performer.stash_ids]
        writer.writerow([_cell(entry[column]) for column in CSV_COLUMNS])
    return len(performers)


def _entry(performer: Performer) -> dict[str, Any]:
    return {
        "id": str(performer.id),
        "name": performer.name,
        "disambiguation": performer.disambiguation,
        "aliases": list(performer.aliases),
        "urls": list(performer.urls),
        "stash_ids": [
            {"endpoint": one.source, "stash_id": one.source_id} for one in performer.stash_ids
        ],
        "encodings": performer.encodings,
    }


def _encodings(gallery: Gallery, performer: Performer) -> Iterator[dict[str, Any]]:
    for one in gallery.encodings(performer.id):
        yield {
            "vector": base64.b64encode(to_blob(one.vector)).decode("ascii"),
            "model": one.model,
            "quality": one.quality,
            "photo_hash": one.photo_hash,
            "origin": one.origin,
        }


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return without_formulas(LIST_SEPARATOR.join(value))
    return without_formulas(str(value))
