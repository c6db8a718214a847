"""Forgotten performers are known only by keyed hashes of their ids and name.

With these hashes an import can skip forgotten performers, although the file no longer says who they
were. The key is in the same file and never leaves it, so hashes of two galleries cannot be
compared. Anyone who has the file can test a name they already suspect, but nobody can list the
names.
"""

import hashlib
import hmac
from collections.abc import Iterable

from db.identities import identities_of
from db.names import name_key
from db.records import Performer


def marks_of(performer: Performer) -> Iterable[tuple[str, ...]]:
    """Yield what identifies a record: the name, and every id."""
    yield from marks_of_name(performer.name, performer.disambiguation)
    for identity in identities_of(performer):
        yield ("identity", *identity)


def marks_of_name(name: str, disambiguation: str) -> tuple[tuple[str, ...], ...]:
    """Return the marks of a name: by its key, and as galleries were first given them."""
    return (
        ("key", name_key(name), name_key(disambiguation)),
        ("name", name.casefold().strip(), disambiguation.casefold().strip()),
    )


def hash_mark(key: bytes, mark: tuple[str, ...]) -> bytes:
    """Return the keyed hash of one mark: HMAC-SHA256, 32 bytes."""
    return hmac.new(key, "\0".join(mark).encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
