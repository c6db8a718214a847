"""What a page of another server can do to ours through the user's browser: nothing."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browsers import PATIENCE_MS
from tests.support.servers import own_server

ATTACK = """<!doctype html><title>other</title><body><script>
const ours = OURS, results = [];
const ways = {
  frame: "iframe", image: "img", script: "script", embed: "embed", video: "video",
};
function load(kind, address) {
  return new Promise((done) => {
    const element = document.createElement(kind);
    element.onload = () => done("load");
    element.onloadedmetadata = () => done("load");
    element.onerror = () => done("error");
    setTimeout(() => done("silence"), 3000);
    element.src = address;
    document.body.append(element);
  });
}
async function fetched(address, options) {
  try {
    const answer = await fetch(address, options);
    return `${answer.type} ${answer.status}`;
  } catch (error) {
    return "refused";
  }
}
async function attack(path) {
  const seen = {};
  const address = `${ours}/?path=${path}`;
  for (const [name, kind] of Object.entries(ways)) seen[name] = await load(kind, address);
  seen.plain = await fetched(address);
  seen.blind = await fetched(address, { mode: "no-cors" });
  seen.post = await fetched(ours + "/", {
    method: "POST", mode: "no-cors", body: new URLSearchParams({ path }),
  });
  seen.json = await fetched(ours + "/", {
    method: "POST", body: JSON.stringify({ path }), headers: { "Content-Type": "application/json" },
  });
  seen.page = await fetched(address, { headers: { "X-Recognition-Page": "1" } });
  seen.ready = await fetched(ours + "/ready");
  const target = document.createElement("iframe");
  target.name = "target" + path;
  const form = document.createElement("form");
  Object.assign(form, { method: "POST", action: ours + "/", target: target.name });
  form.innerHTML = `<input name="path" value="${path}">`;
  const posted = new Promise((done) => (target.onload = () => done("load")));
  document.body.append(target, form);
  form.submit();
  const silence = new Promise((done) => setTimeout(done, 3000, "silence"));
  seen.form = await Promise.race([posted, silence]);
  return seen;
}
</script>"""


@contextmanager
def other_site(ours: str) -> Iterator[str]:
    """Serve the attacking page from another port, which to a browser is another origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = ATTACK.replace("OURS", json.dumps(ours)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def requests_in(log: Path) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["logger"] == "function.web.logs"]


@pytest.mark.parametrize("token", ["", "off"])
def test_no_way_of_another_page_starts_work_or_tells_whether_a_file_exists(
    token: str, browser: Browser, page_media: Path, tmp_path: Path
) -> None:
    log = tmp_path / "server.log"
    settings = {
        "MEDIA_ROOT": page_media,
        "PERFORMERS_DB": tmp_path / "performers.db",
        "LIBRARY_DB": tmp_path / "library.db",
        "TOKEN": token,
    }
    with own_server(log, **settings) as (ours, _), other_site(ours) as theirs:
        page = browser.new_context().new_page()
        page.set_default_timeout(3 * PATIENCE_MS)
        page.goto(theirs)
        there = page.evaluate("attack('cat.mp4')")
        gone = page.evaluate("attack('gone.mp4')")
        assert there == gone
        assert set(there.values()) & {"opaque 200", "cors 200"} == set()
        # A top window has no Sec-Fetch-Dest of a frame; it is refused as well.
        page.goto(theirs)
        page.evaluate(f"location.href = {json.dumps(ours + '/?path=cat.mp4')}")
        page.wait_for_url(f"{ours}/**")
        assert "untrusted_origin" in page.content()
        page.goto("about:blank")
        deadline = time.monotonic() + 30
        while len([1 for one in requests_in(log) if one["route"] == "/"]) < 15:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    asked = [one for one in requests_in(log) if one["route"] == "/"]
    assert {one["code"] for one in asked} <= {"untrusted_origin", "unauthorized"}, asked
    assert {one["frames"] for one in asked} == {0}
    page.context.close()
