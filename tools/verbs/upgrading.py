"""`upgrade-encodings`: brings a gallery up to what the nets of this version can tell."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click
from tqdm import tqdm

from db.counted import agree, counted
from db.errors import PerformerNotFoundError
from db.galleries import Store
from db.locked import changing
from db.models import EncodingKind
from function.engines.protocol import Engine
from function.settings import Settings
from function.sources.records import UnusableSourceError
from tools.imports.upgrades import Upgrade, complete_photos, encode_lacking, find_lacking
from tools.verbs.shared import EXIT_PARTLY, gallery_option, load_chosen_engine, print_json

MOST_LISTED = 1_000

ENROL_AGAIN = (
    "The files of the photos that lack an encoding are gone or changed, and no picture of the face "
    "was kept. Import them again from where they are now, with --full, or add other photos: "
    "python -m tools add-photo."
)

FROM_VIDEOS = (
    "{photos} taken from videos that today's second net had not looked at, and no picture of "
    "{them} was kept, so nothing completes {them}. Add photos of these performers: "
    "python -m tools add-photo. Or identify a video of theirs again on the page, and confirm them "
    "there: that enrols views that both nets know."
)


@click.command(epilog="Example: python -m tools upgrade-encodings")
@gallery_option
def upgrade_encodings(store: Store) -> None:
    """Give photos that were enrolled without the second net, or with another, its encodings.

    Photos are read again where they were enrolled from, or else the pictures of faces that the
    gallery keeps; nothing is fetched. Until then new videos are compared by the first net alone
    with these photos. Run it again at any time: what is done stays done, and a server goes on
    meanwhile. Exit status 3 means that some photos could not be completed; import them again from
    where they came, with --full. What was taken from videos, without a picture, is never completed:
    it is counted as from_videos, and alone it leaves the status 0.
    """
    engine = load_chosen_engine(Settings.from_env())
    if engine.second is None:
        raise UnusableSourceError(
            "There is no second net as configured. Set DETECTOR=yunet and SECOND_ENCODER=on."
        )
    done: list[Upgrade] = []
    try:
        for one in _upgrade_all(store, engine, engine.second.model):
            done.append(one)  # noqa: PERF402  # what is done is told after Ctrl-C, too
    finally:
        completed = sum(one.completed for one in done)
        left = sum(one.lacking for one in done)
        from_videos = sum(one.from_videos for one in done)
        if done:
            counts = {"photos": completed, "lacking": left, "from_videos": from_videos}
            with changing(store, create=False) as gallery:
                gallery.log("upgrade-encodings", counts)
    _report(done, completed, left, from_videos)


def _report(done: Sequence[Upgrade], completed: int, left: int, from_videos: int) -> None:
    lacking = [one.performer for one in done if one.lacking]
    print_json(
        {
            "completed": completed,
            "lacking": left,
            "from_videos": from_videos,
            "performers_lacking": lacking[:MOST_LISTED],
        }
    )
    if from_videos:
        click.echo(_tell_from_videos(from_videos), err=True)
    if left > from_videos:
        click.echo(ENROL_AGAIN, err=True)
        sys.exit(EXIT_PARTLY)


def _tell_from_videos(count: int) -> str:
    photos = f"{counted(count, 'photo')} {agree(count, 'was', 'were')}"
    return FROM_VIDEOS.format(photos=photos, them=agree(count, "it", "them"))


def _upgrade_all(store: Store, engine: Engine, second: EncodingKind) -> Iterator[Upgrade]:
    """Upgrade one performer after the other; whoever else wants to change something comes between.

    Yields what became of those who lacked something.
    """
    with store.gallery() as gallery:
        lacking = find_lacking(gallery, engine, second)
    for performer in tqdm(lacking, unit=" performers", file=sys.stderr):
        with suppress(PerformerNotFoundError):  # forgotten meanwhile
            yield _upgrade(store, performer.id, engine, second)


def _upgrade(store: Store, performer_id: int, engine: Engine, second: EncodingKind) -> Upgrade:
    with store.gallery() as gallery:  # reading photos takes seconds: others are not locked out
        encoded = encode_lacking(gallery, performer_id, engine, second)
    with changing(store, create=False) as gallery:
        return complete_photos(gallery, performer_id, encoded, engine, second)
