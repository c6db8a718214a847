"""Writes how many there are of something, as one says it."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 scene, 2 scenes, 0 scenes."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def agree(number: int, one: str, more: str) -> str:
    """Return the word that goes with so many: "has" with 1, of "has" and "have"."""
    return one if number == 1 else more
