"""Evaluations as tables."""

import json
from datetime import date

from function.engines.models import PRIMARY
from tests.support.crowds import Crowd, make_sources
from tools.accuracy.evaluate import Evaluation, Setting, evaluate
from tools.accuracy.intervals import Estimate
from tools.accuracy.labelled import Dataset, LeftOut
from tools.accuracy.sets import name_set
from tools.accuracy.tables import format_estimate, render_evaluation, render_markdown


def _evaluation() -> Evaluation:
    blank = LeftOut("P1", "P1/blank.jpg", "no face found")
    datasets = [Dataset(make_sources(Crowd(seed), people=4, each=3), (blank,)) for seed in (1, 2)]
    sets = [name_set(name, one) for name, one in zip(("near", "far"), datasets, strict=True)]
    settings = [Setting(1, 1), Setting(3, 3)]
    return evaluate(sets, PRIMARY, on=date(2026, 11, 23), settings=settings, rounds=1)


def test_a_share_is_written_with_its_interval_and_with_decimals_where_whole_numbers_hide_it() -> (
    None
):
    assert format_estimate(Estimate(0.7712, 0.702, 0.838)) == "77.1 % (70\N{EN DASH}84)"
    assert format_estimate(Estimate(0.003, 0.001, 0.0061)) == "0.3 % (0.1\N{EN DASH}0.6)"


def test_the_json_holds_the_figures() -> None:
    evaluation = _evaluation()
    record = json.loads(json.dumps(evaluation.to_json()))
    row = evaluation.rows[0]
    assert record["rows"][0]["searches"]["rank_1"]["low"] == row.searches.rank_1.low
    assert record["rows"][0]["curve"][0]["score"] == row.curve[0].score
    assert record["sets"][2]["reference_groups"]["people_true"] == 8


def test_the_lines_hold_a_block_for_each_set_and_what_is_missing() -> None:
    lines = render_evaluation(_evaluation())
    for text in (
        "near: 4 people, 12 photos or clips with 12 faces, 1 without a usable face",
        "mixed: 8 people",
        "at 0 of ",
        "B-cubed F",
        "left out: P1/blank.jpg: no face found",
    ):
        assert text in lines


def test_the_markdown_has_a_row_for_each_set_and_setting_and_cells_for_each_head() -> None:
    evaluation = _evaluation()
    head, rule, *rows = render_markdown(evaluation).splitlines()
    assert len(rows) == len(evaluation.rows)
    assert {line.count("|") for line in (head, rule, *rows)} == {11}
    assert rows[0].startswith("| near | 4 | 1 / 1 | ")
    assert format_estimate(evaluation.rows[0].searches.named_right) in rows[0]
