"""One picture at the sizes in which it is searched, each made when it is first needed."""

from dataclasses import replace

import numpy as np

from function.engines.heads import Head, LevelCut, cut_level
from function.media.images import fit
from function.media.pictures import RgbImage


class Copies:
    """A picture and smaller copies of it, whose longest sides are `sizes` pixels."""

    def __init__(self, picture: RgbImage, sizes: set[int]) -> None:
        self._picture = np.ascontiguousarray(picture)
        self._sizes = sorted(sizes)
        self._made: dict[int, tuple[RgbImage, float]] = {}

    def at(self, longest_pixels: int) -> tuple[RgbImage, float]:
        """Return the picture at this size, and the factor by which it was scaled.

        A small copy is made from the next larger one, which is a quarter of the work.
        """
        if longest_pixels not in self._made:
            larger = next((size for size in self._sizes if size > longest_pixels), None)
            source, before = self.at(larger) if larger else (self._picture, 1.0)
            copy, scale = fit(source, longest_pixels)
            self._made[longest_pixels] = copy, before * scale
        return self._made[longest_pixels]

    def cut(self, head: Head, face_pixels: float, side_pixels: int) -> LevelCut:
        """Cut a head out (see cut_level), from the smallest copy that shows as much of it."""
        longest = max(self._picture.shape[:2])
        enough = (size for size in self._sizes if head.width * size >= face_pixels * longest)
        copy, scale = self.at(next(enough, longest))
        in_copy = replace(
            head, x=_shrink(head.x, scale), y=_shrink(head.y, scale), width=head.width * scale
        )
        cut = cut_level(copy, in_copy, face_pixels, side_pixels)
        way_back = cut.way_back / scale
        way_back[:, 2] += 0.5 / scale - 0.5
        return LevelCut(cut.pixels, way_back)


def _shrink(place: float, scale: float) -> float:
    """Map a place in the picture to a copy, based on the middles of pixels."""
    return (place + 0.5) * scale - 0.5
