"""Tries at the token, by address and by the clock."""

import pytest

from function.errors import TooManyGuessesError
from function.web.guesses import MOST_ADDRESSES, MOST_GUESSES, Guesses


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def fill(guesses: Guesses, address: str) -> None:
    for number in range(MOST_GUESSES):
        guesses.check(address)
        guesses.note(address, f"guess {number}")


def test_after_a_minute_an_address_may_try_again() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    fill(guesses, "192.0.2.1")
    with pytest.raises(TooManyGuessesError):
        guesses.check("192.0.2.1")
    guesses.check("192.0.2.2")
    clock.seconds += 61
    fill(guesses, "192.0.2.1")
    with pytest.raises(TooManyGuessesError):
        guesses.check("192.0.2.1")


def test_the_addresses_of_one_home_count_together() -> None:
    guesses = Guesses(Clock())
    for number in range(MOST_GUESSES):
        guesses.note(f"2001:db8:0:1::{number}", f"guess {number}")
    with pytest.raises(TooManyGuessesError):
        guesses.check("2001:db8:0:1:ffff::1")
    guesses.check("2001:db8:0:2::1")


def test_many_addresses_take_little_memory() -> None:
    guesses = Guesses(Clock())
    for number in range(MOST_ADDRESSES + 100):
        guesses.note(f"10.0.{number // 256}.{number % 256}", "guess")
    assert len(guesses._wrong) == MOST_ADDRESSES


def test_the_same_wrong_token_again_is_no_guess() -> None:
    guesses = Guesses(Clock())
    for _ in range(3 * MOST_GUESSES):
        guesses.check("192.0.2.1")
        guesses.note("192.0.2.1", "of yesterday")


def test_the_same_wrong_token_again_keeps_nobody_waiting_for_longer() -> None:
    clock = Clock()
    guesses = Guesses(clock)
    guesses.note("192.0.2.1", "of yesterday")
    clock.seconds += 59
    guesses.note("192.0.2.1", "of yesterday")
    clock.seconds += 2
    fill(guesses, "192.0.2.1")


@pytest.mark.parametrize("before", [0, 1, MOST_GUESSES])
def test_whoever_guessed_last_is_not_forgotten_for_others(before: int) -> None:
    guesses = Guesses(Clock())
    for number in range(before):
        guesses.note("192.0.2.1", f"guess {number}")
    for number in range(MOST_ADDRESSES - bool(before)):  # together as many as are remembered
        guesses.note(f"10.0.{number // 256}.{number % 256}", "guess")
    for number in range(before, MOST_GUESSES + 1):
        guesses.note("192.0.2.1", f"guess {number}")
    guesses.note("192.0.2.2", "guess")
    with pytest.raises(TooManyGuessesError):
        guesses.check("192.0.2.1")


def test_old_addresses_written_as_new_ones_are_not_one_home() -> None:
    guesses = Guesses(Clock())
    fill(guesses, "::ffff:192.0.2.1")
    guesses.check("::ffff:192.0.2.2")
    with pytest.raises(TooManyGuessesError):
        guesses.check("192.0.2.1")
