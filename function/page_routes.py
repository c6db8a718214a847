"""The URLs of the page, each with its handler and its methods."""

from collections.abc import Callable
from functools import partial

from flask import Request, Response

from function.browsing import answer_folder
from function.pages import answer_file, page_files
from function.playback import answer_media
from function.results import RecentResults
from function.service import Service

Handler = Callable[[Request], Response]
READ = {"GET", "HEAD"}


def page_routes(service: Service, results: RecentResults) -> dict[str, tuple[Handler, set[str]]]:
    """Return the route table of the page, to be joined with the API's.

    The files under /page/ hold nothing secret, and /media knows its asker by the result's id: where
    a token is set, these need none.
    """
    return {
        **{f"/page/{name}": (answer_file, READ) for name in page_files()},
        "/videos": (partial(answer_folder, service), READ),
        "/media": (partial(answer_media, service, results), READ),
    }
