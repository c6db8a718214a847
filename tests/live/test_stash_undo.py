"""A real Stash is as it was before, once what was written into it is undone.

It needs a Stash that may be written into, with one scene or more: `STASH_URL` and `STASH_API_KEY`
name it. The scenes that it has too few of are made; all that is made there is deleted again.
"""

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.sqlite.ledger import SqliteLedger
from function.stash.client import Stash
from function.stash.markers import Marked, add_markers
from function.stash.records import NewPerformer, Scene
from function.stash.undoing import Undone, undo
from function.stash.writer import begin
from tests.support.crashing_apply import apply_all, undo_all
from tests.support.live_stash import MADE_SCENE

pytestmark = pytest.mark.skipif(
    "STASH_URL" not in os.environ, reason="STASH_URL names no Stash to be written into"
)

API_KEY = os.environ.get("STASH_API_KEY", "")
MOST_SCENES = 1000
EDITED = 20

MAKE = "mutation Make($input: SceneCreateInput!) { sceneCreate(input: $input) { id } }"
DESTROY = "mutation Destroy($ids: [ID!]!) { scenesDestroy(input: {ids: $ids}) }"
EDIT = "mutation Edit($input: SceneUpdateInput!) { sceneUpdate(input: $input) { id } }"
WHOLE = """
query Whole($page: Int!) {
  findScenes(filter: {page: $page, per_page: 250, sort: "id", direction: ASC}) {
    scenes {
      id title details rating100 organized date urls code director o_counter
      performers { id } tags { id } studio { id } galleries { id } stash_ids { stash_id }
      scene_markers { id title seconds end_seconds primary_tag { id } }
      files { id path }
    }
  }
}
"""


@pytest.fixture
def stash() -> Iterator[Stash]:
    with closing(Stash(os.environ["STASH_URL"], API_KEY)) as opened:
        yield opened


@pytest.fixture
def scenes(stash: Stash) -> Iterator[list[str]]:
    """A thousand scenes; those that are made have no file."""
    held = [one.id for one in stash.scenes()][:MOST_SCENES]
    made: list[str] = []
    try:
        for number in range(MOST_SCENES - len(held)):
            title = {"title": f"{MADE_SCENE} {number}"}
            made.append(stash.ask(MAKE, {"input": title})["sceneCreate"]["id"])
        yield held + made
    finally:
        stash.ask(DESTROY, {"ids": made})


@pytest.fixture
def performers(stash: Stash) -> Iterator[list[str]]:
    """Three performers who are in no scene."""
    name = f"made by a test at {time.time():.3f}"
    made = [stash.create_performer(NewPerformer(f"{name}, {one}")).id for one in range(3)]
    yield made
    stash.destroy_performers(made)


@pytest.fixture
def tag(stash: Stash) -> Iterator[str]:
    made, _ = stash.create_tag(f"made by a test at {time.time():.3f}")
    yield made
    stash.destroy_tags([made])


def whole(stash: Stash) -> dict[str, Any]:
    """All scenes with what a user may have said of them, but for when they were changed."""
    found: dict[str, Any] = {}
    page = 0
    while True:
        page += 1
        scenes = stash.ask(WHOLE, {"page": page})["findScenes"]["scenes"]
        if not scenes:
            return found
        found |= {one["id"]: one for one in scenes}


def edit(stash: Stash, scene: Scene | str, title: str) -> None:
    number = scene if isinstance(scene, str) else scene.id
    stash.ask(EDIT, {"input": {"id": number, "title": title}})


def test_a_thousand_scenes_tagged_killed_edited_and_undone_differ_only_where_edited(
    stash: Stash, scenes: list[str], performers: list[str], tag: str, tmp_path: Path
) -> None:
    stash.tag_items("scene", scenes[::3], add=performers[2:])
    before = whole(stash)
    additions = [
        (scene, one) for at, scene in enumerate(scenes) for one in performers[: 1 + at % 2]
    ] + [(scene, performers[2]) for scene in scenes[::3]]
    ledger, chance = tmp_path / "l.db", random.Random(5)
    context = multiprocessing.get_context("forkserver")
    key = {"api_key": API_KEY}
    for part in (chance.uniform(0.2, 0.4), chance.uniform(0.4, 0.6)):
        process = context.Process(
            target=apply_all, args=(ledger, stash.url, additions, tag), kwargs=key
        )
        process.start()
        until = time.monotonic() + 300
        while process.is_alive() and _written(ledger) < part * len(additions):
            assert time.monotonic() < until
            time.sleep(0.01)
        # Where nothing else is at work, all is written within a second.
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.join()
    between = whole(stash)
    touched = sorted(one for one in between if between[one] != before[one])
    assert EDITED < len(touched) < len(scenes), "it was killed midway"
    time.sleep(1.1)  # Stash counts seconds
    edited = set(chance.sample(touched, EDITED))
    for scene in edited:
        edit(stash, scene, "Edited by hand")
    process = context.Process(target=undo_all, args=(ledger, stash.url), kwargs=key)
    process.start()
    process.join()
    assert process.exitcode == 0
    after = whole(stash)
    assert {one for one in after if after[one] != before[one]} == edited
    with SqliteLedger(ledger) as opened:
        run = int(opened.choice("run"))
        assert {one.scene for one in opened.writes.of_run(run)} == edited, "those are listed"
        for _ in undo(opened.writes, stash, opened.writes.of_run(run), edited=True):
            pass
    for scene in edited:
        edit(stash, scene, before[scene]["title"] or "")
    assert whole(stash) == before


def test_markers_are_made_and_undone(stash: Stash, performers: list[str], tmp_path: Path) -> None:
    scene = next(stash.scenes())
    before = whole(stash)
    with SqliteLedger(tmp_path / "l.db") as ledger:
        writer = begin(ledger, stash, "markers")
        people = [Marked(performers[0], "Somebody", ((0.25, 0.75), (20.5, 21.25)))]
        assert add_markers(writer, scene.id, people) == 2
        assert add_markers(writer, scene.id, people) == 0
        assert {one.seconds for one in stash.markers(scene.id)} >= {0.25, 20.5}
        wanted = ledger.writes.of_run(writer.run)
        undone = sum(undo(ledger.writes, stash, wanted), Undone())
        assert (undone.markers, undone.left) == (2, ())
    assert whole(stash) == before


def _written(ledger: Path) -> int:
    if not ledger.exists():
        return 0
    with SqliteLedger(ledger) as opened:
        return sum(one.tags for one in opened.writes.runs())
