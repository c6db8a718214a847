"""The packages that Stash installs: open, complete, reproducible, dated when they change."""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from ruamel.yaml import YAML

from db.sqlite.store import StoredGallery
from function.version import VERSION
from function.web.stash.packages import RELEASES, STASH_FOLDER, make_package, read_packages
from tests.support.servers import serving
from tools.stash_packages import date_changes

ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    StoredGallery(tmp_path / "g.db", create=True).close()
    with serving(
        MEDIA_ROOT=tmp_path, PERFORMERS_DB=tmp_path / "g.db", LIBRARY_DB=tmp_path / "l.db"
    ) as start:
        yield start(TOKEN="s3cret", SANDBOX="off")


@pytest.mark.parametrize("place", ["plugins", "scrapers"])
def test_stash_finds_installs_and_compares_a_package(place: str, client: FlaskClient) -> None:
    """Its client sends no token, and names us as its network does."""
    as_stash = {"environ_base": ELSEWHERE, "headers": {"Host": "recognition:8080"}}
    index = client.get(f"/stash/{place}/index.yml", **as_stash)
    assert client.head(f"/stash/{place}/index.yml", **as_stash).status_code == 200
    (package,) = YAML(typ="safe").load(index.get_data(as_text=True))
    assert package["id"] == "performer_recognition"
    assert package["version"] == VERSION
    archive = client.get(f"/stash/{place}/{package['path']}", **as_stash).get_data()
    assert hashlib.sha256(archive).hexdigest() == package["sha256"]
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        names = set(opened.namelist())
        assert all(entry.external_attr >> 16 == 0o100644 for entry in opened.infolist())
    assert {"performer_recognition.yml", "recognition_server.py"} <= names
    assert not any(name.endswith(".d.ts") for name in names)


def test_nothing_else_is_open_there(client: FlaskClient) -> None:
    assert client.get("/stash/plugins/../status", environ_base=ELSEWHERE).status_code in (401, 404)
    assert client.post("/stash/plugins/index.yml").status_code == 405


def test_the_dates_are_those_of_these_files() -> None:
    """Run `make stash-package` after a change, or Stash offers no update."""
    known = json.loads((STASH_FOLDER / RELEASES).read_text())
    assert {one.kind: one.sha256 for one in read_packages()} == {
        kind: release["sha256"] for kind, release in known.items()
    }


def test_only_a_package_that_changed_gets_a_new_date(tmp_path: Path) -> None:
    folder = shutil.copytree(STASH_FOLDER, tmp_path / "stash")
    before = json.loads((folder / RELEASES).read_text())
    (folder / "plugin" / "faces.css").write_text("")
    date_changes(folder)
    after = json.loads((folder / RELEASES).read_text())
    assert after["scraper"] == before["scraper"]
    assert after["plugin"]["date"] > before["plugin"]["date"]
    made = make_package(folder, "plugin", after["plugin"]["date"])
    assert made.sha256 == after["plugin"]["sha256"]


def test_the_plugin_carries_the_version_of_the_server() -> None:
    definition = YAML(typ="safe").load(
        (STASH_FOLDER / "plugin" / "performer_recognition.yml").read_text()
    )
    assert definition["version"] == VERSION
