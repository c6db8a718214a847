"""`doctor`: is the gallery sound, and is the software it runs on suitable?"""

import sys
from dataclasses import asdict

import av
import click

from db.galleries import Store
from db.records import Finding
from function.engines.models import SECOND
from function.settings import Settings
from tools.verbs.shared import gallery_option, print_json


@click.command(epilog="Example: python -m tools doctor")
@gallery_option
def doctor(store: Store) -> None:
    """Check the gallery, and say what to do about each finding.

    Checks integrity, rows that belong to no performer, encodings, models, permissions (fixed to
    600), network shares, who can be compared by both nets, and the versions of SQLite and FFmpeg.
    Exit status 1 means that something is wrong.
    """
    has_second = Settings.from_env().engine_options.has_second
    findings = [*store.check([SECOND.id] if has_second else []), _ffmpeg()]
    print_json([asdict(finding) for finding in findings])
    if any(finding.level == "error" for finding in findings):
        sys.exit(1)


def _ffmpeg() -> Finding:
    major, minor, micro = av.library_versions["libavcodec"]
    return Finding("ok", f"FFmpeg {av.ffmpeg_version_info} (libavcodec {major}.{minor}.{micro}).")
