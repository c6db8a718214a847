"""Opens a scene to be changed by the plugin, with everyone in it."""

from dataclasses import dataclass

from function.errors import UnknownPersonError
from function.stash.settling import settle
from function.stash.writer import Writer, begin, gone_from
from function.web.stash.asked import Asked
from function.web.stash.people import Seen, people_in
from function.web.stash.work import Parts, Work


@dataclass(frozen=True, eq=False)
class Open:
    """A scene that is being changed: what shows it, and everyone in it."""

    work: Work
    asked: Asked
    parts: Parts
    people: dict[int, Seen]

    @property
    def oshash(self) -> str:
        """The fingerprint of its video; "" where many images show it."""
        return "" if self.parts.by_hand else self.parts.albums[0].oshash

    def person(self, number: int) -> Seen:
        """Return a person of the scene.

        Raises:
            UnknownPersonError: nobody has this number.
        """
        if number not in self.people:
            raise UnknownPersonError(f"There is no person {number} in this scene. Look again.")
        return self.people[number]

    def writer(self, kind: str) -> Writer:
        """Begin to write, after what was broken off is settled."""
        ledger, stash = self.work.ledger, self.work.stash
        settle(ledger.writes, stash)
        return begin(ledger, stash, kind, gone_from(self.work.service.store))


def open_scene(work: Work, asked: Asked) -> Open:
    """Find the video of a scene, and who is in it.

    Raises:
        UnknownPersonError: it was not looked at yet.
    """
    asked = work.whole(asked)
    parts = work.parts(asked)
    if all(one.scanned is None for one in parts.albums):
        raise UnknownPersonError(f"This {asked.kind} was not looked at yet. Look at it first.")
    people = people_in(work, parts, pictures=True)
    return Open(work, asked, parts, {one.number: one for one in people})
