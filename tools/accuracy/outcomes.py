"""Outcomes of searches: all that measuring needs to know of them, however faces were compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One search: was the person enrolled, is the first name right, its score, and was it named.

    `score` may be on any scale where higher is more certain; `right_score` is the right name's.
    Somebody who is not `nameable`, such as one seen only in weak faces, is not named at any score.
    """

    enrolled: bool
    first_is_right: bool
    score: float
    right_score: float
    nameable: bool
    named: bool


@dataclass(frozen=True)
class TrialOutcome:
    """Whom a trial searched for, its outcome our way and the reference's, and what it promised.

    `found_face` is false if the photos showed no usable face: then there was nothing to compare,
    nobody is named, and no score was given.
    """

    name: str
    found_face: bool
    ours: Outcome
    reference: Outcome
    verdict: str
    log_loss: float
