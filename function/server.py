"""Serves the function: `python -m function.server`. functions-framework, with a timed shutdown.

It is gunicorn as functions-framework starts it. When told to stop (SIGTERM) it lets running videos
continue for a few seconds, then ends them with an answer, before it would be killed (Cloud Run:
10 s; Docker: 10 s; Knative: the request timeout).
"""

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import functions_framework
from flask import Flask
from functions_framework._http import create_server

from function.media.roots import find_root_trouble
from function.settings import SettingError, Settings
from function.web.service import Service

log = logging.getLogger(__name__)

MAIN = Path(__file__).with_name("main.py")

FINISH_WITHIN_SECONDS = 5.0
"""After SIGTERM running videos have this long to finish; then they are ended."""

STOP_WITHIN_SECONDS = 7
"""After this long gunicorn ends, even if something is still running."""

WAITING_THREADS = 16
"""In addition to one per slot: health, pages and refusals must not wait for videos."""


def main() -> None:
    """Serve on HOST and PORT until told to stop."""
    settings = Settings.from_env()
    app: Flask = functions_framework.create_app(  # type: ignore[no-untyped-call]
        "recognize", str(MAIN), "http"
    )
    service: Service = app.config["SERVICE"]

    host = f"[{settings.host}]" if ":" in settings.host else settings.host  # of IPv6

    def say_where(_: Any) -> None:
        log.info("Serving on http://%s:%d", host, settings.port)
        trouble = find_root_trouble(settings.media_root)
        if trouble:
            log.warning(trouble)

    options = {
        "when_ready": say_where,
        "threads": settings.slots + WAITING_THREADS,
        "graceful_timeout": STOP_WITHIN_SECONDS,
        "post_worker_init": lambda _: _begin(service),
        "worker_exit": lambda _arbiter, _worker: service.close(),
        "control_socket_disable": True,
    }
    if os.path.isdir("/dev/shm"):  # noqa: PTH112,S108  # memory: a disk may be slow or read-only
        options["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
    server = create_server(app, debug=False, **options)  # type: ignore[no-untyped-call]
    server.run(host, settings.port)


def _begin(service: Service) -> None:
    """Go on with scans, and have all work ended on SIGTERM.

    It runs in gunicorn's worker, which alone sees requests, and whose own handler is called, too.
    """
    service.worker.start()
    service.tasks.start()
    gunicorns = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        service.worker.stop()
        service.tasks.stop()
        timer = threading.Timer(FINISH_WITHIN_SECONDS, service.close)
        timer.daemon = True
        timer.start()
        if callable(gunicorns):
            gunicorns(number, frame)

    signal.signal(signal.SIGTERM, stop)


if __name__ == "__main__":
    try:
        main()
    except SettingError as error:
        sys.exit(f"{error}")
