"""Rewritten layers compute what the layers they stand for computed."""

import numpy as np
from scipy.signal import correlate

from function.engines.dlib_nets.layers import Affine, Convolution
from function.engines.dlib_nets.nets import read_detector
from function.engines.dlib_nets.rewrites import (
    BLOCK_CHANNELS,
    fill_blocks,
    fold,
    split_last,
)
from function.engines.weights import find_weights

GENERATOR = np.random.default_rng(11)


def random_convolution(outputs: int, inputs: int, side: int) -> Convolution:
    filters = GENERATOR.normal(size=(outputs, inputs, side, side)).astype(np.float32)
    biases = GENERATOR.normal(size=outputs).astype(np.float32)
    return Convolution(filters, biases, stride=1, padding=(side // 2, side // 2))


def run(layer: Convolution, maps: np.ndarray) -> np.ndarray:
    (vertical, horizontal) = layer.padding
    padded = np.pad(maps, ((0, 0), (vertical, vertical), (horizontal, horizontal)))
    found = [correlate(padded, one, mode="valid")[0] for one in layer.filters]
    return np.stack(found) + layer.biases[:, None, None]


def test_the_last_convolution_split_by_rows_gives_the_same_map() -> None:
    whole = random_convolution(1, 5, 9)
    maps = GENERATOR.normal(size=(5, 20, 13))
    across, down = split_last([whole])
    assert isinstance(across, Convolution)
    assert isinstance(down, Convolution)

    assert np.allclose(run(down, run(across, maps)), run(whole, maps), atol=1e-4)


def test_filters_of_zeros_change_nothing() -> None:
    first, second = random_convolution(5, 3, 3), random_convolution(7, 5, 3)
    maps = GENERATOR.normal(size=(3, 8, 8))
    wide_first, wide_second = fill_blocks([first, second])
    assert isinstance(wide_first, Convolution)
    assert isinstance(wide_second, Convolution)
    found = run(wide_second, run(wide_first, maps))

    assert found.shape == (BLOCK_CHANNELS, 8, 8)
    assert np.allclose(found[:7], run(second, run(first, maps)), atol=1e-4)
    assert not found[7:].any()


def test_every_convolution_of_the_detector_works_in_whole_blocks() -> None:
    net = read_detector(find_weights().cnn_detector)
    layers = split_last(fill_blocks(fold(net)))
    first, *others = [layer for layer in layers if isinstance(layer, Convolution)]

    assert not any(isinstance(layer, Affine) for layer in layers)
    assert len(first.filters) % BLOCK_CHANNELS == 0
    assert all(layer.filters.shape[1] % BLOCK_CHANNELS == 0 for layer in others)
