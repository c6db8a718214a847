"""Answers that a server gives in place of a photo."""

from tests.support.engines import made_up_photo
from tests.support.graphql_server import Answer

BAD_PHOTOS = {
    "empty": Answer(b""),
    "no picture": Answer(b"hello"),
    "bad heic": Answer(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(range(200))),
    "bad jxl": Answer(b"\xff\x0a" + bytes(range(200))),
    "cut off": Answer(made_up_photo(9)[:300]),
    "gone": Answer(b"gone", 404, "text/plain"),
    "a fault": Answer(b"fault", 500, "text/plain"),
    "shorter than it says": Answer(b"short", claimed_bytes=5_000),
    "no answer": Answer(status=0),
}
