"""Remembers whom the user tagged on scenes: they are likelier to be seen there.

What we wrote into Stash ourselves, or named to its scraper, is no hint: an error would confirm
itself.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from db.galleries import Store
from db.identities import identities_of
from db.ledgers import Ledger
from db.records import Identity
from db.videos import Content
from function.library.decisions import by_identity
from function.library.oshash import SMALL_BYTES
from function.stash.client import Stash
from function.stash.files import find_in_ledger
from function.stash.paths import Locate
from function.stash.performers import performer_of
from function.stash.records import File, StashPerformer

MOST_BYTES = 2**63
"""No file is so large, and a ledger keeps no such number."""

_OSHASH = re.compile("[0-9a-f]{16}")


def note_tagged(
    stash: Stash,
    store: Store,
    ledger: Ledger,
    locate: Locate,
    present: Mapping[str, StashPerformer],
) -> None:
    """Note in the ledger who is tagged on which video by the user, in place of what was noted.

    `present` is everyone in Stash, by id. Those of them count who are enrolled.

    Raises:
        UnusableSourceError: Stash does not answer.
        GalleryError: the gallery or the ledger cannot be used; see `db.errors`.
    """
    # Before and after: what is written, or undone, while the scenes are read is ours too.
    before = ledger.writes.all_from_us()
    scenes = [one for one in stash.scenes() if one.performers]
    after = ledger.writes.all_from_us()
    enrolled = _find_enrolled(store, present)
    tagged: dict[Content, set[Identity]] = defaultdict(set)
    for scene in scenes:
        ours = before.get(scene.id, frozenset()) | after.get(scene.id, frozenset())
        theirs = {
            enrolled.known[one] for one in {*scene.performers} - ours if one in enrolled.known
        }
        for content in _contents_of(scene.files, ledger, locate) if theirs else ():
            tagged[content] |= theirs
    ledger.note_tagged(tagged, enrolled.gallery, enrolled.numbers)


@dataclass(frozen=True)
class _Enrolled:
    """Who of Stash is in a gallery: by which id there, and their numbers by these ids."""

    gallery: int
    known: Mapping[str, Identity]
    numbers: Mapping[Identity, int]


def _find_enrolled(store: Store, present: Mapping[str, StashPerformer]) -> _Enrolled:
    """Find performers of Stash by their ids, never by name; who may be several is left out."""
    with store.gallery() as gallery:
        owners = by_identity(gallery.performers())
        number = gallery.generation()[0]
    known: dict[str, Identity] = {}
    for id_, one in present.items():
        found = [it for it in identities_of(performer_of(one)) if it in owners]
        if len({owners[it].id for it in found}) == 1:
            known[id_] = found[0]
    numbers = {identity: owners[identity].id for identity in known.values()}
    return _Enrolled(number, known, numbers)


def _contents_of(files: Collection[File], ledger: Ledger, locate: Locate) -> Iterator[Content]:
    """Yield what some files hold; small ones share fingerprints: of these what the ledger knows."""
    for file in files:
        if _OSHASH.fullmatch(file.oshash) and SMALL_BYTES < file.size_bytes < MOST_BYTES:
            yield Content(file.oshash, file.size_bytes)
        else:
            found = ledger.records(find_in_ledger(file, ledger, locate))
            yield from (Content(one.oshash, one.size_bytes) for one in found)
