"""What the type checker is told about the server and the start page is true."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from db.sqlite import checks
from function.library import lists
from function.main import ROUTES
from function.matching import audits
from function.web import reply
from function.web.library import (
    decisions,
    jobs,
    overview,
    person_names,
    review,
    stranger_changes,
    strangers,
)
from function.web.library import videos as library
from function.web.page import folders, gallery_views

ROOT = Path(__file__).parents[4]
TYPES = (ROOT / "function" / "web" / "page" / "types.d.ts").read_text()

NAMES_OF = {checks.Finding: "CheckFinding", audits.Finding: "AuditFinding"}
REPLIES = [
    *(reply.MatchReply, reply.PersonReply, reply.ProgressReply, reply.WaitingReply),
    *(reply.StashIdReply, reply.SourceReply),
    *(gallery_views.ListedReply, gallery_views.PhotoReply),
    *(folders.FileEntry, folders.FolderEntry, folders.FolderReply),
    *(overview.NamedInBrief, overview.VideoInBrief, overview.PerformerInBrief),
    *(overview.OverviewReply, lists.PersonListed),
    *(library.PicturedPerson, library.NumberedVideo, library.VideoReply, library.VideosReply),
    person_names.NamedHereReply,
    *(jobs.CountsReply, jobs.AtWorkReply, jobs.JobReply),
    *(strangers.StrangerReply, strangers.StrangersReply),
    *(strangers.SeenReply, strangers.OneStrangerReply),
    *(stranger_changes.NamedReply, stranger_changes.FillingReply, stranger_changes.UnnamedReply),
    *(stranger_changes.IgnoredReply, stranger_changes.SplitReply, stranger_changes.JoinedReply),
    *(review.ReviewedReply, review.ReviewReply),
    *(decisions.DecisionListed, decisions.DecisionsReply),
    *(decisions.DecidedReply, decisions.TakenBackReply),
    *(audits.PhotoNumber, audits.Finding, audits.Audit, checks.Finding),
]
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null"}


def fields_of(interface: str) -> dict[str, str]:
    (body,) = re.findall(rf"(?ms)^interface {interface} \{{\n(.*?)^\}}", TYPES)
    # A long union is written one kind a line.
    body = re.sub(r"\n +\| ", " | ", body).replace(": | ", ": ")
    return {name.strip('"'): kind for name, kind in re.findall(r"(?m)^  (\S+): (.+);$", body)}


def name_of(kind: Any) -> str:
    return NAMES_OF.get(kind, kind.__name__)


def in_typescript(kind: Any) -> str:
    """Write a Python type as TypeScript does."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin is Literal:
        return " | ".join(f'"{one}"' for one in arguments)
    if origin in (Union, UnionType):
        return " | ".join(in_typescript(one) for one in arguments)
    if origin is list or arguments[1:] == (...,):
        one = in_typescript(arguments[0])
        return f"({one})[]" if " | " in one else f"{one}[]"
    if origin in (tuple, dict):
        listed = ", ".join(in_typescript(one) for one in arguments)
        return f"Record<{listed}>" if origin is dict else f"[{listed}]"
    return name_of(kind)


@pytest.mark.parametrize("kind", REPLIES, ids=name_of)
def test_a_reply_has_the_fields_that_the_server_gives_it(kind: type) -> None:
    given = {name: in_typescript(hint) for name, hint in get_type_hints(kind).items()}
    assert fields_of(name_of(kind)) == given


def test_every_address_that_the_page_may_ask_is_answered() -> None:
    replies, told = fields_of("Replies"), fields_of("Fields")
    assert replies
    assert set(replies) <= set(ROUTES)
    assert set(told) <= {path for path in replies if "POST" in ROUTES[path][1]}


class _Ids(HTMLParser):
    """Keeps the tag of every element that has an id."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = dict(attrs).get("id")
        if name:
            self.tags[name] = tag


def test_the_ids_are_those_of_the_start_page() -> None:
    ids = _Ids()
    ids.feed((ROOT / "function" / "web" / "page" / "assets" / "index.html").read_text())
    assert {name: tag.strip('"') for name, tag in fields_of("TagsById").items()} == ids.tags


def test_what_checks_the_page_is_pinned_and_comes_from_the_public_registry() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["devDependencies"] == wanted
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    for package in packages.values():
        assert package["resolved"].startswith("https://registry.npmjs.org/")
        assert package["integrity"].startswith("sha512-")
