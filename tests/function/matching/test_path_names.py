"""Whose name stands in a path, and whose only seems to."""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from db.records import Performer
from function.matching.hints import Hint
from function.matching.path_names import find_named, hint_from_path, index_names
from tests.support.crowds import make_gallery

MINA = "\u092e\u0940\u0928\u093e \u0915\u0941\u092e\u093e\u0930\u0940"
RAM = "\u0930\u093e\u092e \u0926\u093e\u0938"
KAMLA = "\u0915\u092e\u0932\u093e \u092c\u0932\u0930\u093e\u092e"
KAMLI = "\u0915\u092e\u0932\u0940 \u092c\u0932\u0930\u0940\u092e"
"""Names in Devanagari, which writes vowels as marks; the last two share their consonants."""

KASUGA, KASUGA_APART = "\u6625\u65e5 \u304b\u3059\u304c", "\u6625\u65e5 \u304b\u3059\u304b\u3099"
KASUKA = "\u6625\u65e5 \u304b\u3059\u304b"
"""A Japanese name, also as macOS writes it, and one that lacks the mark on its last letter."""


def named(path: str, *names: str) -> list[str]:
    """Enrol performers with these names, and list the names of those found in a path."""
    index = index_names([Performer(number, name) for number, name in enumerate(names)])
    return [names[number] for number in find_named(path, index)]


@pytest.mark.parametrize(
    "path",
    [
        *("Jane Doe/1.mp4", "jane_doe-beach.mp4", "2019.05.Jane.Doe.1080p.mp4", "JaneDoe2.mp4"),
        *("a/b/with JANE-DOE (2).mkv", "Jane Doe's birthday.mp4", "xJane/JANE DOE.mp4"),
        *("Clips\\Jane Doe\\1.mp4", "Jane Doe & John Roe.mp4", "ja\u0301ne doe.mp4"),
    ],
)
def test_a_name_is_found_however_a_path_writes_it(path: str) -> None:
    assert named(path, "Jane Doe") == ["Jane Doe"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Joann Lee.mp4", "Ann Lee"),
        ("Ann Leeson.mp4", "Ann Lee"),
        ("Ann and Lee.mp4", "Ann Lee"),
        ("Lee Ann.mp4", "Ann Lee"),
        ("Ann/Lee.mp4", "Ann Lee"),
        ("annlee.mp4", "Ann Lee"),
        ("Doe, Ann Lee.mp4", "Lee Doe"),
        ("kimjisoo.mp4", "Kim Ji-soo"),
        ("annemarie roe.mp4", "Anne-Marie"),
        ("\uae40\uc9c0\uc218\uc758 \uc5ec\ud589.mp4", "\uae40\uc9c0\uc218"),
        (f"{KAMLI}.mp4", KAMLA),
        (f"{KASUKA}.mp4", KASUGA),
    ],
)
def test_a_name_within_other_words_or_apart_is_not_one(path: str, name: str) -> None:
    assert named(path, name) == []


