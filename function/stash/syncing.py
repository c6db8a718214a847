"""Keeps the gallery in step with Stash: who is in it, by what name, with which photos."""

from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from db.errors import GalleryError
from db.galleries import Gallery, Store
from db.ledgers import Ledger
from db.locked import changing
from db.writes import Write
from function.imports.enrol import Enrolment, look_at, store
from function.imports.finders import FaceFinder, ReaderFinder
from function.imports.owners import PhotoOwners
from function.imports.photos import Demands
from function.imports.prefetch import read_ahead
from function.imports.reports import Report
from function.sandbox.readers import Reader
from function.settings import Settings
from function.sources.downloads import Downloads
from function.sources.records import Refusal, SourceRecord, UnusableSourceError
from function.stash.client import Stash
from function.stash.connection import Connection
from function.stash.following import Followed, known_in_stash
from function.stash.following import follow as follow_ids
from function.stash.forgotten import is_forgotten, note_former_names
from function.stash.heirs import find_heirs
from function.stash.paths import locator
from function.stash.performers import performer_of, read_record
from function.stash.records import SOURCE, StashPerformer
from function.stash.scene_faces import Learned, Lookout, Step
from function.stash.synced import Synced, SyncOptions, WithoutPhoto
from function.stash.tagged import note_tagged

IMAGES_READ = f"{SOURCE} images"
"""The checkpoint of Stash's images: those tagged later carry a later time."""

LONG_AGO = "2000-01-01T00:00:00Z"
"""Before any image was, as Stash writes it: the checkpoint of a Stash without images."""

NO_PHOTO = "no cover in Stash, and no picture that shows them alone"

Present: TypeAlias = Mapping[str, StashPerformer]
"""Everyone in Stash, by id."""


Learn: TypeAlias = Callable[[Present], Generator[Step, None, Learned]]
"""Enrols from scenes, given everyone in Stash by id."""

Note: TypeAlias = Callable[[Present], tuple[str, ...]]
"""Notes whom the user tagged on scenes, given everyone in Stash by id; returns what to tell."""


def sync(
    stash: Stash,
    gallery_store: Store,
    ledger: Ledger | None,
    finder: FaceFinder,
    *,
    options: SyncOptions | None = None,
    learn: Learn | None = None,
    note: Note | None = None,
) -> Generator[Step, None, Synced]:
    """Compare everyone in Stash with the gallery, and enrol what is new or changed.

    Yields how far it is; what it did is returned at its end. Photos are read without the gallery's
    lock; each performer is stored in one short step, so that corrections can be made meanwhile, and
    so that it can be ended at any moment. What cannot be read is reported, and the rest goes on.
    `learn` comes last: it enrols from scenes, given who is in Stash. Then `note` remembers whom the
    user tagged on scenes.

    Raises:
        UnusableSourceError: Stash does not answer, or refuses the key.
        GalleryError: the gallery or the ledger cannot be used; see `db.errors`.
    """
    chosen = options or SyncOptions()
    # Read first: what changes while we read is then newer than the checkpoint.
    newest_image = stash.newest_image_change()
    present = {one.id: one for one in stash.performers()}
    followed = _follow(stash, gallery_store, ledger, present, accept=chosen.accept_missing)
    work = _Work(stash, gallery_store, finder, chosen, present, _images_written(ledger))
    report = Report()
    yield from work.fill(report)
    with gallery_store.gallery() as opened:
        opened.log("stash sync", report.counts())
        if not report.stopped:
            opened.note_checkpoint(IMAGES_READ, newest_image or LONG_AGO)
    learned = (yield from learn(present)) if learn and not report.stopped else None
    if note and not report.stopped:
        followed += Followed(notes=note(present))
    with gallery_store.gallery() as opened:
        without = tuple(_without_photo(opened, stash, present))
    return Synced(followed, report, without, learned)


def _follow(
    stash: Stash, store: Store, ledger: Ledger | None, present: Present, *, accept: bool
) -> Followed:
    """Bring the gallery's ids in step; Stash is asked before the gallery is locked."""
    heirs = find_heirs(stash, store, present)
    with changing(store) as gallery:
        note_former_names(gallery, stash)
        return follow_ids(gallery, ledger, present, heirs=heirs, accept=accept)


def keep_up(stash: Stash, store: Store, ledger: Ledger, writes: Iterable[Write]) -> None:
    """Bring ids in step before something is undone whose performers are not in Stash any more.

    Whoever was merged since the last sync is on the scenes under another id, which the writes get.

    Raises:
        UnusableSourceError: Stash does not answer.
        GalleryError: the gallery or the ledger cannot be used; see `db.errors`.
    """
    added = {one.thing for one in writes if one.kind == "performer"}
    if store.exists() and any(stash.performer(one) is None for one in sorted(added)):
        present = {one.id: one for one in stash.performers()}
        _follow(stash, store, ledger, present, accept=False)


def sync_with(
    connection: Connection,
    gallery_store: Store,
    ledger: Ledger | None,
    reader: Reader,
    *,
    settings: Settings,
    options: SyncOptions,
) -> Generator[Step, None, Synced]:
    """Sync with the Stash of a connection, as `sync` does; `reader` looks at photos and scenes."""
    stash, locate = connection.open(), locator(settings, connection)
    lookout = Lookout(stash, gallery_store, ledger, reader, settings, locate)
    learn = partial(lookout.learn, count=options.from_scenes) if options.from_scenes else None
    note = partial(note_tagged, stash, gallery_store, ledger, locate) if ledger else None
    finder = ReaderFinder(reader)
    return sync(stash, gallery_store, ledger, finder, options=options, learn=learn, note=note)


