"""Stash's side of the recognition server: runs one task or one operation, and ends.

Stash starts it with one JSON object on standard input, and takes one from standard output. It is
the only way from Stash's page to the server: it forwards a fixed list of operations, to the address
in its own settings. It writes nothing itself, and logs neither names nor faces.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable
from urllib.parse import urlsplit

from recognition_server import PATIENCE_SECONDS, RecognitionError, Server, tidy_address, within

PLUGIN = "performer_recognition"
USUAL_ADDRESS = "http://localhost:8080"
USUAL_MIN_SCORE = 99.0
SETTINGS_AT = "Settings, Plugins, Performer Recognition"
SCRAPER_FILE = "performer_recognition.json"

Fields = dict[str, Any]

OPERATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "look": ("/stash/look", ("scene", "retry")),
    "view": ("/stash/view", ("scene", "pictures")),
    "add": ("/stash/add", ("scene", "people")),
    "add_sure": ("/stash/add-sure", ("scene",)),
    "reject": ("/stash/reject", ("scene", "person", "performer")),
    "create": (
        "/stash/create",
        ("scene", "person", "name", "disambiguation", "as_performer", "stash_id", "stash_ids"),
    ),
    "markers": ("/stash/markers", ("scene", "people")),
    "undo": ("/stash/undo", ("scene",)),
    "performer": ("/stash/performer", ("id",)),
    "names": ("/stash/names", ("text",)),
    "scan": ("/stash/task", ("filter",)),
}
"""What the page may ask for: where each goes, and which of its fields go along."""

FOLLOWED: dict[str, tuple[str, ...]] = {
    "add": ("tag",),
    "add_sure": ("tag", "min_score"),
    "create": ("tag",),
    "apply": ("tag", "min_score", "markers"),
}
"""What adds performers, and which settings it is told."""

TASKS: dict[str, Fields] = {
    "sync": {"kind": "sync"},
    "scan": {"kind": "scan", "filter": {}},
    "scan_without_performers": {"kind": "scan", "filter": {"without_performers": True}},
    "scan_pictures": {"kind": "scan", "pictures": True},
    "apply": {"kind": "apply", "filter": {}},
    "undo": {"kind": "undo"},
}

CONFIGURATION = """
query Configuration($plugins: [ID!]) {
  configuration { plugins(include: $plugins) general { apiKey username scrapersPath } }
  version { version }
}
"""

ONE_SCENE = """
query OneScene {
  findScenes(filter: {per_page: 1, sort: "id", direction: DESC}, scene_filter: {file_count:
    {value: 0, modifier: GREATER_THAN}}) {
    scenes { id files { path size fingerprints { type value } } }
  }
}
"""

STASH_BOXES = "query StashBoxes { configuration { general { stashBoxes { endpoint name } } } }"

LOOK_UP = """
query LookUp($endpoint: String!, $name: String!) {
  scrapeSinglePerformer(source: {stash_box_endpoint: $endpoint}, input: {query: $name}) {
    name disambiguation remote_site_id
  }
}
"""


def log(level: str, text: str) -> None:
    """Write a line for Stash's log; the level is t, d, i, w or e, for trace to error."""
    sys.stderr.write(f"\x01{level}\x02{text}\n")


