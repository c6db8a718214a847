"""A real Stash that tests may fill and change, named by STASH_URL and STASH_API_KEY.

It must be one for testing: everything in it that is not ours is a reason to refuse it.
"""

import base64
import json
import os
import shutil
import socket
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from tools.footage.videos import moving_picture, read_portrait, write_video

PLUGIN = "performer_recognition"
TOKEN = "for-the-plugin"
MASTER = "for-the-owner"
FOLDER = "recognition-tests"
MADE_SCENE = "Made by a test of recognition,"
"""How the titles of scenes without a file begin that tests make."""
PATIENCE_SECONDS = 120.0

FILMS = {
    "evening.mp4": ("obama3.jpg", "astronaut.png", "hopper.jpg"),
    "morning.mp4": ("obama3.jpg",),
    "noon.mp4": ("hopper.jpg",),
    "cat.mp4": ("cat.png",),
}
ALBUM = "album.zip"
PERFORMERS = {"Barack Obama": "obama1.jpg", "Grace Hopper": "hopper.jpg"}


@dataclass(frozen=True)
class LiveStash:
    """The Stash under test; `folder` is where its library is, for both of us."""

    url: str
    api_key: str = field(repr=False)
    folder: Path

    def ask(self, document: str, **variables: Any) -> Any:
        """Return what Stash answers to a GraphQL document; an error fails the test."""
        return ask(self.url, self.api_key, document, **variables)

    def finish(self, job: str) -> None:
        """Wait until a job ended."""
        document = "query J($id: ID!) { findJob(input: {id: $id}) { status error } }"

        def is_over() -> bool:
            found = self.ask(document, id=job)["findJob"]
            return found is None or found["status"] in ("FINISHED", "FAILED", "CANCELLED")

        wait_for(is_over)

    def run_task(self, name: str) -> None:
        """Run one of the plugin's tasks, as the button under Settings, Tasks does."""
        document = "mutation T($p: ID!, $n: String) { runPluginTask(plugin_id: $p, task_name: $n) }"
        self.finish(self.ask(document, p=PLUGIN, n=name)["runPluginTask"])

    def run_operation(self, **arguments: Any) -> Any:
        """Run an operation of the plugin, as its page does."""
        document = "mutation O($p: ID!, $a: Map) { runPluginOperation(plugin_id: $p, args: $a) }"
        return self.ask(document, p=PLUGIN, a=arguments)["runPluginOperation"]

    def scene(self, name: str) -> dict[str, Any]:
        """Return the scene of one of our films."""
        document = """{ findScenes(filter: {per_page: -1}) { scenes {
          id files { path } performers { id name } tags { name }
          scene_markers { title seconds end_seconds primary_tag { name } }
        } } }"""
        (found,) = (
            one
            for one in self.ask(document)["findScenes"]["scenes"]
            if Path(one["files"][0]["path"]).name == name
        )
        return dict(found)

    def subject(self, name: str) -> dict[str, Any]:
        """Return the scene of one of our films as the plugin's operations take it."""
        scene = self.scene(name)
        files = [{"path": one["path"]} for one in scene["files"]]
        return {"kind": "scene", "id": scene["id"], "files": files}

    def picture(self, path: str) -> dict[str, Any]:
        """Return one of our images, or our gallery, by the end of its path."""
        document = """{
          findImages(filter: {per_page: -1}) { images {
            id performers { name } tags { name } visual_files { ... on ImageFile { path } } } }
          findGalleries(filter: {per_page: -1}) { galleries {
            id performers { name } tags { name } files { path } } }
        }"""
        held = self.ask(document)
        for one in held["findImages"]["images"] + held["findGalleries"]["galleries"]:
            if (one.get("visual_files") or one.get("files"))[0]["path"].endswith(path):
                return dict(one)
        raise AssertionError(path)

    def gallery_by_hand(self) -> str:
        """Put our images together to a gallery of no folder; return its id."""
        images = [self.picture(at)["id"] for at in ("picture.jpg", "1.jpg", "2.jpg")]
        made = self.ask("""mutation { galleryCreate(input: {title: "By hand"}) { id } }""")
        document = """mutation A($g: ID!, $i: [ID!]!) {
          addGalleryImages(input: {gallery_id: $g, image_ids: $i}) }"""
        self.ask(document, g=made["galleryCreate"]["id"], i=images)
        return str(made["galleryCreate"]["id"])

    def names_on(self, path: str) -> set[str]:
        """Return who is on one of our images, or in our gallery, as Stash says."""
        return {one["name"] for one in self.picture(path)["performers"]}

    def names_in(self, name: str) -> set[str]:
        """Return who is in the scene of one of our films, as Stash says."""
        return {one["name"] for one in self.scene(name)["performers"]}

    @contextmanager
    def asking(self, stash_box: str, api_key: str) -> Iterator[None]:
        """Set a stash-box up in it for a while, under the name Box."""
        document = (
            "mutation C($i: ConfigGeneralInput!) { configureGeneral(input: $i) { username } }"
        )
        box = {"name": "Box", "endpoint": stash_box, "api_key": api_key}
        self.ask(document, i={"stashBoxes": [box]})
        try:
            yield
        finally:
            self.ask(document, i={"stashBoxes": []})

    def log(self) -> list[str]:
        """Return the lines of Stash's log."""
        return [one["message"] for one in self.ask("{ logs { message } }")["logs"]]


