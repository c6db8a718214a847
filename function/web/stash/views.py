"""Shows a scene of Stash as the library knows it: who is in it, when, and what was written."""

import base64
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias, TypedDict

from db.galleries import Gallery
from db.names import is_web_address
from db.records import Performer
from db.videos import Verdict
from db.writes import Write
from function.faces.found import Progress
from function.matching.matches import Match
from function.sources.records import UnusableSourceError
from function.stash.planning import id_in_stash
from function.web.stash.asked import Asked
from function.web.stash.people import Seen, people_in
from function.web.stash.work import Part, Parts, Work

SceneState: TypeAlias = Literal["unseen", "queued", "working", "done", "failed", "elsewhere"]
"""Unseen: not in the library. Elsewhere: its file is not in the media root here, see `reason`."""

BYSTANDER_SHARE = 10
"""Somebody unknown is a bystander who is seen in less than a tenth as many faces as the most seen:
as on the page."""

ELSEWHERE = (
    "This server does not see the file. Check the connection, which says which folder is missing "
    "here."
)
NO_FILE = "Stash lists no file for this {kind}. Let Stash scan it."
EMPTY = "This gallery holds no image."


class CandidateView(TypedDict):
    """Whom a person may be: `performer` is the id in the gallery, `stash_id` the one in Stash.

    `stash_id` is empty if Stash does not know them. `poster` is a data: URI, or empty: it becomes
    part of Stash's page, which is not to ask elsewhere for it.
    """

    performer: str
    stash_id: str
    name: str
    score: float
    poster: str
    urls: list[str]


class PersonView(TypedDict):
    """A person in a scene; `image` is a base64 JPEG of the best face, or empty.

    `tagged` says that the likeliest performer is on the scene in Stash, `added` that we put them
    there; `markers` counts our markers of them. `pictures` are those of a gallery that show them,
    counted from 1; there are no `appearances` then. `decided` is what the user said, see
    `db.videos.Outcome`. A bystander is unknown and seen only briefly.
    """

    person: int
    verdict: Verdict
    bystander: bool
    image: str
    faces: int
    best_seconds: float
    appearances: list[tuple[float, float]]
    pictures: list[int]
    matches: list[CandidateView]
    tagged: bool
    added: bool
    markers: int
    decided: str


class AdvanceView(TypedDict):
    """How far a look is, in seconds of video."""

    done: float
    of: float


class VideoView(TypedDict):
    """The video of a scene."""

    oshash: str
    duration_seconds: float


class SceneView(TypedDict):
    """A scene: whether it was looked at, who is in it, and how many of our writes can be undone.

    `reason` says why it failed, or is elsewhere, or what of it is not shown; `stash` why Stash
    could not be asked. `changed` says that its file was rewritten since. `unseen` counts images
    of a gallery that nobody has looked at yet, of which the others are shown. `strangers_left_out`
    counts people who are nobody of the gallery and were not kept.
    """

    state: SceneState
    reason: str
    changed: bool
    unseen: int
    progress: AdvanceView | None
    video: VideoView | None
    people: list[PersonView]
    strangers_left_out: int
    written: int
    stash: str


def view_scene(work: Work, asked: Asked, *, pictures: bool = True) -> SceneView:
    """Show a scene, an image or a gallery.

    Raises:
        UnusableSourceError: Stash has to be asked which files it has, and does not answer.
    """
    parts = work.parts(asked)
    states = [_state_of_part(work, one) for one in parts.each]
    state, reason, progress = _state_of(parts, states)
    unseen = sum(one == "unseen" for one, _, _ in states) if state == "done" else 0
    people = people_in(work, parts, pictures=pictures)
    tagged, words = _tagged(work, asked) if people else (frozenset[str](), "")
    writes = work.ledger.writes.of_scene(asked.scene.id, asked.kind)
    return SceneView(
        state=state,
        reason=reason,
        changed=any(map(work.is_changed, parts.each)),
        unseen=unseen,
        progress=progress,
        video=_video_of(parts),
        people=_view_people(work, people, tagged, writes, pictures=pictures),
        strangers_left_out=_count_left_out(parts),
        written=len(writes),
        stash=words,
    )


def _count_left_out(parts: Parts) -> int:
    """Count strangers who were not kept; of one picture of an album nobody knows them."""
    shown = (one.shown for one in parts.each)
    whole = {one.album.id: one.album for one in shown if one and one.picture is None}
    return sum(album.left_out for album in whole.values())


def _video_of(parts: Parts) -> VideoView | None:
    if parts.by_hand or not parts.albums:
        return None
    (video,) = parts.albums
    return VideoView(oshash=video.oshash, duration_seconds=round(video.seconds, 3))


