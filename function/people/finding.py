"""Finds the people in a video, and the faces in a picture, with all that is kept of them.

It loads decoders, so a server with a sandbox never imports it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from function.engines.models import models_of
from function.engines.protocol import Engine
from function.errors import VideoOverLimitError
from function.faces.face import Face
from function.faces.found import Details, FacesFound, PictureFound, Progress, Task
from function.faces.pictures import search_still
from function.faces.search import Hands, search_video
from function.faces.second_encodings import details_of
from function.media.pictures import Place
from function.people.enough import is_enough
from function.people.gathering import PeopleFound, gather_people
from function.people.pictures import with_details

MOST_FACES = 100_000
"""Ten in each picture of the longest video."""


def find_people(
    source: Path | int, name: str, engine: Engine, task: Task, hands: Hands
) -> Iterator[Progress | PeopleFound]:
    """Find everyone in a video, a path or an open descriptor: yields progress, and people last.

    Raises:
        UnreadableVideoError: the file cannot be read as a video.
        VideoOverLimitError: it is larger or longer, or shows more faces, than the limits allow.
    """
    model = engine.encoder.model

    def enough(faces: Sequence[Face], frames: int) -> bool:
        return is_enough(faces, model, frames)

    for event in search_video(source, name, engine, task, hands, is_enough=enough):
        yield event if isinstance(event, Progress) else _gather(event, name, engine, hands)


def find_in_picture(
    descriptor: int, place: Place | None, engine: Engine, detection_pixels: int
) -> PictureFound:
    """Find the faces in a picture as `search_still`, each with its picture and both encodings.

    Raises:
        PhotoRefusedError: it is unreadable, or too large.
    """
    found = search_still(descriptor, place, engine, detection_pixels)
    every = range(len(found.faces))
    again = every if engine.second else ()
    return with_details(found, details_of(found.faces, every, again, engine.second))


def _gather(found: FacesFound, name: str, engine: Engine, hands: Hands) -> PeopleFound:
    if len(found.faces) > MOST_FACES:
        raise VideoOverLimitError(
            f"{name} shows {len(found.faces):,} faces, more than {MOST_FACES:,}. Give a larger "
            "`every`."
        )

    def fetch(pictures: Sequence[int], encode: Sequence[int]) -> Details:
        return details_of(found.faces, pictures, encode, engine.second, hands.thread)

    return gather_people(found, models_of(engine), fetch)
