import os
import signal
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from db.addresses import StoreAddress
from db.errors import (
    DamagedBundleError,
    GalleryError,
    GalleryMissingError,
    GalleryReadOnlyError,
    GalleryTooNewError,
    NotAGalleryError,
)
from db.galleries import everyone
from db.names import find_complaint
from db.records import Identity
from db.sqlite import (
    bundle_checks,
    bundles,
    connections,
    gallery_connections,
    migrations,
    notes,
)
from db.sqlite.bundles import export_bundle
from db.sqlite.edits import rename
from db.sqlite.forgetting import forget
from db.sqlite.gallery import SqliteGallery
from db.sqlite.store import SqliteStore
from db.stores import open_bundle
from tests.db.sqlite.test_checks import full_disk
from tests.support.galleries import MODEL, encoding, performer


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "carry.bundle"
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        box = Identity("https://stashdb.org/graphql", "uuid-x")
        gallery.enrol(performer("Ada", identities=(box,)), [encoding(1), encoding(2)], b"jpeg")
        gallery.enrol(performer("Secret"), [encoding(3)], None)
        forget(gallery, gallery.find_performer("Secret"))
        manifest = export_bundle(gallery, path)
    assert (manifest["performers"], manifest["encodings"], manifest["model"]) == (1, 2, MODEL)
    return path


def change(bundle: Path, sql: str) -> None:
    with closing(sqlite3.connect(bundle)) as raw:
        raw.execute(sql)
        raw.commit()


def test_a_bundle_carries_everyone_to_another_gallery(bundle: Path) -> None:
    with open_bundle(bundle) as opened, SqliteGallery() as gallery:
        for who, encodings, thumbnail in everyone(opened):
            assert gallery.enrol(who, encodings, thumbnail) == "added"
        (ada,) = gallery.performers()
        assert (ada.encodings, len(ada.identities)) == (2, 2)
        assert gallery.thumbnail(ada.id) == b"jpeg"


def test_a_bundle_is_one_private_file_without_the_forgotten_and_the_journal(bundle: Path) -> None:
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["carry.bundle", "g.db"]
    with closing(sqlite3.connect(bundle)) as raw:
        for table in ("forgotten", "journal", "checkpoints"):
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("UPDATE performers SET name = 'Eve'", "its manifest says sha256"),
        ("DELETE FROM encodings WHERE id = 1", "its manifest says encodings 2"),
        ("DROP TABLE manifest", "no manifest, so it is not a bundle"),
        ("DELETE FROM manifest", "manifest of carry.bundle cannot be read"),
        ("INSERT INTO manifest VALUES ('{}')", "manifest of carry.bundle cannot be read"),
        ("UPDATE manifest SET value = x'00'", "manifest of carry.bundle cannot be read"),
        ("PRAGMA user_version = -1", "is not as any version makes it"),
        ("UPDATE manifest SET value = '{'", "manifest of carry.bundle cannot be read"),
        ("UPDATE manifest SET value = replace(hex(zeroblob(99999)), '0', '[')", "cannot be read"),
        (
            "CREATE TRIGGER sneaky AFTER INSERT ON performers BEGIN DELETE FROM encodings; END",
            "its sneaky is not as any version makes it",
        ),
        (
            "CREATE TRIGGER journal_refuses_all AFTER INSERT ON performers BEGIN SELECT 1; END",
            "its journal_refuses_all is not as any version makes it",
        ),
        ("CREATE VIEW sneaky AS SELECT 1", "its sneaky is not as any version makes it"),
        ("CREATE TABLE sneaky (x)", "its sneaky is not as any version makes it"),
        ("CREATE VIRTUAL TABLE sneaky USING fts5(x)", "its sneaky"),
        ("ALTER TABLE performers ADD COLUMN x AS (abs(-1))", "its performers is not as any"),
        ("DROP TABLE removed_photos", "its removed_photos is not as any version makes it"),
        ("ANALYZE", "its sqlite_stat[14] is not as any version makes it"),
    ],
)
def test_a_bundle_that_was_changed_is_refused(bundle: Path, sql: str, complaint: str) -> None:
    change(bundle, sql)
    with pytest.raises(DamagedBundleError, match=complaint), open_bundle(bundle):
        pass


