"""The cases: each turns a gallery and a video, or photos, into a reply as numbers and names.

Of the tests of golden replies, only this file knows the program's internals.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from db.galleries import GalleryChange, Store
from db.records import Encoding, Performer, Vector
from db.snapshots import Snapshot
from db.stores import open_store
from function.engines.loading import load_engine
from function.engines.models import BOTH, SECOND
from function.engines.protocol import Engine, EngineOptions
from function.enrolling.choosing import PhotoDemands, choose_face
from function.enrolling.search import search_photo
from function.matching.comparisons import choose_densities, group_alike, weigh_alike
from function.matching.matches import HIGHEST_SCORE, Identification
from function.media.files import open_any
from function.media.photos import PhotoRefusedError, read_photo_file
from function.media.pictures import RgbImage
from function.recognition import Recognition, recognize_video
from function.settings import Settings
from function.sources.records import SourceRecord
from function.web.reply import PersonReply, rank, to_reply
from function.web.results import RecentResults
from tests.support.crowds import Crowd
from tests.support.engines import EngineReader
from tests.support.floats import in_floats
from tools.demo.__main__ import ENROLLED, IN_THE_VIDEO, SECONDS_EACH
from tools.footage.photos import fetch_photos
from tools.footage.videos import moving_picture, read_portrait, still_picture, write_video
from tools.imports.enrol import enrol_performer
from tools.sources.folder import photo_at, read_folder

ALL_MATCHES = Settings(every_seconds=0.4, min_score=0.1, max_matches=6)
"""Lists improbable matches too, so that more changes are noticed."""

ACCENTED: dict[str, tuple[str, ...]] = {
    "Zoë Ångström": ("obama1.jpg", "obama2.jpg"),
    "Émile Çelik": ("hopper.jpg",),
    "Łukasz Żółw": ("biden.jpg",),
}
LIKENESSES = {"anna of Åland": 0.42, "Ørjan Ìsleifsson": 0.47, "Łukasz Żółw": 0.3}
"""How far an encoding made up for a performer is from the astronaut's."""

WITHOUT_FACES = "Zachary Moss"
"""Sorted by bytes, by alphabet or by upper case, he and the others come in different orders."""

STRANGERS = 640
"""Performers of the large gallery besides the accented ones: more than the cohort of a score."""

STRANGER_INITIALS = "AÁaåBÇŁłØZzŽ"

PORTRAITS = (
    *("obama1.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"),
    *("astronaut.png", "hopper.jpg", "cat.png"),
)
SPOILT: dict[str, Callable[[RgbImage], RgbImage]] = {
    "small": lambda picture: _resize(picture, (100, 100)),
    "soft": lambda picture: cv2.GaussianBlur(picture, (0, 0), 14).astype(np.uint8),
    "dark": lambda picture: picture // np.uint8(12),
    "on its side": np.rot90,
}
"""Ways to spoil a portrait for enrolment."""


@dataclass(frozen=True)
class Material:
    """What cases are made of: an engine, the portraits, and a folder to make videos in."""

    engine: Engine
    photos: Path
    folder: Path
    make_store: Callable[[Path], Store] = open_store

    def new_store(self) -> Store:
        """Make an empty gallery."""
        store = self.make_store(self.folder / f"{uuid.uuid4().hex}.db")
        store.create()
        return store

    @cached_property
    def video(self) -> Path:
        """Several people, moving and still, alone and beside each other, turned and far away."""
        return _write(self.folder / "people.mp4", _scenes(self.photos), fps=10)


def fetch_material(folder: Path) -> Material:
    """Fetch and load what cases are made of; `folder` is for the videos."""
    return Material(load_in_floats(), fetch_photos(), folder)


def load_in_floats() -> Engine:
    """Load the engine that users get, but its nets in floats.

    So the numbers do not depend on which kind they are made on.
    """
    with in_floats():
        return load_engine("auto", EngineOptions())


def demo(material: Material) -> dict[str, Any]:
    """Make the demo's own video and gallery."""
    shots = (
        picture
        for name in IN_THE_VIDEO
        for picture in moving_picture(
            read_portrait(material.photos / name), SECONDS_EACH, size=(1280, 720)
        )
    )
    video = _write(material.folder / "demo.mp4", shots, fps=25)
    store = material.new_store()
    with store.changing() as gallery:
        _enrol(gallery, {name: files for name, (files, _) in ENROLLED.items()}, material)
    return _answer(video, store, material.engine, Settings())


