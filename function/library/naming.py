"""What people are named by: the gallery as it is now, and how distances in it are scored.

Everyone is compared by the nets that encoded them, even if another second net is in use now.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from db.galleries import Store
from db.models import Fusion
from db.records import Generation, Identity, Performer
from db.snapshots import Snapshot
from function.engines.models import PRIMARY
from function.library.decisions import by_identity
from function.matching.densities import Densities, name_fits
from function.matching.hints import Hint, hint_alike
from function.matching.kin import ASSUMED_IN_VIDEO, JOINED_FROM, LIKELY_FROM
from function.matching.matches import Identification
from function.matching.second_models import SecondModel, known_fusions
from function.recognition import Unnamed, name_videos, take_snapshot
from function.settings import Settings

NUMBER_BITS, TERM_BITS = 40, 22
"""A gallery is changed fewer than 2**40 times, and SQLite's whole numbers have 63 bits."""


@dataclass(frozen=True, eq=False)
class Naming:
    """A gallery in memory, the fusions that can be scored, today's first, and the scores."""

    gallery: Snapshot
    fusions: tuple[Fusion, ...]
    densities: Sequence[Densities] | None
    settings: Settings

    @cached_property
    def generation(self) -> Generation:
        """What outcomes depend on: the gallery's own generation, and all else that decides a score.

        The second number holds both; people are matched again as soon as either changes.
        """
        identity, number = self.gallery.generation
        return identity, number + (self.terms << NUMBER_BITS)

    @cached_property
    def terms(self) -> int:
        """TERM_BITS that depend on the densities, the fusions, the settings and who is joined."""
        settings = (self.settings.hints, self.settings.min_score)
        joining = (JOINED_FROM, ASSUMED_IN_VIDEO, LIKELY_FROM)
        fusions = sorted(one.space.id for one in self.fusions)
        terms = repr((name_fits(), fusions, self.densities, settings, joining))
        digest = hashlib.sha256(terms.encode()).digest()
        return int.from_bytes(digest, "big") >> (8 * len(digest) - TERM_BITS)

    def name(self, videos: Sequence[Unnamed]) -> list[tuple[Identification, ...]]:
        """Name the people of some videos."""
        return name_videos(videos, self.gallery, self.settings, self.densities)

    def hints_of(self, tagged: Sequence[Identity]) -> tuple[Hint, ...]:
        """Turn the performers whom the user tagged on a video into hints; others are left out.

        A performer merged into another is found by the ids that the other took over.
        """
        return hint_tagged(tagged, self._by_identity)

    @cached_property
    def _by_identity(self) -> Mapping[Identity, Performer]:
        return by_identity(self.gallery.performers)

    def fusion_of(self, models: Sequence[str]) -> Fusion | None:
        """Return the fusion of two nets' encodings; None if there is one net, or it is unknown."""
        return next((one for one in self.fusions if one.models == tuple(models)), None)


def hint_tagged(
    tagged: Sequence[Identity], performers: Mapping[Identity, Performer]
) -> tuple[Hint, ...]:
    """Turn those whom the user tagged into hints; all performers are given by each of their ids."""
    return hint_alike([performers[one].id for one in tagged if one in performers], "tag")


def open_naming(store: Store, second: SecondModel | None, settings: Settings) -> Naming:
    """Read the gallery, to name people by the primary model and by second ones.

    `second` is that in use, if there is one.

    Raises:
        GalleryError: it cannot be read; see `db.errors`.
    """
    fusions = known_fusions(second)
    gallery = take_snapshot(store, PRIMARY.id, fusions)
    return Naming(gallery, fusions, second.all_densities() if second else None, settings)
