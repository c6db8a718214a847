"""What a performer's record may contain: a name that fits on a line, and limited text."""

import unicodedata

from db.records import Performer

MAX_NAME_CHARACTERS = 300
MAX_URL_CHARACTERS = 4000
MAX_ALIASES = 500


def find_complaint(performer: Performer) -> str:
    """Say why a record cannot be enrolled; "" if it can.

    Emoji, any script, and names that look like formulas are fine.
    """
    complaint = find_name_complaint(performer.name) or _complain_of_text(
        "disambiguation", performer.disambiguation
    )
    if complaint:
        return complaint
    if len(performer.aliases) > MAX_ALIASES or len(performer.urls) > MAX_ALIASES:
        return f"more than {MAX_ALIASES} aliases or urls"
    if any(len(text) > MAX_URL_CHARACTERS for text in (*performer.aliases, *performer.urls)):
        return f"an alias or url is longer than {MAX_URL_CHARACTERS} characters"
    return ""


def find_name_complaint(name: str) -> str:
    """Say why a performer cannot have this name; "" if they can."""
    if not any(_is_visible(character) for character in name):
        return "the name is empty"
    return _complain_of_text("name", name)


def _complain_of_text(what: str, text: str) -> str:
    if len(text) > MAX_NAME_CHARACTERS:
        return f"the {what} has {len(text)} characters; {MAX_NAME_CHARACTERS} at most"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        return f"the {what} contains a line break or another control character"
    return ""


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
