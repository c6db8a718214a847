"""How closely a video is looked at: quick, normal or deep."""

from collections.abc import Sequence
from dataclasses import replace

from db.videos import Depth, Outcome
from function.faces.found import Task
from function.recognition import task_of
from function.settings import Settings

DEEP_SECONDS = 0.5
"""Seconds between samples at depth `deep`."""

QUICK_PICTURES = 18
"""How many pictures are looked at at depth `quick` at first, spread over the video; then as many
again, and at most four times as many, as long as somebody is seen too seldom."""

QUICK_PIXELS = 720
"""The copy in which a quick look searches for distant faces is at most this large. In 1080p it
shows faces of 32 pixels (36 of 39) nearly as well as the usual copy (39); 13 of 13 people were
named by three of either. It shows 25 faces of 24 pixels, by which nobody is named, and the usual
one 37."""


def task_at(depth: Depth, settings: Settings) -> Task:
    """Return how a video is searched at a depth."""
    if depth == "quick":
        return quick_task(settings)
    usual = task_of(settings)
    return replace(usual, every_seconds=DEEP_SECONDS) if depth == "deep" else usual


def quick_task(settings: Settings) -> Task:
    """Return how a quick look searches a video."""
    return Task(None, min(settings.detection_pixels, QUICK_PIXELS), QUICK_PICTURES)


def is_unclear(people: int, leads: Sequence[Outcome]) -> bool:
    """Say whether a quick look leaves a question: nobody was found, or somebody is uncertain."""
    return people == 0 or any(one.verdict == "uncertain" for one in leads)
