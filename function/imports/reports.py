"""Counts what an import did, in memory that does not grow with the gallery."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from function.imports.enrol import Enrolment

MAX_LISTED = 10_000
"""Refusals, remarks and namesakes beyond these are counted, not listed."""

LONGEST_TEXT = 1000
"""Of a name, an address or a reason in a list: a source may send megabytes of each."""


class Report:
    """Counts what became of every performer, and lists what a person must check."""

    def __init__(self) -> None:
        """Start at zero."""
        self._changes: Counter[str] = Counter()
        self._lists: dict[str, list[Any]] = {kind: [] for kind in _LISTS}
        self._more: Counter[str] = Counter()
        self.stopped = ""
        self.is_incomplete = False

    def add(self, enrolment: Enrolment) -> None:
        """Count one performer."""
        change = "forgotten" if enrolment.forgotten else enrolment.change or "not_added"
        self._changes[change] += 1
        self._changes["photos"] += enrolment.added_photos
        self._changes["duplicates"] += len(enrolment.duplicates)
        self.is_incomplete |= enrolment.is_incomplete
        for refusal in enrolment.refusals:
            self._list("refused", asdict(refusal))
        for remark in enrolment.remarks:
            self._list("remarks", asdict(remark))
        if enrolment.forgotten:
            self._list("forgotten", enrolment.performer)
        if enrolment.namesakes:
            same = {"performer": enrolment.performer, "same_name_as": list(enrolment.namesakes)}
            self._list("namesakes", same)

    @property
    def done(self) -> int:
        """How many performers were finished, successfully or not."""
        return sum(self._changes[change] for change in (*_CHANGES, "forgotten"))

    @property
    def is_partial(self) -> bool:
        """Whether something was refused, or the source failed."""
        return bool(self._lists["refused"] or self.stopped)

    def counts(self) -> dict[str, int]:
        """Return only the numbers, without names."""
        counts = {change: self._changes[change] for change in (*_CHANGES, "photos", "duplicates")}
        for what, listed in self._lists.items():
            counts[what] = len(listed) + self._more[what]
        return counts

    def to_json(self) -> dict[str, Any]:
        """Return everything for people and programs."""
        report: dict[str, Any] = {**self.counts(), **self._lists}
        report |= {f"{what}_not_listed": number for what, number in self._more.items()}
        return report | ({"stopped": self.stopped} if self.stopped else {})

    def _list(self, what: str, entry: Any) -> None:
        if len(self._lists[what]) < MAX_LISTED:
            self._lists[what].append(_shortened(entry))
        else:
            self._more[what] += 1


def _shortened(entry: Any) -> Any:
    """Return what is listed with its texts cut off where nobody reads on."""
    if isinstance(entry, dict):
        return {name: _shortened(value) for name, value in entry.items()}
    if isinstance(entry, str) and len(entry) > LONGEST_TEXT:
        return f"{entry[:LONGEST_TEXT]}..."
    return entry


_LISTS = ("refused", "remarks", "forgotten", "namesakes")
_CHANGES = ("added", "updated", "unchanged", "not_added")
