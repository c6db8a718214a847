"""The page's files: how they are served, what they may do, and how many bytes they are."""

import base64
import hashlib
import re

from flask.testing import FlaskClient

from function.web.pages import PAGE_FOLDER
from tests.support.page_requests import code_of

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


CONNECTIONS_OF_A_BROWSER = 6


def test_a_browser_gets_the_page_and_every_other_client_the_api(client: FlaskClient) -> None:
    page = client.get("/", headers=HTML)
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    for headers in ({"Accept": "*/*"}, {"Accept": "application/json"}, {}):
        assert code_of(client.get("/", headers=headers)) == (400, "missing_parameter")
    assert code_of(client.get("/?path=gone.mp4", headers=HTML)) == (404, "video_not_found")
    assert code_of(client.post("/", headers=HTML)) == (400, "missing_parameter")


def test_the_policy_lets_no_inline_script_run_and_nothing_from_elsewhere(
    client: FlaskClient,
) -> None:
    policy = client.get("/", headers=HTML).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy


def test_every_file_of_the_page_is_served_with_its_type_and_an_etag(client: FlaskClient) -> None:
    types = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
    for path in PAGE_FOLDER.iterdir():
        response = client.get(f"/page/{path.name}")
        assert response.mimetype == types[path.suffix]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        again = client.get(
            f"/page/{path.name}", headers={"If-None-Match": response.headers["ETag"]}
        )
        assert (again.status_code, again.data) == (304, b"")
    assert code_of(client.get("/page/../main.py")) == (404, "not_found")
    assert code_of(client.get("/page/secret.js")) == (404, "not_found")


def test_the_page_is_plain_files_without_inline_script_or_foreign_hosts() -> None:
    start = (PAGE_FOLDER / "index.html").read_text()
    assert "<script>" not in start
    assert "<style" not in start
    assert " style=" not in start
    for path in PAGE_FOLDER.iterdir():
        text = path.read_text()
        assert "http://" not in text, path
        assert "https://" not in text, path
        for danger in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert danger not in text, path


def test_the_start_page_brings_its_style_and_a_policy_that_lets_in_no_other(
    client: FlaskClient,
) -> None:
    response = client.get("/", headers=HTML)
    (style,) = re.findall("<style>(.*?)</style>", response.text, re.DOTALL)
    assert style == (PAGE_FOLDER / "page.css").read_text()
    assert "stylesheet" not in response.text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert f"style-src 'self' 'sha256-{digest}';" in policy
    again = client.get("/", headers=HTML | {"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.headers["Content-Security-Policy"]) == (304, policy)


def test_the_modules_of_the_first_view_are_named_by_the_start_page_and_fit_in_one_round() -> None:
    start = (PAGE_FOLDER / "index.html").read_text()
    needed = {"page.js"}
    for _ in range(5):
        needed |= {name for one in needed for name in imported_modules(one)}
    assert set(re.findall(r'="page/(\w+\.js)"', start)) == needed
    assert len(needed) <= CONNECTIONS_OF_A_BROWSER


def imported_modules(name: str) -> list[str]:
    text = (PAGE_FOLDER / name).read_text()
    return re.findall(r'^import .* from "\./(\w+\.js)";', text, re.MULTILINE)


def test_the_whole_page_is_under_200_kb() -> None:
    assert sum(path.stat().st_size for path in PAGE_FOLDER.iterdir()) < 200_000
