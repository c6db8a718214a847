"""Imports as a user runs them in a shell: with a bar, and with an engine in this process."""

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from PIL import Image
from tqdm import tqdm

from db.errors import ForgottenError, IdentityConflictError
from db.galleries import Gallery, GalleryChange, Store, everyone
from db.identities import identities_of
from db.names import find_complaint, is_web_address, printable, tidy
from db.records import Encoding, Performer
from function.engines.protocol import Engine
from function.imports import imports
from function.imports.enrol import Enrolment, refused
from function.imports.finders import EngineFinder
from function.imports.owners import PhotoOwners
from function.imports.photos import Demands
from function.imports.reports import Report
from function.library.admission import admit_picture, is_encoding
from function.sources.records import Refusal, Remark, SourceRecord


def gallery_to_fill(store: Store, *, dry_run: bool) -> AbstractContextManager[GalleryChange]:
    """Open the gallery, and keep other writers out; for a dry run, open a copy in memory.

    Raises:
        GalleryError: see `db.errors`.
    """
    return store.rehearsing() if dry_run else store.changing(create=True)


def import_records(
    records: Iterable[SourceRecord | Refusal],
    gallery: GalleryChange,
    engine: Engine,
    demands: Demands,
    *,
    kind: str,
    total: int | None = None,
) -> Report:
    """Enrol everyone a source yields, with a bar on stderr; see `function.imports.imports`."""
    return imports.import_records(
        records,
        gallery,
        EngineFinder(engine),
        demands,
        kind=kind,
        watch=lambda enrolments: with_bar(enrolments, total),
    )


def follow(
    enrolments: Iterator[Enrolment], gallery: GalleryChange, *, kind: str, total: int | None = None
) -> Report:
    """Count enrolments as they arrive, with a bar on stderr, and add a line to the journal."""
    return imports.follow(with_bar(enrolments, total), gallery, kind=kind)


def with_bar(enrolments: Iterator[Enrolment], total: int | None = None) -> Iterable[Enrolment]:
    """Show on stderr how many performers are done."""
    shown: Iterable[Enrolment] = tqdm(enrolments, total=total, unit=" performers", file=sys.stderr)
    return shown


def enrol_bundle(bundle: Gallery, gallery: GalleryChange) -> Iterator[Enrolment]:
    """Enrol everyone in a checked bundle, with the encodings it holds.

    What only shows is cleaned: addresses that are not of the web and pictures that are none are
    left out, and pictures are encoded again. Encodings that no face has are refused.
    """
    owners = PhotoOwners()
    owners.read(gallery)
    for whole, sent, picture in everyone(bundle):
        performer = _without_odd_addresses(tidy(whole))
        if complaint := find_complaint(performer):
            yield refused(performer, complaint)
            continue
        encodings = [_shown(one) for one in sent if is_encoding(one.vector, one.model)]
        odd = len(sent) - len(encodings)
        refusals = (Refusal(performer.name, "", f"{odd} encodings of no face"),) if odd else ()
        try:
            thumbnail = renew_picture(picture)
            stored = gallery.find_same(performer)
            removed = gallery.removed_photos(stored.id) if stored else set()
            kept = [one for one in encodings if one.photo_hash not in removed]
            change = gallery.enrol(performer, kept, thumbnail)
        except ForgottenError:
            yield Enrolment(performer.name, None, 0, forgotten=True)
        except IdentityConflictError as error:
            refusal = Refusal(performer.name, "", str(error))
            yield Enrolment(performer.name, None, 0, (refusal,))
        else:
            now = gallery.find_identities(identities_of(performer))[0]
            added = now.encodings - (stored.encodings if stored else 0)
            new = kept if change != "unchanged" else ()
            shared = owners.shared(gallery, now.id, new).items()
            remarks = tuple(Remark(performer.name, photo, said) for photo, said in shared)
            yield Enrolment(performer.name, change, added, refusals, remarks=remarks)


def _without_odd_addresses(performer: Performer) -> Performer:
    poster = performer.poster_url if is_web_address(performer.poster_url) else ""
    urls = tuple(filter(is_web_address, performer.urls))
    return replace(performer, urls=urls, poster_url=poster)


def _shown(encoding: Encoding) -> Encoding:
    origin, weaknesses = printable(encoding.origin), printable(encoding.weaknesses)
    face = (renew_picture(encoding.face) or b"") if encoding.face else b""
    return replace(encoding, origin=origin, weaknesses=weaknesses, face=face)


def renew_picture(picture: bytes | None) -> bytes | None:
    """Encode a small JPEG again, so that nothing but its pixels remains; None if it is none."""
    if picture is None or admit_picture(picture) is None:
        return None
    try:
        with Image.open(io.BytesIO(picture), formats=("JPEG",)) as opened:
            pixels = opened.convert("RGB").tobytes()
            renewed = io.BytesIO()
            Image.frombytes("RGB", opened.size, pixels).save(renewed, "JPEG", quality=90)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return renewed.getvalue()
