"""What an import lists, however long what a source sends is."""

import json
from typing import Any

import pytest

from function.imports.enrol import Enrolment
from function.imports.reports import Report
from function.sources.downloads import Downloads
from function.sources.graphql import GraphQL
from function.sources.records import Refusal, Remark
from function.sources.stash_box import StashBox

LONG = "x" * 1_000_000


def test_however_much_a_stash_box_sends_of_a_name_little_is_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namesakes: list[dict[str, Any]] = [
        {"id": LONG, "name": "Ada", "disambiguation": None, "deleted": False} for _ in range(10)
    ]
    answer = {"searchPerformers": {"performers": namesakes}}
    monkeypatch.setattr(GraphQL, "ask", lambda *_, **__: answer)
    box = StashBox("http://box", "right")
    report = Report()
    for refusal in box.read_names(["Ada"] * 20, Downloads()):
        assert isinstance(refusal, Refusal)
        report.add(Enrolment("Ada", None, 0, (refusal,)))
    listed = report.to_json()["refused"]
    assert len(listed) == 20
    assert listed[0]["reason"].startswith("10 performers have this name; give --id: xxx")
    assert len(json.dumps(listed)) < 100_000


@pytest.mark.parametrize("told", [Refusal(LONG, LONG, LONG), Remark(LONG, LONG, LONG)])
def test_texts_of_any_length_are_listed_only_so_far(told: Refusal | Remark) -> None:
    report = Report()
    refusals, remarks = ((told,), ()) if isinstance(told, Refusal) else ((), (told,))
    report.add(Enrolment(LONG, None, 0, refusals, remarks=remarks, forgotten=True, namesakes=(1,)))
    assert len(json.dumps(report.to_json())) < 10_000
