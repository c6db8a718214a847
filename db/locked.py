"""Opens the gallery to change it, in turn with others."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from db.errors import GalleryLockedError
from db.galleries import GalleryChange, Store

LOCKED_SECONDS = 30.0
"""How long to wait for another import or edit; an edit takes less than a second."""


@contextmanager
def changing(
    gallery_store: Store, pause: Callable[[float], None] = time.sleep, *, create: bool = True
) -> Iterator[GalleryChange]:
    """Open the gallery to change it; wait a little if somebody else is changing it.

    Raises: GalleryLockedError: somebody else still is.
    """
    until = time.monotonic() + LOCKED_SECONDS
    while True:
        opened = gallery_store.changing(create=create)
        try:
            gallery = opened.__enter__()
            break
        except GalleryLockedError:
            if time.monotonic() > until:
                raise
            pause(0.2)
    try:
        yield gallery
    finally:
        opened.__exit__(None, None, None)
