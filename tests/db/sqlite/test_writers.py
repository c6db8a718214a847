import errno
import fcntl
import time
from pathlib import Path

import pytest

from db.errors import GalleryLockedError, GalleryReadOnlyError
from db.sqlite.writers import in_line, only_writer


def test_the_lock_lies_beside_the_gallery_for_its_owner_only(tmp_path: Path) -> None:
    with only_writer(tmp_path / "g.db"):
        assert (tmp_path / "g.db.lock").stat().st_mode & 0o777 == 0o600


def test_a_gallery_that_is_named_by_a_link_is_held_as_itself(tmp_path: Path) -> None:
    (tmp_path / "g.db").touch()
    (tmp_path / "link.db").symlink_to("g.db")
    (tmp_path / "folder").symlink_to(tmp_path)
    with only_writer(tmp_path / "g.db"):
        for other in ("link.db", "folder/g.db"):
            with (
                pytest.raises(GalleryLockedError, match="Another import or edit is running"),
                only_writer(tmp_path / other),
            ):
                pass


def test_a_folder_that_is_not_there_is_named_as_the_reason(tmp_path: Path) -> None:
    with (
        pytest.raises(GalleryReadOnlyError, match=r"its folder is not there\. Make the folder"),
        only_writer(tmp_path / "gone" / "g.db"),
    ):
        pass
    (tmp_path / "file").touch()
    with (
        pytest.raises(GalleryReadOnlyError, match="no file can be created in its folder"),
        only_writer(tmp_path / "file" / "g.db"),
    ):
        pass


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_nothing_can_be_locked_nobody_waits_in_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, "as on some file systems")

    monkeypatch.setattr(fcntl, "flock", refuse)
    began = time.monotonic()
    with in_line(tmp_path / "l.db", 5.0):
        assert time.monotonic() - began < 1.0


def test_whoever_stays_in_line_is_passed_in_time(tmp_path: Path) -> None:
    with in_line(tmp_path / "l.db", 5.0):
        began = time.monotonic()
        with in_line(tmp_path / "l.db", 0.2):
            assert time.monotonic() - began >= 0.2
