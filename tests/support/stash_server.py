"""A stand-in for Stash that keeps what it is told: scenes, performers, tags, markers, images.

Every document is parsed and checked against the schema of `tests.support.stash_schema`, so a wrong
field fails. Each write changes `updated_at`. A write can be ordered to fail, before or after it is
done; see `fail_write`. Entries are dictionaries with Stash's own field names; references are ids.
"""

import base64
import itertools
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from graphql import GraphQLError

from tests.support.graphql_server import Answer, StandIn, serving
from tests.support.stash_schema import STASH

__all__ = ["Answer", "FakeStash", "StandIn", "image", "in_stash", "serving", "stash"]

Entry = dict[str, Any]

Failure = Literal["error", "before", "after", "busy", "locked"]
"""What a failing write does: answer with an error, cut the connection without doing anything or
after having done it, or answer that the server, or its database, is busy."""

_OTHER_HOST = "http://behind.a.proxy"


class FakeStash(StandIn):
    """A Stash in memory. Change it with the methods in its own words, as a user of Stash would."""

    def __init__(self, performers: Sequence[Entry] = (), *, prefix: str = "") -> None:
        super().__init__(STASH, {}, prefix=prefix)
        self.performers: list[Entry] = performers if isinstance(performers, list) else []
        self.scenes: dict[str, Entry] = {}
        self.images: dict[str, Entry] = {}
        self.galleries: dict[str, Entry] = {}
        self.tags: dict[str, Entry] = {}
        self.studios: dict[str, Entry] = {}
        self.markers: dict[str, Entry] = {}
        self.libraries: list[str] = ["/data"]
        self.stash_boxes: list[Entry] = []
        self.ui: dict[str, Any] = {}
        self.writes: list[str] = []
        """The names of the mutations that were done, in order."""
        self._failures: dict[int, Failure] = {}
        self._attempts = 0
        self._ids = itertools.count(1000)
        self._moments = itertools.count(1)
        self.root.update(self._resolvers())
        for one in self.performers:
            for picture in one.get("images", ()):
                self.images[str(picture["id"])] = {
                    **_dated(self.now()),
                    **picture,
                    "performers": [str(one["id"])],
                }

    # What a user of Stash does

    def now(self) -> str:
        """Return a time that is later at each call, as Stash writes it."""
        moment = datetime(2026, 2, 1, tzinfo=UTC) + timedelta(seconds=next(self._moments))
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def add_performer(self, name: str, photo: bytes | None = None, **fields: Any) -> str:
        """Add a performer, with a cover if a photo is given; return the id."""
        number = next(self._ids)
        path = f"/performer/{number}/image"
        if photo is not None:
            self.photos[path] = Answer(photo)
        silhouette = "" if photo is not None else "&default=true"
        cover = f"{_OTHER_HOST}{self.prefix}{path}?t=1{silhouette}"
        entry = in_stash(number, name, image_path=cover, updated_at=self.now(), **fields)
        self.performers.append(entry)
        return str(number)

    def add_scene(
        self,
        path: str = "",
        *,
        oshash: str = "",
        size: int = 1000,
        performers: Iterable[str] = (),
        tags: Iterable[str] = (),
        **fields: Any,
    ) -> str:
        """Add a scene with one file, or none without a path; return the id."""
        number = str(next(self._ids))
        prints = [{"type": "oshash", "value": oshash}] if oshash else []
        file = {
            "id": number,
            "path": path,
            "size": size,
            "duration": 60.0,
            "width": 1920,
            "height": 1080,
            "fingerprints": prints,
        }
        self.scenes[number] = {
            "id": number,
            "title": None,
            "organized": False,
            "files": [file] if path else [],
            "paths": {},
            "performers": list(performers),
            "tags": list(tags),
            "studio": None,
            **_dated(self.now()),
            **fields,
        }
        return number

    def add_image(
        self, photo: bytes = b"", performers: Iterable[str] = (), at: str = "/x.jpg"
    ) -> str:
        """Add an image with its picture, which lies at a path; return the id."""
        number = str(next(self._ids))
        path = f"/image/{number}/image"
        self.photos[path] = Answer(photo)
        self.images[number] = {
            **_dated(self.now()),
            **image(f"{self.prefix}{path}"),
            "id": number,
            "performers": list(performers),
            "tags": [],
            "galleries": [],
        }
        self.images[number]["visual_files"][0]["path"] = at
        return number

    def add_gallery(
        self, folder: str, performers: Iterable[str] = (), images: Iterable[str] = ()
    ) -> str:
        """Add a gallery of a folder, or of some images if it has none; return the id."""
        number = str(next(self._ids))
        self.galleries[number] = {
            "id": number,
            "title": None,
            "folder": {"id": number, "path": folder} if folder else None,
            "files": [],
            "performers": list(performers),
            "tags": [],
            **_dated(self.now()),
        }
        for one in images:
            self.images[one]["galleries"].append(number)
        return number

    def add_tag(self, name: str, aliases: Sequence[str] = ()) -> str:
        """Add a tag; return the id."""
        number = str(next(self._ids))
        named = {"id": number, "name": name, "aliases": list(aliases)}
        self.tags[number] = {**named, "updated_at": self.now()}
        return number

    def add_studio(self, name: str, aliases: Sequence[str] = ()) -> str:
        """Add a studio; return the id."""
        number = str(next(self._ids))
        self.studios[number] = {"id": number, "name": name, "aliases": list(aliases)}
        return number

    def edit(
        self, kind: Literal["scenes", "images", "galleries"], number: str, **fields: Any
    ) -> None:
        """Change a scene, an image or a gallery by hand."""
        getattr(self, kind)[number] |= {**fields, "updated_at": self.now()}

    def edit_performer(self, number: str, **fields: Any) -> None:
        """Change a performer by hand."""
        self._performer(number).update(fields, updated_at=self.now())

    def delete_performer(self, number: str) -> None:
        """Delete a performer, who leaves every scene, image and gallery."""
        self.performers.remove(self._performer(number))
        for entry in (*self.scenes.values(), *self.images.values(), *self.galleries.values()):
            entry["performers"] = [one for one in entry["performers"] if one != number]

    def merge_performers(self, kept: str, absorbed: str, *, with_values: bool = True) -> None:
        """Merge as Stash does: what shows the one shows the other now, who gets name and stash ids.

        Asked for over its API `with_values` left out, it drops name and stash ids.
        """
        gone, stays = self._performer(absorbed), self._performer(kept)
        for entry in (*self.scenes.values(), *self.images.values(), *self.galleries.values()):
            entry["performers"] = list(
                dict.fromkeys(kept if one == absorbed else one for one in entry["performers"])
            )
        self.performers.remove(gone)
        if with_values:
            stays["alias_list"] = [*stays["alias_list"], gone["name"], *gone["alias_list"]]
            stays["stash_ids"] = [*stays["stash_ids"], *gone["stash_ids"]]
        stays["updated_at"] = self.now()

    # Troubles

    def fail_write(self, number: int = 1, how: Failure = "before") -> None:
        """Let the n-th write from now on fail, 1 being the next; an attempt again counts too."""
        self._failures[self._attempts + number] = how

    def execute(self, asked: dict[str, Any]) -> Answer:
        """Answer a query, or do a write unless it is to fail."""
        is_write = asked["query"].lstrip().startswith("mutation")
        if not is_write or "configureUISetting" in asked["query"]:
            return super().execute(asked)
        with self._lock:
            self._attempts += 1
            failure = self._failures.pop(self._attempts, None)
        if failure == "error":
            return Answer(b'{"errors": [{"message": "disk full"}]}', 200, "application/json")
        if failure == "locked":
            locked = b'{"errors": [{"message": "beginning transaction: database is locked"}]}'
            return Answer(locked, 200, "application/json")
        if failure == "busy":
            return Answer(b"", 503, "text/plain")
        if failure == "before":
            return Answer(status=0)
        with self._lock:
            answer = super().execute(asked)
        return Answer(status=0) if failure == "after" else answer

    # How it answers

    def _resolvers(self) -> dict[str, Callable[..., Any]]:
        return {
            "findPerformer": lambda _, id: self._shown_performer(id),  # noqa: A006
            "findPerformers": self._find_performers,
            "findScene": lambda _, id: self._shown(self.scenes.get(id)),  # noqa: A006
            "findScenes": self._find_scenes,
            "findImage": lambda _, id: self._shown(self.images.get(id)),  # noqa: A006
            "findImages": self._find_images,
            "findGallery": lambda _, id: self._shown(self.galleries.get(id)),  # noqa: A006
            "findGalleries": self._find_galleries,
            "findTag": lambda _, id: self._counted_tag(id),  # noqa: A006
            "findTags": self._find_tags,
            "findStudios": self._find_studios,
            "configuration": lambda _: {
                "general": {
                    "stashBoxes": self.stash_boxes,
                    "stashes": [{"path": path} for path in self.libraries],
                },
                "ui": self.ui,
                "plugins": {},
            },
            "version": lambda _: {"version": "v0.30.0", "hash": "0", "build_time": ""},
            "stats": lambda _: {
                "scene_count": len(self.scenes),
                "image_count": len(self.images),
                "gallery_count": len(self.galleries),
                "performer_count": len(self.performers),
            },
            "configureUISetting": self._set_ui,
            "bulkSceneUpdate": lambda _, input: self._bulk("Scene", self.scenes, input),  # noqa: A006
            "bulkImageUpdate": lambda _, input: self._bulk("Image", self.images, input),  # noqa: A006
            "bulkGalleryUpdate": lambda _, input: self._bulk(  # noqa: A006
                "Gallery", self.galleries, input
            ),
            "performerCreate": self._create_performer,
            "performersDestroy": self._destroy_performers,
            "sceneMarkerCreate": self._create_marker,
            "sceneMarkersDestroy": lambda _, ids: self._destroy("sceneMarkers", self.markers, ids),
            "tagCreate": self._create_tag,
            "tagsDestroy": lambda _, ids: self._destroy("tags", self.tags, ids),
        }

    def _set_ui(self, _: object, key: str, value: Any) -> dict[str, Any]:
        *parents, last = key.split(".")
        place = self.ui
        for one in parents:
            place = place.setdefault(one, {})
        place[last] = value
        return self.ui

    def _find_performers(
        self,
        _: object,
        filter: Entry,  # noqa: A002  # the schema says so
        performer_filter: Entry | None = None,
    ) -> Entry:
        chosen = [one for one in self.performers if _is_wanted(one, performer_filter or {})]
        text = (filter.get("q") or "").casefold()
        chosen = [
            one
            for one in chosen
            if any(text in name.casefold() for name in (one["name"], *one["alias_list"]))
        ]
        return _page("performers", [self._with_count(one) for one in chosen], filter)

    def _find_scenes(
        self,
        _: object,
        filter: Entry | None = None,  # noqa: A002  # the schema says so
        scene_filter: Entry | None = None,
        ids: list[str] | None = None,
    ) -> Entry:
        missing = [one for one in ids or () if one not in self.scenes]
        if missing:
            raise GraphQLError(f"scene with id {missing[0]} not found")
        # Ids count alone; an empty list is as good as none.
        chosen = [
            one
            for one in self.scenes.values()
            if (one["id"] in ids if ids else _is_wanted_scene(one, scene_filter or {}))
        ]
        page = _page("scenes", chosen, filter or {})
        return page | {"scenes": [self._shown(one) for one in page["scenes"]]}

    def _find_images(
        self,
        _: object,
        filter: Entry | None = None,  # noqa: A002  # the schema says so
        image_filter: Entry | None = None,
    ) -> Entry:
        chosen = [one for one in self.images.values() if _is_wanted_scene(one, image_filter or {})]
        page = _page("images", chosen, filter or {})
        return page | {"images": [self._shown(one) for one in page["images"]]}

    def _find_galleries(
        self,
        _: object,
        filter: Entry | None = None,  # noqa: A002  # the schema says so
        gallery_filter: Entry | None = None,
    ) -> Entry:
        chosen = [
            one for one in self.galleries.values() if _is_wanted_scene(one, gallery_filter or {})
        ]
        page = _page("galleries", chosen, filter or {})
        return page | {"galleries": [self._shown(one) for one in page["galleries"]]}

    def _find_tags(
        self,
        _: object,
        filter: Entry,  # noqa: A002, ARG002  # the schema says so
        tag_filter: Entry,
    ) -> Entry:
        of_performers = {
            str(tag["id"]): tag for one in self.performers for tag in one.get("tags", ())
        }
        return _named("tags", (self.tags | of_performers).values(), tag_filter)

    def _find_studios(
        self,
        _: object,
        filter: Entry,  # noqa: A002, ARG002  # the schema says so
        studio_filter: Entry,
    ) -> Entry:
        return _named("studios", self.studios.values(), studio_filter)

    def _bulk(self, kind: str, entries: dict[str, Entry], asked: Entry) -> list[Entry]:
        known = {
            "performers": {str(one["id"]) for one in self.performers},
            "tags": set(self.tags),
        }
        for field, name in (("performer_ids", "performers"), ("tag_ids", "tags")):
            for one in (asked.get(field) or {}).get("ids") or ():
                if one not in known[name]:
                    raise GraphQLError(f"FOREIGN KEY constraint failed ({name} {one})")
        missing = [one for one in asked["ids"] if one not in entries]
        if missing:
            raise GraphQLError(f"{kind.lower()} with id {missing[0]} not found")
        moment = self.now()  # one for all, as Stash does it
        for number in asked["ids"]:
            entry = entries[number]
            for field, name in (("performer_ids", "performers"), ("tag_ids", "tags")):
                if asked.get(field):
                    entry[name] = _combined(entry[name], asked[field])
            entry["updated_at"] = moment
        self.writes.append(f"bulk{kind}Update")
        return [self._shown(entries[number]) or {} for number in asked["ids"]]

    def _create_performer(self, _: object, input: Entry) -> Entry:  # noqa: A002  # as above
        names = {(one["name"], one["disambiguation"] or "") for one in self.performers}
        if (input["name"], input.get("disambiguation") or "") in names:
            raise GraphQLError(f"performer with name {input['name']!r} already exists")
        fields = {
            name: input[name] for name in ("alias_list", "urls", "stash_ids") if name in input
        }
        picture = input.get("image") or ""
        photo = base64.b64decode(picture.partition(",")[2]) if picture.startswith("data:") else None
        disambiguation = input.get("disambiguation")
        number = self.add_performer(input["name"], photo, disambiguation=disambiguation, **fields)
        self.writes.append("performerCreate")
        return self._shown_performer(number) or {}

    def _destroy_performers(self, _: object, ids: list[str]) -> bool:
        for number in ids:
            self._performer(number)
        for number in ids:
            self.delete_performer(number)
        self.writes.append("performersDestroy")
        return True

    def _create_marker(self, _: object, input: Entry) -> Entry:  # noqa: A002  # as above
        if input["scene_id"] not in self.scenes:
            raise GraphQLError(f"scene with id {input['scene_id']} not found")
        if input["primary_tag_id"] not in self.tags:
            raise GraphQLError("FOREIGN KEY constraint failed (primary tag)")
        number = str(next(self._ids))
        self.markers[number] = {
            "id": number,
            "title": input["title"],
            "seconds": input["seconds"],
            "end_seconds": input.get("end_seconds"),
            "scene": input["scene_id"],
            "primary_tag": input["primary_tag_id"],
            "tags": input.get("tag_ids") or [],
            **_dated(self.now()),
        }
        self.writes.append("sceneMarkerCreate")
        return self._shown_marker(self.markers[number])

    def _create_tag(self, _: object, input: Entry) -> Entry:  # noqa: A002  # as above
        for one in self.tags.values():
            if any(_is_like(name, input["name"]) for name in (one["name"], *one["aliases"])):
                raise GraphQLError(f"tag with name '{input['name']}' already exists")
        number = self.add_tag(input["name"])
        self.writes.append("tagCreate")
        return self.tags[number]

    def _destroy(self, kind: str, entries: dict[str, Entry], ids: list[str]) -> bool:
        for number in ids:
            if number not in entries:
                raise GraphQLError(f"{kind} with id {number} not found")
            if any(one["primary_tag"] == number for one in self.markers.values()):
                raise GraphQLError("FOREIGN KEY constraint failed (primary tag)")
        for number in ids:
            del entries[number]
        self.writes.append(f"{kind}Destroy")
        return True

    def _performer(self, number: str) -> Entry:
        for one in self.performers:
            if str(one["id"]) == str(number):
                return one
        raise GraphQLError(f"performer with id {number} not found")

    def _shown_performer(self, number: str) -> Entry | None:
        found = [one for one in self.performers if str(one["id"]) == str(number)]
        return self._with_count(found[0]) if found else None

    def _with_count(self, one: Entry) -> Entry:
        number = str(one["id"])
        used = {"scene": self.scenes, "image": self.images, "gallery": self.galleries}
        counts = {
            f"{kind}_count": sum(number in other["performers"] for other in entries.values())
            for kind, entries in used.items()
        }
        return {"group_count": 0, **counts, **one}

    def _counted_tag(self, number: str) -> Entry | None:
        tag = self.tags.get(number)
        if tag is None:
            return None
        used = {"scene": self.scenes, "image": self.images, "gallery": self.galleries}
        counts = {
            f"{kind}_count": sum(number in other.get("tags", ()) for other in entries.values())
            for kind, entries in used.items()
        }
        marks = (number in (one["primary_tag"], *one["tags"]) for one in self.markers.values())
        by_hand = ("group", "performer", "studio", "parent", "child")
        others = {f"{kind}_count": 0 for kind in by_hand}
        return {**others, "scene_marker_count": sum(marks), **counts, **tag}

    def _shown(self, entry: Entry | None) -> Entry | None:
        """Return a scene, an image or a gallery with what it refers to by id."""
        if entry is None:
            return None
        markers = [one for one in self.markers.values() if one["scene"] == entry["id"]]
        return {
            **entry,
            "performers": [self._shown_performer(one) for one in entry["performers"]],
            "tags": [self.tags[one] for one in entry.get("tags", ()) if one in self.tags],
            "studio": self.studios.get(entry.get("studio") or ""),
            "scene_markers": [self._shown_marker(one) for one in markers],
        }

    def _shown_marker(self, marker: Entry) -> Entry:
        return {
            **marker,
            "primary_tag": self.tags[marker["primary_tag"]],
            "tags": [self.tags[one] for one in marker["tags"]],
        }


