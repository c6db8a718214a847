"""`stash connect`, `sync` and `status`, as a user types them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.engines import EngineReader, QuickEngine, made_up_photo
from tests.support.stash_server import FakeStash, serving
from tools.cli import main


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStash]:
    monkeypatch.setattr("function.sources.retries.FIRST_PAUSE_SECONDS", 0.001)
    engine = QuickEngine()
    reader = EngineReader(engine)
    monkeypatch.setattr("tools.verbs.stash_verbs.open_reader", lambda _: reader)
    monkeypatch.setattr("function.imports.finders.find_model", lambda _: engine.model)
    with serving(FakeStash()) as running:
        yield running


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "videos").mkdir()
    return {
        "PERFORMERS_DB": str(tmp_path / "g.db"),
        "LIBRARY_DB": str(tmp_path / "l.db"),
        "MEDIA_ROOT": str(tmp_path / "videos"),
        "STASH_API_KEY": "right",
    }


def run(places: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, ["stash", *arguments], env=places)


def answer(places: dict[str, str], *arguments: str, exit_code: int = 0) -> Any:
    result = run(places, *arguments)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)


def test_a_stash_is_connected_once_then_synced_and_told(
    fake: FakeStash, places: dict[str, str], tmp_path: Path
) -> None:
    fake.add_performer("Ada", made_up_photo(1))
    film = tmp_path / "videos/a.mp4"
    film.write_bytes(b"film" * 100)
    fake.add_scene("/data/a.mp4", size=400)
    told = answer(places, "connect", "--url", fake.url)["lines"]
    assert [one["ok"] for one in told] == [True, True]
    later = places | {"STASH_API_KEY": ""}
    assert answer(later, "sync")["added"] == 1
    status = answer(later, "status")
    assert (status["connected"], status["performers_known"]) == (True, 1)
    assert (status["scenes"], status["path_map"]) == (1, [f"/data={film.parent}"])
    kept = (tmp_path / "l.db.stash").read_text()
    assert "right" in kept
    assert "right" not in (tmp_path / "g.db").read_bytes().decode("latin-1")


def test_without_a_connection_each_verb_says_how_to_make_one(places: dict[str, str]) -> None:
    assert answer(places, "status") == {
        "connected": False,
        "performers_known": 0,
        "tasks": [],
        "runs": [],
    }
    result = run(places, "sync")
    assert result.exit_code == 1
    assert "Error: Stash is not connected. Run python -m tools stash connect" in result.stderr
    assert run(places, "connect").exit_code == 2


def test_a_refused_photo_and_another_stash_are_partly_done(
    fake: FakeStash, places: dict[str, str]
) -> None:
    bad = fake.add_performer("Bad", b"no picture")
    verb = ("sync", "--url", fake.url)
    (listed,) = answer(places, *verb, exit_code=3)["without_photo"]
    assert listed["page"] == f"{fake.url}/performers/{bad}"
    assert answer(places, *verb)["unchanged"] == 1


def test_a_wrong_key_is_one_line_without_it(fake: FakeStash, places: dict[str, str]) -> None:
    result = run(places | {"STASH_API_KEY": "very-secret"}, "connect", "--url", fake.url)
    assert result.exit_code == 1
    assert "refused the API key (401)" in result.stderr
    assert "very-secret" not in result.output


def test_an_import_takes_over_the_ids_of_a_former_address(
    fake: FakeStash, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.verbs.stashes.load_chosen_engine", lambda _: QuickEngine())
    fake.add_performer("Ada", made_up_photo(1))
    verb = ["import", "stash", "--url", fake.url]
    monkeypatch.setattr("function.stash.performers.SOURCE", "stash http://localhost:9999")
    assert CliRunner().invoke(main, verb, env=places).exit_code == 0
    monkeypatch.undo()
    monkeypatch.setattr("tools.verbs.stashes.load_chosen_engine", lambda _: QuickEngine())
    assert CliRunner().invoke(main, verb, env=places).exit_code == 0
    (ada,) = json.loads(CliRunner().invoke(main, ["list"], env=places).stdout)
    assert "stash http" not in json.dumps(ada)
