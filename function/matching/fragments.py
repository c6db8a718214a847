"""Joins fragments: people who are one by time and place, although their faces look different.

It is done after naming, so that a turned head cannot spoil a template: the surest name stands, and
the faces that are joined count as seen, not as evidence.
"""

from collections.abc import Sequence
from dataclasses import replace

from db.people import Link
from function.matching.matches import Identification


def join_fragments(
    found: Sequence[Identification], links: Sequence[Link], *, keeps_uncertain: bool = False
) -> list[Identification]:
    """Join people along links, the most alike first, and keep the order of those who are left.

    Two people who share a frame are never joined, nor two who are named differently, nor anyone
    with a performer whom the user rejected for them. With `keeps_uncertain`, two people who may be
    two performers stay two, even if that is uncertain: a performer who was joined away would no
    longer be offered.
    """
    joined = list(found)
    for link in links:
        pair = _find_pair(joined, link)
        if pair is None:
            continue
        people = [joined[place] for place in pair]
        if _may_join(*people) and not (keeps_uncertain and _may_be_two(*people)):
            lead, other = sorted(pair, key=lambda place: _sureness(joined[place]))[::-1]
            joined[lead] = _join(joined[lead], joined[other])
            del joined[other]
    return joined


def _find_pair(found: Sequence[Identification], link: Link) -> tuple[int, int] | None:
    """Find where both people of a link are now; None if they are already one, or gone."""
    first, second = (
        [place for place, one in enumerate(found) if person in one.members]
        for person in (link.first, link.second)
    )
    return (first[0], second[0]) if first and second and first != second else None


def _may_join(one: Identification, other: Identification) -> bool:
    names = {each.matches[0].performer.id for each in (one, other) if each.verdict == "match"}
    likely = {each.matches[0].performer.id for each in (one, other) if each.matches}
    if len(names) > 1 or likely & (one.rejected | other.rejected):
        return False
    shown = {seen.frame for seen in one.seen}
    return shown.isdisjoint(seen.frame for seen in other.seen)


def _may_be_two(one: Identification, other: Identification) -> bool:
    """Say whether two people are taken for two performers, even if uncertainly."""
    likely = {each.matches[0].performer.id for each in (one, other) if each.verdict != "unknown"}
    return len(likely) > 1


def _sureness(one: Identification) -> tuple[bool, float, int, int]:
    """Rank which of two people gives the joined one the name, the picture and the template."""
    score = one.matches[0].score if one.matches else 0.0
    return one.verdict == "match", score, len(one.person.strong_views), one.person.faces


def _join(lead: Identification, other: Identification) -> Identification:
    return replace(
        lead,
        members=(*lead.members, *other.members),
        fragments=(*lead.fragments, other.person, *other.fragments),
        rejected=lead.rejected | other.rejected,
    )
