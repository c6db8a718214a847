"""Writes counts with their nouns, as in a sentence."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 scene, 2 scenes, 0 scenes."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def agree(number: int, one: str, more: str) -> str:
    """Return the word that agrees with a number: for 1 the first, such as "has", else "have"."""
    return one if number == 1 else more
