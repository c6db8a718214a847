"""`export`: a gallery as a list for people and programs, or as a bundle for another machine."""

import sys
from pathlib import Path

import click

from db.errors import GalleryReadOnlyError
from db.galleries import Store
from tools.ending import tidied_up
from tools.verbs.exports import write_csv, write_ndjson
from tools.verbs.shared import PathType, gallery_option, print_json


@click.command(epilog="Example: python -m tools export --format csv > performers.csv")
@click.option(
    "--format", "form", type=click.Choice(["ndjson", "csv"]), default="ndjson", show_default=True
)
@click.option("--encodings", is_flag=True, help="Add encodings, base64 float32 (ndjson only).")
@click.option(
    "--bundle",
    type=PathType(dir_okay=False),
    help="Write everything to this one file instead, for `import bundle`.",
)
@gallery_option
def export(form: str, bundle: Path | None, store: Store, *, encodings: bool) -> None:
    """Write the gallery to stdout as a list, or with --bundle to a file that holds all of it.

    Cells that a spreadsheet would run as a formula get an apostrophe in front. Encodings are
    biometric data: protect a file that holds them as you protect the gallery.
    """
    if bundle:
        try:
            with tidied_up():
                print_json({**store.export_bundle(bundle)})
        except OSError as error:
            reason = error.strerror or error
            raise GalleryReadOnlyError(f"{bundle} cannot be written ({reason}).") from error
        return
    with store.gallery() as gallery:
        if form == "csv" and encodings:
            raise click.UsageError("Encodings can be written only to ndjson, not csv.")
        if form == "csv":
            count = write_csv(gallery, sys.stdout)
        else:
            count = write_ndjson(gallery, sys.stdout, with_encodings=encodings)
        gallery.log(f"export {form}", {"performers": count})
