"""Enrols a stranger: their best views become photos of a performer, and can be removed again."""

import hashlib
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import PureWindowsPath

import numpy as np

from db.blobs import to_blob
from db.corrections import Correction, Subject
from db.errors import NothingToEnrolError
from db.galleries import Gallery, GalleryChange
from db.ledgers import Ledger
from db.people import View
from db.records import Encoding, Performer
from db.strangers import Place
from db.videos import VideoRecord
from function.engines.models import PRIMARY
from function.library.admission import admit_picture, is_admissible, pictured
from function.library.lists import name_of
from function.library.strangers import StrangerResult
from function.people.people import template_of

SOURCE = "library"
"""The source of performers who were named in the library, and how the origins of views begin."""

MOST_IN_VIDEO, MOST_VIEWS = 5, 10
"""This many views of one video, and in all, are enrolled: more of them add nothing."""

LONGEST_ORIGIN = 200


@dataclass(frozen=True)
class Filled:
    """In how many of a stranger's videos the performer is now named, uncertain or unknown."""

    videos: int
    named: int
    uncertain: int

    @property
    def unknown(self) -> int:
        """In how many nobody is named."""
        return self.videos - self.named - self.uncertain


def new_from_library(name: str) -> Performer:
    """Return a performer who is known only from the library."""
    return Performer(id=0, name=name, source=SOURCE, source_id=uuid.uuid4().hex)


def enrol_stranger(
    gallery: GalleryChange, performer: Performer, found: StrangerResult
) -> Correction:
    """Enrol the best views of a stranger as a performer, who is stored if new.

    Each view keeps the encodings that were made when its video was looked at.

    Raises:
        NothingToEnrolError: none of the views is good enough.
        ForgottenError: the performer was forgotten.
    """
    videos = {video.id: video for video in found.videos}
    chosen = choose_views(found)
    pictures = _pictures(found, chosen)
    encodings = [
        encoding
        for video, view in chosen
        for encoding in _encodings(view, videos[video], pictures.get((video, view.seconds), b""))
    ]
    if not encodings:
        raise NothingToEnrolError(
            f"Stranger {found.stranger.id} was never seen well enough to be enrolled. "
            'Add a photo instead: python -m tools add-photo "NAME" FILE.'
        )
    shown = (admit_picture(one.person.picture) for one in found.sightings)
    return gallery.assign(
        performer,
        Subject(
            template_of(found.sightings[0].person, PRIMARY).mean,
            tuple(encodings),
            next((one for one in shown if one), b""),
            PRIMARY,
            SOURCE,
        ),
    )


def choose_views(found: StrangerResult) -> list[tuple[int, View]]:
    """Choose the views to enrol, each with its video: the best of each video, then the next best.

    Weak views are chosen only if there are no others, and then one; no two are alike.
    """
    by_video: dict[int, list[View]] = {}
    models = {one.id: one.models for one in found.videos}
    for sighting in found.sightings:
        own = models[sighting.video]
        views = sighting.person.views if own[:1] == (PRIMARY.id,) else ()  # else nobody knows whose
        fit = [view for view in views if is_admissible(view, own)]
        by_video.setdefault(sighting.video, []).extend(fit)
    ranked = {video: sorted(views, key=_rank) for video, views in by_video.items()}
    strong = _choose({video: [v for v in own if not v.is_weak] for video, own in ranked.items()})
    return strong or _choose(ranked)[:1]


def filled_in(ledger: Ledger, places: Sequence[Place], performer: int) -> Filled:
    """Count in how many videos of a stranger a performer is named, by today's outcomes."""
    videos = sorted({place.video for place in places})
    verdicts = []
    for video, outcomes in ledger.outcomes(videos).items():
        said = {one.position: one for one in outcomes}
        leads = [
            said[said[one.position].lead]
            for one in places
            if one.video == video and one.position in said
        ]
        verdicts.append({one.verdict for one in leads if one.performer == performer})
    named = sum("match" in one for one in verdicts)
    uncertain = sum("uncertain" in one and "match" not in one for one in verdicts)
    return Filled(len(videos), named, uncertain)


