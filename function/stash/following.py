"""Lets the gallery follow Stash: ids of former addresses, merged performers, and deleted ones.

Decisions in the ledger get the new id first, and then the gallery. So whenever this is broken off,
they still find their performer.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from db.galleries import Gallery, GalleryChange
from db.identities import identities_of
from db.ledgers import Ledger
from db.records import Identity, Performer
from function.sources.records import UnusableSourceError
from function.stash.comparing import (
    NO_HEIRS,
    Compared,
    Heirs,
    are_alike,
    are_suspicious,
    compare,
)
from function.stash.records import SOURCE, StashPerformer

FORMER = "stash http"
"""How the source of a gallery's ids begins that was named after the address of its Stash."""

GONE = "deleted in stash"
"""The source of the ids of performers who are no longer in Stash."""

MERGED = "merged in stash"
"""The source of the ids that performers had before Stash merged them into others."""

Present = Mapping[str, StashPerformer]


@dataclass(frozen=True)
class Followed:
    """How many performers got the common name of Stash, were merged, detached or came back.

    `notes` are for the user to read.
    """

    taken_over: int = 0
    merged: int = 0
    detached: int = 0
    returned: int = 0
    notes: tuple[str, ...] = ()

    def __add__(self, other: "Followed") -> "Followed":
        return Followed(
            self.taken_over + other.taken_over,
            self.merged + other.merged,
            self.detached + other.detached,
            self.returned + other.returned,
            self.notes + other.notes,
        )


def follow(
    gallery: GalleryChange,
    ledger: Ledger | None,
    present: Present,
    *,
    heirs: Heirs = NO_HEIRS,
    accept: bool = False,
) -> Followed:
    """Bring the ids in a gallery in step with who is in Stash, and decisions with them.

    `heirs` says whom Stash merged some into of whom it kept neither name nor stash id.
    If so many are missing that this may be another Stash, nobody is detached or merged, unless
    `accept` says that it is meant.

    Raises:
        UnusableSourceError: most ids are other people's in this Stash.
    """
    if not accept:
        _require_same(known_in_stash(gallery), present)
    followed = take_over(gallery, ledger, present) + _return(gallery, ledger, present)
    known = known_in_stash(gallery)
    changed = {
        number
        for number, one in present.items()
        if gallery.updated_at(one.identity) != one.updated_at
    }
    compared = compare(known, present, changed, heirs)
    if compared.is_suspicious and not accept:
        missing = len(compared.gone) + len(compared.merged)
        note = (
            f"{missing} of {compared.known} performers are no longer in this Stash, so it may be "
            "another one: they stay as they are. If it is the right one, run: "
            "python -m tools stash sync --accept-missing."
        )
        return followed + Followed(notes=(note,))
    notes = _notes_on(compared, heirs, known)
    followed += _merge(gallery, ledger, compared, known) + _detach(gallery, ledger, compared)
    return followed + Followed(notes=notes)


def _require_same(known: Mapping[str, Performer], present: Present) -> None:
    """Refuse a Stash whose ids are other people's, as a newly made one gives them again.

    Else their photos and names would go to whomever the gallery knows by these ids.
    """
    there = [number for number in known if number in present]
    others = [one for one in there if not are_alike(known[one], present[one])]
    if are_suspicious(len(others), len(there)):
        raise UnusableSourceError(
            f"{len(others)} of {len(there)} performers have another name in this Stash, and no "
            "stash id in common, so it may be another Stash, or a newly made one. Nothing "
            "was changed. If it is another one, enrol it into another gallery (PERFORMERS_DB). If "
            "only names were changed, run: python -m tools stash sync --accept-missing."
        )


def _notes_on(compared: Compared, heirs: Heirs, known: Mapping[str, Performer]) -> tuple[str, ...]:
    """Say without names who was taken for merged, or may have been, by what is seen alone."""
    said = [
        f"Performer {former} of Stash became {heir}: what showed one alone shows the other now."
        for former, heir in heirs.sure.items()
        if compared.merged.get(former) == heir
    ]
    asked = [
        f"Performer {former} is gone from Stash, and looks like {heir}. If they are one, run: "
        f"python -m tools merge id:{known[heir].id} id:{known[former].id}."
        for former, heir in heirs.likely.items()
        if former in compared.gone and heir in known
    ]
    return (*said, *asked)


