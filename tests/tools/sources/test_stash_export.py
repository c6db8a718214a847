import base64
import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from db.sqlite.store import StoredGallery
from function.sources.records import Refusal, SourceRecord, UnusableSourceError
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.memory import least_peak
from tests.support.zips import write_list
from tools.imports.enrol import enrol_all
from tools.sources.stash_export import read_export

BOX = "https://stashdb.org/graphql"


def exported(name: str, **fields: Any) -> str:
    entry = {"name": name, "image": base64.b64encode(made_up_photo(1)).decode(), **fields}
    return json.dumps(entry)


def zipped(path: Path, entries: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_a_zip_and_a_folder_give_the_same_performers(tmp_path: Path) -> None:
    ada = exported(
        "Ada",
        disambiguation="poet's child",
        aliases=["Countess"],
        urls=["u"],
        stash_ids=[{"endpoint": BOX, "stash_id": "uuid"}],
    )
    old = exported("Old", aliases="A, B", url="http://x")
    archive = zipped(
        tmp_path / "e.zip",
        {"performers/Ada.json": ada, "performers/Old.json": old, "scenes/x.json": "{}"},
    )
    (tmp_path / "folder" / "performers").mkdir(parents=True)
    (tmp_path / "folder" / "performers" / "Ada.json").write_text(ada)
    (tmp_path / "folder" / "performers" / "Old.json").write_text(old)
    for source in (archive, tmp_path / "folder"):
        first, second = read_export(source)
        assert isinstance(first, SourceRecord)
        assert isinstance(second, SourceRecord)
        assert first.performer.stash_ids == ((BOX, "uuid"),)
        assert (first.performer.disambiguation, first.performer.urls) == ("poet's child", ("u",))
        assert second.performer.aliases == ("A", "B")
        with StoredGallery() as gallery:
            changes = [one.change for one in enrol_all([first, second], gallery, QuickEngine())]
            assert changes == ["added", "added"]


def test_hostile_or_broken_entries_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "e.zip",
        {
            "../performers/slip.json": exported("Slip"),
            "/performers/root.json": exported("Root"),
            "performers/bomb.json": '{"name": "' + "x" * 5_000_000 + '"}',
            "performers/text.json": "no json",
            "performers/list.json": "[]",
            "performers/null.json": '{"name": null}',
            "performers/ids.json": exported("Ids", stash_ids=[{"x": 1}, None]),
            "performers/good.json": exported("Good"),
        },
    )
    outcome = list(read_export(archive))
    reasons = {one.performer: one.reason for one in outcome if isinstance(one, Refusal)}
    assert reasons["slip"] == reasons["root"] == "its path leads outside the zip"
    assert reasons["bomb"] == "unpacks to over 100 times its size"
    for name in ("text", "list", "null"):
        assert reasons[name].startswith("not a Stash performer")
    ids, good = (one for one in outcome if isinstance(one, SourceRecord))
    assert (ids.performer.name, good.performer.name) == ("Ids", "Good")
    assert [one.remark[:21] for one in ids.remarks] == ["left out: 2 stash ids"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.zip"]


def test_other_files_of_an_export_take_no_memory_however_many(tmp_path: Path) -> None:
    path = write_list(tmp_path / "e.zip", 50_000, b"images/1.json")

    def refuse() -> None:
        with pytest.raises(UnusableSourceError, match=r"holds no performers"):
            list(read_export(path))

    assert least_peak(refuse) < 2.5 * path.stat().st_size


@pytest.mark.parametrize("way", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_entries_in_ways_that_stash_does_not_use_are_not_opened(way: int, tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", way) as archive:
        archive.writestr("performers/odd.json", exported("Odd"))
        archive.writestr("performers/good.json", exported("Good"), zipfile.ZIP_DEFLATED)
    content = path.read_bytes()
    begin = content.index(b"odd.json") + len("odd.json")
    path.write_bytes(content[: begin + 6] + b"\xff" * 20 + content[begin + 26 :])
    odd, good = read_export(path)
    assert isinstance(odd, Refusal)
    assert odd.reason.startswith("not zipped as Stash does it")
    assert isinstance(good, SourceRecord)


def test_an_entry_larger_than_its_zip_says_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.sources.stash_export.MAX_ENTRY_BYTES", 1000)
    (refused,) = read_export(zipped(tmp_path / "e.zip", {"performers/a.json": exported("A")}))
    assert isinstance(refused, Refusal)
    assert "over" in refused.reason


def test_an_entry_that_would_fill_the_memory_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "performers").mkdir()
    for name, more in (("Good", ""), ("Hollow", "[]," * 3_000_000)):
        content = f'{{"name": "{name}", "x": [{more}[]]}}'
        (tmp_path / "performers" / f"{name}.json").write_text(content)
    tracemalloc.start()
    try:
        good, refused = read_export(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert isinstance(good, SourceRecord)
    assert isinstance(refused, Refusal)
    assert refused.reason == "over 400,000 values"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(exported("Secret"))
    (tmp_path / "folder" / "performers").mkdir(parents=True)
    (tmp_path / "folder" / "performers" / "a.json").symlink_to(tmp_path / "secret.json")
    (refused,) = read_export(tmp_path / "folder")
    assert isinstance(refused, Refusal)
    assert refused.reason == "leads outside the folder"


def test_what_is_no_export_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(UnusableSourceError, match="neither a folder nor a zip"):
        list(read_export(tmp_path / "text.zip"))
    with pytest.raises(UnusableSourceError, match="Settings, Tasks, Export"):
        list(read_export(zipped(tmp_path / "e.zip", {"scenes/x.json": "{}"})))


def test_a_pipe_among_the_performers_is_refused_without_waiting(tmp_path: Path) -> None:
    (tmp_path / "performers").mkdir()
    os.mkfifo(tmp_path / "performers" / "Ada.json")
    (tmp_path / "performers" / "Bea.json").write_text(exported("Bea"))
    refused, read = read_export(tmp_path)
    assert isinstance(refused, Refusal)
    assert refused.reason == "not an ordinary file"
    assert isinstance(read, SourceRecord)
