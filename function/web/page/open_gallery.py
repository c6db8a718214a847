"""Opens the gallery for a change from the page, with errors that the page can show."""

from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import (
    ForgottenError,
    GalleryError,
    GalleryLockedError,
    IdentityConflictError,
    OtherModelError,
    PerformerNotFoundError,
)
from db.forgotten import find_forgotten
from db.records import Performer
from db.sqlite.gallery import SqliteGallery
from db.sqlite.writers import only_writer
from function.errors import (
    CorrectionRefusedError,
    GalleryUnavailableError,
    UnknownPerformerError,
)
from function.web.service import Service

_REFUSALS = (ForgottenError, IdentityConflictError, OtherModelError)


@contextmanager
def changed_gallery(service: Service) -> Iterator[SqliteGallery]:
    """Open the gallery to change it, taking turns with imports and edits by other processes.

    Raises:
        GalleryUnavailableError: another is running, or as for `opened_gallery`.
    """
    with opened_gallery(service) as gallery, only_writer(service.settings.performers_db):
        yield gallery


def refuse_forgotten(gallery: SqliteGallery, performer: Performer) -> Performer:
    """Return the performer, unless the user asked never to enrol them again.

    Raises:
        CorrectionRefusedError: they did.
    """
    if find_forgotten(gallery.rows, performer):
        raise CorrectionRefusedError(
            f"{performer.name} was forgotten for good. To allow the name again: "
            f'python -m tools unforget "{performer.name}".'
        )
    return performer


@contextmanager
def opened_gallery(service: Service) -> Iterator[SqliteGallery]:
    """Open the gallery for one request of the page.

    Raises:
        UnknownPerformerError: a performer that was asked for does not exist.
        CorrectionRefusedError: the change conflicts with what the gallery holds.
        GalleryUnavailableError: it is missing, locked, or not a gallery.
    """
    try:
        with SqliteGallery(service.settings.performers_db) as gallery:
            yield gallery
    except PerformerNotFoundError as error:
        raise UnknownPerformerError(str(error)) from error
    except _REFUSALS as error:
        raise CorrectionRefusedError(str(error)) from error
    except GalleryLockedError as error:
        raise GalleryUnavailableError(f"{error} Nothing was changed.") from error
    except GalleryError as error:
        raise GalleryUnavailableError(str(error)) from error
