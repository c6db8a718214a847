import base64
import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from db.sqlite.store import StoredGallery
from function.imports.photos import Demands
from function.sources.records import Refusal, SourceRecord, UnusableSourceError
from tests.support.engines import QuickEngine, made_up_photo
from tests.support.galleries import encoding, performer
from tools.imports.enrol import enrol_all
from tools.imports.imports import import_records
from tools.sources.rows import find_delimiter
from tools.sources.table import TableOptions, read_table
from tools.verbs.exports import write_csv, write_ndjson

BOX = "https://stashdb.org/graphql"


def read(path: Path, **columns: str) -> list[SourceRecord | Refusal]:
    def fetch(url: str) -> bytes:
        return f"content of {url}".encode()

    return list(read_table(path, TableOptions("file test", path.parent, fetch, columns)))


def names(path: Path, **columns: str) -> list[str]:
    return [one.performer.name for one in read(path, **columns) if isinstance(one, SourceRecord)]


def put(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_text(content, encoding=encoding)
    return path


def full_entry() -> dict[str, Any]:
    return {
        "name": "Ada",
        "disambiguation": "poet's child",
        "aliases": ["Countess", "A. L."],
        "urls": ["https://example.org/ada"],
        "id": 7,
        "stash_ids": [{"endpoint": BOX, "stash_id": "uuid"}],
        "photos": ["ada.jpg", "https://example.org/a.jpg", "data:image/jpeg;base64,/9g="],
    }


def as_csv(delimiter: str) -> str:
    entry = full_entry()
    output = io.StringIO()
    writer = csv.writer(output, delimiter=delimiter)
    writer.writerow(entry)
    cells = [
        "|".join(value) if isinstance(value, list) and isinstance(value[0], str) else value
        for value in entry.values()
    ]
    cells[5] = f"{BOX} uuid"
    writer.writerow(cells)
    return output.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([full_entry()]),
        json.dumps({"performers": [full_entry()]}, indent=2),
        json.dumps({"performers": [full_entry()]}),
        json.dumps(full_entry()) + "\n",
        as_csv(","),
        as_csv(";"),
        as_csv("\t"),
        "\ufeff" + as_csv(";"),
        "\ufeff" + json.dumps([full_entry()]),
    ],
)
def test_every_form_says_the_same(content: str, tmp_path: Path) -> None:
    (tmp_path / "ada.jpg").write_bytes(b"a photo")
    (ada,) = read(put(tmp_path / "list", content))
    assert isinstance(ada, SourceRecord)
    who = ada.performer
    assert (who.name, who.disambiguation, who.source_id) == ("Ada", "poet's child", "7")
    assert (who.aliases, who.urls) == (("Countess", "A. L."), ("https://example.org/ada",))
    assert who.stash_ids == ((BOX, "uuid"),)
    assert [photo.read() for photo in ada.photos] == [
        b"a photo",
        b"content of https://example.org/a.jpg",
        b"\xff\xd8",
    ]


def test_what_excel_calls_unicode_text_is_read(tmp_path: Path) -> None:
    assert names(put(tmp_path / "x.txt", "name\tid\nZoë 🎭\t1\n", "utf-16")) == ["Zoë 🎭"]


@pytest.mark.parametrize("stated", ["sep=;", "SEP=|", '"sep=,"', "sep=\t"])
def test_the_delimiter_that_excel_states_in_a_line_of_its_own_is_taken(
    stated: str, tmp_path: Path
) -> None:
    mark = stated.strip('"')[-1]
    content = f"{stated}\r\nname{mark}id\r\nZoë{mark}1\r\n{mark}2\r\n"
    taken, refused = read(put(tmp_path / "x.csv", content))
    assert isinstance(taken, SourceRecord)
    assert (taken.performer.name, taken.performer.source_id) == ("Zoë", "1")
    assert isinstance(refused, Refusal)
    assert refused.photo == "row 3"


