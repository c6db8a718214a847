"""A bundle: a gallery as one file to carry to another machine, with a manifest to check it by.

It is an SQLite file with the gallery's tables and one more, `manifest`. It holds no journal, no
checkpoints, no rejections, no record of who was forgotten and no key.
"""

import hashlib
import json
import logging
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from db.blobs import to_blob
from db.errors import DamagedBundleError, GalleryError, GalleryMissingError, GalleryReadOnlyError
from db.galleries import Manifest, everyone
from db.names import quote
from db.sqlite import notes
from db.sqlite.bundle_checks import LARGEST_BYTES, MANIFEST, check_content, check_tables
from db.sqlite.bundle_mending import mend
from db.sqlite.connections import OWNER_ONLY, explained
from db.sqlite.filesystems import UNFINISHED_BUNDLE
from db.sqlite.gallery import SqliteGallery
from db.sqlite.migrations import MIGRATIONS

MOST_NAMED = 20

_log = logging.getLogger(__name__)


def export_bundle(gallery: SqliteGallery, destination: Path) -> Manifest:
    """Write the gallery to a bundle, whole or not at all; a bundle of that name is replaced.

    Raises:
        GalleryError: that is the gallery itself, or holds something else, or is no plain file, or
            there is no folder for it; or somebody has a name that no bundle may hold.
    """
    if gallery.path and destination.resolve() == gallery.path.resolve():
        raise GalleryError(f"{destination.name} is the gallery itself. Name another file.")
    if not destination.parent.is_dir():
        raise GalleryError(f"There is no folder {quote(str(destination.parent))}. Make it first.")
    if destination.exists() and not destination.is_file():
        raise GalleryError(f"{quote(str(destination))} is no plain file. Name another one.")
    if destination.exists() and destination.stat().st_size and not _is_bundle(destination):
        raise GalleryError(
            f"{quote(str(destination))} is there already, and is no bundle. Name another file."
        )
    partial = destination.with_name(UNFINISHED_BUNDLE.format(name=destination.name))
    try:
        with _named(partial, destination):
            gallery.copy_to(partial)
            with SqliteGallery(partial) as copy:
                _tell_of_cuts(mend(copy))
                manifest = _describe_open(copy)
        with explained(destination), closing(sqlite3.connect(partial)) as db:
            _keep_what_travels(db, manifest)
        partial.chmod(OWNER_ONLY)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)
    counts = {"performers": manifest["performers"], "encodings": manifest["encodings"]}
    notes.log(gallery, "export bundle", counts)
    return manifest


@contextmanager
def _named(partial: Path, destination: Path) -> Iterator[None]:
    """Let errors name the bundle that was asked for, and not the file in which it is made."""
    try:
        yield
    except GalleryReadOnlyError as error:
        made_in = rf"The gallery \S*{re.escape(partial.name)}\S*"
        told = re.sub(made_in, lambda _: f"The bundle {destination.name}", str(error))
        raise GalleryReadOnlyError(told) from error


def _tell_of_cuts(names: Sequence[str]) -> None:
    if names:
        shown = ", ".join(map(quote, names[:MOST_NAMED]))
        more = ", ..." if len(names) > MOST_NAMED else ""
        whose = f"{shown}{more}"
        _log.warning("Ids, aliases or addresses that are too long are cut in the bundle: %s", whose)


