"""Says whom the user tagged on the content of an open file, as far as the library knows."""

import logging

from db.errors import GalleryError
from db.records import Identity
from db.stores import open_ledger
from function.library.oshash import content_of, oshash_of
from function.media.files import MediaFile
from function.settings import Settings

_log = logging.getLogger(__name__)


def tagged_in(media: MediaFile, settings: Settings) -> list[Identity]:
    """Return whom the user tagged on a video of the library; nobody for other videos.

    A library that cannot be read is no reason to refuse an answer: the log says so.
    """
    if settings.hints == "off" or not settings.library_db.path.exists():
        return []
    oshash, content = oshash_of(media.descriptor), content_of(media.descriptor)
    try:
        with open_ledger(settings.library_db, create=False) as ledger:
            videos = ledger.ids_of_content(oshash, content)
            if content:
                videos |= ledger.ids_of_content(content, content)
            found = ledger.tagged(sorted(videos))
    except GalleryError as error:
        _log.warning("The performers of %s in Stash are left out: %s", media.name, error)
        return []
    return list(dict.fromkeys(one for some in found.values() for one in some))
