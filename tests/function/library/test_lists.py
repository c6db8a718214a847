"""Results as JSON, CSV and lines to read."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from db.records import Identity, Performer
from db.videos import Scanned, VideoRecord
from function.library.lists import to_csv, to_json, to_table
from function.library.results import PersonResult, VideoResult

VIDEO = VideoRecord(
    id=1,
    oshash="00000000000003e9",
    size_bytes=1001,
    paths=(b"/v/a.mp4", b"/w/copy of a.mp4"),
    state="done",
    reason="",
    tries=0,
    seconds=61.23456,
    faces=12,
    left_out=2,
    scanned=Scanned("normal", None, ("dlib",)),
    scanned_at="2026-01-02T03:04:05Z",
    matched_at=(1, 1),
    unreadable_seconds=7.25,
)
BOX = "https://stashdb.org/graphql"
ADA = Performer(7, "Ada", identities=(Identity(BOX, "uuid-7"), Identity("folder", "Ada")))
PEOPLE = (
    PersonResult(0, ADA, 98.7, "match", ((0.0, 2.5), (10.12345, 12.0)), 10, 1.23456),
    PersonResult(1, None, 0.0, "unknown", ((3.0, 4.0),), 2, 3.5),
)
COLUMNS = (
    "path,duration_seconds,performer,performer_id,stash_ids,score,verdict,appearances,faces,"
    "best_seconds,depth,scanned_at,person,state,reason,decided,oshash,unreadable_seconds,"
    "kind,pictures"
)


def rows_of(*results: VideoResult) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("\n".join(to_csv(results)), newline="")))


def test_json_says_all_of_a_video_and_its_people() -> None:
    found = to_json(VideoResult(VIDEO, PEOPLE))
    assert json.loads(json.dumps(found)) == {
        "path": "/v/a.mp4",
        "other_paths": ["/w/copy of a.mp4"],
        "kind": "video",
        "picture_count": 0,
        "oshash": "00000000000003e9",
        "duration_seconds": 61.235,
        "state": "done",
        "reason": "",
        "depth": "normal",
        "scanned_at": "2026-01-02T03:04:05Z",
        "strangers_left_out": 2,
        "unreadable_seconds": 7.25,
        "people": [
            {
                "person": 0,
                "performer": "Ada",
                "performer_id": "7",
                "stash_ids": [{"endpoint": BOX, "stash_id": "uuid-7"}],
                "score": 98.7,
                "verdict": "match",
                "appearances": [[0.0, 2.5], [10.123, 12.0]],
                "faces": 10,
                "best_seconds": 1.235,
                "decided": "",
                "pictures": [],
            },
            {
                "person": 1,
                "performer": None,
                "performer_id": None,
                "stash_ids": [],
                "score": 0.0,
                "verdict": "unknown",
                "appearances": [[3.0, 4.0]],
                "faces": 2,
                "best_seconds": 3.5,
                "decided": "",
                "pictures": [],
            },
        ],
    }


def test_csv_has_a_line_for_each_person_under_fixed_columns() -> None:
    assert next(to_csv([])) == COLUMNS
    said = (replace(PEOPLE[0], decided="confirmed"), PEOPLE[1])
    ada, unknown = rows_of(VideoResult(VIDEO, said))
    assert list(ada.values()) == [
        *("/v/a.mp4", "61.235", "Ada", "7", f"{BOX}#uuid-7", "98.7", "match"),
        *("0.000-2.500;10.123-12.000", "10", "1.235", "normal", "2026-01-02T03:04:05Z"),
        *("0", "done", "", "confirmed", "00000000000003e9", "7.25", "video", ""),
    ]
    assert list(unknown.values()) == [
        *("/v/a.mp4", "61.235", "", "", "", "0.0", "unknown"),
        *("3.000-4.000", "2", "3.5", "normal", "2026-01-02T03:04:05Z"),
        *("1", "done", "", "", "00000000000003e9", "7.25", "video", ""),
    ]


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        ("", ""),
        ("confirmed", "  (you confirmed it)"),
        ("rejected", "  (you rejected another name)"),
        ("ignored", "  (you ignored them)"),
    ],
)
def test_what_was_decided_is_said_beside_a_name_without_taking_it_back(
    decided: str, words: str
) -> None:
    said = replace(PEOPLE[0], decided=decided)
    _, line, *_ = to_table([VideoResult(VIDEO, (said,))])
    assert line.endswith(f"Ada  0-2 s, 10-12 s{words}")


def test_a_video_without_people_has_a_line_too() -> None:
    queued = replace(VIDEO, state="failed", reason="no", scanned=None, scanned_at="", seconds=0.0)
    (row,) = rows_of(VideoResult(queued, ()))
    assert len(row) == 20
    assert (row["person"], row["state"], row["reason"]) == ("", "failed", "no")
    assert row["oshash"] == "00000000000003e9"
    assert (row["path"], row["performer"], row["verdict"], row["depth"]) == ("/v/a.mp4", "", "", "")
    (row,) = rows_of(VideoResult(VIDEO, ()))
    assert (row["depth"], row["scanned_at"]) == ("normal", "2026-01-02T03:04:05Z")
    failed = replace(VIDEO, state="failed", reason="It is no video.")
    (row,) = rows_of(VideoResult(failed, ()))
    assert (row["state"], row["reason"], row["person"]) == ("failed", "It is no video.", "")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_spreadsheet_runs_no_name_as_a_formula(name: str) -> None:
    person = replace(PEOPLE[0], performer=replace(ADA, name=name))
    video = replace(VIDEO, paths=(name.encode(),))
    (row,) = rows_of(VideoResult(video, (person,)))
    assert row["performer"] == f"'{name}"
    assert row["path"] == f"'{name}"


@pytest.mark.parametrize("name", ["a;=cmd|' /C calc'!A0", "a; +1", "a;b;@SUM(A1)"])
def test_a_spreadsheet_that_parts_cells_at_semicolons_runs_none_either(name: str) -> None:
    (row,) = rows_of(VideoResult(replace(VIDEO, paths=(name.encode(),)), PEOPLE[:1]))
    cells = "\n".join(to_csv([VideoResult(replace(VIDEO, paths=(name.encode(),)), PEOPLE[:1])]))
    assert not any(one.lstrip().startswith(("=", "+", "-", "@")) for one in cells.split(";"))
    assert row["path"].replace("'", "") == name.replace("'", "")


@pytest.mark.parametrize("name", ["a,b", 'a "b"', "Zoë 👩\u200d🎤"])
def test_csv_keeps_commas_quotes_and_every_script_within_their_cells(name: str) -> None:
    video = replace(VIDEO, paths=(name.encode(),))
    (row,) = rows_of(VideoResult(video, PEOPLE[:1]))
    assert row["path"] == name


@pytest.mark.parametrize(
    ("name", "written"),
    [("a\nb", "a\\nb"), ("a\rb", "a\\rb"), ("\t=1", "\\t=1"), ("\x1b[2J\u2028", "\\x1b[2J\\u2028")],
)
def test_csv_holds_no_raw_control_characters(name: str, written: str) -> None:
    (row,) = rows_of(VideoResult(replace(VIDEO, paths=(name.encode(),)), PEOPLE[:1]))
    assert row["path"] == written


def table(people: Sequence[PersonResult] = (), **changes: object) -> list[str]:
    return list(to_table([VideoResult(replace(VIDEO, **changes), tuple(people))]))  # type: ignore[arg-type]


def test_the_table_is_for_reading() -> None:
    assert table(PEOPLE) == [
        "/v/a.mp4  (done)",
        "    0 match      98.7  Ada  0-2 s, 10-12 s",
        "    1 unknown     0.0  somebody unknown  3-4 s",
        "      7.2 s are damaged and were not seen",
        "      and 2 more, not enrolled, of whom nothing was kept",
    ]
    assert table(left_out=1)[-1] == "      1 person, not enrolled, of whom nothing was kept"
    many = replace(
        PEOPLE[0], appearances=tuple((float(one), one + 0.5) for one in range(0, 70, 10))
    )
    assert table([many])[1].endswith("40-40 s ...")
    assert table(state="failed", reason="It is no video.", left_out=0, unreadable_seconds=0.0) == [
        "/v/a.mp4  (failed: It is no video.)"
    ]
    assert table(left_out=0, unreadable_seconds=0.0) == ["/v/a.mp4  (done: nobody was found)"]
    assert table(left_out=2)[0] == "/v/a.mp4  (done)"
    assert table(left_out=0, state="queued")[0] == "/v/a.mp4  (queued)"


def test_namesakes_are_told_apart_in_the_table() -> None:
    other = replace(ADA, id=8, name="ADA", disambiguation="the poet's child")
    people = (PEOPLE[0], replace(PEOPLE[0], performer=other))
    listed = list(to_table([VideoResult(VIDEO, people)], [ADA, other]))
    assert "  Ada (id:7)  " in listed[1]
    assert "  ADA (id:8, the poet's child)  " in listed[2]
    assert "  Ada  " in list(to_table([VideoResult(VIDEO, people)], [ADA]))[1]


def test_a_name_cannot_steer_the_terminal_or_fake_a_line() -> None:
    (line, *_) = table(paths=(b"/v/\x1b[2Ja\n  match 99.9 Eve \xff.mp4",))
    assert line == "/v/\\x1b[2Ja\\n  match 99.9 Eve \\xff.mp4  (done)"


def test_a_video_whose_files_are_gone_is_known_by_where_it_was_or_its_fingerprint() -> None:
    gone = replace(VIDEO, paths=(), last_path=b"/v/was.mp4")
    assert to_json(VideoResult(gone, ()))["path"] == "/v/was.mp4"
    assert table(paths=(), last_path=b"/v/was.mp4")[0] == "/v/was.mp4  (gone)"
    assert rows_of(VideoResult(gone, ()))[0]["path"] == "/v/was.mp4"
    gone = replace(VIDEO, paths=())
    assert to_json(VideoResult(gone, ()))["state"] == "gone"
    assert to_json(VideoResult(gone, ()))["path"] == "oshash:00000000000003e9"
    assert table(paths=())[0] == "oshash:00000000000003e9  (gone)"


def test_names_that_are_no_text_can_be_written() -> None:
    found = to_json(VideoResult(replace(VIDEO, paths=(b"/v/\xff.mp4",)), ()))
    assert json.dumps(found, ensure_ascii=False).encode()
    assert found["path"] == r"/v/\xff.mp4"