def test_the_stated_delimiter_may_come_after_empty_lines(tmp_path: Path) -> None:
    assert names(put(tmp_path / "x.csv", "\n\r\nsep=;\nname;id\nZoë, A.;1\n")) == ["Zoë, A."]


@pytest.mark.parametrize("content", ["sep=;\n", "sep=;", ",,,\n", ";\n\n;\n"])
def test_a_table_that_names_no_columns_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableSourceError, match=r"x\.csv does not name its columns"):
        read(put(tmp_path / "x.csv", content))


def test_columns_may_have_other_names_and_other_columns_are_left_alone(tmp_path: Path) -> None:
    path = put(tmp_path / "x.csv", "Performer,Height,Pics\nAda,170,a.jpg\n")
    (ada,) = read(path, name="performer", photos="Pics")
    assert isinstance(ada, SourceRecord)
    assert ada.performer.name == "Ada"
    assert ada.photos[0].origin == str(tmp_path / "a.jpg")
    with pytest.raises(UnusableSourceError, match="no column 'nom' to map"):
        read(path, nom="Performer")


def test_one_name_without_ids_is_not_merged_in_silence(tmp_path: Path) -> None:
    path = put(tmp_path / "x.csv", "name,disambiguation\nAda,\nAda,poet\nAda,\n")
    first, second, third = read(path)
    assert isinstance(first, SourceRecord)
    assert isinstance(second, SourceRecord)
    assert isinstance(third, Refusal)
    assert third.photo == "row 4"
    assert "tell them apart" in third.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"name": "A"}\n{"name": \n{"name": "B"}\n', "not JSON"),
        ('{"name": "A"}\n[1]\n{"name": "B"}\n', "a list, not an object"),
        ('{"name": "A"}\n{"name": ["x"]}\n{"name": "B"}\n', "name is a list"),
        ('{"name": "A"}\n{"id": 3}\n{"name": "B"}\n', "the name is empty"),
        ('{"name": "A"}\n{"name": "X", "stash_ids": ["7"]}\n{"name": "B"}\n', "ENDPOINT ID"),
        ("name,id\nA,1\nX,2,3,4\nB,3\n", "4 cells under 2 columns; quote the delimiter"),
        ("name,id\nA,1\n  ,2\nB,3\n", "the name is empty"),
        ('[{"name": "A"}, 7, {"name": "B"}]', "a int, not an object"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_and_the_rest_goes_on(
    tmp_path: Path, content: str, reason: str
) -> None:
    first, second, third = read(put(tmp_path / "x", content))
    assert isinstance(second, Refusal)
    assert reason in second.reason
    for one, name in ((first, "A"), (third, "B")):
        assert isinstance(one, SourceRecord)
        assert one.performer.name == name


def test_a_cell_without_end_is_refused_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "x.csv", f"name,id\nA,1\n{'x' * 10_000_000},2\nB,3\n")
    with StoredGallery() as gallery:
        (_, endless, _) = enrol_all(read(path), gallery, QuickEngine())
        assert "10000000 characters; 300 at most" in endless.refusals[0].reason
    monkeypatch.setattr("tools.sources.rows.MAX_CELL_CHARACTERS", 1_000_000)
    _, endless_row, last = read(path)
    assert isinstance(endless_row, Refusal)
    assert "field larger than field limit" in endless_row.reason
    assert isinstance(last, SourceRecord)
    assert csv.field_size_limit() == 131_072


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("who,id\nAda,1\n", "no column 'name'; it has who, id. Say which one it is: --column"),
        ("<html><body>", "is HTML or XML"),
        ("[1, 2", "is not JSON"),
        ('{"performers": 7}', "holds no list"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: str, complaint: str) -> None:
    with pytest.raises(UnusableSourceError, match=complaint):
        read(put(tmp_path / "x", content))


def test_bytes_that_are_no_text_folders_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xe9\xe8,name\nAda")
    with pytest.raises(UnusableSourceError, match="not UTF-8"):
        read(tmp_path / "x")
    with pytest.raises(UnusableSourceError, match="not an ordinary file"):
        read(tmp_path)
    with pytest.raises(UnusableSourceError, match="cannot be read: No such file"):
        read(tmp_path / "gone")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_that_is_not_utf8_costs_only_itself(tmp_path: Path, place: int) -> None:
    rows = [b"Ada", b"Eve"]
    rows.insert(place, b"Ren\xe9e")
    (tmp_path / "x").write_bytes(b"name\n" + b"\n".join(rows))
    found = read(tmp_path / "x")
    assert [one.performer.name for one in found if isinstance(one, SourceRecord)] == ["Ada", "Eve"]
    (refusal,) = (one for one in found if isinstance(one, Refusal))
    assert refusal.reason == r"not UTF-8 text, in the row of Ren\xe9e: save it as UTF-8"


def test_what_a_row_holds_besides_is_named_and_the_performer_is_read(tmp_path: Path) -> None:
    rows = [
        {"name": "Ada", "aliases": {"a": 1}, "urls": None, "height": 170, "id": None},
        {"name": "Eve", "height": 165},
    ]
    ada, eve = read(put(tmp_path / "x", json.dumps(rows)))
    assert isinstance(ada, SourceRecord)
    assert isinstance(eve, SourceRecord)
    ours = "OURS being name, disambiguation, aliases, urls, id, stash_ids, photos"
    assert [one.remark for one in ada.remarks] == [
        f"the column 'height' is not used; to use it: --column OURS=height, {ours}",
        "left out: aliases is a dict; it must be a string",
    ]
    assert eve.remarks == ()


def test_a_bundle_is_not_taken_for_a_list_in_a_wrong_encoding(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"SQLite format 3\0\x10\x00\xff")
    with pytest.raises(UnusableSourceError, match="For a bundle, use import bundle"):
        read(tmp_path / "x")


def test_a_list_of_our_own_is_not_taken_for_a_gallery(tmp_path: Path) -> None:
    (ada,) = read(put(tmp_path / "x", json.dumps([{"name": "Ada", "encodings": 2}])))
    assert isinstance(ada, SourceRecord)
    (remark,) = ada.remarks
    assert remark.remark.endswith("to move a gallery: export --bundle FILE")


def test_a_list_is_read_row_by_row_and_stays_small_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w") as file:
        file.write("name,photos\n")
        file.writelines(f"Performer {number},{number}.jpg\n" for number in range(20_000))
    options = TableOptions("file test", tmp_path, lambda _: b"", {})
    peaks = []
    for _ in range(2):  # once a thread that another test had left may take memory, too
        tracemalloc.start()
        count = sum(1 for _ in read_table(path, options))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == 20_000
    # What stays is the set of ids seen.
    assert min(peaks) < 8_000_000


HOLLOW = "[" + "[]," * 500_000 + "[]]"
"""Empty lists: in memory they take thirty times what they take on the disk."""


@pytest.mark.parametrize(
    "content",
    [
        f'{{"name": "A"}}\n{{"name": "B", "aliases": {HOLLOW}}}\n{{"name": "C"}}',
        "name,aliases\nA,\nB" + "," * 500_000 + "\nC,",
        "name,aliases\nA,\nB," + '"\n"'.join(["," * 150_000] * 3) + "\nC,",
        "name,aliases\nA,\n" + "b" * 3_000_000 + "\nC,",
        '{"name": "A"}\n' + "b" * 3_000_000 + '\n{"name": "C"}',
    ],
)
def test_a_line_that_would_fill_the_memory_costs_only_itself(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.sources.rows.LONGEST_LINE", 2_000_000)
    path = put(tmp_path / "t", content)
    tracemalloc.start()
    try:
        first, bad, last = read(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert isinstance(bad, Refusal)
    assert "a line of over " in bad.reason
    assert [one.performer.name for one in (first, last) if isinstance(one, SourceRecord)] == [
        *("A", "C")
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[" + "[]," * 5_000_000 + "[]]", "is one JSON value of over 5,000,000 values"),
        (f'{{"name": "A", "x": [{(HOLLOW + ",") * 10} 1]}}', "is one JSON value of over"),
        ("name" + "," * 500_000, "The first line cannot be read"),
    ],
)
def test_a_list_that_would_fill_the_memory_is_refused_unread(
    content: str, complaint: str, tmp_path: Path
) -> None:
    path = put(tmp_path / "t", content)
    tracemalloc.start()
    try:
        with pytest.raises(UnusableSourceError, match=complaint):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(content) + 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("name,id", ","),
        ("name;id;a,b", ";"),
        ("name\tid", "\t"),
        ('"a,b,c";id', ";"),
        ("name", ","),
    ],
)
def test_the_delimiter_is_the_one_outside_quotes(header: str, delimiter: str) -> None:
    assert find_delimiter(header) == delimiter


