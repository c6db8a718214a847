"""Shows a scan while it runs: one bar of videos and albums, and a line for each that failed."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Self

from tqdm import tqdm

from db.names import escape_unprintable
from db.videos import Kind
from function.library.finding import text_of
from function.library.scan_events import Advanced, Done, Event, Failed, Started

LEFT = "{left}"
BAR_FORMAT = f"{{percentage:3.0f}}% |{{bar}}| {{unit}} [{{elapsed}}{LEFT}{{postfix}}]"
"""What is done, of how many videos and albums, stands in the place of the unit, and our own
estimate in that of LEFT: tqdm's goes by the number of videos."""

SURE_AFTER_SECONDS, SURE_AFTER = 30.0, 3
"""How long it will take is told after so long, or so many videos and albums: first ones say little,
as nets are loaded then."""

_KINDS: tuple[Kind, ...] = ("video", "album")


@dataclass
class Totals:
    """What a scan has done so far; `scanned` and `failed` are videos."""

    scanned: int = 0
    albums_scanned: int = 0
    failed: int = 0
    albums_failed: int = 0
    faces: int = 0
    people: int = 0
    named: int = 0
    strangers_left_out: int = 0

    @property
    def any_failed(self) -> bool:
        """Whether a video or an album failed."""
        return bool(self.failed or self.albums_failed)

    def count(self, event: Event, kind: Kind = "video") -> None:
        """Add what happened to a video, or to an album."""
        if isinstance(event, Done) and not event.again:
            self.scanned += kind == "video"
            self.albums_scanned += kind == "album"
            self.faces += event.faces
            self.people += event.people
            self.named += event.named
            self.strangers_left_out += event.left_out
        if isinstance(event, Failed) and event.for_good:
            self.failed += kind == "video"
            self.albums_failed += kind == "album"

    @property
    def ended(self) -> dict[Kind, int]:
        """How many are done or failed, of each kind."""
        return {
            "video": self.scanned + self.failed,
            "album": self.albums_scanned + self.albums_failed,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the numbers by their names."""
        return asdict(self)


def tell_left(elapsed_seconds: float, share: float, ended: int) -> str:
    """Say how long the rest will take, as `<12:34`; "" while nobody can tell.

    `share` of the work is done, and so many videos and albums have ended.
    """
    is_sure = elapsed_seconds >= SURE_AFTER_SECONDS or ended >= SURE_AFTER
    if not is_sure or not 0 < share <= 1:
        return ""
    return f"<{tqdm.format_interval(elapsed_seconds * (1 - share) / share)}"


class ScanBar:
    """A bar of videos and albums on stderr, each kind by its own number: `2.5/12 videos`."""

    def __init__(self, videos: int, albums: int = 0, ended_before: int = 0) -> None:
        """Begin; of so many, `ended_before` are another's work, and say nothing of our pace."""
        self.of: dict[Kind, int] = {"video": videos, "album": albums}
        self._ended_before = ended_before
        self._bar = tqdm(
            total=videos + albums,
            unit=self._told({}),
            file=sys.stderr,
            bar_format=BAR_FORMAT.replace(LEFT, ""),
        )

    def __enter__(self) -> Self:
        """Return the bar."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it is; what follows comes below it."""
        self._bar.close()

    def show(self, done: Mapping[Kind, float], totals: Totals, share: float) -> None:
        """Show how many of each kind are done; of one in work, a part counts.

        `share` of the work is done: a long video is more of it than a short one.
        """
        elapsed_seconds: float = self._bar.format_dict["elapsed"]
        ended = sum(totals.ended.values()) - self._ended_before
        left = tell_left(elapsed_seconds, share, ended)
        self._bar.bar_format = BAR_FORMAT.replace(LEFT, left)
        self._bar.total = sum(self.of.values())
        self._bar.unit = self._told(done)
        self._bar.set_postfix(faces=totals.faces, people=totals.people, refresh=False)
        self._bar.update(max(0.0, sum(done.values()) - self._bar.n))

    def _told(self, done: Mapping[Kind, float]) -> str:
        """Say how many of how many; of a kind that is not there, nothing."""
        videos, albums = self.of["video"], self.of["album"]
        parts = [f"{done.get('video', 0):.1f}/{videos} videos"] if videos or not albums else []
        parts += [f"{done.get('album', 0):.1f}/{albums} albums"] if albums else []
        return ", ".join(parts)


def follow(
    events: Iterable[Event],
    videos: int,
    totals: Totals,
    albums: int = 0,
    sizes: Mapping[bytes, int] = MappingProxyType({}),
) -> None:
    """Show events as they come, of so many videos and albums, and add them up in `totals`.

    `sizes` are those of the files to come, in bytes: the time they take goes by it. What `totals`
    hold already, another process did.
    """
    before = sum(totals.ended.values())
    under_way = _UnderWay(sizes, videos + albums - before)
    with ScanBar(videos, albums, before) as bar:
        for event in events:
            kind = under_way.note(event)
            totals.count(event, kind)
            if isinstance(event, Done) and event.again:
                bar.of[kind] += 1
            if isinstance(event, Failed):
                again = "" if event.for_good else " It will be tried again."
                line = f"failed: {text_of(event.path)}: {event.reason}{again}"
                tqdm.write(escape_unprintable(line), file=sys.stderr)
            bar.show(under_way.done(totals), totals, under_way.share)


class _UnderWay:
    """What is in work, of which kind and how far, and what was only looked at quickly so far."""

    def __init__(self, sizes: Mapping[bytes, int], count: int) -> None:
        self._sizes = sizes
        self._usual_bytes = sum(sizes.values()) / len(sizes) if sizes else 1.0
        self._of_bytes = self._usual_bytes * count
        self._done_bytes = 0.0
        self._kinds: dict[bytes, Kind] = {}
        self._shares: dict[bytes, float] = {}
        self._quick: dict[Kind, int] = {"video": 0, "album": 0}

    def note(self, event: Event) -> Kind:
        """Note what happened, and return the kind of what it happened to."""
        if isinstance(event, Started):
            self._kinds[event.path] = event.kind
        kind = self._kinds.get(event.path, "video")
        if isinstance(event, Advanced):
            of = event.progress.of_seconds
            self._shares[event.path] = min(event.progress.done_seconds / of, 1.0) if of else 0.0
        else:
            self._shares.pop(event.path, None)
        if isinstance(event, Done) or (isinstance(event, Failed) and event.for_good):
            self._done_bytes += self._size_of(event.path)
        if isinstance(event, Done) and event.again:
            self._quick[kind] += 1  # it comes again
            self._of_bytes += self._size_of(event.path)
        return kind

    @property
    def share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        in_work = sum(self._size_of(path) * share for path, share in self._shares.items())
        return min((self._done_bytes + in_work) / self._of_bytes, 1.0) if self._of_bytes else 1.0

    def _size_of(self, path: bytes) -> float:
        return self._sizes.get(path, self._usual_bytes)

    def done(self, totals: Totals) -> dict[Kind, float]:
        """Return how many of each kind are done, with parts of those in work."""
        done: dict[Kind, float] = {kind: self._quick[kind] + totals.ended[kind] for kind in _KINDS}
        for path, share in self._shares.items():
            done[self._kinds.get(path, "video")] += share
        return done
