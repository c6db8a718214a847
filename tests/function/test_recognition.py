"""From a video to names, whichever encoder an engine has."""

from pathlib import Path

import pytest

from db.errors import OtherModelError
from db.models import EncodingModel
from db.records import Encoding, Performer
from db.snapshots import Snapshot
from db.sqlite.store import StoredGallery
from function.engines.models import PRIMARY
from function.engines.protocol import Engine
from function.enrolling.choosing import choose_face
from function.enrolling.search import search_photo
from function.matching.densities import Densities
from function.media.files import open_any
from function.recognition import Recognition, recognize_video
from function.settings import Settings
from tests.support.engines import EngineReader
from tests.support.tiny_encoder import TINY, TINY_DENSITIES, TinyEngine
from tools.footage.videos import moving_picture, read_portrait, write_video

ENROLLED = ("obama1.jpg", "biden.jpg")
SHOWN = ("obama1.jpg", "astronaut.png", "biden.jpg")


@pytest.fixture(scope="module")
def tiny(engine: Engine) -> TinyEngine:
    return TinyEngine(engine)


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
    video: Path, engine: Engine, snapshot: Snapshot, densities: Densities | None = None
) -> list[str]:
    reader, settings = EngineReader(engine), Settings(every_seconds=0.5)
    with open_any(video) as media:
        *_, last = recognize_video(media, reader, snapshot, settings, densities)
    assert isinstance(last, Recognition)
    first = sorted(last.identifications, key=lambda one: one.person.seen[0].seconds)
    return [one.matches[0].performer.name if one.verdict == "match" else "" for one in first]


def test_an_encoder_of_sixty_four_numbers_finds_groups_and_names_people(
    video: Path, tiny: TinyEngine, gallery: StoredGallery
) -> None:
    snapshot = gallery.snapshot(TINY)
    assert snapshot.vectors.shape == (2, 64)
    assert names(video, tiny, snapshot, TINY_DENSITIES) == ["obama1.jpg", "", "biden.jpg"]


def test_two_models_of_one_photo_do_not_get_in_each_others_way(
    video: Path, engine: Engine, gallery: StoredGallery
) -> None:
    assert gallery.models() == [PRIMARY.id, TINY.id]
    assert [one.encodings for one in gallery.performers()] == [1, 1]
    assert names(video, engine, gallery.snapshot(PRIMARY)) == ["obama1.jpg", "", "biden.jpg"]


@pytest.mark.parametrize("densities", [None, TINY_DENSITIES])
def test_scores_need_densities_of_the_models_own(
    video: Path,
    engine: Engine,
    tiny: TinyEngine,
    gallery: StoredGallery,
    densities: Densities | None,
) -> None:
    looked_by: Engine = engine if densities else tiny
    model: EncodingModel = looked_by.encoder.model
    with pytest.raises(OtherModelError, match="densities were fitted on encodings of tiny"):
        names(video, looked_by, gallery.snapshot(model), densities)
