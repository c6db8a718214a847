"""A stash-box such as StashDB: only performers the user named or already has, never all."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import httpx

from db.names import name_key
from db.records import Identity, Performer
from function.sources.downloads import Downloads, OwnServer
from function.sources.graphql import GraphQL
from function.sources.records import (
    NotSupportedError,
    OddAnswerError,
    Photo,
    Refusal,
    RefusedError,
    SourceRecord,
)
from function.sources.shapes import text_in, texts_in, understood

FIELDS = """
  id name disambiguation aliases deleted merged_ids merged_into_id updated
  urls { url }
  images { url width height }
"""
BY_ID = f"query ById($id: ID!) {{ findPerformer(id: $id) {{ {FIELDS} }} }}"
MOST_FOUND = 50
"""This many performers of similar names are looked through; by itself a stash-box gives 5 or 10."""

BY_NAME = f"""
query ByName($term: String!) {{
  searchPerformers(term: $term, limit: {MOST_FOUND}) {{ performers {{ {FIELDS} }} }}
}}
"""
BY_NAME_BEFORE_0_10 = f"""
query ByName($term: String!) {{ searchPerformer(term: $term, limit: {MOST_FOUND}) {{ {FIELDS} }} }}
"""
MAX_MERGES = 10
"""How many merges to follow from a performer to the one they became."""


class StashBox:
    """One stash-box, queried at most 240 times a minute."""

    def __init__(self, endpoint: str, api_key: str, images: int = 5) -> None:
        """Take the endpoint as Stash writes it; of each performer's pictures, use the first few."""
        self.endpoint = endpoint
        self._graphql = GraphQL(endpoint, api_key, what="stash-box", is_throttled=True)
        self._images = images
        self._is_older = False

    @property
    def own_server(self) -> OwnServer:
        """The server itself, whose pictures may lie at a private address: the user named it.

        Its pictures are open, so the key is not sent for them.
        """
        return OwnServer(httpx.URL(self.endpoint))

    def read_ids(
        self, stash_ids: Iterable[str], downloads: Downloads
    ) -> Iterator[SourceRecord | Refusal]:
        """Yield the performers with these ids; merged ones are followed, deleted ones refused.

        Raises:
            UnusableSourceError: the stash-box does not answer, or gives a wrong answer.
        """
        for stash_id in dict.fromkeys(stash_ids):
            yield self._guarded(stash_id, partial(self._follow, stash_id, downloads))

    def read_names(
        self, names: Iterable[str], downloads: Downloads
    ) -> Iterator[SourceRecord | Refusal]:
        """Yield the performers with these names; one that several have is refused, with their ids.

        Raises:
            UnusableSourceError: the stash-box does not answer, or gives a wrong answer.
        """
        for name in names:
            yield self._guarded(name, partial(self._find, name, downloads))

    def _guarded(
        self, asked: str, read: Callable[[], SourceRecord | Refusal]
    ) -> SourceRecord | Refusal:
        """Read one performer; an answer that is wrong for them costs only them."""
        try:
            return read()
        except NotSupportedError:
            raise
        except (RefusedError, OddAnswerError) as error:
            return Refusal(asked, self.endpoint, str(error))

    @understood("The stash-box")
    def _find(self, name: str, downloads: Downloads) -> SourceRecord | Refusal:
        found = [
            entry
            for entry in self._search(name)
            if name_key(text_in(entry["name"])) == name_key(name) and not entry["deleted"]
        ]
        if len(found) == 1:
            return self._record(found[0], (), downloads)
        return Refusal(name, self.endpoint, _explain(found))

    def _search(self, name: str) -> list[dict[str, Any]]:
        """Ask for a name as stash-boxes take it from 0.10 on, or as they did before."""
        asked = {"term": name}
        try:
            if not self._is_older:
                return list(self._graphql.ask(BY_NAME, asked)["searchPerformers"]["performers"])
        except NotSupportedError:
            self._is_older = True
        return list(self._graphql.ask(BY_NAME_BEFORE_0_10, asked)["searchPerformer"])

    @understood("The stash-box")
    def _follow(self, stash_id: str, downloads: Downloads) -> SourceRecord | Refusal:
        asked, passed = stash_id, []
        for _ in range(MAX_MERGES):
            entry = self._graphql.ask(BY_ID, {"id": asked})["findPerformer"]
            if entry is None:
                return Refusal(stash_id, self.endpoint, "the stash-box does not have this id")
            if not entry["merged_into_id"]:
                break
            passed.append(asked)
            asked = entry["merged_into_id"]
        else:
            return Refusal(stash_id, self.endpoint, "merged too many times in a row")
        if entry["deleted"]:
            return Refusal(text_in(entry["name"]), self.endpoint, "deleted at the stash-box")
        return self._record(entry, passed, downloads)

    def _record(
        self, entry: dict[str, Any], passed: Iterable[str], downloads: Downloads
    ) -> SourceRecord:
        former = dict.fromkeys((*passed, *texts_in(entry["merged_ids"])))
        pictures = sorted(entry["images"], key=lambda one: -min(one["width"], one["height"]))
        addresses = texts_in([picture["url"] for picture in pictures[: self._images]])
        performer = Performer(
            id=0,
            name=text_in(entry["name"]),
            disambiguation=text_in(entry["disambiguation"]),
            aliases=texts_in(entry["aliases"]),
            urls=texts_in([one["url"] for one in entry["urls"]]),
            source=self.endpoint,
            source_id=text_in(entry["id"]),
            identities=tuple(Identity(self.endpoint, stash_id) for stash_id in former),
            poster_url=addresses[0] if addresses else "",
        )
        photos = tuple(Photo(address, partial(downloads.fetch, address)) for address in addresses)
        return SourceRecord(performer, photos, updated_at=str(entry["updated"]))


def _explain(found: list[dict[str, Any]]) -> str:
    if not found:
        return "the stash-box has no performer with exactly this name"
    known = "; ".join(f"{one['id']} ({one['disambiguation'] or 'nothing more'})" for one in found)
    return f"{len(found)} performers have this name; give --id: {known}"
