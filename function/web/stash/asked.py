"""Reads what the plugin asks: a scene, and fields that may be left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Request

from db.names import find_id_complaint, is_web_address
from db.records import Identity
from db.writes import ItemKind
from function.errors import BadParameterError, MissingParameterError
from function.stash.records import File, Scene
from function.web.page_requests import read_object, require_page

KINDS: tuple[ItemKind, ...] = ("scene", "image", "gallery")
MOST_FILES = 100
LONGEST_TEXT = 4096
LONGEST_ID = 18

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Asked:
    """What is asked about in Stash; `tagged` are its performers there, if the plugin said so."""

    kind: ItemKind
    scene: Scene
    tagged: frozenset[str] | None


def read_body(request: Request, *known: str) -> dict[str, Any]:
    """Read the JSON object of a request from the plugin, which has no other fields than these.

    Raises:
        NotFromPageError: the request lacks the page's header.
        BadParameterError: there is no such object, or it has another field.
    """
    require_page(request)
    body = read_object(request)
    for name in body:
        if name not in known:
            raise BadParameterError(
                f"There is no field {name[:40]!r}; there are {', '.join(known)}."
            )
    return body


def read_scene(body: Mapping[str, Any]) -> Asked:
    """Read the scene, image or gallery that a request is about.

    Raises:
        MissingParameterError: there is none.
        BadParameterError: it cannot be used.
    """
    scene = need(body, "scene", dict)
    kind = scene.get("kind", "scene")
    if kind not in KINDS:
        raise BadParameterError(f"kind is {kind!r}; it must be {', '.join(KINDS)}.")
    files = optional(scene, "files", list[Any]())
    if len(files) > MOST_FILES:
        raise BadParameterError(f"There are {len(files)} files; {MOST_FILES} at most.")
    tagged = scene.get("performers")
    if tagged is not None and not isinstance(tagged, list):
        raise BadParameterError("performers is not a list. Give ids of Stash, or leave it out.")
    return Asked(
        kind,
        Scene(read_id(need(scene, "id", str)), "", tuple(map(_file, files)), (), (), updated_at=""),
        None if tagged is None else frozenset(read_id(one) for one in tagged),
    )


def need(body: Mapping[str, Any], name: str, kind: type[Kind]) -> Kind:
    """Return a field of a request.

    Raises:
        MissingParameterError: it is missing.
        BadParameterError: it is of another type.
    """
    if name not in body:
        raise MissingParameterError(f"The field {name} is missing.")
    value = body[name]
    # bool is an int to Python, but never meant here.
    if type(value) is not kind or (isinstance(value, str) and len(value) > LONGEST_TEXT):
        most = f", with {LONGEST_TEXT} characters at most" if kind is str else ""
        raise BadParameterError(f"{name} must be of type {kind.__name__}{most}.")
    return value


def optional(body: Mapping[str, Any], name: str, default: Kind) -> Kind:
    """Return a field of a request, or what it is if it is left out.

    Raises:
        BadParameterError: it is of another type.
    """
    return need(body, name, type(default)) if name in body else default


def read_percent(body: Mapping[str, Any], name: str, default: float) -> float:
    """Read a score, in percent.

    Raises:
        BadParameterError: it is no number from 0 to 100.
    """
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:  # noqa: PLR2004
        raise BadParameterError(f"{name} must be a number from 0 to 100.")
    return float(value)


def read_count(body: Mapping[str, Any], name: str, most: int) -> int:
    """Read a whole number from 0 to `most`, 0 if it is left out.

    Raises:
        BadParameterError: it is no such number.
    """
    value = optional(body, name, 0)
    if not 0 <= value <= most:
        raise BadParameterError(f"{name} must be a whole number from 0 to {most}.")
    return value


def read_id(value: object) -> str:
    """Read an id of Stash or of the gallery.

    Raises:
        BadParameterError: it is no number as text.
    """
    text = str(value) if isinstance(value, str) else ""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID):
        raise BadParameterError('An id is missing, or is not a number. Send it as text, like "12".')
    return text


def read_stash_ids(body: Mapping[str, Any]) -> tuple[Identity, ...]:
    """Read who somebody is on stash-boxes.

    Raises:
        BadParameterError: an endpoint is no URL, or an id is missing or cannot be one.
    """
    found = []
    for one in optional(body, "stash_ids", list[Any]()):
        if not isinstance(one, dict):
            raise BadParameterError('stash_ids is a list of {"endpoint": URL, "stash_id": ID}.')
        identity = Identity(need(one, "endpoint", str), need(one, "stash_id", str))
        if not is_web_address(identity.source) or not identity.source_id:
            raise BadParameterError("A stash id needs the URL of its endpoint, and an id.")
        if complaint := find_id_complaint(identity.source) or find_id_complaint(identity.source_id):
            raise BadParameterError(f"A stash id cannot be used: {complaint}.")
        found.append(identity)
    return tuple(found)


def _file(value: object) -> File:
    if not isinstance(value, dict):
        raise BadParameterError("A file is not an object. Send path, oshash and size.")
    return File(
        path=optional(value, "path", ""),
        oshash=optional(value, "oshash", "").strip().lower(),
        size_bytes=optional(value, "size", 0),
        seconds=0.0,
    )
