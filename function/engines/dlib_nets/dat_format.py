"""Reads values in dlib's serialization format, one after another, from the bytes of a .dat file.

The format is dlib's own (dlib/serialize.h, dlib/float_details.h, dlib/cuda/tensor_tools.h):
integers carry their length, reals are a mantissa and a power of two, tensors are raw float32.
"""

import math
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[np.float32]
"""float32 (samples, channels, rows, columns), as dlib orders every tensor."""

_NEGATIVE = 0x80
_LENGTH = 0x0F
_LONGEST_INTEGER = 8
_SPECIAL_REALS = {32000: math.inf, 32001: -math.inf, 32002: math.nan}
_TENSOR_VERSION = 2
_ALIAS_VERSION = 1


class DlibFormatError(ValueError):
    """The bytes are not what dlib would have written here."""


class DlibReader:
    """Reads a .dat file's values in the order in which dlib wrote them."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    @property
    def bytes_left(self) -> int:
        """How many bytes have not been read."""
        return len(self._content) - self._position

    def bytes(self, count: int) -> bytes:
        """Read `count` raw bytes; all other values are made of these."""
        if count > self.bytes_left:
            raise DlibFormatError(
                f"it ends at byte {len(self._content)}, inside a value of {count} bytes that "
                f"starts at byte {self._position}"
            )
        found = self._content[self._position : self._position + count]
        self._position += count
        return found

    def integer(self) -> int:
        """Read an integer: a byte with sign and length, then the magnitude, lowest byte first."""
        control = self.bytes(1)[0]
        length = control & _LENGTH
        if not 1 <= length <= _LONGEST_INTEGER or control & ~(_NEGATIVE | _LENGTH):
            self._refuse(f"{control:#04x} does not start an integer")
        magnitude = int.from_bytes(self.bytes(length), "little")
        return -magnitude if control & _NEGATIVE else magnitude

    def integers(self, count: int) -> list[int]:
        """Read `count` integers."""
        return [self.integer() for _ in range(count)]

    def real(self) -> float:
        """Read a real number: a mantissa times a power of two, exact."""
        mantissa, exponent = self.integers(2)
        if exponent in _SPECIAL_REALS:
            return _SPECIAL_REALS[exponent]
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError:
            return self._refuse(f"2 to the power of {exponent} is not a real number")

    def reals(self, count: int) -> list[float]:
        """Read `count` real numbers."""
        return [self.real() for _ in range(count)]

    def flag(self) -> bool:
        """Read a truth value: the letter 0 or 1."""
        letter = self.bytes(1)
        if letter not in b"01":
            self._refuse(f"{letter!r} is not a truth value")
        return letter == b"1"

    def name(self) -> str:
        """Read a short ASCII string: its length, then its letters."""
        length = self.integer()
        if length < 0:
            self._refuse(f"a name has {length} letters")
        letters = self.bytes(length)
        if not letters.isascii():
            self._refuse(f"{letters[:20]!r} is not a name")
        return letters.decode("ascii")

    def tensor(self) -> Tensor:
        """Read a tensor: its version, four sizes, and its float32 values, lowest byte first."""
        self.expect(_TENSOR_VERSION, "a tensor's version")
        sizes = self._sizes()
        values = np.frombuffer(self.bytes(4 * math.prod(sizes)), dtype="<f4")
        return values.astype(np.float32).reshape(sizes)

    def alias(self) -> list[int]:
        """Read the four sizes of a part of a layer's parameters."""
        self.expect(_ALIAS_VERSION, "an alias tensor's version")
        return self._sizes()

    def expect(self, wanted: int, meaning: str) -> None:
        """Read an integer that must be `wanted`."""
        found = self.integer()
        if found != wanted:
            self._refuse(f"{meaning} is {found}, not {wanted}")

    def _sizes(self) -> list[int]:
        sizes = self.integers(4)
        if min(sizes) < 0:
            self._refuse(f"a tensor has the sizes {sizes}")
        return sizes

    def _refuse(self, reason: str) -> NoReturn:
        raise DlibFormatError(f"{reason} (before byte {self._position})")
