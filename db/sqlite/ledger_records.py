"""Turns the rows of a ledger's videos into records."""

import json
from collections.abc import Sequence
from typing import Any

from db.cells import read_texts
from db.videos import DEPTHS, STATES, Scanned, VideoRecord

RECORDS = """
    SELECT id, oshash, size_bytes,
           (SELECT json_group_array(hex(path)) FROM
               (SELECT path FROM files WHERE video_id = videos.id AND NOT gone
                ORDER BY real_path <> x'', path)),
           state, reason, tries, seconds, faces, left_out, depth, every_seconds,
           CAST(models AS BLOB),
           scanned_at, gallery, generation,
           (SELECT hex(path) FROM files WHERE video_id = videos.id
            ORDER BY gone <> 0, gone DESC, path LIMIT 1),
           decided, unreadable_seconds, kind, iif(kind = 'album', frames, 0), scans,
           content
    FROM videos
"""
"""Selects videos as `read_record` takes them; a condition may follow."""


def inside(folders: Sequence[bytes]) -> tuple[str, list[bytes | int]]:
    """Return a condition that a video has a file in one of these folders, and its values.

    While any file of it is there, only such files count.
    """
    if not folders:
        return "TRUE", []
    beginnings = [folder.rstrip(b"/") + b"/" for folder in folders]
    either = " OR ".join("substr({0}, 1, ?) = ?" for _ in beginnings)
    real = "iif(real_path = x'', path, real_path)"
    values = [value for one in beginnings for value in (len(one), one)]
    files = "SELECT 1 FROM files WHERE video_id = videos.id"
    condition = (
        f"NOT EXISTS ({files}) OR EXISTS ({files} AND ({either.format('path')}) "
        f"AND ({either.format(real)}) AND (NOT gone OR NOT EXISTS ({files} AND NOT gone)))"
    )
    return condition, values * 2


def is_known(scanned: Scanned) -> bool:
    """Say whether it can be read how a video was scanned: a bad disk may have left nonsense."""
    return bool(scanned.models) and scanned.depth in DEPTHS


def read_record(row: tuple[Any, ...]) -> VideoRecord:
    """Read a row of RECORDS."""
    number, oshash, size, paths, state, reason, tries, seconds, faces, left_out = row[:10]
    depth, every, models, scanned_at, gallery, generation, path, decided = row[10:18]
    unreadable, kind, pictures, scans, content = row[18:]
    return VideoRecord(
        id=number,
        oshash=oshash,
        size_bytes=size,
        paths=tuple(bytes.fromhex(path) for path in json.loads(paths)),
        state=state if state in STATES else "failed",
        reason=reason,
        tries=tries,
        seconds=seconds,
        faces=faces,
        left_out=left_out,
        scanned=Scanned(depth, every, read_texts(models) or ()) if depth else None,
        scanned_at=scanned_at,
        matched_at=(gallery, generation) if isinstance(generation, int) else None,
        last_path=b"" if path is None or paths != "[]" else bytes.fromhex(path),
        decided=decided,
        unreadable_seconds=unreadable,
        kind="album" if kind == "album" else "video",
        pictures=pictures,
        scans=scans,
        content=content,
    )
