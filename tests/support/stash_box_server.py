"""A stand-in for a stash-box: see `tests.support.graphql_server`."""

from typing import Any

from graphql import build_schema

from tests.support.graphql_server import StandIn

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
