"""The page's latest results, kept in memory so that they can be corrected.

Encodings never leave the process, so a correction gives a result and the number of a person in it,
and the encodings are looked up here. Only results of the page's own requests are kept: a limited
number of them, for a limited time, and never on disk.
"""

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath

from db.blobs import to_blob
from db.corrections import Correction, Subject
from db.models import EncodingModel
from db.people import PersonFound, View
from db.records import Encoding
from function.errors import ResultGoneError
from function.library.admission import admit_picture, is_admissible, pictured
from function.people.people import template_of

MOST_RESULTS = 16
MOST_VIDEOS = 200
MOST_CORRECTIONS = 500
KEPT_SECONDS = 2 * 3600.0

CONFIRMED = "confirmed from"
"""How the origins of views begin that were enrolled by a correction."""

MOST_ENCODINGS = 5
"""One video shows a face in a few views; more encodings of it add nothing."""


@dataclass(frozen=True, eq=False)
class KeptResult:
    """One video, by its path in the request, and its people in the order of the reply."""

    video: str
    people: tuple[Subject, ...]
    kept_at_seconds: float


class RecentResults:
    """Keeps the latest results under random ids; safe to use from several threads.

    An id cannot be guessed, so anyone who has it may correct that result and play its video.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty; `clock` returns seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._results: OrderedDict[str, KeptResult] = OrderedDict()
        self._videos: OrderedDict[str, KeptResult] = OrderedDict()
        self._corrections: OrderedDict[str, Correction] = OrderedDict()

    def keep(
        self,
        video: str,
        people: Sequence[PersonFound],
        model: EncodingModel,
        second: str | None = None,
    ) -> str:
        """Keep the people of `video`, and return the id of the result.

        `second` is the id of the second model, if they have encodings of one.
        """
        origin = f"{CONFIRMED} {PureWindowsPath(video).name}"
        models = (model.id, *([second] if second else []))
        kept = tuple(_subject(person, origin, model, models) for person in people)
        result_id = secrets.token_urlsafe(24)
        with self._lock:
            self._results[result_id] = KeptResult(video, kept, self._clock())
            while len(self._results) > MOST_RESULTS:
                self._results.popitem(last=False)
        return result_id

    def keep_video(self, video: str) -> str:
        """Keep a video to be played, without people, and return the id of this result."""
        result_id = secrets.token_urlsafe(24)
        with self._lock:
            self._videos[result_id] = KeptResult(video, (), self._clock())
            while len(self._videos) > MOST_VIDEOS:
                self._videos.popitem(last=False)
        return result_id

    def find(self, result_id: str) -> KeptResult:
        """Return a result that is still kept.

        Raises:
            ResultGoneError: it is not, or never was.
        """
        with self._lock:
            kept = self._videos if result_id in self._videos else self._results
            result = kept.get(result_id)
            if result and self._clock() - result.kept_at_seconds > KEPT_SECONDS:
                del kept[result_id]
                result = None
        if result is None:
            raise ResultGoneError(
                "This result is no longer kept: the server was restarted, or many videos came "
                "after it. Identify the video again."
            )
        return result

    def keep_correction(self, correction: Correction) -> str:
        """Keep what a correction changed, and return the id to undo it with."""
        correction_id = secrets.token_urlsafe(24)
        with self._lock:
            self._corrections[correction_id] = correction
            while len(self._corrections) > MOST_CORRECTIONS:
                self._corrections.popitem(last=False)
        return correction_id

    def find_correction(self, correction_id: str) -> Correction:
        """Return a correction that can still be undone.

        Raises:
            ResultGoneError: it cannot; only the latest can, and each only once.
        """
        with self._lock:
            correction = self._corrections.get(correction_id)
        if correction is None:
            raise ResultGoneError(
                "This can no longer be undone here: it was already undone, or the server was "
                "restarted. You can still change it in the gallery view."
            )
        return correction

    def drop_correction(self, correction_id: str) -> None:
        """Drop a correction that was undone."""
        with self._lock:
            self._corrections.pop(correction_id, None)


def choose_views(person: PersonFound) -> list[View]:
    """Choose the views worth enrolling: the best ones, and one weak one only if all are weak."""
    views = sorted(person.strong_views, key=lambda view: (-view.quality, view.seconds))
    weak = [view for view in person.views if view.seconds == person.best_seconds]
    return views[:MOST_ENCODINGS] or weak[:1]


def _subject(
    person: PersonFound, origin: str, model: EncodingModel, models: Sequence[str]
) -> Subject:
    views = [view for view in choose_views(person) if is_admissible(view, models)]
    pictures = pictured(person, views)
    encodings = tuple(
        Encoding(
            vector=vector,
            model=model_id,
            quality=view.quality,
            photo_hash=hashlib.sha256(to_blob(view.encodings[0])).hexdigest(),
            origin=f"{origin} at {view.seconds:.1f} s",
            weaknesses=", ".join(view.weaknesses),
            face=pictures.get(view.seconds, b"") if model_id == model.id else b"",
        )
        for view in views
        for vector, model_id in zip(view.encodings, models, strict=False)
    )
    template = template_of(person, model)
    picture = admit_picture(person.picture) or b""
    return Subject(template.mean, encodings, picture, model, origin)
