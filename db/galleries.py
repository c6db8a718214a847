"""What a store and a gallery in it can do, whatever keeps them: the interface that all others use.

`db.stores` chooses an implementation; one suite of tests holds over all of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypedDict

from db.addresses import StoreAddress
from db.models import EncodingModel
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
from db.sightings import Correction, Sighting
from db.snapshots import Snapshot


class Manifest(TypedDict):
    """What a bundle says it holds; `sha256` covers every name, id, encoding and picture."""

    schema: int
    model: str
    performers: int
    encodings: int
    sha256: str


class Enrolled(Protocol):
    """Those who are enrolled, with what was enrolled of them."""

    def performers(self) -> list[Performer]:
        """List all performers, by name."""

    def encodings(self, performer_id: int) -> list[Encoding]:
        """List a performer's encodings, oldest first.

        Raises:
            DamagedVectorError: one is damaged.
        """

    def thumbnail(self, performer_id: int) -> bytes | None:
        """Return a performer's poster, a small JPEG, if one is stored."""


class Gallery(Enrolled, Protocol):
    """A gallery to read, and to note what no reader need reload for.

    Many threads may use one. Any method may raise the errors of `db.errors` about a store that
    cannot be reached.
    """

    def generation(self) -> Generation:
        """Return what changes with every change to the gallery, and with the gallery itself."""

    def snapshot(self, model: EncodingModel) -> Snapshot:
        """Return all of it in memory, with the encodings of one model.

        An encoding that is damaged is left out, and the log names it.

        Raises:
            OtherModelError: it holds encodings, but none of `model`.
        """

    def models(self) -> list[str]:
        """List the ids of the stored encodings' models, the primary one first."""

    def performer(self, performer_id: int) -> Performer:
        """Return the performer with this id.

        Raises:
            PerformerNotFoundError: there is none, or not any more.
        """

    def find_performer(self, name_or_id: str) -> Performer:
        """Find one performer by name (upper and lower case alike, in ASCII) or by id.

        Raises:
            PerformerNotFoundError: no performer has it.
            AmbiguousNameError: several have it.
        """

    def find_identities(self, identities: Sequence[Identity]) -> list[Performer]:
        """List the performers that have any of these ids: normally one or none."""

    def find_same(self, performer: Performer) -> Performer | None:
        """Find the performer in the gallery that shares an id with this record.

        Raises:
            IdentityConflictError: the record carries the ids of two performers.
            ForgottenError: the performer was forgotten.
        """

    def is_forgotten(self, performer: Performer) -> bool:
        """Say whether a record is of somebody who was forgotten: by any of their ids, or name."""

    def namesakes(self, performer: Performer) -> list[Performer]:
        """List the other performers with the same name."""

    def search(self, text: str, start: int, limit: int) -> Listing:
        """List performers by name, from number `start` on, whose name or alias holds `text`.

        Those whose name begins with it come first. Upper and lower case are alike (in ASCII).
        """

    def photos(self, performer_id: int) -> list[EnrolledPhoto]:
        """List a performer's photos, oldest first, including those whose encoding is damaged."""

    def photo_hashes(self, performer_id: int, model: str) -> set[str]:
        """Return the hashes of the photos whose encodings by `model` are stored."""

    def removed_photos(self, performer_id: int) -> set[str]:
        """Return the hashes of the photos that the user removed."""

    def updated_at(self, identity: Identity) -> str:
        """Return when the source last changed the record that was enrolled in full; "" if never."""

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
    """A gallery to change, held against other imports and edits.

    Each method is one transaction, which lands whole or not at all and moves `generation` on. A
    performer who is to be changed is the one with the record's id, as they are stored by then;
    where there is none any more, that is a PerformerNotFoundError.
    """

    def enrol(
        self, performer: Performer, encodings: Sequence[Encoding], thumbnail: bytes | None
    ) -> Change:
        """Add a performer, or what is new to the one who shares an id with this record.

        `performer.id` is not looked at. Photos that are stored stay, and so does a thumbnail. A
        photo may have encodings of several models, if one is of the gallery's primary model: the
        model of the first encoding that was enrolled into the empty gallery.

        Raises:
            OtherModelError: a photo would have none of the gallery's primary model.
            DamagedVectorError: an encoding cannot be stored.
            IdentityConflictError: the record carries the ids of two performers.
            ForgottenError: the performer was forgotten.
        """

    def assign(
        self, performer: Performer, sighting: Sighting, instead_of: Performer | None = None
    ) -> Correction:
        """Enrol a sighting as `performer`, who is stored if new; it is not `instead_of` then.

        Raises:
            ForgottenError: the performer was forgotten.
            OtherModelError: as for `enrol`.
        """

    def reject(self, performer: Performer, sighting: Sighting) -> Correction:
        """Keep that a sighting is not `performer`: they are not offered for it again."""

    def undo(self, correction: Correction) -> None:
        """Take a correction back; other changes made since then stay."""

    def merge(self, kept: Performer, absorbed: Performer) -> Performer:
        """Make two performers one: `kept` takes over every id, alias, url and photo of `absorbed`.

        Returns the performer as it is then. Imports of either source find them from then on.

        Raises:
            GalleryError: both are the same performer.
        """

    def rename(self, performer: Performer, name: str, disambiguation: str | None) -> None:
        """Call a performer `name` from now on; later imports keep it, the old name is an alias.

        A disambiguation of None stays as it is.
        """

    def remove_photo(self, performer: Performer, photo: str) -> int:
        """Take out the encodings of one photo, named by its origin or the start of its hash.

        No import brings it back; `allow_photos` does.
        Returns how many encodings went. The thumbnail goes too when the last photo does.

        Raises:
            PerformerNotFoundError: the performer has no such photo, or several match.
        """

    def allow_photos(self, performer: Performer) -> None:
        """Let a performer's removed photos be enrolled again."""

    def forget(self, performer: Performer) -> None:
        """Erase a performer with every encoding and picture, from the disk too.

        From then on no import brings them back. Copies and backups are not reached.
        """

    def unforget(self, name_or_id: str, disambiguation: str = "") -> None:
        """Allow a performer to be enrolled again, named as they were, or by a source's id for them.

        Raises:
            PerformerNotFoundError: nobody of that name was forgotten.
        """


