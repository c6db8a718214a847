"""Performers and their encodings in one SQLite file: reading, and enrolling."""

from db.sqlite import enrolments
from db.sqlite.gallery_lookups import GalleryLookups


class SqliteGallery(GalleryLookups):
    """Performers and their encodings in one SQLite file, or in memory.

    Any method may raise the errors of `db.errors` that `open_database` lists.
    """

    enrol = enrolments.enrol
