"""Finds out who of a ledger's unknown people are one stranger, and says who was seen where."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from db.ledgers import Ledger
from db.models import Fusion
from db.people import PersonFound
from db.records import Vectors
from db.strangers import Joined, Newcomer, Place, Placement, Stranger, StrangerTemplate
from db.videos import Outcome, Sighting, VideoRecord
from function.engines.models import PRIMARY
from function.library.decisions import OTHER_TIME_WITHIN
from function.library.grouping import TOO_LITTLE, Grouping, Pair, Part
from function.library.naming import Naming
from function.matching.densities import Densities, densities_for, densities_of
from function.people.people import fused_template_of, template_of

VIDEOS_AT_ONCE = 200
"""Videos read at once: some 20 MB."""


@dataclass(frozen=True, eq=False)
class StrangerResult:
    """A stranger: the videos they are in, and what was found of them there, the best first."""

    stranger: Stranger
    videos: tuple[VideoRecord, ...]
    sightings: tuple[Sighting, ...]

    @property
    def faces(self) -> int:
        """How many faces were counted."""
        return sum(one.person.faces for one in self.sightings)


@dataclass(frozen=True, eq=False)
class _Arrived:
    """People who belong to nobody yet, and which places of their videos share a frame."""

    newcomers: list[Newcomer]
    together: list[tuple[Place, Place]]


def place_strangers(
    ledger: Ledger, naming: Naming, tell: Callable[[int], None] = lambda _: None
) -> int:
    """Say which stranger every unknown person is; return how many had not been placed yet.

    The outcomes should be those of today's gallery: anybody named is no longer a stranger. `tell`
    is called with numbers of people who were read since it was last called.
    """
    ledger.strangers.tidy()
    unplaced = ledger.strangers.unplaced()
    if not unplaced:
        ledger.strangers.settle()
        return 0
    arrived = _read(ledger, naming, unplaced, tell)
    back = _know_again(ledger, arrived)
    placements = _sound(ledger.strangers.placements())
    strangers = sorted({one.stranger for one in placements})
    rows = {stranger: row for row, stranger in enumerate(strangers)}
    templates = [(rows[one.stranger], one.template) for one in placements]
    templates += [(len(rows) + row, one.template) for row, one in enumerate(arrived.newcomers)]
    count = len(strangers) + len(arrived.newcomers)
    grouping = Grouping(
        parts_of(templates, count, naming.fusions, naming.densities),
        np.array([one in back for one in strangers] + [True] * len(arrived.newcomers), bool),
        _find_apart(ledger, placements, strangers, arrived),
    )
    for _ in grouping.run():
        pass
    ledger.strangers.join(_groups(grouping, strangers, arrived.newcomers))
    ledger.strangers.settle()
    return len(unplaced)


def describe(ledger: Ledger, strangers: Sequence[Stranger]) -> Iterator[StrangerResult]:
    """Yield what is known of some strangers, in their order."""
    for stranger in strangers:
        numbers, places = sorted({one.video for one in stranger.places}), set(stranger.places)
        found = [
            one
            for sightings in ledger.sightings(numbers).values()
            for one in sightings
            if (one.video, one.position) in places
        ]
        best_first = sorted(found, key=lambda one: rank(one.person), reverse=True)
        yield StrangerResult(stranger, tuple(ledger.records(numbers)), tuple(best_first))


def by_videos(strangers: Sequence[Stranger]) -> list[Stranger]:
    """Sort strangers: those seen in most videos first, then those known longest."""
    return sorted(strangers, key=lambda one: (-len({place.video for place in one.places}), one.id))


def rank(person: PersonFound) -> tuple[int, float]:
    """Rank people by how well they can be seen: strong views first, then the best quality."""
    views = person.strong_views or person.views
    return len(person.strong_views) > 0, max((view.quality for view in views), default=0.0)


def _read(
    ledger: Ledger,
    naming: Naming,
    unplaced: Sequence[tuple[int, Place]],
    tell: Callable[[int], None],
) -> _Arrived:
    """Read the people to place, a few hundred videos at a time: all would not fit in memory."""
    rows = {place: row for row, place in unplaced}
    videos = list(dict.fromkeys(place.video for place in rows))
    arrived = _Arrived([], [])
    for start in range(0, len(videos), VIDEOS_AT_ONCE):
        batch = videos[start : start + VIDEOS_AT_ONCE]
        before = len(arrived.newcomers)
        sightings = ledger.sightings(batch, pictures=False)
        outcomes = ledger.outcomes(batch)
        for record in ledger.records(batch):
            fusion = naming.fusion_of(record.models)
            people = {one.position: one.person for one in sightings[record.id]}
            for position, person in people.items():
                place = Place(record.id, position)
                if place in rows:
                    template = stranger_template_of(person, fusion)
                    arrived.newcomers.append(Newcomer(rows[place], place, template))
            arrived.together.extend(_find_together(record.id, people, outcomes[record.id]))
        tell(len(arrived.newcomers) - before)
    return arrived


def _know_again(ledger: Ledger, arrived: _Arrived) -> set[int]:
    """Place those who were a stranger before they were named, or before their video was rescanned.

    The latter is done only for people too little known to be grouped: others are grouped with what
    was known. Returns the strangers who were named; `arrived` is left with everyone else.
    """
    once = ledger.strangers.once()
    orphans = [one for one in _sound(ledger.strangers.placements()) if one.sighting is None]
    known: dict[int, list[Newcomer]] = defaultdict(list)
    others: list[Newcomer] = []
    for newcomer in arrived.newcomers:
        stranger = once.get(newcomer.sighting) or _same_before(newcomer, orphans)
        (known[stranger] if stranger else others).append(newcomer)
    ledger.strangers.join(Joined(one, (), tuple(those)) for one, those in known.items())
    arrived.newcomers[:] = others
    return set(known) & set(once.values())


def _sound(placements: Sequence[Placement]) -> list[Placement]:
    """Leave out what has another length than encodings: a bad disk may have cut it."""
    return [one for one in placements if len(one.template.first) == PRIMARY.dimensions]


def _same_before(newcomer: Newcomer, orphans: list[Placement]) -> int | None:
    """Find the stranger whom an earlier scan of the video saw here; each is found once."""
    if newcomer.template.evidence > TOO_LITTLE:
        return None
    apart = {
        float(np.linalg.norm(one.template.first - newcomer.template.first)): one
        for one in orphans
        if one.place.video == newcomer.place.video
    }
    nearest = min(apart, default=np.inf)
    if nearest > OTHER_TIME_WITHIN:
        return None
    orphans.remove(apart[nearest])
    return apart[nearest].stranger


def stranger_template_of(person: PersonFound, fusion: Fusion | None) -> StrangerTemplate:
    """Return what a person is compared by across videos; `fusion` is that of their nets."""
    template = template_of(person, PRIMARY)
    both = fused_template_of(person, fusion) if fusion else None
    if both is None or fusion is None:
        return StrangerTemplate(template.mean, template.evidence)
    second = both.mean[fusion.parts[0].dimensions :] / np.float32(fusion.scales[1])
    return StrangerTemplate(
        template.mean, template.evidence, second, both.evidence, fusion.parts[1].id
    )


def _find_together(
    video: int, people: Mapping[int, PersonFound], outcomes: Sequence[Outcome]
) -> Iterator[tuple[Place, Place]]:
    """Yield which people of a video share a frame, with all who were joined to them."""
    leads = {one.position: one.lead for one in outcomes}
    frames: dict[int, set[int]] = defaultdict(set)
    for position, person in people.items():
        frames[leads.get(position, position)] |= {one.frame for one in person.seen}
    for first, second in combinations(frames, 2):
        if not frames[first].isdisjoint(frames[second]):
            yield Place(video, first), Place(video, second)


def parts_of(
    templates: Sequence[tuple[int, StrangerTemplate]],
    count: int,
    fusions: Sequence[Fusion],
    given: Sequence[Densities] | None = None,
) -> list[Part]:
    """Average what is known of each row, of `count`, in each space that somebody has a place in.

    The last is that of the first of the `fusions`. Without `given` densities, those that ship are
    used.
    """
    means = np.zeros((count, PRIMARY.dimensions), np.float32)
    evidence = np.zeros(count, np.float32)
    for row, template in templates:
        means[row] += template.evidence * template.first
        evidence[row] += template.evidence
    primary = Part(densities_of(PRIMARY.id), _divided(means, evidence), evidence)
    held = {template.model for _, template in templates}
    chosen = [one for one in reversed(fusions) if one.parts[1].id in held]
    return [primary, *(_part_of(templates, count, one, given) for one in chosen)]


def _part_of(
    templates: Sequence[tuple[int, StrangerTemplate]],
    count: int,
    fusion: Fusion,
    given: Sequence[Densities] | None,
) -> Part:
    """Average what is known of each row by both nets of a fusion."""
    joined = np.zeros((count, fusion.space.dimensions), np.float32)
    known = np.zeros(count, np.float32)
    second = fusion.parts[1]
    for row, template in templates:
        if (
            template.model == second.id
            and template.second is not None
            and len(template.second) == second.dimensions
        ):
            joined[row] += (
                template.both_evidence * fusion.join(template.first[None], template.second[None])[0]
            )
            known[row] += template.both_evidence
    densities = densities_for(fusion.space, given) if given else densities_of(fusion.space.id)
    return Part(densities, _divided(joined, known), known)


def _divided(sums: Vectors, weights: Vectors) -> Vectors:
    return (sums / np.maximum(weights, 1e-9)[:, None]).astype(np.float32)


def _find_apart(
    ledger: Ledger, placements: Sequence[Placement], strangers: Sequence[int], arrived: _Arrived
) -> dict[int, set[int]]:
    """Return which rows are never joined: whom the user split, and who share a frame.

    Nor are two strangers who were placed in one video before: they may have shared a frame.
    """
    rows = {stranger: row for row, stranger in enumerate(strangers)}
    places = {one.place: rows[one.stranger] for one in placements if one.sighting is not None}
    places |= {one.place: len(rows) + row for row, one in enumerate(arrived.newcomers)}
    split = [pair for pair in ledger.strangers.apart() if set(pair) <= set(rows)]
    pairs: list[Pair] = [(rows[first], rows[second]) for first, second in split]
    in_video: dict[int, set[int]] = defaultdict(set)
    for one in placements:
        in_video[one.place.video].add(rows[one.stranger])
    for known in in_video.values():
        pairs += combinations(sorted(known), 2)
    pairs += [
        (places[first], places[second])
        for first, second in arrived.together
        if first in places and second in places
    ]
    apart: dict[int, set[int]] = defaultdict(set)
    for first, second in pairs:
        if first != second:
            apart[first].add(second)
            apart[second].add(first)
    return dict(apart)


def _groups(
    grouping: Grouping, strangers: Sequence[int], newcomers: Sequence[Newcomer]
) -> Iterator[Joined]:
    """Yield the groups in which something changed."""
    members: dict[int, list[int]] = defaultdict(list)
    for row, root in enumerate(grouping.root.tolist()):
        members[root].append(row)
    for rows in members.values():
        known = [strangers[row] for row in rows if row < len(strangers)]
        new = [newcomers[row - len(strangers)] for row in rows if row >= len(strangers)]
        if new or len(known) > 1:
            yield Joined(known[0] if known else None, tuple(known[1:]), tuple(new))
