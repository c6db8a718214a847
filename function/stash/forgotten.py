"""Recognises performers of Stash who were forgotten, under whatever name Stash had then."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from db.cells import read_texts
from db.galleries import Gallery
from db.identities import identities_of
from db.records import Performer
from function.sources.records import SourceRecord
from function.stash.client import Stash
from function.stash.following import FORMER, with_former_ids
from function.stash.records import SOURCE

FORMER_NAMES = f"{SOURCE} former names"
"""The checkpoint that holds the names Stash had as a source, as JSON."""


def note_former_names(gallery: Gallery, stash: Stash) -> None:
    """Remember under which names people may have been forgotten before Stash had one name."""
    known = former_names(gallery)
    here = {
        identity.source
        for performer in gallery.performers()
        for identity in performer.identities
        if identity.source.startswith(FORMER)
    }
    names = sorted(known | here | {f"stash {stash.url}"})
    gallery.note_checkpoint(FORMER_NAMES, json.dumps(names))


def former_names(gallery: Gallery) -> frozenset[str]:
    """Return the names that Stash had as a source in this gallery."""
    return frozenset(read_texts(gallery.checkpoint(FORMER_NAMES)) or ())


def is_forgotten(gallery: Gallery, performer: Performer) -> bool:
    """Say whether a performer of Stash was forgotten, under whatever name of Stash."""
    return gallery.is_forgotten(with_former_ids(performer, former_names(gallery)))


def known_as_forgotten(records: Iterable[SourceRecord], gallery: Gallery) -> Iterator[SourceRecord]:
    """Pass records on; those of the forgotten get the ids by which an import recognises them."""
    names = former_names(gallery)
    for record in records:
        former = with_former_ids(record.performer, names)
        is_new = not gallery.find_identities(identities_of(record.performer))
        yield (
            replace(record, performer=former) if is_new and gallery.is_forgotten(former) else record
        )
