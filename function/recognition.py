"""From a video to the people in it and their names: an overview of this package."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from db.snapshots import Snapshot
from function.faces.found import Progress, StageSeconds, Task
from function.matching.densities import Densities
from function.matching.matches import Identification, match_people
from function.media.files import MediaFile
from function.people.gathering import PeopleFound
from function.sandbox.readers import Reader
from function.settings import Settings


@dataclass(frozen=True, eq=False)
class Recognition:
    """The outcome: everyone who was found, and what that took."""

    identifications: tuple[Identification, ...]
    frames: int
    faces: int
    seconds: StageSeconds


def recognize_video(
    media: MediaFile,
    reader: Reader,
    gallery: Snapshot,
    settings: Settings,
    densities: Densities | None = None,
) -> Iterator[Progress | Recognition]:
    """Find who is in a video: yields progress after each frame, and the Recognition last.

    Closing the iterator ends the work. `densities` are those of the gallery's model, unless given.

    Raises:
        UnreadableVideoError: the file cannot be read as a video.
        VideoOverLimitError: it is larger or longer than the limits allow.
    """
    events: Generator[Progress | PeopleFound] = reader.find_people(media, task_of(settings))
    with closing(events):
        for event in events:
            if isinstance(event, Progress):
                yield event
            else:
                yield name_people(event, gallery, settings, densities)


def task_of(settings: Settings) -> Task:
    """Select the settings that decide what is seen in a video."""
    return Task(settings.every_seconds, settings.detection_pixels)


def name_people(
    found: PeopleFound, gallery: Snapshot, settings: Settings, densities: Densities | None = None
) -> Recognition:
    """Compare those who were found with the gallery."""
    identifications = match_people(
        found.people,
        gallery,
        min_score=settings.min_score,
        limit=settings.max_matches,
        densities=densities,
    )
    return Recognition(tuple(identifications), found.frames, found.faces, found.seconds)