def test_an_export_can_be_imported_again(tmp_path: Path) -> None:
    with StoredGallery() as gallery:
        ada = performer("Ada", aliases=("x",), urls=("u",), disambiguation="d")
        gallery.enrol(ada, [encoding(1)], None)
        output = io.StringIO()
        assert write_ndjson(gallery, output, with_encodings=False) == 1
        assert "vector" not in output.getvalue()
        (again,) = read(put(tmp_path / "x", output.getvalue()))
        assert isinstance(again, SourceRecord)
        assert (again.performer.name, again.performer.aliases) == ("Ada", ("x",))
        with_encodings = io.StringIO()
        write_ndjson(gallery, with_encodings, with_encodings=True)
        (stored,) = json.loads(with_encodings.getvalue())["encodings"]
        assert len(base64.b64decode(stored["vector"])) == 512


def test_a_spreadsheet_runs_no_name_as_a_formula() -> None:
    with StoredGallery() as gallery:
        for name in ("=1+1", "+1", "-1", "@x", "Ada"):
            gallery.enrol(performer(name, aliases=("=2",)), [], None)
        output = io.StringIO()
        write_csv(gallery, output)
        rows = list(csv.DictReader(io.StringIO(output.getvalue())))
        assert sorted(row["name"] for row in rows) == ["'+1", "'-1", "'=1+1", "'@x", "Ada"]
        assert {row["aliases"] for row in rows} == {"'=2"}


