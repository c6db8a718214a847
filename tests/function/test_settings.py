import re
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from function.sandbox.messages import Setup
from function.sandbox.starting import setup_of
from function.sandbox.wire import pack, unpack
from function.setting_kinds import SettingError, days_of
from function.settings import Settings
from tests.support.settings_table import settings_table


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()


def test_every_field_is_read_from_the_variable_of_its_name() -> None:
    environment = {
        "MEDIA_ROOT": "/videos",
        "EVERY_SECONDS": "2.5",
        "MIN_SCORE": "50",
        "MAX_MATCHES": "3",
        "DETECTOR": "hog",
        "PORT": "9000",
    }
    settings = Settings.from_env(environment)
    assert settings.media_root == (Path("/videos"),)
    assert settings.every_seconds == 2.5
    assert (settings.min_score, settings.max_matches) == (50.0, 3)
    assert (settings.detector, settings.port) == ("hog", 9000)


@pytest.mark.parametrize("variable", ["TOKEN", "PLUGIN_TOKEN"])
@pytest.mark.parametrize("value", ["geheim\N{LATIN SMALL LETTER U WITH DIAERESIS}", "a\nb"])
def test_a_token_that_no_header_carries_is_refused_and_not_shown(variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{variable} is '...'; it must be letters"):
        Settings.from_env({variable: value})


@pytest.mark.parametrize("word", ["OFF", "Off"])
def test_no_word_for_off_is_taken_for_a_secret(word: str) -> None:
    with pytest.raises(SettingError, match="TOKEN is"):
        Settings.from_env({"TOKEN": word})
    for off in (word, "off"):
        assert Settings.from_env({"PLUGIN_TOKEN": off}).plugin_token == ""


def test_auto_leaves_the_interval_to_the_length_of_the_video() -> None:
    assert Settings.from_env({"EVERY_SECONDS": "auto"}).every_seconds is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EVERY_SECONDS", "0"),
        ("EVERY_SECONDS", "nan"),
        ("EVERY_SECONDS", "-1"),
        ("EVERY_SECONDS", "1e16"),
        ("TIME_LIMIT_SECONDS", "1e10"),
        ("MIN_SCORE", "101"),
        ("MAX_MATCHES", "0"),
        ("MAX_MATCHES", "2.5"),
        ("MAX_MATCHES", "1001"),
        ("DETECTION_PIXELS", "16385"),
        ("DETECTION_PIXELS", f"{2**53 + 1}"),
        ("THREADS", "257"),
        ("SLOTS", "65"),
        ("MEMORY_MEGABYTES", "1048577"),
        ("DETECTOR", "yolo"),
        ("SECOND_ENCODER", "onn"),
        ("SECOND_ENCODER", "encoder.onnx"),
        ("DEVICE", "tpu"),
        ("ORIGINS", "null"),
        ("ORIGINS", "*"),
        ("ORIGINS", "https://stash.example,null"),
        ("ORIGINS", "https://*.example"),
        ("ORIGINS", "https://stash.example/page"),
        ("ORIGINS", "stash.example:9999"),
        ("STRANGERS", "90"),
        ("STRANGERS", "0d"),
        ("STRANGERS", "forever"),
        ("STRANGERS", "36501d"),
        ("PORT", "http"),
        ("SCAN_HOURS", "1"),
        ("SCAN_HOURS", "7-7"),
        ("SCAN_HOURS", "24-7"),
        ("SCAN_HOURS", "1-25"),
        ("SCAN_EVERY", "0h"),
        ("SCAN_EVERY", "1"),
        ("SCAN_EVERY", "hourly"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_it_must_be(
    variable: str, value: str
) -> None:
    with pytest.raises(SettingError, match=f"{variable} is '{re.escape(value)}'; it must be "):
        Settings.from_env({variable: value})


def test_every_number_has_a_bound_that_a_child_can_be_told_of() -> None:
    told = vars(Settings(every_seconds=1.0))
    numbers = [name.upper() for name, value in told.items() if isinstance(value, int | float)]
    assert {"EVERY_SECONDS", "DETECTION_PIXELS", "THREADS", "PORT"} <= {*numbers}
    for name in numbers:
        with pytest.raises(SettingError, match=f"{name} is '9999999999999'; it must be a"):
            Settings.from_env({name: "9" * 13})
    most = {"DETECTION_PIXELS": "16384", "MEMORY_MEGABYTES": "1048576", "THREADS": "256"}
    setup = setup_of(Settings.from_env(most))
    assert unpack(Setup, pack(setup)) == setup


def test_hours_may_pass_midnight_and_a_time_has_a_unit() -> None:
    settings = Settings.from_env({"SCAN_HOURS": "22-6", "SCAN_EVERY": "90m"})
    assert [hour for hour in range(24) if settings.scan_hours.hold(hour)] == [
        *range(6),
        *(22, 23),
    ]
    assert settings.scan_every == timedelta(minutes=90)


def test_strangers_may_be_kept_for_days() -> None:
    assert Settings.from_env({"STRANGERS": "90d"}).strangers == "90d"
    assert days_of("90d") == 90
    assert Settings.from_env({"STRANGERS": "36500d"}).strangers == "36500d"


def test_the_second_encoder_is_one_that_ships_or_a_file_that_describes_one_or_none() -> None:
    chosen = [
        Settings.from_env({"SECOND_ENCODER": text}).engine_options.second_encoder
        for text in ("on", "sface", "off", "nets/own.toml", "~/own.toml")
    ]
    own = [Path("nets/own.toml"), Path.home() / "own.toml"]
    assert chosen == ["lightcnn", "sface", None, *own]


def test_a_net_that_nothing_finds_points_for_is_refused() -> None:
    with pytest.raises(SettingError, match="and DETECTOR is 'hog', which finds no points"):
        Settings.from_env({"SECOND_ENCODER": "own.toml", "DETECTOR": "hog"})
    assert Settings.from_env({"SECOND_ENCODER": "on", "DETECTOR": "hog"}).detector == "hog"


def test_a_gallery_is_named_by_a_path_or_by_a_url_of_a_file() -> None:
    for text in ("/data/g.db", "sqlite:////data/g.db"):
        settings = Settings.from_env({"PERFORMERS_DB": text})
        assert settings.performers_db.path == Path("/data/g.db")


def test_a_gallery_on_a_server_is_refused_without_telling_the_password() -> None:
    with pytest.raises(SettingError) as refused:
        Settings.from_env({"PERFORMERS_DB": "postgresql://user:secret@host/db"})
    assert str(refused.value) == (
        "PERFORMERS_DB is 'postgresql://host/db'; it must be the path of a file, or sqlite:///PATH."
    )


def test_the_table_tells_the_default_of_every_setting_as_it_may_be_set() -> None:
    _, _, *rows = settings_table().splitlines()
    told = {name.strip(" `"): text.strip() for _, name, text, *_ in map(split_row, rows)}
    assert [*told] == [name.upper() for name in Settings.__dataclass_fields__]
    del told["CACHE_FOLDER"]  # "auto" stands for the user's own, which has no name
    assert Settings.from_env(told) == Settings()


def split_row(row: str) -> list[str]:
    return re.split(r"(?<!\\)\|", row)


def test_a_tilde_that_no_shell_replaced_is_the_home_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    given = {"MEDIA_ROOT": "~/My Videos:/data:~nobody-has-this-name/x"}
    expected = (tmp_path / "My Videos", Path("/data"), Path("~nobody-has-this-name/x"))
    assert Settings.from_env(given).media_root == expected


@pytest.mark.parametrize("host", ["::", "[::]", "::1", "0.0.0.0", "nas.local"])
def test_a_host_may_be_of_either_kind(host: str) -> None:
    assert Settings.from_env({"HOST": host}).host == host.strip("[]")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("HOST", "0.0.0.0:8080"), ("HOST", "::x"), ("PORT", "70000"), ("PORT", "0"), ("PORT", "-1")],
)
def test_an_address_that_cannot_be_listened_on_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{variable} is '{re.escape(value)}'; it must be a"):
        Settings.from_env({variable: value})


