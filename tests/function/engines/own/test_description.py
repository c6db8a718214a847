"""The TOML file that describes a net of one's own."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from function.engines.chip_points import ARCFACE_POINTS
from function.engines.own.description import read_description
from function.errors import EngineUnavailableError
from tests.support.own_nets import make_net, write_net, write_toml

POINTS = [[30, 40], [66, 40], [48, 60], [34, 80], [62, 80]]


def test_a_description_says_what_the_net_is_given(tmp_path: Path) -> None:
    found = read_description(write_net(tmp_path, mean=[1, 2, 3.5], layout="nchw"))
    how = found.preprocessing
    assert (found.name, found.licence) == ("sums", "ours, for tests")
    assert (how.input_pixels, how.channels, how.input_shape) == (112, "rgb", (1, 3, 112, 112))
    assert (how.mean, how.scale) == ((1.0, 2.0, 3.5), (0.0078125,) * 3)
    assert found.net == tmp_path / "encoder.onnx"
    assert found.fit == tmp_path / "encoder.fitted.json"
    np.testing.assert_array_equal(how.points(), ARCFACE_POINTS)


def test_a_template_is_scaled_to_the_input_or_taken_as_it_is(tmp_path: Path) -> None:
    double = read_description(write_net(tmp_path, input_pixels=224)).preprocessing
    np.testing.assert_allclose(double.points(), 2 * ARCFACE_POINTS)
    own = read_description(write_toml(tmp_path, template=POINTS)).preprocessing
    np.testing.assert_array_equal(own.points(), POINTS)


def test_the_right_digest_is_accepted_and_another_refused(tmp_path: Path) -> None:
    net = (write_net(tmp_path).parent / "encoder.onnx").read_bytes()
    right = hashlib.sha256(net).hexdigest()
    assert read_description(write_toml(tmp_path, sha256=right)).sha256 == right
    with pytest.raises(EngineUnavailableError, match=rf"SHA-256 {right[:12]}\.\.\., and "):
        read_description(write_toml(tmp_path, sha256="0" * 64))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"channels": "bgr"},
        {"mean": 127},
        {"scale": [0.0078125, 0.0078125, 0.008]},
        {"input_pixels": 128},
        {"layout": "nhwc"},
        {"template": POINTS},
    ],
)
def test_another_preprocessing_is_another_model(tmp_path: Path, changes: dict[str, Any]) -> None:
    usual = read_description(write_net(tmp_path)).id
    assert usual.startswith("sums/")
    assert read_description(write_toml(tmp_path, **changes)).id != usual
    assert read_description(write_toml(tmp_path, licence="none")).id == usual


def test_another_file_is_another_model_and_its_place_is_none(tmp_path: Path) -> None:
    usual = read_description(write_net(tmp_path / "one")).id
    assert read_description(write_net(tmp_path / "two")).id == usual
    assert read_description(write_net(tmp_path / "two", make_net(seed=2))).id != usual


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"file": "gone.onnx"}, r"names the net gone\.onnx, which cannot be read \(No such file"),
        ({"file": 3}, r"encoder\.toml: file is 3; it must be the name of the ONNX file"),
        ({"name": None}, r"encoder\.toml has no name; it must be at most 60 letters"),
        ({"licence": None}, "has no licence; it must be a note"),
        ({"name": "a/b"}, "name is 'a/b'; it must be at most 60"),
        ({"licence": ""}, "licence is ''; it must be a note on one line"),
        ({"sha256": "abc"}, "sha256 is 'abc'; it must be 64 lower-case hexadecimal digits"),
        ({"input_pixels": 16}, "input_pixels is 16; it must be a whole number from 32 to 512"),
        ({"input_pixels": 112.5}, "input_pixels is 112.5; it must be a whole number"),
        ({"channels": "grey"}, "channels is 'grey'; it must be the order of the channels"),
        ({"mean": [1, 2]}, r"mean is \[1, 2\]; it must be a number, or three"),
        ({"mean": "x"}, "mean is 'x'; it must be a number"),
        ({"mean": True}, "mean is True; it must be a number"),
        ({"scale": 0}, "scale is 0; it must be a number, or three .*, above 0"),
        ({"layout": "chw"}, "layout is 'chw'; it must be the order of the axes"),
        ({"template": "dlib"}, "template is 'dlib'; it must be \"arcface\", or five points"),
        ({"template": POINTS[:4]}, 'it must be "arcface", or five points'),
        ({"template": POINTS[::-1]}, "must be five points inside the input of 112 pixels"),
        ({"template": [*POINTS[:4], [62, 113]]}, "must be five points inside the input"),
        ({"chanels": "rgb"}, "has a key 'chanels'; the known ones are file, sha256"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_it_must_be(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(EngineUnavailableError, match=complaint) as refused:
        read_description(write_net(tmp_path, **changes))
    assert str(tmp_path) not in str(refused.value)


def test_a_file_that_is_missing_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"names gone\.toml, which cannot be read"):
        read_description(tmp_path / "gone.toml")
    for content in (b"file = [", b"\xff\xfe"):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(EngineUnavailableError, match=r"bad\.toml is not TOML"):
            read_description(tmp_path / "bad.toml")
    net = write_net(tmp_path).with_suffix(".onnx")
    with pytest.raises(EngineUnavailableError, match=r"onnx is not TOML.*describes your net, not"):
        read_description(net)


def test_a_file_as_windows_writes_it_is_read(tmp_path: Path) -> None:
    path = write_net(tmp_path)
    usual = read_description(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_description(path) == usual


def test_what_never_ends_is_no_net_and_nobody_waits_for_it(tmp_path: Path) -> None:
    write_net(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "hole").open("wb") as hole:
        hole.truncate(2**31 + 1)
    for name in ("/dev/zero", "pipe", "hole", "."):
        with pytest.raises(EngineUnavailableError, match="is not an ordinary file, or larger than"):
            read_description(write_toml(tmp_path, file=name))


def test_a_description_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "encoder.toml").write_text("name = " + "[" * 100_000)
    with pytest.raises(EngineUnavailableError, match=r"encoder\.toml is not TOML"):
        read_description(tmp_path / "encoder.toml")
