"""Reading labelled photos and clips."""

from pathlib import Path

import numpy as np
import pytest

from function.engines.protocol import Engine
from function.faces.face import Face
from function.faces.second_encodings import encode_with_likeness
from function.sources.records import UnusableSourceError
from tools.accuracy.labelled import read_dataset
from tools.footage.videos import moving_picture, read_picture, write_video


def test_a_folder_of_photos_is_read_by_name(people_folder: Path, engine: Engine) -> None:
    dataset = read_dataset(people_folder, engine)
    names = [source.name for source in dataset.sources]
    assert names == ["Barack Obama", "Barack Obama", "Grace Hopper"]
    assert dataset.left_out == ()
    assert all(isinstance(source.faces[0], Face) for source in dataset.sources)


def test_photos_are_read_as_videos_show_them_and_as_enrolling_encodes_them(
    people_folder: Path, engine: Engine
) -> None:
    assert engine.second
    for source in read_dataset(people_folder, engine).sources:
        (face,), (enrolled,) = source.faces, source.for_enrolling().faces
        assert face.second is not None
        assert enrolled.second is not None
        np.testing.assert_array_equal(face.encoding, enrolled.encoding)
        ours, _ = encode_with_likeness(face, engine.second)
        np.testing.assert_array_equal(enrolled.second, ours.second)
        assert 0.001 < np.square(face.second - enrolled.second).sum() < 0.2
        usual = source.for_usual_way()
        assert usual.for_enrolling().faces == usual.faces


def test_a_folder_of_clips_is_read_by_its_labels(
    photos: Path, tmp_path: Path, engine: Engine
) -> None:
    collins, hopper = (read_picture(photos / name) for name in ("astronaut.png", "hopper.jpg"))
    shots = [
        *moving_picture(collins, 2, size=(480, 360)),
        *moving_picture(hopper, 2, size=(480, 360)),
    ]
    write_video(tmp_path / "two.mp4", shots)
    (tmp_path / "labels.csv").write_text(
        "clip,name,start,end\ntwo.mp4,Collins,0,1.9\ntwo.mp4,Hopper,2.1,\ngone.mp4,Collins,,\n"
    )
    dataset = read_dataset(tmp_path, engine)
    assert [(source.name, source.is_video) for source in dataset.sources] == [
        ("Collins", True),
        ("Hopper", True),
    ]
    collins_faces, hopper_faces = (source.faces for source in dataset.sources)
    assert all(face.seconds > 2 for face in hopper_faces)
    assert all(face.seconds < 2 for face in collins_faces)
    assert [(one.name, one.origin) for one in dataset.left_out] == [("Collins", "gone.mp4")]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("video,name\na.mp4,X\n", "no column 'clip'"),
        ("clip,name,start,end\na.mp4,X,soon,\n", "line 2: start and end must be seconds"),
    ],
)
def test_labels_that_cannot_be_used_say_where(
    table: str, complaint: str, tmp_path: Path, engine: Engine
) -> None:
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(UnusableSourceError, match=complaint):
        read_dataset(tmp_path, engine)


def test_a_photo_without_a_face_is_left_out_with_a_reason_and_is_still_there_to_search_for(
    photos: Path, tmp_path: Path, engine: Engine
) -> None:
    (tmp_path / "Hopper").mkdir()
    for name in ("hopper.jpg", "cat.png"):
        (tmp_path / "Hopper" / name).write_bytes((photos / name).read_bytes())
    dataset = read_dataset(tmp_path, engine)
    (left_out,) = dataset.left_out
    assert (left_out.name, left_out.reason) == ("Hopper", "no face found")
    assert left_out.origin.endswith("cat.png")
    searched = {source.origin: len(source.faces) for source in dataset.with_left_out()}
    assert sorted(searched.values()) == [0, 1]
    assert searched[left_out.origin] == 0
