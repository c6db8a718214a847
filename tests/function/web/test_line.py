"""The line for slots: who comes first is served first, and whoever leaves makes room."""

from contextlib import ExitStack

import pytest

from function.errors import BusyError
from function.web.line import MOST_WAITING, Line, Turn


def join(line: Line) -> tuple[ExitStack, Turn]:
    place = ExitStack()
    return place, place.enter_context(line.join())


def test_as_many_as_there_are_slots_are_served_at_once() -> None:
    line = Line(2)
    joined = [join(line) for _ in range(3)]
    assert [turn.wait(0) for _, turn in joined] == [True, True, False]


def test_who_comes_first_is_served_first_and_others_move_up() -> None:
    line = Line(1)
    joined = [join(line) for _ in range(3)]
    _, second, third = (turn for _, turn in joined)
    assert [second.ahead(), third.ahead()] == [0, 1]
    joined[0][0].close()
    assert [second.wait(0), third.wait(0), third.ahead()] == [True, False, 0]


def test_who_leaves_while_waiting_is_passed_over() -> None:
    line = Line(1)
    (served, _), (impatient, _), (staying, last) = (join(line) for _ in range(3))
    impatient.close()
    assert last.ahead() == 0
    served.close()
    assert last.wait(0)
    staying.close()


def test_a_long_line_takes_nobody_more_until_somebody_leaves() -> None:
    line = Line(1)
    places = [join(line)[0] for _ in range(1 + MOST_WAITING)]
    with pytest.raises(BusyError, match="All 1 slots are in use"):
        join(line)
    places[2].close()
    join(line)[0].close()
