"""Does what was asked for the user's Stash: finds scenes to scan, writes, undoes, keeps in step.

A task that is broken off, by a stop of ours or of Stash's, is begun again and does what is left.
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace

from db.counted import counted
from db.galleries import Store
from db.ledgers import Ledger
from db.records import Performer
from db.tasks import Task
from function.library.finding import text_of
from function.library.jobs import WantedScan
from function.library.naming import Naming, open_naming
from function.library.rematching import rematch
from function.matching.second_models import open_second
from function.sandbox.readers import open_reader
from function.settings import Settings
from function.sources.records import RefusedError
from function.stash.albums import (
    InAlbum,
    album_paths,
    album_place,
    album_stamp,
    find_in_album,
    paths_of_some,
    queue_album,
    read_album_file,
)
from function.stash.applying import Added, Addition, add_performers
from function.stash.client import Stash
from function.stash.connection import Connection
from function.stash.last_runs import ASKS, OlderRun, older_run, undoable
from function.stash.markers import add_markers, ensure_tag, marked_in
from function.stash.options import Options, read_options
from function.stash.paths import Locate, locator
from function.stash.planning import Plan, Videos, plan_additions
from function.stash.records import Scene
from function.stash.scene_faces import Step
from function.stash.scenes import read_scenes
from function.stash.settling import settle
from function.stash.summaries import said_of_left_out, said_of_undo
from function.stash.synced import Synced, SyncOptions
from function.stash.syncing import keep_up, sync_with
from function.stash.undoing import Undone, undo
from function.stash.writer import Writer, begin, gone_from

PLACES_AT_ONCE = 200
"""Files that are looked for at once; somebody who cancels waits for no more."""


@dataclass(frozen=True, eq=False)
class Workplace:
    """What tasks work with: the ledger, the gallery, and Stash.

    `want` takes scans that are to be done.
    """

    settings: Settings
    store: Store
    ledger: Ledger
    connection: Connection
    want: Callable[[WantedScan], None]

    def open_stash(self) -> Stash:
        """Return the Stash."""
        return self.connection.open()

    def naming(self) -> Naming:
        """Return the gallery as it is now."""
        return open_naming(self.store, open_second(self.settings.engine_options), self.settings)

    def performers(self) -> dict[int, Performer]:
        """Return everyone enrolled, by id, with everybody seen matched with today's gallery."""
        naming = self.naming()
        for _ in rematch(self.ledger, naming):
            pass
        return {one.id: one for one in naming.gallery.performers}


def do_task(task: Task, place: Workplace) -> Generator[Task]:
    """Do a task, and yield how it stands; the last one is done.

    Raises:
        UnusableSourceError: Stash does not answer, or refuses; it may be done later.
        GalleryError: the gallery or the ledger cannot be used; see `db.errors`.
    """
    does = {"scan": _scan, "apply": _apply, "undo": _undo, "sync": _sync}[task.kind]
    with closing(place.open_stash()) as stash:
        settle(place.ledger.writes, stash)
        yield from does(replace(task, state="working"), place, stash)


def plan(place: Workplace, stash: Stash, options: Options, begun: Sequence[Addition] = ()) -> Plan:
    """Say what Apply would write, besides what it has written if it was broken off."""
    locate = locator(place.settings, place.connection)
    performers = place.performers()
    scenes = stash.scenes(options.scenes)
    return plan_additions(place.ledger, performers, scenes, locate, options.min_score, begun=begun)


def places_of(place: Workplace, scenes: Iterable[Scene]) -> Iterator[bytes | None]:
    """Yield where the files of some scenes lie here; None for each that does not."""
    locate = locator(place.settings, place.connection)
    for scene in scenes:
        yield from (locate(file.path) for file in scene.files)


def take_back_decisions(ledger: Ledger, undone: Undone) -> None:
    """Take back what the user said by adding somebody, which is undone with it."""
    for decision in undone.decisions:
        ledger.take_back(decision)


