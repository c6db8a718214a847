"""Reads Stash's performers as records to enrol: covers, and pictures that show them alone."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from db.names import quote
from db.records import Identity, Performer
from function.media.photos import PhotoNotFetchedError
from function.sources.downloads import Downloads, without_key
from function.sources.records import (
    NotSupportedError,
    Photo,
    RefusedError,
    SourceRecord,
    UnusableSourceError,
)
from function.stash.client import Stash
from function.stash.records import SOURCE, StashPerformer


@dataclass(frozen=True)
class Wanted:
    """Which of Stash's performers to read: changed since when, favourites, with a tag.

    `images` more pictures are requested per performer, unless `done` (called with the identity and
    the time of the change) says that nothing has changed.
    """

    since: str = ""
    favorites: bool = False
    tag: str = ""
    images: int = 0
    done: Callable[[Identity, str], bool] = lambda identity, updated_at: False  # noqa: ARG005


def read_performers(stash: Stash, wanted: Wanted, downloads: Downloads) -> Iterator[SourceRecord]:
    """Yield performers page by page, with their cover and pictures of them alone.

    Raises:
        UnusableSourceError: Stash does not answer, or gives a wrong answer.
    """
    for one in stash.performers(_filter(stash, wanted)):
        is_done = not wanted.images or wanted.done(one.identity, one.updated_at)
        yield read_record(stash, one, 0 if is_done else wanted.images, downloads)


def read_record(
    stash: Stash,
    one: StashPerformer,
    images: int,
    downloads: Downloads,
    ours: Collection[str] = (),
) -> SourceRecord:
    """Return a performer as a record to enrol, with the cover and up to so many other pictures.

    If Stash cannot say which pictures there are, that is the fault of one more photo, so that it is
    reported, and asked again at the next sync. The images with the ids `ours` are left out.

    Raises:
        UnusableSourceError: Stash does not answer, or the key is wrong.
    """
    try:
        pictures = pictures_of(stash, one, images, ours) if images else []
        return record_of(one, pictures, downloads)
    except NotSupportedError:
        raise
    except RefusedError as error:
        missing = Photo("pictures in Stash", partial(_raise, PhotoNotFetchedError(str(error))))
        record = record_of(one, [], downloads)
        return replace(record, photos=(*record.photos, missing))


def _raise(error: Exception) -> bytes:
    raise error


def pictures_of(
    stash: Stash, performer: StashPerformer, count: int, ours: Collection[str] = ()
) -> list[str]:
    """Return the URLs of up to `count` pictures that show a performer alone.

    The images with the ids `ours` are left out: nobody but us said that the performer is on them.
    """
    found = stash.images_of(performer.id, count + len(ours))
    return [one.picture for one in found if one.picture and one.id not in ours][:count]


def record_of(one: StashPerformer, pictures: list[str], downloads: Downloads) -> SourceRecord:
    """Return a performer as a record to enrol, with the cover and other pictures to fetch."""
    photos = [*([one.cover] if one.cover else []), *pictures]
    return SourceRecord(
        performer_of(one),
        tuple(Photo(without_key(photo), partial(downloads.fetch, photo)) for photo in photos),
        updated_at=one.updated_at,
    )


def performer_of(one: StashPerformer) -> Performer:
    """Return a performer of Stash as the gallery stores them."""
    return Performer(
        id=0,
        name=one.name,
        disambiguation=one.disambiguation,
        aliases=one.aliases,
        urls=one.urls,
        source=SOURCE,
        source_id=one.id,
        identities=one.stash_ids,
        poster_url=without_key(one.cover),
    )


def stash_ids_in(stash: Stash, endpoint: str) -> Iterator[str]:
    """Yield the ids that Stash's performers have at one stash-box."""
    for one in stash.performers():
        for identity in one.stash_ids:
            if identity.source == endpoint:
                yield identity.source_id


def _filter(stash: Stash, wanted: Wanted) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if wanted.since:
        chosen["updated_at"] = {"value": wanted.since, "modifier": "GREATER_THAN"}
    if wanted.favorites:
        chosen["filter_favorites"] = True
    if wanted.tag:
        tag = stash.find_tag(wanted.tag)
        if not tag:
            raise UnusableSourceError(f"Stash has no tag {quote(wanted.tag)}.")
        chosen["tags"] = {"value": [tag], "modifier": "INCLUDES_ALL"}
    return chosen
