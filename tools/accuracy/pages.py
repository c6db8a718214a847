"""Puts an evaluation on a Markdown page: a table between two markers, and drawings beside it."""

import re
import stat
from collections.abc import Sequence
from pathlib import Path

from function.matching.matches import MATCH_FROM
from function.sources.records import UnusableSourceError
from tools.accuracy.drawings import OF_DRAWINGS, draw_misses, draw_reliability
from tools.accuracy.evaluate import Evaluation, Row
from tools.accuracy.reliabilities import pool_bins
from tools.accuracy.tables import render_markdown
from tools.replacing import refuse_others, write_whole

BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
CALIBRATION_FILE, MISSES_FILE = "accuracy-calibration.svg", "accuracy-misses.svg"


def check_page(path: Path) -> None:
    """Check that a page has a place for the table, before minutes are spent on measuring.

    Raises:
        UnusableSourceError: the page cannot be read, or it lacks the markers; or other drawings
            than ours are where ours belong.
    """
    _split(path)
    refuse_others([path.parent / name for name in (CALIBRATION_FILE, MISSES_FILE)], OF_DRAWINGS)


def write_page(path: Path, evaluation: Evaluation, *, nets: str = "") -> None:
    """Replace what is between the markers of a page, and write both drawings beside it.

    The drawings show the set of everyone, or the only set. `nets` says, there and above the table,
    by which nets that was measured, if not by those that are used unless others are asked for.

    Raises:
        UnusableSourceError: as check_page.
    """
    before, after = _split(path)
    table = (f"Measured with {nets}.\n\n" if nets else "") + render_markdown(evaluation)
    mode = stat.S_IMODE(path.stat().st_mode)
    page = f"{before}{BEGIN}\n{table}{END}{after}"
    write_whole(path.resolve(), page.encode(), mode)
    last = evaluation.sets[-1]
    rows = [row for row in evaluation.rows if row.set_name == last.name]
    about = f"{last.people} people{f', {nets}' if nets else ''}"
    calibration = draw_reliability(pool_bins([row.reliability for row in rows]), about)
    write_whole(path.parent / CALIBRATION_FILE, calibration.encode(), mode)
    write_whole(path.parent / MISSES_FILE, _draw_misses(rows, about).encode(), mode)


def _split(path: Path) -> tuple[str, str]:
    """Return what stands before and after the markers, each on a line of its own."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error  # which would name the page again
        raise UnusableSourceError(f"The page {path} cannot be read: {reason}.") from error
    begin = re.search(f"^{BEGIN}$", text, re.MULTILINE)
    end = re.compile(f"^{END}$", re.MULTILINE).search(text, begin.end()) if begin else None
    if not begin or not end:
        missing = END if begin else BEGIN
        raise UnusableSourceError(
            f"{path} has no line {missing}. The table replaces what is between {BEGIN} and {END}: "
            "put both where it belongs."
        )
    return text[: begin.start()], text[end.end() :]


def _draw_misses(rows: Sequence[Row], about: str) -> str:
    curves = [
        (f"{row.enrolled_from} enrolled, {row.looked_for} searched for", row.curve) for row in rows
    ]
    strangers = max((row.searches.stranger_searches for row in rows), default=0)
    return draw_misses(curves, strangers, MATCH_FROM, about)
