"""Asks the user's Stash, and writes into it, over GraphQL: documents in, frozen records out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from db.names import quote
from db.records import Identity
from db.writes import ItemKind
from function.sources.downloads import OwnServer
from function.sources.graphql import GraphQL
from function.sources.records import UnusableSourceError
from function.sources.shapes import short_in, text_in, understood
from function.stash import documents
from function.stash.addresses import at_home
from function.stash.answers import (
    gallery_in,
    id_called,
    image_in,
    item_in,
    marker_in,
    notes_in,
    performer_in,
    scene_in,
    use_in,
)
from function.stash.criteria import change_of, criteria_of
from function.stash.pages import PER_PAGE, read_pages
from function.stash.records import (
    Gallery,
    Image,
    Item,
    Marker,
    NewMarker,
    NewPerformer,
    Note,
    Scene,
    SceneFilter,
    StashPerformer,
    Totals,
    Use,
)

ALL_SCENES = SceneFilter()

_NOTES = "performerRecognition"
"""Where in Stash's settings of its page notes are kept."""


class Stash:
    """One Stash server. It may be used by several threads; the key appears in no message."""

    def __init__(self, url: str, api_key: str = "", *, is_awaited: bool = False) -> None:
        """Take its URL as shown in the browser, with or without /graphql.

        With `is_awaited` somebody waits for each answer, as `GraphQL` says.

        Raises:
            UnusableSourceError: that is no URL.
        """
        trimmed = url.strip().rstrip("/").removesuffix("/graphql").rstrip("/")
        if "://" not in trimmed:
            trimmed = f"http://{trimmed}"
        self._graphql = GraphQL(f"{trimmed}/graphql", api_key, what="Stash", is_awaited=is_awaited)
        self._is_awaited = is_awaited
        self.url = trimmed
        self.own_server = OwnServer(self._graphql.url, api_key)

    @property
    def shown_url(self) -> str:
        """Its URL, for people and logs: without a user and a password."""
        return str(httpx.URL(self.url).copy_with(userinfo=b""))

    def close(self) -> None:
        """Close the connections that are kept open; it cannot be asked any more."""
        self._graphql.close()

    def ask(
        self, document: str, variables: Mapping[str, Any] | None = None, *, once: bool = False
    ) -> dict[str, Any]:
        """Send a document and return its `data`.

        With `once` it is not sent again if no answer comes: doing it twice would make two.

        Raises:
            NoAnswerError: Stash does not answer.
            RefusedError: it answers that it cannot do this.
            UnusableSourceError: something else is wrong, such as the key or the URL.
        """
        return self._graphql.ask(document, dict(variables or {}), once=once)

    @understood("Stash")
    def version(self) -> str:
        """Return Stash's version, such as v0.30.1."""
        return short_in(self.ask(documents.VERSION)["version"]["version"] or "unknown")

    @understood("Stash")
    def totals(self) -> Totals:
        """Count its scenes and performers."""
        stats = self.ask(documents.COUNTS)["stats"]
        return Totals(int(stats["scene_count"]), int(stats["performer_count"]))

    @understood("Stash")
    def libraries(self) -> tuple[str, ...]:
        """Return the folders that Stash scans, by the paths that it sees."""
        general = self.ask(documents.LIBRARIES)["configuration"]["general"]
        return tuple(text_in(one["path"]) for one in general["stashes"])

    @understood("Stash")
    def stash_box_keys(self) -> dict[str, str]:
        """Return the API keys of the stash-boxes configured in Stash, by endpoint."""
        general = self.ask(documents.STASH_BOXES)["configuration"]["general"]
        boxes = general["stashBoxes"]
        return {text_in(box["endpoint"]): text_in(box["api_key"]) for box in boxes}

    # Notes of ours

    @understood("Stash")
    def notes(self) -> dict[str, Note]:
        """Return the notes that libraries left here, by their numbers."""
        return notes_in(self.ask(documents.UI)["configuration"]["ui"].get(_NOTES))

    def leave_note(self, number: str, note: Note) -> None:
        """Leave a library's note in the settings of Stash's page, in place of its last one."""
        asked = {"key": f"{_NOTES}.{number}", "value": {"since": note.since, "times": note.times}}
        self.ask(documents.SET_UI, asked)

    # Performers

    def performers(self, wanted: Mapping[str, Any] | None = None) -> Iterator[StashPerformer]:
        """Yield performers by id, page by page; `wanted` is a filter as Stash takes it."""
        for entry in self._pages(documents.PERFORMERS, "findPerformers", "performers", wanted):
            yield self._performer(entry)

    @understood("Stash")
    def performer(self, performer_id: str) -> StashPerformer | None:
        """Return one performer; None if there is none with this id."""
        found = self.ask(documents.PERFORMER, {"id": performer_id})["findPerformer"]
        return self._performer(found) if found else None

    @understood("Stash")
    def suggest_performers(self, text: str, count: int = 10) -> tuple[StashPerformer, ...]:
        """Return performers whose name or alias resembles a text, as Stash's own search does."""
        asked = {"text": text, "count": count}
        found = self.ask(documents.PERFORMERS_BY_TEXT, asked)["findPerformers"]["performers"]
        return tuple(self._performer(entry) for entry in found)

    @understood("Stash")
    def newest_performer_change(self) -> str:
        """Return when any performer last changed, in Stash's own format; "" if there are none."""
        found = self.ask(documents.NEWEST_PERFORMER)["findPerformers"]["performers"]
        return short_in(found[0]["updated_at"]) if found else ""

    @understood("Stash")
    def create_performer(self, new: NewPerformer) -> StashPerformer:
        """Make a performer."""
        fields: dict[str, Any] = {
            "name": new.name,
            "disambiguation": new.disambiguation,
            "alias_list": list(new.aliases),
            "urls": list(new.urls),
            "stash_ids": [
                {"endpoint": one.source, "stash_id": one.source_id} for one in new.stash_ids
            ],
            "image": new.image,
        }
        asked = {"input": {name: value for name, value in fields.items() if value}}
        made = self.ask(documents.CREATE_PERFORMER, asked, once=True)["performerCreate"]
        return self._performer(made)

    def namesakes(self, name: str) -> tuple[StashPerformer, ...]:
        """Return all performers with exactly this name; Stash tells them apart by words added."""
        wanted = {"name": {"value": name, "modifier": "EQUALS"}}
        return tuple(one for one in self.performers(wanted) if one.name == name)

    def with_stash_ids(self, stash_ids: Iterable[Identity]) -> Iterator[StashPerformer]:
        """Yield the performers who are one of these on a stash-box."""
        for one in stash_ids:
            wanted = {
                "stash_id_endpoint": {
                    "endpoint": one.source,
                    "stash_id": one.source_id,
                    "modifier": "EQUALS",
                }
            }
            yield from (it for it in self.performers(wanted) if one in it.stash_ids)

    @understood("Stash")
    def use_of_performer(self, performer_id: str) -> Use | None:
        """Return what has a performer; None if there is none with this id."""
        return use_in(self.ask(documents.PERFORMER_USE, {"id": performer_id})["findPerformer"])

    def destroy_performers(self, ids: Sequence[str]) -> None:
        """Delete performers in Stash."""
        self.ask(documents.DESTROY_PERFORMERS, {"ids": list(ids)}, once=True)

    # Scenes and what belongs to them

    def scenes(self, wanted: SceneFilter = ALL_SCENES) -> Iterator[Scene]:
        """Yield scenes by id, page by page.

        Raises:
            UnusableSourceError: there is no such tag or studio, or as for `ask`.
        """
        chosen = self._scene_filter(wanted)
        if wanted.scenes is not None and not chosen:
            yield from self._scenes_by_id(wanted.scenes)
            return
        for entry in self._pages(documents.SCENES, "findScenes", "scenes", chosen):
            scene = scene_in(entry)
            # Asked for ids, Stash forgets every other condition.
            if wanted.scenes is None or scene.id in wanted.scenes:
                yield scene

    @understood("Stash")
    def scene(self, scene_id: str) -> Scene | None:
        """Return one scene; None if there is none with this id."""
        found = self.ask(documents.SCENE, {"id": scene_id})["findScene"]
        return scene_in(found) if found else None

    @understood("Stash")
    def item(self, kind: ItemKind, item_id: str) -> Item | None:
        """Return a scene, an image or a gallery as it stands; None if there is none."""
        found = self.ask(documents.ITEMS[kind], {"id": item_id})[f"find{kind.title()}"]
        return item_in(found) if found else None

    def tag_items(
        self,
        kind: ItemKind,
        ids: Sequence[str],
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
    ) -> tuple[Item, ...]:
        """Add performers and tags to items, or take them off; return the items as they are now.

        All others stay. Doing it twice changes nothing more. Give `add` or `remove`, not both.
        """
        asked = {"ids": list(ids)}
        asked |= change_of("performer_ids", add, remove) | change_of(
            "tag_ids", add_tags, remove_tags
        )
        changed = self.ask(documents.UPDATE_ITEMS[kind], {"input": asked})
        with understood("Stash"):
            return tuple(item_in(entry) for entry in changed[f"bulk{kind.title()}Update"] or ())

    @understood("Stash")
    def markers(self, scene_id: str) -> tuple[Marker, ...]:
        """Return the markers of a scene; none if there is no such scene."""
        found = self.ask(documents.MARKERS, {"id": scene_id})["findScene"]
        return tuple(marker_in(entry) for entry in found["scene_markers"]) if found else ()

    @understood("Stash")
    def create_marker(self, new: NewMarker) -> Marker:
        """Make a marker in a scene."""
        asked = {
            "scene_id": new.scene,
            "title": new.title,
            "seconds": new.seconds,
            "primary_tag_id": new.tag,
        }
        if new.end_seconds is not None:
            asked["end_seconds"] = new.end_seconds
        made = self.ask(documents.CREATE_MARKER, {"input": asked}, once=True)
        return marker_in(made["sceneMarkerCreate"])

    def destroy_markers(self, ids: Sequence[str]) -> None:
        """Delete markers."""
        self.ask(documents.DESTROY_MARKERS, {"ids": list(ids)}, once=True)

    # Images and galleries

    def images(self, wanted: Mapping[str, Any] | None = None) -> Iterator[Image]:
        """Yield images by id, page by page; `wanted` is a filter as Stash takes it."""
        yield from map(self._image, self._pages(documents.IMAGES, "findImages", "images", wanted))

    @understood("Stash")
    def image(self, image_id: str) -> Image | None:
        """Return one image; None if there is none with this id."""
        found = self.ask(documents.IMAGE, {"id": image_id})["findImage"]
        return self._image(found) if found else None

    @understood("Stash")
    def gallery(self, gallery_id: str) -> Gallery | None:
        """Return one gallery; None if there is none with this id."""
        found = self.ask(documents.GALLERY, {"id": gallery_id})["findGallery"]
        return gallery_in(found) if found else None

    def galleries(self) -> Iterator[Gallery]:
        """Yield galleries by id, page by page."""
        pages = self._pages(documents.GALLERIES, "findGalleries", "galleries", None)
        yield from map(gallery_in, pages)

    @understood("Stash")
    def images_of(self, performer_id: str, count: int) -> tuple[Image, ...]:
        """Return up to `count` images that show a performer alone."""
        asked = {
            "page": 1,
            "per_page": count,
            "wanted": {
                "performers": {"value": [performer_id], "modifier": "INCLUDES_ALL"},
                "performer_count": {"value": 1, "modifier": "EQUALS"},
            },
        }
        found = self.ask(documents.IMAGES, asked)["findImages"]["images"]
        return tuple(self._image(entry) for entry in found)

    def images_in(self, gallery_id: str) -> Iterator[Image]:
        """Yield the images of a gallery by id, page by page."""
        yield from self.images({"galleries": {"value": [gallery_id], "modifier": "INCLUDES"}})

    @understood("Stash")
    def newest_image_change(self) -> str:
        """Return when any image last changed, in Stash's own format; "" if there are none."""
        found = self.ask(documents.NEWEST_IMAGE)["findImages"]["images"]
        return short_in(found[0]["updated_at"]) if found else ""

    # Tags and studios

    @understood("Stash")
    def find_tag(self, name: str) -> str:
        """Return the id of the tag with this name or alias; "" if there is none.

        As where Stash makes a tag, capitals do not count.
        """
        asked = {"name": name.strip()}
        return id_called(self.ask(documents.TAGS, asked)["findTags"]["tags"], name)

    @understood("Stash")
    def create_tag(self, name: str) -> tuple[str, str]:
        """Make a tag; return its id, and when Stash says that it was changed last."""
        asked = {"input": {"name": name.strip()}}
        made = self.ask(documents.CREATE_TAG, asked, once=True)["tagCreate"]
        return short_in(made["id"]), short_in(made["updated_at"])

    @understood("Stash")
    def use_of_tag(self, tag_id: str) -> Use | None:
        """Return what has a tag; None if there is none with this id."""
        return use_in(self.ask(documents.TAG_USE, {"id": tag_id})["findTag"])

    def destroy_tags(self, ids: Sequence[str]) -> None:
        """Delete tags."""
        self.ask(documents.DESTROY_TAGS, {"ids": list(ids)}, once=True)

    def at_home(self, address: str) -> str:
        """Return the URL by which we reach what Stash names by its own idea of its address.

        Behind a proxy Stash may use another host, and another sub-path or none.
        """
        return at_home(self.url, address)

    def page_of(self, kind: str, item_id: str) -> str:
        """Return the URL of a page in Stash, such as that of a performer, for people."""
        return f"{self.shown_url}/{kind}/{item_id}"

    def _pages(
        self, document: str, field: str, kind: str, wanted: Mapping[str, Any] | None
    ) -> Iterator[dict[str, Any]]:
        listed = (document, field, kind, wanted)
        return read_pages(self._graphql, *listed, is_awaited=self._is_awaited)

    def _scenes_by_id(self, ids: Sequence[str]) -> Iterator[Scene]:
        # Stash takes an empty list for all scenes: it is never sent.
        for start in range(0, len(ids), PER_PAGE):
            asked = {"ids": list(ids[start : start + PER_PAGE])}
            with understood("Stash"):
                found = list(self.ask(documents.SCENES_BY_ID, asked)["findScenes"]["scenes"])
            yield from map(scene_in, found)

    def _scene_filter(self, wanted: SceneFilter) -> dict[str, Any]:
        tag = self._id_of("tag", wanted.tag) if wanted.tag else ""
        studio = self._id_of("studio", wanted.studio) if wanted.studio else ""
        return criteria_of(replace(wanted, tag=tag, studio=studio))

    @understood("Stash")
    def _id_of(self, what: str, name_or_id: str) -> str:
        if what == "tag":
            found = self.find_tag(name_or_id)
        else:
            answer = self.ask(documents.STUDIOS, {"name": name_or_id.strip()})
            found = id_called(answer["findStudios"]["studios"], name_or_id)
        if found or name_or_id.isdigit():
            return found or name_or_id
        asked = quote(name_or_id)
        raise UnusableSourceError(f"Stash has no {what} {asked}. Check the spelling.")

    def _performer(self, entry: Mapping[str, Any]) -> StashPerformer:
        return performer_in(entry, self.at_home)

    def _image(self, entry: Mapping[str, Any]) -> Image:
        return image_in(entry, self.at_home)
