"""Reading dlib's .dat files: every byte understood, and every wrong file refused by name."""

from pathlib import Path

import numpy as np
import pytest

from function.engines.dlib_nets.dat_format import DlibFormatError, DlibReader
from function.engines.dlib_nets.layers import (
    Affine,
    Convolution,
    DetectionLoss,
    FullyConnected,
    parse_net,
)
from function.engines.dlib_nets.nets import read_detector, read_encoder
from function.engines.weights import WeightFiles, find_weights
from function.errors import EngineUnavailableError


@pytest.fixture(scope="module")
def weights() -> WeightFiles:
    return find_weights()


@pytest.fixture(scope="module")
def detector_bytes(weights: WeightFiles) -> bytes:
    return weights.cnn_detector.read_bytes()


def test_the_encoder_has_29_convolutions_and_ends_in_128_numbers(weights: WeightFiles) -> None:
    layers = read_encoder(weights.encoder).layers

    assert sum(isinstance(layer, Convolution) for layer in layers) == 29
    last = layers[-1]
    assert isinstance(last, FullyConnected)
    assert last.weights.shape == (256, 128)


def test_the_detector_tells_its_window_its_overlap_and_its_mean_colour(
    weights: WeightFiles,
) -> None:
    net = read_detector(weights.cnn_detector)

    assert (net.loss.window_width, net.loss.window_height) == (80, 80)
    assert net.loss.most_overlap == pytest.approx(0.338276, abs=1e-6)
    assert net.means == pytest.approx((122.782, 117.001, 104.298))


def test_a_batch_norm_at_rest_is_read_as_one_factor_and_summand_a_channel(
    weights: WeightFiles,
) -> None:
    norm = read_detector(weights.cnn_detector).layers[1]

    assert isinstance(norm, Affine)
    assert norm.factors.shape == norm.summands.shape == (16,)
    assert np.isfinite(norm.factors).all()


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.3, 0.999])
def test_a_truncated_file_is_refused_and_named(
    share: float, detector_bytes: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "half.dat"
    path.write_bytes(detector_bytes[: int(share * len(detector_bytes))])

    with pytest.raises(EngineUnavailableError, match=r"half\.dat .* it ends at byte"):
        read_detector(path)


def test_bytes_after_the_last_layer_are_refused(detector_bytes: bytes) -> None:
    with pytest.raises(DlibFormatError, match="3 bytes follow the last layer"):
        parse_net(detector_bytes + b"abc", DetectionLoss)


@pytest.mark.parametrize(
    "content", [b"\x7fELF" * 100, b"<!DOCTYPE html>" * 50, bytes(5000), b"\x01\x01\xff" * 99]
)
def test_a_file_that_dlib_did_not_write_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "strange.dat"
    path.write_bytes(content)

    with pytest.raises(EngineUnavailableError, match=r"strange\.dat cannot be read"):
        read_encoder(path)


def test_one_net_is_not_taken_for_the_other(weights: WeightFiles) -> None:
    with pytest.raises(EngineUnavailableError, match="DetectionLoss, not a MetricLoss"):
        read_encoder(weights.cnn_detector)


def test_another_net_with_the_same_loss_is_refused(detector_bytes: bytes, tmp_path: Path) -> None:
    stride_of_the_first = detector_bytes.index(b"con_4") + len(b"con_4")
    sizes = b"\x01\x10\x01\x05\x01\x05\x01\x02\x01\x02"  # 16 filters of 5x5, stride 2
    place = detector_bytes.index(sizes, stride_of_the_first)
    path = tmp_path / "dogs.dat"
    changed = sizes[:-4] + b"\x01\x01\x01\x01"
    path.write_bytes(detector_bytes[:place] + changed + detector_bytes[place + len(sizes) :])

    with pytest.raises(EngineUnavailableError, match=r"dogs\.dat .* those of another net"):
        read_detector(path)


def test_the_landmark_model_is_not_taken_for_a_net(weights: WeightFiles) -> None:
    with pytest.raises(EngineUnavailableError, match="shape_predictor_5_face_landmarks"):
        read_encoder(weights.landmarks_5)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"absent\.dat"):
        read_encoder(tmp_path / "absent.dat")


def test_flipped_bits_anywhere_end_in_a_format_error_or_a_net(detector_bytes: bytes) -> None:
    generator = np.random.default_rng(5)
    places = np.concatenate([np.arange(300), generator.integers(0, len(detector_bytes), 100)])
    for place in places:
        changed = bytearray(detector_bytes)
        changed[place] ^= 0xFF
        try:
            parse_net(bytes(changed), DetectionLoss)
        except DlibFormatError:
            continue


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"\x01\x05", 5),
        (b"\x81\x05", -5),
        (b"\x02\x00\x01", 256),
        (b"\x88" + b"\xff" * 8, 1 - 2**64),
    ],
)
def test_an_integer_carries_its_length_and_sign(written: bytes, value: int) -> None:
    assert DlibReader(written).integer() == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"\x01\x03\x81\x01", 1.5),
        (b"\x81\x01\x01\x0a", -1024.0),
        (b"\x01\x00\x02\x00\x7d", float("inf")),
        (b"\x01\x00\x02\x01\x7d", float("-inf")),
    ],
)
def test_a_real_number_is_a_mantissa_times_a_power_of_two(written: bytes, value: float) -> None:
    assert DlibReader(written).real() == value
