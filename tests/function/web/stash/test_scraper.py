"""What the scraper is told, and what is never learned from it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from function.web.stash import looks
from tests.support.stash_asking import Ask, asked
from tests.support.stash_libraries import StashLibrary
from tests.support.stash_server import Answer


def test_a_scraper_gets_those_who_are_sure(library: StashLibrary, ask: Ask) -> None:
    unknown_to_stash = library.person(0, 20)
    scene = library.scene("a.mp4", [library.person(1), library.person(None, 10), unknown_to_stash])
    body = asked(library, scene)
    found = [{"stored_id": library.in_stash[1], "name": "P1"}]
    assert ask("scrape", kind="scene", **body)["performers"] == found
    assert ask("scrape", min_score=100, **body)["performers"] == []
    assert ask("scrape", kind="image", id="4")["performers"] == []


def test_nothing_is_learned_of_whom_a_scraper_or_the_tab_adds(
    library: StashLibrary, ask: Ask
) -> None:
    one, two = library.in_stash[1], library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(1), library.person(2, 10)], performers=[two])
    other = library.scene("b.mp4", [library.person(1)])
    told = ask("scrape", kind="scene", **asked(library, scene))["performers"]
    assert {it["stored_id"] for it in told} == {one, two}
    assert ask("scrape", kind="scene", min_score=100, **asked(library, other))["performers"] == []
    assert from_us(library) == {scene: {one}}, "the other was tagged before"
    (note,) = library.fake.ui["performerRecognition"].values()
    assert note["times"] == 1, "Stash is left a note that something is written by us"
    ask("add-sure", scene=asked(library, other))
    assert from_us(library) == {scene: {one}, other: {one}}
    (note,) = library.fake.ui["performerRecognition"].values()
    assert note["times"] == 2
    library.fake.edit("scenes", scene, performers=[])
    ask("scrape", kind="scene", **asked(library, scene))
    assert from_us(library) == {scene: {one, two}, other: {one}}, "they are not on it any more"


def from_us(library: StashLibrary) -> dict[str, frozenset[str]]:
    with library.ledger() as ledger:
        found = ledger.writes.all_from_us()
        prints = [one["oshash"] for it in found.by_scene for one in asked(library, it)["files"]]
        assert sorted(found.by_oshash) == sorted(prints), "by their files as well"
        return dict(found.by_scene)


def test_whom_a_scraper_is_told_is_noted_also_while_stash_is_away(
    library: StashLibrary, ask: Ask
) -> None:
    two = library.in_stash[2]
    scene = library.scene("a.mp4", [library.person(2)], performers=[two])
    library.fake.troubles += [Answer(b"away", 500, "text/plain") for _ in range(20)]
    (told,) = ask("scrape", kind="scene", **asked(library, scene))["performers"]
    assert (told["stored_id"], from_us(library)) == (two, {scene: {two}})


def test_a_scraper_waits_for_a_library_that_is_written_and_only_if_it_is_told_anything_new(
    library: StashLibrary, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "TOLD_WITHIN_SECONDS", 0.0)
    scene = library.scene("a.mp4", [library.person(1)])
    body = {"kind": "scene", **asked(library, scene)}
    with locked(library):
        assert ask("scrape", fails=True, **body) == "gallery_unavailable"
    monkeypatch.setattr(looks, "TOLD_WITHIN_SECONDS", 60.0)
    with locked(library) as raw:
        threading.Timer(8.0, raw.rollback).start()
        assert len(ask("scrape", **body)["performers"]) == 1
    assert from_us(library) == {scene: {library.in_stash[1]}}
    monkeypatch.setattr(looks, "TOLD_WITHIN_SECONDS", 0.0)
    with locked(library):
        assert len(ask("scrape", **body)["performers"]) == 1


@contextmanager
def locked(library: StashLibrary) -> Iterator[sqlite3.Connection]:
    """Write into the library, and do not end it."""
    path = library.ledger_path
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as raw:
        raw.execute("BEGIN IMMEDIATE")
        yield raw
