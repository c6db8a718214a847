"""Turns a person's faces into the spans of time in which the person is seen."""

from collections.abc import Iterable

from db.people import Seen

MISSED_SAMPLES = 1
"""This many samples in a row may lack the face (a turned head) without ending the appearance, if
they are of one shot."""

Span = tuple[float, float]
"""First and last second of an appearance."""


def find_appearances(seen: Iterable[Seen]) -> list[Span]:
    """Join the moments of one person's faces into spans, in order of time.

    A span begins midway between the first sample that shows the person and the one before, and
    ends midway to the next, so both ends are accurate to half the time between samples; where it is
    known when a shot ends, they are exact. A shot that does not show the person ends the span.
    """
    spans: list[Span] = []
    last_frame = 0
    for one in sorted(seen):
        if spans and (
            one.since_seconds <= spans[-1][1] or one.frame - last_frame <= 1 + MISSED_SAMPLES
        ):
            start, end = spans.pop()
            spans.append((start, max(end, one.until_seconds)))
        else:
            spans.append((one.since_seconds, one.until_seconds))
        last_frame = one.frame
    return spans
