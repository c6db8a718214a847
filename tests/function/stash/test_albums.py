"""Where an image of Stash's lies, whatever Stash says of it."""

from pathlib import Path

import pytest

from db.sqlite.ledger import SqliteLedger
from function.settings import Settings
from function.stash.albums import album_place, find_in_album
from function.stash.connection import Connection
from function.stash.paths import locator
from tests.support.ledgers import Clock, open_with


@pytest.fixture
def ledger(tmp_path: Path) -> SqliteLedger:
    return open_with(Clock(), tmp_path / "l.db")


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "//", ".", "\\", "C:\\", "\0", "/data/\0.zip/1.jpg", "/data/" + "a/" * 3000),
        *("\ud800", "/data/\ud800.zip/1.jpg", "/data/\ud800/1.jpg", "/data/a.zip/\ud800.jpg"),
        *("C:\\\ud800\\a.zip", "/data/\udcff.zip/1.jpg", "../" * 9 + "etc/a.zip", "n" * 9000),
    ],
)
def test_a_path_that_no_file_can_have_is_nowhere(
    path: str, ledger: SqliteLedger, tmp_path: Path
) -> None:
    (tmp_path / "media").mkdir()
    settings = Settings(media_root=(tmp_path / "media",))
    connection = Connection("http://localhost:9999", "", (("/data", str(tmp_path / "media")),))
    locate = locator(settings, connection)
    with ledger:
        assert find_in_album(ledger, path, locate) is None
    place = album_place(path, locate)
    assert place is None or Path(str(place, "utf-8", "surrogateescape")).is_relative_to(tmp_path)