def run(steps: Generator[Step, None, Synced], tell: Callable[[Step], None]) -> Synced:
    """Do a sync to its end, and tell of each step."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            done: Synced = end.value
            return done
        tell(step)


def is_synced(gallery: Gallery) -> bool:
    """Say whether the user has enrolled from Stash before, so that it may go on by itself."""
    return bool(gallery.checkpoint(IMAGES_READ))


@dataclass(frozen=True, eq=False)
class _Work:
    stash: Stash
    store: Store
    finder: FaceFinder
    options: SyncOptions
    present: Present
    written: Mapping[str, Collection[str]]
    """The images that we said somebody is on, by performer: nobody is learnt from them."""
    owners: PhotoOwners = field(default_factory=PhotoOwners)

    def fill(self, report: Report) -> Iterator[Step]:
        """Enrol everyone of whom something is to be read, and report on everyone."""
        with self.store.gallery() as opened:
            plan = self.plan(opened)
        try:
            for enrolment in self.enrol(plan):
                report.add(enrolment)
                yield Step(report.done, len(plan))
        except (UnusableSourceError, GalleryError) as error:
            if not report.done:
                raise
            report.stopped = str(error)
        except KeyboardInterrupt:
            report.stopped = "Interrupted."

    def plan(self, gallery: Gallery) -> list[tuple[StashPerformer, bool]]:
        """Return everyone in Stash, and whether something of them is to be read."""
        touched = self._with_new_images(gallery)
        return [
            (one, self.options.full or one.id in touched or not _is_done(gallery, one))
            for one in self.present.values()
        ]

    def enrol(self, plan: list[tuple[StashPerformer, bool]]) -> Iterator[Enrolment]:
        """Enrol those of whom something is to be read; yields what became of everyone."""
        for one, is_due in plan:
            if not is_due:
                yield Enrolment(one.name, "unchanged", 0)
        due = [one for one, is_due in plan if is_due]
        for one, record in zip(due, read_ahead(self._records(due)), strict=True):
            yield self._enrol(one, record)

    def _records(self, due: list[StashPerformer]) -> Iterator[SourceRecord | Refusal]:
        downloads = Downloads([self.stash.own_server])
        with self.store.gallery() as gallery:
            forgotten = {
                one.id
                for one in due
                if not gallery.find_identities([one.identity])
                and is_forgotten(gallery, performer_of(one))
            }
        for one in due:
            if one.id in forgotten:
                yield Refusal(one.name, "", "forgotten")
                continue
            ours = self.written.get(one.id, ())
            yield read_record(self.stash, one, self.options.images, downloads, ours)

    def _enrol(self, one: StashPerformer, record: SourceRecord | Refusal) -> Enrolment:
        if isinstance(record, Refusal):
            return Enrolment(one.name, None, 0, forgotten=True)
        # What is to be read has been decided already, by more than the time of the record.
        demands = Demands(
            self.options.demands.largest_face,
            self.options.demands.smallest_pixels,
            look_again=True,
        )
        with self.store.gallery() as gallery:
            looked = look_at(record, gallery, self.finder, demands)
        if isinstance(looked, Enrolment) and not looked.refusals:
            return looked
        with changing(self.store) as gallery:
            enrolment = (
                looked if isinstance(looked, Enrolment) else store(looked, gallery, self.owners)
            )
            if enrolment.is_incomplete:
                gallery.note_updated_at(one.identity, "")  # so that the next sync reads it again
            elif enrolment.change is None:
                reason = next((it.reason for it in enrolment.refusals), NO_PHOTO)
                gallery.note_checkpoint(_looked_at(one), f"{one.updated_at} {reason}")
        return enrolment

    def _with_new_images(self, gallery: Gallery) -> set[str]:
        """Return the ids of performers of whom pictures were tagged since the last sync.

        A performer's own time does not change with that, but the picture's does. At the first sync
        these are all who have fewer photos than they may.
        """
        if not self.options.images:
            return set()
        since = gallery.checkpoint(IMAGES_READ)
        if not since:
            return {
                one.id
                for one in self.present.values()
                for stored in gallery.find_identities([one.identity])
                if stored.encodings <= self.options.images
            }
        wanted = {
            "updated_at": {"value": since, "modifier": "GREATER_THAN"},
            "performer_count": {"value": 1, "modifier": "EQUALS"},
        }
        return {number for image in self.stash.images(wanted) for number in image.performers}


def _images_written(ledger: Ledger | None) -> Mapping[str, Collection[str]]:
    """Return the images on which we wrote each performer."""
    found: dict[str, set[str]] = defaultdict(set)
    for image, performers in (ledger.writes.all_written("image") if ledger else {}).items():
        for one in performers:
            found[one].add(image)
    return found


def _is_done(gallery: Gallery, one: StashPerformer) -> bool:
    """Say whether everything that Stash has of a performer was read before."""
    if gallery.updated_at(one.identity) == one.updated_at:
        return True
    return gallery.checkpoint(_looked_at(one)).partition(" ")[0] == one.updated_at


def _looked_at(one: StashPerformer) -> str:
    """Name the checkpoint of a performer who has no usable photo; it holds the reason, too."""
    return f"{SOURCE} performer {one.id}"


def _without_photo(
    gallery: Gallery, stash: Stash, present: Mapping[str, StashPerformer]
) -> Iterator[WithoutPhoto]:
    stored = known_in_stash(gallery)
    for number, one in present.items():
        if number in stored and stored[number].encodings:
            continue
        noted = gallery.checkpoint(_looked_at(one)).partition(" ")[2]
        if number in stored or noted:
            reason = noted or NO_PHOTO
            yield WithoutPhoto(number, one.name, reason, stash.page_of("performers", number))
