"""The simplest store: a gallery in memory. The suite of tests for stores runs on it too."""

import copy
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from db import errors
from db.addresses import StoreAddress
from db.blobs import from_blob, stack_blobs, to_blob
from db.corrections import Correction, Subject
from db.galleries import Manifest
from db.identities import combine, identities_of, renamed, without_alias
from db.marks import hash_mark, marks_of, marks_of_name
from db.models import EncodingModel, Fusion
from db.names import name_key, read_id, tidy_name
from db.records import (
    Change,
    Encoding,
    EnrolledPhoto,
    Finding,
    Generation,
    Identity,
    Listed,
    Listing,
    Performer,
)
from db.snapshots import Fused, Rejections, Snapshot, fuse

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


@dataclass
class Person:
    record: Performer
    thumbnail: bytes | None = None
    encodings: list[Encoding] = field(default_factory=list)
    removed: set[str] = field(default_factory=set)
    rejections: dict[int, tuple[bytes, str, str]] = field(default_factory=dict)
    updated: dict[Identity, str] = field(default_factory=dict)
    is_renamed: bool = False

    @property
    def hashes(self) -> set[str]:
        return {one.photo_hash for one in self.encodings}

    def put(self, record: Performer) -> None:
        """Keep a record, with the ids in the order in which SQLite hands them out."""
        in_order = replace(record, identities=tuple(sorted(identities_of(record))))
        self.record = replace(in_order, identities=identities_of(in_order))

    def add(self, encodings: Sequence[Encoding]) -> int:
        stored = {(one.photo_hash, one.model): one for one in self.encodings}
        before = len(stored)
        for one in encodings:
            stored.setdefault((one.photo_hash, one.model), one)
        self.encodings = [*stored.values()]
        return len(stored) - before


@dataclass
class Content:
    identity: int = field(default_factory=lambda: int.from_bytes(os.urandom(4), "big"))
    key: bytes = field(default_factory=lambda: os.urandom(32))
    generation: int = 0
    people: dict[int, Person] = field(default_factory=dict)
    dimensions: dict[str, int] = field(default_factory=dict)
    forgotten: dict[bytes, int] = field(default_factory=dict)
    checkpoints: dict[str, str] = field(default_factory=dict)
    journal: list[tuple[str, str, dict[str, int]]] = field(default_factory=list)
    last_id: int = 0

    def copied(self) -> "Content":
        """Copy all that a change may put something into; what is in it is frozen."""
        people = {
            number: Person(
                person.record,
                person.thumbnail,
                person.encodings,  # never changed in place
                set(person.removed),
                dict(person.rejections),
                dict(person.updated),
                person.is_renamed,
            )
            for number, person in self.people.items()
        }
        return Content(
            self.identity,
            self.key,
            self.generation,
            people,
            dict(self.dimensions),
            dict(self.forgotten),
            dict(self.checkpoints),
            list(self.journal),
            self.last_id,
        )

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id


def fold(text: str) -> str:
    return name_key(text)


