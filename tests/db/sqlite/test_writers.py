from pathlib import Path

import pytest

from db.errors import GalleryLockedError, GalleryReadOnlyError
from db.sqlite.writers import only_writer


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
        pytest.raises(GalleryReadOnlyError, match="no file can be created in its folder"),
        only_writer(tmp_path / "gone" / "g.db"),
    ):
        pass
