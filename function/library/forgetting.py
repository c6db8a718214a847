"""Forgets a performer in the gallery and in the ledger, whatever interrupts it.

The intent is noted first; what was interrupted is finished when the library is next opened.
"""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from db.addresses import StoreAddress
from db.cells import read_object
from db.errors import (
    DamagedVectorError,
    ErasureUnfinishedError,
    GalleryLockedError,
    GalleryReadOnlyError,
    PerformerNotFoundError,
)
from db.galleries import Gallery, Store
from db.identities import identities_of
from db.ledgers import Ledger
from db.records import Vector
from db.stores import open_ledger
from function.engines.models import PRIMARY
from function.library.naming import Naming, open_naming
from function.library.rematching import TERMS, rematch
from function.library.strangers import place_strangers
from function.matching.second_models import open_second
from function.setting_kinds import days_of
from function.settings import Settings

HELD = (
    "Somebody still reads the library's file, its disk is full, or a copy beside it cannot be "
    "deleted, so what was erased may remain there until the library is opened next."
)

PART = (
    "The library has forgotten this performer, but the gallery not yet: {error} The rest is tried "
    "whenever the library is opened, as at the server's next start or by `python -m tools doctor`."
)

UNKEPT = ("", "off")
"""What STRANGERS is where they are not kept: not chosen, or not wanted."""

SETTLED_DAYS = 7
"""For this long, nobody is erased just because changed settings no longer name them."""

_log = logging.getLogger(__name__)


@contextmanager
def open_library(address: StoreAddress, store: Store, *, create: bool = True) -> Iterator[Ledger]:
    """Open the ledger at an address, and finish what was interrupted.

    It is made if it is not there, unless `create` is false.

    Raises:
        GalleryError: it cannot be opened; see `db.errors`.
    """
    with open_ledger(address, create=create) as ledger:
        for gallery, performer in ledger.unfinished_forgetting():
            if store.exists() and gallery == _identity(store):
                _go_on_forgetting(store, ledger, performer)
        with suppress(GalleryLockedError, GalleryReadOnlyError):  # a process that can write it will
            if ledger.strangers.is_erasing():
                ledger.strangers.go_on_erasing()
                ledger.strangers.end_erasing()
        yield ledger


def _go_on_forgetting(store: Store, ledger: Ledger, performer: int) -> None:
    try:
        forget_performer(store, ledger, performer)
    except (GalleryLockedError, GalleryReadOnlyError, ErasureUnfinishedError) as error:
        _log.warning("A performer is forgotten only in part, and the rest later: %s", error)


def forget_strangers(ledger: Ledger) -> int:
    """Erase every unknown person from the ledger; return how many sightings."""
    ledger.strangers.settle()
    return _end_erasing(ledger, ledger.strangers.erase())


def forget_old_strangers(ledger: Ledger, days: int, now: datetime | None = None) -> int:
    """Erase the unknown people of videos scanned more than this many days ago; say how many."""
    before = (now or datetime.now(UTC)) - timedelta(days=days)
    return _end_erasing(ledger, ledger.strangers.erase(before.strftime("%Y-%m-%dT%H:%M:%SZ")))


def forget_unkept(ledger: Ledger, naming: Naming, chosen: str) -> int:
    """Erase whoever was kept as a performer but is now nobody in the gallery; say how many.

    Nobody is erased if strangers are kept, as `chosen` says, or were when their video was scanned,
    or if something was decided about them; nor while people are named otherwise only for a short
    time, as where a setting is tried: another one may name them again.
    """
    if chosen not in UNKEPT or not _is_settled(ledger, naming):
        return 0
    erased = ledger.strangers.erase(unkept_at=naming.generation)
    return _end_erasing(ledger, erased)


def _is_settled(ledger: Ledger, naming: Naming, now: datetime | None = None) -> bool:
    """Say whether people have been named by the same settings and densities for SETTLED_DAYS.

    If it was never noted which those are, these are the first.
    """
    today = now or datetime.now(UTC)
    noted = read_object(ledger.choice(TERMS))
    if noted is None or noted.get("terms") != naming.terms:
        since = today.isoformat() if ledger.choice(TERMS) else ""
        ledger.choose(TERMS, json.dumps({"terms": naming.terms, "since": since}))
        return not since
    return str(noted.get("since")) <= (today - timedelta(days=SETTLED_DAYS)).isoformat()


