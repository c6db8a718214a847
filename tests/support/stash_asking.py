"""Asks what the plugin in Stash asks, and reads the answers."""

import io
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PIL import Image

from db.people import PersonFound
from tests.support.stash_libraries import StashLibrary

IN_TIME_SECONDS = 30.0


Ask = Callable[..., Any]


def asked(library: StashLibrary, scene: str) -> dict[str, Any]:
    """A scene as the plugin sends it."""
    files = library.fake.scenes[scene]["files"]
    return {
        "id": scene,
        "files": [
            {
                "path": one["path"],
                "size": one["size"],
                "oshash": next((it["value"] for it in one["fingerprints"]), ""),
            }
            for one in files
        ],
    }


def pictured(person: PersonFound) -> PersonFound:
    """The same person with a real picture."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "gray").save(picture, "JPEG")
    return replace(person, picture=picture.getvalue())


def names(view: Any) -> list[list[str]]:
    return [[match["name"] for match in one["matches"]] for one in view["people"]]


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + IN_TIME_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
