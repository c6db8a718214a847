"""Remembers whom the user tagged on scenes: they are likelier to be seen there.

What we ever wrote into Stash ourselves, or named to its scraper, is no hint: an error would confirm
itself. Where it is not known who wrote a tag, it is none either.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from db.counted import counted
from db.galleries import Store
from db.identities import identities_of
from db.ledgers import Ledger
from db.records import Identity
from db.videos import Content
from db.writes import FromUs
from function.library.decisions import by_identity
from function.library.oshash import SMALL_BYTES
from function.stash.client import Stash
from function.stash.comparing import are_alike
from function.stash.files import find_in_ledger
from function.stash.notes import may_be_unknown, unknown_since
from function.stash.paths import Locate
from function.stash.performers import performer_of
from function.stash.records import File, Scene, SceneFilter, StashPerformer

MOST_BYTES = 2**63
"""No file is so large, and a ledger keeps no such number."""

_OSHASH = re.compile("[0-9a-f]{16}")


def note_tagged(
    stash: Stash,
    store: Store,
    ledger: Ledger,
    locate: Locate,
    present: Mapping[str, StashPerformer],
) -> tuple[str, ...]:
    """Note in the ledger who is tagged on which video by the user, in place of what was noted.

    `present` is everyone in Stash, by id. Those of them count who are enrolled. Returns what the
    user is to know of it.

    Raises:
        UnusableSourceError: Stash does not answer.
        GalleryError: the gallery or the ledger cannot be used; see `db.errors`.
    """
    earlier = ledger.all_tagged()
    # Before and after: what is written, or undone, while the scenes are read is ours too.
    before, enrolled = ledger.writes.all_from_us(), _find_enrolled(store, present)
    scenes = stash.scenes(SceneFilter(with_performers=True))
    read = [one for scene in scenes if (one := _tags_of(scene, enrolled)).performers]
    # After: others note that they are going to write before they do.
    from_us, unknown = (before, ledger.writes.all_from_us()), unknown_since(ledger, stash)
    tagged: dict[Content, set[Identity]] = defaultdict(set)
    trusted = [one for one in read if not may_be_unknown(one.updated_at, unknown)]
    for one in trusted:
        ours = _put_by_us(one, from_us)
        theirs = {enrolled.known[id_] for id_ in one.performers - ours}
        # If somebody whom we put there is no longer in Stash, they may have been merged into any of
        # the others: then only those count whom we already knew the user had tagged.
        is_complete = ours <= present.keys()
        for content in _contents_of(one.files, ledger, locate) if theirs else ():
            tagged[content] |= theirs if is_complete else theirs & earlier.get(content, set())
    ledger.note_tagged(tagged, enrolled.gallery, enrolled.numbers)
    return said_of_unknown(len(read) - len(trusted), unknown)


def said_of_unknown(scenes: int, since: datetime | None) -> tuple[str, ...]:
    """Say that so many tagged scenes are not trusted, because of whoever wrote since then."""
    if not scenes or since is None:
        return ()
    where = counted(scenes, "scene")
    day = f"{since:%Y-%m-%d}"
    return (f"Tags on {where} do not count: another library may have written there since {day}.",)


class _Tags(NamedTuple):
    """What counts of a scene, such as the ids of those of its performers who are enrolled.

    There may be a hundred thousand.
    """

    scene: str
    updated_at: str
    files: tuple[File, ...]
    performers: frozenset[str]


def _tags_of(scene: Scene, enrolled: "_Enrolled") -> _Tags:
    return _Tags(
        scene.id, scene.updated_at, scene.files, frozenset(enrolled.known.keys() & scene.performers)
    )


def _put_by_us(tags: _Tags, from_us: Iterable[FromUs]) -> frozenset[str]:
    """Return whom we ever put on a scene, or on another with one of its files."""
    prints = {one.oshash for one in tags.files}
    return frozenset[str]().union(*(one.on(tags.scene, prints) for one in from_us))


@dataclass(frozen=True)
class _Enrolled:
    """Who of Stash is in a gallery: by which id there, and their numbers by these ids."""

    gallery: int
    known: Mapping[str, Identity]
    numbers: Mapping[Identity, int]


def _find_enrolled(store: Store, present: Mapping[str, StashPerformer]) -> _Enrolled:
    """Find performers of Stash by their ids, never by name; who may be several is left out.

    So is whoever has neither a name nor a stash id in common with whom the gallery knows by that
    id: in a newly made Stash it may be somebody else's.
    """
    with store.gallery() as gallery:
        owners = by_identity(gallery.performers())
        number = gallery.generation()[0]
    known: dict[str, Identity] = {}
    for id_, one in present.items():
        found = [it for it in identities_of(performer_of(one)) if it in owners]
        if len({owners[it].id for it in found}) == 1 and are_alike(owners[found[0]], one):
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
