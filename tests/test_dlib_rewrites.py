"""Rewritten layers compute what the layers they stand for computed."""

from dataclasses import replace

import numpy as np
from scipy.signal import correlate

from function.engines.dlib_rewrites import (
    BLOCK_CHANNELS,
    BLOCK_PIXELS,
    fill_blocks,
    fold,
    join_columns,
    split_last,
    split_ranks,
)
from function.engines.dlib_weights import Affine, Convolution
from function.engines.nets import read_detector
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


def test_joined_columns_hold_what_the_first_convolution_gives() -> None:
    first = replace(random_convolution(16, 3, 5), stride=2, padding=(0, 0))
    pixels = GENERATOR.normal(size=(3, 15, 24))
    expected = run(first, pixels)[:, ::2, ::2]
    blocks = pixels.reshape(3, 15, -1, BLOCK_PIXELS).transpose(3, 0, 1, 2).reshape(12, 15, -1)
    joined = run(join_columns(first), blocks)[:, ::2]
    parted = joined.reshape(2, 16, *joined.shape[1:]).transpose(1, 2, 3, 0)

    assert np.allclose(parted.reshape(expected.shape), expected, atol=1e-4)


def test_split_by_all_its_ranks_a_convolution_is_the_same_and_by_few_it_comes_near() -> None:
    whole = random_convolution(4, 5, 5)
    maps = GENERATOR.normal(size=(5, 20, 13))
    expected = run(whole, maps)
    exact, near = (
        run(across, run(down, maps)) for down, across in map(split_ranks, [whole] * 2, (20, 12))
    )

    assert np.allclose(exact, expected, atol=1e-4)
    assert 0.01 < np.square(near - expected).mean() / np.square(expected).mean() < 0.2


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
