"""Carries out the orders of a child, one at a time, and answers each, also with a refusal.

It loads what decodes, so only a child imports it.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from db.names import show_text
from function.engines.protocol import Engine
from function.enrolling.search import search_photo
from function.errors import (
    PhotoUnusableError,
    RecognitionError,
    UnreadableVideoError,
    VideoOverLimitError,
)
from function.faces.pictures import copy_still
from function.faces.search import Hands
from function.media.archives import forget_list, list_archive
from function.media.decoders import DecoderName
from function.media.moments import find_moment
from function.media.photos import MAX_PHOTO_BYTES, PhotoRefusedError
from function.people.finding import find_in_picture, find_people
from function.people.gathering import PeopleFound
from function.sandbox.channel import Channel
from function.sandbox.helpers import Team
from function.sandbox.lockdown import MEGABYTE
from function.sandbox.messages import Answer, Refusal, write_message
from function.sandbox.orders import (
    ContentsOrder,
    CopyOrder,
    MomentOrder,
    Order,
    PhotoOrder,
    PictureOrder,
    Result,
    VideoOrder,
)
from function.sandbox.portions import MOST_PEOPLE_BYTES, split, weigh_people

_log = logging.getLogger(__name__)


class Worker:
    """Carries out orders."""

    def __init__(
        self,
        channel: Channel,
        engine: Engine,
        thread: Executor,
        decoder: DecoderName,
        team: Team,
    ) -> None:
        self._channel = channel
        self._engine = engine
        self._thread = thread
        self._decoder = decoder
        self._team = team
        self._ways: Mapping[type[Order], Callable[[Any], Iterator[Result]]] = {
            VideoOrder: self._search_video,
            MomentOrder: self._find_moment,
            PhotoOrder: self._search_photo,
            PictureOrder: self._search_picture,
            CopyOrder: self._copy_picture,
            ContentsOrder: self._list_archive,
        }

    def carry_out(self, order: Order) -> None:
        """Carry out an order, and answer it, also with a refusal."""
        if not isinstance(order, PictureOrder):
            forget_list()  # a long video needs the memory
        try:
            for result in self._ways[type(order)](order):
                for portion in split(result):
                    self._answer(portion)
        except RecognitionError as error:
            self._answer(Refusal(error.code, show_text(str(error))))
        except PhotoRefusedError as error:
            self._answer(Refusal(PhotoUnusableError.code, show_text(str(error))))
        except Exception as error:  # noqa: BLE001  # whatever a hostile file causes ends here
            self._answer(_explain(error, order))

    def _answer(self, answer: Answer) -> None:
        self._channel.send(write_message(answer))

    def _search_video(self, order: VideoOrder) -> Iterator[Result]:
        with self._received() as descriptor, self._team.on(order) as crew:
            hands = Hands(self._thread, crew, self._decoder)
            for event in find_people(descriptor, order.name, self._engine, order.task, hands):
                if isinstance(event, PeopleFound):
                    require_few(event, order.name)
                yield event

    def _find_moment(self, order: MomentOrder) -> Iterator[Result]:
        with self._received() as descriptor:
            yield find_moment(descriptor, order.name, order.seconds)

    def _search_photo(self, _: PhotoOrder) -> Iterator[Result]:
        yield search_photo(self._channel.receive(MAX_PHOTO_BYTES), self._engine)

    def _search_picture(self, order: PictureOrder) -> Iterator[Result]:
        with self._received() as descriptor:
            yield find_in_picture(descriptor, order.place, self._engine, order.detection_pixels)

    def _copy_picture(self, order: CopyOrder) -> Iterator[Result]:
        with self._received() as descriptor:
            yield copy_still(descriptor, order.place)

    def _list_archive(self, order: ContentsOrder) -> Iterator[Result]:
        with self._received() as descriptor:
            yield list_archive(descriptor, order.name)

    @contextmanager
    def _received(self) -> Iterator[int]:
        descriptor = self._channel.receive_descriptor()
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def require_few(found: PeopleFound, name: str) -> None:
    """Refuse people of whom there is more than the parent would take."""
    if weigh_people(found.people) > MOST_PEOPLE_BYTES:
        raise VideoOverLimitError(
            f"{name} shows {len(found.people):,} people, and more of them than fits into "
            f"{MOST_PEOPLE_BYTES // MEGABYTE} MB. Give a larger `every`."
        )


def _explain(error: Exception, order: Order) -> Refusal:
    kind = f"{type(error).__module__}.{type(error).__name__}"
    needs_memory = isinstance(error, MemoryError) or "alloc" in str(error).lower()
    if not needs_memory:
        _log.error("A file caused an unexpected error.", exc_info=error)
    if isinstance(order, PhotoOrder | PictureOrder | CopyOrder):
        reason = "it needs more memory than MEMORY_MEGABYTES allows" if needs_memory else kind
        return Refusal(PhotoUnusableError.code, f"unreadable: {reason}.")
    if needs_memory:
        message = f"{order.name} needs more memory than MEMORY_MEGABYTES allows."
        return Refusal(VideoOverLimitError.code, f"{message} Give a smaller copy.")
    check = "Pack it again." if isinstance(order, ContentsOrder) else "Check that it plays."
    message = f"{order.name} could not be read to its end ({kind}). {check}"
    return Refusal(UnreadableVideoError.code, message)