@pytest.mark.parametrize(
    ("cores", "gigabytes", "expected"),
    [
        (1, 64, (1, 1, 1, 1)),
        (2, 64, (2, 1, 2, 1)),
        (8, 64, (8, 2, 8, 1)),
        (16, 64, (16, 4, 8, 2)),
        (64, 64, (16, 4, 8, 2)),
        (16, 16, (16, 4, 8, 2)),
        (16, 8, (8, 4, 8, 1)),
        (16, 4, (7, 2, 4, 1)),
        (64, 3, (9, 1, 3, 3)),
        (16, 2, (5, 1, 2, 2)),
        (16, 1, (1, 1, 1, 1)),
        (4, 4, (4, 1, 4, 1)),
    ],
)
def test_slots_and_threads_follow_cores_and_memory_and_a_scan_reads_videos_apart(
    cores: int,
    gigabytes: int,
    expected: tuple[int, int, int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("function.settings.count_cores", lambda: cores)
    monkeypatch.setattr("function.settings.count_memory_megabytes", lambda: 1024 * gigabytes)
    settings = Settings.from_env({"THREADS": "auto"})
    scanning = settings.for_scanning()
    found = settings.threads, settings.slots, scanning.slots, scanning.threads
    assert found == expected
    children = settings.slots + scanning.slots
    helpers = settings.slots * settings.helpers + scanning.slots * scanning.helpers
    assert 200 + 300 * children + 100 * helpers <= 0.92 * 1024 * gigabytes


def test_a_scan_that_is_told_how_many_reads_so_many() -> None:
    scanning = Settings(threads=8, slots=1).for_scanning(2)
    assert (scanning.slots, scanning.threads) == (2, 4)


def test_helpers_are_the_processes_besides_the_first() -> None:
    assert Settings(threads=3).helpers == (2 if sys.platform == "linux" else 0)
    assert Settings(threads=3, device="cuda").helpers == Settings(threads=3).helpers
    assert Settings(threads=3, device="openvino").helpers == 0
    assert Settings(threads=3, decode="vaapi").helpers == 0


@pytest.mark.parametrize(("works", "helpers"), [(True, 0), (False, 2)])
def test_there_are_no_helpers_for_the_cnn_on_cuda(
    *, works: bool, helpers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("function.settings.may_use_cuda", lambda _: works)
    cnn = Settings(threads=3, detector="cnn")
    assert cnn.helpers == helpers
    assert cnn.net_threads == (1 if helpers else 2)
    assert Settings(threads=3).helpers == 2


@pytest.mark.skipif(sys.platform != "linux", reason="there are no helpers")
def test_there_are_no_more_helpers_than_have_enough_memory() -> None:
    assert Settings(threads=16, memory_megabytes=1023).helpers == 6
    assert Settings(threads=256).helpers == 16
    assert [Settings(threads=one).helper_megabytes for one in (1, 2, 3, 5, 16, 256)] == [
        *(2048, 2048, 1024),
        *(512, 256, 256),
    ]
    assert Settings(threads=16, memory_megabytes=255).helpers == 0
    assert Settings(threads=4, memory_megabytes=255).net_threads == 3
