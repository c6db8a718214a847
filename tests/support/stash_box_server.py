"""A stand-in for a stash-box: see `tests.support.graphql_server`."""

from typing import Any

from graphql import build_schema

from tests.support.graphql_server import StandIn

TYPES = """
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
"""
STASH_BOX = build_schema(
    f"""{TYPES}
      searchPerformers(
        term: String! limit: Int page: Int per_page: Int
      ): QueryPerformersResultType!
    }}
    """
)
STASH_BOX_BEFORE_0_10 = build_schema(
    f"{TYPES} searchPerformer(term: String! limit: Int): [Performer!]! }}"
)


def stash_box(performers: list[dict[str, Any]], *, is_older: bool = False) -> StandIn:
    """A stash-box that holds these performers; an older one is asked for names in another way.

    Like a real one it finds only a few by name, unless it is told how many; the deleted never.
    """
    by_id = {one["id"]: one for one in performers}

    def search(_: object, term: str, limit: int = 5) -> list[dict[str, Any]]:
        return [
            one
            for one in performers
            if term.casefold() in one["name"].casefold() and not one["deleted"]
        ][:limit]

    def search_counted(_: object, term: str, limit: int = 10) -> dict[str, Any]:
        found = search(None, term, limit)
        return {"count": len(found), "performers": found}

    return StandIn(
        STASH_BOX_BEFORE_0_10 if is_older else STASH_BOX,
        {
            "findPerformer": lambda _, id: by_id.get(id),  # noqa: A006
            "searchPerformer": search,
            "searchPerformers": search_counted,
        },
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
