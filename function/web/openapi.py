"""The function's OpenAPI 3.1 document, made from the code that answers requests."""

import inspect
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

from function import errors
from function.version import VERSION
from function.web.parameters import PARAMETERS, Parameter
from function.web.reply import DURATION_HEADER, UNREADABLE_HEADER, PersonReply

_JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


@dataclass(frozen=True)
class Operation:
    """What a route does, the parameters or fields it takes, and the type of its reply.

    It has the media type `kind`, or one of those in `also` if that is asked for. For lines of JSON
    the type is that of each line.
    """

    summary: str
    takes: Mapping[str, Parameter] = field(default_factory=dict)
    reply: Any = None
    kind: str = "application/json"
    also: tuple[str, ...] = ()


def describe(
    routes: Mapping[str, Collection[str]],
    operations: Mapping[str, Operation] = MappingProxyType({}),
) -> dict[str, Any]:
    """Describe every route, with the methods it answers; `operations` says more about some."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Performer Video Recognition", "version": VERSION},
        "paths": {
            route: {
                method.lower(): _operation(route, method, operations.get(route))
                for method in sorted(methods)
            }
            for route, methods in routes.items()
        },
        "components": {
            "schemas": {"Error": _error_schema()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "token": {"type": "apiKey", "in": "header", "name": "X-Token"},
            },
        },
        "security": [{}, {"bearer": []}, {"token": []}],
    }


def _operation(route: str, method: str, known: Operation | None) -> dict[str, Any]:
    operation: dict[str, Any] = {"responses": _error_responses()}
    if known:
        return _describe_known(operation, known, method)
    if route != "/":
        kind = "text/plain" if route == "/metrics" else "application/json"
        operation["responses"]["200"] = {"description": "The answer.", "content": {kind: {}}}
        return operation
    people = {"type": "array", "items": _schema(PersonReply)}
    operation["summary"] = "Say who is in a video."
    operation["responses"]["200"] = {
        "description": "Everyone who was found, the most certain first; as lines, with progress.",
        "headers": {
            DURATION_HEADER: {"description": "Seconds.", "schema": {"type": "number"}},
            UNREADABLE_HEADER: {
                "description": "Seconds of the video that are damaged and were not seen.",
                "schema": {"type": "number"},
            },
        },
        "content": {
            "application/json": {"schema": people},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
    return operation | (_body(PARAMETERS) if method == "POST" else _query(PARAMETERS))


def _describe_known(operation: dict[str, Any], known: Operation, method: str) -> dict[str, Any]:
    schema = {"schema": _schema(known.reply)} if known.reply else {}
    operation["summary"] = known.summary
    content = {known.kind: schema} | {kind: {} for kind in known.also}
    operation["responses"]["200"] = {"description": "The answer.", "content": content}
    return operation | (_body(known.takes) if method == "POST" else _query(known.takes))


def _query(takes: Mapping[str, Parameter]) -> dict[str, Any]:
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": parameter.is_required,
                "schema": parameter.schema,
                "description": parameter.meaning,
            }
            for name, parameter in takes.items()
        ]
    }


def _body(takes: Mapping[str, Parameter]) -> dict[str, Any]:
    required = [name for name, parameter in takes.items() if parameter.is_required]
    schema = {
        "type": "object",
        "properties": {name: parameter.schema for name, parameter in takes.items()},
        "required": required,
        "additionalProperties": False,
    }
    kinds = ["application/json"]
    if takes is PARAMETERS:
        kinds += ["application/x-www-form-urlencoded", "multipart/form-data"]
    content = {kind: {"schema": schema} for kind in kinds}
    return {"requestBody": {"required": bool(required), "content": content}}


def _error_responses() -> dict[str, Any]:
    codes = defaultdict(list)
    for error in all_errors():
        codes[str(error.status)].append(error.code)
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        status: {"description": ", ".join(sorted(found)), "content": content}
        for status, found in sorted(codes.items())
    }


def all_errors() -> list[type[errors.RecognitionError]]:
    """List every error that a request may end with, from the root of the tree down."""
    found: list[type[errors.RecognitionError]] = [errors.RecognitionError]
    for error in found:
        found.extend(error.__subclasses__())
    return found


def _error_schema() -> dict[str, Any]:
    texts = {
        "code": {"enum": sorted({error.code for error in all_errors()})},
        "message": {"type": "string"},
    }
    known = {
        "performers": {"type": "array", "items": {"type": "integer"}},  # of name_taken
        "missing": {"type": "boolean"},  # of gallery_unavailable
    }
    inner = {"type": "object", "properties": texts | known, "required": [*texts]}
    return {"type": "object", "properties": {"error": inner}, "required": ["error"]}


def _schema(kind: Any) -> dict[str, Any]:
    """Turn a type of the reply into the JSON Schema of its values."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        fields = {name: _schema(hint) for name, hint in hints.items()}
        words = {"description": inspect.getdoc(kind)}
        return {**words, "type": "object", "properties": fields, "required": [*fields]}
    if kind in _JSON_TYPES:
        return {"type": _JSON_TYPES[kind]}
    return _generic_schema(kind, get_args(kind))


def _generic_schema(kind: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    if get_origin(kind) is list:
        return {"type": "array", "items": _schema(arguments[0])}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if get_origin(kind) is UnionType:
        return {"anyOf": [_schema(one) for one in arguments]}
    if get_origin(kind) is tuple:
        return {"type": "array", "prefixItems": [_schema(one) for one in arguments]}
    return {"enum": [*arguments]}  # a Literal
