"""What the verbs print."""

import json

import pytest

from tools.verbs.shared import print_json


def test_what_a_terminal_would_obey_is_escaped_and_stays_what_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = {"name": "Zoë 王 \x1b]0;x\x07 \x9b2J \u202e \u2028"}
    print_json(value)
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "Zoë 王" in shown
    assert json.loads(shown) == value
