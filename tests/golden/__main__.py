"""Stores the numbers of the golden replies again, or reports how far they have moved."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conftest import DEVELOPMENT_DATA
from tests.golden.cases import CASES, clip, fetch_material
from tests.golden.numbers import (
    find_differences,
    name_arithmetic,
    read_replies,
    write_replies,
)

LARGEST_DEVIATION = 1e-4


def main() -> int:
    """Make every case; store it, or with --check compare it with what is stored."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 for a change")
    is_check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        made = _make(Path(folder))
    if is_check:
        return int(not _report(made))
    kept = {} if "clip" in made else {"clip": read_replies()[1]["clip"]}
    write_replies(made | kept)
    return 0


def _make(folder: Path) -> dict[str, Any]:
    material = fetch_material(folder)
    made = {name: case(material) for name, case in CASES.items()}
    if DEVELOPMENT_DATA.is_dir():
        return {**made, "clip": clip(material, DEVELOPMENT_DATA)}
    _say("There is no development data here: the numbers of `clip` are left as they are.")
    return made


def _report(made: dict[str, Any]) -> bool:
    """Print how far each case has moved; say whether all are as stored."""
    arithmetic, stored = read_replies()
    if arithmetic != name_arithmetic():
        _say("The numbers were made on a processor that rounds differently: here they differ.")
    as_stored = [_report_case(name, stored.get(name), case) for name, case in made.items()]
    return all(as_stored)


def _report_case(name: str, stored: Any, made: Any) -> bool:
    differences = list(find_differences(stored, made, name))
    others = [one for one in differences if one.size == float("inf")]
    moved = [one for one in differences if one not in others]
    scores = max((one.size for one in moved if one.place.endswith("/score")), default=0.0)
    seconds = max((one.size for one in moved if not one.place.endswith("/score")), default=0.0)
    _say(f"{name}: scores moved by {scores:.6f} at most, seconds by {seconds:.6f}")
    for one in others:
        _say(f"  {one.place} was {one.stored}, is {one.made}")
    return not others and max(scores, seconds) <= LARGEST_DEVIATION


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # the result


if __name__ == "__main__":
    sys.exit(main())
