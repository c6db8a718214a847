"""The fingerprint is Stash's."""

import os
from pathlib import Path

import pytest

from function.library.oshash import is_oshash_of, oshash_of


def fingerprint(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return oshash_of(descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "0000000000000000"),
        (b"\x01" + b"\0" * 7, "000000000000000a"),  # size 8, and 1 counted twice
        (b"\xff" * 8, "0000000000000006"),  # the sum overflows
        (b"\x01" + b"\0" * 199_999, "0000000000030d41"),
        (b"\0" * 100_000 + b"\x02" + b"\0" * 99_999, "0000000000030d40"),  # the middle is not read
        (b"abc", "0000000000c6c4c5"),  # Stash has none for this one
    ],
)
def test_it_adds_up_the_size_the_beginning_and_the_end(
    content: bytes, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert fingerprint(path) == expected


@pytest.mark.parametrize(
    ("content", "stash_has"),
    [
        (b"\x01" + b"\0" * 7 + b"\x02", "020000000000000a"),  # 9 bytes: 1 of the first 8, 2 << 56
        (b"\x01" + b"\0" * 59_393 + b"\x03", "030000000000e804"),
        (b"\x01" + b"\0" * 199_999, "0000000000030d41"),
    ],
)
def test_the_fingerprint_that_stash_has_of_a_file_is_known_again(
    content: bytes, stash_has: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert is_oshash_of(stash_has, file.fileno())
        assert is_oshash_of(fingerprint(path), file.fileno())
        assert not is_oshash_of(f"{int(stash_has, 16) + 1:016x}", file.fileno())


def test_chunks_of_a_file_shorter_than_two_overlap(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\0" * 40_000 + b"\x01" + b"\0" * 39_999)
    assert fingerprint(path) == f"{80_000 + 2:016x}"
