"""What we wrote into the user's Stash: each write is noted before it is made, and can be undone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

WriteKind: TypeAlias = Literal["performer", "tag", "marker", "new performer", "new tag"]
"""A performer or a tag was added to an item, a marker made on it, or a performer or tag made."""

ItemKind: TypeAlias = Literal["scene", "image", "gallery"]
"""What can be written on in Stash."""

WriteState: TypeAlias = Literal["intended", "done", "undoing", "undone"]
"""Intended and undoing: it is not known yet whether Stash has done it."""


BESIDE = "beside"
"""Of a performer who was added, `detail` lists under this word who was on the item before."""


@dataclass(frozen=True)
class Write:
    """One thing written into Stash; ids are Stash's, and empty where there is none.

    `scene` is what it is written on: a scene, or if `item` says so an image or a gallery.
    `thing` is the performer, tag or marker, unknown ("") until it is made; `performer` is whom a
    marker is about. `detail` is JSON that says what is made. `oshash` is the fingerprint of the
    scene's file. `before_at` is when Stash said that the scene (or what is made) was changed last
    before we wrote, `left_at` when it did right after. Writes of one request share a `batch`.
    """

    kind: WriteKind
    scene: str
    thing: str = ""
    performer: str = ""
    detail: str = ""
    oshash: str = ""
    before_at: str = ""
    left_at: str = ""
    state: WriteState = "intended"
    item: ItemKind = "scene"
    run: int = 0
    batch: int = 0
    id: int = 0

    @property
    def place(self) -> "Place":
        """What it is written on."""
        return self.item, self.scene


Place: TypeAlias = tuple[ItemKind, str]
"""A scene, an image or a gallery of Stash: what it is, and its id."""


@dataclass(frozen=True)
class FromUs:
    """Whom we ever added to scenes, or named to Stash's scraper, even if it was undone since.

    By scene, and by fingerprints of its files: Stash gives the files of a scene that is merged to
    another one. Scenes and performers are Stash's ids.
    """

    by_scene: Mapping[str, frozenset[str]]
    by_oshash: Mapping[str, frozenset[str]]

    def on(self, scene: str, oshashes: Collection[str]) -> frozenset[str]:
        """Return whom we ever put on a scene with some files."""
        of_files = (self.by_oshash.get(one, frozenset()) for one in oshashes if one)
        return self.by_scene.get(scene, frozenset()).union(*of_files)


NOTHING = FromUs({}, {})
"""We never put anybody anywhere."""


@dataclass(frozen=True)
class Run:
    """Writes that were asked for at once: when (UTC), on how many scenes, and how many there are.

    Images and galleries count as scenes here. `tags` counts performers added to them; `undone` what
    was undone of all these.
    """

    id: int
    kind: str
    at: str
    scenes: int
    tags: int
    markers: int
    undone: int


class Writes(Protocol):
    """The journal of what was written into Stash. Every method is one short transaction."""

    def turn(self) -> AbstractContextManager[None]:
        """Be the only writer into Stash, of all threads and processes; waits for its turn.

        From the intent until Stash has answered, so that whatever is unsettled at the beginning of
        a turn was broken off.

        Raises: GalleryLockedError: another writer does not end.
        """

    def begin_run(self, kind: str) -> int:
        """Note that something is going to be written, such as "apply"; return the run's id."""

    def runs(self, limit: int = 20) -> list[Run]:
        """List the latest runs that wrote something, the last one first."""

    def intend(self, run: int, writes: Sequence[Write]) -> list[Write]:
        """Note what the next request to Stash is to write; return it with its ids."""

    def confirm(self, done: Iterable[Write]) -> None:
        """Note that Stash has written these, each with its `thing`, `detail` and `left_at`.

        Other writes on the scene that were as we left them still are.
        """

    def drop(self, writes: Iterable[Write]) -> None:
        """Forget intents that Stash has not carried out."""

    def begin_undo(self, writes: Sequence[Write]) -> list[Write]:
        """Note that the next request is to undo these, each with its `before_at`."""

    def end_undo(self, undone: Iterable[Write]) -> None:
        """Note that nothing is left of these, each with the scene's `left_at`.

        Other writes on the scene that were as we left them still are.
        """

    def keep(self, writes: Iterable[Write]) -> None:
        """Note that Stash has not undone these."""

    def unsettled(self) -> list[Write]:
        """List the writes of which it is not known whether Stash has done them, by batch."""

    def of_scene(self, scene: str, item: ItemKind = "scene") -> list[Write]:
        """List the writes on a scene, or another item, that are done, oldest first."""

    def of_run(self, run: int) -> list[Write]:
        """List the writes of a run that are done, oldest first."""

    def all_written(self, item: ItemKind = "scene") -> Mapping[str, frozenset[str]]:
        """Return the performers that we, and not the user, added, by scene, or by another item."""

    def tell(self, scene: str, oshashes: Collection[str], performers: Collection[str]) -> None:
        """Note whom we named to Stash's scraper, by which Stash itself may add them to a scene.

        `oshashes` are the fingerprints of its files.
        """

    def told(self, scene: str) -> frozenset[str]:
        """Return whom we named to Stash's scraper for a scene."""

    def all_from_us(self) -> FromUs:
        """Return the performers that we ever added or named to Stash's scraper.

        Nothing is learned from these. What was undone is no exception: it may come back without the
        user, as with a backup of Stash, or stay on a scene into which ours was merged.
        """

    def follow(self, before: str, after: str) -> None:
        """Let what is written of a performer be of the one into whom Stash merged them.

        Where that one was beside them before we wrote, nothing of ours is left.
        """
