"""Imports as a user runs them in a shell: with a bar, and with an engine in this process."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from tqdm import tqdm

from db.errors import ForgottenError, IdentityConflictError
from db.galleries import Gallery, GalleryChange, Store, everyone
from db.identities import identities_of
from db.names import find_complaint, tidy
from function.engines.protocol import Engine
from function.imports import imports
from function.imports.enrol import Enrolment, refused
from function.imports.finders import EngineFinder
from function.imports.photos import Demands
from function.imports.reports import Report
from function.sources.records import Refusal, SourceRecord


def gallery_to_fill(store: Store, *, dry_run: bool) -> AbstractContextManager[GalleryChange]:
    """Open the gallery, and keep other writers out; for a dry run, open a copy in memory.

    Raises:
        GalleryError: see `db.errors`.
    """
    return store.rehearsing() if dry_run else store.changing(create=True)


def import_records(
    records: Iterable[SourceRecord | Refusal],
    gallery: GalleryChange,
    engine: Engine,
    demands: Demands,
    *,
    kind: str,
    total: int | None = None,
) -> Report:
    """Enrol everyone a source yields, with a bar on stderr; see `function.imports.imports`."""
    return imports.import_records(
        records,
        gallery,
        EngineFinder(engine),
        demands,
        kind=kind,
        watch=lambda enrolments: with_bar(enrolments, total),
    )


def follow(
    enrolments: Iterator[Enrolment], gallery: GalleryChange, *, kind: str, total: int | None = None
) -> Report:
    """Count enrolments as they arrive, with a bar on stderr, and add a line to the journal."""
    return imports.follow(with_bar(enrolments, total), gallery, kind=kind)


def with_bar(enrolments: Iterator[Enrolment], total: int | None = None) -> Iterable[Enrolment]:
    """Show on stderr how many performers are done."""
    shown: Iterable[Enrolment] = tqdm(enrolments, total=total, unit=" performers", file=sys.stderr)
    return shown


def enrol_bundle(bundle: Gallery, gallery: GalleryChange) -> Iterator[Enrolment]:
    """Enrol everyone in a checked bundle, with the encodings it holds."""
    for found, encodings, thumbnail in everyone(bundle):
        performer = tidy(found)
        if complaint := find_complaint(performer):
            yield refused(performer, complaint)
            continue
        try:
            stored = gallery.find_same(performer)
            removed = gallery.removed_photos(stored.id) if stored else set()
            kept = [one for one in encodings if one.photo_hash not in removed]
            change = gallery.enrol(performer, kept, thumbnail)
        except ForgottenError:
            yield Enrolment(performer.name, None, 0, forgotten=True)
        except IdentityConflictError as error:
            refusal = Refusal(performer.name, "", str(error))
            yield Enrolment(performer.name, None, 0, (refusal,))
        else:
            now = gallery.find_identities(identities_of(performer))[0].encodings
            yield Enrolment(performer.name, change, now - (stored.encodings if stored else 0))
