"""The URLs of the API, each with its handler and methods."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

import flask
from flask import Request, Response

from db.snapshots import Snapshot
from function.media.roots import find_root_trouble
from function.version import VERSION
from function.web.identify import answer_video
from function.web.openapi import Operation, describe
from function.web.pages import answer_start, wants_page
from function.web.responses import json_response
from function.web.results import RecentResults
from function.web.routing import READ, WRITE, Route, Routes
from function.web.service import Service


def api_routes(
    service: Service,
    results: RecentResults,
    others: Routes = MappingProxyType({}),
    operations: Mapping[str, Operation] = MappingProxyType({}),
) -> Routes:
    """Return the route table of the API; /openapi.json describes it, and `others` with it.

    `operations` says what these others take and reply.
    """
    routes: dict[str, Route] = {
        "/": (partial(_answer_start, service, results), READ | WRITE),
        "/health": (_answer_health, READ),
        "/ready": (partial(_answer_ready, service), READ),
        "/metrics": (partial(_answer_metrics, service), READ),
        "/openapi.json": (lambda _: json_response(description), READ),
    }
    methods = {route: methods for route, (_, methods) in (routes | dict(others)).items()}
    description = describe(methods, operations)
    return routes


def _answer_start(service: Service, results: RecentResults, request: Request) -> Response:
    if wants_page(request):
        return answer_start(request)
    return answer_video(request, service, flask.g.record, results)


def _answer_health(_: Request) -> Response:
    return json_response({"status": "up"})


def _answer_ready(service: Service, request: Request) -> Response:
    ready = service.reader.ready()
    snapshot, second = service.snapshot(), service.reader.second
    if not service.access.may_see_details(request):
        return json_response({"status": "ready"})
    return json_response(
        {
            "status": "ready",
            "version": VERSION,
            "engine": ready.engine,
            "provider": ready.provider,
            "decoder": ready.decoder,
            "model": ready.models[0],
            "second_model": next(iter(ready.models[1:]), None),
            "second_licence": second.licence if second and second.licence else None,
            "sandbox": service.settings.sandbox,
            "locks": ready.locks,
            "performers": len(snapshot.performers),
            "photos": len(snapshot.vectors),
            "performers_by_both": _count_fused(snapshot, ready.models),
            "media_trouble": find_root_trouble(service.settings.media_root),
        }
    )


def _count_fused(snapshot: Snapshot, models: Sequence[str]) -> int:
    """Count the performers who can be compared by both of today's nets."""
    fused = snapshot.fused_by(models)
    return int((fused.templates.evidence > 0).sum()) if fused else 0


def _answer_metrics(service: Service, _: Request) -> Response:
    return Response(service.metrics.text(), content_type="text/plain; version=0.0.4")
