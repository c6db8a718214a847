"""`doctor`: is the gallery sound, and is the software it runs on suitable?"""

import sys
from collections.abc import Iterator
from dataclasses import asdict

import av
import click

from db.errors import GalleryError
from db.galleries import Store
from db.records import Finding
from function.engines.models import BOTH, PRIMARY
from tools.verbs.shared import gallery_option, print_json

MOST_NAMED = 20


@click.command(epilog="Example: python -m tools doctor")
@gallery_option
def doctor(store: Store) -> None:
    """Check the gallery, and say what to do about each finding.

    Checks integrity, rows that belong to no performer, encodings, models, permissions (fixed to
    600), network shares, who can be compared by both nets, and the versions of SQLite and FFmpeg.
    Exit status 1 means that something is wrong.
    """
    findings = [*store.check(), *_second_net(store), _ffmpeg()]
    print_json([asdict(finding) for finding in findings])
    if any(finding.level == "error" for finding in findings):
        sys.exit(1)


def _second_net(store: Store) -> Iterator[Finding]:
    """Say how many performers are compared by one net alone, and which."""
    try:
        with store.gallery() as gallery:
            snapshot = gallery.snapshot(PRIMARY, BOTH)
    except GalleryError:
        return  # the other checks say what is wrong
    by_one = snapshot.templates.evidence > 0
    if snapshot.fused:
        by_one &= snapshot.fused.templates.evidence == 0
    names = [one.name for one, lacks in zip(snapshot.performers, by_one, strict=True) if lacks]
    if names:
        listed = ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
        yield Finding(
            "warning",
            f"{len(names)} performers can be compared by the first net only: {listed}.",
            "Run: python -m tools upgrade-encodings",
        )


def _ffmpeg() -> Finding:
    major, minor, micro = av.library_versions["libavcodec"]
    return Finding("ok", f"FFmpeg {av.ffmpeg_version_info} (libavcodec {major}.{minor}.{micro}).")
