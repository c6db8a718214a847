"""Which names a performer may have: one rule for imports, the command line and the page."""

import pytest

from db.names import (
    MAX_NAME_CHARACTERS,
    escape_unprintable,
    find_complaint,
    find_name_complaint,
    is_web_address,
    name_key,
    show_text,
    tidy,
    tidy_name,
)
from db.records import Identity
from tests.support.galleries import performer


@pytest.mark.parametrize(
    "name",
    [
        "Zoë",
        "李 小龍",
        "=SUM(A1)",
        "-",
        "👩‍👩‍👧",
        "O'Neill <b>",
        "3",
        "\u0645\u06cc\u200c\u0631\u0648\u0645",
        "x" * MAX_NAME_CHARACTERS,
    ],
)
def test_any_name_that_fits_on_a_line_is_fine(name: str) -> None:
    assert find_name_complaint(name) == ""
    assert find_complaint(performer(name, "1")) == ""


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "empty"),
        ("  \t", "empty"),
        ("\u200b\u202e", "empty"),
        ("a\nb", "line break"),
        ("a\x00", "control character"),
        ("a\u2028b", "line break"),
        ("Ren\udce9e", r"not UTF-8 (Ren\xe9e): rename the file or folder"),
        ("\ud800", "not UTF-8"),
        ("id:3", "how the number of a performer is written"),
        (" ID:03 ", "how the number"),
        ("x" * (MAX_NAME_CHARACTERS + 1), "301 characters; 300 at most"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused_with_the_reason(name: str, complaint: str) -> None:
    assert complaint in find_name_complaint(name)
    assert complaint in find_complaint(performer(name, "1"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zo\u00eb", "ZOE"),
        ("Zo\u00eb", "Zoe\u0308"),
        ("Mary  Ann", " mary\u00a0ann "),
        ("Stra\u00dfe", "STRASSE"),
        ("S\u00f8ren \u00c6r\u00f8", "Soren Aero"),
        ("\u0141ucja", "lucja"),
        ("O\u2019Neill", "O'Neill"),
        ("Anne\u2011Marie", "anne-marie"),
        ("\uff21\uff44\uff41", "Ada"),
        ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u0631\u0648\u0645"),
        ("\u0418\u0432\u0430\u043d", "\u0438\u0432\u0430\u043d"),
    ],
)
def test_one_name_in_two_spellings_has_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann", "Anna"),
        ("\u304b", "\u304c"),
        ("\u0915\u093f", "\u0915\u0940"),
        ("\U0001f3ad", "\U0001f600"),
    ],
)
def test_other_names_have_other_keys(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)
    assert name_key(one)


def test_a_name_is_kept_as_it_was_given_but_for_spaces_and_loose_accents() -> None:
    assert tidy_name("  Zoe\u0308 \u00a0 McKay ") == "Zo\u00eb McKay"
    assert "\n" in tidy_name("two\nlines")


def test_a_folder_of_a_mac_keeps_the_id_it_had_beside_the_composed_one() -> None:
    record = tidy(performer("Zoe\u0308", "Zoe\u0308"))
    assert (record.name, record.source_id) == ("Zo\u00eb", "Zo\u00eb")
    assert [one.source_id for one in record.identities] == ["Zoe\u0308"]
    assert tidy(performer("Ada", "Ada")) == performer("Ada", "Ada")


def test_bytes_that_are_not_utf8_are_shown_as_escapes() -> None:
    assert show_text("caf\udce9 \u00e9") == "caf\\xe9 \u00e9"
    assert show_text("\ud83d") == "\\ud83d"


def test_an_id_that_could_be_stored_nowhere_is_complained_of() -> None:
    box = Identity("https://box.example", "\udce9")
    for record in (performer("Ada", "caf\udce9"), performer("Ada", identities=(box,))):
        assert "is not UTF-8" in find_complaint(record)


@pytest.mark.parametrize(
    ("text", "complaint"), [("\x1b[2J", "control character"), ("x" * 4_001, "longer than 4000")]
)
def test_an_id_that_no_bundle_may_hold_is_complained_of(text: str, complaint: str) -> None:
    records = [
        performer("Ada", text),
        performer("Ada", source=text),
        performer("Ada", identities=(Identity("https://box.example", text),)),
        performer("Ada", identities=(Identity(text, "1"),)),
    ]
    assert all(complaint in find_complaint(record) for record in records)
    assert find_complaint(performer("Ada", "\u00e9" * 4_000)) == ""


@pytest.mark.parametrize("which", ["aliases", "urls"])
def test_more_than_a_performer_may_have_is_complained_of(which: str) -> None:
    most = (*["x" * 4_000] * 75,)
    assert find_complaint(performer("Ada", **{which: most})) == ""
    for texts in ((*most, "x"), ("x",) * 501):
        assert "more than 500 aliases or urls" in find_complaint(performer("Ada", **{which: texts}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/b?c=\u00e9", True),
        ("http://a.example", True),
        ("javascript:alert(1)", False),
        ("javascript://a.example/%0aalert(1)", False),
        ("data:image/svg+xml,<svg/>", False),
        ("//a.example", False),
        ("www.a.example", False),
        ("https:", False),
        ("https:///path", False),
        ("http://[", False),
        ("https://a.example/\x1b[2J", False),
        ("https://a.\nexample", False),
        ("java\tscript:alert(1)", False),
    ],
)
def test_only_what_names_a_host_of_the_web_is_a_web_address(url: str, *, expected: bool) -> None:
    assert is_web_address(url) == expected


@pytest.mark.parametrize(
    "name", ["👩‍👩‍👧", "❤\ufe0f\u200d🔥", "\u0645\u06cc\u200c\u0631\u0648\u0645"]
)
def test_a_joiner_within_a_name_is_shown_as_it_is(name: str) -> None:
    assert escape_unprintable(f"id:3  {name}") == f"id:3  {name}"


@pytest.mark.parametrize(
    "text", ["\u200d", "a\u200db", "two \u200d.mp4", "é\u200d", "\u200d\u200dé", "\u202eé"]
)
def test_what_nobody_sees_or_what_steers_a_terminal_is_shown_as_an_escape(text: str) -> None:
    shown = escape_unprintable(text)
    assert shown.isprintable()
    assert "\\u20" in shown