@pytest.mark.parametrize(
    "name",
    [
        *("Summer", "Angel", "May", "McKay", "Scene 2", "J. Doe", "\U0001f600"),
        *("The One", "Miss Jones", "Dr. Love", "O'Brien"),
        *("\u674e\u5a1c", "\u30de\u30ea\u30a2\u30f3\u30cc"),  # two letters; sounds alone
    ],
)
def test_one_word_is_never_enough(name: str) -> None:
    assert named(f"{name}/{name} {name}.mp4", name) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("jos\u00e9 nu\u00f1ez.mp4", "Jose Nunez"),
        ("Jose Nunez.mp4", "Jos\u00e9 Nu\u00f1ez"),
        ("obrien_sean.sean obrien.mp4", "Sean O'Brien"),
        ("SeanOBrien.mp4", "Sean O\u2019Brien"),
        ("JaneMcKay.mp4", "Jane McKay"),
        ("jane_mckay.mp4", "Jane McKay"),
        ("anne-marie smith.mp4", "Anne Marie Smith"),
        ("STRASSE weg.mp4", "Stra\u00dfe Weg"),
        (
            "\u0410\u043d\u043d\u0430\u0418\u0432\u0430\u043d\u043e\u0432\u0430.mp4",
            "\u0430\u043d\u043d\u0430 \u0438\u0432\u0430\u043d\u043e\u0432\u0430",
        ),
        ("\u5c71\u7530 \u82b1\u5b50.mp4", "\u5c71\u7530 \u82b1\u5b50"),
        ("\u5c71\u7530\u82b1\u5b50 2.mp4", "\u5c71\u7530 \u82b1\u5b50"),
        ("1/\uae40\uc9c0\uc218.mp4", "\uae40\uc9c0\uc218"),
        ("\u1100\u1175\u11b7\u110c\u1175\u1109\u116e.mp4", "\uae40\uc9c0\uc218"),
        ("sean-o-brien.mp4", "Sean O'Brien"),
        ("Kim Jisoo.mp4", "Kim Ji-soo"),
        ("jeanluc_roe.mp4", "Jean-Luc Roe"),
        ("Lukasz Zak.mp4", "\u0141ukasz \u017bak"),
        ("Oyvind Sorli.mp4", "\u00d8yvind S\u00f8rli"),
        ("anna mueller.mp4", "Anna M\u00fcller"),
        ("anna muller.mp4", "Anna M\u00fcller"),
        ("jane%20doe%20beach.mp4", "Jane Doe"),
        *((f"{name} 2.mp4", name) for name in (MINA, RAM)),
        (
            "\u0e2a\u0e21\u0e1a\u0e31\u0e15\u0e34 \u0e14\u0e35.mp4",
            "\u0e2a\u0e21\u0e1a\u0e31\u0e15\u0e34 \u0e14\u0e35",
        ),
        (f"{KASUGA_APART}.mp4", KASUGA),
    ],
)
def test_accents_apostrophes_capitals_and_scripts_make_no_difference(path: str, name: str) -> None:
    assert named(path, name) == [name]


def test_of_a_name_within_a_longer_one_only_the_longer_counts() -> None:
    names = ("Mary Ann", "Mary Ann Smith", "Ann Smith")
    assert named("Mary Ann Smith.mp4", *names) == ["Mary Ann Smith"]
    assert named("MaryAnnSmith.mp4", *names) == ["Mary Ann Smith"]
    assert set(named("Mary Ann Smith and Mary Ann.mp4", *names)) == {"Mary Ann Smith", "Mary Ann"}
    assert set(named("Mary Ann Smith/Ann Smith.mp4", *names)) == {"Mary Ann Smith", "Ann Smith"}


def test_an_alias_counts_like_a_name_and_namesakes_share_the_hint() -> None:
    performers = (
        Performer(1, "Jane Doe", disambiguation="dancer"),
        Performer(2, "Jane Doe", disambiguation="singer"),
        Performer(3, "Summer", aliases=("Summer Roe", "Jane")),
    )
    gallery = replace(make_gallery([np.zeros((1, 128), np.float32)] * 3), performers=performers)
    assert hint_from_path("jane doe/1.mp4", gallery) == (
        Hint(1, "path", 0.5),
        Hint(2, "path", 0.5),
    )
    assert hint_from_path("summer roe.mp4", gallery) == (Hint(3, "path"),)
    assert hint_from_path("beach.mp4", gallery) == ()
    assert hint_from_path("", gallery) == ()


def test_the_index_follows_the_gallery() -> None:
    before = make_gallery([np.zeros((1, 128), np.float32)])
    after = replace(before, performers=(Performer(1, "Jane Doe"),))
    assert hint_from_path("jane doe.mp4", before) == ()
    assert hint_from_path("jane doe.mp4", after) == (Hint(1, "path"),)


def test_a_path_is_searched_in_under_a_millisecond_however_many_are_enrolled() -> None:
    index = index_names(_many(10_000))
    paths = [f"Studio {n}/First{n} Last{n % 100} - A Long Title {n}.1080p.mp4" for n in range(1000)]
    start = time.process_time()
    found = [find_named(path, index) for path in paths]
    assert time.process_time() - start < 1.0
    assert all(found)


def _many(count: int) -> Sequence[Performer]:
    """Performers with three aliases; a hundred family names, so that many names end alike."""
    return [
        Performer(
            number,
            f"First{number} Last{number % 100}",
            aliases=(f"Mary First{number}", f"First{number} Ann", f"First{number}"),
        )
        for number in range(count)
    ]
