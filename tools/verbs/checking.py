"""`doctor`: is the gallery sound, and does what it runs on suit it?"""

import sys
from dataclasses import asdict

import av
import click

from db.galleries import Store
from db.records import Finding
from tools.verbs.shared import gallery_option, print_json


@click.command(epilog="Example: python -m tools doctor")
@gallery_option
def doctor(store: Store) -> None:
    """Check the gallery, and say what to do about each finding.

    Looks at integrity, rows without owner, encodings, models, permissions (mended to 600),
    network shares, and the versions of SQLite and FFmpeg. Exit status 1 says that something is
    wrong.
    """
    findings = [*store.check(), _ffmpeg()]
    print_json([asdict(finding) for finding in findings])
    if any(finding.level == "error" for finding in findings):
        sys.exit(1)


def _ffmpeg() -> Finding:
    major, minor, micro = av.library_versions["libavcodec"]
    return Finding("ok", f"FFmpeg {av.ffmpeg_version_info} (libavcodec {major}.{minor}.{micro}).")
