"""Reads a request's query, form or JSON: the path, and the settings it overrides."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_type_hints

from flask import Request
from werkzeug.exceptions import BadRequest

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
        raise MissingParameterError(
            "The parameter path is missing. Ask for /?path=VIDEO, or POST the form field path."
        )
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


def _collect(request: Request) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in [*_query_and_form(request), *_json(request).items()]:
        if name not in PARAMETERS:
            raise BadParameterError(
                f"There is no parameter {name!r}; there are {', '.join(PARAMETERS)}."
            )
        if name in given:
            raise RepeatedParameterError(f"The parameter {name} is given twice. Give it once.")
        given[name] = _text(name, value)
    return given


def _query_and_form(request: Request) -> list[tuple[str, str]]:
    is_encoded = request.mimetype == "application/x-www-form-urlencoded"
    form = pairs_of(request.get_data()) if is_encoded else request.form.items(multi=True)
    return [*pairs_of(request.query_string), *form]


def _json(request: Request) -> Mapping[str, Any]:
    if not request.is_json:
        return {}
    try:
        body = request.get_json()
    except (BadRequest, RecursionError):
        raise BadParameterError('The body is not JSON. Send {"path": "VIDEO"}.') from None
    if not isinstance(body, dict):
        raise BadParameterError(
            f'The body is a JSON {type(body).__name__}; it must be an object: {{"path": "VIDEO"}}.'
        )
    return body


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadParameterError(f"{name} is {value!r}; it must be a string or a number.")
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value)  # JSON does not tell 5.0 from 5