class Stash:
    """The Stash that started this script, asked with the session that it lent."""

    def __init__(self, connection: Fields) -> None:
        self.scheme = str(connection.get("Scheme") or "http")
        self.port = int(connection.get("Port") or 9999)
        host = str(connection.get("Host") or "")
        # Where it listens everywhere, this machine's own address is the one that always works.
        self.host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104
        self._cookie = connection.get("SessionCookie") or {}

    def ask(self, document: str, **variables: Any) -> Fields:
        """Return what a GraphQL document is answered with.

        Raises:
            RecognitionError: Stash does not answer, or refuses.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        request = urllib.request.Request(  # noqa: S310  # to Stash itself
            f"{self.scheme}://{host}:{self.port}/graphql",
            json.dumps({"query": document, "variables": variables}).encode(),
            {"Content-Type": "application/json", "Cookie": self._cookie_text()},
        )

        def read() -> Any:
            with self._opener().open(request, timeout=PATIENCE_SECONDS) as answer:
                return json.load(answer)

        try:
            got = within(PATIENCE_SECONDS, read)
        except urllib.error.HTTPError as error:
            raise RecognitionError(
                f"Stash refused a question of its plugin ({error.code}). Stash v0.30 or newer is "
                "needed; update it."
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise RecognitionError(f"Stash does not answer its own plugin ({error}).") from None
        if got.get("errors"):
            raise RecognitionError(f"Stash says: {got['errors'][0]['message']}")
        return dict(got["data"])

    def _cookie_text(self) -> str:
        name, value = self._cookie.get("Name"), self._cookie.get("Value")
        return f"{name}={value}" if name else ""

    def _opener(self) -> urllib.request.OpenerDirector:
        # Its certificate names another host than this machine's own address, so nothing is checked.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )


class Settings:
    """What the user set in Stash, with what counts where nothing is set."""

    def __init__(self, found: Fields) -> None:
        self.address = tidy_address(str(found.get("address") or "")) or USUAL_ADDRESS
        self.token = str(found.get("token") or "").strip()
        self.stash_address = str(found.get("stash_address") or "").strip().rstrip("/")
        self.min_score = float(found.get("min_score") or USUAL_MIN_SCORE)
        self.markers = bool(found.get("markers"))
        self.tag = str(found.get("tag") or "").strip()
        self.only = {
            name: str(found.get(f"only_{name}") or "").strip() for name in ("tag", "studio", "path")
        }
        self.stash_box = bool(found.get("stash_box"))

    def server(self) -> Server:
        """Return the server at the address that is set."""
        return Server(self.address, self.token, SETTINGS_AT)

    def for_finding(self) -> Fields:
        """Return which scenes the tasks that find people look at, as the server reads it."""
        return {name: value for name, value in self.only.items() if value}

    def for_writing(self, name: str) -> Fields:
        """Return what an operation or a task has to follow, as the server reads it."""
        told = {"min_score": self.min_score, "tag": self.tag, "markers": self.markers}
        return {field: told[field] for field in FOLLOWED.get(name, ())}


def read_settings(stash: Stash) -> tuple[Settings, Fields]:
    """Return the plugin's settings, and the answer that they stood in."""
    told = stash.ask(CONFIGURATION, plugins=[PLUGIN])
    return Settings(told["configuration"]["plugins"].get(PLUGIN) or {}), told


def run_operation(name: str, fields: Fields, stash: Stash) -> Any:
    """Do what the page asks for, and return the server's answer.

    Raises:
        RecognitionError: it is not one of the operations, or it failed.
    """
    if name == "check":
        return {"lines": check(stash)}
    settings, _ = read_settings(stash)
    if name == "status":
        return settings.server().ask("/stash/status")
    if name not in OPERATIONS:
        raise RecognitionError("The page and the script of this plugin differ. Reload the page.")
    path, allowed = OPERATIONS[name]
    body = {field: fields[field] for field in allowed if field in fields}
    if name == "scan":
        body["kind"] = "scan"
    answer = settings.server().ask(path, {**body, **settings.for_writing(name)})
    if name in FOLLOWED and settings.markers and body["scene"].get("kind", "scene") == "scene":
        return mark(body["scene"], answer, settings.server())
    if name == "names" and settings.stash_box:
        answer["names"] = [*answer["names"], *look_up(str(fields.get("text", "")), stash)]
    return answer


def mark(scene: Fields, view: Fields, server: Server) -> Fields:
    """Mark when those were seen who were added to a scene and are not marked yet."""
    bare = [one["person"] for one in view["people"] if one["added"] and not one["markers"]]
    return server.ask("/stash/markers", {"scene": scene, "people": bare}) if bare else view


def look_up(name: str, stash: Stash) -> list[Fields]:
    """Ask the user's stash-boxes, through Stash, who is called that."""
    found: list[Fields] = []
    for box in stash.ask(STASH_BOXES)["configuration"]["general"]["stashBoxes"]:
        try:
            answer = stash.ask(LOOK_UP, endpoint=box["endpoint"], name=name)
        except RecognitionError:
            log("w", f"The stash-box {box['name']} did not answer.")
            continue
        found += [
            {
                "name": one["name"],
                "disambiguation": one["disambiguation"] or box["name"],
                "stash_ids": [{"endpoint": box["endpoint"], "stash_id": one["remote_site_id"]}],
                # Without it Stash refuses whoever has the name of somebody else.
                **({"told_apart_by": one["disambiguation"]} if one["disambiguation"] else {}),
            }
            for one in answer["scrapeSinglePerformer"]
        ]
    return found


def run_task(name: str, stash: Stash) -> str:
    """Do what a task of Stash says, which hands the work to the server; return what to tell.

    Raises:
        RecognitionError: there is no such task, or it failed.
    """
    if name == "check":
        # What was seen names files and addresses: the page shows it, the log only counts.
        passed = [line["ok"] for line in check(stash)]
        text = f"{sum(passed)} of {len(passed)} checks passed."
        if not all(passed):
            text += f" What is wrong is shown under {SETTINGS_AT}, Check connection."
        log("i" if all(passed) else "w", text)
        return text
    if name not in TASKS:
        raise RecognitionError(f"There is no task {name!r}; there are check, {', '.join(TASKS)}.")
    settings, _ = read_settings(stash)
    body = {**TASKS[name], **settings.for_writing(name)}
    if "filter" in body and body["kind"] == "scan":
        body["filter"] = {**body["filter"], **settings.for_finding()}
    told = str(settings.server().ask("/stash/task", body).get("text", "Queued."))
    text = f"{told} How it stands is shown under {SETTINGS_AT}."
    log("i", text)
    return text


