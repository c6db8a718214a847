"""The rules of names: what a record may contain, how a name is kept, and when two are the same.

A name is kept as it was given, but for spaces, and with accents as single characters. It is found,
forgotten and told apart from others by its key, which ignores case, accents and spaces.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from urllib.parse import urlsplit

from db.records import Identity, Performer

MAX_NAME_CHARACTERS = 300
MAX_URL_CHARACTERS = 4000
MAX_ALIASES = 500
MAX_CHARACTERS_OF_ALL = 300_000
"""Of all aliases of a performer together, or of all URLs: as JSON they take up to twelve bytes."""

ID_PREFIX = "id:"
"""Before the number of a performer, where a name could stand as well: `3` may be a name."""

_ACCENTS = re.compile("[\u0300-\u036f]")
"""What Latin, Greek and Cyrillic letters carry. In other scripts such marks tell letters apart."""

_SEEN = r"[^\x00-\xa0\u2000-\u206f\s]"
_JOINED = re.compile(f"(?<={_SEEN})([\u200c\u200d])(?={_SEEN})")
"""A joiner between two letters or signs that are seen, neither of them ASCII."""

_ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014", "-"),
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
"""Letters that Unicode does not take apart, as people write them, and signs that look alike."""

_CONTROLS = ("Cc", "Zl", "Zp")


def find_complaint(performer: Performer) -> str:
    """Say why a record cannot be enrolled; "" if it can.

    Emoji, any script, and names that look like formulas are fine.
    """
    complaint = find_name_complaint(performer.name) or _complain_of_text(
        "disambiguation", performer.disambiguation
    )
    if complaint:
        return complaint
    if any(limited(texts) != texts for texts in (performer.aliases, performer.urls)):
        return (
            f"more than {MAX_ALIASES} aliases or urls, or of more than {MAX_CHARACTERS_OF_ALL} "
            "characters"
        )
    texts = (*performer.aliases, *performer.urls, performer.poster_url)
    if any(len(text) > MAX_URL_CHARACTERS for text in texts):
        return f"an alias or url is longer than {MAX_URL_CHARACTERS} characters"
    if any(has_control(text) for text in texts):
        return "an alias or url contains a line break or another control character"
    ids = (
        performer.source,
        performer.source_id,
        *(part for one in performer.identities for part in one),
    )
    return next(filter(None, map(find_id_complaint, ids)), "")


def find_id_complaint(text: str) -> str:
    """Say why nobody can have this id, or come from this source; "" if they can."""
    if not _is_utf8(text):
        return f"the id {show_text(text)} is not UTF-8"
    if len(text) > MAX_URL_CHARACTERS:
        return f"an id is longer than {MAX_URL_CHARACTERS} characters"
    return "an id contains a control character" if has_control(text) else ""


def limited(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the first of a performer's aliases or URLs, as many as can be kept together."""
    texts = tuple(texts)[:MAX_ALIASES]
    lengths = accumulate(map(len, texts))
    return tuple(
        text for text, length in zip(texts, lengths, strict=True) if length <= MAX_CHARACTERS_OF_ALL
    )


def is_web_address(url: str) -> bool:
    """Say whether a URL may be followed from a page: http or https, with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not has_control(url)


def has_control(text: str) -> bool:
    """Say whether a text contains a line break or another control character."""
    return any(unicodedata.category(character) in (*_CONTROLS, "Cs") for character in text)


def find_name_complaint(name: str) -> str:
    """Say why a performer cannot have this name; "" if they can."""
    if not any(_is_visible(character) for character in name) and _is_utf8(name):
        return "the name is empty"
    if read_id(name):
        return f"the name {name.strip()!r} is how the number of a performer is written"
    return _complain_of_text("name", name)


def tidy_name(name: str) -> str:
    """Return a name as it is kept: NFC, with single spaces, and none around it.

    Line breaks and other control characters within it stay, and are complained of later.
    """
    composed = unicodedata.normalize("NFC", name).strip()
    spaced = (" " if unicodedata.category(one) == "Zs" else one for one in composed)
    return re.sub(" +", " ", "".join(spaced))


def tidy(performer: Performer) -> Performer:
    """Return a record with its names as they are kept; texts that are not UTF-8 show escapes.

    An id may be a name as well, of a folder for example. It becomes NFC, so that one folder is one
    performer on every system; the id as given stays beside it, for galleries that have it.
    """
    source_id = unicodedata.normalize("NFC", performer.source_id)
    own = Identity(performer.source, performer.source_id)
    also = () if source_id == performer.source_id else (own,)
    return replace(
        performer,
        name=tidy_name(performer.name),
        disambiguation=tidy_name(performer.disambiguation),
        aliases=tuple(show_text(tidy_name(alias)) for alias in performer.aliases),
        urls=tuple(show_text(url) for url in performer.urls),
        source_id=source_id,
        identities=(*performer.identities, *also),
    )


@lru_cache(maxsize=131_072)
def name_key(name: str) -> str:
    """Return what names are compared by: the same for every way to write one.

    Case, accents, spaces, invisible joiners, and kinds of apostrophes and dashes do not count.
    """
    if name.isascii():
        return " ".join(name.lower().replace("`", "'").split())
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", name)).casefold().translate(_ALIKE)
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain))
    seen = "".join(one for one in plain if unicodedata.category(one) != "Cf")
    return " ".join(unicodedata.normalize("NFC", seen).split()) or name


def read_id(name_or_id: str) -> str:
    """Return the digits of `id:3`; "" if the text is a name."""
    digits = name_or_id.strip().lower().removeprefix(ID_PREFIX)
    is_id = name_or_id.strip().lower().startswith(ID_PREFIX) and digits.isascii()
    return digits.lstrip("0") if is_id and digits.isdecimal() else ""


def show_text(text: str) -> str:
    r"""Return a text that can be printed and stored: bytes that are not UTF-8 become `\xe9`."""
    return text if _is_utf8(text) else _escaped(text)


def _escaped(text: str) -> str:
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a pair, as JSON can have it
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _complain_of_text(what: str, text: str) -> str:
    if len(text) > MAX_NAME_CHARACTERS:
        return f"the {what} has {len(text)} characters; {MAX_NAME_CHARACTERS} at most"
    if any(unicodedata.category(character) in _CONTROLS for character in text):
        return f"the {what} contains a line break or another control character"
    if show_text(text) != text:
        return f"the {what} is not UTF-8 ({show_text(text)}): rename the file or folder it is from"
    return ""


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"


def escape_unprintable(text: str) -> str:
    r"""Return a text on one line, with unprintable characters escaped, as `\u200d`.

    A file's name must not steer a terminal. A joiner within a word or an emoji is left as it is:
    Persian is written with joiners, and they build emoji of families.
    """
    parts = enumerate(_JOINED.split(text))  # every second one is a joiner
    return "".join(part if number % 2 else _escape(part) for number, part in parts)


def _escape(text: str) -> str:
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def quote(text: str) -> str:
    """Return a name or a path in quotes for a message, spelled as it is listed."""
    return f"'{escape_unprintable(show_text(text))}'"


def printable(text: str) -> str:
    """Return a text from elsewhere as it may be shown in a terminal or a log.

    What would move the cursor, colour the screen or reverse a line becomes U+FFFD.
    """
    return "".join(one if one.isprintable() else "\ufffd" for one in text)
