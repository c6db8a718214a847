"""One picture at the sizes in which it is searched, each made when it is first needed."""

from dataclasses import replace

from function.engines.heads import Head, LevelCut, cut_level
from function.media.images import fit
from function.media.pictures import Picture, RgbImage


class Copies:
    """A picture and smaller copies of it, whose longest sides are `sizes` pixels."""

    def __init__(self, picture: Picture, sizes: set[int]) -> None:
        self._picture = picture
        self._sizes = sorted(sizes)
        self._made: dict[int, tuple[RgbImage, float]] = {}

    def at(self, longest_pixels: int) -> tuple[RgbImage, float]:
        """Return the picture at this size, and the factor by which it was scaled.

        A small copy is made from the next larger one, which is a quarter of the work.
        """
        if longest_pixels not in self._made:
            larger = next((size for size in self._sizes if size > longest_pixels), None)
            self._made[longest_pixels] = self._shrink(longest_pixels, larger)
        return self._made[longest_pixels]

    def _shrink(self, longest_pixels: int, larger: int | None) -> tuple[RgbImage, float]:
        if larger is None:
            return self._picture.shrunk(longest_pixels)
        source, before = self.at(larger)
        copy, scale = fit(source, longest_pixels)
        return copy, before * scale

    def cut(self, head: Head, face_pixels: float, side_pixels: int) -> LevelCut:
        """Cut a head out (see cut_level), from the smallest copy that shows as much of it."""
        longest = max(self._picture.width, self._picture.height)
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
    """Map a place in the picture to a copy; coordinates are those of pixel centres."""
    return (place + 0.5) * scale - 0.5
