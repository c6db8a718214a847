"""A kind of SQLite file of ours: how it is marked, and the numbered steps that make its tables."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sqlite_utils import Database

Step: TypeAlias = Callable[[Database], None]


@dataclass(frozen=True)
class Schema:
    """What a kind of file is called in messages, its mark, its steps, and how to make one.

    `application_id` marks the file in its header. Step i brings a file to `user_version` i + 1;
    steps are added, never changed.
    """

    noun: str
    application_id: int
    steps: tuple[Step, ...]
    how_to_make: str


def schema_version(db: Database) -> int:
    """Return how many steps a file has had."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(db: Database, schema: Schema) -> bool:
    """Take one step if the file is not up to date; the caller holds the transaction."""
    number = schema_version(db) + 1
    if number > len(schema.steps):
        return False
    schema.steps[number - 1](db)
    db.execute(f"PRAGMA user_version = {number}")
    db.execute(f"PRAGMA application_id = {schema.application_id}")
    return True