class Store(Protocol):
    """A place that keeps one gallery. Making one opens nothing: that may come after a fork."""

    @property
    def address(self) -> StoreAddress:
        """Where it is."""

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
        """Open the gallery to change it, in turn with imports and edits of other processes.

        Raises:
            GalleryMissingError: there is none, and `create` was not given.
            GalleryLockedError: another import or edit is at work on it.
            GalleryError: it cannot be opened; see `db.errors`.
        """

    def rehearsing(self) -> AbstractContextManager[GalleryChange]:
        """Open a copy in memory, to try out what a change would do; an empty one if there is none.

        Raises:
            GalleryError: the gallery cannot be opened; see `db.errors`.
        """

    def check(self, *, tell_folder: bool = True) -> Iterator[Finding]:
        """Look for what is wrong, changing nothing but permissions, which are put right.

        Without `tell_folder` the findings do not say in which folder the gallery lies.

        Raises:
            GalleryMissingError: there is no gallery.
        """

    def backups(self) -> list[str]:
        """Name the copies that the store made before upgrades, and that still hold everything."""

    def export_bundle(self, destination: Path) -> Manifest:
        """Write the gallery to a bundle, whole or not at all; a file of that name is replaced.

        Raises:
            GalleryError: that file is the gallery itself.
        """


def everyone(gallery: Enrolled) -> Iterator[tuple[Performer, list[Encoding], bytes | None]]:
    """Yield everyone in a gallery with their encodings and thumbnail."""
    for performer in gallery.performers():
        yield performer, gallery.encodings(performer.id), gallery.thumbnail(performer.id)
