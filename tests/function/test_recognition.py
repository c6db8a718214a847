"""From a video to names, whichever encoder an engine has."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from db.errors import GalleryMissingError, OtherModelError
from db.galleries import everyone
from db.records import Encoding, Performer
from db.sqlite.store import StoredGallery
from db.stores import open_store
from function.engines import models
from function.engines.models import PRIMARY
from function.engines.protocol import Engine
from function.enrolling.choosing import choose_face
from function.enrolling.search import search_photo
from function.matching.densities import Densities
from function.matching.hints import Hint
from function.media.files import open_any
from function.recognition import Recognition, recognize_video
from function.settings import Settings
from tests.support.engines import EngineReader, OpenStore
from tests.support.tiny_encoder import TINY, TINY_DENSITIES, TinyEngine
from tools.footage.videos import moving_picture, read_portrait, write_video

ENROLLED = ("obama1.jpg", "biden.jpg")
SHOWN = ("obama1.jpg", "astronaut.png", "biden.jpg")


@pytest.fixture(scope="module")
def tiny(engine: Engine) -> Iterator[TinyEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "MODELS", {**models.MODELS, TINY.id: TINY})
        yield TinyEngine(engine)


@pytest.fixture(scope="module")
def video(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two who are enrolled, and a stranger between them, two seconds each."""
    shots = (
        frame
        for name in SHOWN
        for frame in moving_picture(read_portrait(photos / name), 2, fps=10, size=(640, 360))
    )
    return write_video(
        tmp_path_factory.mktemp("shown") / "three.mp4", shots, fps=10, keyframe_every=5
    )


@pytest.fixture(scope="module")
def gallery(engine: Engine, tiny: TinyEngine, photos: Path) -> StoredGallery:
    """A gallery with encodings of two models for every photo."""
    gallery = StoredGallery()
    for name in ENROLLED:
        content = (photos / name).read_bytes()
        faces = [
            (one.encoder.model, choose_face(search_photo(content, one))) for one in (engine, tiny)
        ]
        encodings = [
            Encoding(face.encoding, model.id, face.quality, name, name) for model, face in faces
        ]
        gallery.enrol(Performer(0, name, source_id=name), encodings, None)
    return gallery


def names(
    video: Path,
    engine: Engine,
    gallery: StoredGallery,
    densities: Sequence[Densities] | None = None,
) -> list[str]:
    reader, settings = EngineReader(engine), Settings(every_seconds=0.5)
    with open_any(video) as media:
        *_, last = recognize_video(media, reader, OpenStore(gallery), settings, densities)
    assert isinstance(last, Recognition)
    first = sorted(last.identifications, key=lambda one: one.person.seen[0].seconds)
    return [one.matches[0].performer.name if one.verdict == "match" else "" for one in first]


def test_an_encoder_of_sixty_four_numbers_finds_groups_and_names_people(
    video: Path, tiny: TinyEngine, gallery: StoredGallery
) -> None:
    assert gallery.snapshot(TINY).vectors.shape == (2, 64)
    assert names(video, tiny, gallery, [TINY_DENSITIES]) == ["obama1.jpg", "", "biden.jpg"]


def test_two_models_of_one_photo_do_not_get_in_each_others_way(
    video: Path, engine: Engine, gallery: StoredGallery
) -> None:
    assert gallery.models() == [PRIMARY.id, TINY.id]
    assert [one.encodings for one in gallery.performers()] == [1, 1]
    assert names(video, engine, gallery) == ["obama1.jpg", "", "biden.jpg"]


@pytest.mark.parametrize("densities", [None, [TINY_DENSITIES]])
def test_scores_need_densities_of_the_models_own(
    video: Path,
    engine: Engine,
    tiny: TinyEngine,
    gallery: StoredGallery,
    densities: Sequence[Densities] | None,
) -> None:
    looked_by: Engine = engine if densities else tiny
    with pytest.raises(OtherModelError, match="densities were fitted on encodings of tiny"):
        names(video, looked_by, gallery, densities)


def test_who_is_named_in_the_path_is_likelier_unless_hints_are_off(
    video: Path, engine: Engine, gallery: StoredGallery, tmp_path: Path
) -> None:
    """The performers here are called like their photos, `obama1.jpg`."""
    hinted: dict[str, dict[str, list[str]]] = {}
    for hints in ("on", "off"):
        settings = Settings.from_env({"EVERY_SECONDS": "0.5", "HINTS": hints})
        path = shutil.copy(video, tmp_path / "Obama1.jpg at home.mp4")
        with open_any(Path(path)) as media:
            *_, last = recognize_video(
                media, EngineReader(engine), OpenStore(gallery), settings, hints=[Hint(2, "tag")]
            )
        assert isinstance(last, Recognition)
        firsts = [one.matches[0] for one in last.identifications if one.matches]
        hinted[hints] = {one.performer.name: list(one.hints) for one in firsts}
    assert hinted["on"] == {"obama1.jpg": ["path"], "biden.jpg": ["tag"]}
    assert hinted["off"] == {"obama1.jpg": [], "biden.jpg": []}


def test_a_gallery_is_never_held_while_a_video_is_read(
    video: Path, engine: Engine, gallery: StoredGallery
) -> None:
    store = OpenStore(gallery)
    held: list[str] = []

    @contextmanager
    def watched() -> Iterator[StoredGallery]:
        held.append("open")
        yield gallery
        held.pop()

    store.gallery = watched  # type: ignore[method-assign]
    with open_any(video) as media:
        events = recognize_video(media, EngineReader(engine), store, Settings())
        held_at = [(type(event).__name__, len(held)) for event in events]
    assert ("Progress", 0) in held_at
    assert {number for _, number in held_at} == {0}


def test_what_is_wrong_with_the_gallery_is_said_before_the_video_is_read(
    video: Path, engine: Engine, tmp_path: Path
) -> None:
    with open_any(video) as media, pytest.raises(GalleryMissingError):
        next(
            recognize_video(media, EngineReader(engine), open_store(tmp_path / "g.db"), Settings())
        )


def test_the_gallery_counts_as_it_is_when_the_video_ends(
    video: Path, engine: Engine, gallery: StoredGallery, tmp_path: Path
) -> None:
    store = open_store(tmp_path / "g.db")
    store.create()
    with open_any(video) as media:
        events = recognize_video(media, EngineReader(engine), store, Settings(every_seconds=0.5))
        next(events)
        with store.changing() as change:
            for performer, encodings, thumbnail in everyone(gallery):
                kept = [one for one in encodings if one.model == PRIMARY.id]
                change.enrol(performer, kept, thumbnail)
        *_, last = events
    assert isinstance(last, Recognition)
    assert sum(one.verdict == "match" for one in last.identifications) == 2