@contextmanager
def checked_copy(path: Path) -> Iterator[Path]:
    """Copy a bundle, and check the copy: integrity, manifest, counts and sha256.

    Raises:
        GalleryMissingError: there is no such file.
        NotAGalleryError: it is not one of our SQLite files, or damaged.
        GalleryTooNewError: a newer version wrote it.
        DamagedBundleError: it has no manifest, does not match it, or holds what no gallery does.
    """
    if path.exists() and not path.is_file():
        raise GalleryMissingError(f"{path} is no file, and a bundle is one. Name it.")
    if not path.is_file():
        raise GalleryMissingError(f"There is no bundle {path}. Check the path.")
    if path.stat().st_size > LARGEST_BYTES:
        raise DamagedBundleError(
            f"{path.name} is larger than {LARGEST_BYTES // 1_000_000_000} GB, which no bundle is."
        )
    with tempfile.TemporaryDirectory(prefix="bundle-") as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        with explained(path):
            manifest = _read_manifest(copy)
        # Opening updates an older bundle's schema; the bundle file itself is left as it is.
        with SqliteGallery(copy) as gallery:
            gallery.refuse_bad_text()
            check_content(gallery, path.name)
            found = _describe_open(gallery)
            for key in ("model", "performers", "encodings", "sha256"):
                if manifest.get(key) != found[key]:
                    raise DamagedBundleError(
                        f"{path.name} is damaged: its manifest says {key} {manifest.get(key)!r}, "
                        f"but it holds {found[key]!r}. Export it again."
                    )
        yield copy


def _is_bundle(path: Path) -> bool:
    """Say whether a file is an SQLite file with a manifest, even a damaged one."""
    sql = "SELECT 1 FROM sqlite_master WHERE name = 'manifest'"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchone() is not None
    except sqlite3.Error:
        return False


def _keep_what_travels(db: sqlite3.Connection, manifest: Manifest) -> None:
    db.execute("DROP TRIGGER journal_refuses_delete")
    for table in ("journal", "checkpoints", "rejections", "forgotten", "secrets"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608  # names from the line above
    db.execute(
        "CREATE TRIGGER journal_refuses_delete BEFORE DELETE ON journal "
        "BEGIN SELECT raise(ABORT, 'the journal only grows'); END"
    )
    db.execute("INSERT INTO secrets VALUES ('forgetting', randomblob(32))")
    db.execute("UPDATE identities SET updated_at = ''")
    db.execute("DELETE FROM counters WHERE name = 'unscrubbed'")  # a copy holds nothing deleted
    for table in ("manifest", "sqlite_stat1", "sqlite_stat4"):  # ANALYZE leaves these two
        db.execute(f"DROP TABLE IF EXISTS {table}")
    db.execute(MANIFEST)
    db.execute("INSERT INTO manifest VALUES (?)", (json.dumps(manifest),))
    db.commit()
    db.execute("VACUUM")


def _read_manifest(path: Path) -> dict[str, object]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        db.execute("PRAGMA trusted_schema = OFF")
        kind = db.execute("SELECT type FROM sqlite_master WHERE name = 'manifest'").fetchone()
        if kind != ("table",):
            raise DamagedBundleError(
                f"{path.name} has no manifest, so it is not a bundle. Make one: "
                "python -m tools export --bundle FILE."
            )
        check_tables(db, path.name)
        # Only now: it evaluates what a table demands of its rows, which may take all memory.
        (verdict,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedBundleError(f"{path.name} is damaged: {verdict}. Export it again.")
        rows = db.execute("SELECT value FROM manifest").fetchall()
    try:
        ((manifest,),) = rows
        return dict(json.loads(manifest))
    except (ValueError, TypeError, RecursionError):
        raise DamagedBundleError(f"The manifest of {path.name} cannot be read.") from None


def _describe_open(gallery: SqliteGallery) -> Manifest:
    # Uses the order and fields that every schema has, so that a migration does not change the sum.
    digest = hashlib.sha256()
    performers = encodings = 0
    for performer, stored, thumbnail in everyone(gallery):
        performers += 1
        fields = (
            performer.name,
            performer.disambiguation,
            performer.aliases,
            performer.urls,
            performer.identities,
        )
        digest.update(json.dumps(fields).encode())
        digest.update(thumbnail or b"")
        for one in stored:
            encodings += 1
            digest.update(to_blob(one.vector))
            digest.update(json.dumps([one.model, one.quality, one.photo_hash, one.origin]).encode())
    return Manifest(
        schema=len(MIGRATIONS),
        model=", ".join(gallery.models()),
        performers=performers,
        encodings=encodings,
        sha256=digest.hexdigest(),
    )
