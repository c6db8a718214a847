from itertools import combinations, pairwise

import numpy as np
import pytest

from function.engines.pyramid import BORDER, GAP, Tile, lay_out, lay_out_thin, paint_blocks

SIZES = [(1120, 630), (630, 1120), (1120, 840), (1120, 47), (41, 41), (20, 30)]


@pytest.mark.parametrize("size", SIZES)
def test_levels_of_a_thin_pyramid_keep_clear_of_each_other_and_of_the_border(
    size: tuple[int, int],
) -> None:
    layout = lay_out_thin(*size)

    assert (layout.tiles[0].width, layout.tiles[0].height) == size
    for one, other in combinations(layout.tiles, 2):
        assert gap_between(one, other) >= GAP
    for tile in layout.tiles:
        assert min(tile.left, tile.top) >= BORDER
        assert tile.left + tile.width + BORDER <= layout.width
        assert tile.top + tile.height + BORDER <= layout.height


def gap_between(one: Tile, other: Tile) -> int:
    across = max(one.left, other.left) - min(one.left + one.width, other.left + other.width)
    down = max(one.top, other.top) - min(one.top + one.height, other.top + other.height)
    return max(across, down)


def test_a_thin_pyramid_goes_on_until_no_face_fits_and_takes_half_the_canvas() -> None:
    thin, whole = lay_out_thin(1120, 630), lay_out(1120, 630)

    for larger, smaller in pairwise(thin.tiles):
        assert smaller.width / larger.width == pytest.approx(0.618, abs=0.01)
    assert thin.tiles[-1].height < 80
    assert thin.width * thin.height < 0.5 * whole.width * whole.height


def test_painted_levels_show_the_picture_at_their_sizes() -> None:
    layout = lay_out_thin(300, 200)
    rows, columns = np.mgrid[0:200, 0:300]
    picture = np.stack([columns * 255 // 299, rows * 255 // 199, rows * 0 + 7], axis=2)
    canvas = paint_blocks(picture.astype(np.uint8), layout, (1.2, 2.0, 250.0))

    assert canvas.dtype == np.uint8
    pixels = canvas.reshape(layout.height, -1, 3)
    for tile in layout.tiles:
        level = pixels[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
        expected = np.linspace(0, 255, tile.width)
        assert np.abs(level[tile.height // 2, :, 0] - expected).max() < 4
        assert (level[:, :, 2] == 7).all()
        pixels[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] = 1, 2, 250
    assert (pixels == (1, 2, 250)).all()
