"""The user's own Stash: its performers, their covers, and pictures that show them alone."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from db.records import Identity, Performer
from tools.sources import Photo, SourceRecord, UnusableSourceError
from tools.sources.downloads import Downloads, OwnServer, without_key
from tools.sources.graphql import GraphQL

PERFORMERS_PER_PAGE = 250

PERFORMERS = """
query Performers($page: Int!, $per_page: Int!, $wanted: PerformerFilterType) {
  findPerformers(
    filter: {page: $page, per_page: $per_page, sort: "id", direction: ASC}
    performer_filter: $wanted
  ) {
    count
    performers {
      id name disambiguation alias_list urls image_path updated_at
      stash_ids { endpoint stash_id }
    }
  }
}
"""
NEWEST = """
query Newest {
  findPerformers(filter: {page: 1, per_page: 1, sort: "updated_at", direction: DESC}) {
    performers { updated_at }
  }
}
"""
IMAGES = """
query Images($performer: ID!, $count: Int!) {
  findImages(
    filter: {per_page: $count}
    image_filter: {
      performers: {value: [$performer], modifier: INCLUDES_ALL}
      performer_count: {value: 1, modifier: EQUALS}
    }
  ) {
    images { id paths { image } visual_files { ... on ImageFile { width height } } }
  }
}
"""
TAGS = """
query Tags($name: String!) {
  findTags(tag_filter: {name: {value: $name, modifier: EQUALS}}) { tags { id } }
}
"""
STASH_BOXES = "query StashBoxes { configuration { general { stashBoxes { endpoint api_key } } } }"


@dataclass(frozen=True)
class Wanted:
    """Which of Stash's performers to read: changed since when, favourites, with a tag.

    `images` more pictures are requested per performer, unless `done` (called with the identity and
    the time of the change) says that nothing has changed.
    """

    since: str = ""
    favorites: bool = False
    tag: str = ""
    images: int = 0
    done: Callable[[Identity, str], bool] = lambda identity, updated_at: False  # noqa: ARG005


class Stash:
    """One Stash server."""

    def __init__(self, url: str, api_key: str) -> None:
        """Take its URL as shown in the browser, with or without /graphql."""
        trimmed = url.strip().rstrip("/").removesuffix("/graphql")
        if "://" not in trimmed:
            trimmed = f"http://{trimmed}"
        self._graphql = GraphQL(f"{trimmed}/graphql", api_key, what="Stash")
        self._home = self._graphql.url
        self.own_server = OwnServer(self._home, api_key)
        self.source = f"stash {trimmed}"

    def newest_change(self) -> str:
        """Return when any performer last changed, in Stash's own format; "" if there are none."""
        found = self._graphql.ask(NEWEST)["findPerformers"]["performers"]
        return str(found[0]["updated_at"]) if found else ""

    def read_performers(self, wanted: Wanted, downloads: Downloads) -> Iterator[SourceRecord]:
        """Yield performers page by page, with their cover and pictures of them alone.

        Raises:
            UnusableSourceError: Stash does not answer, or gives a wrong answer.
        """
        chosen = self._filter(wanted)
        page, read = 0, 0
        while True:
            page += 1
            variables = {"page": page, "per_page": PERFORMERS_PER_PAGE, "wanted": chosen}
            found = self._graphql.ask(PERFORMERS, variables)["findPerformers"]
            for entry in found["performers"]:
                yield self._record(entry, self._pictures(entry, wanted), downloads)
            read += len(found["performers"])
            if read >= found["count"] or not found["performers"]:
                return

    def stash_box_keys(self) -> dict[str, str]:
        """Return the API keys of the stash-boxes configured in Stash, by endpoint."""
        boxes = self._graphql.ask(STASH_BOXES)["configuration"]["general"]["stashBoxes"]
        return {box["endpoint"]: box["api_key"] for box in boxes}

    def stash_ids(self, endpoint: str) -> Iterator[str]:
        """Yield the ids that Stash's performers have at one stash-box."""
        nothing = Downloads()
        for record in self.read_performers(Wanted(), nothing):
            for identity in record.performer.stash_ids:
                if identity.source == endpoint:
                    yield identity.source_id

    def _filter(self, wanted: Wanted) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        if wanted.since:
            chosen["updated_at"] = {"value": wanted.since, "modifier": "GREATER_THAN"}
        if wanted.favorites:
            chosen["filter_favorites"] = True
        if wanted.tag:
            tags = self._graphql.ask(TAGS, {"name": wanted.tag})["findTags"]["tags"]
            if not tags:
                raise UnusableSourceError(f"Stash has no tag {wanted.tag!r}.")
            chosen["tags"] = {"value": [tags[0]["id"]], "modifier": "INCLUDES_ALL"}
        return chosen

    def _pictures(self, entry: dict[str, Any], wanted: Wanted) -> list[str]:
        identity = Identity(self.source, str(entry["id"]))
        if not wanted.images or wanted.done(identity, str(entry["updated_at"])):
            return []
        found = self._graphql.ask(IMAGES, {"performer": entry["id"], "count": wanted.images})
        # A video among the images has no width here.
        return [
            image["paths"]["image"]
            for image in found["findImages"]["images"]
            if image["paths"]["image"] and any(file.get("width") for file in image["visual_files"])
        ]

    def _record(
        self, entry: dict[str, Any], images: list[str], downloads: Downloads
    ) -> SourceRecord:
        cover = entry["image_path"] or ""
        # Stash draws a silhouette for performers without a picture, and the URL says so.
        covers = [cover] if cover and "default=true" not in cover else []
        photos = [self._at_home(address) for address in (*covers, *images)]
        performer = Performer(
            id=0,
            name=entry["name"],
            disambiguation=entry["disambiguation"] or "",
            aliases=tuple(entry["alias_list"]),
            urls=tuple(entry["urls"] or ()),
            source=self.source,
            source_id=str(entry["id"]),
            identities=tuple(
                Identity(one["endpoint"], one["stash_id"]) for one in entry["stash_ids"]
            ),
            poster_url=without_key(photos[0]) if covers else "",
        )
        return SourceRecord(
            performer,
            tuple(
                Photo(without_key(photo), functools.partial(downloads.fetch, photo))
                for photo in photos
            ),
            updated_at=str(entry["updated_at"]),
        )

    def _at_home(self, address: str) -> str:
        # Behind a proxy Stash may use a host in its URLs other than the one it was asked at.
        url = self._home.join(address)
        home = self._home
        return str(url.copy_with(scheme=home.scheme, host=home.host, port=home.port))
