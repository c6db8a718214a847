import os
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from db.errors import DamagedVectorError, NetworkShareError
from db.sqlite.checks import _judge_failure, check_gallery, check_sqlite_version
from db.sqlite.filesystems import find_network_share
from db.sqlite.gallery import SqliteGallery
from tests.support.full_disks import full_disk
from tests.support.galleries import encoding, gallery_of_schema, performer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(performer("Ada"), [encoding(1), encoding(2)], None)
    return tmp_path / "g.db"


def problems(path: Path) -> list[tuple[str, str]]:
    return [(one.level, one.found) for one in check_gallery(path) if one.level != "ok"]


def change(path: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(sql, values)
        raw.commit()


def test_a_sound_gallery_has_no_problem_and_its_content_is_counted(path: Path) -> None:
    assert problems(path) == []
    assert any(
        "1 performer with 2 photos: 2 sound encodings of " in one.found
        for one in check_gallery(path)
    )


def test_who_has_one_photo_is_named_the_poorest_first(path: Path) -> None:
    assert not any("have one photo" in one.found for one in check_gallery(path))
    with SqliteGallery(path) as gallery:
        gallery.enrol(performer("Bea"), [encoding(3)], None)
    (found,) = [one for one in check_gallery(path) if "has one photo" in one.found]
    assert found.found == "1 performer has one photo: Bea."
    with SqliteGallery(path) as gallery:
        gallery.enrol(performer("Cleo"), [replace(encoding(4), quality=0.2)], None)
    (found,) = [one for one in check_gallery(path) if "have one photo" in one.found]
    assert found.found == "2 performers have one photo: Cleo, Bea."
    assert (found.level, found.remedy[:16]) == ("ok", "One more of each")


def test_photos_without_another_model_are_counted_beside_their_owner(path: Path) -> None:
    with SqliteGallery(path) as gallery:
        other = replace(encoding(1), model="other", vector=np.ones(4, np.float32))
        gallery.enrol(performer("Ada"), [encoding(1), other], None)
    (found,) = [one for one in check_gallery(path, ["other"]) if one.level == "warning"]
    assert found.found == "1 photo of 1 performer has no encoding of other: Ada."
    assert list(check_gallery(path, ["test-model"])) == list(check_gallery(path))


@pytest.mark.parametrize("cell", ["no json", "[1]", "{}", b"\x00", b"\xff[", 7, "[" * 100_000])
@pytest.mark.parametrize("column", ["aliases", "urls"])
def test_damaged_lists_of_a_performer_are_told(path: Path, column: str, cell: object) -> None:
    change(path, f"UPDATE performers SET {column} = ?", cell)
    found = "The aliases or the web addresses of Ada are damaged."
    assert problems(path) == [("error", found)]


@pytest.mark.parametrize(
    "blob",
    [
        b"short",
        *(np.full(128, number, "<f4").tobytes() for number in (np.nan, 0, 3e38, -1e9)),
        7,
        "text",
    ],
)
def test_damaged_encodings_are_counted_beside_their_owner(path: Path, blob: object) -> None:
    change(path, "UPDATE encodings SET vector = ? WHERE id = 2", blob)
    assert problems(path) == [("error", "1 encoding of Ada is damaged.")]


@pytest.mark.parametrize("cell", ["x", b"\x80"])
def test_encodings_of_a_model_whose_size_is_damaged_are_told(path: Path, cell: object) -> None:
    change(path, "UPDATE models SET dimensions = ?", cell)
    assert ("error", "2 encodings of Ada are damaged.") in problems(path)
    with SqliteGallery(path) as gallery, pytest.raises(DamagedVectorError):
        gallery.encodings(1)


def test_photos_without_the_primary_model_and_rows_without_owner_are_errors(path: Path) -> None:
    change(path, "INSERT INTO models (id, dimensions) VALUES ('other', 128)")
    change(path, "UPDATE encodings SET model = 'other' WHERE id = 2")
    change(path, "UPDATE encodings SET performer_id = 77 WHERE id = 1")
    found = [what for _, what in problems(path)]
    assert found[0] == "1 rows belong to no performer."
    assert found[1].startswith("1 photo has no encoding of test-model")


def test_a_file_that_others_may_read_is_mended(path: Path) -> None:
    path.chmod(0o644)
    assert problems(path) == [("mended", "g.db could be read by others (644); now 600.")]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_or_foreign_file_is_named_with_the_remedy(path: Path, tmp_path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 + 8 : 4096 + 400] = b"\xff" * 392
    path.write_bytes(content)
    assert [level for level, _ in problems(path)] == ["error"]
    (tmp_path / "text.db").write_text("text " * 100)
    (tmp_path / "text.db").chmod(0o600)
    (problem,) = [one for one in check_gallery(tmp_path / "text.db") if one.level == "error"]
    assert problem.remedy == "Restore a backup."


@pytest.mark.parametrize(
    ("free", "found", "remedy"),
    [
        (0, "g.db cannot be read, as its disk is full: disk I/O error.", "Free space"),
        (10**9, "g.db cannot be read: disk I/O error.", "Check the disk, and that it has room"),
    ],
)
def test_where_the_disk_is_the_trouble_no_backup_is_asked_for_first(
    free: int, found: str, remedy: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with full_disk():
        (problem,) = [one for one in check_gallery(path) if one.level == "error"]
    assert problem.found == found
    assert problem.remedy.startswith(remedy)


def test_a_file_that_may_not_be_written_is_not_said_to_be_unreadable(path: Path) -> None:
    caught = pytest.raises(sqlite3.OperationalError)
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db, caught as refused:
        db.execute("CREATE TABLE t (x)")
    problem = _judge_failure(path, refused.value)
    assert problem.found.startswith(
        "g.db cannot be checked, as it or its folder may not be written"
    )
    assert problem.remedy == "Check the owner and the permissions of the file and its folder."


def test_a_file_that_another_process_has_locked_is_no_damaged_one(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("CREATE TABLE held (x)")
        (problem,) = [one for one in check_gallery(path) if one.level == "error"]
    assert problem.remedy.startswith("Another process is writing it.")


def test_what_an_interrupted_backup_left_is_named(path: Path) -> None:
    path.with_name(".g.db.before-2.partial").touch()
    ((level, found),) = problems(path)
    assert level == "warning"
    assert ".g.db.before-2.partial" in found


def test_an_empty_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "g.db").touch(mode=0o600)
    assert [level for level, _ in problems(tmp_path / "g.db")] == ["warning"]
    SqliteGallery(tmp_path / "g.db").close()
    assert problems(tmp_path / "g.db") == []


def test_an_old_schema_is_only_a_warning(tmp_path: Path) -> None:
    path = gallery_of_schema(tmp_path / "old.db", 1)
    path.chmod(0o600)
    assert [level for level, _ in problems(path)] == ["warning"]


@pytest.mark.parametrize("version", [3, 4])
def test_where_every_encoding_is_damaged_that_is_the_only_error(
    version: int, tmp_path: Path
) -> None:
    path = gallery_of_schema(tmp_path / "old.db", version)
    path.chmod(0o600)
    change(path, "UPDATE encodings SET vector = x'00'")
    errors = [found for level, found in problems(path) if level == "error"]
    assert errors == ["1 encoding of Ada is damaged."]
    SqliteGallery(path).close()
    assert problems(path)[-1] == ("error", "1 encoding of Ada is damaged.")


def test_an_empty_encoding_of_an_unknown_model_is_damaged_too(path: Path) -> None:
    change(path, "UPDATE encodings SET vector = x'', model = 'lost' WHERE id = 2")
    assert ("error", "1 encoding of Ada is damaged.") in problems(path)


def test_sqlite_that_can_lose_a_log_is_explained() -> None:
    assert "take turns" in check_sqlite_version((3, 40, 1)).found
    assert check_sqlite_version((3, 52, 0)).found == "SQLite 3.52.0."


def test_a_gallery_on_a_network_share_is_refused(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nnas:/x {tmp_path} nfs4 rw 0 0\n")
    assert find_network_share(path, mounts) == "nfs4"
    assert find_network_share(Path("/etc/hosts"), mounts) is None
    assert find_network_share(path, tmp_path / "gone") is None
    monkeypatch.setattr("db.sqlite.filesystems.find_network_share.__defaults__", (mounts,))
    with pytest.raises(NetworkShareError, match="nfs4"):
        SqliteGallery(path)
    assert any("network share" in found for _, found in problems(path))


@pytest.mark.parametrize("kind", ["9p", "virtiofs", "vboxsf", "drvfs", "fuse.gcsfuse", "fakeowner"])
def test_folders_of_a_host_and_of_a_cloud_are_shares_but_not_the_disk_of_a_machine(
    tmp_path: Path, kind: str
) -> None:
    mounts, path = tmp_path / "mounts", tmp_path / "g.db"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nhost {tmp_path} {kind} rw 0 0\n")
    assert find_network_share(path, mounts) == kind
    mounts.write_text(f"none / {kind.replace('fuse.gcsfuse', '9p')} rw 0 0\n")
    assert find_network_share(path, mounts) is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize(
    "name", [b"a b", b"a\tb", b"a\nb", b"a\\b", b"a\xe9b", "ä\u0085\u2028".encode()]
)
def test_a_share_is_known_whatever_its_folder_is_called(name: bytes, tmp_path: Path) -> None:
    mounts, share = tmp_path / "mounts", tmp_path / os.fsdecode(name)
    escaped = bytes(share)
    for character in b"\\ \t\n":
        escaped = escaped.replace(bytes([character]), b"\\%03o" % character)
    mounts.write_bytes(b"/dev/a / ext4 rw 0 0\nnas:/x " + escaped + b" nfs4 rw 0 0\n")
    assert find_network_share(share / "g.db", mounts) == "nfs4"
    assert find_network_share(tmp_path / "g.db", mounts) is None
