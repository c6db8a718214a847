"""Small galleries of made-up people for the tests."""

import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from sqlite_utils import Database

from db.records import Encoding, Performer, Vector
from db.sqlite.connections import open_database, transaction
from db.sqlite.gallery import SqliteGallery
from db.sqlite.migrations import APPLICATION_ID, MIGRATIONS
from function.engines.protocol import ENCODING_MODEL
from tests.support.crowds import Crowd

MODEL = "test-model"


def made_up_vector(seed: int) -> Vector:
    """A vector as long as dlib's are, in a direction of its own."""
    direction = np.random.default_rng(seed).normal(size=128)
    return (1.4 * direction / np.linalg.norm(direction)).astype(np.float32)


def performer(name: str, source_id: str | None = None, **fields: object) -> Performer:
    fields = {"source": "folder", "source_id": source_id or name, **fields}
    return Performer(id=0, name=name, **fields)  # type: ignore[arg-type]


def encoding(seed: int, photo_hash: str | None = None, model: str = MODEL) -> Encoding:
    return Encoding(
        vector=made_up_vector(seed),
        model=model,
        quality=0.9,
        photo_hash=photo_hash or f"hash{seed}",
        origin=f"photo{seed}.jpg",
    )


def gallery_of_schema(path: Path, version: int) -> Path:
    """A gallery as the first `version` migrations leave it, with one performer enrolled."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        for migration in MIGRATIONS[:version]:
            migration(Database(raw))
        raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        raw.execute(f"PRAGMA user_version = {version}")
        raw.execute(
            "INSERT INTO performers (name, source, source_id, aliases, thumbnail) "
            "VALUES ('Ada', 'folder', 'Ada', '[\"Countess\"]', x'ffd8')"
        )
        if version >= 2:
            raw.execute("INSERT INTO identities VALUES ('folder', 'Ada', 1, '')")
        raw.execute(
            "INSERT INTO encodings (performer_id, vector, model, quality, photo_hash, origin) "
            "VALUES (1, ?, ?, 0.9, 'hash1', 'photo1.jpg')",
            (made_up_vector(1).tobytes(), MODEL),
        )
    return path


def many_performers(path: Path, count: int, thumbnail: bytes | None = None) -> Path:
    """A gallery of that many performers without photos, all with the same thumbnail."""
    SqliteGallery(path, create=True).close()
    database = open_database(path, create=False)
    with transaction(database):
        database.conn.executemany(
            "INSERT INTO performers (name, source, source_id, thumbnail) VALUES (?, 'test', ?, ?)",
            ((f"Performer {number:05}", str(number), thumbnail) for number in range(count)),
        )
    database.close()
    return path


def flawed_gallery(path: Path) -> Path:
    """A gallery with one finding of each kind, among performers with whom all is well."""
    crowd = Crowd()
    ada, mary, grace, jean = (crowd.person() for _ in range(4))
    photos = {
        "Ada": list(crowd.encodings(ada, 4)),
        "Mary": [*crowd.encodings(mary, 2), *crowd.encodings(ada, 1)],
        "Grace": list(crowd.encodings(grace, 3)),
        "Jean": list(crowd.encodings(jean, 1, spread=0.2)),
        "Jeanne": list(crowd.encodings(jean, 1, spread=0.2)),
        "Nobody": [],
    }
    photos["Grace"][2] = photos["Grace"][0] + crowd.direction(0.02)
    with SqliteGallery(path, create=True) as gallery:
        for name, vectors in photos.items():
            encodings = [
                Encoding(vector, ENCODING_MODEL, 0.6, f"{name}{row}", f"{name}/{row}.jpg")
                for row, vector in enumerate(vectors, start=1)
            ]
            gallery.enrol(performer(name), encodings, None)
    return path


def noise_picture(side: int = 160) -> bytes:
    """A JPEG of noise, larger than any thumbnail of a face."""
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()
