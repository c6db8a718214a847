"""A Stash or a stash-box that answers something else than it was asked for, in each place of it."""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from function.sources.downloads import Downloads
from function.sources.graphql import GraphQL
from function.sources.records import Refusal, UnusableSourceError
from function.sources.shapes import text_in, texts_in
from function.sources.stash_box import StashBox
from function.stash.client import Stash
from function.stash.records import NewMarker, NewPerformer

LONG = "1" * 1000
ODD: tuple[Any, ...] = (None, 7, -1.5, "x", "http://[", "\0", [], {}, [[]], {"a": 1}, True)

ADA = {
    "id": "1",
    "name": "Ada",
    "disambiguation": "poet's child",
    "alias_list": ["Countess"],
    "urls": ["http://a"],
    "image_path": "http://s/performer/1/image?t=1",
    "updated_at": "now",
    "stash_ids": [{"endpoint": "http://box", "stash_id": "a"}],
}
FILE = {
    "path": "/data/a.mp4",
    "size": 7,
    "duration": 60.0,
    "fingerprints": [{"type": "oshash", "value": "00ff"}],
}
SCENE = {
    "id": "1",
    "title": "A",
    "updated_at": "now",
    "files": [FILE],
    "performers": [{"id": "1"}],
    "tags": [{"id": "2", "name": "Face"}],
}
MARKER = {
    "id": "1",
    "title": "Ada",
    "seconds": 1.0,
    "end_seconds": 2.0,
    "updated_at": "now",
    "primary_tag": {"id": "2"},
}
IMAGE = {
    "id": "1",
    "title": None,
    "updated_at": "now",
    "paths": {"image": "/image/1/image"},
    "visual_files": [{"path": "/data/a.jpg", "width": 8, "height": 8}],
    "performers": [{"id": "1"}],
}
TAG = {"id": "2", "name": "Face", "updated_at": "now"}

Question = tuple[Callable[[Stash], object], dict[str, Any]]

QUESTIONS: tuple[Question, ...] = (
    (lambda one: one.version(), {"version": {"version": "v0.30.1"}}),
    (lambda one: one.totals(), {"stats": {"scene_count": 1, "performer_count": 1}}),
    (
        lambda one: one.libraries(),
        {"configuration": {"general": {"stashes": [{"path": "/data"}]}}},
    ),
    (
        lambda one: one.stash_box_keys(),
        {"configuration": {"general": {"stashBoxes": [{"endpoint": "e", "api_key": "k"}]}}},
    ),
    (lambda one: list(one.performers()), {"findPerformers": {"count": 1, "performers": [ADA]}}),
    (lambda one: one.performer("1"), {"findPerformer": ADA}),
    (lambda one: one.suggest_performers("a"), {"findPerformers": {"performers": [ADA]}}),
    (lambda one: one.newest_performer_change(), {"findPerformers": {"performers": [ADA]}}),
    (lambda one: one.create_performer(NewPerformer("Ada")), {"performerCreate": ADA}),
    (
        lambda one: one.use_of_performer("1"),
        {"findPerformer": {"updated_at": "now", "scene_count": 1}},
    ),
    (lambda one: list(one.scenes()), {"findScenes": {"count": 1, "scenes": [SCENE]}}),
    (lambda one: one.scene("1"), {"findScene": SCENE}),
    (lambda one: one.tag_items("scene", ["1"], add=["1"]), {"bulkSceneUpdate": [SCENE]}),
    (lambda one: one.markers("1"), {"findScene": {"scene_markers": [MARKER]}}),
    (
        lambda one: one.create_marker(NewMarker("1", "Ada", 1.0, 2.0, "2")),
        {"sceneMarkerCreate": MARKER},
    ),
    (lambda one: list(one.images()), {"findImages": {"count": 1, "images": [IMAGE]}}),
    (lambda one: one.images_of("1", 3), {"findImages": {"images": [IMAGE]}}),
    (lambda one: one.newest_image_change(), {"findImages": {"images": [IMAGE]}}),
    (lambda one: one.find_tag("Face"), {"findTags": {"tags": [TAG]}}),
    (lambda one: one.create_tag("Face"), {"tagCreate": TAG}),
)