def finish_strangers(
    ledger: Ledger, naming: Naming, chosen: str, tell: Callable[[int], None] = lambda _: None
) -> int:
    """Erase strangers who are kept no longer, as `chosen` says, and group the others.

    `chosen` is a setting such as 90d; `tell` as for `place_strangers`. Returns how many sightings
    were erased.
    """
    erased = forget_unkept(ledger, naming, chosen)
    erased += forget_old_strangers(ledger, days_of(chosen)) if chosen.endswith("d") else 0
    place_strangers(ledger, naming, tell)
    return erased


def _end_erasing(ledger: Ledger, erased: int) -> int:
    if ledger.strangers.is_erasing() and not ledger.strangers.end_erasing():
        _log.warning(HELD)
    return erased


def forget_everywhere(store: Store, settings: Settings, performer: int) -> int:
    """Erase a performer from the gallery, and everyone matched with them from the ledger, if any.

    Everyone is matched with today's gallery first; otherwise people matched with a performer who
    was merged into this one would stay. Returns how many sightings were erased.

    Raises:
        PerformerNotFoundError: there is no such performer.
        GalleryError: one of both cannot be written; see `db.errors`. Then it is finished later.
    """
    with store.gallery() as gallery:
        gallery.performer(performer)
    if not settings.library_db.path.exists():
        _forget_in_gallery(store, performer)
        return 0
    with open_library(settings.library_db, store) as ledger:
        naming = open_naming(store, open_second(settings.engine_options), settings)
        for _ in rematch(ledger, naming):
            pass
        place_strangers(ledger, naming)  # which drops what is left of earlier scans
        return forget_performer(store, ledger, performer)


def forget_performer(store: Store, ledger: Ledger, performer: int) -> int:
    """Erase a performer from the ledger, then from the gallery; return how many sightings.

    Raises:
        ErasureUnfinishedError: they are forgotten, but their bytes may remain in a file.
        GalleryError: one of both cannot be written; see `db.errors`.
    """
    gallery = _identity(store)
    ledger.begin_forgetting(gallery, performer)
    erased = ledger.erase_performer(gallery, performer)
    _forget_decisions(store, ledger, performer)
    unfinished: ErasureUnfinishedError | None = None
    try:
        _forget_in_gallery(store, performer)
    except ErasureUnfinishedError as error:
        unfinished = error  # the gallery finishes it by itself
    except GalleryReadOnlyError as error:
        raise ErasureUnfinishedError(PART.format(error=error)) from error
    if not ledger.end_forgetting(gallery, performer):
        unfinished = unfinished or ErasureUnfinishedError(HELD)
    if unfinished:
        raise unfinished
    return erased


def _forget_decisions(store: Store, ledger: Ledger, performer: int) -> None:
    try:
        with store.gallery() as gallery:
            identities = identities_of(gallery.performer(performer))
            others = {
                identity
                for one in gallery.performers()
                if one.id != performer
                for identity in identities_of(one)
            }
            ledger.erase_decisions(identities, _looks_of(gallery, performer), others)
    except PerformerNotFoundError:
        pass  # it was interrupted after the gallery forgot them, which comes later


def _looks_of(gallery: Gallery, performer: int) -> list[Vector]:
    """Return the encodings of a performer; none if one is damaged, which must not keep the rest."""
    try:
        photos = gallery.encodings(performer)
    except DamagedVectorError:
        return []
    return [one.vector for one in photos if one.model == PRIMARY.id]


def _forget_in_gallery(store: Store, performer: int) -> None:
    try:
        with store.changing() as gallery:
            gallery.forget(gallery.performer(performer))
    except PerformerNotFoundError:
        pass  # it was interrupted after this step


def _identity(store: Store) -> int:
    with store.gallery() as gallery:
        return gallery.generation()[0]
