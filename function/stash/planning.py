"""Says what Apply would write: who is surely in which scene, and is not tagged there yet."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from db.identities import identities_of
from db.ledgers import Ledger
from db.records import Performer
from db.videos import Outcome, VideoRecord
from function.stash.applying import Addition
from function.stash.files import Known, find_in_file, known_of
from function.stash.paths import Locate
from function.stash.records import SOURCE, File, Scene

SURE_SCORE = 99.0
"""What is written unless the user says otherwise: at most one in a hundred is wrong."""

MANY_SCENES, MOST_OF_ALL, MANY_TIMES_MORE = 50, 1 / 3, 10
"""A performer would gain suspiciously many scenes if it is more than so many, and more than this
share of all that would be written, or so many times what they have. Then the enrolled photos may
be somebody else's, or look like everybody."""

_READ_AT_ONCE = 500


@dataclass(frozen=True)
class Gain:
    """How many scenes a performer of Stash has, and how many more they would be in."""

    performer: str
    has: int
    gains: int
    is_suspicious: bool


@dataclass(frozen=True)
class Plan:
    """What is to be written, and what that gives each performer, the most first.

    `unlinked` counts people who are surely somebody of the gallery whom Stash does not know.
    """

    additions: tuple[Addition, ...]
    gains: tuple[Gain, ...]
    unlinked: int = 0

    @property
    def suspicious(self) -> frozenset[str]:
        """The performers who would gain suspiciously many scenes."""
        return frozenset(one.performer for one in self.gains if one.is_suspicious)

    @property
    def scenes(self) -> int:
        """How many scenes would be written."""
        return len({one.scene for one in self.additions})

    def without(self, performers: frozenset[str]) -> "Plan":
        """Return the plan without some performers."""
        return Plan(
            tuple(one for one in self.additions if one.performer not in performers),
            tuple(one for one in self.gains if one.performer not in performers),
            self.unlinked,
        )


class Videos:
    """The videos of a ledger, to be found by what they hold or by where they lie."""

    def __init__(self, records: Iterable[VideoRecord], locate: Locate) -> None:
        """Remember the videos; `locate` maps paths of Stash to ours."""
        self._locate = locate
        self._by_oshash: dict[str, list[Known]] = defaultdict(list)
        self._by_path: dict[bytes, Known] = {}
        for one in records:
            self._by_oshash[one.oshash].append(known_of(one))
            self._by_path |= dict.fromkeys(one.paths, known_of(one))

    def of(self, scene: Scene) -> list[int]:
        """Return the ids of the videos that a scene shows."""
        found = [id_ for file in scene.files for id_ in self._of_file(file)]
        return list(dict.fromkeys(found))

    def _of_file(self, file: File) -> Sequence[int]:
        found = find_in_file(file, self._with, self._at, self._locate)
        path = None if found else self._locate(file.path)
        # A small file was looked for there already.
        return found or [one.id for one in self._at(path or b"") if not one.content]

    def _with(self, oshash: str) -> Sequence[Known]:
        return self._by_oshash.get(oshash, ())

    def _at(self, path: bytes) -> Sequence[Known]:
        return [self._by_path[path]] if path in self._by_path else []


def plan_additions(
    ledger: Ledger,
    performers: Mapping[int, Performer],
    scenes: Iterable[Scene],
    locate: Locate,
    min_score: float = SURE_SCORE,
    *,
    begun: Sequence[Addition] = (),
) -> Plan:
    """Plan what to write on scenes; `performers` are those of the gallery, by id.

    Whom the user took off a scene after we had added them is not added again. What was `begun` is
    not written again, but counts as gained: so the same performers are suspicious as at first.
    """
    videos = Videos(ledger.iterate(), locate)
    ids = {id_: id_in_stash(one) for id_, one in performers.items()}
    written = ledger.writes.all_written()
    pairs = {(one.scene, one.performer) for one in begun}
    has: Counter[str] = Counter()
    additions: list[Addition] = []
    unlinked = 0
    for batch in _batches(scenes):
        found = {scene.id: videos.of(scene) for scene in batch}
        outcomes = ledger.outcomes(sorted({id_ for some in found.values() for id_ in some}))
        for scene in batch:
            has.update(one for one in scene.performers if (scene.id, one) not in pairs)
            sure = sure_performers(
                (it for id_ in found[scene.id] for it in outcomes[id_]), min_score
            )
            here = [ids[one] for one in sure if one in ids]
            unlinked += here.count("")
            known = {"", *scene.performers, *written.get(scene.id, ())}
            additions += (_addition(scene, one) for one in dict.fromkeys(here) if one not in known)
    return Plan(tuple(additions), tuple(_gains([*begun, *additions], has)), unlinked)


def sure_performers(outcomes: Iterable[Outcome], min_score: float) -> list[int]:
    """Return the performers of the gallery who are surely seen, or whom the user confirmed."""
    return list(
        dict.fromkeys(
            one.performer
            for one in outcomes
            if one.performer is not None
            and one.lead == one.position
            and one.decided != "ignored"
            and (one.decided == "confirmed" or (one.verdict == "match" and one.score >= min_score))
        )
    )


def id_in_stash(performer: Performer) -> str:
    """Return the id by which Stash knows a performer of the gallery; "" if it does not."""
    return next((one.source_id for one in identities_of(performer) if one.source == SOURCE), "")


def is_suspicious(has: int, gains: int, of_all: int) -> bool:
    """Say whether somebody who has some scenes would gain too many, of all that are written."""
    is_many = gains > MANY_SCENES
    return is_many and (gains > of_all * MOST_OF_ALL or gains > has * MANY_TIMES_MORE)


def _gains(additions: Sequence[Addition], has: Counter[str]) -> Iterator[Gain]:
    of_all = len({one.scene for one in additions})
    for performer, gains in Counter(one.performer for one in additions).most_common():
        before = has[performer]
        yield Gain(performer, before, gains, is_suspicious(before, gains, of_all))


def _addition(scene: Scene, performer: str) -> Addition:
    return Addition(scene.id, performer, next((one.oshash for one in scene.files), ""))


def _batches(scenes: Iterable[Scene]) -> Iterator[list[Scene]]:
    batch: list[Scene] = []
    for scene in scenes:
        batch.append(scene)
        if len(batch) == _READ_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
