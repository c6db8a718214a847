"""The interface of every store, and of the gallery in it, for all other code.

`db.stores` chooses an implementation. One suite of tests runs on all of them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypedDict

from db.addresses import StoreAddress
from db.corrections import Correction, Subject
from db.models import EncodingModel, Fusion
from db.records import (
    Change,
    Encoding,
    EnrolledPhoto,
    Finding,
    Generation,
    Identity,
    Listing,
    Performer,
)
from db.snapshots import Snapshot


class Manifest(TypedDict):
    """What a bundle says it holds; `sha256` covers every name, id, encoding and picture."""

    schema: int
    model: str
    performers: int
    encodings: int
    sha256: str


class Enrolled(Protocol):
    """The enrolled performers, with their encodings and posters."""

    def performers(self) -> list[Performer]:
        """List all performers, by name."""

    def encodings(self, performer_id: int) -> list[Encoding]:
        """List a performer's encodings, those of the primary model first, then oldest first.

        Raises:
            DamagedVectorError: an encoding is damaged.
        """

    def photo_face(self, performer_id: int, photo_hash: str) -> bytes | None:
        """Return the face in one of a performer's photos, a small JPEG, if one is stored."""

    def thumbnail(self, performer_id: int) -> bytes | None:
        """Return a performer's poster, a small JPEG, if one is stored."""


class Gallery(Enrolled, Protocol):
    """A gallery to read; it also takes notes, which do not make readers reload it.

    Several threads may share one. If the store cannot be reached, any method may raise an error of
    `db.errors`.
    """

    def generation(self) -> Generation:
        """Return a value that differs after every change, and between any two galleries."""

    def snapshot(self, model: EncodingModel, fusions: Sequence[Fusion] = ()) -> Snapshot:
        """Return the whole gallery in memory, with the encodings of one model.

        It also holds the photos that have encodings of both nets of one of these `fusions`, for
        each of them that has some. Damaged encodings are left out and logged.

        Raises:
            OtherModelError: it holds encodings, but none of `model`.
        """

    def models(self) -> list[str]:
        """List the ids of the stored encodings' models, the primary one first."""

    def count_photos(self, model: str) -> int:
        """Count the photos that have an encoding of a model."""

    def performer(self, performer_id: int) -> Performer:
        """Return the performer with this id.

        Raises:
            PerformerNotFoundError: there is no such performer, or no longer.
        """

    def find_performer(self, name_or_id: str) -> Performer:
        """Find one performer by name, or by id, written `id:3`; see `find_named`.

        A number alone is an id only if it is nobody's name.

        Raises:
            PerformerNotFoundError: no performer has this name or id.
            AmbiguousNameError: several have this name.
        """

    def find_named(self, name: str) -> list[Performer]:
        """List those of this name: the one who has it exactly, else all by `db.names.name_key`."""

    def find_identities(self, identities: Sequence[Identity]) -> list[Performer]:
        """List the performers that have any of these ids: normally one or none."""

    def find_same(self, performer: Performer) -> Performer | None:
        """Find the performer in the gallery that shares an id with this record.

        Raises:
            IdentityConflictError: the record carries the ids of two performers.
            ForgottenError: the performer was forgotten.
        """

    def is_forgotten(self, performer: Performer) -> bool:
        """Say whether a record belongs to a forgotten performer, by any of their ids or name."""

    def namesakes(self, performer: Performer) -> list[Performer]:
        """List the other performers with the same name."""

    def search(self, text: str, start: int, limit: int) -> Listing:
        """List performers whose name or alias contains `text`, from number `start` on.

        Those whose name begins with `text` come first; then by name. Case is ignored (in ASCII).
        """

    def photos(self, performer_id: int) -> list[EnrolledPhoto]:
        """List a performer's photos, oldest first, including those whose encoding is damaged."""

    def photo_hashes(self, performer_id: int, model: str) -> set[str]:
        """Return the hashes of the photos that have a stored encoding of `model`."""

    def photo_owners(self, only: Collection[str] | None = None) -> dict[str, int]:
        """Return as whom each photo is enrolled, by its hash; of several the one of lowest id.

        With `only`, of the photos with these hashes: all of them take much memory.
        """

    def removed_photos(self, performer_id: int) -> set[str]:
        """Return the hashes of the photos that the user removed."""

    def updated_at(self, identity: Identity) -> str:
        """Return the source's time of the record last enrolled in full; "" if there is none."""

    def note_updated_at(self, identity: Identity, when: str) -> None:
        """Record that everything its source had for a record at `when` was enrolled."""

    def checkpoint(self, source: str) -> str:
        """Return the time up to which a source's changes were read in full; "" if never."""

    def note_checkpoint(self, source: str, when: str) -> None:
        """Record that everything a source changed until `when` was read."""

    def journal(self) -> list[tuple[str, str, dict[str, int]]]:
        """List what was done to the gallery, oldest first: when (UTC), the verb, the counts."""

    def log(self, verb: str, counts: dict[str, int]) -> None:
        """Add a line to the journal, which only grows and holds no names."""


