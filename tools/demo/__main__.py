"""The main job once, from photographs to names over HTTP; everything it makes is kept in demo/.

Enrols two people, makes a video that shows one of them (in a photo that was not enrolled) and
then somebody who is not enrolled, starts the function, asks it over HTTP, and stops it.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.footage.photos import fetch_photos
from tools.footage.videos import moving_picture, read_portrait, write_video

ROOT = Path(__file__).parents[2]
DEMO_FOLDER = ROOT / "demo"
WANTED_PORT = 8080
START_TIMEOUT_SECONDS = 60
SECONDS_EACH = 5

ENROLLED = {
    "Barack Obama": (("obama1.jpg", "obama2.jpg"), "https://en.wikipedia.org/wiki/Barack_Obama"),
    "Grace Hopper": (("hopper.jpg",), "https://en.wikipedia.org/wiki/Grace_Hopper"),
}
IN_THE_VIDEO = ("obama3.jpg", "astronaut.png", "cat.png")
"""Someone enrolled, in another photo; someone who is not enrolled; and no face at all."""


LEADS_ON = """
See it in a browser:
  make run MEDIA=demo/media PERFORMERS_DB=demo/performers.db LIBRARY_DB=demo/library.db
  then open http://localhost:8080/ and choose video.mp4: correct names, or name the stranger.
Go on with your own:
  .venv/bin/python -m tools import folder photos/    (a folder of photos for each performer)
  make run MEDIA=/path/to/your/videos                (README.md says more)"""


def main() -> None:
    """Run the demo."""
    started = time.monotonic()
    shutil.rmtree(DEMO_FOLDER, ignore_errors=True)
    _say("1. Fetch public-domain photographs")
    photos = fetch_photos()
    _say("2. Enrol two people: python -m tools import folder demo/people --db demo/performers.db")
    _lay_out_people(photos)
    _tools("import", "folder", "demo/people", "--db", "demo/performers.db")
    _say("3. Make a video: someone enrolled (another photo), someone who is not, and a cat")
    _make_video(photos, DEMO_FOLDER / "media" / "video.mp4")
    _say("4. Start the function")
    with _server() as address:
        _say(f'5. Ask: curl "{address}/?path=video.mp4"')
        asked = time.monotonic()
        people = _ask(f"{address}/?path=video.mp4")
        _show(people, time.monotonic() - asked)
        _say(f"6. Ask again: curl -F path=video.mp4 {address}/")
        same = _ask(f"{address}/", form={"path": "video.mp4"}) == people
        print("   The same answer." if same else "   A different answer!")
    _save(people)
    print(f"Done in {time.monotonic() - started:.0f} s; the server is stopped.")
    print(LEADS_ON)


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)


def _lay_out_people(photos: Path) -> None:
    for name, (files, url) in ENROLLED.items():
        folder = DEMO_FOLDER / "people" / name
        folder.mkdir(parents=True)
        (folder / "performer.json").write_text(json.dumps({"urls": [url]}))
        for file in files:
            shutil.copy(photos / file, folder)


def _tools(*arguments: str) -> None:
    command = [sys.executable, "-m", "tools", *arguments]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603  # our own tools


def _make_video(photos: Path, path: Path) -> None:
    path.parent.mkdir(parents=True)
    pictures = (
        picture
        for name in IN_THE_VIDEO
        for picture in moving_picture(read_portrait(photos / name), SECONDS_EACH, size=(1280, 720))
    )
    write_video(path, pictures)


@contextmanager
def _server() -> Iterator[str]:
    port = _free_port()
    command = [str(Path(sys.executable).with_name("functions-framework"))]
    command += ["--source", "function/main.py", "--target", "recognize"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MEDIA_ROOT": str(DEMO_FOLDER / "media"),
        "PERFORMERS_DB": str(DEMO_FOLDER / "performers.db"),
    }
    with (DEMO_FOLDER / "server.log").open("w") as log:
        server = subprocess.Popen(  # noqa: S603  # our own function
            command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://localhost:{port}"
            _wait_until_ready(address, server)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=30)


def _free_port() -> int:
    for port in (WANTED_PORT, 0):
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                print(f"   Port {port} is taken; using another.")
                continue
            chosen: int = candidate.getsockname()[1]
            return chosen
    raise SystemExit("There is no free port.")


def _wait_until_ready(address: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            ready = _ask(f"{address}/ready")
            print(
                f"   {address}/ready says {ready['status']}: {ready['performers']} performers, "
                f"{ready['photos']} photos, {ready['engine']} on {ready['provider']}"
            )
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"The function did not start; see {DEMO_FOLDER / 'server.log'}.")


def _ask(url: str, form: dict[str, str] | None = None) -> Any:
    body = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, body) as answer:  # noqa: S310  # our own function
        return json.load(answer)


def _show(people: list[dict[str, Any]], seconds: float) -> None:
    print(f"   {len(people)} people in {seconds:.1f} s:")
    for person in people:
        best = person["matches"][0] if person["matches"] else None
        name = f"{best['name']}, score {best['score']}" if best else "nobody enrolled"
        spans = ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in person["appearances"])
        print(f"   - {person['verdict']:9} {name}; seen {spans} ({person['faces']} faces)")


def _save(people: list[dict[str, Any]]) -> None:
    results = DEMO_FOLDER / "results"
    results.mkdir()
    (results / "people.json").write_text(json.dumps(people, indent=2))
    for number, person in enumerate(people, 1):
        (results / f"person{number}.jpg").write_bytes(base64.b64decode(person["image"]))
    _say(f"Saved: {results / 'people.json'} and {len(people)} pictures, person1.jpg and so on.")


if __name__ == "__main__":
    main()
