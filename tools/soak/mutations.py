"""Breaks good files: bytes flipped, cut, doubled, moved, and numbers made extreme."""

from collections.abc import Callable, Sequence
from random import Random

EXTREMES = tuple(
    number.to_bytes(size, order)
    for size in (2, 4, 8)
    for number in (0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1)
    for order in ("big", "little")
)
"""Numbers at which counts and sizes overflow."""

Mutation = Callable[[bytearray, Random], bytearray]


def _place(content: bytearray, chance: Random) -> int:
    """Choose where: half of the time at the beginning, where headers are."""
    end = len(content) if chance.random() < 0.5 else min(len(content), 2_048)  # noqa: PLR2004
    return chance.randrange(max(end, 1))


def flip(content: bytearray, chance: Random) -> bytearray:
    """Change a few bytes, or many."""
    for _ in range(chance.choice((1, 4, 32, 256))):
        if content:
            content[_place(content, chance)] ^= 1 << chance.randrange(8)
    return content


def overwrite(content: bytearray, chance: Random) -> bytearray:
    """Put extreme numbers where others were."""
    for _ in range(chance.choice((1, 3, 10))):
        start, number = _place(content, chance), chance.choice(EXTREMES)
        content[start : start + len(number)] = number
    return content


def cut(content: bytearray, chance: Random) -> bytearray:
    """Remove the end, or a piece."""
    start = _place(content, chance)
    end = chance.choice((len(content), start + chance.randrange(1, 5_000)))
    del content[start:end]
    return content


def double(content: bytearray, chance: Random) -> bytearray:
    """Repeat a piece in place."""
    start = _place(content, chance)
    piece = content[start : start + chance.randrange(1, 5_000)]
    content[start:start] = piece * chance.choice((1, 2, 50))
    return content


def swap(content: bytearray, chance: Random) -> bytearray:
    """Copy a piece over another place."""
    start, other = _place(content, chance), _place(content, chance)
    piece = content[start : start + chance.randrange(1, 2_000)]
    content[other : other + len(piece)] = piece
    return content


def fill(content: bytearray, chance: Random) -> bytearray:
    """Overwrite a piece with noise, or with zeros."""
    start, length = _place(content, chance), chance.randrange(1, 5_000)
    content[start : start + length] = chance.choice((bytes(length), chance.randbytes(length)))
    return content


MUTATIONS: Sequence[Mutation] = (flip, flip, overwrite, overwrite, cut, double, swap, fill)


def mutate(content: bytes, number: int) -> bytes:
    """Return the `number`-th mutation of a file, always the same."""
    chance = Random(number)  # noqa: S311  # to be repeatable, not secret
    broken = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        broken = chance.choice(MUTATIONS)(broken, chance)
    return bytes(broken)


def splice(head: bytes, tail: bytes, number: int) -> bytes:
    """Join the beginning of one file to the end of another."""
    chance = Random(number)  # noqa: S311
    return head[: chance.randrange(len(head))] + tail[chance.randrange(len(tail)) :]
