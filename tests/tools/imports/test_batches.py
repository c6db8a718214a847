"""One bad photo, name or record never ends an import, wherever it stands."""

import base64
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from db.sqlite.store import StoredGallery
from function.imports.photos import USUAL_DEMANDS
from function.imports.reports import Report
from function.sources.records import Refusal, SourceRecord
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.galleries import encoding, performer
from tools.imports.imports import enrol_bundle, follow, import_records
from tools.sources.folder import read_folder
from tools.sources.stash_export import read_export
from tools.sources.table import TableOptions, read_table

PLACES = ["first", "middle", "last"]
GOOD = ["Bea", "Yve"]

PHOTOS = {
    "empty": b"",
    "no picture": b"hello",
    "bad avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(range(200)),
    "bad heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(range(200)),
    "bad jxl": b"\xff\x0a" + bytes(range(200)),
    "cut off": made_up_photo(9)[:300],
}
NAMES = {
    "two lines": "two\nlines",
    "too long": "x" * 400,
    "half a pair": "\ud800",
    "invisible": "\u200b",
}


def placed(bad: str, place: str) -> list[str]:
    """The names in order, a bad one among them: Aaa, Mmm or Zzz in a folder, which is sorted."""
    names = [*GOOD]
    names.insert(PLACES.index(place), bad)
    return names


def imported(records: Iterable[SourceRecord | Refusal]) -> tuple[list[str], Report]:
    with StoredGallery() as gallery:
        report = import_records(records, gallery, QuickEngine(), USUAL_DEMANDS, kind="test")
        json.dumps(report.to_json(), ensure_ascii=False).encode()  # as it is printed
        return [one.name for one in gallery.performers()], report


def photo_of(name: str) -> bytes:
    return made_up_photo(sum(name.encode()))


def data_uri(photo: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(photo).decode()}"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["two lines", "invisible"])
def test_a_bad_record_in_a_bundle_costs_only_itself(kind: str, place: str) -> None:
    with StoredGallery() as bundle, StoredGallery() as gallery:
        for number, name in enumerate(placed(NAMES[kind], place)):
            bundle.enrol(performer(name, str(number)), [encoding(number)], None)
        report = follow(enrol_bundle(bundle, gallery), gallery, kind="bundle")
        assert [one.name for one in gallery.performers()] == GOOD
    assert (report.counts()["added"], report.counts()["refused"]) == (2, 1)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", PHOTOS)
def test_a_bad_photo_in_a_folder_costs_only_itself(tmp_path: Path, kind: str, place: str) -> None:
    bad = {"first": "Aaa", "middle": "Mmm", "last": "Zzz"}[place]
    for name in placed(bad, place):
        (tmp_path / name).mkdir()
        content = PHOTOS[kind] if name == bad else photo_of(name)
        (tmp_path / name / "photo.jpg").write_bytes(content)
    names, report = imported(read_folder(tmp_path))
    assert names == GOOD
    (refused,) = report.to_json()["refused"]
    assert refused["performer"] == bad
    assert len(refused["reason"]) > 10
    assert not report.stopped


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("place", PLACES)
def test_a_folder_with_a_bad_name_costs_only_itself(tmp_path: Path, place: str) -> None:
    start = {"first": b"A", "middle": b"M", "last": b"Z"}[place]
    for name in (b"Bea", b"Yve", start + b"\xe9", start + b"\nx"):
        folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        folder.mkdir()
        (folder / "photo.png").write_bytes(photo_of(folder.name[:1]))
    names, report = imported(read_folder(tmp_path))
    assert names == GOOD
    reasons = {one["performer"]: one["reason"] for one in report.to_json()["refused"]}
    assert "is not UTF-8" in reasons[start.decode() + r"\xe9"]
    assert "line break" in reasons[start.decode() + " x"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [*PHOTOS, *NAMES])
@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_a_bad_record_in_a_list_costs_only_itself(
    tmp_path: Path, form: str, kind: str, place: str
) -> None:
    bad = NAMES.get(kind, "Bad")
    records = [
        {
            "name": name,
            "photos": [data_uri(PHOTOS.get(kind, b"?") if name == bad else photo_of(name))],
        }
        for name in placed(bad, place)
    ]
    lines = "\n".join(map(json.dumps, records))
    (tmp_path / "list").write_text(json.dumps(records) if form == "json" else lines)
    options = TableOptions("file test", tmp_path, lambda _: b"", {})
    names, report = imported(read_table(tmp_path / "list", options))
    assert names == GOOD
    assert report.counts()["refused"] == 1
    assert not report.stopped


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", [*PHOTOS, *NAMES, "no text", "no name", "odd image"])
def test_a_bad_record_in_an_export_costs_only_itself(tmp_path: Path, kind: str, place: str) -> None:
    (tmp_path / "performers").mkdir()
    bad = NAMES.get(kind, "Bad")
    odd = {"no text": "{", "no name": '{"name": null}', "odd image": '{"name": "Bad", "image": 7}'}
    for number, name in enumerate(placed(bad, place)):
        photo = PHOTOS.get(kind, b"?") if name == bad else photo_of(name)
        record = json.dumps({"name": name, "image": base64.b64encode(photo).decode()})
        text = odd.get(kind, record) if name == bad else record
        (tmp_path / "performers" / f"{number}.json").write_text(text)
    names, report = imported(read_export(tmp_path))
    assert names == GOOD
    listed = report.to_json()["remarks" if kind == "empty" else "refused"]
    assert len(listed) == 1
