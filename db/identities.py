"""Combines two records of one performer: which ids link them, and which name stays.

Records are linked by ids, never by names: strangers can share a name.
"""

from collections.abc import Iterable
from dataclasses import replace

from db.errors import PerformerNotFoundError
from db.names import MAX_ALIASES, limited
from db.records import Identity, Performer


def identities_of(performer: Performer) -> tuple[Identity, ...]:
    """List every id of a performer once, the one from their own source first."""
    return with_own(Identity(performer.source, performer.source_id), performer.identities)


def with_own(own: Identity, others: Iterable[Identity]) -> tuple[Identity, ...]:
    """List ids once each, the one from a performer's own source first."""
    return tuple(dict.fromkeys((own, *others)))


def combine(stored: Performer, found: Performer, *, keep_name: bool = False) -> Performer:
    """Return `stored` plus what `found` adds: no id is lost, nor an alias or url that has room.

    The source that first supplied a performer may correct the name and the disambiguation, unless
    the user chose the name (`keep_name`); a name from any other source becomes an alias.
    """
    is_own_source = (stored.source, stored.source_id) == (found.source, found.source_id)
    name = found.name if is_own_source and not keep_name else stored.name
    disambiguation = stored.disambiguation or found.disambiguation
    if is_own_source:
        disambiguation = found.disambiguation or stored.disambiguation
    aliases = dict.fromkeys((*stored.aliases, *found.aliases, found.name))
    return replace(
        stored,
        name=name,
        disambiguation=disambiguation,
        aliases=limited(alias for alias in aliases if alias != name),
        urls=limited(dict.fromkeys((*stored.urls, *found.urls))),
        identities=tuple(dict.fromkeys((*identities_of(stored), *identities_of(found)))),
        poster_url=found.poster_url or stored.poster_url,
    )


def renamed(performer: Performer, name: str, disambiguation: str | None) -> Performer:
    """Return the performer as `rename` would store them."""
    aliases = dict.fromkeys((*performer.aliases, performer.name))
    return replace(
        performer,
        name=name,
        disambiguation=performer.disambiguation if disambiguation is None else disambiguation,
        aliases=tuple(alias for alias in aliases if alias != name)[-MAX_ALIASES:],
    )


def without_alias(performer: Performer, alias: str) -> Performer:
    """Return the performer without one of their aliases.

    Raises:
        PerformerNotFoundError: they have no such alias.
    """
    if alias not in performer.aliases:
        raise PerformerNotFoundError(f"{performer.name} has no alias {alias!r}, or no longer.")
    return replace(performer, aliases=tuple(one for one in performer.aliases if one != alias))