def find_enrolled(
    gallery: Gallery, performer: Performer, pictures: Collection[bytes] = ()
) -> Correction:
    """Find what was enrolled of a performer from the library, as a correction to be undone.

    The performer's picture goes with it if it is one of `pictures`, those of the library.
    """
    photos = gallery.photos(performer.id)
    hashes = tuple(one.hash for one in photos if one.origin.startswith(f"{SOURCE}: "))
    picture = gallery.thumbnail(performer.id)
    is_ours = len(hashes) == len(photos) or picture in pictures
    return Correction(
        performer,
        created=performer.source == SOURCE,
        photo_hashes=hashes,
        picture=picture if is_ours else None,
    )


def find_enrolled_with(
    gallery: Gallery, performer: Performer, photo_hashes: Collection[str]
) -> Correction:
    """Find what is left of the views of one decision, as a correction to be undone.

    The performer's picture goes with them if no other photo of the performer is there.
    """
    photos = [one.hash for one in gallery.photos(performer.id)]
    theirs = tuple(one for one in photos if one in photo_hashes)
    return Correction(
        performer,
        created=performer.source == SOURCE,
        photo_hashes=theirs,
        picture=gallery.thumbnail(performer.id) if len(theirs) == len(photos) else None,
    )


def pictures_of(ledger: Ledger, gallery: int, performer: Performer) -> set[bytes]:
    """Return the pictures of everyone who is named as a performer of a gallery."""
    videos = sorted(ledger.ids_of_performer(gallery, performer.id))
    named = {
        (video, one.position)
        for video, outcomes in ledger.outcomes(videos).items()
        for one in outcomes
        if one.performer == performer.id
    }
    return {
        one.person.picture
        for video, sightings in ledger.sightings(videos).items()
        for one in sightings
        if (video, one.position) in named
    }


def _choose(ranked: dict[int, list[View]]) -> list[tuple[int, View]]:
    """Take the best of every video, the second best of every video, and so on."""
    chosen: list[tuple[int, View]] = []
    counts = dict.fromkeys(ranked, 0)
    for video, view in _in_turns(ranked):
        if len(chosen) == MOST_VIEWS:
            break
        apart = [np.linalg.norm(view.encodings[0] - one.encodings[0]) for _, one in chosen]
        if counts[video] < MOST_IN_VIDEO and min(apart, default=np.inf) > PRIMARY.same_photo_within:
            counts[video] += 1
            chosen.append((video, view))
    return chosen


def _in_turns(ranked: dict[int, list[View]]) -> Iterator[tuple[int, View]]:
    videos = sorted(
        (video for video in ranked if ranked[video]), key=lambda one: _rank(ranked[one][0])
    )
    for turn in zip_longest(*(ranked[video] for video in videos)):
        yield from ((video, view) for video, view in zip(videos, turn, strict=True) if view)


def _rank(view: View) -> tuple[bool, int, float, float]:
    return view.is_weak, -len(view.encodings), -view.quality, view.seconds


def _pictures(
    found: StrangerResult, chosen: Sequence[tuple[int, View]]
) -> dict[tuple[int, float], bytes]:
    """Say at which of the chosen views, by video and seconds, a sighting's picture is kept."""
    pictures = {}
    for one in found.sightings:
        own = {view.seconds for view in one.person.views}
        views = [view for video, view in chosen if video == one.video and view.seconds in own]
        for seconds, picture in pictured(one.person, views).items():
            pictures[one.video, seconds] = picture
    return pictures


def _hash_of(view: View) -> str:
    return hashlib.sha256(to_blob(view.encodings[0])).hexdigest()


def _encodings(view: View, video: VideoRecord, picture: bytes) -> Iterator[Encoding]:
    name = " ".join(PureWindowsPath(name_of(video)).name.split())[:LONGEST_ORIGIN]
    for vector, model in zip(view.encodings, video.models, strict=False):
        at = f"{view.seconds:.1f} s" if video.kind == "video" else f"picture {view.seconds + 1:.0f}"
        yield Encoding(
            vector=vector,
            model=model,
            quality=view.quality,
            photo_hash=_hash_of(view),
            origin=f"{SOURCE}: {name} at {at}",
            weaknesses=", ".join(view.weaknesses),
            face=picture if model == PRIMARY.id else b"",
        )
