"""The flow that all imports share: from a source, a gallery and an engine to a report."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager

from tqdm import tqdm

from db.errors import ForgottenError, GalleryError, IdentityConflictError
from db.galleries import Gallery, GalleryChange, Store, everyone
from db.identities import identities_of
from db.names import find_complaint, tidy
from function.engines.protocol import Engine
from tools.imports.enrol import Enrolment, enrol_all, refused, spare_photos
from tools.imports.photos import Demands
from tools.imports.prefetch import read_ahead
from tools.imports.reports import Report
from tools.sources import Refusal, SourceRecord, UnusableSourceError


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
    """Enrol everyone a source yields; `kind` names the source in the journal.

    What was enrolled before the source failed or the disk filled up stays, and is reported.

    Raises:
        UnusableSourceError: nothing could be read.
        GalleryError: nothing could be written.
    """
    wanted = spare_photos(records, gallery, look_again=demands.look_again)
    enrolments = enrol_all(read_ahead(wanted), gallery, engine, demands)
    return follow(enrolments, gallery, kind=kind, total=total)


def follow(
    enrolments: Iterator[Enrolment], gallery: GalleryChange, *, kind: str, total: int | None = None
) -> Report:
    """Count enrolments as they arrive, with a bar on stderr, and add a line to the journal."""
    report = Report()
    try:
        for enrolment in tqdm(enrolments, total=total, unit=" performers", file=sys.stderr):
            report.add(enrolment)
    except (UnusableSourceError, GalleryError) as error:
        if not report.done:
            raise
        report.stopped = str(error)
    except KeyboardInterrupt:
        report.stopped = "Interrupted."
    _note(gallery, kind, report)
    return report


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


def _note(gallery: GalleryChange, kind: str, report: Report) -> None:
    try:
        gallery.log(f"import {kind}", report.counts())
    except GalleryError as error:
        # On a full disk the report must still be printed.
        report.stopped = report.stopped or str(error)
