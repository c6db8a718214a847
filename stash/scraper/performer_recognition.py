"""The performers whom the recognition server is sure of, for Stash's Scrape and Identify.

Stash starts it with a scene or an image as JSON on standard input, and takes one from standard
output. It says neither where the server is nor where Stash is, so both stand in a file beside this
one, which the plugin's task Check connection writes: {"address": "...", "token": "..."}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from recognition_server import RecognitionError, Server

BESIDE = Path(__file__).with_name("performer_recognition.json")
USUAL_ADDRESS = "http://localhost:8080"

Fields = dict[str, Any]


def log(level: str, text: str) -> None:
    """Write a line for Stash's log; the level is t, d, i, w or e, for trace to error."""
    sys.stderr.write(f"\x01{level}\x02{text}\n")


def read_server() -> Server:
    """Return the server that the file beside this one names, or the usual one without a file.

    Raises:
        RecognitionError: the file is broken.
    """
    try:
        told = json.loads(BESIDE.read_text(encoding="utf-8")) if BESIDE.exists() else {}
        address, token = str(told.get("address") or USUAL_ADDRESS), str(told.get("token") or "")
    except (OSError, ValueError, RecursionError, AttributeError) as error:
        raise RecognitionError(
            f"{BESIDE} cannot be read ({error}). Delete it, and run the plugin's task Check "
            "connection, which writes it anew."
        ) from None
    return Server(address, token, str(BESIDE))


def ask_of(kind: str, fragment: Fields) -> Fields:
    """Return what the server is asked about a scene or an image, of which Stash tells no path."""
    files = [
        {"path": file.get("path", ""), "size": int(file.get("size") or 0), "oshash": _oshash(file)}
        for file in fragment.get("files") or []
    ]
    return {"kind": kind, "id": str(fragment.get("id", "")), "files": files}


def _oshash(file: Fields) -> str:
    prints = file.get("fingerprints") or []
    return next((one["fingerprint"] for one in prints if one.get("type") == "oshash"), "")


def main(kind: str) -> None:
    """Print who is in the scene or image on standard input; nobody where that cannot be said."""
    performers: list[Fields] = []
    try:
        asked = ask_of(kind, json.load(sys.stdin))
        told = read_server().ask("/stash/scrape", asked)
        performers = [
            {"stored_id": one["stored_id"], "name": one["name"]} for one in told["performers"]
        ]
    except RecognitionError as error:
        log("e", str(error))
    json.dump({"performers": performers} if performers else {}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
