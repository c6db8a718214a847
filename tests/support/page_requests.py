"""Requests as the page sends them."""

import json
from typing import Any

from flask.testing import FlaskClient

FROM_PAGE = {"X-Recognition-Page": "1"}


def identify(client: FlaskClient, path: str = "two.mp4") -> tuple[str, list[dict[str, Any]]]:
    accept = {"Accept": "application/x-ndjson"}
    response = client.post("/", json={"path": path}, headers=FROM_PAGE | accept)
    last = json.loads(response.get_data(as_text=True).splitlines()[-1])
    return last["id"], last["result"]


def post(client: FlaskClient, path: str, /, **fields: Any) -> Any:
    return client.post(path, json=fields, headers=FROM_PAGE)


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.get_json()["error"]["code"]
