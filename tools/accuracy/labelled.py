"""Labelled faces to measure with: photos in folders by name, or clips with a table of names.

Photos: DIR/<Name>/*.jpg, as `import folder` reads them, one source per photo. Clips: DIR/labels.csv
with the columns `clip` (a path within DIR) and `name`, and, if someone is seen for only a part,
`start` and `end` in seconds; one source for each name in each clip. A moment that two names claim,
or none, is left out.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from function.engines.protocol import Engine
from function.enrolling.search import DETECTION_PIXELS
from function.errors import RecognitionError
from function.faces.face import Face
from function.faces.faces import faces_of_image, find_faces
from function.faces.second_encodings import encode_again, encode_with_likeness
from function.media.frames import sample_frames
from function.media.photo_decoder import decode_photo
from function.media.photos import PhotoRefusedError
from function.media.videos import open_video
from function.people.gathering import choose_again
from function.settings import Settings
from function.sources.records import UnusableSourceError
from tools.accuracy.usual_encodings import AsUsual
from tools.sources.folder import read_performers

LABELS_FILE = "labels.csv"
REQUIRED_COLUMNS = ("clip", "name")

CLEARLY_LARGER = 1.5
"""In a photo with several faces the widest is the labelled one, if it is this many times as wide
as the next."""


@dataclass(frozen=True, eq=False)
class Source:
    """One photo or clip of one person, seen at one time; a trial enrols it or searches for it.

    `as_usual` are the same faces with the encodings that face_recognition makes, for the usual
    way; where it is empty, that gets ours. `to_enrol` are the same faces as enrolling encodes them,
    if it encodes them otherwise than a video's.
    """

    name: str
    origin: str
    faces: tuple[Face, ...]
    is_video: bool
    as_usual: tuple[Face, ...] = ()
    to_enrol: tuple[Face, ...] = ()

    def for_usual_way(self) -> "Source":
        """Return the source as the usual way gets it."""
        return replace(self, faces=self.as_usual or self.faces, to_enrol=())

    def for_enrolling(self) -> "Source":
        """Return the source as a gallery gets it."""
        return replace(self, faces=self.to_enrol or self.faces)


@dataclass(frozen=True)
class LeftOut:
    """A file that could not be used, whom it should show, and why it shows nobody."""

    name: str
    origin: str
    reason: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything that was read, and what could not be."""

    sources: tuple[Source, ...]
    left_out: tuple[LeftOut, ...]

    def with_left_out(self) -> tuple[Source, ...]:
        """Return the sources, and one without faces for each file that was left out.

        A search for such a file names nobody, as it would in use.
        """
        blank = (Source(one.name, one.origin, (), is_video=False) for one in self.left_out)
        return (*self.sources, *blank)


@dataclass(frozen=True)
class Label:
    """Says that `name` appears in a clip from `start` to `end` seconds."""

    name: str
    start: float
    end: float


def read_dataset(folder: Path, engine: Engine) -> Dataset:
    """Find and encode the labelled faces of a folder.

    Raises:
        UnusableSourceError: there is no such folder, it holds neither photos nor labels.csv, or
            labels.csv cannot be used.
    """
    read = _read_clips if (folder / LABELS_FILE).exists() else _read_photos
    found = list(read(folder, engine))
    return Dataset(
        tuple(one for one in found if isinstance(one, Source)),
        tuple(one for one in found if isinstance(one, LeftOut)),
    )


def _read_photos(folder: Path, engine: Engine) -> Iterator[Source | LeftOut]:
    for record in read_performers(folder):
        for photo in record.photos:
            try:
                image = decode_photo(photo.read())
                face, usual = (
                    labelled_face(faces_of_image(image, one, DETECTION_PIXELS))
                    for one in (engine, AsUsual(engine))
                )
                enrolled, _ = encode_with_likeness(face, engine.second)
                face = encode_again(face, engine.second)
            except (OSError, PhotoRefusedError) as error:
                yield LeftOut(record.performer.name, photo.origin, str(error))
            else:
                yield Source(
                    record.performer.name,
                    photo.origin,
                    (face,),
                    is_video=False,
                    as_usual=(usual,),
                    to_enrol=(enrolled,),
                )


def labelled_face(faces: list[Face]) -> Face:
    """Choose the face that a photo's name is about: the only one, or by far the widest.

    Raises:
        PhotoRefusedError: there is none, or none is clearly the widest.
    """
    sure = [face for face in faces if not face.is_doubtful]
    if not sure:
        raise PhotoRefusedError("no face found")
    widest, *others = sorted(sure, key=lambda face: -face.box.width)
    if others and widest.box.width < CLEARLY_LARGER * others[0].box.width:
        raise PhotoRefusedError(f"{len(sure)} faces, none clearly the largest")
    return widest


def _read_clips(folder: Path, engine: Engine) -> Iterator[Source | LeftOut]:
    for clip, labels in read_labels(folder / LABELS_FILE).items():
        names = sorted({label.name for label in labels})
        try:
            with open_video(folder / clip, None) as video:
                found = find_faces(sample_frames(video), engine, Settings().detection_pixels)
                faces = [face for _, new in found for face in new]
        except (OSError, RecognitionError) as error:
            yield from (LeftOut(name, clip, str(error)) for name in names)
            continue
        for name in names:
            own = [face for face in faces if _names_at(face.seconds, labels) == {name}]
            if own:
                yield Source(name, clip, _encode_best_again(own, engine), is_video=True)
            else:
                yield LeftOut(name, clip, f"no face while only {name} is labelled")


def _encode_best_again(faces: list[Face], engine: Engine) -> tuple[Face, ...]:
    """Encode those faces of a person again that a video's would be."""
    chosen = {id(face) for face in choose_again(faces, engine.encoder.model)}
    return tuple(
        encode_again(face, engine.second) if id(face) in chosen else face for face in faces
    )


def _names_at(seconds: float, labels: list[Label]) -> set[str]:
    return {label.name for label in labels if label.start <= seconds <= label.end}


def read_labels(path: Path) -> dict[str, list[Label]]:
    """Read who is seen when, for each clip, from a table.

    Raises:
        UnusableSourceError: a column is missing, or a time is no number.
    """
    clips: dict[str, list[Label]] = {}
    with path.open(newline="", encoding="utf-8-sig") as table:
        rows = csv.DictReader(table)
        missing = [name for name in REQUIRED_COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise UnusableSourceError(
                f"{path} has no column {missing[0]!r}; its first line must be clip,name or "
                "clip,name,start,end."
            )
        for number, row in enumerate(rows, start=2):
            clips.setdefault(row["clip"], []).append(_read_label(path, number, row))
    return clips


def _read_label(path: Path, number: int, row: dict[str, str]) -> Label:
    try:
        start, end = float(row.get("start") or 0), float(row.get("end") or "inf")
    except ValueError:
        raise UnusableSourceError(
            f"{path}, line {number}: start and end must be seconds, or empty; "
            f"found {row.get('start')!r} and {row.get('end')!r}."
        ) from None
    return Label(row["name"], start, end)
