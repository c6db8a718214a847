"""The gallery's audit as the page shows it, made once for each state of the gallery."""

import threading

from flask import Request, Response

from db.snapshots import Snapshot
from function.errors import GalleryTooLargeError
from function.matching.audits import Audit, audit_gallery
from function.web.responses import json_response
from function.web.service import Service

MOST_PHOTOS = 20_000
"""So many are compared with each other in about five seconds on two cores, and four times as long
for twice as many: longer than somebody looks at a page that says nothing."""

MOST_OF_A_KIND = 50
"""Findings of one kind that the page is given, the worst; the next show as these are settled."""


class Auditor:
    """Keeps the audit of the newest snapshot; who asks meanwhile waits for the same one."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._lock = threading.Lock()
        self._generation: tuple[int, int] | None = None
        self._audit: Audit | None = None

    def audit(self, snapshot: Snapshot) -> Audit:
        """Return the audit of this snapshot; costs nothing while the gallery stays as it is.

        Raises:
            GalleryTooLargeError: it would take too long while somebody waits.
        """
        photos = len(snapshot.vectors)
        if photos > MOST_PHOTOS:
            raise GalleryTooLargeError(
                f"The gallery has {photos:,} photos; up to {MOST_PHOTOS:,} are compared while you "
                "wait. In a terminal it goes without a limit: python -m tools audit --table."
            )
        with self._lock:
            if self._audit is None or self._generation != snapshot.generation:
                self._audit = audit_gallery(snapshot, most=MOST_OF_A_KIND)
                self._generation = snapshot.generation
            return self._audit


def answer_audit(service: Service, auditor: Auditor, _: Request) -> Response:
    """Answer `GET /gallery/audit` with what to look at in the gallery, the worst first."""
    return json_response(auditor.audit(service.snapshot()).to_json())
