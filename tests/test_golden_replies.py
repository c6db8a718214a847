"""Replies about certain videos and photos stay the same when code is only moved."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.golden.cases import CASES, Material, clip, load_in_floats
from tests.golden.numbers import find_differences, name_arithmetic, read_replies
from tests.support.memory_store import MemoryStore


@pytest.fixture(scope="module")
def material(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Material:
    if name_arithmetic() != read_replies()[0]:
        pytest.skip("this processor rounds differently from the one that made the numbers")
    return Material(load_in_floats(), photos, tmp_path_factory.mktemp("golden"))


def differences(name: str, made: Any) -> list[str]:
    stored = read_replies()[1][name]
    return [str(one) for one in find_differences(stored, made, name) if not one.is_tolerable]


@pytest.mark.parametrize("name", CASES)
def test_a_reply_is_as_it_was(name: str, material: Material) -> None:
    assert differences(name, CASES[name](material)) == []


@pytest.mark.parametrize("name", ["accents", "crowd", "rejections"])
def test_a_reply_is_the_same_over_every_store(name: str, material: Material) -> None:
    in_memory = replace(material, make_store=lambda _: MemoryStore())
    assert differences(name, CASES[name](in_memory)) == []


def test_the_reply_for_a_real_clip_is_as_it_was(material: Material, development_data: Path) -> None:
    assert differences("clip", clip(material, development_data)) == []


PERSON = {"matches": [{"name": "Zoë", "score": 93.4}], "faces": 3, "appearances": [[0.0, 1.5]]}


@pytest.mark.parametrize(
    ("change", "is_tolerable"),
    [
        ({"matches": [{"name": "Zoë", "score": 93.44}]}, True),
        ({"matches": [{"name": "Zoë", "score": 93.46}]}, False),
        ({"matches": [{"name": "Zoe", "score": 93.4}]}, False),
        ({"matches": []}, False),
        ({"faces": 4}, False),
        ({"appearances": [[0.0, 1.501]]}, True),
        ({"appearances": [[0.0, 1.502]]}, False),
    ],
)
def test_only_the_last_bits_of_a_number_may_move(
    change: dict[str, Any], *, is_tolerable: bool
) -> None:
    (found,) = find_differences([PERSON], [PERSON | change], "case")
    assert found.is_tolerable == is_tolerable
