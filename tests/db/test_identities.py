"""What becomes of two records of one performer."""

from db.identities import combine, renamed
from db.names import MAX_ALIASES, MAX_CHARACTERS_OF_ALL, find_complaint
from tests.support.galleries import performer


def test_a_source_that_names_others_each_time_fills_nobody_up() -> None:
    stored = performer("Ada", aliases=("Countess",), urls=("https://a.example",))
    for number in range(5):
        names = tuple(f"{number} {alias}" for alias in range(MAX_ALIASES))
        stored = combine(stored, performer("Ada", aliases=names, urls=names))
    assert (len(stored.aliases), len(stored.urls)) == (MAX_ALIASES, MAX_ALIASES)
    assert (stored.aliases[:2], stored.urls[0]) == (("Countess", "0 0"), "https://a.example")
    assert find_complaint(stored) == ""


def test_long_aliases_are_kept_as_far_as_they_have_room() -> None:
    longest = tuple(f"{number}".ljust(4_000) for number in range(MAX_ALIASES))
    stored = combine(performer("Ada"), performer("Ada", aliases=longest))
    assert stored.aliases == longest[: MAX_CHARACTERS_OF_ALL // 4_000]
    assert find_complaint(stored) == ""


def test_the_name_before_stays_an_alias_however_many_there_are() -> None:
    aliases = tuple(map(str, range(MAX_ALIASES)))
    found = renamed(performer("Ada", aliases=aliases), "Ada Lovelace", None)
    assert found.aliases == (*aliases[1:], "Ada")
    assert find_complaint(found) == ""
