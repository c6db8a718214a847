"""A real stash-box that tests may fill, named by STASH_BOX_URL and STASH_BOX_API_KEY.

The address is as in Stash, with /graphql at its end. Performers are made in it, merged and deleted,
which its administrator may.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

URL = os.environ.get("STASH_BOX_URL", "")
KEY = os.environ.get("STASH_BOX_API_KEY", "")


@dataclass(frozen=True)
class LiveBox:
    """A stash-box that tests may fill; all names in it end with a word of this run."""

    client: httpx.Client
    word: str

    def ask(self, document: str, **variables: Any) -> Any:
        """Return what a GraphQL document is answered with; an error fails the test."""
        answer = self.client.post(URL, json={"query": document, "variables": variables})
        told = answer.json()
        assert not told.get("errors"), told
        return told["data"]

    def name(self, first: str) -> str:
        """Return the full name of somebody."""
        return f"{first} {self.word}"

    def add_picture(self, photo: Path) -> str:
        """Upload a picture, as GraphQL does it in a form; return its id."""
        document = "mutation I($file: Upload) { imageCreate(input: {file: $file}) { id } }"
        asked = {"query": document, "variables": {"file": None}}
        form = {"operations": json.dumps(asked), "map": json.dumps({"0": ["variables.file"]})}
        file = (photo.name, photo.read_bytes(), "image/jpeg")
        told = self.client.post(URL, data=form, files={"0": file}).json()
        return str(told["data"]["imageCreate"]["id"])

    def add(self, first: str, *photos: Path, disambiguation: str = "") -> str:
        """Make a performer; return the id."""
        fields = {
            "name": self.name(first),
            "disambiguation": disambiguation or None,
            "image_ids": [self.add_picture(one) for one in photos],
        }
        document = "mutation P($i: PerformerCreateInput!) { performerCreate(input: $i) { id } }"
        return str(self.ask(document, i=fields)["performerCreate"]["id"])

    def edit(self, operation: str, performer: str, **fields: Any) -> None:
        """Merge into a performer, or delete one, as an edit that is applied at once."""
        edit = {"operation": operation, "id": performer, "comment": "a test"}
        edit |= {name: fields.pop(name) for name in ("merge_source_ids",) if name in fields}
        document = "mutation E($i: PerformerEditInput!) { performerEdit(input: $i) { id } }"
        made = self.ask(document, i={"edit": edit, **fields})["performerEdit"]["id"]
        self.ask("mutation A($i: ApplyEditInput!) { applyEdit(input: $i) { id } }", i={"id": made})

    def remove(self, performers: list[str]) -> None:
        """Take performers out for good."""
        document = "mutation D($i: ID!) { performerDestroy(input: {id: $i}) }"
        for one in performers:
            self.ask(document, i=one)


@contextmanager
def open_live_box() -> Iterator[LiveBox]:
    """Ask the stash-box that the environment names, with its key."""
    with httpx.Client(headers={"ApiKey": KEY}, timeout=60) as client:
        yield LiveBox(client, f"of run {time.time_ns():x}")