def check(stash: Stash) -> list[Fields]:
    """Connect both sides where they are not yet, and say what each sees."""
    lines: list[Fields] = []

    def attempt(step: Callable[[], list[Fields]]) -> bool:
        try:
            lines.extend(step())
        except RecognitionError as error:
            lines.append({"ok": False, "text": str(error)})
        return all(line["ok"] for line in lines)

    settings, told = read_settings(stash)
    general = told["configuration"]["general"]
    (
        attempt(lambda: _greet(settings, told["version"]["version"]))
        and attempt(lambda: _connect(settings, stash, general))
        and attempt(lambda: _compare_files(settings, stash))
    )
    attempt(lambda: _hand_to_scraper(settings, general["scrapersPath"]))
    return lines


def _greet(settings: Settings, stash_version: str | None) -> list[Fields]:
    settings.server().ask("/stash/status")
    text = f"The server answers at {settings.address}; this is Stash {stash_version}."
    return [{"ok": True, "text": text}]


def _connect(settings: Settings, stash: Stash, general: Fields) -> list[Fields]:
    """Hand the server an address and a key of this Stash, with which it reads and writes."""
    if general["username"] and not general["apiKey"]:
        raise RecognitionError(
            "This Stash has a password, but no API key, with which the server could read and "
            "write. Generate one under Settings, Security, and check again."
        )
    address = settings.stash_address or _guess_address(settings, stash)
    body = {"url": address, "api_key": general["apiKey"]}
    try:
        got = settings.server().ask("/stash/connect", body)
    except RecognitionError as error:
        raise RecognitionError(
            f"The server tried to reach this Stash at {address}: {error} If it has another address "
            f"from there, set it ({SETTINGS_AT}, Address of this Stash)."
        ) from None
    text = f"The server reaches this Stash at {address}; scenes that it sees: {got['scenes']}."
    return [{"ok": True, "text": text}]


def _guess_address(settings: Settings, stash: Stash) -> str:
    """Return an address at which the server should reach this Stash: the one we reach it from."""
    parts = urlsplit(settings.address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((parts.hostname or "localhost", parts.port or 80))  # sends nothing
            own = probe.getsockname()[0]
        except OSError:
            own = stash.host
    return f"{stash.scheme}://{own}:{stash.port}"


def _compare_files(settings: Settings, stash: Stash) -> list[Fields]:
    scenes = stash.ask(ONE_SCENE)["findScenes"]["scenes"]
    if not scenes:
        return [{"ok": True, "text": "There is no scene with a file to compare yet."}]
    scene = {
        "kind": "scene",
        "id": scenes[0]["id"],
        "files": [_file(f) for f in scenes[0]["files"]],
    }
    got = settings.server().ask("/stash/check", {"scene": scene})
    return [{"ok": bool(one["ok"]), "text": str(one["text"])} for one in got["lines"]]


def _file(found: Fields) -> Fields:
    prints = {one["type"]: one["value"] for one in found["fingerprints"]}
    return {"path": found["path"], "size": int(found["size"]), "oshash": prints.get("oshash", "")}


def _hand_to_scraper(settings: Settings, folder: str) -> list[Fields]:
    """Write address and token beside the scraper, if it is installed: Stash tells it neither."""
    found = list(Path(folder).glob(f"**/{PLUGIN}.yml")) if folder else []
    for scraper in found:
        path = scraper.with_name(SCRAPER_FILE)
        try:
            _write_privately(path, {"address": settings.address, "token": settings.token})
        except OSError as error:
            raise RecognitionError(f"The scraper's {path} cannot be written ({error}).") from None
    return [{"ok": True, "text": "The scraper has the address and the token."}] if found else []


def _write_privately(path: Path, content: Fields) -> None:
    """Write a file that only Stash's own user may read: it holds the token.

    It is a new one, whatever others were allowed with one of that name, or wherever it led.
    """
    new = path.with_name(path.name + ".new")
    if new.is_symlink() or new.exists():
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    new.replace(path)


def main() -> None:
    """Run what standard input asks for, and print the outcome."""
    asked = json.load(sys.stdin)
    fields = asked.get("args") or {}
    stash = Stash(asked.get("server_connection") or {})
    is_task = "task" in fields
    try:
        if is_task:
            outcome: Fields = {"output": run_task(str(fields["task"]), stash)}
        else:
            outcome = {"output": run_operation(str(fields.get("operation")), fields, stash)}
    except RecognitionError as error:
        if is_task:
            log("e", str(error))
        # An operation's error is an answer: the page shows it in place.
        outcome = {"error": str(error)} if is_task else {"output": {"error": str(error)}}
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