def accents(material: Material) -> dict[str, Any]:
    """Search a film of several people whose names have accents."""
    store = material.new_store()
    with store.changing() as gallery:
        _enrol_accented(gallery, material)
    return _answer(material.video, store, material.engine)


def crowd(material: Material) -> dict[str, Any]:
    """Look for the same people among hundreds that are like them."""
    store = material.new_store()
    with store.changing() as gallery:
        _enrol_accented(gallery, material)
        _enrol_strangers(gallery, material.engine)
    answer = _answer(material.video, store, material.engine)
    return {**answer, "performers": len(answer["performers"])}


def rejections(material: Material) -> dict[str, Any]:
    """For everyone, reject the performer that the first reply names first, and ask again."""
    store = material.new_store()
    with store.changing() as gallery:
        _enrol_accented(gallery, material)
    ranked = rank(_recognize(material.video, store, material.engine).identifications)
    results = RecentResults()
    model = material.engine.encoder.model
    kept = results.keep("people.mp4", [one.person for one in ranked], model, SECOND.id)
    with store.changing() as gallery:
        for sighting, one in zip(results.find(kept).people, ranked, strict=True):
            if one.matches:
                gallery.reject(one.matches[0].performer, sighting)
    return _answer(material.video, store, material.engine)


def enrolment(material: Material) -> dict[str, Any]:
    """Search each portrait as an import does, and one that is spoilt in several ways."""
    photos = {name: read_photo_file(material.photos / name) for name in PORTRAITS}
    portrait = read_portrait(material.photos / "obama1.jpg")
    photos |= {f"obama1.jpg, {how}": _png(spoil(portrait)) for how, spoil in SPOILT.items()}
    return {name: _weigh(content, material.engine) for name, content in photos.items()}


def clip(material: Material, data: Path) -> dict[str, Any]:
    """Search a film of two singers with others behind them; `data` holds the development data."""
    store = material.new_store()
    with store.changing() as gallery:
        for record in read_folder(data / "clip" / "gallery"):
            enrol_performer(record, gallery, material.engine)
    return _answer(data / "clip" / "short_hamilton_clip.mp4", store, material.engine, Settings())


CASES = {case.__name__: case for case in (demo, accents, crowd, rejections, enrolment)}
"""The cases that anyone can make; `clip` needs development data."""


def _write(path: Path, pictures: Iterable[RgbImage], fps: float) -> Path:
    # The number of threads that encode a video changes what is in it.
    return write_video(path, pictures, fps=fps, options={"threads": "1"})


def _scenes(photos: Path) -> Iterator[RgbImage]:
    obama2, obama3, biden, astronaut, hopper = (
        read_portrait(photos / name)
        for name in ("obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png", "hopper.jpg")
    )
    yield from _alone(obama3)
    yield from _beside(astronaut, hopper)
    yield from _alone(np.rot90(biden))
    yield from _beside(obama3, obama2)
    yield from (_far(picture) for picture in _beside(hopper, biden))
    yield from still_picture(next(_alone(astronaut)), 1, fps=10)


def _alone(portrait: RgbImage) -> Iterator[RgbImage]:
    return moving_picture(portrait, 2, fps=10, size=(960, 540))


def _beside(left: RgbImage, right: RgbImage) -> Iterator[RgbImage]:
    halves = [moving_picture(one, 2, fps=10, size=(480, 540), reach=0.05) for one in (left, right)]
    return (np.hstack(pair) for pair in zip(*halves, strict=True))


def _far(picture: RgbImage) -> RgbImage:
    far = np.full_like(picture, 96)
    far[216:324, 384:576] = _resize(picture, (192, 108))
    return far


def _resize(picture: RgbImage, size: tuple[int, int]) -> RgbImage:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _png(picture: RgbImage) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def _enrol(gallery: GalleryChange, people: dict[str, tuple[str, ...]], material: Material) -> None:
    for name, files in people.items():
        photos = tuple(photo_at(material.photos / file) for file in files)
        enrol_performer(SourceRecord(_performer(name), photos), gallery, material.engine)


