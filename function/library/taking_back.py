"""Takes decisions back, and with them what they enrolled."""

from db.decisions import Decision
from db.galleries import GalleryChange, Store
from db.ledgers import Ledger
from function.engines.models import PRIMARY
from function.library.enrolment import find_enrolled_from
from function.library.said import said_of


def take_back(ledger: Ledger, store: Store, number: int) -> int | None:
    """Take a decision back; whoever was named by it is no longer enrolled by what is seen there.

    Returns how many views were removed from the gallery, None if there is no such decision. The
    views go first: if that is broken off, the decision can be taken back again.

    Raises:
        GalleryError: somebody was named, and the gallery cannot be changed; see `db.errors`.
    """
    found = next(ledger.latest_decisions(number + 1), None)
    views = 0
    if found and found[1].id == number and found[1].kind == "named":
        with store.changing() as gallery:
            views = _remove_views(ledger, gallery, *found)
    return views if ledger.take_back(number) else None


def _remove_views(ledger: Ledger, gallery: GalleryChange, video: int, decision: Decision) -> int:
    for said in said_of(ledger, [(video, decision)], gallery.performers(), PRIMARY):
        if said.performer is None or said.position is None:
            return 0
        leads = {one.position: one.lead for one in ledger.outcomes([video])[video]}
        theirs = [
            one
            for one in ledger.sightings([video])[video]
            if leads.get(one.position, one.position) == said.position
        ]
        enrolled = find_enrolled_from(gallery, said.performer, theirs)
        gallery.undo(enrolled)
        return len(enrolled.photo_hashes)
    return 0
