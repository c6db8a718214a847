"""A reverse proxy as people put in front: it serves another server under a path of its own."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = ("connection", "transfer-encoding", "keep-alive", "content-length", "date", "server")


@contextmanager
def proxy_to(address: str, base: str) -> Iterator[str]:
    """Serve the server at `address` under the path `base`; gives the new address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(f"{base}/"):
                self.send_error(404, "not under the base path")
                asked_elsewhere.append(self.path)
                return
            length = int(self.headers.get("Content-Length", 0))
            with closing(http.client.HTTPConnection(urlsplit(address).netloc)) as behind:
                path = self.path.removeprefix(base)
                behind.request(self.command, path, self.rfile.read(length), dict(self.headers))
                answer = behind.getresponse()
                content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  # the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    asked_elsewhere: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{base}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert asked_elsewhere == []