def _enrol_accented(gallery: GalleryChange, material: Material) -> None:
    """Enrol the performers with accents, some with encodings made up near the astronaut's."""
    _enrol(gallery, ACCENTED, material)
    _enrol_made_up(gallery, WITHOUT_FACES, [], material.engine)
    content = read_photo_file(material.photos / "astronaut.png")
    astronaut = choose_face(search_photo(content, material.engine)).encoding
    drawn = Crowd(seed=3)
    for name, distance in LIKENESSES.items():
        _enrol_made_up(gallery, name, [astronaut + drawn.direction(distance)], material.engine)


def _enrol_strangers(gallery: GalleryChange, engine: Engine) -> None:
    """Enrol two encodings each of people who look somewhat like one of those enrolled."""
    known = [
        one.vector
        for who in gallery.performers()
        for one in gallery.encodings(who.id)
        if one.model == engine.encoder.model.id
    ]
    drawn = Crowd(seed=5)
    for number in range(STRANGERS):
        drawn.middle = known[number % len(known)]
        initial = STRANGER_INITIALS[number % len(STRANGER_INITIALS)]
        encodings = drawn.encodings(drawn.person(), 2)
        _enrol_made_up(gallery, f"{initial}. {number:03}", list(encodings), engine)


def _enrol_made_up(
    gallery: GalleryChange, name: str, vectors: Sequence[Vector], engine: Engine
) -> None:
    encodings = [
        Encoding(vector, engine.encoder.model.id, 0.7, f"{name} {row}", f"{name}/{row}.jpg")
        for row, vector in enumerate(vectors)
    ]
    gallery.enrol(_performer(name), encodings, None)


def _performer(name: str) -> Performer:
    return Performer(id=0, name=name, source_id=name)


def _recognize(
    video: Path, store: Store, engine: Engine, settings: Settings = ALL_MATCHES
) -> Recognition:
    with open_any(video) as media:
        *_, last = recognize_video(media, EngineReader(engine), store, settings)
    assert isinstance(last, Recognition)
    return last


def _answer(
    video: Path, store: Store, engine: Engine, settings: Settings = ALL_MATCHES
) -> dict[str, Any]:
    found = _recognize(video, store, engine, settings)
    with store.gallery() as gallery:
        snapshot = gallery.snapshot(engine.encoder.model, [BOTH])
        replies = to_reply(found.identifications, gallery.thumbnail)
    ranked = rank(found.identifications)
    return {
        "performers": [one.name for one in snapshot.performers],
        "frames": found.frames,
        "faces": found.faces,
        "people": [
            _person(reply, _unrounded(one, snapshot))
            for reply, one in zip(replies, ranked, strict=True)
        ],
    }


def _person(reply: PersonReply, unrounded: dict[str, float]) -> dict[str, Any]:
    """Take the numbers of a reply, with the scores from before they were rounded."""
    return {
        "matches": [
            {"name": one["name"], "score": _finer(one["score"], unrounded[one["id"]])}
            for one in reply["matches"]
        ],
        "verdict": reply["verdict"],
        "appearances": [list(span) for span in reply["appearances"]],
        "faces": reply["faces"],
        "best_seconds": reply["best_seconds"],
    }


def _finer(score: float, unrounded: float) -> float:
    """Return `unrounded` if `score` is the same, rounded; of a twin the reply lowers the score."""
    is_same = abs(min(unrounded, HIGHEST_SCORE) - score) < 0.051
    return round(unrounded, 6) if is_same else score


def _unrounded(one: Identification, gallery: Snapshot) -> dict[str, float]:
    """Weigh a person again, and return each performer's unrounded score, by id."""
    (alike,) = group_alike([one.person], gallery.fused or [None], gallery)
    weighed = weigh_alike(alike, gallery, choose_densities(gallery), {})
    ids = [str(gallery.performers[position].id) for position in weighed.positions]
    return dict(zip(ids, (100 * weighed.probabilities).tolist(), strict=True))


def _weigh(content: bytes, engine: Engine) -> dict[str, Any]:
    try:
        demands = PhotoDemands(smallest_pixels=1)
        face = choose_face(search_photo(content, engine), demands)
    except PhotoRefusedError as error:
        return {"refused": str(error)}
    return {
        "quality": round(face.quality, 3),
        "width": face.box.width,
        "weaknesses": list(face.weaknesses),
    }
