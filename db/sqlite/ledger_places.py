"""Lets what was decided and forgotten in an album follow its pictures, when these change places."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlite_utils import Database

from db.sqlite.ledger_decisions import read_spans
from db.sqlite.ledger_people import read_pictures, save_pictures
from db.videos import AlbumPicture, Interval


def move_places(db: Database, video: int, pictures: Sequence[AlbumPicture]) -> None:
    """Store the pictures an album has now, and change what was noted by their old places.

    The caller holds the transaction. What was noted of a picture that is gone is dropped.
    """
    before = read_pictures(db, [video])[video]
    moved = find_moved(before, pictures)
    if before and any(places != [place] for place, places in enumerate(moved)):
        _move_forgotten(db, video, moved)
        _move_decisions(db, video, moved)
    save_pictures(db, video, pictures)


def find_moved(before: Sequence[AlbumPicture], after: Sequence[AlbumPicture]) -> list[list[int]]:
    """Return, for each picture of before, where it is now: at several places if it was doubled.

    It is told by name and content together, else by content, for it may have been renamed, else by
    name, for it may have been edited.
    """
    found: list[list[int]] = []
    places = _places(after)
    for one in before:
        by_content = places["", one.content] if one.content else []
        found.append(places[one.name, one.content] or by_content or places[one.name, ""])
    return found


def _places(pictures: Sequence[AlbumPicture]) -> defaultdict[tuple[str, str], list[int]]:
    places: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(pictures):
        for key in {(one.name, one.content), ("", one.content), (one.name, "")}:
            places[key].append(place)
    return places


def _move_forgotten(db: Database, video: int, moved: Sequence[Sequence[int]]) -> None:
    content = db.execute("SELECT oshash, size_bytes FROM videos WHERE id = ?", (video,)).fetchone()
    spans = db.execute(
        "DELETE FROM forgotten_spans WHERE (oshash, size_bytes) = (?, ?) "
        "RETURNING since_seconds, until_seconds",
        content,
    ).fetchall()
    rows = [(*content, *span) for span in _follow(spans, moved)]
    db.conn.executemany("INSERT INTO forgotten_spans VALUES (?, ?, ?, ?)", rows)


def _move_decisions(db: Database, video: int, moved: Sequence[Sequence[int]]) -> None:
    sql = (
        "SELECT decisions.id, CAST(spans AS BLOB) FROM decisions "
        "JOIN videos USING (oshash, size_bytes) WHERE videos.id = ?"
    )
    for number, stored in db.execute(sql, (video,)).fetchall():
        try:
            spans = json.dumps(_follow(read_spans(stored), moved))
        except (ValueError, TypeError):
            continue  # damaged: it is about no place
        db.execute("UPDATE decisions SET spans = ? WHERE id = ?", (spans, number))


def _follow(spans: Iterable[Sequence[float]], moved: Sequence[Sequence[int]]) -> list[Interval]:
    """Return where the pictures are now that lay in some spans; each is a span of its own."""
    covered = {place for since, until in spans for place in range(int(since), int(until) + 1)}
    now = {new for place in covered if 0 <= place < len(moved) for new in moved[place]}
    return [(float(place), float(place)) for place in sorted(now)]
