"""Puts the names of files in the order in which people count: part 2 before part 10."""

import re

from db.names import name_key


def natural_key(name: str) -> tuple[tuple[int, str], ...]:
    """Return a key to sort names by: numbers in them count by their value."""
    parts = re.split(r"([0-9]{1,18})", name_key(name))
    return tuple((int(part) if place % 2 else -1, part) for place, part in enumerate(parts))
