"""Scans the queued videos of a ledger, one after the other, and stores who is in them."""

import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from db.errors import GalleryError, GalleryLockedError
from db.galleries import Store
from db.ledgers import Ledger
from db.names import show_text
from db.videos import MOST_TRIES, Depth, Lease, Scanned
from function.errors import (
    CrashedVideoError,
    DiskMissingError,
    EngineUnavailableError,
    RecognitionError,
    StoppingError,
    TimeLimitError,
    UnreadableVideoError,
    VideoNotFoundError,
)
from function.faces.found import Progress, Task
from function.library.albums import AlbumFound, all_fingerprints_at, read_album, with_pictures
from function.library.depths import is_unclear, task_at
from function.library.finding import is_truly_below, text_of
from function.library.gate import Gate
from function.library.keeping import Watched, keep_people
from function.library.naming import open_naming
from function.library.offering import find_missing_disk
from function.library.oshash import fingerprints_of
from function.library.scan_events import Advanced, Done, Event, Failed, Started
from function.media.files import MediaFile, open_within
from function.media.photo_kinds import is_still
from function.people.gathering import PeopleFound
from function.sandbox.readers import PeopleReader, PictureReader
from function.settings import Settings

LEASE_SECONDS = 600.0
"""How long a video stays with a silent worker: grouping the faces of a crowd takes minutes on a
slow machine. Nobody waits this long for one that died: its lock tells."""

RENEWED_EVERY_SECONDS = 10.0

HELD_SECONDS = 0.2
"""How soon a scan continues when nothing holds it any more."""

LOCKED_SECONDS = 1800.0
"""How long to wait for another writer of the ledger: to rewrite a large one after a forgetting
takes minutes on a slow disk, and what was read of a video may have taken hours."""


LONGEST_SECONDS = 24 * 3600.0
"""A video's time limit in a scan; one that never ends must not hold up the night."""

NICENESS = 10
"""A scan gives way to whatever else the machine does."""

OUTSIDE = (
    "It is outside the media root of the server, which scans for this library. Scan it while the "
    "server is stopped, or add its folder to the server's MEDIA_ROOT."
)

DISK_MISSING = (
    "The videos in {folder} are not there any more; is its disk connected? They are not taken for "
    "gone, and stay queued. If you deleted them, say so: --gone"
)

MOST_MISSING = 100
"""Folders and files that are missing, after which a scan ends: the next one goes on."""

CHANGED = "{name} has changed since it was found; it may still be copied. Scan it again."

_log = logging.getLogger(__name__)

Written = TypeVar("Written")


Found: TypeAlias = PeopleFound | AlbumFound
"""What is found in a video, or in an album."""


class LostLeaseError(Exception):
    """A video took longer than its lease, which was not renewed in time: somebody else has it."""


class HeldTooLongError(Exception):
    """A video was paused for so long that its time limit ended it: it is begun again."""


