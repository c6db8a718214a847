"""The verbs of `python -m tools`: thin, data on stdout, progress and complaints on stderr.

Exit status: 0 done, 1 failed, 2 used wrongly, 3 done in part.
"""

import json
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_type_hints

import click
from tqdm import tqdm

from db.errors import GalleryError
from db.forgetting import forget as erase
from db.gallery import Gallery
from db.snapshots import load_snapshot
from function.engines import Engine, load_engine
from function.errors import RecognitionError
from function.recognition import Progress, Recognition, recognize_video
from function.reply import to_reply
from function.service import engine_options
from function.settings import SettingError, Settings, parse_value
from tools.enrol import Enrolment, enrol_all
from tools.sources import UnusableSourceError
from tools.sources.folder import read_folder

BAR_FORMAT = "{percentage:3.0f}% |{bar}| {n:.0f}/{total:.0f} s of video [{elapsed}{postfix}]"
EXIT_PARTLY = 3

gallery_option = click.option(
    "--db",
    "db_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PERFORMERS_DB",
    default="performers.db",
    show_default=True,
    show_envvar=True,
    help="The gallery.",
)


class Verbs(click.Group):
    """A group whose verbs turn our errors into one line on stderr and exit status 1."""

    def invoke(self, context: click.Context) -> Any:
        """Run the verb that was asked for."""
        try:
            return super().invoke(context)
        except (GalleryError, RecognitionError, SettingError, UnusableSourceError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Verbs)
def main() -> None:
    """Fill a gallery of performers, and find them in videos."""
    logging.basicConfig(level=Settings.from_env().log_level, stream=sys.stderr)


@main.group("import")
def import_() -> None:
    """Enrol performers, with the encodings of the faces on their photos."""


@import_.command("folder", epilog="Example: python -m tools import folder photos/")
@click.argument("folder", type=click.Path(path_type=Path))
@gallery_option
def import_folder(folder: Path, db_path: Path) -> None:
    """Enrol FOLDER/<Performer Name>/*.jpg, or FOLDER/<Performer Name>.jpg.

    A performer.json beside the photos may hold name, disambiguation, aliases and urls. Each photo
    must show one face; one that is refused is named with its reason. Running it again adds only
    what is new. Exit status 3 says that some photos were refused.
    """
    records = list(read_folder(folder))
    engine = _load_engine(Settings.from_env())
    with Gallery(db_path, create=True) as gallery:
        enrolments = enrol_all(records, gallery, engine)
        done = list(tqdm(enrolments, total=len(records), unit=" performers", file=sys.stderr))
    summary = summarise(done)
    _print_json(summary)
    if summary["refused"]:
        sys.exit(EXIT_PARTLY)


@main.command("list", epilog="Example: python -m tools list --db performers.db")
@gallery_option
def list_performers(db_path: Path) -> None:
    """List everyone in the gallery."""
    with Gallery(db_path) as gallery:
        _print_json([asdict(performer) for performer in gallery.performers()])


@main.command(epilog='Example: python -m tools show "Grace Hopper"')
@click.argument("performer")
@gallery_option
def show(performer: str, db_path: Path) -> None:
    """Show one PERFORMER, by name or id, and where each encoding came from."""
    with Gallery(db_path) as gallery:
        found = gallery.find_performer(performer)
        photos = [
            {"origin": one.origin, "quality": one.quality, "model": one.model}
            for one in gallery.encodings(found.id)
        ]
        _print_json({**asdict(found), "photos": photos})


@main.command(epilog='Example: python -m tools forget "Grace Hopper" --yes')
@click.argument("performer")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@gallery_option
def forget(performer: str, yes: bool, db_path: Path) -> None:  # noqa: FBT001  # click passes flags
    """Erase a PERFORMER, by name or id, with every encoding and picture.

    The file itself is rewritten, so nothing can be read back from it. Copies of the file that you
    made remain, and the photos you enrolled from are not touched.
    """
    with Gallery(db_path) as gallery:
        found = gallery.find_performer(performer)
        if not yes:
            click.confirm(
                f"Erase {found.name} and {found.encodings} encodings for good?",
                abort=True,
                err=True,
            )
        erase(gallery, found)
        _print_json({"forgotten": found.name, "encodings": found.encodings})


@main.command(epilog="Example: python -m tools identify video.mp4 --every 2 > people.json")
@click.argument("video", type=click.Path(path_type=Path))
@click.option("--every", help="Seconds between samples, or auto.  [env var: EVERY_SECONDS]")
@gallery_option
def identify(video: Path, every: str | None, db_path: Path) -> None:
    """Find who is in VIDEO, and print the same JSON as the function.

    Any video may be named: the media root binds only the function.
    """
    settings = Settings.from_env()
    if every is not None:
        hint = get_type_hints(Settings, include_extras=True)["every_seconds"]
        settings = replace(settings, every_seconds=parse_value("--every", every, hint))
    with Gallery(db_path) as gallery:
        engine = _load_engine(settings)
        snapshot = load_snapshot(gallery, engine.model)
        events = recognize_video(video, engine, snapshot, settings)
        recognition = _follow(events)
        _print_json(to_reply(recognition.identifications, gallery.thumbnail))


def summarise(enrolments: Iterable[Enrolment]) -> dict[str, Any]:
    """Count what an import did, and name every photo that was refused."""
    done = list(enrolments)
    changes = Counter(enrolment.change for enrolment in done)
    return {
        "added": changes["added"],
        "updated": changes["updated"],
        "unchanged": changes["unchanged"],
        "without_face": changes[None],
        "photos": sum(enrolment.added_photos for enrolment in done),
        "refused": [asdict(refusal) for one in done for refusal in one.refusals],
    }


def _follow(events: Iterator[Progress | Recognition]) -> Recognition:
    """Draw a bar of the seconds of video done until the outcome is there."""
    # The delay keeps the bar unseen until the first event has told the length.
    with tqdm(total=1.0, delay=0.1, file=sys.stderr, bar_format=BAR_FORMAT) as bar:
        for event in events:
            if isinstance(event, Recognition):
                return event
            bar.total = event.of_seconds
            bar.set_postfix(faces=event.faces, refresh=False)
            bar.update(event.done_seconds - bar.n)
    raise AssertionError("a recognition ends with its outcome")


def _load_engine(settings: Settings) -> Engine:
    return load_engine(settings.engine, engine_options(settings))


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