class GalleryChange(Gallery, Protocol):
    """A gallery to change, locked against other imports and edits.

    Each method is one transaction: it is stored whole or not at all, and changes `generation`. The
    performer to change is found by the record's id, and changed as stored at that moment. If that
    performer is no longer there, the method raises PerformerNotFoundError.
    """

    def enrol(
        self, performer: Performer, encodings: Sequence[Encoding], thumbnail: bytes | None
    ) -> Change:
        """Add a performer, or add what is new to the one who shares an id with this record.

        `performer.id` is ignored. Photos already stored stay, and so does a thumbnail. A photo may
        have encodings of several models, if one of them is of the gallery's primary model. That is
        the model of the first encoding that was enrolled into the empty gallery.

        Raises:
            OtherModelError: a photo would have no encoding of the gallery's primary model.
            DamagedVectorError: an encoding cannot be stored.
            IdentityConflictError: the record carries the ids of two performers.
            ForgottenError: the performer was forgotten.
        """

    def assign(
        self, performer: Performer, subject: Subject, instead_of: Performer | None = None
    ) -> Correction:
        """Enrol a subject as `performer` (stored if new), and reject `instead_of` for it.

        Raises:
            ForgottenError: the performer was forgotten.
            OtherModelError: as for `enrol`.
        """

    def reject(self, performer: Performer, subject: Subject) -> Correction:
        """Store that a subject is not `performer`, who is never offered for it again."""

    def undo(self, correction: Correction) -> None:
        """Take a correction back; other changes made since then stay."""

    def merge(self, kept: Performer, absorbed: Performer) -> Performer:
        """Merge two performers: `kept` takes over every id, alias, url and photo of `absorbed`.

        Returns the merged performer. From then on imports from either source find it.

        Raises:
            GalleryError: both are the same performer.
        """

    def rename_identities(self, renamed: Mapping[Identity, Identity]) -> int:
        """Give ids other names, former to new; what was noted of them stays.

        A former id that nobody has is skipped; one whose new id the same performer has already is
        dropped. Returns how many changed.

        Raises:
            IdentityConflictError: a new id is another performer's; nothing is changed.
        """

    def rename(self, performer: Performer, name: str, disambiguation: str | None) -> None:
        """Rename a performer; later imports keep the new name, and the old one becomes an alias.

        If `disambiguation` is None, the stored one stays.
        """

    def remove_alias(self, performer: Performer, alias: str) -> None:
        """Remove one of a performer's aliases; an import that still lists it adds it again.

        Raises:
            PerformerNotFoundError: the performer has no such alias.
        """

    def remove_photo(self, performer: Performer, photo: str) -> int:
        """Remove the encodings of one photo, given its origin or the start of its hash.

        No import enrols it again, unless `allow_photos` is called.
        Returns how many encodings were removed. With the last photo the thumbnail is removed too.

        Raises:
            PerformerNotFoundError: the performer has no such photo, or several match.
        """

    def allow_photos(self, performer: Performer) -> None:
        """Let a performer's removed photos be enrolled again."""

    def forget(self, performer: Performer) -> None:
        """Erase a performer with every encoding and picture, also from the disk.

        From then on no import enrols them again. Copies are not erased.

        Raises:
            ErasureUnfinishedError: they are forgotten, but their bytes may remain in a file.
        """

    def unforget(self, name_or_id: str, disambiguation: str = "") -> None:
        """Allow a performer to be enrolled again, given their name or a source's id for them.

        Raises:
            PerformerNotFoundError: nobody with that name or id was forgotten.
        """


class Store(Protocol):
    """A place that keeps one gallery. Creating one opens nothing: a process may fork afterwards."""

    @property
    def address(self) -> StoreAddress:
        """The store's address."""

    def exists(self) -> bool:
        """Say whether there is a gallery."""

    def create(self) -> None:
        """Make an empty gallery where there is none."""

    def gallery(self) -> AbstractContextManager[Gallery]:
        """Open the gallery to read.

        Raises:
            GalleryMissingError: there is none.
            GalleryError: it cannot be opened; see `db.errors`.
        """

    def changing(self, *, create: bool = False) -> AbstractContextManager[GalleryChange]:
        """Open the gallery to change it; imports and edits of other processes are locked out.

        Raises:
            GalleryMissingError: there is none, and `create` was not given.
            GalleryLockedError: another import or edit is running.
            GalleryError: it cannot be opened; see `db.errors`.
        """

    def rehearsing(self) -> AbstractContextManager[GalleryChange]:
        """Open a copy in memory, to try changes on; it is empty if there is no gallery.

        Raises:
            GalleryError: the gallery cannot be opened; see `db.errors`.
        """

    def check(self, models: Sequence[str] = (), *, tell_folder: bool = True) -> Iterator[Finding]:
        """Check the gallery. Wrong permissions are fixed; nothing else is changed.

        Photos without encodings of all `models` are found too. Without `tell_folder` the findings
        do not name the gallery's folder.

        Raises:
            GalleryMissingError: there is no gallery.
        """

    def finish_erasing(self) -> None:
        """Finish what could not be erased from the bytes of a file, as far as that works now."""

    def backups(self) -> list[str]:
        """Name the backups made before upgrades; they hold photos that were removed since."""

    def export_bundle(self, destination: Path) -> Manifest:
        """Write the gallery to a bundle, whole or not at all; a file of that name is replaced.

        Raises:
            GalleryError: `destination` is the gallery itself.
        """


def everyone(gallery: Enrolled) -> Iterator[tuple[Performer, list[Encoding], bytes | None]]:
    """Yield everyone in a gallery with their encodings and thumbnail."""
    for performer in gallery.performers():
        yield performer, gallery.encodings(performer.id), gallery.thumbnail(performer.id)
