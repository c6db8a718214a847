"""`doctor`: is the gallery sound, and is the software it runs on suitable?"""

import sys
from dataclasses import asdict
from pathlib import Path

import av
import click

from db.errors import GalleryMissingError
from db.records import Finding
from db.sqlite.checks import check_gallery
from tools.verbs.shared import gallery_option, print_json


@click.command(epilog="Example: python -m tools doctor")
@gallery_option
def doctor(db_path: Path) -> None:
    """Check the gallery, and say what to do about each finding.

    Checks integrity, rows without an owner, encodings, models, permissions (fixed to 600), network
    shares, and the versions of SQLite and FFmpeg. Exit status 1 means that something is wrong.
    """
    if not db_path.is_file():
        raise GalleryMissingError(f"There is no gallery {db_path}. Name it with --db.")
    findings = [*check_gallery(db_path), _ffmpeg()]
    print_json([asdict(finding) for finding in findings])
    if any(finding.level == "error" for finding in findings):
        sys.exit(1)


def _ffmpeg() -> Finding:
    major, minor, micro = av.library_versions["libavcodec"]
    return Finding("ok", f"FFmpeg {av.ffmpeg_version_info} (libavcodec {major}.{minor}.{micro}).")
