"""The verbs of `python -m tools`: data goes to stdout, progress and errors to stderr.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 partly done.
"""

import errno
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from db.errors import GalleryError, GalleryMissingError
from db.galleries import Store
from db.names import printable, quote, show_text
from function.errors import RecognitionError
from function.faces.found import Progress
from function.media.files import open_any
from function.recognition import Recognition, recognize_video
from function.sandbox.readers import open_reader
from function.setting_kinds import SettingError
from function.settings import Settings
from function.sources.records import UnusableSourceError
from function.version import VERSION
from function.web.reply import to_reply
from tools.summaries import SUMMARIES
from tools.verbs import stash_writing, stashes  # noqa: F401  # add verbs to stash and import_
from tools.verbs.checking import doctor
from tools.verbs.deciding import decide, decisions
from tools.verbs.editing import add_photo, forget, merge, remove_photo, rename, unforget
from tools.verbs.importing import import_
from tools.verbs.jobs import jobs
from tools.verbs.moving import export
from tools.verbs.results import rematch, results
from tools.verbs.scanning import scan
from tools.verbs.shared import PathType, gallery_option, parse_every, print_json
from tools.verbs.showing import journal, list_performers, show
from tools.verbs.stash_verbs import stash
from tools.verbs.strangers import strangers
from tools.verbs.upgrading import upgrade_encodings

LONGEST_SECONDS = 7 * 24 * 3600.0
"""The time limit is for requests; in a shell Ctrl-C ends the work."""

BAR_FORMAT = "{percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} s of video [{elapsed}{postfix}]"


MEASURING = {
    name: name.replace("-", "_")
    for name in (
        *("evaluate", "evaluate-kinds", "evaluate-hints", "evaluate-films", "evaluate-strangers"),
        *("calibrate", "audit"),
    )
}
"""Verbs of `tools.verbs.measuring`, by their functions: with scipy and what reads videos, it takes
as long to load as all others together, so it is loaded for these only."""


OF_DISKS = frozenset(
    {errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ESTALE, errno.EFBIG}
)
"""What a disk or a share does to an open file, of which the system does not say which it is."""

NAMED_BY = {"gallery": "--db or PERFORMERS_DB", "library": "--library or LIBRARY_DB"}
"""How another file than the one in this folder is named."""

_log = logging.getLogger(__name__)


class Verbs(click.Group):
    """A group whose verbs turn our errors into one line on stderr and exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the names of all verbs."""
        return sorted({*super().list_commands(ctx), *MEASURING})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb, loaded now if it is one that measures; None if there is none."""
        if cmd_name in MEASURING:
            module = importlib.import_module("tools.verbs.measuring")
            verb: click.Command = getattr(module, MEASURING[cmd_name])
            return verb
        return super().get_command(ctx, cmd_name)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs by subject, without loading those that measure."""
        for subject, verbs in SUMMARIES.items():
            with formatter.section(subject):
                formatter.write_dl(list(verbs.items()))

    def invoke(self, context: click.Context) -> Any:
        """Run the requested verb."""
        try:
            return super().invoke(context)
        except (GalleryError, RecognitionError, SettingError, UnusableSourceError) as error:
            # It may quote a server or a file, which could send commands to the terminal.
            told = f"{error}{_where(error)}"
            lines = map(printable, show_text(told).splitlines())
            raise click.ClickException("\n".join(lines)) from error
        except OSError as error:  # of a folder that may not be entered, or of a disk
            line = _explain(error)
            if not line:
                raise
            _log.debug("This is where it happened:", exc_info=True)
            raise click.ClickException(line) from error


def _where(error: Exception) -> str:
    """Say where a file was looked for that is not there, and how to name another; "" otherwise.

    The message does not, because it may go to whoever asks the server.
    """
    if not isinstance(error, GalleryMissingError) or error.path is None:
        return ""
    folder = error.path.absolute().parent
    return f" It was looked for in {folder}; name one elsewhere with {NAMED_BY[error.noun]}."


def _explain(error: OSError) -> str:
    """Say in one line which file cannot be had, and what to do; "" if it is something else."""
    if isinstance(error.filename, str | bytes):
        asked = quote(os.fsdecode(error.filename))
        advice = "Check who owns it and the folders above it, and the disk."
    elif error.errno in OF_DISKS:
        asked, advice = "A file", "Check the disk, and that it has room or quota left."
    else:
        return ""
    return f"{asked} cannot be read or written ({error.strerror}). {advice}"


class _ForTerminals(logging.Formatter):
    """Formats the log: no file's name in it may steer the terminal, or forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as it may be shown; only what went wrong takes several lines."""
        text = super().format(record)
        lines = text.splitlines() if record.exc_info or record.stack_info else [text]
        return "\n".join(map(printable, lines))


@click.group(cls=Verbs)
@click.version_option(VERSION, prog_name="performer-video-recognition")
def main() -> None:
    """Fill a gallery of performers, and find them in videos.

    COMMAND --help says more about each of these.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ForTerminals(logging.BASIC_FORMAT))
    logging.basicConfig(level=Settings.from_env().log_level, handlers=[handler])
    # httpx would log every URL, and a URL may hold a key.
    logging.getLogger("httpx").setLevel(logging.WARNING)


@main.command(epilog="Example: python -m tools identify video.mp4 --every 2 > people.json")
@click.argument("video", type=PathType())
@click.option("--every", help="Seconds between samples, or auto.  [env var: EVERY_SECONDS]")
@gallery_option
def identify(video: Path, every: str | None, store: Store) -> None:
    """Find who is in VIDEO, a video or a photo, and print the same JSON as the server.

    Any file can be named: the media root applies only to the server.
    """
    settings = Settings.from_env()
    if every is not None:
        settings = replace(settings, every_seconds=parse_every(every))
    reader = open_reader(replace(settings, slots=1, time_limit_seconds=LONGEST_SECONDS))
    with closing(reader), open_any(video) as media:
        recognition = _follow(recognize_video(media, reader, store, settings))
    with store.gallery() as gallery:
        print_json(
            to_reply(
                recognition.identifications,
                gallery.thumbnail,
                with_times=not recognition.is_still,
            )
        )


def _follow(events: Iterator[Progress | Recognition]) -> Recognition:
    """Show a progress bar in seconds of video until the outcome arrives."""
    # The delay hides the bar until the first event has reported the length.
    with tqdm(total=1.0, delay=0.1, file=sys.stderr, bar_format=BAR_FORMAT) as bar:
        for event in events:
            if isinstance(event, Recognition):
                return event
            bar.total = event.of_seconds
            bar.set_postfix(faces=event.faces, refresh=False)
            bar.update(event.done_seconds - bar.n)
    raise AssertionError("a recognition ends with its outcome")


for verb in (
    *(import_, export, list_performers, show, rename, merge, add_photo, remove_photo),
    *(forget, unforget, journal, doctor, upgrade_encodings, scan, results, rematch),
    *(decide, decisions, strangers, jobs, stash),
):
    main.add_command(verb)
