import stat
from dataclasses import replace
from pathlib import Path

import pytest

from db.addresses import StoreAddress
from function.settings import Settings
from function.sources.records import UnusableSourceError
from function.stash.connection import (
    Connection,
    NotConnectedError,
    connect,
    file_of,
    find_connection,
    keep_connection,
    keep_path_map,
    require_connection,
)
from tests.support.stash_server import FakeStash


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(library_db=StoreAddress(str(tmp_path / "library.db")))


def test_a_stash_that_answers_is_kept_where_only_its_owner_reads_it(
    fake: FakeStash, settings: Settings
) -> None:
    fake.add_scene("/data/a.mp4")
    with pytest.raises(NotConnectedError, match="stash connect --url"):
        require_connection(settings)
    connected = connect(settings, f"{fake.url}/graphql", "right")
    assert (connected.version, connected.totals.scenes) == ("v0.30.0", 1)
    assert find_connection(settings) == Connection(fake.url, "right")
    assert stat.S_IMODE(file_of(settings).stat().st_mode) == 0o600
    assert "right" not in repr(find_connection(settings))


def test_a_stash_that_refuses_is_not_kept(fake: FakeStash, settings: Settings) -> None:
    with pytest.raises(UnusableSourceError, match="refused the API key"):
        connect(settings, fake.url, "wrong")
    assert find_connection(settings) is None


def test_the_settings_count_before_what_was_kept(
    fake: FakeStash, settings: Settings, tmp_path: Path
) -> None:
    connect(settings, fake.url, "right")
    keep_path_map(settings, [("/data", "/videos"), ("/b", "/c")])
    keep_path_map(settings, [("/data", "/films")])
    set_too = Settings(
        library_db=settings.library_db,
        stash_url="http://other:9999",
        stash_api_key="its",
        path_map=(("/x", "/y"),),
    )
    kept = (("/data", "/films"), ("/b", "/c"))
    assert find_connection(set_too) == Connection("http://other:9999", "its", (("/x", "/y"), *kept))
    assert find_connection(settings) == Connection(fake.url, "right", kept)
    assert [one.name for one in tmp_path.iterdir()] == ["library.db.stash"]


def test_the_key_in_the_settings_goes_to_no_url_that_somebody_else_names(
    fake: FakeStash, settings: Settings
) -> None:
    secret = replace(settings, stash_api_key="right")
    with pytest.raises(UnusableSourceError, match="refused the API key"):
        connect(secret, fake.url)
    keep_connection(secret, Connection(fake.url))
    assert find_connection(secret) == Connection(fake.url, "")
    with_its_url = replace(secret, stash_url=fake.url)
    assert find_connection(with_its_url) == Connection(fake.url, "right")


def test_a_file_that_is_damaged_is_named_with_the_remedy(settings: Settings) -> None:
    file_of(settings).write_text('{"url": 1')
    with pytest.raises(UnusableSourceError, match="Delete it, and connect again"):
        find_connection(settings)
