"""`upgrade-encodings`, and what `doctor` says before and after."""

import json
import shutil
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from click.testing import CliRunner

from db.addresses import StoreAddress
from db.galleries import Gallery
from db.sqlite.ledger import SqliteLedger
from db.sqlite.store import SqliteStore, StoredGallery
from function.engines.models import PRIMARY, SECOND, SECOND_BEFORE
from function.engines.protocol import Engine
from tests.support.galleries import gallery_of_schema
from tests.support.ledgers import made_up_person, scan_one
from tools.cli import main
from tools.imports.upgrades import encode_lacking, find_lacking
from tools.verbs import upgrading


@pytest.fixture(autouse=True)
def engine_once(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    for module in ("importing", "upgrading"):
        monkeypatch.setattr(f"tools.verbs.{module}.load_chosen_engine", lambda _: engine)


def answer(*arguments: object, exit_code: int = 0) -> Any:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


@pytest.fixture
def earlier(people_folder: Path, tmp_path: Path) -> Path:
    """A gallery from before there was a second net, and before faces of photos were kept."""
    path = tmp_path / "earlier.db"
    answer("import", "folder", shutil.copytree(people_folder, tmp_path / "people"), "--db", path)
    with StoredGallery(path) as gallery, gallery.writing() as raw:
        raw.execute("DELETE FROM encodings WHERE model = ?", (SECOND.id,))
        raw.execute("UPDATE encodings SET face = NULL")
    return path


def lacking(db: Path) -> list[str]:
    findings = answer("doctor", "--db", db)
    return [one["found"] for one in findings if "no encoding of" in one["found"]]


def test_doctor_names_who_lacks_the_second_net_until_they_are_upgraded(earlier: Path) -> None:
    assert lacking(earlier) == [
        f"3 photos of 2 performers have no encoding of {SECOND.id}: Barack Obama, Grace Hopper."
    ]
    assert answer("upgrade-encodings", "--db", earlier) == {
        "completed": 3,
        "lacking": 0,
        "from_videos": 0,
        "performers_lacking": [],
    }
    assert lacking(earlier) == []
    assert answer("upgrade-encodings", "--db", earlier)["completed"] == 0


def test_doctor_changes_nothing_in_an_older_file_and_asks_for_no_net_that_is_off(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = gallery_of_schema(tmp_path / "older.db", 3)
    before = older.read_bytes()
    answer("doctor", "--db", older)
    assert older.read_bytes() == before
    assert [path.name for path in tmp_path.glob("older*")] == ["older.db"]
    monkeypatch.setenv("SECOND_ENCODER", "off")
    assert lacking(earlier) == []


def test_doctor_counts_the_videos_that_another_second_net_looked_at(
    earlier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRARY_DB", str(tmp_path / "l.db"))

    def counted() -> list[str]:
        findings = answer("doctor", "--db", earlier)
        return [one["found"] for one in findings if "has not looked at" in one["found"]]

    with SqliteLedger(tmp_path / "l.db") as ledger:
        today = scan_one(ledger, 1, made_up_person(1))
        assert counted() == []
        before = [scan_one(ledger, number, made_up_person(number)) for number in (2, 3)]
        with ledger.writing() as db:
            earlier_models = json.dumps([PRIMARY.id, SECOND_BEFORE.id])
            db.execute("UPDATE videos SET models = ? WHERE id != ?", (earlier_models, today))
            db.execute("UPDATE videos SET faces = 0 WHERE id = ?", (before[0],))
    assert counted() == [f"{SECOND.id} has not looked at 1 video of the library."]
    with SqliteLedger(tmp_path / "l.db") as ledger, ledger.writing() as db:
        db.execute("UPDATE videos SET kind = 'album', faces = 1 WHERE id = ?", (before[0],))
    assert counted() == [f"{SECOND.id} has not looked at 1 video and 1 album of the library."]
    with SqliteLedger(tmp_path / "l.db") as ledger, ledger.writing() as db:
        db.execute("UPDATE videos SET kind = 'album'")
    assert counted() == [f"{SECOND.id} has not looked at 2 albums of the library."]


def test_photos_that_are_gone_are_counted_and_their_performers_named(earlier: Path) -> None:
    shutil.rmtree(earlier.parent / "people")
    report = answer("upgrade-encodings", "--db", earlier, exit_code=3)
    assert report == {
        "completed": 2,
        "lacking": 1,
        "from_videos": 0,
        "performers_lacking": ["Barack Obama"],
    }


@pytest.mark.parametrize(
    "origin",
    ["library: beach.mp4 at 3.0 s", "confirmed from beach.mp4 at 3.0 s", "stash scene 7"],
)
def test_what_was_taken_from_videos_without_a_picture_is_no_failure_and_gets_its_own_advice(
    origin: str, earlier: Path
) -> None:
    def told(*exit_codes: int) -> str:
        result = CliRunner().invoke(main, ["upgrade-encodings", "--db", str(earlier)])
        assert (result.exit_code, json.loads(result.stdout)["from_videos"]) == exit_codes
        remedies = [
            one["remedy"] for one in answer("doctor", "--db", earlier) if SECOND.id in one["found"]
        ]
        assert ("page" in result.stderr) == ("page" in remedies[0])
        assert ("--full" in result.stderr) == ("--full" in remedies[0])
        return result.stderr

    with StoredGallery(earlier) as gallery, gallery.writing() as raw:
        raw.execute("UPDATE performers SET thumbnail = NULL")
        raw.execute("UPDATE encodings SET origin = ? WHERE origin LIKE '%Hopper%'", (origin,))
    alone = told(0, 1)
    assert "1 photo was taken from videos" in alone
    assert "add-photo" in alone
    assert "--full" not in alone
    shutil.rmtree(earlier.parent / "people")
    with StoredGallery(earlier) as gallery, gallery.writing() as raw:
        raw.execute("DELETE FROM encodings WHERE model = ?", (SECOND.id,))
    both = told(3, 1)
    assert "1 photo was taken from videos" in both
    assert "Import them again" in both


def test_photos_that_are_gone_are_completed_where_their_faces_are_kept(
    people_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "earlier.db"
    people = shutil.copytree(people_folder, tmp_path / "people")
    answer("import", "folder", people, "--db", path)
    with StoredGallery(path) as gallery, gallery.writing() as raw:
        raw.execute("DELETE FROM encodings WHERE model = ?", (SECOND.id,))
    shutil.rmtree(people)
    assert answer("upgrade-encodings", "--db", path)["completed"] == 3
    assert lacking(path) == []


def test_who_is_forgotten_meanwhile_is_left_out_and_others_may_write_between(
    earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_and_forget(*given: Any) -> Any:
        found = find_lacking(*given)
        with SqliteStore(StoreAddress(str(earlier))).changing() as gallery:
            gallery.forget(found[0])
        return found

    monkeypatch.setattr(upgrading, "find_lacking", find_and_forget)
    assert answer("upgrade-encodings", "--db", earlier)["completed"] == 1
    assert [one["name"] for one in answer("list", "--db", earlier)] == ["Grace Hopper"]


def test_photos_are_read_while_others_write_who_are_waited_for(
    earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(StoreAddress(str(earlier)))
    holding = store.changing()

    def write_meanwhile(gallery: Gallery, performer_id: int, *given: Any) -> Any:
        found = encode_lacking(gallery, performer_id, *given)
        if gallery.performer(performer_id).name == "Grace Hopper":
            holding.__enter__().log("edit", {})
            Timer(0.5, lambda: holding.__exit__(None, None, None)).start()
        return found

    monkeypatch.setattr(upgrading, "encode_lacking", write_meanwhile)
    assert answer("upgrade-encodings", "--db", earlier)["completed"] == 3
    with store.gallery() as gallery:
        assert [verb for _, verb, _ in gallery.journal()][-2:] == ["edit", "upgrade-encodings"]


def test_of_photos_that_are_gone_doctor_says_what_to_do_once_that_was_tried(
    earlier: Path,
) -> None:
    def remedy() -> str:
        findings = answer("doctor", "--db", earlier)
        return next(one["remedy"] for one in findings if "no encoding of" in one["found"])

    people = earlier.parent / "people"
    shutil.move(people, people.with_name("elsewhere"))
    assert remedy() == "Run: python -m tools upgrade-encodings"
    for _ in range(2):
        told = CliRunner().invoke(main, ["upgrade-encodings", "--db", str(earlier)]).stderr
        assert "Import them again from where they are now, with --full, or add other" in told
        assert "Import them again from where they are now, with --full" in remedy()
    with StoredGallery(earlier) as gallery, gallery.writing() as raw:
        raw.execute("DELETE FROM encodings WHERE model = ?", (SECOND.id,))
    assert remedy() == "Run: python -m tools upgrade-encodings"
    answer("import", "folder", people.with_name("elsewhere"), "--db", earlier, "--full")
    assert lacking(earlier) == []


def test_without_a_second_net_it_says_how_to_have_one(
    earlier: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "second", None)
    result = CliRunner().invoke(main, ["upgrade-encodings", "--db", str(earlier)])
    assert result.exit_code == 1
    assert "SECOND_ENCODER=on" in result.stderr