def test_photos_that_are_devices_or_not_there_are_refused(tmp_path: Path) -> None:
    path = put(
        tmp_path / "x.csv", 'name,photos\nAda,"/dev/zero|gone.jpg|data:image/png;base64,!!|a.png"'
    )
    (tmp_path / "a.png").write_bytes(made_up_photo(1))
    with StoredGallery() as gallery:
        (ada,) = enrol_all(read(path), gallery, QuickEngine())
    assert ada.added_photos == 1
    reasons = " ".join(refusal.reason for refusal in ada.refusals)
    assert "not an ordinary file" in reasons
    assert "No such file" in reasons
    assert "not base64" in reasons


def test_photos_at_urls_are_fetched_once_until_the_row_changes(tmp_path: Path) -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return made_up_photo(len(fetched))

    options = TableOptions("file test", tmp_path, fetch, {})
    with StoredGallery() as gallery:
        for content in ("a.jpg", "a.jpg", "a.jpg|http://x/b.jpg"):
            path = put(tmp_path / "x.csv", f"name,photos\nAda,http://x/{content}")
            records = read_table(path, options)
            import_records(records, gallery, QuickEngine(), Demands(), kind="file")
        assert gallery.performers()[0].encodings >= 2
    assert fetched.count("http://x/b.jpg") == 1
    assert fetched.count("http://x/a.jpg") == 2
