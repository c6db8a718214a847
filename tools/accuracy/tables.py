"""Formats an evaluation as tables: as lines for a terminal, and as Markdown for a page."""

from collections.abc import Callable, Sequence

from tools.accuracy.evaluate import Evaluation, Row, SetFigures
from tools.accuracy.figures import SearchFigures
from tools.accuracy.groups import GroupFigures
from tools.accuracy.intervals import Estimate

LABEL_WIDTH, CELL_WIDTH = 30, 24

FINE_BELOW = 0.1
"""Intervals that end below this share are written with one decimal; whole numbers would hide it."""

COLUMNS: tuple[tuple[str, Callable[[Row], Estimate]], ...] = (
    ("named right", lambda row: row.searches.named_right),
    ("named wrong", lambda row: row.searches.named_wrong),
    ("uncertain", lambda row: row.verdicts["enrolled"]["uncertain"]),
    ("strangers named", lambda row: row.searches.strangers_named),
    ("calibration error", lambda row: row.calibration_error),
    ("usual way: named right", lambda row: row.reference_searches.named_right),
    ("usual way: strangers named", lambda row: row.reference_searches.strangers_named),
)


def render_evaluation(evaluation: Evaluation) -> str:
    """Format all figures as lines for a terminal, one block a set and one column a setting."""
    lines = []
    if evaluation.crowd:
        lines.append(f"In each gallery there are {evaluation.crowd} made-up performers more.")
    for one in evaluation.sets:
        rows = [row for row in evaluation.rows if row.set_name == one.name]
        lines += [_head(one), *_block(rows), _line("B-cubed F", [_grouping(one.groups)])]
        lines += [_line("usual way: B-cubed F", [_grouping(one.reference_groups)]), ""]
    lines += [f"not measured, too few photos: {label}" for label in evaluation.skipped]
    lines += [f"left out: {one.origin}: {one.reason}" for one in evaluation.left_out]
    return "\n".join(lines).rstrip()


def render_markdown(evaluation: Evaluation) -> str:
    """Format the figures as a Markdown table: a row for each set and setting, ending in a newline.

    Cells hold percent and their 95 % interval.
    """
    head = ["set", "people", "enrolled / searched for", *(label for label, _ in COLUMNS)]
    lines = [head, ["---"] * len(head)]
    for row in evaluation.rows:
        setting = f"{row.enrolled_from} / {row.looked_for}"
        cells = [format_estimate(figure(row)) for _, figure in COLUMNS]
        lines.append([row.set_name, str(row.people), setting, *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def format_estimate(estimate: Estimate) -> str:
    """Write a share and its interval in percent, such as `77.1 % (70 to 84)`, with a dash."""
    digits = 1 if estimate.high < FINE_BELOW else 0
    low, high = (f"{100 * end:.{digits}f}" for end in (estimate.low, estimate.high))
    return f"{100 * estimate.value:.1f} % ({low}\N{EN DASH}{high})"


def _head(one: SetFigures) -> str:
    return (
        f"{one.name}: {one.people} people, {one.sources} photos or clips with {one.faces} faces, "
        f"{one.left_out} without a usable face"
    )


def _block(rows: Sequence[Row]) -> list[str]:
    settings = [f"{row.enrolled_from}/{row.looked_for}" for row in rows]
    counts = [f"{row.searches.enrolled_searches}" for row in rows]
    return [
        _line("enrolled/searched for", settings),
        _line("searches, as many strangers", counts),
        *(
            _line(label, [format_estimate(figure(row)) for row in rows])
            for label, figure in COLUMNS
        ),
        _line("right name first (rank-1)", [format_estimate(row.searches.rank_1) for row in rows]),
        _line("FNIR at FPIR 1 %", [_misses(row.searches) for row in rows]),
        _line("usual way: FNIR at FPIR 1 %", [_misses(row.reference_searches) for row in rows]),
        _line("log loss", [f"{row.reliability.log_loss:.3f}" for row in rows]),
    ]


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<{LABEL_WIDTH}}" + "".join(f"{cell:>{CELL_WIDTH}}" for cell in cells)


def _misses(searches: SearchFigures) -> str:
    """Write FNIR; where there are too few strangers for one in a hundred, at what it was."""
    first = searches.misses[0]
    where = "" if first.bound is None else f" at 0 of {searches.stranger_searches}"
    return f"{100 * first.fnir:.1f} %{where}"


def _grouping(groups: GroupFigures) -> str:
    people = f"{groups.people_found} people found of {groups.people_true}"
    return (
        f"{groups.b_cubed_f:.3f} (precision {groups.b_cubed_precision:.3f}, recall "
        f"{groups.b_cubed_recall:.3f}; {people})"
    )
