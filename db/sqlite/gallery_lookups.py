"""Reads performers and their encodings from one SQLite file."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from db.blobs import from_blob
from db.cells import as_text, read_list, read_texts
from db.errors import (
    AmbiguousNameError,
    DamagedVectorError,
    ForgottenError,
    IdentityConflictError,
    PerformerNotFoundError,
)
from db.identities import identities_of, with_own
from db.marks import hash_mark, marks_of
from db.names import ID_PREFIX, name_key, quote, read_id, show_text, tidy_name
from db.records import Encoding, Generation, Identity, Performer
from db.sqlite.gallery_connections import GalleryConnection

QUALITY = "min(max(CAST(quality AS REAL), -1e3), 1e3)"
"""A photo's quality as a number, whatever a bad disk left of it."""

_PERFORMERS = """
    SELECT performers.id, name, disambiguation, aliases, urls, source, source_id,
           (SELECT count(DISTINCT photo_hash) FROM encodings
            WHERE performer_id = performers.id),
           (SELECT json_group_array(json_array(CAST(source AS TEXT), CAST(source_id AS TEXT)))
            FROM identities
            WHERE performer_id = performers.id),
           poster_url
    FROM performers
"""


class GalleryLookups(GalleryConnection):
    """What can be asked of a gallery in one SQLite file, or in memory."""

    def generation(self) -> Generation:
        """Return the file's random identity, and a number that increases with every change to it.

        The pair changes if the file is replaced by another, or written by another process.
        """
        rows = self.rows(
            "SELECT value FROM counters WHERE name IN ('generation', 'identity') ORDER BY name DESC"
        )
        return int(rows[0][0]), int(rows[1][0])

    def performers(self) -> list[Performer]:
        """List all performers, by name."""
        return [_performer(row) for row in self.rows(f"{_PERFORMERS} ORDER BY name, id")]

    def find_performer(self, name_or_id: str) -> Performer:
        """Find one performer by name, or by id, written `id:3`; see `find_named`.

        A number alone is an id only if it is nobody's name.

        Raises:
            PerformerNotFoundError: no performer has this name or id.
            AmbiguousNameError: several have this name.
        """
        number = read_id(name_or_id)
        found = self._numbered(number) if number else self.find_named(name_or_id)
        if not found:
            found = self._numbered(name_or_id)
        if not found:
            raise PerformerNotFoundError(
                f"No performer is called {quote(name_or_id)}. "
                "`python -m tools list` lists everyone."
            )
        if len(found) > 1:
            ids = ", ".join(
                f"{ID_PREFIX}{one.id} ({one.disambiguation or one.source})" for one in found
            )
            raise AmbiguousNameError(f"{quote(name_or_id)} may be any of {ids}. Give the id.")
        return found[0]

    def find_named(self, name: str) -> list[Performer]:
        """List those of this name: the one who has it exactly, else all by `name_key`."""
        where = "WHERE name_key(CAST(name AS BLOB)) = ?"
        rows = self.rows(f"{_PERFORMERS} {where} ORDER BY id", name_key(show_text(name)))
        found = [_performer(row) for row in rows]
        exactly = [one for one in found if one.name == tidy_name(name)]
        return exactly if len(exactly) == 1 else found

    def _numbered(self, digits: str) -> list[Performer]:
        where = "WHERE CAST(performers.id AS TEXT) = ?"
        return [_performer(row) for row in self.rows(f"{_PERFORMERS} {where}", show_text(digits))]

    def performer(self, performer_id: int) -> Performer:
        """Return the performer with this id.

        Raises:
            PerformerNotFoundError: there is no such performer, or no longer.
        """
        rows = self.rows(f"{_PERFORMERS} WHERE performers.id = ?", performer_id)
        if not rows:
            raise PerformerNotFoundError(f"There is no performer {performer_id}, or no longer.")
        return _performer(rows[0])

    def find_identities(self, identities: Sequence[Identity]) -> list[Performer]:
        """List the performers that have any of these ids: normally one or none."""
        where = (
            "WHERE id = (SELECT performer_id FROM identities WHERE source = ? AND source_id = ?)"
        )
        rows = [row for one in identities for row in self.rows(f"{_PERFORMERS} {where}", *one)]
        return list({row[0]: _performer(row) for row in rows}.values())

    def find_same(self, performer: Performer) -> Performer | None:
        """Find the performer in the gallery that shares an id with this record.

        Raises:
            IdentityConflictError: the record carries the ids of two performers.
            ForgottenError: the performer was forgotten.
        """
        found = self.find_identities(identities_of(performer))
        if len(found) > 1:
            both = " and ".join(f"{one.name} ({one.id})" for one in found)
            raise IdentityConflictError(
                f"{performer.name} carries ids of {both}. If they are the same, run "
                f"`python -m tools merge id:{found[0].id} id:{found[1].id}`, then try again."
            )
        if not found and self.is_forgotten(performer):
            raise ForgottenError(f"{performer.name} was forgotten; `unforget` allows them again")
        return found[0] if found else None

    def is_forgotten(self, performer: Performer) -> bool:
        """Say whether a record belongs to a forgotten performer, by any of their ids or name."""
        key = self.forgetting_key()
        return any(
            self.rows("SELECT 1 FROM forgotten WHERE hash = ?", hash_mark(key, mark))
            for mark in marks_of(performer)
        )

    def forgetting_key(self) -> bytes:
        """Read the gallery's own random key, which hashes the marks of forgotten performers."""
        return bytes(self.rows("SELECT value FROM secrets WHERE name = 'forgetting'")[0][0])

    def namesakes(self, performer: Performer) -> list[Performer]:
        """List the other performers with the same name, by `name_key`."""
        where = "WHERE name_key(CAST(name AS BLOB)) = ? AND id != ?"
        rows = self.rows(f"{_PERFORMERS} {where}", name_key(performer.name), performer.id)
        return [_performer(row) for row in rows]

    def encodings(self, performer_id: int) -> list[Encoding]:
        """List a performer's encodings, those of the primary model first, then oldest first.

        Raises:
            DamagedVectorError: a blob is not an encoding.
        """
        rows = self.rows(
            f"SELECT CAST(vector AS BLOB), model, {QUALITY}, photo_hash, origin, weaknesses, "  # noqa: S608  # ours
            "CAST(coalesce(face, x'') AS BLOB), CAST(coalesce(dimensions, 0) AS INTEGER) "
            "FROM encodings LEFT JOIN models ON models.id = model "
            "WHERE performer_id = ? ORDER BY number, encodings.id",
            performer_id,
        )
        try:
            return [Encoding(from_blob(row[0], row[7]), *row[1:7]) for row in rows]
        except DamagedVectorError as error:
            raise DamagedVectorError(
                f"An encoding of performer {performer_id} is damaged. {error} "
                "`python -m tools doctor` says what to do."
            ) from error

    def thumbnail(self, performer_id: int) -> bytes | None:
        """Return a performer's poster, a small JPEG, if one is stored."""
        rows = self.rows(
            "SELECT CAST(thumbnail AS BLOB) FROM performers WHERE id = ?", performer_id
        )
        return rows[0][0] if rows else None

    def photo_face(self, performer_id: int, photo_hash: str) -> bytes | None:
        """Return the face in a photo, a small JPEG, if one is stored."""
        sql = (
            "SELECT CAST(face AS BLOB) FROM encodings WHERE (performer_id, photo_hash) = (?, ?) "
            "AND face IS NOT NULL LIMIT 1"
        )
        rows = self.rows(sql, performer_id, photo_hash)
        return bytes(rows[0][0]) if rows else None

    def models(self) -> list[str]:
        """List the ids of the stored encodings' models, the primary one first."""
        return [
            row[0]
            for row in self.rows(
                "SELECT id FROM models WHERE EXISTS "
                "(SELECT 1 FROM encodings WHERE model = models.id) ORDER BY number"
            )
        ]

    def count_photos(self, model: str) -> int:
        """Count the photos that have an encoding of a model."""
        # By the index in which model lies: no vector is read.
        ((count,),) = self.rows("SELECT count(*) FROM encodings WHERE model = ?", model)
        return int(count)

    def photo_hashes(self, performer_id: int, model: str) -> set[str]:
        """Return the hashes of the photos that have a stored encoding of `model`."""
        sql = "SELECT photo_hash FROM encodings WHERE performer_id = ? AND model = ?"
        return {row[0] for row in self.rows(sql, performer_id, model)}

    def photo_owners(self, only: Collection[str] | None = None) -> dict[str, int]:
        """Return as whom each photo, or those of some hashes, is enrolled, by its hash."""
        # Both lie in one index, so that no vector is read.
        sql = (
            "SELECT photo_hash, performer_id FROM encodings WHERE ? IS NULL "
            "OR photo_hash IN (SELECT value FROM json_each(?)) ORDER BY performer_id DESC"
        )
        among = None if only is None else json.dumps(sorted(only))
        return dict(self.rows(sql, among, among))

    def removed_photos(self, performer_id: int) -> set[str]:
        """Return the hashes of the photos that the user removed."""
        sql = "SELECT photo_hash FROM removed_photos WHERE performer_id = ?"
        return {row[0] for row in self.rows(sql, performer_id)}


def _performer(row: tuple[Any, ...]) -> Performer:
    """Read a row; only what a bad disk damaged in it is left out."""
    number, name, disambiguation, aliases, urls, source, source_id, encodings = row[:8]
    own = Identity(as_text(source), as_text(source_id))
    return Performer(
        id=number,
        name=as_text(name),
        disambiguation=as_text(disambiguation),
        aliases=read_texts(aliases) or (),
        urls=read_texts(urls) or (),
        source=own.source,
        source_id=own.source_id,
        encodings=encodings,
        identities=with_own(own, sorted(Identity(*one) for one in read_list(row[8]) or ())),
        poster_url=as_text(row[9]),
    )
