"""Reads a long list of Stash's page by page, and refuses one without end."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from function.sources.graphql import GraphQL
from function.sources.records import UnusableSourceError
from function.sources.shapes import understood

PER_PAGE = 250
MOST_PAGES = 4000
"""A million entries; whoever has more pages than that has no end."""

LONGEST_LIST_BYTES = 1024 * 1024 * 1024
"""Of all pages of a list: a million images take about half of it."""

LONGEST_AWAITED_BYTES, LONGEST_AWAITED_SECONDS = 128 * 1024 * 1024, 60.0
"""Of a list for which somebody waits, who gives up after 30 s."""


def read_pages(
    graphql: GraphQL,
    document: str,
    field: str,
    kind: str,
    wanted: Mapping[str, Any] | None,
    *,
    is_awaited: bool,
) -> Iterator[dict[str, Any]]:
    """Yield the entries of a list, which stand under `field` and in it under `kind`.

    `wanted` is a filter as Stash takes it.

    Raises:
        UnusableSourceError: the list has no end, or takes too long for whoever waits for it.
    """
    read, read_bytes, begun_at = 0, 0, time.monotonic()
    for page in range(1, MOST_PAGES + 1):
        variables = {"page": page, "per_page": PER_PAGE, "wanted": dict(wanted or {})}
        before = graphql.received_bytes
        with understood("Stash"):
            found = graphql.ask(document, variables)[field]
            entries, count = list(found[kind]), int(found["count"])
        read += len(entries)
        read_bytes += graphql.received_bytes - before
        _require_end(kind, read, read_bytes, begun_at, is_awaited=is_awaited)
        yield from entries
        if read >= count or not entries:
            return
    raise _without_end(kind, read)


def _require_end(
    kind: str, read: int, read_bytes: int, begun_at: float, *, is_awaited: bool
) -> None:
    """Refuse a list that is longer than any, or takes longer than anybody waits for it."""
    if read_bytes > (LONGEST_AWAITED_BYTES if is_awaited else LONGEST_LIST_BYTES):
        raise _without_end(kind, read)
    if is_awaited and time.monotonic() - begun_at > LONGEST_AWAITED_SECONDS:
        raise UnusableSourceError(
            f"Stash takes too long to list {kind}: {read} in {LONGEST_AWAITED_SECONDS:.0f} s. "
            "Try again when it has less to do."
        )


def _without_end(kind: str, read: int) -> UnusableSourceError:
    return UnusableSourceError(f"Stash lists {kind} without end: {read} and more.")
