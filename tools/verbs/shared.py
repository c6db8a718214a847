"""What the verbs share: the gallery they work on, and how they report."""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

import click
from click.core import ParameterSource

from db.addresses import StoreAddress
from db.errors import UnknownStoreError
from db.galleries import Store
from db.stores import open_store
from function.engines.loading import load_engine
from function.engines.protocol import Engine
from function.imports.reports import Report
from function.settings import Settings, parse_value

EXIT_PARTLY = 3

Verb: TypeAlias = Callable[..., Any]


class PathType(click.Path):
    """A path; an empty one, of a variable that is not set, is not taken for this folder."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn the text into a path."""
        if value == "":
            self.fail("The path is empty. Name a file or a folder.", param, ctx)
        return super().convert(value, param, ctx)


class StoreType(click.ParamType[Store]):
    """A store, named by its address; it is not opened yet."""

    name = "store"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Store:
        """Turn the address into the store there."""
        try:
            store = open_store(str(value))
        except UnknownStoreError as error:
            self.fail(str(error), param, ctx)
        if store.address.is_folder:
            self.fail(f"{store.address} is a folder. Name a file in it.", param, ctx)
        return store


class NumberType(click.ParamType[int]):
    """A number that a store can hold; help does not tell how large that may be."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number, or refuse it with the range."""
        number: int = click.IntRange(0, 2**63 - 1).convert(value, param, ctx)
        return number


NUMBER = NumberType()

gallery_option = click.option(
    "--db",
    "store",
    type=StoreType(),
    envvar="PERFORMERS_DB",
    default="performers.db",
    show_default=True,
    show_envvar=True,
    help="The gallery.",
)


class LibraryType(click.ParamType[StoreAddress]):
    """The address of a ledger."""

    name = "library"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> StoreAddress:
        """Refuse an address that is no file."""
        address = StoreAddress(str(value))
        if not address.is_file or address.is_folder:
            self.fail(f"{address} is not a file. Name one by its path.", param, ctx)
        return address


table_option = click.option("--table", is_flag=True, help="Print lines to read, not JSON.")

library_option = click.option(
    "--library",
    type=LibraryType(),
    envvar="LIBRARY_DB",
    default="library.db",
    show_default=True,
    show_envvar=True,
    help="The ledger: what scans found.",
)


def way_back(*words: object) -> str:
    """Write the command that takes back what the verb that runs has done.

    It names the same stores, if they were named by options: without them another gallery, which
    has other ids, would be changed. What stands in a variable stands there for that command, too.
    """
    context = click.get_current_context()
    options: list[object] = []
    for name, option in (("library", "--library"), ("store", "--db")):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            given = context.params[name]
            options += (option, given if name == "library" else given.address)
    return shlex.join(["python", "-m", "tools", *map(str, [*words, *options])])


def load_chosen_engine(settings: Settings) -> Engine:
    """Load the engine that the environment asks for."""
    return load_engine(settings.engine, settings.engine_options)


def parse_every(text: str) -> float | None:
    """Read the seconds between samples as EVERY_SECONDS is read; None is auto.

    Raises:
        SettingError: it is neither auto nor a number above 0.
    """
    hint = get_type_hints(Settings, include_extras=True)["every_seconds"]
    every: float | None = parse_value("--every", text, hint)
    return every


def print_json(value: object) -> None:
    """Write the answer to stdout; what a terminal would obey is written in JSON's escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo("\n".join(map(_escaped, text.split("\n"))))


def _escaped(line: str) -> str:
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)


def finish(report: Report) -> None:
    """Print what an import did, and exit with 3 if it did only part."""
    print_json(report.to_json())
    if report.stopped:
        click.echo(f"Stopped: {report.stopped} Run it again to continue.", err=True)
    if report.is_partial:
        sys.exit(EXIT_PARTLY)
