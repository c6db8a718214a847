"""What a task for the user's Stash is asked to do, as it is kept until the worker does it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from db.cells import read_object
from db.tasks import Task
from db.writes import ItemKind
from function.sources.records import UnusableSourceError
from function.stash.planning import SURE_SCORE
from function.stash.records import SceneFilter


@dataclass(frozen=True)
class Options:
    """What a task is asked to do: which scenes, what to write from which score (percent) on.

    `tag` is the name of a tag for scenes that are written on; `markers` also marks when the
    performers who are added are seen. `confirmed` also adds performers who would gain suspiciously
    many scenes. `run` and `scene` say what to undo, the last Apply if neither is given; `edited`
    undoes it even where somebody has edited the scene since. `from_scenes` is for a sync: how many
    scenes of a performer may enrol them. `item` says what `scene` is. With `pictures` a scan looks
    at images and galleries instead: all, or those with the ids in the filter's `images` and
    `galleries`.
    """

    filter: Mapping[str, Any] = field(default_factory=dict)
    min_score: float = SURE_SCORE
    dry_run: bool = False
    tag: str = ""
    markers: bool = False
    confirmed: bool = False
    run: int = 0
    scene: str = ""
    edited: bool = False
    from_scenes: int = 0
    item: ItemKind = "scene"
    pictures: bool = False

    @property
    def scenes(self) -> SceneFilter:
        """The scenes, as the client takes them.

        Raises:
            UnusableSourceError: they are chosen by something that no scene has; without it, all of
                Stash would be meant.
        """
        chosen = dict(self.filter)
        _require_known("filter", chosen, [one.name for one in fields(SceneFilter)])
        if self.pictures:
            raise UnusableSourceError("This task is for scenes, not for images and galleries.")
        if "scenes" in chosen:
            chosen["scenes"] = tuple(chosen["scenes"])
        return SceneFilter(**chosen)

    @property
    def images_and_galleries(self) -> tuple[Sequence[str], Sequence[str]]:
        """The ids of some images and galleries; without any, all are meant.

        Raises:
            UnusableSourceError: they are chosen by something else.
        """
        _require_known("filter", self.filter, ("images", "galleries"))
        return self.filter.get("images", ()), self.filter.get("galleries", ())

    def to_json(self) -> str:
        """Return them as a task keeps them."""
        return json.dumps(asdict(self), sort_keys=True)


def read_options(task: Task) -> Options:
    """Read the options of a task; those that it does not have are the usual ones.

    Raises:
        UnusableSourceError: it has others, as it was queued by another version; or it is damaged.
    """
    stored = read_object(task.options)
    if stored is None:
        raise UnusableSourceError("What this task was asked to do is damaged. Ask for it again.")
    _require_known("option", stored, [one.name for one in fields(Options)])
    return Options(**stored)


def _require_known(noun: str, given: Iterable[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UnusableSourceError(
                f"This task has the {noun} {name!r}, and there are only {', '.join(known)}. Ask "
                "for it again without it."
            )
