"""Finds performers whose name or alias is in a file's path.

A name counts where its words follow each other, whole, in the name of one folder or of the file.
Anything but letters and digits separates words, and so does a capital after a small letter: `Jane
Doe` is in `jane_doe-2`, `Jane.Doe.mp4` and `JaneDoe/1.mp4`, but not in `Mary-Jane Doerr`. Capitals,
accents, apostrophes, and hyphens within a name's words make no difference.

One word is never enough: Summer, Angel and May are performers, and words of countless titles. Words
such as `the` and `Miss` do not count. Chinese, Japanese and Korean names have no spaces, so there
three letters count as two words.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from db.records import Performer
from db.snapshots import Snapshot
from function.matching.hints import Hint, hint_alike

FEWEST_WORDS, FEWEST_LETTERS = 2, 2
"""A name needs this many words of this many letters: `Scene 2` and `J. Doe` say too little."""

EMPTY_WORDS = frozenset({"the", "of", "and", "in", "on", "at", "mr", "mrs", "ms", "miss", "dr"})
"""Words that do not count: The One and Miss Jones would be found in titles that name nobody."""

FEWEST_EASTERN = 3
"""A name in Chinese, Japanese or Korean letters needs this many, and not only phonetic ones, which
spell first names and common words."""

_VOWELS = "".join(
    mark
    for mark in map(chr, range(0x0900, 0x1D00))
    if unicodedata.category(mark).startswith("M") and not unicodedata.combining(mark)
)
"""Marks that are vowels, from Devanagari to Khmer: there they tell names apart, as letters do."""

_VOICED = "\u3099\u309a"
"""The marks that make another letter of a Japanese one."""

_WORD = re.compile(rf"(?:[^\W\d_]+[{_VOWELS}]*)+|\d+")
_TURN = re.compile("[a-z][A-Z]")
_POSSESSIVE = re.compile(r"['\N{RIGHT SINGLE QUOTATION MARK}]s\b", re.IGNORECASE)
_APOSTROPHE = re.compile(r"['\N{RIGHT SINGLE QUOTATION MARK}]")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\N{HYPHEN}](?=[^\W\d_])")
_HAN_OR_HANGUL = "\u3005\u3400-\u9fff\uac00-\ud7af"
_EASTERN = re.compile(f"(?=.*[{_HAN_OR_HANGUL}])[{_HAN_OR_HANGUL}\u3040-\u30ff]+")
_STROKES = "\u0142\u0141\u00f8\u00d8\u0131\u0111\u0110\u00f0\u00d0", "lLoOidDdD"
_JOINED = {"\u00e6": "ae", "\u00c6": "Ae", "\u0153": "oe", "\u0152": "Oe"}
_UNDECOMPOSED = str.maketrans({**dict(zip(*_STROKES, strict=True)), **_JOINED})
"""Letters with strokes, and joined ones, which Unicode does not take apart as it does accents."""

_UMLAUTS = str.maketrans({"\u00e4": "ae", "\u00f6": "oe", "\u00fc": "ue"})
"""How German is written without umlauts, as often as by leaving out their dots."""

Words: TypeAlias = tuple[str, ...]


class _Word(NamedTuple):
    """A word in one form for all spellings, and where it begins and ends in its text."""

    text: str
    start: int
    end: int


class _Place(NamedTuple):
    """Where a name is in a text, and the ids of the performers it belongs to."""

    start: int
    end: int
    performer_ids: tuple[int, ...]

    def holds(self, other: "_Place") -> bool:
        """Whether the other place is a part of this one."""
        is_within = self.start <= other.start and other.end <= self.end
        return is_within and (self.start, self.end) != (other.start, other.end)


@dataclass(frozen=True, eq=False)
class NameIndex:
    """Every name and alias that says enough, by its words, with the ids of those who have it.

    `lengths` says for each first word how many words the names have that begin with it, so that a
    path is searched in a time that does not depend on how many performers there are.
    """

    owners: Mapping[Words, tuple[int, ...]]
    lengths: Mapping[str, tuple[int, ...]]


_INDEXES: WeakKeyDictionary[Snapshot, NameIndex] = WeakKeyDictionary()
"""An index takes nearly half a second for 10,000 performers, so a snapshot's is kept with it."""


def hint_from_path(path: str, gallery: Snapshot) -> tuple[Hint, ...]:
    """Turn the performers who are named in a path, relative to its media root, into hints."""
    index = _INDEXES.get(gallery)
    if index is None:
        index = _INDEXES[gallery] = index_names(gallery.performers)
    return hint_alike(find_named(path, index), "path")


