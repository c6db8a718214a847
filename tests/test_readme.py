"""The README and docs/ are true: settings, verbs, codes, fields and links are the real ones."""

import re
from pathlib import Path

import click
import pytest

from function import errors
from function.web.parameters import PARAMETERS
from function.web.reply import MatchReply, PersonReply
from tests.support.settings_table import settings_table
from tools.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "http.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()
SCORES = "docs/scores.md"
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
VERB = r"python -m tools ((?:(?:import|strangers|stash) )?[a-z-]+)"
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
    between = re.search(r"<!-- settings -->\n(.*)\n<!-- /settings -->", SETTINGS, re.DOTALL)
    assert between
    assert between[1] == settings_table()


def test_every_verb_is_named_and_no_other() -> None:
    named = set(re.findall(f"`{VERB}", COMMANDS))
    assert named == set(verbs(main))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_verbs_that_exist(page: Path) -> None:
    known = set(verbs(main)) | {"import", "strangers", "stash"}
    assert set(re.findall(VERB, page.read_text())) - known == set()


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


def test_every_parameter_of_a_request_is_explained() -> None:
    assert set(PARAMETERS) <= set(re.findall(r"^\| `(\w+)` \|", API, re.MULTILINE))


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for target in set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """Return what a link may name after # in a page: its headings, as GitHub spells them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_heading_that_is_linked_exists(page: Path) -> None:
    for link in re.findall(r"\]\(([^):]+)\)", page.read_text()):
        path, _, heading = link.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), link
        assert not heading or heading in anchors(linked), link


def test_every_page_of_the_documentation_is_linked_in_the_readme() -> None:
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)", README))
    assert linked == {page.name for page in (ROOT / "docs").glob("*.md")}


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    named = re.findall(r"`((?:function|db|tools|tests)/[\w./]*)`", CONTRIBUTING)
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(("page", "places"), [("README.md", (0, 1, 3, 6)), (SCORES, (0, 1, 2, 3))])
def test_how_right_a_page_says_it_is_stands_in_the_whole_table_too(
    page: str, places: tuple[int, ...]
) -> None:
    table = (ROOT / SCORES).read_text()
    lines = re.findall(r"^\| (\d), (\d) \| (.+) \|$", (ROOT / page).read_text(), re.MULTILINE)
    assert len(lines) == 3
    for enrolled, seen, rest in lines:
        (row,) = re.findall(
            rf"^\| mixed \| 75 \| {enrolled} / {seen} \| (.+)$", table, re.MULTILINE
        )
        said, measured = (
            [float(one.split()[0]) for one in line.split(" | ")]
            for line in (rest, row.rstrip(" |"))
        )
        # Both are rounded, so 29.5 % may be 29 or 30.
        assert said == pytest.approx([measured[place] for place in places], abs=0.5)


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dask.txt"])
def test_the_licence_of_every_package_that_is_installed_is_told(lock: str) -> None:
    page = (ROOT / "docs" / "licences.md").read_text().lower().replace("_", "-")
    told = set(re.findall(r"[\w-]+", page))
    packages = re.findall(r"^([\w-]+)==", (ROOT / lock).read_text(), re.MULTILINE)
    assert len(packages) > 15
    assert set(packages) - told == set()
