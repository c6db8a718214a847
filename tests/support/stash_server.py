"""A stand-in for Stash and for a stash-box: a small GraphQL server on this machine.

graphql-core checks every query against the schemas written down here, so a query that the real
servers would refuse is refused. Troubles can be ordered: busy answers, HTML, photos that are slow,
broken or missing.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync

STASH = build_schema(
    """
    scalar Time
    enum SortDirectionEnum { ASC DESC }
    enum CriterionModifier { EQUALS GREATER_THAN INCLUDES INCLUDES_ALL }
    input FindFilterType {
      q: String page: Int per_page: Int sort: String direction: SortDirectionEnum
    }
    input StringCriterionInput { value: String! modifier: CriterionModifier! }
    input IntCriterionInput { value: Int! value2: Int modifier: CriterionModifier! }
    input TimestampCriterionInput { value: String! value2: String modifier: CriterionModifier! }
    input MultiCriterionInput { value: [ID!] modifier: CriterionModifier! }
    input HierarchicalMultiCriterionInput {
      value: [ID!] modifier: CriterionModifier! depth: Int
    }
    input PerformerFilterType {
      filter_favorites: Boolean
      tags: HierarchicalMultiCriterionInput
      updated_at: TimestampCriterionInput
    }
    input ImageFilterType {
      performers: MultiCriterionInput
      performer_count: IntCriterionInput
    }
    input TagFilterType { name: StringCriterionInput }
    type StashID { endpoint: String! stash_id: String! }
    type Tag { id: ID! name: String! }
    type Performer {
      id: ID! name: String! disambiguation: String alias_list: [String!]! urls: [String!]
      image_path: String updated_at: Time! favorite: Boolean! tags: [Tag!]! stash_ids: [StashID!]!
    }
    type FindPerformersResultType { count: Int! performers: [Performer!]! }
    type ImageFile { path: String! width: Int! height: Int! }
    type VideoFile { path: String! duration: Float! }
    union VisualFile = ImageFile | VideoFile
    type ImagePathsType { thumbnail: String image: String }
    type Image { id: ID! paths: ImagePathsType! visual_files: [VisualFile!]! }
    type FindImagesResultType { count: Int! images: [Image!]! }
    type FindTagsResultType { count: Int! tags: [Tag!]! }
    type StashBox { name: String! endpoint: String! api_key: String! }
    type ConfigGeneralResult { stashBoxes: [StashBox!]! }
    type ConfigResult { general: ConfigGeneralResult! }
    type Query {
      findPerformers(
        filter: FindFilterType performer_filter: PerformerFilterType
      ): FindPerformersResultType!
      findImages(filter: FindFilterType image_filter: ImageFilterType): FindImagesResultType!
      findTags(filter: FindFilterType tag_filter: TagFilterType): FindTagsResultType!
      configuration: ConfigResult!
    }
    """
)

STASH_BOX = build_schema(
    """
    scalar Time
    type Site { name: String! }
    type URL { url: String! site: Site! }
    type Image { id: ID! url: String! width: Int! height: Int! }
    type Performer {
      id: ID! name: String! disambiguation: String aliases: [String!]! urls: [URL!]!
      images: [Image!]! deleted: Boolean! merged_ids: [ID!]! merged_into_id: ID updated: Time!
    }
    type QueryPerformersResultType { count: Int! performers: [Performer!]! }
    type Query {
      findPerformer(id: ID!): Performer
      searchPerformers(
        term: String! limit: Int page: Int per_page: Int
      ): QueryPerformersResultType!
    }
    """
)


@dataclass
class Answer:
    """What the server says to one request for a photo, or instead of an answer to a query."""

    body: bytes = b""
    status: int = 200
    media_type: str = "image/jpeg"
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    claimed_bytes: int | None = None


@dataclass
class StandIn:
    """A running server: its address, what it holds, what it was asked."""

    schema: GraphQLSchema
    root: dict[str, Callable[..., Any]]
    api_key: str = "right"
    url: str = ""
    photos: dict[str, Answer] = field(default_factory=dict)
    troubles: list[Answer] = field(default_factory=list)
    queries: list[dict[str, Any]] = field(default_factory=list)
    photo_requests: list[tuple[str, str]] = field(default_factory=list)
    busiest: int = 0
    _busy: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer_query(self, asked: dict[str, Any], api_key: str) -> Answer:
        self.queries.append(asked)
        if self.troubles:
            return self.troubles.pop(0)
        if api_key != self.api_key:
            return Answer(b"", 401, "text/plain")
        result = graphql_sync(
            self.schema, asked["query"], self.root, variable_values=asked["variables"]
        )
        body = json.dumps(result.formatted).encode()
        return Answer(body, 422 if result.data is None else 200, "application/json")

    def answer_photo(self, path: str, api_key: str) -> Answer:
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
            self.photo_requests.append((path, api_key))
        answer = self.photos.get(path, Answer(b"gone", 404, "text/plain"))
        time.sleep(answer.delay_seconds)
        with self._lock:
            self._busy -= 1
        return answer


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    """Run a stand-in on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base class says so
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(stand_in.answer_query(asked, self.headers.get("ApiKey", "")))

        def do_GET(self) -> None:  # the base class says so
            path = self.path.partition("?")[0]
            self._send(stand_in.answer_photo(path, self.headers.get("ApiKey", "")))

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            length = len(answer.body) if answer.claimed_bytes is None else answer.claimed_bytes
            self.send_header("Content-Length", str(length))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()


