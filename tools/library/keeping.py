"""Asks whether a scan keeps the people whom it finds and nobody enrolled."""

import sys
from typing import get_type_hints

import click

from db.ledgers import Ledger
from function.library.forgetting import UNKEPT
from function.library.jobs import STRANGERS, chosen_strangers
from function.setting_kinds import STRANGERS as STRANGERS_KIND
from function.settings import Settings, parse_value

ABOUT_STRANGERS = """\
Keep the faces of people you did not enrol?
  keep  Name them later, in all videos at once, without another scan. They take up to 36 KB for
        each person in a video, in the library's file, which only you can read.
  90d   Keep them for 90 days, or another number: each scan erases those of videos scanned
        longer ago.
  off   Do not keep them: to name one later, the videos have to be scanned again.
This is asked once. --strangers or the setting STRANGERS changes it later."""


def read_strangers(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Read what `--strangers` says, for click."""
    hint = get_type_hints(Settings, include_extras=True)["strangers"]
    return None if text is None else str(parse_value("--strangers", text, hint))


def _read_answer(text: str) -> str:
    """Read the answer to the question about strangers; one that is none is asked again."""
    try:
        return str(STRANGERS_KIND.parse(text.strip().lower()))
    except ValueError:
        raise click.UsageError(f"Answer {STRANGERS_KIND.form}.") from None


def choose_strangers(ledger: Ledger, settings: Settings, asked: str | None) -> bool:
    """Say whether strangers are kept: as asked now, set, or chosen before; else ask once."""
    chosen = asked or settings.strangers or chosen_strangers(ledger)
    if not chosen and _can_ask():
        click.echo(ABOUT_STRANGERS, err=True)
        chosen = click.prompt("keep, 90d or off", "off", value_proc=_read_answer, err=True)
        ledger.choose(STRANGERS, chosen)
    if asked:
        ledger.choose(STRANGERS, asked)
    return chosen not in UNKEPT


def _can_ask() -> bool:
    """Say whether somebody sits at a terminal; a service may have closed all its streams."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
