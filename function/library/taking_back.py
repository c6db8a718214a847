"""Takes decisions back, and with them what they enrolled."""

from db.decisions import Decision
from db.galleries import GalleryChange, Store
from db.ledgers import Ledger
from function.library.decisions import by_identity, find_about
from function.library.enrolment import find_enrolled_with


def take_back(ledger: Ledger, store: Store, number: int) -> int | None:
    """Take a decision back; whoever was named by it is no longer enrolled by those views.

    Returns how many views were removed from the gallery, None if there is no such decision. The
    views go first: if that is broken off, the decision can be taken back again.

    Raises:
        GalleryError: somebody was named, and the gallery cannot be changed; see `db.errors`.
    """
    found = next(ledger.latest_decisions(number + 1), None)
    views = 0
    if found and found[1].id == number and found[1].kind == "named":
        with store.changing() as gallery:
            views = _remove_views(gallery, found[1])
    return views if ledger.take_back(number) else None


def _remove_views(gallery: GalleryChange, decision: Decision) -> int:
    performer = find_about(decision, by_identity(gallery.performers()))
    if performer is None:
        return 0
    enrolled = find_enrolled_with(gallery, performer, decision.photo_hashes)
    gallery.undo(enrolled)
    return len(enrolled.photo_hashes)
