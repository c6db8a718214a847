"""Serves the function: `python -m function.server`. functions-framework's app, on waitress.

When told to stop (SIGTERM, Ctrl-C) it lets running videos continue for a few seconds, then ends
them with an answer, before it would be killed (Cloud Run: 10 s; Docker: 10 s; Knative: the request
timeout). functions-framework's own server, gunicorn, gives slow clients a thread each for as long
as they like; waitress gives one to complete requests only.
"""

import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

import functions_framework
from flask import Flask

from db.errors import GalleryError
from db.galleries import Store
from db.names import quote, show_text
from function.engines.models import PRIMARY
from function.errors import EngineUnavailableError
from function.matching.second_models import open_second
from function.media.roots import find_root_trouble
from function.setting_kinds import SettingError
from function.settings import Settings
from function.web.connections import Front
from function.web.library.exports import MOST_EXPORTS
from function.web.library.jobs import MOST_WATCHERS
from function.web.line import MOST_WAITING
from function.web.page.playback import MOST_FILMS
from function.web.places import MOST_OTHERS
from function.web.service import Service
from function.web.stash.desk import MOST_ASKING

log = logging.getLogger(__name__)

MAIN = Path(__file__).with_name("main.py")

NO_GALLERY = (
    "There is no gallery at %s, so nobody can be named. If yours is elsewhere, name it: "
    "PERFORMERS_DB. Otherwise make one: python -m tools import folder DIR, or on the page."
)

MOSTLY_LACKING = (
    "%d of the gallery's %d photos have no encoding of %s, today's second net: in videos that are "
    "looked at from now on, whoever is in these photos is compared by the first net alone, and "
    "named less often. Run: python -m tools upgrade-encodings"
)

FINISH_WITHIN_SECONDS = 5.0
"""After SIGTERM running videos have this long to finish; then they are ended."""

STOP_WITHIN_SECONDS = 7.0
"""After this long the server ends, even if something is still running."""

WAITING_THREADS = sum(
    (MOST_FILMS, MOST_WATCHERS, MOST_EXPORTS, MOST_WAITING, MOST_ASKING, MOST_OTHERS)
)
"""In addition to one per slot: requests that play, watch, list or wait for something hold this
many."""


def main() -> None:
    """Serve on HOST and PORT until told to stop."""
    settings = Settings.from_env()
    front = _listen(settings)  # before the app is made, which may log a token for nothing
    app: Flask = functions_framework.create_app(  # type: ignore[no-untyped-call]
        "recognize", str(MAIN), "http"
    )
    service: Service = app.config["SERVICE"]
    if settings.sandbox == "strict":
        _require_locks(service)
    front.take(app, service.access.check, service.settings.trusted_proxies)
    _stop_on_signals(front, service)
    service.store.finish_erasing()
    service.worker.start()
    service.tasks.start()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host  # of IPv6
    log.info("Serving on http://%s:%d", host, settings.port)
    _warn(settings, service.store)
    front.run()
    service.close()
    # Threads that did not end in time must not keep the process.
    logging.shutdown()
    os._exit(0)


def _listen(settings: Settings) -> Front:
    """Take the port; whoever connects now is answered once the app is there.

    Raises:
        SettingError: nothing can listen there.
    """
    try:
        return Front(settings.host, settings.port, settings.slots + WAITING_THREADS)
    except OSError as error:
        raise SettingError(
            f"HOST is {quote(settings.host)} and PORT {settings.port}; nothing can listen there "
            f"({error.strerror or error}). Choose others, or end what listens there."
        ) from error
    except ValueError as error:  # what waitress raises
        raise SettingError(
            f"HOST is {quote(settings.host)}, and no address is known by that name. Set it to "
            "127.0.0.1 for this machine alone, or to 0.0.0.0 or :: for all."
        ) from error


def _warn(settings: Settings, store: Store) -> None:
    """Log what a wrong path in a setting looks like, and what an update has left to do."""
    trouble = find_root_trouble(settings.media_root)
    if trouble:
        log.warning(trouble)
    with suppress(GalleryError, EngineUnavailableError):  # nobody can tell; the page says so
        if not store.exists():
            log.warning(NO_GALLERY, show_text(str(store.address)))
        elif second := open_second(settings.engine_options):
            _warn_of_lacking(store, second.kind.id)


def _warn_of_lacking(store: Store, second: str) -> None:
    """Log it if most photos were enrolled without today's second net, as before an update."""
    with store.gallery() as gallery:
        photos, known = gallery.count_photos(PRIMARY.id), gallery.count_photos(second)
    if known < photos / 2:
        log.warning(MOSTLY_LACKING, photos - known, photos, second)


def _require_locks(service: Service) -> None:
    """Start what reads videos now, rather than at the first request.

    Raises:
        SettingError: it is not locked as SANDBOX=strict demands, or cannot run.
    """
    try:
        service.reader.ready()
    except EngineUnavailableError as error:
        service.close()
        raise SettingError(f"{error}") from error


def _stop_on_signals(front: Front, service: Service) -> None:
    """Have a thread stop the server once a signal asks for it; further signals change nothing.

    The handler takes no lock: it may interrupt whoever holds it, such as itself, where a group of
    processes is ended and one of them passes the signal on.
    """
    asked = SimpleQueue[int]()

    def stop() -> None:
        asked.get()
        try:
            service.worker.stop()
            service.tasks.stop()
        finally:  # whatever happens, or no later signal could end the server
            front.stop(STOP_WITHIN_SECONDS)
        time.sleep(FINISH_WITHIN_SECONDS)
        service.close()

    threading.Thread(target=stop, name="stop", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: asked.put(number))


if __name__ == "__main__":
    try:
        main()
    except SettingError as error:
        sys.exit(f"{error}")
