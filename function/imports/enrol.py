"""Enrols records of performers in the gallery, and says what became of each, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from db.errors import DamagedVectorError, ForgottenError, IdentityConflictError
from db.galleries import Gallery, GalleryChange
from db.identities import identities_of
from db.names import find_complaint, show_text, tidy
from db.records import Change, Identity, Performer
from function.imports.finders import FaceFinder
from function.imports.owners import PhotoOwners
from function.imports.photos import USUAL_DEMANDS, Demands, PhotosRead
from function.sources.records import Refusal, Remark, SourceRecord


@dataclass(frozen=True)
class Enrolment:
    """What became of one performer: the change, the photos added, and those refused.

    `remarks` are about photos that count less, and what was left out. `change` is None if nothing
    was stored; `forgotten` is set if the user asked never to enrol them, `is_incomplete` if a photo
    did not arrive but may next time.
    """

    performer: str
    change: Change | None
    added_photos: int
    refusals: tuple[Refusal, ...] = field(default=())
    duplicates: tuple[str, ...] = field(default=())
    namesakes: tuple[int, ...] = field(default=())
    forgotten: bool = False
    is_incomplete: bool = False
    remarks: tuple[Remark, ...] = field(default=())


def enrol_all(
    records: Iterable[SourceRecord | Refusal],
    gallery: GalleryChange,
    finder: FaceFinder,
    demands: Demands = USUAL_DEMANDS,
) -> Iterator[Enrolment]:
    """Enrol performers one by one; each is fully stored when its Enrolment is yielded."""
    owners = PhotoOwners()
    for record in records:
        if isinstance(record, Refusal):
            yield Enrolment(record.performer, None, 0, (record,))
        else:
            yield enrol_performer(record, gallery, finder, demands, owners)


@dataclass(frozen=True, eq=False)
class Looked:
    """A record whose photos were read, to be stored by `store`."""

    record: SourceRecord
    photos: PhotosRead


def enrol_performer(
    record: SourceRecord,
    gallery: GalleryChange,
    finder: FaceFinder,
    demands: Demands = USUAL_DEMANDS,
    owners: PhotoOwners | None = None,
) -> Enrolment:
    """Encode one performer's new photos, and store them in one step.

    A performer without any usable photo is not added: `change` is None.
    """
    looked = look_at(record, gallery, finder, demands)
    if isinstance(looked, Enrolment):
        return looked
    return store(looked, gallery, owners or PhotoOwners())


def look_at(
    record: SourceRecord, gallery: Gallery, finder: FaceFinder, demands: Demands = USUAL_DEMANDS
) -> Looked | Enrolment:
    """Encode one performer's new photos; an Enrolment says that there is nothing to store.

    The gallery is only read, so others may change it meanwhile.
    """
    performer = tidy(record.performer)
    if complaint := find_complaint(performer):
        return refused(performer, complaint)
    photos_read = PhotosRead(finder, demands)
    try:
        stored = gallery.find_same(performer)
        if stored and not demands.look_again and is_done(record, gallery):
            return Enrolment(performer.name, "unchanged", 0)
        if stored:
            photos_read.know(gallery.encodings(stored.id), gallery.removed_photos(stored.id))
    except (IdentityConflictError, DamagedVectorError) as error:
        return refused(performer, str(error))
    except ForgottenError:
        return Enrolment(performer.name, None, 0, forgotten=True)
    photos_read.look_at_all(performer.name, record.photos)
    return Looked(record, photos_read)


def store(looked: Looked, gallery: GalleryChange, owners: PhotoOwners) -> Enrolment:
    """Store one performer with the photos that are new, in one step.

    `owners` is one for all performers of an import.
    """
    performer, photos_read = tidy(looked.record.performer), looked.photos
    change: Change | None = None
    try:
        owners.read(gallery)
        if photos_read.new or gallery.find_same(performer):
            change = gallery.enrol(performer, photos_read.new, photos_read.poster())
    except (IdentityConflictError, DamagedVectorError) as error:
        return refused(performer, str(error))
    except ForgottenError:
        return Enrolment(performer.name, None, 0, forgotten=True)
    if change and looked.record.updated_at and not photos_read.is_incomplete:
        gallery.note_updated_at(_own_identity(performer), looked.record.updated_at)
    return Enrolment(
        performer.name,
        change,
        photos_read.added,
        tuple(photos_read.refusals),
        tuple(photos_read.duplicates),
        _namesakes(performer, gallery) if change == "added" else (),
        is_incomplete=photos_read.is_incomplete,
        remarks=(
            *looked.record.remarks,
            *photos_read.remarks,
            *(_shared(looked, gallery, owners) if change else ()),
            *_without_photos(looked.record, change),
        ),
    )


def _shared(looked: Looked, gallery: Gallery, owners: PhotoOwners) -> Iterator[Remark]:
    """Name the new photos that are enrolled as somebody else already."""
    performer, new = tidy(looked.record.performer), looked.photos.new
    if new and (stored := gallery.find_same(performer)):
        for photo, said in owners.shared(gallery, stored.id, new).items():
            yield Remark(performer.name, photo, said)


def _without_photos(record: SourceRecord, change: Change | None) -> tuple[Remark, ...]:
    """Name who is not enrolled for lack of a photo: nothing else in the report would."""
    if change or record.photos:
        return ()
    return (Remark(record.performer.name, "", "not enrolled: there is no photo"),)


def is_done(record: SourceRecord, gallery: Gallery) -> bool:
    """Say whether the source has left the record unchanged since it was enrolled in full."""
    identity = _own_identity(tidy(record.performer))
    return bool(record.updated_at) and gallery.updated_at(identity) == record.updated_at


def spare_photos(
    records: Iterable[SourceRecord | Refusal], gallery: Gallery, *, look_again: bool = False
) -> Iterator[SourceRecord | Refusal]:
    """Remove the photos from records that need none, so that they are not fetched.

    Those are records of forgotten performers and, unless `look_again`, those that are done.
    """
    for record in records:
        if isinstance(record, SourceRecord) and (
            _cannot_be_enrolled(record, gallery) or (not look_again and is_done(record, gallery))
        ):
            yield replace(record, photos=())
        else:
            yield record


def _cannot_be_enrolled(record: SourceRecord, gallery: Gallery) -> bool:
    performer = tidy(record.performer)
    if find_complaint(performer):
        return True
    try:
        gallery.find_same(performer)
    except (ForgottenError, IdentityConflictError):
        return True
    return False


def _own_identity(performer: Performer) -> Identity:
    return Identity(performer.source, performer.source_id)


def refused(performer: Performer, reason: str) -> Enrolment:
    """Say that a performer was not enrolled, and why."""
    # A name may be refused for its length; the report shows how it begins.
    name = show_text(" ".join(performer.name.split()))[:80]
    return Enrolment(name, None, 0, (Refusal(name, "", reason),))


def _namesakes(performer: Performer, gallery: Gallery) -> tuple[int, ...]:
    (stored,) = gallery.find_identities(identities_of(performer))
    return tuple(one.id for one in gallery.namesakes(stored))
