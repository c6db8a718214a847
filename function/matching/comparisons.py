"""Compares people with the gallery: by both nets where both know a performer, else by the first.

Galleries and libraries may hold encodings of several second nets, as the one in use may have
changed. Each person is compared by the one that encoded them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.models import EncodingSpace
from db.people import PersonFound
from db.rejections import find_rejected
from db.snapshots import Fused, Snapshot
from db.templates import Templates
from function.engines.models import BOTH
from function.matching.densities import Densities, Numbers, densities_for, densities_of
from function.matching.scores import Comparison, Posterior, weigh_candidates
from function.people.people import Template, fused_templates_of, templates_of

LEAST_SHARES: Mapping[str, float] = {BOTH.space.id: 1 / 5}
LEAST_SHARE = 1 / 3
"""A performer with few photos encoded by both nets is compared by the first alone, unless these
have at least this share of the evidence. With dlib's net and Light CNN one photo is worth five with
dlib's alone: of 75 people seen in one photo, one photo by both nets names 92 % right and 0.2 % of
the strangers, five by dlib's 86 and 0.5 %; of those seen in three, 97 and 0.1 %, and 99 and 0.7 %.
With SFace in place of Light CNN it is worth three: 80 % right, and 79. For other nets it is not
known."""


@dataclass(frozen=True, eq=False)
class Alike:
    """People who can be compared with the same performers in the same way.

    `rows` are their positions among all; `fused` are their templates by both nets, if they have
    any, and `by_both` those of the gallery. `rejected` are the positions of performers rejected for
    all of them.
    """

    rows: tuple[int, ...]
    templates: tuple[Template, ...]
    fused: tuple[Template, ...]
    by_both: Fused | None
    rejected: tuple[int, ...]


def group_alike(
    people: Sequence[PersonFound], spaces: Sequence[Fused | None], gallery: Snapshot
) -> list[Alike]:
    """Group people by the space in which they can be compared, and who was rejected for them.

    `spaces` are the gallery's templates by the nets that encoded each of them.
    """
    if not people:
        return []
    templates = templates_of(people, gallery.model)
    has_photos = gallery.templates.evidence > 0
    rejected: dict[int, set[int]] = defaultdict(set)
    found = find_rejected(np.stack([one.mean for one in templates]), gallery)
    for row, position in zip(found.rows.tolist(), found.columns.tolist(), strict=True):
        if has_photos[position]:
            rejected[row].add(position)
    fused = _fused_templates(people, spaces, gallery)
    groups = defaultdict[tuple[Fused | None, tuple[int, ...]], list[int]](list)
    for row, (space, template) in enumerate(zip(spaces, fused, strict=True)):
        groups[space if template else None, tuple(sorted(rejected[row]))].append(row)
    return [
        Alike(
            tuple(rows),
            tuple(templates[row] for row in rows),
            tuple(one for row in rows if space and (one := fused[row])),
            space,
            positions,
        )
        for (space, positions), rows in groups.items()
    ]


def _fused_templates(
    people: Sequence[PersonFound], spaces: Sequence[Fused | None], gallery: Snapshot
) -> list[Template | None]:
    """Average each person's views in their space; None for those without encodings there."""
    templates: list[Template | None] = [None] * len(people)
    for space in gallery.fused:
        rows = [row for row, own in enumerate(spaces) if own is space]
        found = fused_templates_of([people[row] for row in rows], space.fusion)
        for row, template in zip(rows, found, strict=True):
            templates[row] = template
    return templates


def weigh_alike(
    alike: Alike,
    gallery: Snapshot,
    densities: Sequence[Densities],
    priors: Mapping[int, Numbers],
) -> Posterior:
    """Compare people by both nets with performers who have both encodings, by one with others.

    Whoever was rejected for them is left out. `priors` are those that hints give to performers, by
    the people's positions among all.
    """
    has_photos = gallery.templates.evidence > 0
    enrolled = int(np.count_nonzero(has_photos))
    chosen = [one.among(enrolled) for one in densities]
    may_be = has_photos.copy()
    may_be[list(alike.rejected)] = False
    by_both = np.zeros_like(may_be)
    comparisons = []
    if alike.by_both:
        evidence = alike.by_both.templates.evidence
        space = alike.by_both.fusion.space
        least = LEAST_SHARES.get(space.id, LEAST_SHARE)
        by_both = may_be & (evidence >= least * gallery.templates.evidence) & (evidence > 0)
        comparisons = [_compare(alike.fused, by_both, alike.by_both.templates, space, chosen)]
    single = _compare(alike.templates, may_be & ~by_both, gallery.templates, gallery.model, chosen)
    hinted = {place: priors[row] for place, row in enumerate(alike.rows) if row in priors}
    return weigh_candidates([single, *comparisons], enrolled, hinted)


def _compare(
    people: Sequence[Template],
    chosen: NDArray[np.bool_],
    templates: Templates,
    space: EncodingSpace,
    densities: Sequence[Densities],
) -> Comparison:
    """Compare people with the performers chosen, in one space."""
    return Comparison(
        np.stack([one.mean for one in people]),
        np.array([one.evidence for one in people]),
        np.flatnonzero(chosen),
        templates,
        densities_for(space, densities),
    )


def choose_densities(
    gallery: Snapshot, given: Sequence[Densities] | None = None
) -> Sequence[Densities]:
    """Return the densities of a gallery's spaces: those given, or else those that ship.

    Raises:
        OtherModelError: a space has none.
    """
    spaces = [gallery.model, *(one.fusion.space for one in gallery.fused)]
    if given is None:
        return [densities_of(space.id) for space in spaces]
    return [densities_for(space, given) for space in spaces]
