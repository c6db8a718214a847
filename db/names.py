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
    texts = {"name": performer.name, "disambiguation": performer.disambiguation}
    if not performer.name.strip():
        return "the name is empty"
    for what, text in texts.items():
        if len(text) > MAX_NAME_CHARACTERS:
            return f"the {what} has {len(text)} characters; {MAX_NAME_CHARACTERS} at most"
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            return f"the {what} contains a line break or another control character"
    if len(performer.aliases) > MAX_ALIASES or len(performer.urls) > MAX_ALIASES:
        return f"more than {MAX_ALIASES} aliases or urls"
    if any(len(text) > MAX_URL_CHARACTERS for text in (*performer.aliases, *performer.urls)):
        return f"an alias or url is longer than {MAX_URL_CHARACTERS} characters"
    return ""