def ask(url: str, api_key: str, document: str, **variables: Any) -> Any:
    """Ask a Stash."""
    body = json.dumps({"query": document, "variables": variables}).encode()
    headers = {"Content-Type": "application/json", "ApiKey": api_key}
    request = urllib.request.Request(f"{url}/graphql", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            got = json.load(answer)
    except HTTPError as error:
        raise AssertionError(error.read().decode()) from error
    assert not got.get("errors"), got["errors"]
    return got["data"]


def wait_for(is_so: Any, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so; fail if it never is."""
    deadline = time.monotonic() + patience_seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


def settings_beside(stash: LiveStash, folder: Path) -> dict[str, object]:
    """Return the settings of a server of ours that keeps what it knows in a folder."""
    return {
        "MEDIA_ROOT": stash.folder,
        "PERFORMERS_DB": folder / "g.db",
        "LIBRARY_DB": folder / "l.db",
        "PLUGIN_TOKEN": TOKEN,
        "TOKEN": MASTER,
        "STRANGERS": "keep",
        # Nothing of ours: the plugin tells it where Stash is.
        "STASH_URL": "",
        "STASH_API_KEY": "",
    }


def configure(stash: LiveStash, **settings: Any) -> None:
    """Change the plugin's settings: to these, and no others."""
    document = "mutation C($p: ID!, $i: Map!) { configurePlugin(plugin_id: $p, input: $i) }"
    stash.ask(document, p=PLUGIN, i=settings)


def ask_ours(ours: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask our server, as its owner."""
    headers = {"X-Token": MASTER, "Content-Type": "application/json", "X-Recognition-Page": "1"}
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(ours + path, content, headers)) as answer:
        return json.load(answer)


def wait_for_quiet(ours: str) -> None:
    """Wait until our server has nothing left to do for Stash."""

    def is_quiet() -> bool:
        status = ask_ours(ours, "/stash/status")
        open_tasks = [one for one in status["tasks"] if one["state"] not in ("done", "failed")]
        return not (status["queued"] or status["working"] or open_tasks)

    wait_for(is_quiet)


def put_notes(ask: Callable[..., Any], notes: Mapping[str, Any]) -> None:
    """Let these be the notes of libraries in a Stash, in place of those that are there."""
    document = "mutation N($k: String!, $v: Any) { configureUISetting(key: $k, value: $v) }"
    ask(document, k="performerRecognition", v=notes)


def open_live_stash(photos: Path) -> LiveStash:
    """Fill the Stash that the environment names with our films and performers, or skip."""
    url = os.environ.get("STASH_URL", "").rstrip("/")
    if not url:
        pytest.skip("STASH_URL names no Stash to test in (and STASH_API_KEY its key)")
    api_key = os.environ.get("STASH_API_KEY", "")
    (library, *_) = ask(url, api_key, "{configuration{general{stashes{path}}}}")["configuration"][
        "general"
    ]["stashes"]
    stash = LiveStash(url, api_key, Path(library["path"]))
    _empty(stash)
    _fill(stash, photos)
    # Or else its release notes lie over the page when it is opened first.
    stash.ask('mutation { configureUISetting(key: "lastNoteSeen", value: 99999999) }')
    return stash


def _empty(stash: LiveStash) -> None:
    """Take out what an earlier run left; refuse a Stash that holds anything else."""
    held = stash.ask(
        """{ findScenes(filter: {per_page: -1}) { scenes { id title files { path } } }
        findImages(filter: {per_page: -1}) { images { id } }
        findGalleries(filter: {per_page: -1}) { galleries { id } }
        findPerformers(filter: {per_page: -1}) { performers { id } }
        findTags(filter: {per_page: -1}) { tags { id } } }"""
    )
    scenes = held["findScenes"]["scenes"]
    strange = [one for one in scenes if not _is_ours(one)]
    if strange:
        pytest.fail(f"{stash.url} holds {len(strange)} scenes; give the tests a Stash of their own")
    for kind, ids in (
        ("scenes", [one["id"] for one in scenes]),
        ("images", [one["id"] for one in held["findImages"]["images"]]),
    ):
        document = f"mutation D($i: [ID!]!) {{ {kind}Destroy(input: {{ids: $i}}) }}"
        stash.ask(document, i=ids)
    if galleries := [one["id"] for one in held["findGalleries"]["galleries"]]:
        document = "mutation D($i: [ID!]!) { galleryDestroy(input: {ids: $i}) }"
        stash.ask(document, i=galleries)
    people = [one["id"] for one in held["findPerformers"]["performers"]]
    stash.ask("mutation D($i: [ID!]!) { performersDestroy(ids: $i) }", i=people)
    tags = [one["id"] for one in held["findTags"]["tags"]]
    stash.ask("mutation D($i: [ID!]!) { tagsDestroy(ids: $i) }", i=tags)
    for kind in ("Plugin", "Scraper"):
        _uninstall(stash, kind)


def _is_ours(scene: dict[str, Any]) -> bool:
    if scene["files"]:
        return FOLDER in scene["files"][0]["path"]
    return str(scene["title"]).startswith(MADE_SCENE)


def _uninstall(stash: LiveStash, kind: str) -> None:
    """Take out what was installed, and where it came from."""
    document = "query I($t: PackageType!) { installedPackages(type: $t) { package_id sourceURL } }"
    installed = stash.ask(document, t=kind)["installedPackages"]
    packages = [{"id": one["package_id"], "sourceURL": one["sourceURL"]} for one in installed]
    document = """mutation U($t: PackageType!, $p: [PackageSpecInput!]!) {
      uninstallPackages(type: $t, packages: $p) }"""
    if packages:
        stash.finish(stash.ask(document, t=kind, p=packages)["uninstallPackages"])
    document = (
        "mutation C($i: ConfigGeneralInput!) { configureGeneral(input: $i) { databasePath } }"
    )
    stash.ask(document, i={f"{kind.lower()}PackageSources": []})


def _fill(stash: LiveStash, photos: Path) -> None:
    folder = stash.folder / FOLDER
    folder.mkdir(exist_ok=True)
    for name, pictures in FILMS.items():
        if not (folder / name).exists():
            film_of(folder / name, [photos / picture for picture in pictures])
    shutil.copy(photos / "obama2.jpg", folder / "picture.jpg")
    with zipfile.ZipFile(folder / ALBUM, "w") as archive:
        archive.write(photos / "hopper.jpg", "1.jpg")
        archive.write(photos / "obama3.jpg", "2.jpg")
    stash.finish(stash.ask("mutation { metadataScan(input: {rescan: true}) }")["metadataScan"])
    for name, picture in PERFORMERS.items():
        image = base64.b64encode((photos / picture).read_bytes()).decode()
        document = "mutation C($i: PerformerCreateInput!) { performerCreate(input: $i) { id } }"
        stash.ask(document, i={"name": name, "image": f"data:image/jpeg;base64,{image}"})


def film_of(path: Path, pictures: list[Path], seconds: float = 4) -> None:
    """Write a film that shows each picture for some seconds."""
    shots = (
        shot
        for picture in pictures
        for shot in moving_picture(read_portrait(picture), seconds, fps=10, size=(640, 480))
    )
    write_video(path, shots, fps=10, keyframe_every=10)


class _AsTheyAre(urllib.request.HTTPRedirectHandler):
    """A proxy hands redirects on, and follows none."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _pump(source: socket.socket, goal: socket.socket) -> None:
    """Hand on what comes until one side ends, and end the other then."""
    with suppress(OSError):
        while part := source.recv(65536):
            goal.sendall(part)
    with suppress(OSError):
        goal.shutdown(socket.SHUT_RDWR)


@contextmanager
def behind_a_proxy(url: str, prefix: str) -> Iterator[str]:
    """Serve a Stash under a sub-path, as proxies with X-Forwarded-Prefix do; gives the address."""
    target = urlsplit(url)
    opener = urllib.request.build_opener(_AsTheyAre)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class says so
            if "upgrade" in self.headers.get("Connection", "").lower():
                self._tunnel()
            else:
                self._pass_on(None)

        def _tunnel(self) -> None:
            """Hand a WebSocket over: from here on both sides talk as they like."""
            self.close_connection = True
            assert target.port
            path = target.path + self.path.removeprefix(prefix)
            lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in self.headers.items())]
            with socket.create_connection((target.hostname or "", target.port)) as there:
                there.sendall("\r\n".join((*lines, "", "")).encode("latin-1"))
                back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                back.start()
                _pump(self.connection, there)
                back.join(1)

        def do_POST(self) -> None:  # the base class says so
            self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _pass_on(self, body: bytes | None) -> None:
            path = target.path + self.path.removeprefix(prefix)
            kept = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in ("connection", "accept-encoding", "upgrade")
            }
            headers = kept | {"X-Forwarded-Prefix": prefix}
            address = f"{target.scheme}://{target.netloc}{path}"
            request = urllib.request.Request(address, body, headers)
            try:
                answer = opener.open(request, timeout=60)
            except HTTPError as error:
                answer = error
            with answer:
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()
