"""Takes decisions back, and with them what they enrolled."""

from db.decisions import Decision
from db.galleries import GalleryChange, Store
from db.ledgers import Ledger
from db.records import Performer
from function.errors import CorrectionRefusedError
from function.library.decisions import by_identity, find_about
from function.library.enrolment import find_enrolled_with

DAMAGED = (
    "Decision {number} is damaged, so it is unknown which photos it enrolled, and of whom. "
    'Look for them: python -m tools show NAME lists them as "library: ...", and remove-photo '
    "removes them. Then drop the decision: python -m tools decisions --drop {number}"
)

LARGEST = 2**63 - 1
"""The largest number that a ledger can be asked for; no decision has it."""


def take_back(ledger: Ledger, store: Store, number: int) -> int | None:
    """Take a decision back; a performer named by it is no longer enrolled by those views.

    Returns how many views were removed from the gallery, None if there is no such decision. The
    views go first: if that is interrupted, the decision can be taken back again.

    Raises:
        CorrectionRefusedError: it may have enrolled views, and is too damaged to say which.
        GalleryError: somebody was named, and the gallery cannot be changed; see `db.errors`.
    """
    decision = _find(ledger, number)
    views = 0
    if decision and decision.kind in ("named", "unreadable"):
        if "photo_hashes" in decision.damaged:
            raise CorrectionRefusedError(DAMAGED.format(number=number))
        if decision.kind == "named" or decision.photo_hashes:
            with store.changing() as gallery:
                views = _remove_views(gallery, decision)
    return views if ledger.take_back(number) else None


def drop_damaged(ledger: Ledger, number: int) -> bool:
    """Drop a damaged decision; what it enrolled stays. False if there is no such decision.

    Raises:
        CorrectionRefusedError: it is not damaged.
    """
    decision = _find(ledger, number)
    if decision and not decision.damaged:
        raise CorrectionRefusedError(
            f"Decision {number} is not damaged. Take it back: "
            f"python -m tools decisions --undo {number}"
        )
    return ledger.take_back(number)


def _find(ledger: Ledger, number: int) -> Decision | None:
    found = next(ledger.latest_decisions(min(number + 1, LARGEST)), None)
    return found[1] if found and found[1].id == number else None


def _remove_views(gallery: GalleryChange, decision: Decision) -> int:
    performer = _find_named(gallery, decision)
    if performer is None:
        return 0
    enrolled = find_enrolled_with(gallery, performer, decision.photo_hashes)
    gallery.undo(enrolled)
    return len(enrolled.photo_hashes)


def _find_named(gallery: GalleryChange, decision: Decision) -> Performer | None:
    """Find whom a decision named; if it is damaged, by the views that it enrolled."""
    performers = gallery.performers()
    if "identities" not in decision.damaged:
        return find_about(decision, by_identity(performers))
    hashes = set(decision.photo_hashes)
    return next(
        (
            one
            for one in performers
            if hashes.intersection(photo.hash for photo in gallery.photos(one.id))
        ),
        None,
    )