def change(
    method: Callable[Concatenate["MemoryGallery", Given], Answer],
) -> Callable[Concatenate["MemoryGallery", Given], Answer]:
    """Make a method store all of its changes or none, and increase the generation."""

    def whole(self: "MemoryGallery", /, *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        before = self.held.copied()
        try:
            answer = method(self, *args, **kwargs)
        except BaseException:
            self.held.__dict__.update(before.__dict__)
            raise
        self.held.generation += answer != "unchanged"
        return answer

    return whole


class MemoryGallery:
    def __init__(self, held: Content) -> None:
        self.held = held

    def generation(self) -> Generation:
        return self.held.identity, self.held.generation

    def performers(self) -> list[Performer]:
        everyone = [self.performer(number) for number in self.held.people]
        return sorted(everyone, key=lambda one: (one.name, one.id))

    def performer(self, performer_id: int) -> Performer:
        person = self._person(performer_id)
        return replace(person.record, encodings=len(person.hashes))

    def encodings(self, performer_id: int) -> list[Encoding]:
        person = self.held.people.get(performer_id)
        order = [*self.held.dimensions]
        return sorted(person.encodings, key=lambda one: order.index(one.model)) if person else []

    def photo_face(self, performer_id: int, photo_hash: str) -> bytes | None:
        found = (one.face for one in self.encodings(performer_id) if one.photo_hash == photo_hash)
        return next(filter(None, found), None)

    def thumbnail(self, performer_id: int) -> bytes | None:
        person = self.held.people.get(performer_id)
        return person.thumbnail if person else None

    def models(self) -> list[str]:
        used = {one.model for person in self.held.people.values() for one in person.encodings}
        return [model for model in self.held.dimensions if model in used]

    def count_photos(self, model: str) -> int:
        everything = (one for person in self.held.people.values() for one in person.encodings)
        return sum(one.model == model for one in everything)

    def snapshot(self, model: EncodingModel, fusions: Sequence[Fusion] = ()) -> Snapshot:
        if self.models() and model.id not in self.models():
            raise errors.OtherModelError(f"It holds {self.models()[0]}, the engine's of {model.id}")
        people = [*enumerate(self.held.people.values())]
        rows = [(at, e) for at, one in people for e in one.encodings if e.model == model.id]
        said = [(at, r) for at, one in people for r in one.rejections.values() if r[1] == model.id]
        return Snapshot(
            generation=self.generation(),
            model=model,
            performers=tuple(self.performer(one.record.id) for _, one in people),
            vectors=stack_blobs([to_blob(one.vector) for _, one in rows], model.dimensions),
            owners=np.array([at for at, _ in rows], np.intp),
            qualities=np.array([one.quality for _, one in rows], np.float32),
            rejections=Rejections(
                stack_blobs([vector for _, (vector, _, _) in said], model.dimensions),
                np.array([at for at, _ in said], np.intp),
            ),
            fused=tuple(fused for fusion in fusions if (fused := self._fused(fusion))),
        )

    def _fused(self, fusion: Fusion) -> Fused | None:
        pairs = [
            (at, one, other)
            for at, person in enumerate(self.held.people.values())
            for one in person.encodings
            for other in person.encodings
            if (one.model, other.model) == fusion.models and one.photo_hash == other.photo_hash
        ]
        vectors = (
            stack_blobs([to_blob(one.vector) for _, one, _ in pairs], fusion.parts[0].dimensions),
            stack_blobs([to_blob(one.vector) for _, _, one in pairs], fusion.parts[1].dimensions),
        )
        qualities = np.array([one.quality for _, one, _ in pairs], np.float32)
        owners = np.array([at for at, _, _ in pairs], np.intp)
        return fuse(fusion, vectors, qualities, owners, people=len(self.held.people))

    def find_performer(self, name_or_id: str) -> Performer:
        number = read_id(name_or_id)
        found = [] if number else self.find_named(name_or_id)
        if not found:
            found = [one for one in self.performers() if str(one.id) == (number or name_or_id)]
        if not found:
            raise errors.PerformerNotFoundError(f"No performer is called {name_or_id!r}.")
        if len(found) > 1:
            ids = ", ".join(f"id:{one.id} ({one.disambiguation or one.source})" for one in found)
            raise errors.AmbiguousNameError(f"{name_or_id!r} may be any of {ids}. Give the id.")
        return found[0]

    def find_named(self, name: str) -> list[Performer]:
        found = [one for one in self.performers() if fold(one.name) == fold(name)]
        found.sort(key=lambda one: one.id)
        exactly = [one for one in found if one.name == tidy_name(name)]
        return exactly if len(exactly) == 1 else found

    def find_identities(self, identities: Sequence[Identity]) -> list[Performer]:
        wanted = {*identities}
        held = self.held.people.items()
        return [
            self.performer(number)
            for number, person in held
            if wanted & {*identities_of(person.record)}
        ]

    def find_same(self, performer: Performer) -> Performer | None:
        found = self.find_identities(identities_of(performer))
        if len(found) > 1:
            ids = " ".join(f"id:{one.id}" for one in found)
            raise errors.IdentityConflictError(f"{performer.name} carries two ids: merge {ids}")
        if not found and self.is_forgotten(performer):
            raise errors.ForgottenError(f"{performer.name} was forgotten")
        return found[0] if found else None

    def is_forgotten(self, performer: Performer) -> bool:
        return any(self._hash(mark) in self.held.forgotten for mark in marks_of(performer))

    def namesakes(self, performer: Performer) -> list[Performer]:
        alike = [one for one in self.performers() if fold(one.name) == fold(performer.name)]
        return [one for one in alike if one.id != performer.id]

    def search(self, text: str, start: int, limit: int) -> Listing:
        def names(one: Performer) -> list[str]:
            return [fold(name) for name in (one.name, *one.aliases)]

        wanted = fold(text)
        found = [one for one in self.performers() if any(wanted in name for name in names(one))]
        found.sort(key=lambda one: (not names(one)[0].startswith(wanted), names(one)[0], one.id))
        page = [
            Listed(
                one.id, one.name, one.disambiguation, one.encodings, bool(self.thumbnail(one.id))
            )
            for one in found[start : start + limit]
        ]
        return Listing(tuple(page), len(found))

    def photos(self, performer_id: int) -> list[EnrolledPhoto]:
        first = {one.photo_hash: one for one in reversed(self.encodings(performer_id))}
        photos = [one for one in self.encodings(performer_id) if first[one.photo_hash] is one]
        return [EnrolledPhoto(one.origin, one.quality, one.model, one.photo_hash) for one in photos]

    def photo_hashes(self, performer_id: int, model: str) -> set[str]:
        return {one.photo_hash for one in self.encodings(performer_id) if one.model == model}

    def photo_owners(self, only: Collection[str] | None = None) -> dict[str, int]:
        owners: dict[str, int] = {}
        for number in sorted(self.held.people):
            for one in self.encodings(number):
                if only is None or one.photo_hash in only:
                    owners.setdefault(one.photo_hash, number)
        return owners

    def removed_photos(self, performer_id: int) -> set[str]:
        person = self.held.people.get(performer_id)
        return {*person.removed} if person else set()

    def updated_at(self, identity: Identity) -> str:
        people = self.held.people.values()
        return "".join(person.updated.get(identity, "") for person in people)

    def note_updated_at(self, identity: Identity, when: str) -> None:
        for one in self.find_identities([identity]):
            self._person(one.id).updated[identity] = when

    def checkpoint(self, source: str) -> str:
        return self.held.checkpoints.get(source, "")

    def note_checkpoint(self, source: str, when: str) -> None:
        self.held.checkpoints[source] = when

    def journal(self) -> list[tuple[str, str, dict[str, int]]]:
        return [*self.held.journal]

    def log(self, verb: str, counts: dict[str, int]) -> None:
        self.held.journal.append((f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", verb, counts))

    @change
    def enrol(
        self, performer: Performer, encodings: Sequence[Encoding], thumbnail: bytes | None
    ) -> Change:
        stored = self.find_same(performer)
        number = stored.id if stored else self.held.next_id()
        person = self.held.people.setdefault(number, Person(replace(performer, id=number)))
        before = copy.copy(person)
        if stored:
            performer = combine(person.record, performer, keep_name=person.is_renamed)
        person.put(replace(performer, id=number))
        if thumbnail is not None:
            person.thumbnail = person.thumbnail or thumbnail
        added = person.add(self._fitting(person, encodings))
        if stored is None:
            return "added"
        is_same = (person.record, person.thumbnail) == (before.record, before.thumbnail)
        return "unchanged" if is_same and not added else "updated"

    @change
    def assign(
        self, performer: Performer, subject: Subject, instead_of: Performer | None = None
    ) -> Correction:
        same = self.find_same(performer)
        before = copy.deepcopy(self._person(same.id)) if same else Person(performer)
        self.enrol(performer, subject.encodings, subject.picture)
        (stored,) = self.find_identities([Identity(performer.source, performer.source_id)])
        return Correction(
            performer=stored,
            created=same is None,
            photo_hashes=tuple(sorted(self._person(stored.id).hashes - before.hashes)),
            added=self.reject(instead_of, subject).added if instead_of else (),
            lifted=self._lift(stored, subject),
            picture=None if before.thumbnail else subject.picture,
        )

    @change
    def reject(self, performer: Performer, subject: Subject) -> Correction:
        person, number = self._person(performer.id), self.held.next_id()
        vector = to_blob(subject.template)
        person.rejections[number] = (vector, subject.model.id, subject.origin)
        return Correction(self.performer(performer.id), added=(number,))

    @change
    def undo(self, correction: Correction) -> None:
        for person in self.held.people.values():
            for added in correction.added:
                person.rejections.pop(added, None)
        number = correction.performer.id
        if number in self.held.people:
            person = self.held.people[number]
            for _, vector, model, origin in correction.lifted:
                person.rejections[self.held.next_id()] = (vector, model, origin)
            self._drop(person, {*correction.photo_hashes})
            if person.thumbnail == correction.picture:
                person.thumbnail = None
            if correction.created and not person.encodings:
                del self.held.people[number]

    @change
    def merge(self, kept: Performer, absorbed: Performer) -> Performer:
        if kept.id == absorbed.id:
            raise errors.GalleryError(f"{kept.name} cannot be merged with itself")
        one, other = self._person(kept.id), self._person(absorbed.id)
        self.log("merge", {"performers": 2, "encodings": len(other.hashes)})
        one.put(combine(one.record, other.record, keep_name=True))
        one.add(other.encodings)
        one.thumbnail = one.thumbnail or other.thumbnail
        one.removed |= other.removed
        one.rejections |= other.rejections
        one.updated |= other.updated
        del self.held.people[absorbed.id]
        return self.performer(kept.id)

    @change
    def rename_identities(self, renamed: Mapping[Identity, Identity]) -> int:
        return sum(self._rename_identity(*pair) for pair in renamed.items())

    @change
    def rename(self, performer: Performer, name: str, disambiguation: str | None) -> None:
        person = self._person(performer.id)
        person.put(renamed(person.record, name, disambiguation))
        person.is_renamed = True

    @change
    def remove_alias(self, performer: Performer, alias: str) -> None:
        person = self._person(performer.id)
        person.put(without_alias(person.record, alias))

    @change
    def remove_photo(self, performer: Performer, photo: str) -> int:
        person = self._person(performer.id)
        found = {
            one.photo_hash
            for one in person.encodings
            if one.origin == photo or (photo.isalnum() and one.photo_hash.startswith(photo))
        }
        if len(found) != 1:
            many = f"{len(found)} photos" if found else "no photo"
            raise errors.PerformerNotFoundError(f"{performer.name} has {many} {photo!r}.")
        before = len(person.encodings)
        self._drop(person, found)
        person.removed |= found
        if not person.encodings:
            person.thumbnail = None
        self.log("remove-photo", {"encodings": before - len(person.encodings)})
        return before - len(person.encodings)

    @change
    def allow_photos(self, performer: Performer) -> None:
        self._person(performer.id).removed.clear()

    @change
    def forget(self, performer: Performer) -> None:
        stored = self.performer(performer.id)
        ids = [("id", identity.source_id) for identity in stored.identities]
        for mark in (*marks_of(stored), *ids):
            self.held.forgotten[self._hash(mark)] = stored.id
        del self.held.people[stored.id]
        self.log("forget", {"encodings": stored.encodings})

    @change
    def unforget(self, name_or_id: str, disambiguation: str = "") -> None:
        marks = (*marks_of_name(name_or_id, disambiguation), ("id", name_or_id))
        hashes = {self._hash(mark) for mark in marks} & self.held.forgotten.keys()
        if not hashes:
            raise errors.PerformerNotFoundError(f"Nobody called {name_or_id!r} was forgotten.")
        found = {self.held.forgotten[one] for one in hashes}
        kept = {mark: who for mark, who in self.held.forgotten.items() if who not in found}
        self.held.forgotten = kept
        self.log("unforget", {"performers": len(found)})

    def _rename_identity(self, former: Identity, new: Identity) -> bool:
        owners = self.find_identities([former])
        if not owners or former == new:
            return False
        if {one.id for one in self.find_identities([new])} - {owners[0].id}:
            raise errors.IdentityConflictError(f"{new} is another performer's")
        person = self._person(owners[0].id)
        record = person.record
        ids = [new if one == former else one for one in identities_of(record)]
        person.put(
            replace(
                record,
                source=ids[0].source,
                source_id=ids[0].source_id,
                identities=tuple(dict.fromkeys(ids)),
            )
        )
        if former in person.updated:
            person.updated.setdefault(new, person.updated.pop(former))
        return True

    def _person(self, number: int) -> Person:
        if number not in self.held.people:
            raise errors.PerformerNotFoundError(f"There is no performer {number}, or no longer.")
        return self.held.people[number]

    def _hash(self, mark: tuple[str, ...]) -> bytes:
        return hash_mark(self.held.key, mark)

    def _fitting(self, person: Person, encodings: Sequence[Encoding]) -> list[Encoding]:
        """Refuse encodings that do not fit into the gallery; the primary model's come first."""
        models = self.models()
        if encodings and not models:
            self.held.dimensions, models = {}, [encodings[0].model]
        known = {
            one.photo_hash for one in [*person.encodings, *encodings] if one.model == models[0]
        }
        for one in encodings:
            from_blob(to_blob(one.vector), self.held.dimensions.get(one.model, len(one.vector)))
            self.held.dimensions.setdefault(one.model, len(one.vector))
            if one.photo_hash not in known:
                raise errors.OtherModelError(f"It has encodings of {models[0]}, not of {one.model}")
        return sorted(encodings, key=lambda one: one.model != models[0])

    def _lift(
        self, performer: Performer, subject: Subject
    ) -> tuple[tuple[int, bytes, str, str], ...]:
        said = self._person(performer.id).rejections
        near = [
            number
            for number, (vector, model, _) in said.items()
            if model == subject.model.id
            and np.linalg.norm(np.frombuffer(vector, "<f4") - subject.template)
            < subject.model.rejected_within
        ]
        return tuple((performer.id, *said.pop(number)) for number in near)

    @staticmethod
    def _drop(person: Person, photos: set[str]) -> None:
        person.encodings = [one for one in person.encodings if one.photo_hash not in photos]


class MemoryStore:
    """One gallery in this process, or none yet."""

    def __init__(self) -> None:
        self.address = StoreAddress("memory.db")
        self._held: Content | None = None
        self._turn = threading.Lock()

    def exists(self) -> bool:
        return self._held is not None

    def create(self) -> None:
        self._held = self._held or Content()

    @contextmanager
    def gallery(self) -> Iterator[MemoryGallery]:
        yield MemoryGallery(self._require())

    @contextmanager
    def changing(self, *, create: bool = False) -> Iterator[MemoryGallery]:
        if create:
            self.create()
        held = self._require()
        if not self._turn.acquire(blocking=False):
            raise errors.GalleryLockedError("Another import or edit is running on it.")
        try:
            yield MemoryGallery(held)
        finally:
            self._turn.release()

    @contextmanager
    def rehearsing(self) -> Iterator[MemoryGallery]:
        yield MemoryGallery(copy.deepcopy(self._held) or Content())

    def check(self, models: Sequence[str] = (), *, tell_folder: bool = True) -> Iterator[Finding]:
        del models, tell_folder
        self._require()
        yield Finding("ok", "It is in memory.")

    def finish_erasing(self) -> None:
        pass

    def backups(self) -> list[str]:
        return []

    def export_bundle(self, destination: Path) -> Manifest:
        raise errors.GalleryError(f"It is in memory, and cannot become {destination.name}.")

    def _require(self) -> Content:
        if self._held is None:
            raise errors.GalleryMissingError(f"There is no gallery {self.address.name}.")
        return self._held