OWN_NAMES = [
    ("trigger", "performers", "TRIGGER sqlite_own AFTER INSERT ON performers BEGIN SELECT 1; END"),
    ("view", "sqlite_own", "VIEW sqlite_own AS SELECT 1"),
]


@pytest.mark.parametrize(("kind", "table", "sql"), OWN_NAMES)
def test_what_is_named_as_sqlites_own_is_refused_as_well(
    kind: str, table: str, sql: str, bundle: Path
) -> None:
    with closing(sqlite3.connect(bundle, isolation_level=None)) as raw:
        raw.execute("PRAGMA writable_schema = ON")
        values = (kind, "sqlite_own", table, 0, f"CREATE {sql}")
        raw.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", values)
    with pytest.raises(DamagedBundleError, match="its sqlite_own is not"), open_bundle(bundle):
        pass


def test_what_a_table_demands_of_its_rows_is_not_worked_out_before_it_is_known(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite does so while it checks the file: such a bundle took two gigabytes."""
    seen: list[str] = []

    def connect(*arguments: object, **options: object) -> sqlite3.Connection:
        db = real(*arguments, **options)  # type: ignore[call-overload]
        db.set_trace_callback(seen.append)
        return cast("sqlite3.Connection", db)

    change(bundle, "CREATE TABLE greedy (x CHECK (length(hex(zeroblob(1000000 + x))) > 1))")
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect)
    with pytest.raises(DamagedBundleError, match="its greedy is not"), open_bundle(bundle):
        pass
    assert any("sqlite_master" in one for one in seen)
    assert not any("integrity_check" in one for one in seen)


def test_a_view_is_no_manifest(bundle: Path) -> None:
    change(bundle, "DROP TABLE manifest")
    change(bundle, "CREATE VIEW manifest AS SELECT hex(zeroblob(900000000)) AS value")
    with pytest.raises(DamagedBundleError, match="no manifest, so"), open_bundle(bundle):
        pass


def test_the_statistics_of_a_gallery_stay_where_they_are(tmp_path: Path) -> None:
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(performer("Ada"), [encoding(1)], None)
        change(tmp_path / "g.db", "ANALYZE")
        export_bundle(gallery, tmp_path / "carry.bundle")
    with open_bundle(tmp_path / "carry.bundle") as opened:
        assert [one.name for one in opened.performers()] == ["Ada"]


MANY = "'[' || rtrim(replace(hex(zeroblob(300)), '00', '\"a\",\"b\",'), ',') || ']'"
NEVER_ENDING = "'[' || replace(hex(zeroblob(50000)), '0', '[') || ']'"


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("UPDATE encodings SET quality = 1e300", "a quality that is not between 0 and 1"),
        ("UPDATE encodings SET quality = 9e999", "a quality that is not between 0 and 1"),
        ("UPDATE encodings SET quality = -0.1", "a quality that is not between 0 and 1"),
        ("UPDATE encodings SET quality = 'high'", r"encodings\.quality"),
        ("UPDATE encodings SET vector = zeroblob(512)", "come from no face"),
        ("UPDATE encodings SET vector = CAST('abc' AS BLOB)", "come from no face"),
        ("UPDATE encodings SET vector = 'text'", r"encodings\.vector"),
        ("UPDATE encodings SET origin = hex(zeroblob(8001))", r"encodings\.origin"),
        ("UPDATE performers SET name = hex(zeroblob(500000))", r"performers\.name"),
        ("UPDATE performers SET name = x'00'", r"performers\.name"),
        ("UPDATE performers SET name = 'A' || char(27) || '[2J'", "control character"),
        ("UPDATE performers SET name = ''", "the name is empty"),
        ("UPDATE performers SET aliases = '[\"a\\u001b\"]'", "control character"),
        ("UPDATE performers SET aliases = '[1]'", "that are not a list"),
        ("UPDATE performers SET urls = '{\"a\": 1}'", "that are not a list"),
        ("UPDATE performers SET urls = 'no json'", "that are not a list"),
        (f"UPDATE performers SET urls = {NEVER_ENDING}", "that are not a list"),
        ("UPDATE performers SET thumbnail = 'text'", r"performers\.thumbnail"),
        ("UPDATE performers SET thumbnail = zeroblob(2000000)", r"performers\.thumbnail"),
        ("UPDATE identities SET source_id = 'a' || char(10)", "an id contains a control"),
        ("UPDATE models SET dimensions = 1000000", "come from no face"),
        ("UPDATE models SET dimensions = -1", "come from no face"),
        ("UPDATE models SET dimensions = 'x'", r"models\.dimensions"),
        ("UPDATE encodings SET model = 'unknown'", "come from no face"),
        ("UPDATE encodings SET photo_hash = char(27) || id", "a hash of a photo with"),
        ("UPDATE encodings SET weaknesses = x'00'", r"encodings\.weaknesses"),
        ("UPDATE encodings SET performer_id = 99", "belongs to a performer who is not there"),
        ("UPDATE identities SET performer_id = 99", "belongs to a performer who is not there"),
        ("UPDATE identities SET source = 'a' || char(27)", "an id contains a control"),
        ("UPDATE performers SET name = 'A' || char(0) || 'B'", "control character"),
        ("UPDATE performers SET disambiguation = 'a' || char(10)", "control character"),
        ("UPDATE performers SET poster_url = 'x' || char(27)", "control character"),
        ("UPDATE performers SET poster_url = hex(zeroblob(8001))", r"performers\.poster_url"),
        ("UPDATE performers SET urls = json_array(hex(zeroblob(3000)))", "longer than 4000"),
        (f"UPDATE performers SET aliases = {MANY}", "more than 500 aliases"),
        ("UPDATE performers SET disambiguation = x'00'", r"performers\.disambiguation"),
        ("UPDATE performers SET aliases = CAST('[]' AS BLOB)", r"performers\.aliases"),
        ("UPDATE performers SET urls = CAST('[]' AS BLOB)", r"performers\.urls"),
        ("UPDATE performers SET source = x'41'", r"performers\.source"),
        ("UPDATE performers SET source_id = hex(zeroblob(8001))", r"performers\.source_id"),
        ("UPDATE identities SET source = x'41'", r"identities\.source"),
        ("UPDATE identities SET source_id = hex(zeroblob(8001))", r"identities\.source_id"),
        ("UPDATE encodings SET model = hex(zeroblob(300))", r"encodings\.model"),
        ("UPDATE encodings SET photo_hash = hex(zeroblob(300)) || id", r"encodings\.photo_hash"),
        ("UPDATE encodings SET face = 'text'", r"encodings\.face"),
        ("UPDATE encodings SET face = zeroblob(200000)", r"encodings\.face"),
    ],
)
def test_what_no_gallery_of_ours_can_hold_is_refused_whatever_the_sums_say(
    sql: str, complaint: str, bundle: Path
) -> None:
    change(bundle, sql)
    with pytest.raises(DamagedBundleError, match=complaint), open_bundle(bundle):
        pass


def test_whatever_may_be_enrolled_can_be_carried_to_another_gallery(tmp_path: Path) -> None:
    path, longest = tmp_path / "full.bundle", "\U0001f3ad" * 4_000
    full = performer(
        "\U0001f3ad" * 300,
        longest,
        disambiguation="\U0001f3ad" * 300,
        aliases=tuple(f"{one}{longest[2:]}" for one in range(10, 85)),
        urls=tuple(f"{one}{longest[2:]}" for one in range(10, 85)),
        identities=(Identity(longest, longest),),
        poster_url=longest,
    )
    assert find_complaint(full) == ""
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        gallery.enrol(full, [replace(encoding(1), origin=longest)], None)
        export_bundle(gallery, path)
    with open_bundle(path) as opened:
        assert [len(one.aliases) for one in opened.performers()] == [75]


def test_what_earlier_versions_enrolled_can_be_carried_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, endless = tmp_path / "old.bundle", "x" * 100_000
    with SqliteGallery(tmp_path / "g.db", create=True) as gallery:
        for name, last in (("Ada", "1"), ("Bob", "2")):
            box = Identity("https://box/" + endless, "\u001b" + endless + last)
            old = performer(
                name,
                endless + last,
                aliases=(endless, "Countess", "a\nb"),
                urls=tuple(f"https://x/{number}" for number in range(900)),
                identities=(box,),
                poster_url=endless,
            )
            gallery.enrol(old, [replace(encoding(int(last)), origin=endless)], None)
        gallery.enrol(performer("Carol"), [encoding(3)], None)
    with closing(sqlite3.connect(tmp_path / "g.db")) as raw:
        raw.execute("UPDATE encodings SET performer_id = 99 WHERE performer_id = 3")
        raw.commit()
    with SqliteGallery(tmp_path / "g.db") as gallery:
        export_bundle(gallery, path)
        assert len(gallery.find_performer("Ada").source_id) == 100_001
    assert "too long are cut in the bundle: 'Ada', 'Bob'" in caplog.text
    caplog.clear()
    with open_bundle(path) as opened:
        ada, bob, carol = opened.performers()
        assert (ada.aliases, len(ada.urls), ada.poster_url) == (("Countess",), 500, "")
        assert (len(ada.identities), len(bob.identities), carol.encodings) == (2, 2, 0)
        assert not {*ada.identities} & {*bob.identities}
        assert [one.name for one in opened.find_identities(ada.identities)] == ["Ada"]


def test_on_a_full_disk_the_bundle_is_named_that_was_asked_for(bundle: Path) -> None:
    told = pytest.raises(GalleryReadOnlyError, match=r"^The bundle new\.bundle could not be")
    with SqliteGallery(bundle.with_name("g.db")) as gallery, full_disk(), told:
        export_bundle(gallery, bundle.with_name("new.bundle"))
    assert not [one for one in bundle.parent.iterdir() if "new" in one.name]


def test_who_has_a_name_that_no_bundle_holds_is_named_when_it_is_to_be_written(
    bundle: Path,
) -> None:
    change(bundle.with_name("g.db"), "UPDATE performers SET name = 'id:7'")
    with SqliteGallery(bundle.with_name("g.db")) as gallery:
        (number,) = gallery.rows("SELECT id FROM performers")[0]
        wanted = f"id:{number} cannot be in a bundle: .* python -m tools rename id:{number} NAME"
        with pytest.raises(GalleryError, match=wanted):
            export_bundle(gallery, bundle.with_name("new"))
        rename(gallery, gallery.performer(number), "Ada", None)
        export_bundle(gallery, bundle.with_name("new"))
    with open_bundle(bundle.with_name("new")) as opened:
        assert [one.name for one in opened.performers()] == ["Ada"]
    assert not [one for one in bundle.parent.iterdir() if one.name.startswith(".")]


@pytest.mark.parametrize(
    ("most", "complaint"),
    [("MOST_TEXT_BYTES", "of names and addresses"), ("MOST_PERFORMER_BYTES", "of faces of perf")],
)
def test_a_bundle_that_would_fill_the_memory_is_refused(
    most: str, complaint: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_checks, most, 1_500_000)
    face = "face = zeroblob(99000)"
    aliases = "json_array(hex(zeroblob(1900000)))"
    for number in range(20):
        change(
            bundle,
            f"INSERT INTO encodings SELECT {10 + number}, performer_id, vector, model, quality, "
            f"photo_hash || {number}, origin, created, weaknesses, face FROM encodings LIMIT 1",
        )
    with pytest.raises(DamagedBundleError, match="manifest says encodings"), open_bundle(bundle):
        pass
    change(
        bundle,
        f"UPDATE encodings SET {face}"
        if "PERF" in most
        else f"UPDATE performers SET aliases = {aliases}",
    )
    with pytest.raises(DamagedBundleError, match=complaint), open_bundle(bundle):
        pass


def test_nobody_has_photos_without_end(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_checks, "MOST_PHOTOS", 1)  # Ada has two, and may: by two nets
    with open_bundle(bundle):
        pass
    monkeypatch.setattr(bundle_checks, "MOST_PHOTOS", 0)
    with pytest.raises(DamagedBundleError, match="come from no face"), open_bundle(bundle):
        pass


@pytest.mark.parametrize("column", ["name", "disambiguation", "aliases", "poster_url"])
def test_text_of_a_bundle_that_is_no_text_is_refused(column: str, bundle: Path) -> None:
    change(bundle, f"UPDATE performers SET {column} = CAST(x'41ff' AS TEXT)")
    with pytest.raises(GalleryError), open_bundle(bundle):
        pass


def test_a_vector_of_huge_numbers_is_refused(bundle: Path) -> None:
    huge = np.full(128, 3e38, "<f4").tobytes()
    change(bundle, f"UPDATE encodings SET vector = x'{huge.hex()}'")
    with pytest.raises(DamagedBundleError, match="come from no face"), open_bundle(bundle):
        pass


def test_a_file_larger_than_any_bundle_is_not_copied(bundle: Path) -> None:
    with bundle.open("r+b") as file:
        file.truncate(5_000_000_000)  # a hole
    with pytest.raises(DamagedBundleError, match="larger than 4 GB"), open_bundle(bundle):
        pass


def test_what_is_no_bundle_of_ours_is_refused(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(bundle.read_bytes()[:9000])
    (tmp_path / "text").write_text("no database " * 1000)
    for name in ("cut", "text"):
        with pytest.raises((DamagedBundleError, NotAGalleryError)), open_bundle(tmp_path / name):
            pass
    with pytest.raises(GalleryMissingError), open_bundle(tmp_path / "gone"):
        pass
    change(bundle, "PRAGMA user_version = 99")
    with pytest.raises(GalleryTooNewError), open_bundle(bundle):
        pass


@pytest.mark.parametrize("step", ["copy_database", "mend", "_keep_what_travels"])
def test_what_an_export_leaves_that_is_killed_is_told_of(
    step: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        if step == "copy_database":
            (bundle.parent / "..new.bundle.partial").touch()
        os.kill(os.getpid(), signal.SIGKILL)

    store = SqliteStore(StoreAddress(str(bundle.with_name("g.db"))))
    assert not any("left over" in one.found for one in store.check())
    child = os.fork()
    if child == 0:
        place = gallery_connections if step == "copy_database" else bundles
        monkeypatch.setattr(place, step, killed)
        store.export_bundle(bundle.with_name("new"))
        os._exit(0)
    os.waitpid(child, 0)
    left = [one for one in bundle.parent.iterdir() if one.name.startswith(".")]
    told = " ".join(one.found for one in store.check())
    assert left
    assert all(f"{one.name} is left over from an export" in told for one in left)


def test_a_gallery_is_never_replaced_by_its_own_bundle(bundle: Path) -> None:
    path, link = bundle.with_name("g.db"), bundle.with_name("link.db")
    link.symlink_to(path)
    with SqliteGallery(path) as gallery:
        for destination in (path, link):
            with pytest.raises(GalleryError, match="is the gallery itself"):
                export_bundle(gallery, destination)
        assert [verb for _, verb, _ in notes.journal(gallery)] == ["forget", "export bundle"]


def test_only_a_bundle_or_nothing_is_replaced_by_a_bundle(bundle: Path, tmp_path: Path) -> None:
    text, other, empty = (tmp_path / name for name in ("notes.txt", "library.db", "empty"))
    text.write_text("precious")
    with closing(sqlite3.connect(other)) as db, db:
        db.execute("CREATE TABLE videos (id)")
    empty.touch()
    with SqliteGallery(bundle.with_name("g.db")) as gallery:
        for destination in (text, other):
            before = destination.read_bytes()
            with pytest.raises(GalleryError, match="is there already, and is no bundle"):
                export_bundle(gallery, destination)
            assert destination.read_bytes() == before
        for destination in (bundle, empty):
            assert export_bundle(gallery, destination)["performers"] == 1


def test_no_pipe_or_device_is_replaced_by_a_bundle(bundle: Path) -> None:
    pipe = bundle.with_name("pipe")
    os.mkfifo(pipe)
    with SqliteGallery(bundle.with_name("g.db")) as gallery:
        for destination in (pipe, bundle.parent):
            with pytest.raises(GalleryError, match="is no plain file"):
                export_bundle(gallery, destination)
    assert pipe.is_fifo()


def test_a_bundle_of_an_older_schema_can_be_imported_and_stays_as_it_is(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(db: object) -> None:
        db.execute("CREATE TABLE later (x TEXT)")  # type: ignore[attr-defined]

    for module in (connections, migrations):
        monkeypatch.setattr(module, "MIGRATIONS", (*migrations.MIGRATIONS, later))
    before = bundle.read_bytes()
    with open_bundle(bundle) as opened:
        assert opened.performers()[0].name == "Ada"
    assert bundle.read_bytes() == before
