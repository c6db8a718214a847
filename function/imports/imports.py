"""The flow that all imports share: from a source, a gallery and a finder to a report."""

from collections.abc import Callable, Iterable, Iterator

from db.errors import GalleryError
from db.galleries import Gallery, GalleryChange
from function.imports.enrol import Enrolment, enrol_all, spare_photos
from function.imports.finders import FaceFinder
from function.imports.photos import Demands
from function.imports.prefetch import read_ahead
from function.imports.reports import Report
from function.sources.records import Refusal, SourceRecord, UnusableSourceError

Watch = Callable[[Iterator[Enrolment]], Iterable[Enrolment]]
"""Passes enrolments on as they happen, and shows them to somebody on the way."""


def import_records(
    records: Iterable[SourceRecord | Refusal],
    gallery: GalleryChange,
    finder: FaceFinder,
    demands: Demands,
    *,
    kind: str,
    watch: Watch = iter,
) -> Report:
    """Enrol everyone a source yields; `kind` names the source in the journal.

    What was enrolled before the source failed or the disk filled up stays, and is reported.

    Raises:
        UnusableSourceError: nothing could be read.
        GalleryError: nothing could be written.
    """
    wanted = spare_photos(records, gallery, look_again=demands.look_again)
    enrolments = enrol_all(read_ahead(wanted), gallery, finder, demands)
    return follow(watch(enrolments), gallery, kind=kind)


def follow(enrolments: Iterable[Enrolment], gallery: Gallery, *, kind: str) -> Report:
    """Count enrolments as they arrive, and add a line to the journal."""
    report = Report()
    try:
        for enrolment in enrolments:
            report.add(enrolment)
    except (UnusableSourceError, GalleryError) as error:
        if not report.done:
            raise
        report.stopped = str(error)
    except KeyboardInterrupt:
        report.stopped = "Interrupted."
    _note(gallery, kind, report)
    return report


def _note(gallery: Gallery, kind: str, report: Report) -> None:
    try:
        gallery.log(f"import {kind}", report.counts())
    except GalleryError as error:
        # On a full disk the report must still be printed.
        report.stopped = report.stopped or str(error)
