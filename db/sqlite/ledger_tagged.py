"""Keeps in a ledger whom the user tagged on which video in Stash."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlite_utils import Database

from db.records import Identity
from db.sqlite.ledger_connections import of_videos
from db.videos import Content

_CHANGED = (
    "UPDATE videos SET generation = NULL, decided = decided + 1 WHERE (oshash, size_bytes) = (?, ?)"
)
"""Has a video matched again, even if somebody is just matching or scanning it without the
change."""


def replace_tagged(
    db: Database,
    tagged: Mapping[Content, Collection[Identity]],
    gallery: int,
    performers: Mapping[Identity, int],
) -> int:
    """Note who is tagged, in place of all before, and have videos matched again that this changes.

    The caller holds the transaction. Returns of how many contents something changed.
    """
    rows = db.execute("SELECT performer FROM erasures WHERE gallery = ?", (gallery,)).fetchall()
    forgotten = {row[0] for row in rows}
    new = {
        (*content, *identity)
        for content, identities in tagged.items()
        for identity in identities
        if performers[identity] not in forgotten
    }
    old = set(db.execute("SELECT oshash, size_bytes, source, source_id FROM tagged").fetchall())
    gone = "DELETE FROM tagged WHERE (oshash, size_bytes, source, source_id) = (?, ?, ?, ?)"
    db.conn.executemany(gone, sorted(old - new))
    db.conn.executemany("INSERT INTO tagged VALUES (?, ?, ?, ?)", sorted(new - old))
    changed = {row[:2] for row in old ^ new}
    db.conn.executemany(_CHANGED, sorted(changed))
    return len(changed)


def read_tagged(db: Database, videos: Sequence[int]) -> dict[int, list[Identity]]:
    """Read who is tagged on some videos."""
    found: dict[int, list[Identity]] = {video: [] for video in videos}
    sql = (
        "SELECT videos.id, source, source_id FROM tagged JOIN videos USING (oshash, size_bytes) "
        "WHERE videos.id IN ({}) ORDER BY source, source_id"
    )
    for video, *identity in of_videos(db, sql, videos):
        found[video].append(Identity(*identity))
    return found


def read_all_tagged(db: Database) -> dict[Content, set[Identity]]:
    """Read who is tagged on which content."""
    found: dict[Content, set[Identity]] = defaultdict(set)
    for oshash, size_bytes, *identity in db.execute(
        "SELECT oshash, size_bytes, source, source_id FROM tagged"
    ):
        found[Content(oshash, size_bytes)].add(Identity(*identity))
    return found


def erase_tagged(db: Database, identities: Collection[Identity]) -> None:
    """Erase that a performer is tagged anywhere, given all their ids."""
    sql = "DELETE FROM tagged WHERE (source, source_id) = (?, ?)"
    db.conn.executemany(sql, [tuple(one) for one in identities])


def rename_tagged(db: Database, renamed: Mapping[Identity, Identity]) -> None:
    """Let who is tagged by one id be tagged by another."""
    pairs = [(*new, *old) for old, new in renamed.items()]
    db.conn.executemany(
        "UPDATE OR REPLACE tagged SET source = ?, source_id = ? WHERE (source, source_id) = (?, ?)",
        pairs,
    )
