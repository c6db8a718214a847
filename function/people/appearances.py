"""Turns a person's faces into the spans of time in which the person is seen."""

from collections.abc import Iterable

from function.faces.faces import Face

MISSED_SAMPLES = 1
"""This many samples in a row may lack the face (a turned head) without ending the appearance."""

Span = tuple[float, float]
"""First and last second of an appearance."""


def find_appearances(faces: Iterable[Face]) -> list[Span]:
    """Join the moments of one person's faces into spans, in order of time.

    A span begins with the first sample that shows the person and ends with the last, so both ends
    are accurate to the time between samples.
    """
    spans: list[Span] = []
    last_frame = 0
    for face in sorted(faces, key=lambda face: face.frame):
        if spans and face.frame - last_frame <= 1 + MISSED_SAMPLES:
            start, end = spans.pop()
            spans.append((start, max(end, face.until_seconds)))
        else:
            spans.append((face.seconds, face.until_seconds))
        last_frame = face.frame
    return spans
