"""Filters rounded to bytes stay near, and their errors cancel out."""

import numpy as np
import pytest

from function.engines.dlib_nets.byte_graphs import round_filters

GENERATOR = np.random.default_rng(5)


@pytest.mark.parametrize("shape", [(4, 3, 7, 7), (16, 32, 3, 3), (2, 1, 1, 1)])
def test_errors_cancel_out_over_each_filter_and_all_its_channels(
    shape: tuple[int, int, int, int],
) -> None:
    filters = GENERATOR.normal(size=shape).astype(np.float32)
    rounded, steps = round_filters(filters)
    assert rounded.dtype == np.int8
    assert (np.abs(rounded.astype(int)).max(axis=(1, 2, 3)) == 127).all()
    errors = filters / steps[:, None, None, None] - rounded
    assert np.abs(errors).max() < 2
    of_channels = np.abs(errors.sum(axis=(2, 3)))
    assert of_channels.max() <= 1.5
    assert of_channels.mean() < 0.4
    assert np.abs(errors.sum(axis=(1, 2, 3))).max() < 1


def test_what_fits_is_not_moved() -> None:
    filters = np.arange(-127, 127, dtype=np.float32)[:252].reshape(1, 28, 3, 3) / 64
    rounded, steps = round_filters(filters)
    assert steps.tolist() == pytest.approx([1 / 64])
    assert np.array_equal(rounded, filters * 64)
