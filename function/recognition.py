"""Finds the people in a video and names them: an overview of this package."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from db.galleries import Store
from db.models import Fusion
from db.snapshots import Snapshot
from function.engines.models import find_model
from function.faces.found import Progress, StageSeconds, Task
from function.matching.comparisons import choose_densities
from function.matching.densities import Densities, densities_for
from function.matching.fragments import join_fragments
from function.matching.hints import Hint
from function.matching.kin import find_kin, keep_likely
from function.matching.matches import Identification, VideoPeople, match_videos
from function.matching.path_names import hint_from_path
from function.matching.second_models import known_fusions
from function.media.files import MediaFile
from function.media.photo_kinds import is_still
from function.people.gathering import PeopleFound
from function.sandbox.readers import Reader
from function.settings import Settings


@dataclass(frozen=True, eq=False)
class Recognition:
    """The outcome: everyone who was found, how many frames and faces, and how long it took.

    `video_seconds` is the length of the video, `unreadable_seconds` how much of it is damaged and
    was not seen, `decoder` what decoded it. `is_still` says that it is a picture, not a video, and
    so has no times.
    """

    identifications: tuple[Identification, ...]
    frames: int
    faces: int
    seconds: StageSeconds
    video_seconds: float = 0.0
    unreadable_seconds: float = 0.0
    decoder: str = "cpu"
    is_still: bool = False


@dataclass(frozen=True, eq=False)
class Unnamed:
    """The people found in a video, and what is known about it: its path, and other hints."""

    found: PeopleFound
    path: str = ""
    hints: tuple[Hint, ...] = ()


def recognize_video(
    media: MediaFile,
    reader: Reader,
    store: Store,
    settings: Settings,
    densities: Sequence[Densities] | None = None,
    *,
    hints: Sequence[Hint] = (),
) -> Generator[Progress | Recognition]:
    """Find who is in a video, or in a picture: yields progress, and the Recognition last.

    Closing the generator ends the work. People are named from the gallery as it is after the video
    was read. It is also opened before, so that an error in it is raised at once, but it is not kept
    open meanwhile. Without `densities`, those of the reader's models are used. `hints` are what the
    caller knows of the video; the names in its path are added here.

    Raises:
        EngineUnavailableError: what reads videos cannot run here as configured.
        GalleryError: the gallery cannot be read; see `db.errors`.
        UnreadableVideoError, VideoOverLimitError, PhotoUnusableError: the file cannot be read.
    """
    with store.gallery():
        pass  # a missing gallery is told before anything is started
    primary, second = reader.ready().models[0], reader.second
    fusions = known_fusions(second)
    densities = densities or (second.all_densities() if second else None)
    take_snapshot(store, primary, fusions)
    video_seconds = 0.0
    with closing(reader.find_people(media, task_of(settings))) as events:
        for event in events:
            if isinstance(event, Progress):
                video_seconds = event.of_seconds or video_seconds  # it becomes more exact
                yield event
            else:
                gallery = take_snapshot(store, primary, fusions)
                named = name_people(
                    event, gallery, settings, densities, path=media.name, hints=hints
                )
                still = is_still(media.descriptor)
                yield replace(named, video_seconds=video_seconds, is_still=still)


def take_snapshot(store: Store, primary: str, fusions: Sequence[Fusion]) -> Snapshot:
    """Read a store's gallery into memory, as it is now, for a reader with this primary model.

    `fusions` are those that can be scored: people may have been encoded by another second model
    than today's.
    """
    with store.gallery() as gallery:
        return gallery.snapshot(find_model(primary), fusions)


def task_of(settings: Settings) -> Task:
    """Select the settings that decide how a video is searched."""
    return Task(settings.every_seconds, settings.detection_pixels)


def name_people(
    found: PeopleFound,
    gallery: Snapshot,
    settings: Settings,
    densities: Sequence[Densities] | None = None,
    *,
    path: str = "",
    hints: Sequence[Hint] = (),
) -> Recognition:
    """Compare the people found with the gallery, then join those who are one by time and place.

    `path`, relative to the media root, and `hints` make performers likelier, unless HINTS is off.
    """
    (named,) = name_videos([Unnamed(found, path, tuple(hints))], gallery, settings, densities)
    return Recognition(
        named,
        found.frames,
        found.faces,
        found.seconds,
        unreadable_seconds=found.unreadable_seconds,
        decoder=found.decoder,
    )


def name_videos(
    videos: Sequence[Unnamed],
    gallery: Snapshot,
    settings: Settings,
    densities: Sequence[Densities] | None = None,
) -> list[tuple[Identification, ...]]:
    """Name the people of several videos, each as `name_people` does, in a third of the time."""
    compared = [
        VideoPeople(one.found.people, _hints_of(one, gallery, settings), one.found.models)
        for one in videos
    ]
    named = match_videos(
        compared,
        gallery,
        min_score=settings.min_score,
        limit=settings.max_matches,
        densities=densities,
    )
    chosen = choose_densities(gallery, densities)
    spaces = [one.space_in(gallery) for one in compared]
    both = [densities_for(space.fusion.space, chosen) if space else None for space in spaces]
    joined = []
    for people, one, own in zip(named, videos, both, strict=True):
        links = keep_likely(people, one.found.links, own) if own else one.found.links
        joined.append(join_fragments(people, links))
    kin = find_kin(joined, both)
    return [
        tuple(join_fragments(people, found, keeps_uncertain=True))
        for people, found in zip(joined, kin, strict=True)
    ]


def _hints_of(video: Unnamed, gallery: Snapshot, settings: Settings) -> tuple[Hint, ...]:
    if settings.hints == "off":
        return ()
    return (*hint_from_path(video.path, gallery), *video.hints)
