"""A net of one's own from its file to names, as a user types it."""

import errno
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from db.sqlite.store import StoredGallery
from function.engines.models import PRIMARY, SECOND
from function.engines.own.description import read_description
from function.matching.densities import file_of
from function.matching.second_models import write_fit
from tests.support.own_nets import NUMBERS, fit_of, write_net, write_toml
from tools.cli import main
from tools.footage.videos import moving_picture, read_portrait, write_video

PEOPLE = ("obama1.jpg", "biden.jpg", "astronaut.png", "hopper.jpg")


def run(*arguments: object, **environment: object) -> Result:
    variables = {name: str(value) for name, value in environment.items()}
    return CliRunner().invoke(main, [str(one) for one in arguments], env=variables)


def answer(*arguments: object, **environment: object) -> Any:
    done = run(*arguments, **environment)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def friends(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people with three photos each, a little lighter and moved from one to the next."""
    made = tmp_path_factory.mktemp("friends")
    for name in PEOPLE:
        (made / name).with_suffix("").mkdir()
        portrait = cv2.cvtColor(read_portrait(photos / name), cv2.COLOR_RGB2BGR)
        for number in range(3):
            lighter = np.clip(portrait * (1 + number / 10.0), 0, 255).astype(np.uint8)
            small = cv2.resize(lighter, None, fx=1 - number / 8, fy=1 - number / 8)
            cv2.imwrite(str((made / name).with_suffix("") / f"{number}.png"), small)
    return made


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return write_net(tmp_path / "net")


@pytest.fixture
def fitted(net: Path) -> Path:
    write_fit(fit_of(net), net.with_suffix(".fitted.json"))
    return net


def test_calibrate_writes_the_fit_where_the_setting_finds_it(net: Path, friends: Path) -> None:
    assert "has not been fitted" in run("evaluate", friends, "--model", net).stderr
    done = run("calibrate", friends, "--model", net)
    assert done.exit_code == 0, done.output
    assert f"wrote {net.parent}/encoder.fitted.json" in done.stderr
    written = json.loads(net.with_suffix(".fitted.json").read_text())
    assert json.loads(done.stdout)["fit"] == written
    assert (written["model"], written["dimensions"]) == (read_description(net).id, NUMBERS)
    assert written["densities"]["people"] == len(PEOPLE)
    options = ("--enrol", 1, "--probe", 1, "--rounds", 1)
    both = answer("evaluate", friends, "--model", net, *options)
    assert list(both) == ["Light CNN", read_description(net).id]
    rows = [one["rows"][0] for one in both.values()]
    assert [row["people"] for row in rows] == [len(PEOPLE)] * 2
    assert all(row["searches"]["named_wrong"]["value"] == 0 for row in rows)
    table = run("evaluate", friends, "--model", net, *options, "--table").stdout
    assert table.count("named right  ") == 4  # ours and the usual way's, twice
    assert table.index("## dlib's net and Light CNN") < table.index("## dlib's net and sums/")


def test_calibrate_writes_the_fit_into_a_folder_or_a_file_that_is_named(
    net: Path, friends: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    for into in (tmp_path / "there", tmp_path / "mine.json", tmp_path / "mine.json"):
        assert run("calibrate", friends, "--model", net, "--into", into).exit_code == 0
    one, other = tmp_path / "there" / "encoder.fitted.json", tmp_path / "mine.json"
    assert one.read_text() == other.read_text()
    assert not net.with_suffix(".fitted.json").exists()


def test_what_cannot_be_written_or_used_is_said_before_anything_is_read(
    net: Path, friends: Path, tmp_path: Path
) -> None:
    done = run("calibrate", friends, "--model", net, "--into", tmp_path / "no" / "fit.json")
    assert (done.exit_code, "reading" in done.stderr) == (1, False)
    assert "cannot be written. Name another folder or file with --into" in done.stderr
    done = run("calibrate", friends, "--into", tmp_path / "no")
    assert (done.exit_code, "which is no folder" in done.stderr) == (2, True)
    done = run("evaluate", friends, "--model", net, "--folds", 2, "--crowd", 9)
    assert (done.exit_code, "for nets that ship" in done.stderr) == (2, True)
    done = run("evaluate", friends, "--model", net, "--folds", 2, DETECTOR="hog")
    assert (done.exit_code, "Set DETECTOR=yunet" in done.stderr) == (1, True)
    done = run("calibrate", friends, "--model", write_toml(net.parent, channels="grey"))
    assert (done.exit_code, "channels is 'grey'" in done.stderr) == (1, True)


def test_no_file_of_the_users_own_is_replaced_by_a_fit(
    net: Path, friends: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.json"
    mine.write_text('{"notes": "of my own"}')
    shipped = tmp_path / file_of(PRIMARY.id)
    shipped.write_text("mine, too")
    for options, file in (
        (("--model", net, "--into", mine), mine),
        (("--into", tmp_path), shipped),
    ):
        done = run("calibrate", friends, *options)
        assert (done.exit_code, "reading" in done.stderr) == (1, False)
        assert f"{file} is there already" in done.stderr
    assert mine.read_text() == '{"notes": "of my own"}'


@pytest.mark.parametrize("is_fitted", [False, True])
def test_a_disk_that_fills_up_leaves_no_half_fit(
    net: Path, friends: Path, monkeypatch: pytest.MonkeyPatch, *, is_fitted: bool
) -> None:
    fit = net.with_suffix(".fitted.json")
    if is_fitted:
        assert run("calibrate", friends, "--model", net).exit_code == 0
    earlier = fit.read_bytes() if is_fitted else b""
    before = sorted(fit.parent.iterdir())

    def fill_up(_: object, path: Path) -> None:
        path.write_text("{")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tools.verbs.measuring.write_fit", fill_up)
    assert run("calibrate", friends, "--model", net).exit_code == 1
    assert sorted(fit.parent.iterdir()) == before
    assert not is_fitted or fit.read_bytes() == earlier


def test_what_measures_nets_that_ship_refuses_another(fitted: Path, friends: Path) -> None:
    for verb, *options in (["evaluate-hints"], ["evaluate-kinds", "--worth"]):
        done = run(verb, friends, *options, SECOND_ENCODER=fitted)
        assert (done.exit_code, "measures nets that ship" in done.stderr) == (2, True)
        assert "reading" not in done.stderr


def test_films_are_measured_with_a_net_of_ones_own_that_was_fitted(
    net: Path, clip_folder: Path
) -> None:
    ask = ("evaluate-films", clip_folder, "--films", 1, "--every", 2)
    done = run(*ask, SECOND_ENCODER=net)
    assert (done.exit_code, "reading" in done.stderr) == (1, False)
    assert "has not been fitted" in done.stderr
    write_fit(fit_of(net), net.with_suffix(".fitted.json"))
    joined, _ = answer(*ask, SECOND_ENCODER=net)["rows"]
    assert joined["performers"] == 2 > joined["not_named"]
    assert (joined["named_wrong"], joined["strangers_named"]) == (0, 0)


def lacking(db: Path, **environment: object) -> list[str]:
    findings = answer("doctor", "--db", db, **environment)
    return [one["found"] for one in findings if "no encoding of" in one["found"]]


def photos_of(db: Path) -> dict[str, int]:
    with StoredGallery(db) as gallery:
        return {one.name: len(gallery.photos(one.id)) for one in gallery.performers()}


def test_a_gallery_of_sface_is_completed_and_keeps_what_it_had(
    fitted: Path, friends: Path, photos: Path, tmp_path: Path
) -> None:
    db, own = tmp_path / "g.db", read_description(fitted).id
    video = tmp_path / "one.mp4"
    shots = moving_picture(read_portrait(photos / "obama1.jpg"), 2, fps=10, size=(640, 360))
    write_video(video, shots, fps=10, keyframe_every=5)
    answer("import", "folder", friends, "--db", db)
    before = photos_of(db)
    assert lacking(db) == []
    (said,) = lacking(db, SECOND_ENCODER=fitted)
    assert f"have no encoding of {own}: astronaut, biden, hopper, obama1." in said
    upgraded = answer("upgrade-encodings", "--db", db, SECOND_ENCODER=fitted)
    assert (upgraded["completed"], upgraded["lacking"]) == (sum(before.values()), 0)
    assert lacking(db, SECOND_ENCODER=fitted) == lacking(db) == []
    with StoredGallery(db) as gallery:
        assert gallery.models() == [PRIMARY.id, SECOND.id, own]
        for one in gallery.performers():
            assert one.encodings == before[one.name]
            assert len(gallery.encodings(one.id)) == 3 * before[one.name]
    assert photos_of(db) == before
    for second in (fitted, "on", "off"):
        (person,) = answer("identify", video, "--db", db, SECOND_ENCODER=second)
        assert (person["verdict"], person["matches"][0]["name"]) == ("match", "obama1")
    bundle = tmp_path / "g.bundle"
    assert run("export", "--bundle", bundle, "--db", db).exit_code == 0
    answer("import", "bundle", bundle, "--db", tmp_path / "again.db")
    assert lacking(tmp_path / "again.db", SECOND_ENCODER=fitted) == []
    with StoredGallery(db) as gallery:
        obama = gallery.find_performer("obama1")
        photo = gallery.photos(obama.id)[0].hash
    assert run("remove-photo", "obama1", photo, "--db", db).exit_code == 0
    with StoredGallery(db) as gallery:
        assert len(gallery.encodings(obama.id)) == 3 * (before["obama1"] - 1)


def test_an_import_run_again_completes_the_photos(
    fitted: Path, friends: Path, tmp_path: Path
) -> None:
    db = tmp_path / "g.db"
    answer("import", "folder", friends, "--db", db)
    answer("import", "folder", friends, "--db", db, SECOND_ENCODER=fitted)
    assert lacking(db, SECOND_ENCODER=fitted) == []


def test_doctor_shows_the_licence_or_why_the_net_cannot_be_used(
    net: Path, gallery_path: Path
) -> None:
    done = run("doctor", "--db", gallery_path, SECOND_ENCODER=net)
    (found,) = [one for one in json.loads(done.stdout) if one["level"] == "error"]
    assert (done.exit_code, "sums has not been fitted" in found["found"]) == (1, True)
    write_fit(fit_of(net), net.with_suffix(".fitted.json"))
    said = [one["found"] for one in answer("doctor", "--db", gallery_path, SECOND_ENCODER=net)]
    own = read_description(net).id
    assert f"Second net: {own}. Its licence, as you noted it: ours, for tests" in said


def test_identify_without_a_fit_says_what_to_run(
    net: Path, gallery_path: Path, photos: Path, tmp_path: Path
) -> None:
    video = tmp_path / "one.mp4"
    shots = moving_picture(read_portrait(photos / "obama1.jpg"), 1, fps=10, size=(640, 360))
    write_video(video, shots, fps=10, keyframe_every=5)
    done = run("identify", video, "--db", gallery_path, SECOND_ENCODER=net)
    assert done.exit_code == 1
    assert "Run `python -m tools calibrate FOLDER... --model encoder.toml`." in done.stderr
