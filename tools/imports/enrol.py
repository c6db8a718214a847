"""Enrols records by an engine in this process, as tools do with files of the user's own."""

from collections.abc import Iterable, Iterator

from db.galleries import GalleryChange
from function.engines.protocol import Engine
from function.imports import enrol
from function.imports.enrol import Enrolment
from function.imports.finders import EngineFinder
from function.imports.photos import USUAL_DEMANDS, Demands
from function.sources.records import Refusal, SourceRecord


def enrol_all(
    records: Iterable[SourceRecord | Refusal],
    gallery: GalleryChange,
    engine: Engine,
    demands: Demands = USUAL_DEMANDS,
) -> Iterator[Enrolment]:
    """Enrol performers one by one; see `function.imports.enrol.enrol_all`."""
    return enrol.enrol_all(records, gallery, EngineFinder(engine), demands)


def enrol_performer(
    record: SourceRecord,
    gallery: GalleryChange,
    engine: Engine,
    demands: Demands = USUAL_DEMANDS,
) -> Enrolment:
    """Encode one performer's new photos, and store them in one step."""
    return enrol.enrol_performer(record, gallery, EngineFinder(engine), demands)