def index_names(performers: Sequence[Performer]) -> NameIndex:
    """Prepare the names and aliases of performers for searching; once for each gallery is enough.

    Names of one word, and those made of initials and numbers, are left out.
    """
    owners = defaultdict[Words, list[int]](list)
    lengths = defaultdict[str, set[int]](set)
    for performer in performers:
        for name in (performer.name, *performer.aliases):
            for words in {form for way in _spell(name) for form in _telling_forms(way)}:
                owners[words].append(performer.id)
                lengths[words[0]].add(len(words))
    return NameIndex(
        {words: tuple(dict.fromkeys(ids)) for words, ids in owners.items()},
        {word: tuple(sorted(found)) for word, found in lengths.items()},
    )


def find_named(path: str, index: NameIndex) -> tuple[int, ...]:
    """Return the ids of the performers who are named in a path, each once.

    If a name is within a longer one, only the longer counts: `Mary Ann Smith` does not name Mary
    Ann, if both are enrolled. Two performers of the same name are both named.
    """
    named: dict[int, None] = {}
    for part in re.split(r"[/\\]", path.replace("%20", " ")):
        places = [place for words in _read_part(part) for place in _find_places(words, index)]
        for place in places:
            if not any(other.holds(place) for other in places):
                named |= dict.fromkeys(place.performer_ids)
    return tuple(named)


@lru_cache(maxsize=1000)
def _read_part(part: str) -> list[list[_Word]]:
    """Read the name of a folder or file; many files share few folders."""
    return _readings(_plain(part))


def _find_places(words: Sequence[_Word], index: NameIndex) -> Iterator[_Place]:
    for first, word in enumerate(words):
        for length in index.lengths.get(word.text, ()):
            found = words[first : first + length]
            ids = index.owners.get(tuple(one.text for one in found))
            if ids:
                yield _Place(word.start, found[-1].end, ids)


def _plain(text: str) -> str:
    """Drop accents and apostrophes; file systems write `é` as one character or as two."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.translate(_UNDECOMPOSED))
        bare = "".join(
            one for one in decomposed if not unicodedata.combining(one) or one in _VOICED
        )
        text = unicodedata.normalize("NFC", bare)  # Korean syllables are put together again
    return _APOSTROPHE.sub("", _POSSESSIVE.sub("", text))


def _readings(plain: str) -> list[list[_Word]]:
    """Read a text as its words, and, if that differs, also with words parted at capitals.

    Both are needed: `McKay` is one word in `jane_mckay`, and two in `JaneMcKay`.
    """
    whole = [(match.start(), match.end()) for match in _WORD.finditer(plain)]
    if plain.isascii() and not _TURN.search(plain):
        return [[_Word(plain[start:end].lower(), start, end) for start, end in whole]]  # most
    parted = [span for start, end in whole for span in _part_at_capitals(plain, start, end)]
    return [
        [_Word(plain[start:end].casefold(), start, end) for start, end in spans]
        for spans in ([whole] if parted == whole else [whole, parted])
    ]


def _part_at_capitals(plain: str, start: int, end: int) -> list[tuple[int, int]]:
    if plain[start + 1 : end].islower():
        return [(start, end)]  # most words, and quicker
    turns = [
        place
        for place in range(start + 1, end)
        if plain[place].isupper() and plain[place - 1].islower()
    ]
    return list(zip([start, *turns], [*turns, end], strict=True))


def _spell(name: str) -> Iterator[str]:
    """Yield the ways to write a name: as it is, and with what file names often leave out."""
    yield name
    if _HYPHEN.search(name):
        yield _HYPHEN.sub("", name)
    if _APOSTROPHE.search(name):
        yield _APOSTROPHE.sub(" ", name)
    if not name.isascii():
        yield unicodedata.normalize("NFC", name).lower().translate(_UMLAUTS)


def _telling_forms(name: str) -> list[Words]:
    """Return a name's words, in both readings; none if the name as written says too little."""
    forms = [tuple(word.text for word in words) for words in _readings(_plain(name))]
    together = "".join(forms[0])
    if _EASTERN.fullmatch(together):
        return [forms[0], (together,)] if len(together) >= FEWEST_EASTERN else []
    long = [word for word in forms[0] if len(word) >= FEWEST_LETTERS and word[0].isalpha()]
    return forms if len([word for word in long if word not in EMPTY_WORDS]) >= FEWEST_WORDS else []
