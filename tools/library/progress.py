"""Shows a scan while it runs: one bar of videos, and a line for each that failed."""

import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm

from db.names import escape_unprintable
from function.library.finding import text_of
from function.library.scanning import Advanced, Done, Event, Failed

BAR_FORMAT = (
    "{percentage:3.0f}% |{bar}| {n:.1f}/{total:.0f} videos [{elapsed}<{remaining}{postfix}]"
)


@dataclass
class Totals:
    """What a scan has done so far."""

    scanned: int = 0
    failed: int = 0
    faces: int = 0
    people: int = 0
    named: int = 0
    strangers_left_out: int = 0

    def count(self, event: Event) -> None:
        """Add what happened."""
        if isinstance(event, Done) and not event.again:
            self.scanned += 1
            self.faces += event.faces
            self.people += event.people
            self.named += event.named
            self.strangers_left_out += event.left_out
        if isinstance(event, Failed) and event.for_good:
            self.failed += 1

    def to_json(self) -> dict[str, Any]:
        """Return the numbers by their names."""
        return asdict(self)


def follow(events: Iterable[Event], videos: int, totals: Totals) -> None:
    """Show events as they come, of so many videos, and add them up in `totals`."""
    shares: dict[bytes, float] = {}
    quick = 0  # looked at quickly, and coming again
    with tqdm(total=videos, file=sys.stderr, bar_format=BAR_FORMAT, smoothing=0.05) as bar:
        for event in events:
            totals.count(event)
            if isinstance(event, Advanced):
                of = event.progress.of_seconds
                shares[event.path] = min(event.progress.done_seconds / of, 1.0) if of else 0.0
            else:
                shares.pop(event.path, None)
            if isinstance(event, Done) and event.again:
                quick += 1
                bar.total = videos + quick
            if isinstance(event, Failed):
                again = "" if event.for_good else " It will be tried again."
                line = f"failed: {text_of(event.path)}: {event.reason}{again}"
                tqdm.write(escape_unprintable(line), file=sys.stderr)
            bar.set_postfix(faces=totals.faces, people=totals.people, refresh=False)
            done = quick + totals.scanned + totals.failed + sum(shares.values())
            bar.update(max(0.0, done - bar.n))
