"""Shows a scene of Stash as the library knows it: who is in it, when, and what was written."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

from db.galleries import Gallery
from db.names import is_web_address
from db.records import Performer
from db.videos import Interval, Verdict, VideoRecord
from db.writes import Write
from function.faces.found import Progress
from function.library.decisions import Decided
from function.library.rematching import name_again
from function.matching.matches import Match
from function.people.appearances import find_appearances
from function.sources.records import UnusableSourceError
from function.stash.albums import InAlbum
from function.stash.planning import id_in_stash
from function.web.service import Service
from function.web.stash.asked import Asked
from function.web.stash.desk import Work

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
BY_HAND = (
    "This gallery was put together by hand: it has no folder and no archive that could be looked "
    "at. Open its images and find people there."
)


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

    `reason` says why it failed, or is elsewhere; `stash` why Stash could not be asked.
    """

    state: SceneState
    reason: str
    progress: AdvanceView | None
    video: VideoView | None
    people: list[PersonView]
    written: int
    stash: str


@dataclass(frozen=True, eq=False)
class Seen:
    """A person in a scene: the number, whom matching and the user say it is, and when.

    In an album there are `pictures` that show them, from 1, and no spans.
    """

    number: int
    decided: Decided
    spans: tuple[Interval, ...]
    pictures: tuple[int, ...] = ()

    @property
    def first(self) -> Match | None:
        """The likeliest performer, if anybody is likely."""
        person = self.decided.person
        return person.matches[0] if person.matches else None

    def is_sure(self, min_score: float) -> bool:
        """Say whether it is surely the likeliest performer, or the user said so."""
        if self.first is None or self.decided.kind == "ignored":
            return False
        is_match = self.decided.person.verdict == "match" and self.first.score >= min_score
        return is_match or self.decided.kind == "confirmed"


def people_in(work: Work, found: InAlbum, *, pictures: bool = False) -> list[Seen]:
    """Return everyone in a video, or on pictures, the most certain first, by today's gallery."""
    video = found.album
    if video.scanned is None:
        return []
    named = name_again(work.ledger, [video.id], work.naming, pictures=pictures)[video.id]
    people = [_seen(one, video) for one in named]
    if found.picture is not None:
        people = [one for one in people if found.picture + 1 in one.pictures]
    return sorted(people, key=_rank)


def _seen(one: Decided, video: VideoRecord) -> Seen:
    number = one.person.members[0]
    if video.kind == "album":
        return Seen(number, one, (), tuple(sorted({it.frame + 1 for it in one.person.seen})))
    return Seen(number, one, tuple(find_appearances(one.person.seen)))


def view_scene(work: Work, asked: Asked, *, pictures: bool = True) -> SceneView:
    """Show a scene."""
    found = work.find(asked)
    if found is None:
        return _unknown(work, asked)
    video = found.album
    state, progress = _state_of(work.service, video)
    people = people_in(work, found, pictures=pictures)
    tagged, words = _tagged(work, asked) if people else (frozenset[str](), "")
    writes = work.ledger.writes.of_scene(asked.scene.id, asked.kind)
    return SceneView(
        state=state,
        reason=video.reason,
        progress=progress,
        video=VideoView(oshash=video.oshash, duration_seconds=round(video.seconds, 3)),
        people=_view_people(work, people, tagged, writes, pictures=pictures),
        written=len(writes),
        stash=words,
    )


def _rank(one: Seen) -> tuple[bool, float, int]:
    score = one.first.score if one.first else 0.0
    return one.decided.kind != "confirmed", -score, -one.decided.person.faces


def _nothing(state: SceneState, reason: str) -> SceneView:
    return SceneView(
        state=state, reason=reason, progress=None, video=None, people=[], written=0, stash=""
    )


def _unknown(work: Work, asked: Asked) -> SceneView:
    if not asked.scene.files:
        by_hand = asked.kind == "gallery"
        return _nothing("elsewhere", BY_HAND if by_hand else NO_FILE.format(kind=asked.kind))
    is_here = work.find_file(asked) is not None
    return _nothing("unseen", "") if is_here else _nothing("elsewhere", ELSEWHERE)


def _state_of(service: Service, video: VideoRecord) -> tuple[SceneState, AdvanceView | None]:
    progress = service.looker.progress_of(video.id)
    at_work = service.worker.at_work()
    progress = progress or next((at_work[path] for path in video.paths if path in at_work), None)
    if progress:
        return "working", _advance(progress)
    return video.state, None


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
