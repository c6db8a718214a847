"""Scans with the workers of a cluster: each reads as many videos at once as it has places for.

Albums are read on this machine meanwhile: they are few next to videos, and soon looked through.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace

from db.ledgers import Ledger
from function.errors import EngineUnavailableError, StoppingError
from function.library.scan_events import Event
from function.library.scanning import Scanner
from function.sandbox.wire import WireError
from tools.cluster.clusters import Cluster, WorkerFailedError
from tools.cluster.connecting import is_safe
from tools.cluster.messages import Refused, Terms, WorkerReady, read
from tools.cluster.readers import ClusterReader
from tools.cluster.work import describe
from tools.library.hands import Hands

LOOKED_EVERY_SECONDS = 0.5
"""How soon a worker that joins gets work, and the end of a scan is noticed."""

MOST_PLACES = 1000
"""Of a worker; each takes a thread here, and no machine reads nearly as many videos at once."""

READY_WITHIN_SECONDS = 180.0
"""A worker loads its nets, and converts them if it is the first time."""


@dataclass(eq=False)
class Member:
    """A worker that has, or may have, work: a thread for each video that it reads at once."""

    address: str
    stopping: threading.Event = field(default_factory=threading.Event)
    is_known: bool = False
    places: int = 0
    idle: int = 0


class ClusterCrew:
    """Hands the videos of a scanner to workers, also to those that come later.

    `most` is the number of videos in work at once. `tell` is given a line on each worker that
    comes, is lost, or cannot be used. `here` opens what reads albums on this machine.
    """

    def __init__(
        self,
        cluster: Cluster,
        reader: ClusterReader,
        terms: Terms,
        tell: Callable[[str], None],
        most: int | None = None,
        *,
        here: Callable[[], Hands],
    ) -> None:
        self._here = here
        self._hands: Hands | None = None
        self._albums: threading.Thread | None = None
        self._albums_stopping = threading.Event()
        self._cluster = cluster
        self._reader = reader
        self._terms = terms
        self._tell = tell
        self._most = most
        self._lock = threading.Lock()
        self._members: dict[str, Member] = {}
        self._unfit: set[str] = set()
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []
        self._has_told_none = False

    def run(self, scanner: Scanner) -> Generator[Event]:
        """Scan until the queue is empty; closing it ends the work cleanly.

        Raises:
            EngineUnavailableError: the scheduler is gone.
            GalleryError: the gallery or the ledger cannot be used; see `db.errors`.
            StoppingError: `scanner.stopping` was set.
        """
        try:
            self._start_albums(scanner)
            while not self._errors and not self._is_done(scanner):
                if scanner.stopping.is_set() or self._cluster.closing.is_set():
                    raise StoppingError("The scan was ended.")
                self._look(scanner)
                yield from self._wait()
        finally:
            self._end()
        while not self._events.empty():
            yield self._events.get()
        if self._errors:
            raise self._errors[0]

    def _wait(self) -> Generator[Event]:
        """Yield what happens, until it is time to look again."""
        try:
            yield self._events.get(timeout=LOOKED_EVERY_SECONDS)
            while not self._events.empty():
                yield self._events.get()
        except queue.Empty:
            return

    def _start_albums(self, scanner: Scanner) -> None:
        """Read the albums of a scanner on this machine, if there are any, until the scan ends."""
        albums = _albums(scanner.ledger, scanner.only)
        if not albums:
            return
        try:
            hands = self._hands = self._here()
        except EngineUnavailableError as error:
            self._leave_albums(error)
            return
        own = replace(
            scanner,
            reader=hands.reader,
            pictures=hands.pictures,
            stopping=self._albums_stopping,
            only=albums,
        )

        def read() -> None:
            try:
                with closing(hands.reader), closing(hands.run(own)) as events:
                    for event in events:
                        self._events.put(event)
            except EngineUnavailableError as error:
                self._leave_albums(error)
            except BaseException as error:  # noqa: BLE001  # raised again by `run`
                if not self._cluster.closing.is_set():
                    self._errors.append(error)

        self._albums = threading.Thread(target=read, name="scan albums", daemon=True)
        self._threads.append(self._albums)
        self._albums.start()

    def _leave_albums(self, error: EngineUnavailableError) -> None:
        """Say that albums stay queued; the workers need nothing of this machine to read videos."""
        self._tell(f"Albums are left, as this machine cannot read them: {error}")

    def _end(self) -> None:
        self._cluster.closing.set()
        # First: what is paused hears nothing else.
        self._albums_stopping.set()
        if self._hands:
            self._hands.reader.close()
        with self._lock:
            for member in self._members.values():
                member.stopping.set()
        for thread in self._threads:
            thread.join()

    def _is_done(self, scanner: Scanner) -> bool:
        """Say whether nobody has work, and nothing is left."""
        if self._albums and self._albums.is_alive():
            return False
        with self._lock:
            members = self._members.values()
            if any(member.idle < member.places or not member.is_known for member in members):
                return False
        return self._events.empty() and not _is_open(scanner.ledger, scanner.only)

    def _look(self, scanner: Scanner) -> None:
        """Take in workers that came, and give up those that are gone."""
        alive = self._cluster.look()
        with self._lock:
            lost = [one for address, one in self._members.items() if address not in alive]
            new = alive - self._members.keys() - self._unfit
            self._unfit &= alive
            for member in lost:
                member.stopping.set()
                del self._members[member.address]
            for address in new:
                self._members[address] = Member(address)
            self._note_fit()
            # Last: whoever reads with a worker that is gone must not begin another video.
            self._cluster.alive = alive
        for member in lost:
            self._tell(f"The worker {member.address} was lost.")
        for address in sorted(new):
            self._start(self._take_in, self._members[address], scanner)
        if not self._members and not self._has_told_none:
            self._has_told_none = True
            self._tell(
                "No worker can be used yet. The scan continues when one joins; Ctrl-C ends it."
            )

    def _note_fit(self) -> None:
        known = {one.address for one in self._members.values() if one.is_known}
        self._cluster.fit = tuple(sorted(known))
        self._cluster.joining = len(known) < len(self._members)

    def _start(
        self, work: Callable[[Member, Scanner], None], member: Member, scanner: Scanner
    ) -> None:
        def guarded() -> None:
            try:
                work(member, scanner)
            except StoppingError as error:
                if not member.stopping.is_set() and not self._cluster.closing.is_set():
                    self._give_up(member, str(error))
            except EngineUnavailableError as error:
                self._give_up(member, str(error))
            except BaseException as error:  # noqa: BLE001  # raised again by `run`
                self._errors.append(error)

        thread = threading.Thread(target=guarded, name=f"scan {member.address}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _give_up(self, member: Member, reason: str) -> None:
        member.stopping.set()
        with self._lock:
            is_new = self._members.pop(member.address, None) is not None
            self._unfit.add(member.address)
            self._note_fit()
        if is_new:
            self._tell(f"The worker {member.address} cannot be used: {reason}")

    def _take_in(self, member: Member, scanner: Scanner) -> None:
        """Ask a worker what it is, and give it work if that fits."""
        slots = self._ask(member)
        with self._lock:
            taken = sum(one.places for one in self._members.values())
            free = slots if self._most is None else min(slots, self._most - taken)
            member.places, member.is_known = max(0, free), True
            self._note_fit()
        if free > 0:
            self._tell(f"The worker {member.address} reads {free} at once.")
        for _ in range(free):
            self._start(self._serve, member, scanner)

    def _ask(self, member: Member) -> int:
        """Return how many videos a worker reads at once.

        Raises:
            EngineUnavailableError: it cannot read them as they are read elsewhere.
        """
        if not is_safe(member.address):
            raise EngineUnavailableError(
                "its connection is not encrypted. Start the scheduler and all workers with tls."
            )
        ready = self._described(member)
        for name, theirs in vars(ready.terms).items():
            ours = getattr(self._terms, name)
            if theirs != ours:
                raise EngineUnavailableError(
                    f"its {name} is {_spell(theirs)}, and here it is {_spell(ours)}. Results would "
                    "differ; make them the same."
                )
        if not 1 <= ready.slots <= MOST_PLACES:
            raise EngineUnavailableError(
                f"it says that it reads {ready.slots} at once; 1 to {MOST_PLACES} can be."
            )
        return ready.slots

    def _described(self, member: Member) -> WorkerReady:
        asking = self._cluster.ask(describe, member.address)
        give_up_at = time.monotonic() + READY_WITHIN_SECONDS
        try:
            with closing(asking):
                while time.monotonic() < give_up_at:
                    next(asking)
        except StopIteration as ended:
            return _read(ended.value)
        except WorkerFailedError as error:
            raise EngineUnavailableError(
                f"it cannot run this program ({' '.join(str(error).split())}). Start scheduler and "
                "workers in the program's folder, with PYTHONPATH=. and the same version."
            ) from error
        raise EngineUnavailableError("it was not ready in time.")

    def _serve(self, member: Member, scanner: Scanner) -> None:
        """Have a worker read one video after the other, until it or the scan ends."""
        own = replace(
            scanner,
            reader=self._reader.on(member.address),
            pictures=None,
            stopping=member.stopping,
            owner=member.address,
        )
        while not member.stopping.is_set():
            with closing(own.scan_all()) as events:
                for event in events:
                    self._events.put(event)
            # Somebody may be lost, whose video is then to be read by another.
            with self._lock:
                member.idle += 1
            member.stopping.wait(LOOKED_EVERY_SECONDS)
            with self._lock:
                member.idle -= 1


def _read(message: bytes) -> WorkerReady:
    try:
        answer: WorkerReady | Refused = read((WorkerReady, Refused), message)
    except WireError as error:
        raise EngineUnavailableError(f"its answer is not valid: {error}.") from error
    if isinstance(answer, Refused):
        raise EngineUnavailableError(answer.message)
    return answer


def _is_open(ledger: Ledger, videos: frozenset[int] | None) -> bool:
    """Say whether any of some videos, or of all, is still to be scanned; albums are not counted."""
    counts = ledger.counts()
    if not counts.queued and not counts.working:
        return False
    records = ledger.iterate() if videos is None else ledger.records(sorted(videos))
    open_ones = (one for one in records if one.paths and one.state in ("queued", "working"))
    return any(one.kind == "video" for one in open_ones)


def _albums(ledger: Ledger, videos: frozenset[int] | None) -> frozenset[int]:
    """Return which of some videos, or of all, are albums and still to be scanned."""
    queued = (one for one in ledger.iterate("queued") if one.kind == "album")
    return frozenset(one.id for one in queued if videos is None or one.id in videos)


def _spell(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