def known_in_stash(gallery: Gallery) -> dict[str, Performer]:
    """Return whom the gallery knows from Stash, by their ids there."""
    return {
        identity.source_id: performer
        for performer in gallery.performers()
        for identity in identities_of(performer)
        if identity.source == SOURCE
    }


def take_over(gallery: GalleryChange, ledger: Ledger | None, present: Present) -> Followed:
    """Rename the ids of galleries that were imported under an address of this Stash.

    It is this Stash if most ids stand for the same people there as here.
    """
    followed = Followed()
    for source, performers in _by_former_source(gallery).items():
        there = [number for number in performers if number in present]
        alike = [one for one in there if are_alike(performers[one], present[one])]
        if there and 2 * len(alike) >= len(there):
            renamed = {Identity(source, one): Identity(SOURCE, one) for one in performers}
            _rename(gallery, ledger, renamed)
            followed += Followed(taken_over=len(renamed))
        else:
            note = (
                f"{len(performers)} performers were imported from {source.removeprefix('stash ')}, "
                "which knows others by these ids than this Stash does: they stay as they are."
            )
            followed += Followed(notes=(note,))
    return followed


def has_former_ids(gallery: Gallery) -> bool:
    """Say whether somebody was imported under an address of a Stash."""
    return bool(_by_former_source(gallery))


def _by_former_source(gallery: Gallery) -> dict[str, dict[str, Performer]]:
    found: dict[str, dict[str, Performer]] = defaultdict(dict)
    for performer in gallery.performers():
        for identity in identities_of(performer):
            if identity.source.startswith(FORMER):
                found[identity.source][identity.source_id] = performer
    return found


def _return(gallery: GalleryChange, ledger: Ledger | None, present: Present) -> Followed:
    """Attach those again who were gone and are back, as after a backup was put back."""
    back = {
        identity: Identity(SOURCE, identity.source_id)
        for performer in gallery.performers()
        for identity in identities_of(performer)
        if identity.source == GONE
        and identity.source_id in present
        and are_alike(performer, present[identity.source_id])
    }
    _rename(gallery, ledger, back)
    return Followed(returned=len(back))


def _merge(
    gallery: GalleryChange,
    ledger: Ledger | None,
    compared: Compared,
    known: Mapping[str, Performer],
) -> Followed:
    for former, heir in compared.merged.items():
        if ledger is not None:
            ledger.add_identities({Identity(SOURCE, former): Identity(SOURCE, heir)})
            ledger.writes.follow(former, heir)
        kept = gallery.find_identities([Identity(SOURCE, heir)])
        absorbed = known[former]
        if kept and kept[0].id != absorbed.id:
            gallery.merge(kept[0], absorbed)
        new = Identity(MERGED, former) if kept else Identity(SOURCE, heir)
        gallery.rename_identities({Identity(SOURCE, former): new})
    return Followed(merged=len(compared.merged))


def _detach(gallery: GalleryChange, ledger: Ledger | None, compared: Compared) -> Followed:
    gone = {Identity(SOURCE, one): Identity(GONE, one) for one in compared.gone}
    _rename(gallery, ledger, gone)
    return Followed(detached=len(gone))


def _rename(
    gallery: GalleryChange, ledger: Ledger | None, renamed: Mapping[Identity, Identity]
) -> None:
    """Rename ids; where the new one is another performer's, both are one, and are merged."""
    if not renamed:
        return
    if ledger is not None:
        ledger.add_identities(renamed)
    for former, new in renamed.items():
        owners = gallery.find_identities([new, former])
        if len(owners) > 1:
            gallery.merge(owners[0], owners[1])
    gallery.rename_identities(renamed)


def with_former_ids(performer: Performer, sources: frozenset[str]) -> Performer:
    """Return a performer of Stash with the ids they had under former names of it.

    By them somebody is recognised who was forgotten under such a name.
    """
    former = tuple(Identity(source, performer.source_id) for source in sorted(sources))
    return replace(performer, identities=(*performer.identities, *former))