IN_BOX = {
    "id": "a",
    "name": "Ada",
    "disambiguation": None,
    "aliases": ["Countess"],
    "updated": "now",
    "deleted": False,
    "merged_ids": ["old"],
    "merged_into_id": None,
    "urls": [{"url": "u"}],
    "images": [{"url": "http://box/1", "width": 8, "height": 8}],
}


def places(part: Any) -> Iterator[tuple[Any, ...]]:
    """Yield how to get to each part of an answer, step by step."""
    pairs: Any = enumerate(part) if isinstance(part, list) else part.items()
    for step, below in pairs:
        yield (step,)
        if isinstance(below, dict | list):
            yield from ((step, *path) for path in places(below))


def changed(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an answer with something odd in place of each of its parts, and without it."""
    for *above, last in places(answer):
        for odd in (*ODD, KeyError):
            other = copy.deepcopy(answer)
            part: Any = other
            for step in above:
                part = part[step]
            if odd is KeyError:
                del part[last]
            else:
                part[last] = odd
            yield other


class Told:
    """Stands in for whoever is asked: answers what it is told."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self.answer: dict[str, Any] = {}
        patched.setattr(GraphQL, "ask", lambda *_, **__: self.answer)


@pytest.mark.parametrize(("ask", "answer"), QUESTIONS)
def test_whatever_stash_answers_is_read_or_refused_in_one_line(
    ask: Callable[[Stash], object], answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told, stash = Told(monkeypatch), Stash("http://s")
    told.answer = answer
    assert ask(stash)
    refusals = []
    for told.answer in changed(answer):
        try:
            ask(stash)
        except UnusableSourceError as error:
            refusals.append(str(error))
    assert refusals
    assert all(map(str.isprintable, refusals))


@pytest.mark.parametrize(("ask", "answer"), QUESTIONS)
def test_no_id_time_or_version_is_taken_over_at_any_length(
    ask: Callable[[Stash], object], answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told, stash = Told(monkeypatch), Stash("http://s")
    for *above, last in places(answer):
        part = _at(answer, above)
        if last in ("id", "updated_at", "version") and isinstance(part[last], str):
            told.answer = copy.deepcopy(answer)
            _at(told.answer, above)[last] = LONG
            with suppress(UnusableSourceError):
                assert LONG not in repr(ask(stash))


def _at(part: Any, path: list[Any]) -> Any:
    for step in path:
        part = part[step]
    return part


@pytest.mark.parametrize("by", ["id", "name"])
def test_whatever_a_stash_box_answers_is_read_or_refused(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, box = Told(monkeypatch), StashBox("http://box", "right")
    right = (
        {"findPerformer": IN_BOX} if by == "id" else {"searchPerformers": {"performers": [IN_BOX]}}
    )
    ask = box.read_ids if by == "id" else box.read_names
    downloads = Downloads()
    reasons = []
    for told.answer in changed(right):
        (answered,) = ask(["Ada"], downloads)
        reasons += [answered.reason] if isinstance(answered, Refusal) else []
    assert any("answered in another form" in one for one in reasons)
    assert all(map(str.isprintable, reasons))


def test_a_list_without_end_is_not_followed_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("function.stash.pages.MOST_PAGES", 3)
    told = Told(monkeypatch)
    told.answer = {"findPerformers": {"count": 10**12, "performers": [ADA]}}
    with pytest.raises(UnusableSourceError, match="performers without end"):
        list(Stash("http://s").performers())


def test_only_texts_are_taken_for_texts() -> None:
    assert (text_in(None), text_in("a"), texts_in(None), texts_in(["a", ""])) == (
        "",
        "a",
        (),
        ("a",),
    )
    for odd in (7, ["a"], {"a": 1}):
        with pytest.raises(TypeError):
            text_in(odd)
    for odd in ("text", {"a": 1}, [7]):
        with pytest.raises(TypeError):
            texts_in(odd)  # type: ignore[arg-type]
