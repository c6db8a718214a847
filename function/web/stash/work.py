"""What one request of the plugin works with: the library, the gallery, and what is in Stash."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from db.ledgers import Ledger
from db.records import Performer
from db.videos import VideoFile, VideoRecord
from function.errors import UnknownPerformerError
from function.library.albums import fingerprint_of
from function.library.finding import is_truly_below
from function.library.naming import Naming, open_naming
from function.media.order import natural_key
from function.stash.albums import InAlbum, album_place, album_stamp, find_in_album, read_album_file
from function.stash.client import Stash
from function.stash.connection import Connection, find_connection, require_connection
from function.stash.files import find_in_ledger
from function.stash.paths import locator
from function.stash.records import File, Image, Scene, SceneFilter
from function.web.service import Service
from function.web.stash.asked import Asked

MOST_IMAGES = 200
"""This many images of a gallery that was put together by hand are shown: each is looked up
alone."""

LONGEST_KEY = 1000
"""This many characters of a path decide where its image comes among others, and then all of
them."""


@dataclass(frozen=True)
class Part:
    """A scene, an image or a gallery that is asked about, and what shows it, if anything does."""

    asked: Asked
    shown: InAlbum | None


@dataclass(frozen=True)
class Parts:
    """All that is asked about: one part, or the images of a gallery that was put together by hand.

    `left_out` counts images that are too many to be shown.
    """

    each: tuple[Part, ...]
    by_hand: bool = False
    left_out: int = 0

    @property
    def albums(self) -> list[VideoRecord]:
        """The videos or albums of the ledger that show it, each once."""
        albums = {one.shown.album.id: one.shown.album for one in self.each if one.shown}
        return list(albums.values())


@dataclass(frozen=True, eq=False)
class Work:
    """The ledger and, if they are needed, the gallery and Stash."""

    service: Service
    ledger: Ledger

    @cached_property
    def naming(self) -> Naming:
        """The gallery as it is now."""
        service = self.service
        return open_naming(service.store, service.reader.second, service.settings)

    @cached_property
    def performers(self) -> dict[int, Performer]:
        """Everyone enrolled, by id."""
        return {one.id: one for one in self.naming.gallery.performers}

    @cached_property
    def connection(self) -> Connection:
        """Where Stash is.

        Raises:
            NotConnectedError: nobody has said so.
        """
        return require_connection(self.service.settings)

    @cached_property
    def stash(self) -> Stash:
        """The user's Stash, asked while the plugin waits."""
        return self.connection.open(is_awaited=True)

    def close(self) -> None:
        """Close the connection to Stash, if one was needed."""
        if "stash" in self.__dict__:
            self.stash.close()

    def whole(self, asked: Asked) -> Asked:
        """Return what is asked about with its files: Stash is asked if whoever asks did not say.

        Raises:
            UnusableSourceError: Stash does not answer, or is not connected.
        """
        if asked.scene.files:
            return asked
        if asked.kind == "scene":
            return replace(asked, scene=self.stash.scene(asked.scene.id) or asked.scene)
        of_kind = self.stash.image if asked.kind == "image" else self.stash.gallery
        found = of_kind(asked.scene.id)
        files = (File(found.path, "", 0, 0.0),) if found and found.path else ()
        return replace(asked, scene=replace(asked.scene, files=files))

    def parts(self, asked: Asked) -> Parts:
        """Find what shows a scene, an image or a gallery; one made by hand is shown by its images.

        These are in the order of their paths, as in Stash.

        Raises:
            UnusableSourceError: Stash has to be asked which files it has, and does not answer.
        """
        if asked.kind == "gallery":
            asked = self.whole(asked)
        if asked.kind != "gallery" or asked.scene.files:
            return Parts((Part(asked, self.find(asked)),))
        images, count = first_images(self.stash.images_in(asked.scene.id), MOST_IMAGES)
        shown = tuple(map(self._image, images))
        return Parts(shown, by_hand=True, left_out=count - len(shown))

    def _image(self, image: Image) -> Part:
        files = (File(image.path, "", 0, 0.0),) if image.path else ()
        asked = Asked("image", Scene(image.id, "", files, (), (), updated_at=""), None)
        return Part(asked, self.find(asked))

    def find(self, asked: Asked) -> InAlbum | None:
        """Return the video or the album that shows a scene, an image or a gallery, if any does."""
        if asked.kind == "scene":
            video = self.find_video(asked.scene)
            return InAlbum(video) if video else None
        for file in asked.scene.files:
            found = find_in_album(self.ledger, file.path, self.locate)
            if found and self.may_be_shown(found.album):
                return found
        return None

    def performer(self, number: str) -> Performer:
        """Return a performer of the gallery, by id.

        Raises:
            UnknownPerformerError: there is none, or no longer.
        """
        found = self.performers.get(int(number))
        if found is None:
            raise UnknownPerformerError("There is no such performer, or no longer. Look again.")
        return found

    def find_video(self, scene: Scene) -> VideoRecord | None:
        """Return the video that a scene shows, by what its files hold, then by where they lie.

        Of small files of one fingerprint only that which lies there is shown.

        What is nowhere any more comes last: Stash may not know yet that the file was rewritten.
        """
        for file in scene.files:
            known = find_in_ledger(file, self.ledger, self.locate)
            records = self.ledger.records(known)
            if not any(one.paths for one in records):
                path = self.locate(file.path)
                at = self.ledger.ids([path]).difference(known) if path else frozenset[int]()
                records = [*self.ledger.records(sorted(at)), *records]
            for record in records:
                if self.may_be_shown(record):
                    return record
        return None

    def scenes_of(self, video: VideoRecord) -> Iterator[Scene]:
        """Yield the scenes of Stash that show a video.

        A small file that was told apart from another is known to Stash by what both share.

        Raises:
            UnusableSourceError: Stash does not answer.
        """
        oshash = video.oshash
        if video.content:
            with suppress(OSError):
                oshash = next(map(fingerprint_of, video.paths), oshash)
        for scene in self.stash.scenes(SceneFilter(oshash=oshash)):
            shown = (find_in_ledger(file, self.ledger, self.locate) for file in scene.files)
            if not video.content or any(video.id in ids for ids in shown):
                yield scene

    def locate(self, theirs: str) -> bytes | None:
        """Return where a file of Stash's lies in the media root; None if it does not."""
        if not theirs:
            return None
        found = find_connection(self.service.settings)
        return locator(self.service.settings, found or Connection(""))(theirs)

    def find_file(self, asked: Asked) -> VideoFile | None:
        """Return the first file of what is asked about that is in the media root, to be queued."""
        for path in self._places(asked):
            with suppress(OSError):
                return read_album_file(path)
        return None

    def find_changed(self, asked: Asked, album: VideoRecord) -> VideoFile | None:
        """Return a file that was rewritten since it was found as this video or album, if any.

        One that was gone and is back may have been, and is to be known as there again.
        """
        for path in (*self._changed(asked, album), *self._back(asked, album)):
            with suppress(OSError):
                return read_album_file(path)
        return None

    def is_changed(self, part: Part) -> bool:
        """Say whether something was rewritten since it was found as what shows it."""
        return part.shown is not None and any(self._changed(part.asked, part.shown.album))

    def _changed(self, asked: Asked, album: VideoRecord) -> Iterator[bytes]:
        """Yield the files of a video or album that were rewritten since."""
        places = [path for path in self._places(asked) if path in album.paths]
        known = self.ledger.stamps(places)
        for path in places:
            with suppress(OSError):
                if known.get(path) != album_stamp(path):
                    yield path

    def _back(self, asked: Asked, album: VideoRecord) -> Iterator[bytes]:
        """Yield where a video or album lies that was noted gone, if it is there again."""
        for path in self._places(asked) if not album.paths else ():
            # An image was looked at by itself, or with its folder.
            if album.last_path in (path, os.path.dirname(path)):  # noqa: PTH120  # bytes
                yield album.last_path

    def _places(self, asked: Asked) -> Iterator[bytes]:
        """Yield where the files of what is asked about lie in the media root."""
        for file in asked.scene.files:
            is_scene = asked.kind == "scene"
            path = self.locate(file.path) if is_scene else album_place(file.path, self.locate)
            if path is not None:
                yield path

    def may_be_shown(self, video: VideoRecord) -> bool:
        """Say whether a video is in the media root, or its file is gone."""
        roots = [root.resolve() for root in self.service.settings.media_root]
        return not video.paths or any(is_truly_below(path, roots) for path in video.paths)


def first_images(images: Iterable[Image], most: int) -> tuple[list[Image], int]:
    """Return the first images by their paths, and how many there are; few are held at once."""
    first, count = list[Image](), 0
    for count, image in enumerate(images, 1):  # noqa: B007  # it is returned
        first.append(image)
        if len(first) == 2 * most:
            first = _in_order(first)[:most]
    return _in_order(first)[:most], count


def _in_order(images: Iterable[Image]) -> list[Image]:
    # Of a long path the key takes a hundred times as much.
    return sorted(images, key=lambda one: (natural_key(one.path[:LONGEST_KEY]), one.path))
