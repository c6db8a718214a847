"""Opens the gallery for a change from the page, with errors that the page can show."""

from collections.abc import Iterator
from contextlib import contextmanager

from db.errors import (
    ForgottenError,
    GalleryError,
    GalleryLockedError,
    GalleryMissingError,
    IdentityConflictError,
    NothingToEnrolError,
    OtherModelError,
    PerformerNotFoundError,
)
from db.galleries import Gallery, GalleryChange
from db.names import name_key
from db.records import Performer
from function.errors import (
    CorrectionRefusedError,
    GalleryUnavailableError,
    NameTakenError,
    UnknownPerformerError,
)
from function.web.service import Service

_REFUSALS = (ForgottenError, IdentityConflictError, NothingToEnrolError, OtherModelError)

MOST_NAMESAKES = 200
"""This many of those whose name or alias holds the name are looked at."""


@contextmanager
def changed_gallery(service: Service) -> Iterator[GalleryChange]:
    """Open the gallery to change it; imports and edits of other processes are locked out.

    Raises:
        GalleryUnavailableError: another import or edit is running, or as for `opened_gallery`.
    """
    with explained_change(), service.store.changing() as gallery:
        yield gallery


@contextmanager
def opened_gallery(service: Service) -> Iterator[Gallery]:
    """Open the gallery for one request of the page.

    Raises:
        UnknownPerformerError: a requested performer does not exist.
        CorrectionRefusedError: the change conflicts with what the gallery holds.
        GalleryUnavailableError: it is missing, locked, or not a gallery.
    """
    with explained_change(), service.store.gallery() as gallery:
        yield gallery


def refuse_forgotten(gallery: Gallery, performer: Performer) -> Performer:
    """Return the performer, unless the user asked never to enrol them again.

    Raises:
        CorrectionRefusedError: the performer was forgotten.
    """
    if gallery.is_forgotten(performer):
        raise CorrectionRefusedError(
            f"{performer.name} was forgotten for good. To allow the name again: "
            f'python -m tools unforget "{performer.name}".'
        )
    return performer


def refuse_taken(gallery: Gallery, performer: Performer) -> None:
    """Refuse a name that somebody else in the gallery has, or had.

    Raises:
        NameTakenError: somebody has it; the user has to say whether it is the same person.
    """
    others = [one for one in find_namesakes(gallery, performer.name) if one != performer.id]
    if others:
        name = gallery.performer(others[0]).name
        known = name if name_key(name) == name_key(performer.name) else f"{name}, by an alias,"
        raise NameTakenError(
            f"{known} is enrolled already. Say whether this is the same person.", tuple(others)
        )


def find_namesakes(gallery: Gallery, name: str) -> list[int]:
    """Return the ids of those who have this name, or had it, by `name_key`."""
    wanted = name_key(name)
    return [
        one.id
        for one in gallery.search(name, 0, MOST_NAMESAKES).performers
        if wanted == name_key(one.name)
        or wanted in {name_key(alias) for alias in gallery.performer(one.id).aliases}
    ]


@contextmanager
def explained_change() -> Iterator[None]:
    """Turn the gallery's errors into those of a request.

    Raises:
        UnknownPerformerError, CorrectionRefusedError, GalleryUnavailableError: see
            `opened_gallery`.
    """
    try:
        yield
    except PerformerNotFoundError as error:
        raise UnknownPerformerError(str(error)) from error
    except _REFUSALS as error:
        raise CorrectionRefusedError(str(error)) from error
    except GalleryLockedError as error:
        raise GalleryUnavailableError(f"{error} Nothing was changed.") from error
    except GalleryError as error:
        is_missing = isinstance(error, GalleryMissingError)
        raise GalleryUnavailableError(str(error), is_missing=is_missing) from error
