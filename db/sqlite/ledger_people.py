"""Stores the people of a video in a ledger, and reads them back as they were."""

from collections.abc import Iterable, Mapping, Sequence

from sqlite_utils import Database

from db.errors import DamagedVectorError
from db.people import Link
from db.sqlite.ledger_connections import of_videos
from db.sqlite.ledger_views import (
    Remembered,
    pack_seen,
    read_seconds,
    read_views,
    unpack_times,
    view_row,
)
from db.videos import AlbumPicture, Area, Outcome, Shown, Sighting, VideoFound


def save_people(db: Database, video: int, found: VideoFound) -> None:
    """Store the people of a video in place of those it had; the caller holds the transaction."""
    db.execute("DELETE FROM sightings WHERE video_id = ?", (video,))
    db.execute("DELETE FROM links WHERE video_id = ?", (video,))
    for position, person in found.people:
        sighting = db.execute(
            "INSERT INTO sightings (video_id, position, best_seconds, seen, picture) "
            "VALUES (?, ?, ?, ?, ?) RETURNING id",
            (video, position, person.best_seconds, pack_seen(person.seen), person.picture),
        ).fetchone()[0]
        db.conn.executemany(
            "INSERT INTO views VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [view_row(sighting, number, view) for number, view in enumerate(person.views)],
        )
        db.conn.executemany(
            "INSERT INTO picture_faces VALUES (?, ?, ?, ?, ?, ?)",
            [(sighting, one.picture, *one.area) for one in found.shown if one.person == position],
        )
    db.conn.executemany(
        "INSERT INTO links VALUES (?, ?, ?, ?)",
        [(video, link.first, link.second, link.distance) for link in found.links],
    )


def save_pictures(db: Database, video: int, pictures: Sequence[AlbumPicture]) -> None:
    """Store the pictures of an album in place of those it had; the caller holds the transaction."""
    db.execute("DELETE FROM pictures WHERE video_id = ?", (video,))
    db.conn.executemany(
        "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (video, number, one.name, one.faces, one.reason, one.place, one.content)
            for number, one in enumerate(pictures)
        ],
    )


def read_pictures(db: Database, videos: Sequence[int]) -> dict[int, list[AlbumPicture]]:
    """Read the pictures of some albums, in order."""
    found: dict[int, list[AlbumPicture]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, name, faces, reason, in_archive, content FROM pictures "
        "WHERE video_id IN ({}) ORDER BY video_id, number"
    )
    for video, *fields in of_videos(db, sql, videos):
        found[video].append(AlbumPicture(*fields))
    return found


def read_shown(db: Database, videos: Sequence[int]) -> dict[int, list[Shown]]:
    """Read who is where on the pictures of some albums, picture by picture."""
    found: dict[int, list[Shown]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, position, number, left_edge, top_edge, right_edge, bottom_edge "
        "FROM picture_faces JOIN sightings ON sightings.id = sighting_id "
        "WHERE video_id IN ({}) ORDER BY video_id, number, position"
    )
    for video, person, number, *edges in of_videos(db, sql, videos):
        found[video].append(Shown(person, number, Area(*edges)))
    return found


def positions_of(db: Database, videos: Sequence[int]) -> dict[int, list[int]]:
    """Return the positions of the people of some videos, in order."""
    found: dict[int, list[int]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, position FROM sightings WHERE video_id IN ({}) "
        "ORDER BY video_id, position"
    )
    for video, position in of_videos(db, sql, videos):
        found[video].append(position)
    return found


def save_outcomes(db: Database, outcomes: Mapping[int, Iterable[Outcome]]) -> None:
    """Store what matching said of some videos in place of what it had.

    The caller holds the transaction.
    """
    db.conn.executemany("DELETE FROM outcomes WHERE video_id = ?", [(one,) for one in outcomes])
    db.conn.executemany(
        "INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (video, one.position, one.lead, one.performer, one.score, one.verdict, one.decided)
            for video, rows in outcomes.items()
            for one in rows
        ],
    )


def read_sightings(
    db: Database, videos: Sequence[int], *, pictures: bool = True
) -> dict[int, list[Sighting]]:
    """Read the people of some videos, in order of position; without `pictures`, these are empty.

    Raises:
        DamagedVectorError: one is damaged.
    """
    views = read_views(db, videos)
    picture = "CAST(picture AS BLOB)" if pictures else "x''"
    found: dict[int, list[Sighting]] = {video: [] for video in videos}
    sql = (
        f"SELECT id, video_id, position, best_seconds, CAST(seen AS BLOB), {picture} "  # noqa: S608  # ours
        "FROM sightings WHERE video_id IN ({}) ORDER BY video_id, position"
    )
    for number, video, position, best_seconds, seen, jpeg in of_videos(db, sql, videos):
        if number not in views or not isinstance(position, int):
            raise DamagedVectorError("Somebody has no views, or no position.")
        best = read_seconds(best_seconds)
        person = Remembered.of(views[number], unpack_times(seen), best, jpeg)
        found[video].append(Sighting(video, position, person))
    return found


def read_links(db: Database, videos: Sequence[int]) -> dict[int, list[Link]]:
    """Read who may be one person in some videos, the most alike first."""
    found: dict[int, list[Link]] = {video: [] for video in videos}
    sql = "SELECT video_id, distance, first, second FROM links WHERE video_id IN ({})"
    for video, *fields in of_videos(db, sql, videos):
        found[video].append(Link(*fields))
    return {video: sorted(links) for video, links in found.items()}


def read_outcomes(db: Database, videos: Sequence[int]) -> dict[int, list[Outcome]]:
    """Read what matching said of the people of some videos, in order of position."""
    found: dict[int, list[Outcome]] = {video: [] for video in videos}
    sql = (
        "SELECT video_id, position, iif(typeof(lead) = 'integer', lead, position), performer, "
        "CAST(score AS REAL), iif(verdict IN ('match', 'uncertain'), verdict, 'unknown'), "
        "CAST(decided AS TEXT) FROM outcomes WHERE video_id IN ({}) ORDER BY video_id, position"
    )
    for video, *fields in of_videos(db, sql, videos):
        found[video].append(Outcome(*fields))
    return found
