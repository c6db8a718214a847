from pathlib import Path

import pytest

from db.addresses import StoreAddress
from db.errors import UnknownStoreError
from db.stores import open_store


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("performers.db", "performers.db"),
        ("/data/performers.db", "/data/performers.db"),
        ("sqlite:///performers.db", "performers.db"),
        ("sqlite:///folder/performers.db", "folder/performers.db"),
        ("sqlite:////data/performers.db", "/data/performers.db"),
        ("SQLite:////data/performers.db", "/data/performers.db"),
    ],
)
def test_a_file_is_named_by_its_path_or_by_a_url(text: str, path: str) -> None:
    address = StoreAddress(text)
    assert address.is_file
    assert address.scheme == "sqlite"
    assert address.path == Path(path)
    assert (str(address), address.name) == (path, "performers.db")
    assert open_store(text).address == address


@pytest.mark.parametrize("text", ["~/my/g.db", "sqlite:///~/my/g.db"])
def test_a_folder_of_the_user_is_found_though_no_shell_named_it(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert StoreAddress(text).path == tmp_path / "my" / "g.db"
    assert StoreAddress("~nobody-has-this-name/g.db").path == Path("~nobody-has-this-name/g.db")
    (tmp_path / "folder").mkdir()
    assert StoreAddress("~/folder").is_folder


def test_a_path_of_windows_has_no_scheme() -> None:
    address = StoreAddress(r"C:\x.db")
    assert (address.scheme, address.is_file, address.path) == ("sqlite", True, Path(r"C:\x.db"))


def test_a_path_object_is_an_address_too(tmp_path: Path) -> None:
    assert open_store(tmp_path / "g.db").address.path == tmp_path / "g.db"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://user:secret@host/db", "postgresql://host/db"),
        ("POSTGRESQL://user:secret@host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://host/db?password=secret", "postgresql://host/db"),
        ("postgresql://user:p@secret@host/db", "postgresql://host/db"),
        # Passwords with signs that should have been escaped.
        ("postgresql://user:p/secret@host/db", "postgresql://..."),
        ("postgresql://user:p?secret@host/db", "postgresql://..."),
        ("postgresql://user:p#secret@host/db", "postgresql://..."),
        ("postgresql://user:[secret@host/db", "postgresql://..."),
        ("postgresql://user:secret@host:secret/db", "postgresql://..."),
        ("sqlite://user:secret@host/db", "sqlite://host/db"),
        ("postgresql://host/db;password=secret", "postgresql://host/db"),
        ("postgres:user:secret@host/db", "postgres://..."),
        ("postgres:/user:secret@host/db", "postgres://..."),
        ("//user:secret@host/db", "unknown://host/db"),
        # As a shell, an editor or a finger may leave them.
        ('"postgres://user:secret@host/db"', "postgres://..."),
        (" postgres://user:secret@host/db", "postgres://host/db"),
        ("my_sql://user:secret@host/db", "my_sql://..."),
        ("x://user:secret@host/db", "x://host/db"),
    ],
)
def test_the_address_of_a_server_is_refused_and_shown_without_its_password(
    text: str, shown: str
) -> None:
    address = StoreAddress(text)
    assert (str(address), address.name) == (shown, shown)
    assert repr(address) == f"StoreAddress({shown!r})"
    for given in (text, address):
        with pytest.raises(UnknownStoreError) as refused:
            open_store(given)
        assert f"A gallery at {shown} cannot be opened" in str(refused.value)
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["sqlite://performers.db", "sqlite://", "sqlite:///"])
def test_a_url_of_sqlite_that_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(UnknownStoreError, match="sqlite:///PATH"):
        open_store(text)


def test_a_file_that_is_there_may_look_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "photos:2024@home.db"
    assert not StoreAddress(text).is_file
    Path(text).touch()
    assert StoreAddress(text).is_file
    assert StoreAddress(text).path == Path(text)
