"""What Stash tells us, as plain frozen records; its ids are strings."""

from collections.abc import Mapping
from dataclasses import dataclass

from db.records import Identity

SOURCE = "stash"
"""The name of the user's Stash as a source of identities, whatever address it is called by."""


@dataclass(frozen=True)
class Item:
    """A scene, an image or a gallery as it can be written on: its performers, tags, last change."""

    id: str
    performers: tuple[str, ...]
    tags: tuple[str, ...]
    updated_at: str


@dataclass(frozen=True)
class File:
    """A file of a scene: its path as Stash sees it, its fingerprint, its length.

    `oshash` is empty if Stash has none for it.
    """

    path: str
    oshash: str
    size_bytes: int
    seconds: float


@dataclass(frozen=True)
class Scene:
    """A scene: its files, and the ids of its performers and tags.

    `updated_at` is Stash's own time of the last change, as it writes it.
    """

    id: str
    title: str
    files: tuple[File, ...]
    performers: tuple[str, ...]
    tags: tuple[str, ...]
    updated_at: str
    tag_names: tuple[str, ...] = ()

    @property
    def oshashes(self) -> frozenset[str]:
        """The fingerprints of its files, as far as Stash has them."""
        return frozenset(one.oshash for one in self.files if one.oshash)


@dataclass(frozen=True)
class Gallery:
    """A gallery: the path of its folder or archive, "" if it was made by hand; its performers."""

    id: str
    title: str
    path: str
    performers: tuple[str, ...]


@dataclass(frozen=True)
class Image:
    """An image: the path of its file, the URL of its picture ("" for a video), its performers."""

    id: str
    title: str
    path: str
    picture: str
    performers: tuple[str, ...]
    updated_at: str


@dataclass(frozen=True)
class StashPerformer:
    """A performer as Stash knows them; `cover` is the URL of their picture, "" without one."""

    id: str
    name: str
    disambiguation: str
    aliases: tuple[str, ...]
    urls: tuple[str, ...]
    cover: str
    updated_at: str
    stash_ids: tuple[Identity, ...]

    @property
    def identity(self) -> Identity:
        """How the gallery knows this performer."""
        return Identity(SOURCE, self.id)


@dataclass(frozen=True)
class Use:
    """What has a performer or a tag of Stash, by kind such as "scene"; and when it was changed."""

    updated_at: str
    counts: Mapping[str, int]

    @property
    def is_used(self) -> bool:
        """Say whether anything has it."""
        return any(self.counts.values())


@dataclass(frozen=True)
class Marker:
    """A marker of a scene, in seconds; `end_seconds` is None if it marks a moment."""

    id: str
    title: str
    seconds: float
    end_seconds: float | None
    tag: str
    updated_at: str


@dataclass(frozen=True)
class NewPerformer:
    """A performer to make; `image` is a URL or a data: URI."""

    name: str
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    stash_ids: tuple[Identity, ...] = ()
    image: str = ""


@dataclass(frozen=True)
class NewMarker:
    """A marker to make in a scene; `tag` is the id of the compulsory one."""

    scene: str
    title: str
    seconds: float
    end_seconds: float | None
    tag: str


@dataclass(frozen=True)
class SceneFilter:
    """Which scenes to list: all conditions that are given must hold.

    `tag` and `studio` are names or ids, and take in those below them; `path` is part of one.
    `performer` is an id, `performers` how many a scene has; `since` is a time as Stash writes it,
    for scenes that changed later. `scenes` are ids: none if it is empty, any if it is None.
    """

    without_performers: bool = False
    with_performers: bool = False
    tag: str = ""
    studio: str = ""
    path: str = ""
    performer: str = ""
    performers: int | None = None
    oshash: str = ""
    since: str = ""
    scenes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Note:
    """A library's note in Stash: since when it writes there (UTC, ISO 8601), and how often."""

    since: str
    times: int


@dataclass(frozen=True)
class Totals:
    """How many scenes and performers a Stash holds."""

    scenes: int
    performers: int
