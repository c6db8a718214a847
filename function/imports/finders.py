"""Finds the faces in photos to import: in this process, or by a reader in locked children."""

from typing import Protocol

from function.engines.models import find_model, models_of
from function.engines.protocol import Engine
from function.enrolling.choosing import PhotoFound
from function.errors import RecognitionError, StoppingError
from function.media.photos import PhotoRefusedError
from function.sandbox.readers import Reader


class FaceFinder(Protocol):
    """Finds and encodes the faces in a photo."""

    @property
    def models(self) -> tuple[str, ...]:
        """The ids of the models it encodes with, the primary one first."""

    @property
    def same_photo_within(self) -> float:
        """Two encodings of the primary model this near are of one photo."""

    def find_faces(self, photo: bytes) -> PhotoFound:
        """Find the faces in a photo.

        Raises:
            PhotoRefusedError: the photo is unreadable.
        """


class EngineFinder:
    """Decodes photos in this process, as a tool does that a user runs on files of their own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def models(self) -> tuple[str, ...]:
        """The engine's models."""
        return models_of(self._engine)

    @property
    def same_photo_within(self) -> float:
        """As the engine's primary model says."""
        return self._engine.encoder.model.same_photo_within

    def find_faces(self, photo: bytes) -> PhotoFound:
        """Find the faces in a photo."""
        from function.enrolling.search import search_photo  # noqa: PLC0415  # loads a decoder

        return search_photo(photo, self._engine)


class ReaderFinder:
    """Lets a reader look at the photos, as the server must: it decodes nothing itself."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def models(self) -> tuple[str, ...]:
        """The reader's models; the first call starts it."""
        return self._reader.ready().models

    @property
    def same_photo_within(self) -> float:
        """As the reader's primary model says."""
        return find_model(self.models[0]).same_photo_within

    def find_faces(self, photo: bytes) -> PhotoFound:
        """Find the faces in a photo; one that ends its child is refused like one that is broken."""
        try:
            return self._reader.find_faces(photo)
        except StoppingError:
            raise
        except RecognitionError as error:
            raise PhotoRefusedError(str(error)) from error