@dataclass(frozen=True, eq=False)
class Scanner:
    """What scanning takes: where to queue and store, what reads videos, and the gallery.

    `strangers` says whether people are kept who may be nobody of the gallery; `keeps_strangers`, if
    given, is asked instead for each video: the user may choose again while a scan runs. `stopping`
    is set to end the work after which no video is begun, and the one in work is given back. `gate`
    says when to wait; outside its hours no video is begun. With `roots`, only files below one of
    them are read, whoever queued them; `places` are the folders in which videos were looked for,
    else it is these. Without what reads `pictures`, albums stay queued.
    """

    ledger: Ledger
    reader: PeopleReader
    store: Store
    settings: Settings
    strangers: bool
    stopping: threading.Event
    only: frozenset[int] | None = None
    keeps_strangers: Callable[[], bool] | None = None
    gate: Gate = field(default_factory=Gate)
    roots: Sequence[Path] | None = None
    places: Sequence[Path] = ()
    pictures: PictureReader | None = None
    owner: str = f"process {os.getpid()}"

    def scan_all(self) -> Generator[Event]:
        """Scan queued videos until there are none, and yield what happens.

        Raises:
            EngineUnavailableError: nothing can be read; the queue stays as it is.
            DiskMissingError: a disk is missing; what is there is scanned, the rest stays queued.
            GalleryError: the gallery or the ledger cannot be used; see `db.errors`.
        """
        missing: dict[bytes, DiskMissingError] = {}
        while not self.stopping.is_set() and self.gate.is_within_hours():
            if self.gate.is_held(self.ledger):
                if not self.ledger.counts().queued:
                    return
                self.stopping.wait(HELD_SECONDS)
                continue
            albums = self.pictures is not None
            lease = self._write(
                partial(
                    self.ledger.lease,
                    *(self.owner, LEASE_SECONDS, self.only),
                    albums=albums,
                    missing=missing,
                )
            )
            if lease is None:
                break
            try:
                yield from self._scan(lease)
            except DiskMissingError as error:
                self._write(partial(self.ledger.release, lease))
                missing |= dict.fromkeys(self._missing(lease), error)
                if len(missing) > MOST_MISSING:
                    raise
            except BaseException:
                self._write(partial(self.ledger.release, lease))
                raise
        if missing and not self.stopping.is_set():
            raise next(iter(missing.values()))

    def _missing(self, lease: Lease) -> Iterator[bytes]:
        """Yield the folders whose disk is missing where a video was; a file if it alone is."""
        for path in lease.paths:
            folder = self._missing_disk(path)
            yield bytes(folder) if folder else path

    def _missing_disk(self, path: bytes) -> Path | None:
        return find_missing_disk(self.ledger, path, self.places or self.roots or ())

    def _scan(self, lease: Lease) -> Iterator[Event]:
        paths = [
            path for path in lease.paths if self.roots is None or is_truly_below(path, self.roots)
        ]
        path = next(filter(_is_there, paths), (paths or lease.paths)[0])
        yield Started(path, lease.kind)
        try:
            yield from self._scan_one(lease, path, is_inside=bool(paths))
        except (GalleryError, StoppingError, EngineUnavailableError, DiskMissingError):
            raise
        except Exception as error:  # noqa: BLE001  # it is logged, and all others are to be scanned
            _log.exception("The scan of %s ended with an unexpected error.", text_of(path))
            reason = f"An unexpected error ended its scan ({type(error).__name__})."
            yield from self._fail(lease, path, reason, for_good=lease.tries >= MOST_TRIES)

    def _scan_one(self, lease: Lease, path: bytes, *, is_inside: bool) -> Iterator[Event]:
        try:
            if not is_inside:
                raise UnreadableVideoError(OUTSIDE)
            yield from self._read(lease, path)
        except (StoppingError, EngineUnavailableError):
            raise
        except LostLeaseError:
            _log.warning(
                "The scan of %s was cancelled, or took longer than its lease.", text_of(path)
            )
        except HeldTooLongError:
            self._write(partial(self.ledger.release, lease))
        except RecognitionError as error:
            if isinstance(error, VideoNotFoundError) or (is_inside and not _is_there(path)):
                yield self._note_gone(lease, path, error)
                return
            for_good = not isinstance(error, CrashedVideoError) or lease.tries >= MOST_TRIES
            yield from self._fail(lease, path, show_text(str(error)), for_good=for_good)

    def _note_gone(self, lease: Lease, path: bytes, error: RecognitionError) -> Failed:
        """Note that a video is not there any more, unless its disk may be missing.

        It may be back tomorrow, and then the video is scanned like one that is new.
        """
        folder = self._missing_disk(path)
        if folder:
            raise DiskMissingError(DISK_MISSING.format(folder=show_text(str(folder))))
        self._write(partial(self.ledger.note_gone, lease.paths))
        self._write(partial(self.ledger.release, lease))
        return Failed(path, show_text(str(error)), for_good=True)

    def _fail(self, lease: Lease, path: bytes, reason: str, *, for_good: bool) -> Iterator[Failed]:
        if self._write(partial(self.ledger.fail, lease, reason, for_good=for_good)):
            yield Failed(path, reason, for_good)

    def _read(self, lease: Lease, path: bytes) -> Iterator[Event]:
        video_seconds = 0.0
        held = threading.Event()
        renew_at = time.monotonic() + RENEWED_EVERY_SECONDS
        opened = self._album if lease.kind == "album" else self._video
        with closing(opened(lease, Path(os.fsdecode(path)))) as events:
            for event in _within_time(events, held):
                if not isinstance(event, Progress):
                    yield self._store(lease, path, event, video_seconds)
                    return
                # The reader of the video waits too, once it has sent a little ahead.
                while self.gate.is_held(self.ledger) and not self.stopping.wait(HELD_SECONDS):
                    held.set()
                    renew_at = self._renew_at(lease, renew_at)
                    yield Advanced(path, event)
                if self.stopping.is_set():
                    raise StoppingError("The scan was ended.")
                video_seconds = event.of_seconds or video_seconds  # it becomes more exact
                renew_at = self._renew_at(lease, renew_at)
                yield Advanced(path, event)
        raise UnreadableVideoError(f"{text_of(path)} gave no result.")

    def _video(self, lease: Lease, path: Path) -> Generator[Progress | Found]:
        with (
            open_within(path, self.roots) as media,
            closing(self.reader.find_people(media, self._task(lease))) as events,
        ):
            _refuse_changed(media, os.fsencode(path), lease)
            if is_still(media.descriptor):
                raise UnreadableVideoError(
                    f"{media.name} is a picture, though its name is that of a video. Rename it, "
                    "such as to .jpg, and scan it by its new name or with --pictures."
                )
            yield from events

    def _album(self, lease: Lease, path: Path) -> Generator[Progress | Found]:
        if self.pictures is None:
            raise UnreadableVideoError("It is an album, and nothing reads pictures here.")
        try:
            found = all_fingerprints_at(os.fsencode(path))
        except FileNotFoundError:
            raise VideoNotFoundError(f"There is no file {text_of(os.fsencode(path))}.") from None
        except OSError as error:
            raise UnreadableVideoError(f"{path.name} cannot be read ({error.strerror}).") from error
        if lease.oshash not in found:
            raise UnreadableVideoError(CHANGED.format(name=show_text(path.name)))
        open_file = partial(open_within, roots=self.roots)
        with closing(read_album(self.pictures, path, open_file)) as events:
            for event in events:
                if isinstance(event, AlbumFound):
                    self._write(partial(self.ledger.note_pictures, lease.video, event.pictures))
                yield event

    def _renew_at(self, lease: Lease, due: float) -> float:
        """Renew a lease if it is due, and return when it is due next."""
        if time.monotonic() < due:
            return due
        if not self._write(partial(self.ledger.renew, lease, LEASE_SECONDS)):
            raise LostLeaseError
        return time.monotonic() + RENEWED_EVERY_SECONDS

    def _store(self, lease: Lease, path: bytes, read: Found, video_seconds: float) -> Done:
        naming = open_naming(self.store, self.reader.second, self.settings)
        album = read if isinstance(read, AlbumFound) else None
        found = read.people if isinstance(read, AlbumFound) else read
        video = Watched(text_of(path), 0.0 if album else video_seconds, lease.kind)
        kept = keep_people(
            found,
            video,
            naming,
            strangers=self.strangers if self.keeps_strangers is None else self.keeps_strangers(),
            forgotten=self.ledger.forgotten_spans(lease.video),
            decisions=self.ledger.decisions([lease.video])[lease.video],
            tagged=self.ledger.tagged([lease.video])[lease.video],
        )
        generation = naming.generation
        scanned = self._scanned(lease, found)
        leads = [one for one in kept.outcomes if one.lead == one.position]
        named = sum(one.verdict == "match" for one in leads)
        left_out = kept.found.left_out
        people = len(leads) + left_out
        goes_on = scanned.depth == "quick" and is_unclear(people, leads)
        again: Depth | None = "normal" if goes_on else None
        outcome = (with_pictures(kept.found, album), scanned, kept.outcomes, generation)
        if not self._write(partial(self.ledger.finish, lease, *outcome, again=again)):
            raise LostLeaseError
        return Done(path, found.faces, people, named, left_out, video_seconds, goes_on)

    def _write(self, change: Callable[[], Written]) -> Written:
        """Change the ledger; wait for other writers, unless the scan is to end."""
        until = time.monotonic() + LOCKED_SECONDS
        while True:
            try:
                return change()
            except GalleryLockedError as error:
                if self.stopping.wait(HELD_SECONDS) or time.monotonic() > until:
                    raise
                _log.warning("A scan waits: %s", error)

    def _scanned(self, lease: Lease, found: PeopleFound) -> Scanned:
        """Say how a video was scanned; an album is seen whole, whatever depth was asked for."""
        if lease.kind == "album":
            return Scanned("deep", None, found.models)
        return Scanned(lease.depth, self._task(lease).every_seconds, found.models)

    def _task(self, lease: Lease) -> Task:
        return task_at(lease.depth, self.settings)


def _within_time(
    events: Iterable[Progress | Found], held: threading.Event
) -> Iterator[Progress | Found]:
    """Yield events; if the time limit passed while a video was held, nobody is blamed."""
    try:
        yield from events
    except TimeLimitError as error:
        raise HeldTooLongError if held.is_set() else error from None


def _is_there(path: bytes) -> bool:
    return os.path.exists(path)  # noqa: PTH110  # a path of bytes: its name may be no text


def _refuse_changed(media: MediaFile, path: bytes, lease: Lease) -> None:
    try:
        found = fingerprints_of(media.descriptor, path)
    except OSError as error:
        raise UnreadableVideoError(
            f"{media.name} cannot be read ({error.strerror}). Check the disk that it is on."
        ) from error
    if lease.oshash not in found:
        raise UnreadableVideoError(CHANGED.format(name=media.name))