def stash(performers: list[Entry], *, prefix: str = "") -> FakeStash:
    """A Stash that holds these performers; each may bring `images`, `favorite` and `tags`."""
    return FakeStash(performers, prefix=prefix)


def in_stash(number: int, name: str, **fields: Any) -> Entry:
    """A performer as Stash gives one out, with a cover unless `image_path` says otherwise."""
    return {
        "id": number,
        "name": name,
        "disambiguation": None,
        "alias_list": [],
        "urls": [],
        "image_path": f"{_OTHER_HOST}/performer/{number}/image?t=1",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": f"2026-01-01T00:00:{number % 60:02}Z",
        "favorite": False,
        "tags": [],
        "stash_ids": [],
        **fields,
    }


def image(path: str, *, is_video: bool = False) -> Entry:
    """An image of Stash's, at a path of the stand-in."""
    file = {"__typename": "ImageFile", "path": "/x.jpg", "width": 600, "height": 800}
    if is_video:
        file = {"__typename": "VideoFile", "path": "/x.mp4", "duration": 1.0}
    return {
        "id": path,
        "title": None,
        "paths": {"image": f"{_OTHER_HOST}{path}"},
        "visual_files": [file],
    }


def _dated(moment: str) -> Entry:
    return {"created_at": moment, "updated_at": moment}