def _scan(task: Task, place: Workplace, stash: Stash) -> Iterator[Task]:
    yield from (_scan_albums if read_options(task).pictures else _scan_scenes)(task, place, stash)


def _scan_albums(task: Task, place: Workplace, stash: Stash) -> Iterator[Task]:
    """Queue images and galleries; they are looked at, and nothing of them is written alone."""
    some = read_options(task).images_and_galleries
    paths = paths_of_some(stash, *some) if any(some) else album_paths(stash)
    locate, known = locator(place.settings, place.connection), place.ledger.stamps()
    found = missing = 0
    for path in paths:
        inside = find_in_album(place.ledger, path, locate) if any(some) else None
        album = _place_of_album(inside, path, locate)
        try:
            if album and known.get(album) != album_stamp(album):
                queue_album(place.ledger, read_album_file(album))
        except OSError:
            album = None
        found, missing = found + (album is not None), missing + (album is None)
        yield replace(task, done=found, text=f"Queued so far: {counted(found, 'album')}.")
    place.want(WantedScan(()))  # whoever scans looks at the queue
    yield _queued(task, found, missing, "album")


def _place_of_album(inside: InAlbum | None, path: str, locate: Locate) -> bytes | None:
    """Return where the album lies that shows an image or a gallery of Stash; None if nowhere.

    What was looked at with its folder is in that, even if the folder was gone meanwhile and is
    back; if it is not, the image may lie here by itself.
    """
    places = inside.album.known_paths if inside else ()
    there = (place for place in places if os.path.exists(place))  # noqa: PTH110  # bytes
    return next(there, None) or album_place(path, locate)


def _scan_scenes(task: Task, place: Workplace, stash: Stash) -> Iterator[Task]:
    waiting: list[str] = []
    found = missing = 0
    for path in places_of(place, stash.scenes(read_options(task).scenes)):
        missing += path is None
        if path is not None:
            found += 1
            waiting.append(text_of(path))
        if len(waiting) == PLACES_AT_ONCE:
            place.want(WantedScan(tuple(waiting)))
            waiting = []
            yield replace(task, done=found, text=f"Queued so far: {counted(found, 'file')}.")
    if waiting:
        place.want(WantedScan(tuple(waiting)))
    yield _queued(task, found, missing, "file")


def _queued(task: Task, found: int, missing: int, noun: str) -> Task:
    text = f"In the library's queue, or known already: {counted(found, noun)}."
    if missing:
        text += (
            f" Not in the media root here: {counted(missing, noun)}; check the connection to see "
            "which folder is missing."
        )
    result = json.dumps({"files": found, "missing": missing})
    return replace(task, state="done", done=found, of=found, text=text, result=result)


def _apply(task: Task, place: Workplace, stash: Stash) -> Iterator[Task]:
    """Write what is sure; begun again, go on with the same run, and report on all of it."""
    options, ledger = read_options(task), place.ledger
    yield replace(task, text="Working out who is surely in which scene.")
    begun = _added_in(ledger, task.run)
    planned = plan(place, stash, options, begun)
    held = frozenset[str]() if options.confirmed else planned.suspicious
    chosen = planned.without(held)
    of = len(chosen.additions) + len(begun)
    total, unmarked = Added(written=len(begun)), 0
    if not options.dry_run and of:
        run = task.run or begin(ledger, stash, "apply").run
        task = replace(task, run=run, of=of)
        yield task
        writer = Writer(ledger.writes, stash, run, gone_from(place.store))
        tag = ensure_tag(writer, options.tag) if options.tag else ""
        for added in add_performers(writer, chosen.additions, tag):
            total += added
            yield replace(task, done=total.done, text=f"Added {total.written} of {of}.")
        if options.markers:
            unmarked = yield from _mark(task, place, writer)
    scenes = len({one.scene for one in (*begun, *chosen.additions)})
    result = {
        "written": total.written,
        "planned": of,
        "scenes": scenes,
        "held": sorted(held),
        "refused": [[one.scene, one.performer, why] for one, why in total.refused],
        "forgotten": len(total.forgotten),
        "unmarked": unmarked,
        "gains": [asdict(one) for one in planned.gains],
    }
    additions = counted(of if options.dry_run else total.written, "addition")
    made = f"{additions} to {counted(scenes, 'scene')}"
    said = f"Would make {made}; nothing was written." if options.dry_run else f"Made {made}."
    text = said if of else "Nothing is to be added."
    text += said_of_left_out(total, unmarked, planned, held)
    yield replace(task, state="done", done=of, of=of, text=text, result=json.dumps(result))


