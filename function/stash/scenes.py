"""Reads how scenes of Stash, and other items, stand now."""

from collections.abc import Iterable

from db.writes import ItemKind
from function.sources.records import RefusedError
from function.stash.client import Stash
from function.stash.records import Item, Scene, SceneFilter

SCENES_AT_ONCE = 100
"""Scenes in one request, to read and to write."""


def read_scenes(stash: Stash, scenes: Iterable[str]) -> dict[str, Scene]:
    """Return some scenes, by id; those that are gone are left out.

    Raises:
        UnusableSourceError: Stash does not answer.
    """
    ids = tuple(dict.fromkeys(scenes))
    if not ids:
        return {}
    try:
        found = list(stash.scenes(SceneFilter(scenes=ids)))
    except RefusedError:
        # Stash refuses a list that names a scene which is gone.
        found = [one for id_ in ids if (one := stash.scene(id_))]
    return {one.id: one for one in found}


def read_items(stash: Stash, kind: ItemKind, ids: Iterable[str]) -> dict[str, Item]:
    """Return some scenes, images or galleries, by id; those that are gone are left out.

    Raises:
        UnusableSourceError: Stash does not answer.
    """
    if kind != "scene":
        found = (stash.item(kind, one) for one in dict.fromkeys(ids))
        return {one.id: one for one in found if one}
    return {
        one.id: Item(one.id, one.performers, one.tags, one.updated_at)
        for one in read_scenes(stash, ids).values()
    }