def _page(kind: str, entries: list[Entry], asked: Entry) -> Entry:
    key = "updated_at" if asked.get("sort") == "updated_at" else "id"
    ordered = sorted(entries, key=_sort_key(key), reverse=asked.get("direction") == "DESC")
    size = asked.get("per_page") or 25
    start = ((asked.get("page") or 1) - 1) * size
    shown = ordered if size < 0 else ordered[start : start + size]
    return {"count": len(entries), kind: shown}


def _sort_key(key: str) -> Callable[[Entry], Any]:
    if key == "id":
        return lambda one: tuple(map(int, re.findall(r"\d+", str(one["id"]))))
    return lambda one: one[key]


def _named(kind: str, entries: Iterable[Entry], asked: Entry) -> Entry:
    name, alias = asked["name"]["value"], asked["OR"]["aliases"]["value"]
    found = [
        {"aliases": [], **one}
        for one in entries
        if _is_like(one["name"], name) or any(_is_like(it, alias) for it in one.get("aliases", ()))
    ]
    return {"count": len(found), kind: found}


def _is_like(text: str, pattern: str) -> bool:
    """Say whether a text is like a pattern, as SQLite's LIKE does."""
    wild = {"%": ".*", "_": "."}
    return bool(
        re.fullmatch(
            "".join(wild.get(letter, re.escape(letter)) for letter in pattern),
            text,
            re.ASCII | re.IGNORECASE | re.DOTALL,
        )
    )


