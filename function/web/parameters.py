"""Reads a request's query, form or JSON: the path, and the settings it overrides."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_type_hints

from flask import Request

from function.errors import BadParameterError, MissingParameterError, RepeatedParameterError
from function.setting_kinds import MOST_SECONDS, SettingError
from function.settings import MOST_MATCHES, Settings, parse_value
from function.web.queries import pairs_of


@dataclass(frozen=True)
class Parameter:
    """One parameter: its meaning, its JSON Schema, and the setting it overrides, if any."""

    meaning: str
    schema: Mapping[str, Any]
    setting: str = ""
    is_required: bool = False


PICTURES = ("on", "off")

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"

PARAMETERS: Mapping[str, Parameter] = {
    "path": Parameter(
        "the video, relative to the media root or absolute inside it",
        {"type": "string", "pattern": r"^[^\u0000]*\S[^\u0000]*$"},
        is_required=True,
    ),
    "every": Parameter(
        "seconds between samples; shots that begin in between may be sampled too",
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_SECONDS},
                {"const": "auto"},
            ]
        },
        "every_seconds",
    ),
    "min_score": Parameter(
        "matches with a lower score are left out",
        {"type": "number", "minimum": 0, "maximum": 100},
        "min_score",
    ),
    "limit": Parameter(
        "most matches listed for one person",
        {"type": "integer", "minimum": 1, "maximum": MOST_MATCHES},
        "max_matches",
    ),
    "pictures": Parameter(
        "off: `image` and `poster` are left empty, for a much shorter answer",
        {"enum": list(PICTURES)},
    ),
}


@dataclass(frozen=True)
class Parameters:
    """What one request asks for."""

    path: str
    settings: Settings
    with_pictures: bool


def read_parameters(request: Request, settings: Settings) -> Parameters:
    """Read `path` and the optional parameters; those not given keep their setting.

    Raises:
        MissingParameterError: there is no `path`.
        RepeatedParameterError: a parameter is given twice.
        BadParameterError: a value cannot be used, or a parameter does not exist.
    """
    given = _collect(request)
    if "path" not in given:
        raise MissingParameterError(_why_missing(request))
    hints = get_type_hints(Settings, include_extras=True)
    replaced = {}
    for name, parameter in PARAMETERS.items():
        setting = parameter.setting
        if setting and name in given:
            try:
                replaced[setting] = parse_value(name, given[name].strip(), hints[setting])
            except SettingError as error:
                raise BadParameterError(str(error)) from None
    with_pictures = read_pictures(given.get("pictures", "on"))
    return Parameters(given["path"], replace(settings, **replaced), with_pictures)


def read_pictures(text: str) -> bool:
    """Say whether an answer is to hold pictures.

    Raises:
        BadParameterError: it is neither on nor off.
    """
    if text.strip() not in PICTURES:
        raise BadParameterError(f"pictures is {text[:40]!r}; it must be {' or '.join(PICTURES)}.")
    return text.strip() == "on"


def _why_missing(request: Request) -> str:
    """Say how to give the path; and if it may be in the body, why that was not read."""
    kind = request.mimetype
    usual = 'Ask for /?path=VIDEO, POST the form field path, or POST JSON: {"path": "VIDEO"}.'
    if kind == PARTS and "path" in request.files:
        return f"The part path of the form is a file: videos are named, not sent. {usual}"
    if kind == PARTS:  # once its parts were read, no body is left
        wrong = "" if "boundary" in request.mimetype_params else "; its header names no boundary"
        return f"The parameter path is missing: no part of the form has it{wrong}. {usual}"
    if not request.get_data() or kind == FORM or request.is_json:
        return f"The parameter path is missing. {usual}"
    said = f"says that it is {kind[:80]!r}" if kind else "does not say what it is (Content-Type)"
    return f"The parameter path is missing: the body {said}, and was not read. {usual}"


def _refuse_misread(request: Request) -> None:
    """Refuse a body that is compressed, or would be read as a form, and is none."""
    encoding = request.headers.get("Content-Encoding", "")
    if request.content_length and encoding.lower() not in {"", "identity"}:
        raise BadParameterError(f"The body is compressed ({encoding[:40]!r}). Send it as it is.")
    if request.mimetype == FORM and request.get_data().lstrip().startswith((b"{", b"[")):
        raise BadParameterError(
            "The body is JSON, but was sent as a form. Add the header Content-Type: "
            "application/json."
        )


def _collect(request: Request) -> dict[str, str]:
    _refuse_misread(request)
    given: dict[str, str] = {}
    for name, value in [*_query_and_form(request), *_json(request)]:
        if name not in PARAMETERS:
            raise BadParameterError(
                f"There is no parameter {name[:40]!r}; there are {', '.join(PARAMETERS)}."
            )
        if name in given:
            raise RepeatedParameterError(f"The parameter {name} is given twice. Give it once.")
        given[name] = _text(name, value)
    return given


def _query_and_form(request: Request) -> list[tuple[str, str]]:
    is_encoded = request.mimetype == FORM
    form = pairs_of(request.get_data()) if is_encoded else request.form.items(multi=True)
    return [*pairs_of(request.query_string), *form]


def _json(request: Request) -> list[tuple[str, Any]]:
    """Read the names and values of a JSON object, in their order, those given twice too."""
    if not request.is_json:
        return []
    try:
        body = json.loads(request.get_data(), object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        raise BadParameterError('The body is not JSON. Send {"path": "VIDEO"}.') from None
    if not isinstance(body, _Object):
        raise BadParameterError(
            f'The body is {_show(body)}; it must be a JSON object: {{"path": "VIDEO"}}.'
        )
    return body


class _Object(list[tuple[str, Any]]):
    """An object of JSON, as the pairs that it is made of."""


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadParameterError(f"{name} is {_show(value)}; it must be a string or a number.")
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value)  # JSON does not tell 5.0 from 5


def _show(value: Any) -> str:
    """Return a value as JSON writes it, but not what an object or a list holds."""
    if isinstance(value, list):
        return "an object" if isinstance(value, _Object) else "a list"
    return json.dumps(value)[:40]
