"""The README and the API's page are true: settings, verbs, codes and fields are the real ones."""

import re
from pathlib import Path

import click

from function import errors
from function.settings import settings_table
from function.web.reply import MatchReply, PersonReply
from tools.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "http.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def verbs(group: click.Group, prefix: str = "") -> list[str]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found += [prefix + name] if command.invoke_without_command else []
            found += verbs(command, f"{prefix}{name} ")
        else:
            found.append(prefix + name)
    return found


def all_errors(error: type[errors.RecognitionError]) -> list[type[errors.RecognitionError]]:
    return [error, *(deeper for below in error.__subclasses__() for deeper in all_errors(below))]


def test_the_settings_table_is_the_one_in_settings() -> None:
    between = re.search(r"<!-- settings -->\n(.*)\n<!-- /settings -->", README, re.DOTALL)
    assert between
    assert between[1] == settings_table()


def test_every_verb_is_named_and_no_other() -> None:
    named = set(re.findall(r"`python -m tools ((?:(?:import|strangers|stash) )?[a-z-]+)", README))
    assert named == set(verbs(main))


def test_every_error_code_is_named_with_its_status_and_no_other() -> None:
    rows = set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", API, re.MULTILINE))
    assert rows == {(str(one.status), one.code) for one in all_errors(errors.RecognitionError)}


def test_the_tree_in_errors_is_the_real_one() -> None:
    drawn = re.findall(r"(\w+Error) +(\d{3}) (\w+)", errors.__doc__ or "")
    real = [
        (one.__name__, str(one.status), one.code) for one in all_errors(errors.RecognitionError)
    ]
    assert drawn == real


def test_every_field_of_an_answer_is_explained() -> None:
    for field in (*PersonReply.__annotations__, *MatchReply.__annotations__):
        assert f"`{field}`" in API, field


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"make ([a-z]+)\b(?=[ `\n])", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_file_that_is_linked_exists() -> None:
    for link in re.findall(r"\]\(([^):#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    named = re.findall(r"`((?:function|db|tools|tests)/[\w./]*)`", CONTRIBUTING)
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []
