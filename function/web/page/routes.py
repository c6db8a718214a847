"""The URLs of the page, each with its handler and its methods."""

from functools import partial

from function.web.page.audit import Auditor, answer_audit
from function.web.page.corrections import answer_assign, answer_name, answer_reject, answer_undo
from function.web.page.folders import answer_folder
from function.web.page.gallery_changes import (
    answer_create,
    answer_forget,
    answer_merge,
    answer_remove_alias,
    answer_remove_photo,
    answer_rename,
)
from function.web.page.gallery_views import (
    answer_check,
    answer_face,
    answer_list,
    answer_performer,
    answer_thumbnail,
)
from function.web.page.photo_uploads import answer_photo
from function.web.page.playback import answer_frame, answer_media, answer_play
from function.web.pages import answer_file, page_files
from function.web.results import RecentResults
from function.web.routing import READ, WRITE, Routes
from function.web.service import Service


def page_routes(service: Service, results: RecentResults) -> Routes:
    """Return the route table of the page, to be combined with the API's.

    /media and /frame recognise the caller by the id of the result: if a token is set, they need
    none.
    """
    return {
        "/videos": (partial(answer_folder, service), READ),
        "/play": (partial(answer_play, service, results), WRITE),
        "/media": (partial(answer_media, service, results), READ),
        "/frame": (partial(answer_frame, service, results), READ),
        "/corrections/assign": (partial(answer_assign, service, results), WRITE),
        "/corrections/name": (partial(answer_name, service, results), WRITE),
        "/corrections/reject": (partial(answer_reject, service, results), WRITE),
        "/corrections/undo": (partial(answer_undo, service, results), WRITE),
        "/gallery": (partial(answer_list, service), READ),
        "/gallery/performer": (partial(answer_performer, service), READ),
        "/gallery/thumbnail": (partial(answer_thumbnail, service), READ),
        "/gallery/face": (partial(answer_face, service), READ),
        "/gallery/check": (partial(answer_check, service), READ),
        "/gallery/audit": (partial(answer_audit, service, Auditor()), READ),
        "/gallery/photos": (partial(answer_photo, service), WRITE),
        "/gallery/create": (partial(answer_create, service), WRITE),
        "/gallery/rename": (partial(answer_rename, service), WRITE),
        "/gallery/remove-alias": (partial(answer_remove_alias, service), WRITE),
        "/gallery/merge": (partial(answer_merge, service), WRITE),
        "/gallery/remove-photo": (partial(answer_remove_photo, service), WRITE),
        "/gallery/forget": (partial(answer_forget, service), WRITE),
    }


def file_routes() -> Routes:
    """Return the routes of the page's files; they hold nothing secret, and need no token."""
    return {f"/page/{name}": (answer_file, READ) for name in page_files()}
