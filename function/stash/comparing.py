"""Compares who Stash knows with whom the gallery knows from there: who was merged, who is gone.

Hooks of Stash tell too little: merging, Identify and imports fire none.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from db.names import name_key
from db.records import Performer
from function.stash.records import StashPerformer

FEW = 5
"""This many may be gone at once without a question."""

MANY = 0.5
"""If more than this share is gone, or another, it is rather another Stash, or an empty one."""


def are_suspicious(some: int, of: int) -> bool:
    """Say whether so many at once may mean another Stash: most of them, or all."""
    return some == of > 1 or some > max(FEW, MANY * of)


@dataclass(frozen=True)
class Heirs:
    """Whom Stash merged others into, by Stash's ids: the former one, and the one now.

    `sure` are those whose own pictures show the other now; `likely` only look alike.
    """

    sure: Mapping[str, str] = field(default_factory=dict)
    likely: Mapping[str, str] = field(default_factory=dict)


NO_HEIRS = Heirs()


@dataclass(frozen=True)
class Compared:
    """What became of performers who are no longer in Stash, by their former ids there.

    `merged` says into whom Stash merged them; `gone` are those nobody knows more of.
    """

    merged: Mapping[str, str]
    gone: tuple[str, ...]
    known: int

    @property
    def is_suspicious(self) -> bool:
        """Whether so many are missing that this may be another Stash."""
        return are_suspicious(len(self.gone) + len(self.merged), self.known)


def compare(
    known: Mapping[str, Performer],
    present: Mapping[str, StashPerformer],
    changed: Collection[str],
    heirs: Heirs = NO_HEIRS,
) -> Compared:
    """Find what became of those whom the gallery knows and Stash no longer does.

    `known` and `present` are by Stash's id; `changed` are the ids of those who changed in Stash
    since the last sync. Somebody was merged into the one performer who has a stash id of theirs
    now, or who changed and has their name as an alias now, or who is surely their heir in `heirs`.
    """
    by_id = _index((one.id, one.stash_ids) for one in present.values())
    by_alias = _index(
        (one.id, [name_key(alias) for alias in one.aliases])
        for one in present.values()
        if one.id in changed
    )
    merged: dict[str, str] = {}
    gone = []
    for number, performer in known.items():
        if number in present:
            continue
        found = {heir for identity in performer.stash_ids for heir in by_id[identity]}
        found = found or by_alias[name_key(performer.name)]
        found = found or {heir for heir in [heirs.sure.get(number)] if heir}
        if len(found) == 1:
            (merged[number],) = found
        else:
            gone.append(number)
    return Compared(merged, tuple(gone), len(known))


def are_alike(performer: Performer, other: StashPerformer) -> bool:
    """Say whether two records share a name or a stash id."""
    names = {name_key(name) for name in (performer.name, *performer.aliases)}
    others = {name_key(name) for name in (other.name, *other.aliases)}
    return bool(names & others or set(performer.stash_ids) & set(other.stash_ids))


def _index(entries: Iterable[tuple[str, Iterable[Hashable]]]) -> Mapping[Hashable, set[str]]:
    found: dict[Hashable, set[str]] = defaultdict(set)
    for number, keys in entries:
        for key in keys:
            found[key].add(number)
    return found
