"""What a first look at a video finds out; other processes that open it need not look again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Survey:
    """Where a video's own clock begins, and how long it runs, with its leaps; 0.0 if unknown.

    `may_fit_gpu`: a GPU may be able to decode it. `hides_all`: its edit list leaves nothing to be
    shown, and is not followed. `marks_all`: it calls every picture a keyframe, and its decoder does
    not tell whether that is so. `cleaned_pid`: of a broadcast, the stream of which some packets are
    to be left out; 0 if none. `is_scrambled`: among them are scrambled ones.
    """

    start_seconds: float
    seconds: float
    may_fit_gpu: bool
    hides_all: bool
    marks_all: bool
    cleaned_pid: int = 0
    is_scrambled: bool = False