_State: TypeAlias = tuple[SceneState, str, AdvanceView | None]
"""How a look stands, why it cannot be had, and how far it is."""


def _state_of(parts: Parts, states: Sequence[_State]) -> _State:
    """Say how all stands; of a gallery that was put together by hand, images are counted."""
    if not parts.by_hand:
        return states[0]
    if not states:
        return "elsewhere", EMPTY, None
    counts = Counter(state for state, _, _ in states)
    if is_open := counts["queued"] + counts["working"]:
        progress = AdvanceView(done=float(len(states) - is_open), of=float(len(states)))
        return "working", "", progress
    order: tuple[SceneState, ...] = ("done", "unseen", "failed", "elsewhere")
    state = next(one for one in order if counts[one])
    if state == "done":
        return "done", _said_of_rest(counts, parts.left_out), None
    return state, next(reason for one, reason, _ in states if one == state), None


def _said_of_rest(counts: Counter[SceneState], left_out: int) -> str:
    said = [
        f"Images that {why}: {count}."
        for count, why in (
            (counts["unseen"], "were not looked at yet"),
            (counts["failed"], "could not be read"),
            (counts["elsewhere"], "this server does not see"),
            (left_out, "are too many"),
        )
        if count
    ]
    return " ".join(said)


def _state_of_part(work: Work, part: Part) -> _State:
    if part.shown is None:
        return _unknown(work, part.asked)
    video = part.shown.album
    progress = work.service.looker.progress_of(video.id)
    at_work = work.service.worker.at_work()
    progress = progress or next((at_work[path] for path in video.paths if path in at_work), None)
    if progress:
        return "working", video.reason, _advance(progress)
    return video.state, video.reason, None


def _unknown(work: Work, asked: Asked) -> _State:
    if not asked.scene.files:
        return "elsewhere", NO_FILE.format(kind=asked.kind), None
    is_here = work.find_file(asked) is not None
    return ("unseen", "", None) if is_here else ("elsewhere", ELSEWHERE, None)


def _advance(progress: Progress) -> AdvanceView:
    done, of = progress.done_seconds, progress.of_seconds
    return AdvanceView(done=round(done, 3), of=round(of, 3))


def _tagged(work: Work, asked: Asked) -> tuple[frozenset[str], str]:
    """Return who is on a scene in Stash; and in words why that is not known."""
    if asked.tagged is not None:
        return asked.tagged, ""
    try:
        item = work.stash.item(asked.kind, asked.scene.id)
    except UnusableSourceError as error:
        return frozenset(), str(error)
    return frozenset(item.performers if item else ()), ""


def _view_people(
    work: Work,
    people: Sequence[Seen],
    tagged: Collection[str],
    writes: Sequence[Write],
    *,
    pictures: bool,
) -> list[PersonView]:
    if not people:
        return []
    most = max(one.decided.person.faces for one in people)
    with work.service.gallery() as gallery:
        return [
            _view_person(one, gallery if pictures else None, tagged, writes, most) for one in people
        ]


def _view_person(
    one: Seen,
    gallery: Gallery | None,
    tagged: Collection[str],
    writes: Sequence[Write],
    most_faces: int,
) -> PersonView:
    person = one.decided.person
    known = id_in_stash(one.first.performer) if one.first else ""
    picture = base64.b64encode(person.person.picture) if gallery else b""
    return PersonView(
        person=one.number,
        verdict=person.verdict,
        bystander=person.verdict == "unknown" and person.faces * BYSTANDER_SHARE < most_faces,
        image=picture.decode("ascii"),
        faces=person.faces,
        best_seconds=0.0 if one.pictures else round(person.person.best_seconds, 3),
        appearances=[(round(start, 3), round(end, 3)) for start, end in one.spans],
        pictures=list(one.pictures),
        matches=[_view_match(match, gallery) for match in person.matches],
        tagged=bool(known) and known in tagged,
        added=bool(known) and any(w.kind == "performer" and w.thing == known for w in writes),
        markers=sum(bool(known) and w.kind == "marker" and w.performer == known for w in writes),
        decided=one.decided.kind or "",
    )


def _view_match(match: Match, gallery: Gallery | None) -> CandidateView:
    performer = match.performer
    return CandidateView(
        performer=str(performer.id),
        stash_id=id_in_stash(performer),
        name=performer.name,
        score=round(match.score, 1),
        poster=_poster(performer, gallery) if gallery else "",
        urls=[url for url in performer.urls if is_web_address(url)],
    )


def _poster(performer: Performer, gallery: Gallery) -> str:
    jpeg = gallery.thumbnail(performer.id)
    encoded = base64.b64encode(jpeg or b"").decode("ascii")
    return f"data:image/jpeg;base64,{encoded}" if encoded else ""
