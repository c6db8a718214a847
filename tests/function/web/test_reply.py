from dataclasses import replace

import numpy as np
import pytest

from db.records import Identity, Performer
from function.engines.protocol import Box
from function.faces.face import Face
from function.matching.matches import Identification, Match
from function.web.reply import to_reply
from tests.support.galleries import made_up_vector
from tests.support.people import person_of

ADA = Performer(id=7, name="Ada", urls=("https://example.org/ada",))
FACE = Face(
    frame=0,
    seconds=1.0,
    until_seconds=2.0,
    since_seconds=1.0,
    box=Box(0, 0, 99, 99),
    detection_score=1.0,
    encoding=made_up_vector(1),
    quality=0.9,
    weaknesses=(),
    crop=b"face",
)


def test_a_match_says_who_the_performer_is_in_each_source() -> None:
    identities = (
        Identity("stash http://localhost:9999", "12"),
        Identity("https://stashdb.example/graphql", "ab-cd"),
    )
    match = Match(replace(ADA, identities=identities), distance=0.3, score=97.0)
    (person,) = to_reply([Identification(person_of([FACE]), (match,), "match")], lambda _: None)
    (reply,) = person["matches"]
    assert reply["stash_ids"] == [
        {"endpoint": "https://stashdb.example/graphql", "stash_id": "ab-cd"}
    ]
    assert reply["sources"] == [{"source": "stash http://localhost:9999", "id": "12"}]


@pytest.mark.parametrize(
    ("thumbnail", "address", "poster"),
    [
        (b"\xff\xd8", "https://example.org/1.jpg", "data:image/jpeg;base64,/9g="),
        (b"<svg onload='x'/>", "https://example.org/1.jpg", ""),
        (None, "javascript:alert(1)", ""),
        (None, "data:image/svg+xml,<svg/>", ""),
        (None, "https://example.org/1.jpg", "https://example.org/1.jpg"),
        (None, "", ""),
    ],
)
def test_the_poster_is_the_stored_picture_or_else_the_address_of_one(
    thumbnail: bytes | None, address: str, poster: str
) -> None:
    match = Match(replace(ADA, poster_url=address), distance=0.3, score=97.44, hints=("path",))
    found = Identification(person_of([FACE]), (match,), "match")
    (person,) = to_reply([found], lambda _: thumbnail)
    (reply,) = person["matches"]
    assert reply["poster"] == poster
    assert (reply["id"], reply["score"], reply["hints"]) == ("7", 97.4, ["path"])
    assert np.allclose(person["appearances"], [(1.0, 2.0)])


def test_only_addresses_of_the_web_are_passed_on() -> None:
    urls = ("https://a.example/", "javascript:alert(1)", "data:text/html,x", "http://[", "http:/x")
    match = Match(replace(ADA, urls=urls), distance=0.3, score=97.44, hints=())
    (person,) = to_reply([Identification(person_of([FACE]), (match,), "match")], lambda _: None)
    assert person["matches"][0]["urls"] == ["https://a.example/"]
