"""Turns answers for the page into JSON."""

import json

from flask import Response


def json_response(body: object) -> Response:
    """Answer with JSON that no cache stores: it may name performers."""
    response = Response(json.dumps(body) + "\n", mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
