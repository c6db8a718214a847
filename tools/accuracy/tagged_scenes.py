"""Judges what a scan said by the scenes that the user tagged in Stash.

A scene that enrolled somebody does not judge them, nor does a tag that we wrote, nor what the user
decided by hand. Somebody who is named and not tagged counts as wrong, though they may be there: the
list says which scenes to look at.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from db.galleries import Gallery
from db.ledgers import Ledger
from db.records import Performer
from db.videos import Outcome
from function.library.keeping import outcomes_of
from function.library.naming import Naming
from function.library.rematching import name_again
from function.stash.paths import Locate
from function.stash.planning import Videos, id_in_stash
from function.stash.records import Scene
from function.stash.scene_faces import ORIGIN

TOLERATED = 1 / 200
"""The threshold that is looked for gives at most one wrong tag in this many."""

ENOUGH_TAGS = 600
"""Of so many right ones one may say that at most 1 in 200 is wrong (rule of three, 95 %)."""

MOST_LISTED = 1000

Kind: TypeAlias = Literal["right", "uncertain", "missed", "wrong"]

KINDS: tuple[Kind, ...] = ("right", "uncertain", "missed", "wrong")
"""Tagged and named; tagged, but only uncertain; tagged and not named; named and not tagged."""


@dataclass(frozen=True)
class Judgement:
    """What a scan said of one performer in one scene, judged by the user's tags.

    `score` is 0 for somebody missed.
    """

    scene: str
    performer: int
    kind: Kind
    score: float


@dataclass(frozen=True)
class Judged:
    """All judgements, and how many scenes that the user tagged were scanned, and were not."""

    judgements: tuple[Judgement, ...]
    scenes: int
    not_scanned: int

    def counts(self) -> Counter[str]:
        """Count the judgements of each kind."""
        return Counter(one.kind for one in self.judgements)

    def threshold(self) -> float | None:
        """Return the lowest score (percent) from which on at most one tag in 200 is wrong."""
        tags = sorted(self._tags(), key=_by_score)
        best, wrong = None, 0
        for count, one in enumerate(tags, start=1):
            wrong += one.kind == "wrong"
            is_last = count == len(tags) or tags[count].score < one.score
            if is_last and wrong <= TOLERATED * count:
                best = one.score
        return best

    def applied(self, min_score: float) -> dict[str, int]:
        """Count what Apply would have written from a score on, and whom it would have missed."""
        written = Counter(one.kind for one in self._tags() if one.score >= min_score)
        tagged = sum(one.kind != "wrong" for one in self.judgements)
        missed = tagged - written["right"]
        return {"right": written["right"], "wrong": written["wrong"], "missed": missed}

    def _tags(self) -> Iterator[Judgement]:
        return (one for one in self.judgements if one.kind in ("right", "wrong"))


@dataclass(frozen=True, eq=False)
class Judge:
    """What judging takes: the ledger, what people are named by, and who is in the gallery.

    People are named without what the user tagged: what is judged by must not have helped.
    """

    ledger: Ledger
    naming: Naming
    performers: Mapping[int, Performer]
    locate: Locate
    enrolled_from: Mapping[int, frozenset[str]]

    def judge(self, scenes: Iterable[Scene]) -> Judged:
        """Judge by every scene that the user tagged."""
        videos = Videos(self.ledger.iterate("done"), self.locate)
        from_us = self.ledger.writes.all_from_us()
        ids = {id_in_stash(one): one.id for one in self.performers.values() if one.encodings}
        judgements: list[Judgement] = []
        judged = not_scanned = 0
        for scene in scenes:
            ours = from_us.on(scene.id, scene.oshashes)
            by_user = {one for one in scene.performers if one not in ours}
            if not by_user:
                continue
            found = videos.of(scene)
            if not found:
                not_scanned += 1
                continue
            # Who has no photo cannot be missed, but others can be named in their place.
            tagged = {ids[one] for one in by_user if one in ids}
            skipped = {ids[one] for one in ours if one in ids}
            judgements += self._judge(scene.id, found, tagged, skipped)
            judged += 1
        return Judged(tuple(judgements), judged, not_scanned)

    def _judge(
        self, scene: str, videos: list[int], tagged: set[int], skipped: set[int]
    ) -> Iterator[Judgement]:
        named = name_again(self.ledger, videos, self.naming, with_tags=False)
        said = [one for people in named.values() for one in outcomes_of(people)]
        decided = {one.performer for one in said if one.decided and one.performer}
        left_out = (
            {one for one in tagged if scene in self.enrolled_from.get(one, ())} | decided | skipped
        )
        best = _best(said)
        for performer in sorted(tagged - left_out):
            outcome = best.get(performer)
            if outcome is None:
                yield Judgement(scene, performer, "missed", 0.0)
            else:
                is_named = outcome.verdict == "match"
                kind: Kind = "right" if is_named else "uncertain"
                yield Judgement(scene, performer, kind, outcome.score)
        for performer in sorted(set(best) - tagged - left_out):
            if best[performer].verdict == "match":
                yield Judgement(scene, performer, "wrong", best[performer].score)


def scenes_that_enrolled(
    gallery: Gallery, performers: Iterable[Performer]
) -> dict[int, frozenset[str]]:
    """Return the ids of the scenes whose faces are enrolled, by performer."""
    return {
        one.id: frozenset(
            photo.origin.removeprefix(f"{ORIGIN} ")
            for photo in gallery.photos(one.id)
            if photo.origin.startswith(f"{ORIGIN} ")
        )
        for one in performers
    }


def to_json(
    judged: Judged, performers: Mapping[int, Performer], min_score: float
) -> dict[str, Any]:
    """Return all figures; `wrong_scenes` lists whom to look at, the surest first."""
    wrong = sorted((one for one in judged.judgements if one.kind == "wrong"), key=_by_score)
    counts, threshold = judged.counts(), judged.threshold()
    return {
        "scenes": judged.scenes,
        "scenes_not_scanned": judged.not_scanned,
        **{kind: counts[kind] for kind in KINDS},
        "threshold": threshold,
        "at_threshold": judged.applied(threshold) if threshold is not None else None,
        "apply": {"min_score": min_score, **judged.applied(min_score)},
        "performers": _by_performer(judged, performers),
        "wrong_scenes": [
            {"scene": one.scene, "named": performers[one.performer].name, "score": one.score}
            for one in wrong[:MOST_LISTED]
        ],
    }


def render(figures: Mapping[str, Any]) -> str:
    """Format the figures as lines for a terminal."""
    apply, threshold = figures["apply"], figures["threshold"]
    scenes, skipped = figures["scenes"], figures["scenes_not_scanned"]
    added = f"{apply['right']} right tags and {apply['wrong']} wrong ones"
    lines = [
        f"{scenes} scenes that you tagged were scanned, {skipped} were not.",
        f"{'':30} {'right':>7} {'unsure':>7} {'missed':>7} {'wrong':>7}",
        _row("everyone", figures),
        *(_row(one["name"], one) for one in figures["performers"]),
        f"Apply from {apply['min_score']:g} on: {added}, {apply['missed']} left out.",
        _said_of_threshold(threshold, figures["at_threshold"]),
    ]
    lines += [
        f"named, but not tagged: {one['named']} in scene {one['scene']} ({one['score']:.1f})"
        for one in figures["wrong_scenes"]
    ]
    return "\n".join(lines)


def _said_of_threshold(threshold: float | None, written: Mapping[str, int] | None) -> str:
    """Say what the threshold is worth: few tags cannot tell how seldom a wrong one is."""
    if threshold is None or written is None:
        return "No score gives at most one wrong tag in 200 here."
    wrong, tags = written["wrong"], written["wrong"] + written["right"]
    said = f"From {threshold:g} on at most one tag in 200 is wrong here: {wrong} of {tags}."
    return said if tags >= ENOUGH_TAGS else f"{said} That is too few to rely on."


def _row(name: str, counts: Mapping[str, Any]) -> str:
    return f"{name[:30]:30} " + " ".join(f"{counts[kind]:7}" for kind in KINDS)


def _by_performer(judged: Judged, performers: Mapping[int, Performer]) -> list[dict[str, Any]]:
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    for one in judged.judgements:
        counted[one.performer][one.kind] += 1
    rows = [
        {"name": performers[one].name, "id": str(one), **{kind: counts[kind] for kind in KINDS}}
        for one, counts in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row["wrong"], -row["missed"], row["name"]))


def _best(said: Iterable[Outcome]) -> dict[int, Outcome]:
    """Return the surest outcome of each performer among people who stand for themselves."""
    best: dict[int, Outcome] = {}
    for one in said:
        if one.performer is not None and one.lead == one.position:
            known = best.get(one.performer)
            if known is None or _rank(one) > _rank(known):
                best[one.performer] = one
    return best


def _rank(outcome: Outcome) -> tuple[bool, float]:
    return outcome.verdict == "match", outcome.score


def _by_score(one: Judgement) -> float:
    return -one.score
