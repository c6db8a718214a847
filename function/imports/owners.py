"""Says which photos are enrolled already as somebody else: one of the two names may be wrong."""

from collections.abc import Collection, Iterable
from contextlib import suppress

from db.errors import PerformerNotFoundError
from db.galleries import Gallery
from db.records import Encoding

SHARED = "is enrolled already as {name} (id:{id}): if that is somebody else, remove it from one"


class PhotoOwners:
    """Knows as whom each photo is enrolled: read once for an import, and kept up to date by it."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._owners: dict[str, int] | None = None

    def read(self, gallery: Gallery, only: Collection[str] | None = None) -> None:
        """Read them, before the first new photo is stored; nothing happens later.

        With `only`, those of the photos with these hashes, where no others will come.
        """
        if self._owners is None:
            self._owners = gallery.photo_owners(only)

    def shared(
        self, gallery: Gallery, performer_id: int, new: Iterable[Encoding]
    ) -> dict[str, str]:
        """Return what to say of those new photos of a performer that are somebody else's too.

        They are given by their origin. From now on they count as known. `read` comes first.
        """
        told, owners = dict[str, str](), {} if self._owners is None else self._owners
        for one in new:
            owner = owners.setdefault(one.photo_hash, performer_id)
            # That performer may have been forgotten, or merged, since it was read.
            with suppress(PerformerNotFoundError):
                if owner != performer_id:
                    told[one.origin] = SHARED.format(name=gallery.performer(owner).name, id=owner)
        return told