def _added_in(ledger: Ledger, run: int) -> list[Addition]:
    """Return whom a run has added before it was broken off; nobody if it has not begun."""
    writes = ledger.writes.of_run(run) if run else []
    return [Addition(one.scene, one.thing) for one in writes if one.kind == "performer"]


def _mark(task: Task, place: Workplace, writer: Writer) -> Generator[Task, None, int]:
    """Mark when those are seen who were added in this run; return how many scenes Stash refuses."""
    added: dict[str, set[str]] = defaultdict(set)
    for one in _added_in(place.ledger, writer.run):
        added[one.scene].add(one.performer)
    videos = Videos(place.ledger.iterate(), locator(place.settings, place.connection))
    naming, made, refused = place.naming(), 0, 0
    for scene in read_scenes(writer.stash, added).values():
        people = marked_in(place.ledger, videos.of(scene), naming, added[scene.id])
        try:
            made += add_markers(writer, scene.id, people)
        except RefusedError:
            refused += 1
        yield replace(task, text=f"Made {counted(made, 'marker')}.")
    return refused


def _undo(task: Task, place: Workplace, stash: Stash) -> Iterator[Task]:
    """Take back what is as we left it; begun again, go on with the same run."""
    options, ledger = read_options(task), place.ledger
    chosen = replace(options, run=options.run or task.run)
    if older := older_run(ledger, chosen):
        yield _asking(task, older)
        return
    keep_up(stash, place.store, ledger, undoable(ledger, chosen))
    wanted = undoable(ledger, chosen)
    before = max(0, task.of - len(wanted))
    of = before + len(wanted)
    if wanted:
        # Begun again, it is this run, and not the one before it.
        task = replace(task, run=0 if options.scene else wanted[0].run, of=of)
        yield task
    total = Undone()
    for undone in undo(ledger.writes, stash, wanted, edited=options.edited):
        take_back_decisions(ledger, undone)
        total += undone
        done = before + total.done
        yield replace(task, done=done, text=f"Undone: {done} of {of}.")
    text = said_of_undo(total, before) if of else "There is nothing to undo."
    result = json.dumps({**asdict(total), "before": before})
    yield replace(task, state="done", done=of, of=of, text=text, result=result)


def _asking(task: Task, older: OlderRun) -> Task:
    """Take back nothing, and say which run is taken back if the user asks for it again."""
    result = json.dumps({**asdict(Undone()), "before": 0, ASKS: older.run})
    return replace(task, state="done", text=older.question, result=result)


def _sync(task: Task, place: Workplace, stash: Stash) -> Iterator[Task]:
    del stash  # a sync opens its own
    settings = replace(place.settings, slots=1)
    options = SyncOptions(from_scenes=read_options(task).from_scenes)
    with closing(open_reader(settings)) as reader:
        steps = sync_with(
            place.connection,
            place.store,
            place.ledger,
            reader,
            settings=settings,
            options=options,
        )
        done = yield from following(steps, task)
    count = done.report.done
    result = json.dumps(done.to_keep())
    yield replace(task, state="done", text=done.summary(), done=count, of=count, result=result)


def following(steps: Generator[Step, None, Synced], task: Task) -> Generator[Task, None, Synced]:
    """Do a sync to its end, and yield how the task stands after each step."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            done: Synced = end.value
            return done
        yield replace(task, done=step.done, of=step.of)
