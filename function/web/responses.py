"""What the page asks for becomes JSON."""

import json

from flask import Response


def json_response(body: object) -> Response:
    """Answer with JSON that no cache keeps: it may name performers."""
    response = Response(json.dumps(body) + "\n", mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
