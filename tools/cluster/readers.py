"""Reads videos on the workers of a cluster: to a scan it is a reader like those of this machine."""

import os
from collections.abc import Callable, Container, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import cast

from db.names import show_text
from function.errors import CrashedVideoError, UnreadableVideoError
from function.faces.found import Progress, Task
from function.library.oshash import oshash_of
from function.matching.second_models import SecondModel
from function.media.files import MediaFile
from function.people.gathering import PeopleFound
from function.sandbox.checks import Dimensions, check_answer, check_people
from function.sandbox.wire import WireError
from tools.cluster.clusters import HEARTBEAT_SECONDS, Cluster, WorkerFailedError
from tools.cluster.messages import (
    REFUSALS,
    ElsewhereError,
    ReadOrder,
    Refused,
    Terms,
    VideoRead,
    read,
    write,
)
from tools.cluster.work import read_video


class ClusterReader:
    """Has videos read by a worker, or by another one if that one does not see the file.

    Its results are checked like those of a child. `roots` are the folders that all machines see, by
    any path; `dimensions` how many numbers the encodings have.
    """

    def __init__(
        self,
        cluster: Cluster,
        terms: Terms,
        second: SecondModel | None,
        roots: Sequence[Path],
        *,
        dimensions: Dimensions,
        tell: Callable[[str], None],
        worker: str = "",
    ) -> None:
        self._cluster = cluster
        self._terms = terms
        self._second = second
        self._roots = [root.resolve() for root in roots]
        self._dimensions = dimensions
        self._tell = tell
        self._worker = worker
        self._has_told = False

    def on(self, worker: str) -> "ClusterReader":
        """Return a reader like this one that asks one worker first."""
        return ClusterReader(
            self._cluster,
            self._terms,
            self._second,
            self._roots,
            dimensions=self._dimensions,
            tell=self._tell,
            worker=worker,
        )

    @property
    def second(self) -> SecondModel | None:
        """The second model of the workers."""
        return self._second

    def close(self) -> None:
        """Give up all work."""
        self._cluster.closing.set()

    def find_people(self, media: MediaFile, task: Task) -> Generator[Progress | PeopleFound]:
        """Find everyone in a video, on a worker that sees the file."""
        order = self._order(media, task)
        reasons: dict[str, str] = {}
        try:
            while worker := self._next(reasons):
                try:
                    yield from self._ask(worker, order)
                except ElsewhereError as error:
                    reasons[worker] = str(error)
                    self._tell_once(order.name, worker, reasons[worker])
                else:
                    return
                while not self._next(reasons) and self._cluster.joining:
                    yield Progress(0.0, 0.0, 0)
                    self._cluster.closing.wait(HEARTBEAT_SECONDS)
        finally:
            self._cluster.drop(order.number)
        seen = "; ".join(f"{worker}: {reason}" for worker, reason in reasons.items())
        raise UnreadableVideoError(
            f"{order.name} is seen by no worker ({seen}). Check their MEDIA_ROOT, "
            "and scan it again with --retry."
        )

    def _next(self, asked: Container[str]) -> str:
        """Return a worker that was not asked yet, our own first; "" if there is none."""
        first = [self._worker] if self._worker else []
        return next((one for one in (*first, *self._cluster.fit) if one not in asked), "")

    def _order(self, media: MediaFile, task: Task) -> ReadOrder:
        asked = media.path and _below(media.path, self._roots)
        if not asked:
            raise UnreadableVideoError(
                f"{media.name} is not inside MEDIA_ROOT, so the workers cannot find it. Move it, "
                "or scan it without --dask."
            )
        return ReadOrder(
            path=os.fsencode(asked),
            name=show_text(media.name),
            oshash=oshash_of(media.descriptor),
            task=task,
            topic=self._cluster.topic,
            number=self._cluster.next_number(),
        )

    def _ask(self, worker: str, order: ReadOrder) -> Iterator[Progress | PeopleFound]:
        """Have one worker read a video; it is told to end if the caller does."""
        try:
            message = yield from self._follow(worker, order)
            done = self._read(message)
            yield done.progress
            yield done.found
        except WorkerFailedError as error:
            raise CrashedVideoError(f"{order.name} was not finished: {error}.") from error
        except WireError as error:
            raise CrashedVideoError(
                f"The answer of the worker {worker} on {order.name} is not valid: {error}."
            ) from None

    def _follow(self, worker: str, order: ReadOrder) -> Generator[Progress, None, bytes]:
        """Yield how far a worker is, and return its answer."""
        with closing(self._cluster.ask(read_video, worker, write(order))) as asking:
            while True:
                try:
                    next(asking)
                except StopIteration as ended:
                    return cast("bytes", ended.value)
                yield self._cluster.progress(order.number)

    def _read(self, message: bytes) -> VideoRead:
        """Check an answer, and return it; a refusal is raised."""
        answer: VideoRead | Refused = read((VideoRead, Refused), message)
        if isinstance(answer, Refused):
            raise REFUSALS.get(answer.kind, UnreadableVideoError)(answer.message)
        check_answer(answer.progress, self._dimensions)
        check_people(answer.found, self._dimensions)
        if answer.found.models != self._terms.models:
            raise WireError(f"its models are {', '.join(answer.found.models)}")
        return answer

    def _tell_once(self, name: str, worker: str, reason: str) -> None:
        if not self._has_told:
            self._has_told = True
            self._tell(f"The worker {worker} does not see {name}, nor maybe others: {reason}")


def _below(path: Path, roots: Sequence[Path]) -> str:
    """Return a path relative to the first root that it is in; "" if it is in none."""
    return next((str(path.relative_to(root)) for root in roots if path.is_relative_to(root)), "")
