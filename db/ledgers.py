"""The interface of the ledger, which remembers what scans found; `db.stores` opens one."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self

from db.decisions import Decision
from db.people import Link
from db.records import Generation, Identity, Vector
from db.strangers import Strangers
from db.tasks import Tasks
from db.videos import (
    AlbumPicture,
    Content,
    Counts,
    Depth,
    Interval,
    Kind,
    Lease,
    Offered,
    Outcome,
    Scanned,
    Shown,
    Sighting,
    Stamp,
    State,
    VideoFile,
    VideoFound,
    VideoRecord,
)
from db.writes import Writes


class Ledger(Protocol):
    """Videos, the people seen in them, and the queue of those to be scanned.

    Every method is one short transaction, so that several processes may use a ledger at once. Any
    may raise an error of `db.errors`.
    """

    @property
    def strangers(self) -> Strangers:
        """The unknown people of all videos, grouped."""

    @property
    def writes(self) -> Writes:
        """What was written into the user's Stash."""

    @property
    def tasks(self) -> Tasks:
        """What is to be done for the user's Stash."""

    def close(self) -> None:
        """Close it."""

    def __enter__(self) -> Self:
        """Return the ledger."""

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def working(self) -> AbstractContextManager[bool]:
        """Become the one process that scans for this ledger; False if another one is.

        Videos that an ended process had in work are queued again, as by `take_over`.
        """

    def take_over(self) -> None:
        """Queue again what ended processes had in work, which counts as a try.

        The caller is the one process that scans: it has claimed the ledger. What somebody looks at
        `beside` it stays theirs.
        """

    def beside(self) -> AbstractContextManager[str]:
        """Look at single videos, whoever scans; gives the name of the owner to lease them under."""

    def choice(self, name: str) -> str:
        """Return what the user chose once for all scans; "" if nothing yet."""

    def choose(self, name: str, value: str) -> None:
        """Remember what the user chose."""

    def choose_by(self, name: str, choose: Callable[[str], str]) -> str:
        """Remember what follows from the earlier choice, and return it, in one transaction.

        `choose` gets "" if nothing was.
        """

    def stamps(
        self, paths: Iterable[bytes] | None = None, *, gone: bool = False
    ) -> Mapping[bytes, Stamp]:
        """Return the stamps of all known files that are there, or of those at some paths.

        With `gone`, of those that are no longer there instead, as they last were.
        """

    def offer(self, files: Iterable[VideoFile], depth: Depth) -> Offered:
        """Add files, and queue the videos that are new, to be scanned at this depth.

        A file whose content is known under another path is only noted as another place of it. A
        failed video is queued again if its file was written since.
        """

    def want(self, videos: Iterable[int], depth: Depth) -> int:
        """Queue those of some videos that were scanned less deeply; return how many.

        Those that were not scanned yet will be scanned at this depth, too.
        """

    def want_again(self, videos: Iterable[int], depth: Depth) -> int:
        """Queue those of some videos that were done, at this depth or the deeper one they had."""

    def note_gone(self, paths: Iterable[bytes]) -> int:
        """Note that files are no longer there; return how many were known."""

    def note_back(self, paths: Iterable[bytes]) -> None:
        """Note that files which were gone are back, as they last were."""

    def lease(
        self,
        owner: str,
        seconds: float,
        only: frozenset[int] | None = None,
        *,
        albums: bool = True,
        missing: Collection[bytes] = (),
    ) -> Lease | None:
        """Take the next queued video to scan, for some seconds; None if there is none.

        Without `albums` these stay queued, for whoever can read them, and so do videos all of whose
        files are `missing`, or in folders that are.
        A lease that ran out counts as a try, and its video is queued again.
        """

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Keep a lease for some seconds more; False if it ran out and the video is another's."""

    def release(self, lease: Lease) -> None:
        """Give a video back unscanned, as if it had not been tried."""

    def finish(
        self,
        lease: Lease,
        found: VideoFound,
        scanned: Scanned,
        outcomes: Sequence[Outcome],
        at: Generation,
        *,
        again: Depth | None = None,
    ) -> bool:
        """Store what was found in place of what was known, and end the lease.

        With `again` the video is queued at that depth at once: nothing may come in between. If
        something was decided about it since it was leased, it is to be matched again. Returns
        False, and stores nothing, if the lease was lost.
        """

    def fail(self, lease: Lease, reason: str, *, for_good: bool) -> bool:
        """Note that a video could not be scanned, and queue it again unless `for_good`.

        Returns False if the lease was lost.
        """

    def retry(self, videos: Iterable[int]) -> int:
        """Queue failed videos again, with no tries counted."""

    def turn_into(self, video: int, kind: Kind) -> None:
        """Note that what was never scanned is of another kind, and queue it again if it failed."""

    def empty_queue(self) -> int:
        """Take every video out of the queue, and from whoever scans it; return how many.

        One that was scanned before stays as it is; one that never was is no longer known, so that
        the next scan finds it as new.
        """

    def counts(self, within: Sequence[bytes] = (), kind: Kind | None = None) -> Counts:
        """Count by state the videos and albums, or those of one kind.

        With some folders, only those of which a file lies in one are counted.

        A file that a link leads to counts where it lies and where the link is: both must be inside.
        """

    def videos(self, after: int = 0, limit: int = 1000) -> list[VideoRecord]:
        """List videos by id, those after `after`, at most `limit`."""

    def ids(self, paths: Iterable[bytes]) -> frozenset[int]:
        """Return the ids of the videos that these files hold."""

    def ids_of_content(self, oshash: str, content: str = "") -> frozenset[int]:
        """Return the ids of the videos with this fingerprint: one, unless their sizes differ.

        Small files may share one. With the `content` of such a file, a video that is known to hold
        something else is left out.
        """

    def ids_of_performer(self, gallery: int, performer: int) -> frozenset[int]:
        """Return the ids of the videos in which somebody is matched with a performer of a gallery.

        `gallery` is the first number of its generation.
        """

    def records(self, videos: Sequence[int]) -> list[VideoRecord]:
        """Return some videos, by id; those that are not there are left out."""

    def sightings(
        self, videos: Sequence[int], *, pictures: bool = True
    ) -> dict[int, list[Sighting]]:
        """Return the people seen in some videos, in order of position.

        Without `pictures` these are empty, and most of the file is not read. Whoever cannot be
        read, because the file is damaged, is taken out for good, and their video counts as failed.
        """

    def picture(self, video: int, position: int) -> bytes:
        """Return the picture of somebody in a video, a JPEG; empty if there is none."""

    def pictures(self, videos: Sequence[int]) -> dict[int, list[AlbumPicture]]:
        """Return the pictures of some albums, in order, those that could not be used too.

        There are none of an album that was not scanned yet.
        """

    def note_pictures(self, album: int, pictures: Sequence[AlbumPicture]) -> None:
        """Note which pictures an album has now, before it is said who is on them.

        What was decided and forgotten there follows the pictures, by content or else by name.
        """

    def shown(self, videos: Sequence[int]) -> dict[int, list[Shown]]:
        """Return who is where on the pictures of some albums, picture by picture.

        Whoever was erased is on none.
        """

    def uncertain(self) -> list[tuple[int, int]]:
        """Return the video and the position of everyone uncertain, in this order."""

    def links(self, videos: Sequence[int]) -> dict[int, list[Link]]:
        """Return who may be one person in some videos, the most alike first."""

    def outcomes(self, videos: Sequence[int]) -> dict[int, list[Outcome]]:
        """Return what matching said of the people in some videos, in order of position."""

    def put_outcomes(
        self,
        outcomes: Mapping[int, Sequence[Outcome]],
        at: Generation,
        before: Mapping[int, VideoRecord] | None = None,
    ) -> dict[int, list[Outcome]]:
        """Replace the outcomes of some videos, except where other people are stored by now.

        Nor are those of a video replaced that was scanned since, or about which something was
        decided: `before` holds the videos as they were before its people were read. Returns the
        outcomes that were replaced, those that are the same as before among them.
        """

    def not_matched_at(self, at: Generation, limit: int, after: int = 0) -> list[int]:
        """Return the ids, those after `after`, of videos that were matched with another gallery.

        Videos that are queued to be scanned again, or failed then, are among them.
        """

    def begin_forgetting(self, gallery: int, performer: int) -> None:
        """Note that a performer of a gallery is to be forgotten, before anything is erased.

        From then on nothing that is matched with them is stored, by no scan that began before.
        `gallery` is the first number of its generation.
        """

    def erase_performer(self, gallery: int, performer: int) -> int:
        """Erase every sighting that is matched with a performer, and whoever was joined to them.

        When they were seen is kept, so that no later scan keeps them as a stranger. Returns how
        many sightings there were.
        """

    def end_forgetting(self, gallery: int, performer: int) -> bool:
        """Note that all is erased; False if another reader of the file still prevents that."""

    def unfinished_forgetting(self) -> list[tuple[int, int]]:
        """Return the galleries and performers whose erasure was interrupted."""

    def forgotten_spans(self, video: int) -> list[Interval]:
        """Return when people who have been forgotten since were seen in a video."""

    def decide(self, video: int, decision: Decision) -> int:
        """Store a decision about a video, which is then to be matched again; return its id."""

    def take_back(self, decision: int) -> bool:
        """Delete a decision, whose video is then to be matched again; False if there is none."""

    def decisions(self, videos: Sequence[int]) -> dict[int, list[Decision]]:
        """Return the decisions about some videos, oldest first."""

    def latest_decisions(self, before: int | None = None) -> Iterator[tuple[int, Decision]]:
        """Yield all decisions, the newest first, each with its video; or those before an id."""

    def erase_decisions(
        self,
        identities: Sequence[Identity],
        looks: Sequence[Vector] = (),
        others: Collection[Identity] = (),
    ) -> None:
        """Delete every decision about a performer, given all their ids, and that they are tagged.

        Also those about somebody who looks like one of `looks`, encodings of the primary model, and
        is no longer seen in that video: they may be the performer, unless the decision says that
        they are one of `others`.
        """

    def add_identities(self, also: Mapping[Identity, Identity]) -> int:
        """Give every decision about one of these performers another id of theirs as well.

        Tags by the one id then hold for the other. Returns how many decisions changed.
        """

    def note_tagged(
        self,
        tagged: Mapping[Content, Collection[Identity]],
        gallery: int,
        performers: Mapping[Identity, int],
    ) -> int:
        """Note whom the user tagged on which content, in place of all that was noted before.

        Also for what is not scanned yet. `performers` are their numbers in a gallery, the first
        number of whose generation is given: anybody forgotten there meanwhile is left out. Videos
        of which anything else was noted are then to be matched again; returns how many contents.
        """

    def tagged(self, videos: Sequence[int]) -> dict[int, list[Identity]]:
        """Return whom the user tagged on some videos; nobody, if nothing was noted."""

    def all_tagged(self) -> Mapping[Content, set[Identity]]:
        """Return whom the user tagged on which content, wherever it was noted."""

    def iterate(self, state: State | None = None) -> Iterator[VideoRecord]:
        """Yield all videos by id, or those in one state."""
