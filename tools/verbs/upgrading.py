"""`upgrade-encodings`: brings a gallery up to what the nets of this version can tell."""

import sys

import click
from tqdm import tqdm

from db.galleries import Store
from function.settings import Settings
from function.sources.records import UnusableSourceError
from tools.imports.upgrades import Upgrade, upgrade_gallery
from tools.verbs.shared import EXIT_PARTLY, gallery_option, load_chosen_engine, print_json

MOST_LISTED = 1_000

ENROL_AGAIN = (
    "The files of the photos that lack an encoding are gone or changed. Import them again from "
    "where they are now, with --full, or add other photos: python -m tools add-photo."
)


@click.command(epilog="Example: python -m tools upgrade-encodings")
@gallery_option
def upgrade_encodings(store: Store) -> None:
    """Give photos that were enrolled without the second net, or with another, its encodings.

    Photos are read again where they were enrolled from, and posters in the gallery; nothing is
    fetched. Until then new videos are compared by the first net alone with these photos. Run it
    again at any time: what is done stays done. Exit status 3 means that some photos could not be
    completed; import them again from where they came, with --full.
    """
    engine = load_chosen_engine(Settings.from_env())
    if engine.second is None:
        raise UnusableSourceError(
            "There is no second net as configured. Set DETECTOR=yunet and SECOND_ENCODER=on."
        )
    with store.changing() as gallery:
        upgrades = upgrade_gallery(gallery, engine, engine.second.model)
        done: list[Upgrade] = []
        try:
            done.extend(tqdm(upgrades, unit=" performers", file=sys.stderr))
        finally:  # what is done stays done, also after Ctrl-C
            completed = sum(one.completed for one in done)
            left = sum(one.lacking for one in done)
            if done:
                gallery.log("upgrade-encodings", {"photos": completed, "lacking": left})
    lacking = [one.performer for one in done if one.lacking]
    print_json(
        {
            "completed": completed,
            "lacking": left,
            "performers_lacking": lacking[:MOST_LISTED],
        }
    )
    if lacking:
        click.echo(ENROL_AGAIN, err=True)
        sys.exit(EXIT_PARTLY)
