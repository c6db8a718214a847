"""Cuts, in a copy of a gallery, what earlier versions could store but a bundle may not hold."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace

from sqlite_utils import Database

from db.errors import GalleryError
from db.identities import identities_of
from db.names import (
    ID_PREFIX,
    MAX_URL_CHARACTERS,
    find_complaint,
    find_id_complaint,
    has_control,
    limited,
    printable,
)
from db.records import Identity, Performer
from db.sqlite.gallery import SqliteGallery

KEPT_CHARACTERS = 200
"""Kept of an id that is cut; a checksum of the whole id follows, so that no two become one."""

_OF_PERFORMERS = ("identities", "encodings", "removed_photos")


def mend(copy: SqliteGallery) -> list[str]:
    """Cut ids, aliases, addresses and origins that are too long; name the performers who had them.

    Whatever belongs to nobody is removed, too.

    Raises:
        GalleryError: somebody has a name that no bundle may hold.
    """
    names = []
    with copy.writing() as db:
        for table in _OF_PERFORMERS:
            sql = "WHERE performer_id NOT IN (SELECT id FROM performers)"
            db.execute(f"DELETE FROM {table} {sql}")  # noqa: S608  # names from above
        sql = "UPDATE encodings SET origin = substr(origin, 1, ?) WHERE length(origin) > ?"
        db.execute(sql, (MAX_URL_CHARACTERS, MAX_URL_CHARACTERS))
        for performer in copy.performers():
            if find_complaint(performer):
                names.append(performer.name)
                _save(db, _require_fit(_fitting(performer)))
    return names


def _fitting(performer: Performer) -> Performer:
    identities = [Identity(*map(_fitting_id, one)) for one in identities_of(performer)]
    return replace(
        performer,
        aliases=limited(filter(_is_usable, performer.aliases)),
        urls=limited(filter(_is_usable, performer.urls)),
        poster_url=performer.poster_url if _is_usable(performer.poster_url) else "",
        source=identities[0].source,
        source_id=identities[0].source_id,
        identities=tuple(identities[1:]),
    )


def _require_fit(performer: Performer) -> Performer:
    if complaint := find_complaint(performer):
        number = f"{ID_PREFIX}{performer.id}"
        raise GalleryError(
            f"{number} cannot be in a bundle: {complaint}. Rename them first: "
            f"python -m tools rename {number} NAME"
        )
    return performer


def _is_usable(text: str) -> bool:
    return len(text) <= MAX_URL_CHARACTERS and not has_control(text)


def _fitting_id(text: str) -> str:
    if not find_id_complaint(text):
        return text
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
    return f"{printable(text[:KEPT_CHARACTERS])} {digest}"


def _save(db: Database, performer: Performer) -> None:
    db.execute(
        "UPDATE performers SET aliases = ?, urls = ?, poster_url = ?, source = ?, source_id = ? "
        "WHERE id = ?",
        (
            *map(_as_json, (performer.aliases, performer.urls)),
            *(performer.poster_url, performer.source, performer.source_id, performer.id),
        ),
    )
    db.execute("DELETE FROM identities WHERE performer_id = ?", (performer.id,))
    db.conn.executemany(
        "INSERT OR IGNORE INTO identities (source, source_id, performer_id) VALUES (?, ?, ?)",
        [(*identity, performer.id) for identity in identities_of(performer)],
    )


def _as_json(texts: Iterable[str]) -> str:
    return json.dumps([*texts])
