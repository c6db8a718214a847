"""Enrols performers from scenes that the user tagged with them alone.

What we wrote into Stash ourselves is never learned from. Each scene becomes one photo of the
performer, "stash scene 12", which `remove-photo` removes for good.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from db.errors import ForgottenError, IdentityConflictError
from db.galleries import Gallery, Store
from db.ledgers import Ledger
from db.locked import changing
from db.people import PersonFound, View
from db.records import Encoding, Performer
from db.writes import NOTHING
from function.engines.models import PRIMARY
from function.errors import RecognitionError, StoppingError
from function.faces.found import StageSeconds
from function.library.admission import admit_picture, is_admissible
from function.library.depths import quick_task
from function.library.naming import Naming, open_naming
from function.media.files import open_within
from function.people.gathering import PeopleFound
from function.people.people import template_of
from function.recognition import Unnamed
from function.sandbox.readers import Reader
from function.settings import Settings
from function.stash.agreement import agreeing, dominant_of
from function.stash.client import Stash
from function.stash.files import find_in_ledger
from function.stash.notes import may_be_unknown, unknown_since
from function.stash.paths import Locate
from function.stash.performers import performer_of
from function.stash.records import SOURCE, Scene, SceneFilter, StashPerformer

ORIGIN = f"{SOURCE} scene"
"""How the origin of a photo begins that was taken from a scene; its id follows."""

NOBODY = "nobody is clearly seen most often in it"
ELSEWHERE = "its file is not here"
ALONE = "its face matches that of no other scene"
OTHER_FACE = "its face is not that of the enrolled photos"
SOMEBODY_ELSE = "its face is that of somebody else who is enrolled"
TOO_WEAK = "its face is never seen well enough"


_Seen: TypeAlias = tuple[Sequence[PersonFound], tuple[str, ...]]
"""The people of a scene, and the models that encoded them."""


class Step(NamedTuple):
    """How far a sync is: so many performers are done, of so many."""

    done: int
    of: int


@dataclass(frozen=True)
class NotLearned:
    """A scene that enrolled nobody, and why."""

    performer: str
    scene: str
    reason: str


@dataclass(frozen=True)
class Learned:
    """How many scenes enrolled how many performers, and which ones did not."""

    scenes: int = 0
    performers: int = 0
    refused: tuple[NotLearned, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return everything for people and programs."""
        refused = [vars(one) for one in self.refused]
        return {"scenes": self.scenes, "performers": self.performers, "refused": refused}


@dataclass(frozen=True, eq=False)
class SceneFace:
    """The dominant person of a scene, and the models that encoded them, the primary one first."""

    scene: str
    person: PersonFound
    models: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Lookout:
    """What finds out who is seen in a scene: the ledger, or a quick look into its file."""

    stash: Stash
    store: Store
    ledger: Ledger | None
    reader: Reader
    settings: Settings
    locate: Locate

    def learn(
        self, present: Mapping[str, StashPerformer], count: int
    ) -> Generator[Step, None, Learned]:
        """Enrol up to `count` scenes of each performer; yields how many are done.

        Each performer is stored before the next one is looked at, so it can be broken off.
        """
        waiting = self._candidates(present, count)
        scenes = performers = 0
        refused: list[NotLearned] = []
        for number, (performer, chosen) in enumerate(waiting.items(), start=1):
            looked, reasons = self._look(chosen)
            added, more = self._enrol(present[performer], looked)
            scenes, performers = scenes + added, performers + bool(added)
            name = present[performer].name
            refused += [NotLearned(name, *pair) for pair in (reasons | more).items()]
            yield Step(number, len(waiting))
        return Learned(scenes, performers, tuple(refused))

    def _candidates(
        self, present: Mapping[str, StashPerformer], count: int
    ) -> dict[str, list[Scene]]:
        """Return the scenes to look at, by performer: not yet enrolled, never removed, not ours."""
        from_us = self.ledger.writes.all_from_us() if self.ledger else NOTHING
        unknown = unknown_since(self.ledger, self.stash) if self.ledger else None
        found: dict[str, list[Scene]] = defaultdict(list)
        with self.store.gallery() as gallery:
            known = {one: _known_scenes(gallery, present[one]) for one in present}
            for scene in self.stash.scenes(SceneFilter(performers=1)):
                (performer,) = scene.performers
                enrolled, removed = known.get(performer, (frozenset(), frozenset()))
                is_new = origin_of(scene.id) not in enrolled and hash_of(scene.id) not in removed
                has = len(found[performer]) + len(enrolled)
                is_ours = performer in from_us.on(scene.id, scene.oshashes)
                is_ours = is_ours or may_be_unknown(scene.updated_at, unknown)
                if performer in present and is_new and has < count and not is_ours:
                    found[performer].append(scene)
        return {performer: scenes for performer, scenes in found.items() if scenes}

    def _look(self, scenes: Sequence[Scene]) -> tuple[list[SceneFace], dict[str, str]]:
        """Return the dominant face of each scene, and the reasons where there is none."""
        faces: list[SceneFace] = []
        reasons: dict[str, str] = {}
        for scene in scenes:
            try:
                seen = self._seen(scene)
            except StoppingError:
                raise
            except RecognitionError as error:
                reasons[scene.id] = str(error)
                continue
            person = dominant_of(seen[0]) if seen else None
            if seen and person:
                faces.append(SceneFace(scene.id, person, seen[1]))
            else:
                reasons[scene.id] = NOBODY if seen else ELSEWHERE
        return faces, reasons

    def _seen(self, scene: Scene) -> _Seen | None:
        """Return who is seen in a scene, and by which nets; None if its file is not here."""
        known = self._seen_in_ledger(scene)
        if known is not None:
            return known
        path = next((one for file in scene.files if (one := self.locate(file.path))), None)
        if path is None:
            return None
        task = quick_task(self.settings)
        with (
            open_within(Path(os.fsdecode(path)), self.settings.media_root) as media,
            closing(self.reader.find_people(media, task)) as events,
        ):
            found = next(event for event in events if isinstance(event, PeopleFound))
            return found.people, found.models

    def _seen_in_ledger(self, scene: Scene) -> _Seen | None:
        """Return who a scan saw in a scene; None if it was not scanned, or people were left out."""
        if self.ledger is None:
            return None
        ids = [
            one for file in scene.files for one in find_in_ledger(file, self.ledger, self.locate)
        ]
        for video in self.ledger.records(sorted(ids)):
            if video.state == "done" and not video.left_out and video.models[:1] == (PRIMARY.id,):
                seen = self.ledger.sightings([video.id])[video.id]
                return [one.person for one in seen], video.models
        return None

    def _enrol(self, one: StashPerformer, faces: list[SceneFace]) -> tuple[int, dict[str, str]]:
        """Enrol the faces that are surely this performer's; return how many, and why others not."""
        naming = open_naming(self.store, self.reader.second, self.settings)
        with self.store.gallery() as gallery:
            stored = gallery.find_identities([one.identity])
        chosen, reasons = choose(faces, stored[0] if stored else None, naming)
        views = {face.scene: _best_view(face) for face in chosen}
        reasons |= {scene: TOO_WEAK for scene, view in views.items() if view is None}
        pictures = {one.scene: admit_picture(one.person.picture) or b"" for one in chosen}
        encodings = [
            encoding
            for face in chosen
            if (view := views[face.scene]) is not None
            for encoding in _encodings(face, view, pictures[face.scene])
        ]
        if not encodings:
            return 0, reasons
        picture = next(filter(None, pictures.values()), None)
        try:
            with changing(self.store) as gallery:
                gallery.enrol(performer_of(one), encodings, picture)
        except (ForgottenError, IdentityConflictError) as error:
            return 0, reasons | {face.scene: str(error) for face in chosen}
        return len({encoding.photo_hash for encoding in encodings}), reasons


