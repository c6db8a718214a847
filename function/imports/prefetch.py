"""Reads photos ahead of the engine, a few at a time, and holds only a limited number."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from function.sources.records import Photo, Refusal, SourceRecord, UnusableSourceError

PHOTOS_AT_ONCE = 4
"""How many are read at once: few enough for a server, enough to hide its latency."""

PHOTOS_AHEAD = 8
"""Read but not yet processed: with photos of 64 MB at most, 512 MB in the worst case."""


def read_ahead(records: Iterable[SourceRecord | Refusal]) -> Iterator[SourceRecord | Refusal]:
    """Pass records on in order, while the photos of the next ones are read.

    If the source fails, what it gave until then is passed on first.

    Raises:
        UnusableSourceError: the source failed.
    """
    waiting: deque[tuple[SourceRecord | Refusal, list[Future[bytes]]]] = deque()
    source = iter(records)
    pool = ThreadPoolExecutor(PHOTOS_AT_ONCE, thread_name_prefix="photos")
    broken: UnusableSourceError | None = None
    try:
        while True:
            try:
                record = next(source)
            except StopIteration:
                break
            except UnusableSourceError as error:
                broken = error
                break
            photos = record.photos if isinstance(record, SourceRecord) else ()
            waiting.append((record, [pool.submit(photo.read) for photo in photos]))
            while sum(max(1, len(futures)) for _, futures in waiting) > PHOTOS_AHEAD:
                yield _ready(*waiting.popleft())
        while waiting:
            yield _ready(*waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)
    if broken:
        raise broken


def _ready(record: SourceRecord | Refusal, futures: list[Future[bytes]]) -> SourceRecord | Refusal:
    if isinstance(record, Refusal):
        return record
    photos = zip(record.photos, futures, strict=True)
    return replace(
        record, photos=tuple(Photo(photo.origin, future.result) for photo, future in photos)
    )
