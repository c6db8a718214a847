"""What of a bundle reaches a gallery: what only shows is cleaned, what counts is checked."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from db.galleries import everyone
from db.records import Encoding
from db.sqlite.bundles import export_bundle
from db.sqlite.store import StoredGallery
from db.stores import open_bundle
from function.engines.models import PRIMARY
from tests.support.galleries import encoding, performer
from tools.imports.imports import enrol_bundle, renew_picture

PAYLOAD = b"<script>alert(1)</script>"


def jpeg(side: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "JPEG", comment=PAYLOAD)
    return file.getvalue()


def carried(tmp_path: Path, picture: bytes | None, *encodings: Encoding) -> StoredGallery:
    """Export a gallery with one performer, and import it into another."""
    with StoredGallery(tmp_path / "theirs.db", create=True) as theirs:
        urls = ("https://ada.example/", "javascript:alert(1)", "www.ada.example")
        ada = performer("Ada", urls=urls, poster_url="data:image/svg+xml,<svg/>")
        theirs.enrol(ada, encodings or [encoding(1)], picture)
        export_bundle(theirs, tmp_path / "their.bundle")
    ours = StoredGallery(tmp_path / "ours.db", create=True)
    with open_bundle(tmp_path / "their.bundle") as bundle:
        refused = [one.refusals for one in enrol_bundle(bundle, ours)]
    assert any(refused) == (len(encodings) > 1)
    return ours


def test_photos_that_are_enrolled_as_somebody_else_are_remarked(tmp_path: Path) -> None:
    with StoredGallery(tmp_path / "theirs.db", create=True) as theirs:
        theirs.enrol(performer("Ada", "1"), [encoding(1)], None)
        theirs.enrol(performer("Eve", "2"), [encoding(2)], None)
        export_bundle(theirs, tmp_path / "their.bundle")
    with (
        StoredGallery(tmp_path / "ours.db", create=True) as ours,
        open_bundle(tmp_path / "their.bundle") as bundle,
    ):
        ours.enrol(performer("Bob", "3"), [encoding(2)], None)
        told = {one.performer: one.remarks for one in enrol_bundle(bundle, ours)}
        again = [one.remarks for one in enrol_bundle(bundle, ours)]
    assert told["Ada"] == ()
    assert [one.remark[:38] for one in told["Eve"]] == ["is enrolled already as Bob (id:1): if "]
    assert again == [(), ()]


def test_only_addresses_of_the_web_and_pixels_are_taken_over(tmp_path: Path) -> None:
    with carried(tmp_path, jpeg()) as ours:
        ((ada, _, thumbnail),) = everyone(ours)
        assert ada.urls == ("https://ada.example/",)
        assert ada.poster_url == ""
        assert thumbnail is not None
        assert PAYLOAD not in thumbnail
        assert Image.open(io.BytesIO(thumbnail)).size == (64, 64)


def test_origins_cannot_command_the_terminal(tmp_path: Path) -> None:
    with carried(tmp_path, None, replace(encoding(1), origin="a\x1b[2J.jpg")) as ours:
        ((_, (one,), thumbnail),) = everyone(ours)
        assert one.origin == "a\ufffd[2J.jpg"
        assert thumbnail is None


def test_a_face_in_a_photo_is_encoded_again_and_its_weakness_is_plain(tmp_path: Path) -> None:
    odd = replace(encoding(1), face=jpeg(), weaknesses="dark\x1b[2J")
    with carried(tmp_path, None, odd) as ours:
        ((_, (one,), _),) = everyone(ours)
        assert one.weaknesses == "dark\ufffd[2J"
        assert Image.open(io.BytesIO(one.face)).size == (64, 64)
        assert PAYLOAD not in one.face


def test_a_name_that_is_too_long_as_it_would_be_kept_is_refused(tmp_path: Path) -> None:
    """One of its letters is three as Unicode composes it."""
    with StoredGallery(tmp_path / "theirs.db", create=True) as theirs:
        theirs.enrol(performer("\ufb2c" * 300), [encoding(1)], None)
        export_bundle(theirs, tmp_path / "their.bundle")
    with (
        StoredGallery(tmp_path / "ours.db", create=True) as ours,
        open_bundle(tmp_path / "their.bundle") as bundle,
    ):
        ((refusal,),) = [one.refusals for one in enrol_bundle(bundle, ours)]
        assert "has 900 characters" in refusal.reason
        assert ours.performers() == []


def test_encodings_that_the_net_cannot_have_made_are_left_out_and_named(tmp_path: Path) -> None:
    good = encoding(1, model=PRIMARY.id)
    tiny = replace(encoding(2, model=PRIMARY.id), vector=np.full(128, 0.02, np.float32))
    with carried(tmp_path, None, good, tiny) as ours:
        ((_, stored, _),) = everyone(ours)
        assert [one.photo_hash for one in stored] == ["hash1"]


@pytest.mark.parametrize(
    "picture",
    [
        b"<svg onload='alert(1)'/>",
        jpeg()[:200],
        jpeg(600),
        b"\xff\xd8\xff" + bytes(100) + b"\xff\xd9",
        jpeg() + bytes(200_000),
        b"",
    ],
)
def test_what_is_no_small_jpeg_is_no_picture(picture: bytes) -> None:
    assert renew_picture(picture) is None