def choose(
    faces: Sequence[SceneFace], performer: Performer | None, naming: Naming
) -> tuple[list[SceneFace], dict[str, str]]:
    """Choose the faces that are surely a performer's, with reasons for the others, by scene.

    With enrolled photos a face has to be most like theirs; without, like that of another scene.
    """
    reasons: dict[str, str] = {}
    left = []
    has_photos = performer is not None and performer.encodings > 0
    for face, (likeliest, is_sure) in zip(faces, _likeliest(faces, naming), strict=True):
        is_theirs = performer is not None and likeliest == performer.id
        if is_sure and not is_theirs:
            reasons[face.scene] = SOMEBODY_ELSE
        elif has_photos and not is_theirs:
            reasons[face.scene] = OTHER_FACE
        else:
            left.append(face)
    if has_photos:
        return left, reasons
    places = agreeing([template_of(one.person, PRIMARY).mean for one in left])
    alone = [one for place, one in enumerate(left) if place not in places]
    return [left[place] for place in places], reasons | {one.scene: ALONE for one in alone}


def origin_of(scene: str) -> str:
    """Return the origin of the photo that a scene becomes."""
    return f"{ORIGIN} {scene}"


def hash_of(scene: str) -> str:
    """Return what stands for the hash of that photo: it stays, so a removed one stays removed."""
    return hashlib.sha256(origin_of(scene).encode()).hexdigest()


def _likeliest(faces: Sequence[SceneFace], naming: Naming) -> list[tuple[int | None, bool]]:
    """Say of each face whom of the gallery it is most like, and whether that is a match."""
    unnamed = [
        Unnamed(PeopleFound((face.person,), face.models, 0, 0, StageSeconds(0.0, 0.0)))
        for face in faces
    ]
    found: list[tuple[int | None, bool]] = []
    for named in naming.name(unnamed) if unnamed else ():
        (one,) = named
        first = one.matches[0].performer.id if one.matches else None
        found.append((first, one.verdict == "match"))
    return found


def _known_scenes(gallery: Gallery, one: StashPerformer) -> tuple[frozenset[str], frozenset[str]]:
    """Return the origins of scenes that enrolled a performer, and the hashes of removed photos."""
    for stored in gallery.find_identities([one.identity]):
        origins = (photo.origin for photo in gallery.photos(stored.id))
        enrolled = frozenset(it for it in origins if it.startswith(f"{ORIGIN} "))
        return enrolled, frozenset(gallery.removed_photos(stored.id))
    return frozenset(), frozenset()


def _best_view(face: SceneFace) -> View | None:
    fit = [view for view in face.person.strong_views if is_admissible(view, face.models)]
    return min(fit, key=lambda view: (-len(view.encodings), -view.quality), default=None)


def _encodings(face: SceneFace, view: View, picture: bytes) -> Iterator[Encoding]:
    for vector, model in zip(view.encodings, face.models, strict=False):
        yield Encoding(
            vector=vector,
            model=model,
            quality=view.quality,
            photo_hash=hash_of(face.scene),
            origin=origin_of(face.scene),
            weaknesses=", ".join(view.weaknesses),
            face=picture if model == face.models[0] else b"",
        )
