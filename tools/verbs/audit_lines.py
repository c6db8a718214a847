"""Turns an audit into lines for people."""

from db.counted import counted
from function.matching.audits import Audit


def render_audit(audit: Audit) -> str:
    """Format the findings as lines for people."""
    head = ", ".join(
        counted(number, noun)
        for number, noun in (
            (audit.performers, "performer"),
            (audit.photos, "photo"),
            (audit.total, "finding"),
        )
    )
    lines = []
    for finding in audit.findings:
        where = ", ".join(f"{photo.performer} photo {photo.number}" for photo in finding.photos)
        distance = "" if finding.distance is None else f" at {finding.distance:.2f}"
        subject = where or " and ".join(finding.performers)
        lines.append(f"{finding.kind}: {subject}{distance}. {finding.advice}")
    return "\n".join([head, *lines])