def stash(performers: list[dict[str, Any]]) -> StandIn:
    """A Stash that holds these performers; each may bring `images`, `favorite` and `tags`."""
    stand_in = StandIn(STASH, {})

    def find_performers(
        _: object,
        filter: dict[str, Any],  # noqa: A002  # the schema says so
        performer_filter: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        chosen = [one for one in performers if _is_wanted(one, performer_filter or {})]
        key = "updated_at" if filter["sort"] == "updated_at" else "id"
        chosen.sort(key=lambda one: one[key], reverse=filter["direction"] == "DESC")
        start = (filter["page"] - 1) * filter["per_page"]
        return {"count": len(chosen), "performers": chosen[start : start + filter["per_page"]]}

    def find_images(
        _: object,
        filter: dict[str, Any],  # noqa: A002  # the schema says so
        image_filter: dict[str, Any],
    ) -> dict[str, Any]:
        (wanted,) = image_filter["performers"]["value"]
        assert image_filter["performer_count"] == {"value": 1, "modifier": "EQUALS"}
        owner = next(one for one in performers if str(one["id"]) == wanted)
        images = owner.get("images", [])[: filter["per_page"]]
        return {"count": len(images), "images": images}

    def find_tags(_: object, tag_filter: dict[str, Any]) -> dict[str, Any]:
        tags = {tag["id"]: tag for one in performers for tag in one["tags"]}
        found = [tag for tag in tags.values() if tag["name"] == tag_filter["name"]["value"]]
        return {"count": len(found), "tags": found}

    stand_in.root.update(
        findPerformers=find_performers,
        findImages=find_images,
        findTags=find_tags,
        configuration=lambda _: {"general": {"stashBoxes": []}},
    )
    return stand_in


def stash_box(performers: list[dict[str, Any]]) -> StandIn:
    """A stash-box that holds these performers."""
    by_id = {one["id"]: one for one in performers}

    def search(_: object, term: str) -> dict[str, Any]:
        found = [one for one in performers if term.casefold() in one["name"].casefold()]
        return {"count": len(found), "performers": found}

    return StandIn(
        STASH_BOX,
        {"findPerformer": lambda _, id: by_id.get(id), "searchPerformers": search},  # noqa: A006
    )


def in_stash(number: int, name: str, **fields: Any) -> dict[str, Any]:
    """A performer as Stash gives one out, with a cover unless `image_path` says otherwise."""
    return {
        "id": number,
        "name": name,
        "disambiguation": None,
        "alias_list": [],
        "urls": [],
        "image_path": f"http://behind.a.proxy/performer/{number}/image?t=1",
        "updated_at": f"2026-01-01T00:00:{number:02}Z",
        "favorite": False,
        "tags": [],
        "stash_ids": [],
        **fields,
    }


def in_box(stash_id: str, name: str, **fields: Any) -> dict[str, Any]:
    """A performer as a stash-box gives one out."""
    return {
        "id": stash_id,
        "name": name,
        "disambiguation": None,
        "aliases": [],
        "urls": [],
        "images": [],
        "deleted": False,
        "merged_ids": [],
        "merged_into_id": None,
        "updated": "2026-01-01T00:00:00Z",
        **fields,
    }


def image(path: str, *, is_video: bool = False) -> dict[str, Any]:
    """An image of Stash's, at a path of the stand-in."""
    file = {"__typename": "ImageFile", "path": "/x.jpg", "width": 600, "height": 800}
    if is_video:
        file = {"__typename": "VideoFile", "path": "/x.mp4", "duration": 1.0}
    return {"id": path, "paths": {"image": f"http://behind.a.proxy{path}"}, "visual_files": [file]}


def _is_wanted(one: dict[str, Any], chosen: dict[str, Any]) -> bool:
    since = chosen.get("updated_at", {"value": ""})["value"]
    tags = set(chosen.get("tags", {"value": []})["value"])
    return (
        one["updated_at"] > since
        and (one["favorite"] or not chosen.get("filter_favorites"))
        and tags <= {tag["id"] for tag in one["tags"]}
    )