def _combined(now: list[str], change: Entry) -> list[str]:
    ids = list(change.get("ids") or ())
    if change["mode"] == "ADD":
        return list(dict.fromkeys([*now, *ids]))
    if change["mode"] == "REMOVE":
        return [one for one in now if one not in ids]
    return ids


def _is_wanted(one: Entry, chosen: Entry) -> bool:
    since = chosen.get("updated_at", {"value": ""})["value"]
    tags = set(chosen.get("tags", {"value": []})["value"])
    name = chosen.get("name", {"value": one["name"]})["value"]
    of_box = chosen.get("stash_id_endpoint")
    return (
        one["updated_at"] > since
        and (not of_box or any(of_box.items() >= it.items() for it in one["stash_ids"]))
        and one["name"].casefold() == name.casefold()
        and (one["favorite"] or not chosen.get("filter_favorites"))
        and tags <= {tag["id"] for tag in one["tags"]}
    )


def _is_wanted_scene(one: Entry, chosen: Entry) -> bool:
    return all(_CRITERIA[name](one, asked) for name, asked in chosen.items())


def _has(field: str) -> Callable[[Entry, Entry], bool]:
    def judge(one: Entry, asked: Entry) -> bool:
        wanted, there = set(asked["value"]), set(one[field])
        if asked["modifier"] == "EXCLUDES":
            return not wanted & there
        return wanted <= there if asked["modifier"] == "INCLUDES_ALL" else bool(wanted & there)

    return judge


def _in_path(one: Entry, asked: Entry) -> bool:
    files = one.get("files") or one.get("visual_files") or ()
    text = asked["value"].strip().casefold()
    # In quotes it is one text, without them any of its words is enough.
    words = [text.strip('"')] if text != text.strip('"') else text.split()
    return any(word in file["path"].casefold() for file in files for word in words)


def _has_print(one: Entry, asked: Entry) -> bool:
    prints = [print_ for file in one["files"] for print_ in file["fingerprints"]]
    return {"type": "oshash", "value": asked["value"]} in prints


_COMPARES = {"EQUALS": operator.eq, "GREATER_THAN": operator.gt}

_CRITERIA: dict[str, Callable[[Entry, Any], bool]] = {
    "performers": _has("performers"),
    "performer_count": lambda one, asked: _COMPARES[asked["modifier"]](
        len(one["performers"]), asked["value"]
    ),
    "tags": _has("tags"),
    "galleries": _has("galleries"),
    "studios": lambda one, asked: one["studio"] in asked["value"],
    "path": _in_path,
    "oshash": _has_print,
    "is_missing": lambda one, asked: not one[asked],
    "updated_at": lambda one, asked: one["updated_at"] > asked["value"],
}
