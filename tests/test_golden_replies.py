"""Replies about certain videos and photos stay the same when code is only moved."""

import os
import subprocess
import sys
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


def test_a_processor_is_known_again_however_many_cores_are_free() -> None:
    code = "from tests.golden.numbers import name_arithmetic; print(name_arithmetic())"
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
        )
        assert ran.stdout.strip() == name_arithmetic()


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
