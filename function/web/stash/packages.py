"""The plugin and the scraper as packages that Stash installs from us: two indexes, two zips.

Stash's client sends no headers of its own, and asks HEAD before GET, so these URLs are open. They
hold nothing but the files in the project's folder `stash`.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

from flask import Request, Response

from function.version import VERSION
from function.web.responses import bytes_response
from function.web.routing import READ, Routes

STASH_FOLDER = Path(__file__).parents[3] / "stash"
SHARED_FILE = "recognition_server.py"
"""It talks to our server; both packages carry it."""

RELEASES = "packages.json"
"""When each package last changed: Stash offers an update where the date is later."""

DATE_FORM = "%Y-%m-%d %H:%M:%S"
LEFT_OUT = (".d.ts", ".pyc", "__init__.py")
PLAIN_FILE_BITS = 0o100644
UNIX = 3

DESCRIPTIONS: Mapping[str, str] = {
    "plugin": "Says who of your performers is in a scene, and when.",
    "scraper": "Names the performers whom your recognition server is sure of.",
}
"""What the list of packages says of each, by its folder."""


@dataclass(frozen=True)
class Package:
    """One package: its folder in `stash`, its id, when it last changed, and its zip."""

    kind: str
    id: str
    date: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The checksum that Stash compares what it loaded with."""
        return hashlib.sha256(self.content).hexdigest()


@cache
def read_packages(folder: Path = STASH_FOLDER) -> tuple[Package, ...]:
    """Make both packages from the files of the project; the same files give the same bytes."""
    dates = json.loads((folder / RELEASES).read_text(encoding="utf-8"))
    return tuple(make_package(folder, kind, dates[kind]["date"]) for kind in DESCRIPTIONS)


def make_package(folder: Path, kind: str, date: str) -> Package:
    """Zip one folder, with the shared file; the package is named after its yml, as in Stash."""
    (definition,) = (folder / kind).glob("*.yml")
    files = [path for path in (folder / kind).iterdir() if path.is_file()]
    chosen = sorted(
        (path for path in (*files, folder / SHARED_FILE) if not path.name.endswith(LEFT_OUT)),
        key=lambda path: path.name,
    )
    return Package(kind, definition.stem, date, _zip(chosen, date))


def _zip(files: list[Path], date: str) -> bytes:
    """Store files uncompressed: what a compressor makes differs by its version."""
    moment = datetime.strptime(date, DATE_FORM)  # noqa: DTZ007  # zips know no time zones
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in files:
            entry = zipfile.ZipInfo(path.name, moment.timetuple()[:6])
            entry.create_system = UNIX
            entry.external_attr = PLAIN_FILE_BITS << 16
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def write_index(package: Package) -> str:
    """Write the list that Stash reads, with the one package; YAML takes JSON for a value."""
    fields = {
        "id": package.id,
        "name": "Performer Recognition",
        "version": VERSION,
        "date": package.date,
        "path": f"{package.id}.zip",
        "sha256": package.sha256,
        "metadata": {"description": DESCRIPTIONS[package.kind]},
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in fields.items()]
    return "- " + "\n  ".join(lines) + "\n"


def package_routes() -> Routes:
    """Return the routes of both indexes and both zips."""
    routes = {}
    for package in read_packages():
        place = f"/stash/{package.kind}s"
        index = write_index(package).encode()
        routes[f"{place}/index.yml"] = (partial(_answer, index, "application/yaml"), READ)
        zip_path = f"{place}/{package.id}.zip"
        routes[zip_path] = (partial(_answer, package.content, "application/zip"), READ)
    return routes


def _answer(content: bytes, mimetype: str, request: Request) -> Response:
    return bytes_response(request, content, mimetype)
