"""Reads what Stash answers: JSON in, frozen records out, or one error that says it is odd."""

import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from db.records import Identity
from function.sources.shapes import short_in, text_in, texts_in, understood
from function.stash.records import (
    File,
    Gallery,
    Image,
    Item,
    Marker,
    Note,
    Scene,
    StashPerformer,
    Use,
)

_SMALL_LETTERS = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

AtHome: TypeAlias = Callable[[str], str]
"""Returns the URL by which we reach what Stash names by its own idea of its address."""


@understood("Stash")
def performer_in(entry: Mapping[str, Any], at_home: AtHome) -> StashPerformer:
    """Read a performer; `at_home` says where we reach the cover."""
    cover = text_in(entry["image_path"])
    # Stash draws a silhouette for performers without a picture, and the URL says so.
    has_cover = cover and "default=true" not in cover
    return StashPerformer(
        id=short_in(entry["id"]),
        name=text_in(entry["name"]),
        disambiguation=text_in(entry["disambiguation"]),
        aliases=texts_in(entry["alias_list"]),
        urls=texts_in(entry["urls"]),
        cover=at_home(cover) if has_cover else "",
        updated_at=short_in(entry["updated_at"]),
        stash_ids=tuple(
            Identity(text_in(one["endpoint"]), text_in(one["stash_id"]))
            for one in entry["stash_ids"]
        ),
    )


@understood("Stash")
def image_in(entry: Mapping[str, Any], at_home: AtHome) -> Image:
    """Read an image; `at_home` says where we reach its picture."""
    files = entry["visual_files"]
    address = text_in(entry["paths"]["image"])
    # A video among the images has no width here.
    is_picture = bool(address) and any(file.get("width") for file in files)
    return Image(
        id=short_in(entry["id"]),
        title=text_in(entry["title"]),
        path=next((text_in(file["path"]) for file in files if file.get("path")), ""),
        picture=at_home(address) if is_picture else "",
        performers=_ids(entry["performers"]),
        updated_at=short_in(entry["updated_at"]),
    )


@understood("Stash")
def scene_in(entry: Mapping[str, Any]) -> Scene:
    """Read a scene."""
    return Scene(
        id=short_in(entry["id"]),
        title=text_in(entry["title"]),
        files=tuple(_file(file) for file in entry["files"]),
        performers=_ids(entry["performers"]),
        tags=_ids(entry["tags"]),
        updated_at=short_in(entry["updated_at"]),
        tag_names=tuple(text_in(one["name"]) for one in entry["tags"]),
    )


@understood("Stash")
def item_in(entry: Mapping[str, Any]) -> Item:
    """Read a scene, an image or a gallery as it stands."""
    performers, tags = _ids(entry["performers"]), _ids(entry["tags"])
    return Item(short_in(entry["id"]), performers, tags, short_in(entry["updated_at"]))


@understood("Stash")
def gallery_in(entry: Mapping[str, Any]) -> Gallery:
    """Read a gallery."""
    places = [entry["folder"], *entry["files"]]
    return Gallery(
        id=short_in(entry["id"]),
        title=text_in(entry["title"]),
        path=next((text_in(one["path"]) for one in places if one), ""),
        performers=_ids(entry["performers"]),
    )


def _file(entry: Mapping[str, Any]) -> File:
    prints = {one["type"]: one["value"] for one in entry["fingerprints"]}
    size, seconds = int(entry["size"]), float(entry["duration"])
    path = text_in(entry["path"]).encode("utf-8", "replace").decode()  # JSON may hold half letters
    return File(path, short_in(prints.get("oshash", "")), size, seconds)


@understood("Stash")
def marker_in(entry: Mapping[str, Any]) -> Marker:
    """Read a marker."""
    end = entry["end_seconds"]
    return Marker(
        id=short_in(entry["id"]),
        title=text_in(entry["title"]),
        seconds=float(entry["seconds"]),
        end_seconds=None if end is None else float(end),
        tag=short_in(entry["primary_tag"]["id"]),
        updated_at=short_in(entry["updated_at"]),
    )


def notes_in(value: object) -> dict[str, Note]:
    """Read the notes of libraries, by their numbers; what is none in them is as if it were old."""
    notes = value if isinstance(value, dict) else {}
    return {number: _note(one if isinstance(one, dict) else {}) for number, one in notes.items()}


def _note(entry: Mapping[str, Any]) -> Note:
    times = entry.get("times")
    return Note(str(entry.get("since")), times if isinstance(times, int) else 0)


def use_in(entry: Mapping[str, Any] | None) -> Use | None:
    """Read what has a performer or a tag; None if there is none."""
    if entry is None:
        return None
    counts = {
        name.removesuffix("_count"): int(value)
        for name, value in entry.items()
        if name.endswith("_count")
    }
    return Use(short_in(entry["updated_at"]), counts)


def _ids(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(short_in(one["id"]) for one in entries)


def id_called(entries: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return the id of what has a name, else of what has it as an alias; "" if nothing does.

    Stash takes % and _ in a question for other letters, so its answer may hold more.
    """
    wanted = _without_capitals(name)
    for names_of in (lambda one: (one["name"],), lambda one: one["aliases"]):
        for one in entries:
            if wanted in map(_without_capitals, names_of(one)):
                return short_in(one["id"])
    return ""


def _without_capitals(name: str) -> str:
    """Fold the letters of which Stash's database folds capitals: those of English alone."""
    return name.strip().translate(_SMALL_LETTERS)
