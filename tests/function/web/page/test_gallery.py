"""The gallery over HTTP: performers, photos, changes, checks and audits."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from db.sqlite.store import StoredGallery
from function.engines.lightcnn.model import CHIP_PIXELS
from function.enrolling.choosing import Chosen
from function.matching.audits import audit_gallery
from function.web.service import Service
from tests.support.galleries import flawed_gallery, many_performers
from tests.support.page_requests import FROM_PAGE, code_of, identify, post
from tests.support.servers import Serve


def test_a_performer_shows_photos_with_what_is_weak_about_them(
    client: FlaskClient, own_gallery: Path
) -> None:
    with StoredGallery(own_gallery) as gallery, gallery.writing() as db:
        db.execute("UPDATE encodings SET weaknesses = 'blurred' WHERE origin LIKE '%obama2%'")
        db.execute("UPDATE performers SET urls = json_insert(urls, '$[#]', 'javascript:alert(1)')")
    listed = client.get("/gallery?search=44").get_json()["performers"]
    assert [one["name"] for one in listed] == ["Barack Obama"]
    shown = client.get(f"/gallery/performer?id={listed[0]['id']}").get_json()
    assert shown["urls"] == ["https://example.org/obama"]
    assert [photo["remark"] for photo in shown["photos"]] == ["", "weak: blurred"]
    assert all(0 < photo["quality"] <= 1 for photo in shown["photos"])
    assert "vector" not in json.dumps(shown)


def test_a_photo_of_somebody_else_is_noticed(client: FlaskClient, photos: Path) -> None:
    send_photo(client, photos / "obama3.jpg", "id=1")
    send_photo(client, photos / "biden.jpg", "id=1")
    shown = client.get("/gallery/performer?id=1").get_json()
    remarks = {photo["origin"].split("/")[-1]: photo["remark"] for photo in shown["photos"]}
    assert "somebody else" in remarks["biden.jpg"]
    assert not remarks["obama3.jpg"]


def send_photo(client: FlaskClient, path: Path, whose: str, file: str = "") -> Any:
    return client.post(
        f"/gallery/photos?{whose}&file={file or path.name}",
        data=path.read_bytes(),
        content_type="image/jpeg",
        headers=FROM_PAGE,
    )


def test_a_photo_enrols_somebody_new_once_and_is_refused_without_a_face(
    client: FlaskClient, photos: Path
) -> None:
    first = send_photo(client, photos / "biden.jpg", "name=Joe Biden").get_json()
    assert first["added"]
    again = send_photo(client, photos / "biden.jpg", "name=joe biden").get_json()
    assert again == {"added": False, "id": first["id"], "remark": ""}
    shown = client.get(f"/gallery/performer?id={first['id']}").get_json()
    assert [photo["origin"] for photo in shown["photos"]] == ["biden.jpg"]
    refused = send_photo(client, photos / "cat.png", f"id={first['id']}")
    assert code_of(refused) == (422, "photo_unusable")
    assert refused.get_json()["error"]["message"] == "no face found."
    assert code_of(send_photo(client, photos / "cat.png", "nobody=1")) == (400, "missing_parameter")


def test_a_name_that_is_not_utf8_is_nobodys_and_a_file_of_such_a_name_is_shown_with_escapes(
    client: FlaskClient, photos: Path
) -> None:
    refused = send_photo(client, photos / "biden.jpg", "name=Ren%E9e")
    assert code_of(refused) == (400, "bad_parameter")
    assert r"name is 'Ren\xe9e', which is not UTF-8" in refused.get_json()["error"]["message"]
    sent = send_photo(client, photos / "biden.jpg", "name=Joe Biden", file="p%E9.jpg").get_json()
    shown = client.get(f"/gallery/performer?id={sent['id']}").get_json()
    assert [photo["origin"] for photo in shown["photos"]] == [r"p\xe9.jpg"]


def test_a_photo_for_a_taken_name_asks_or_enrols_a_namesake(
    client: FlaskClient, photos: Path
) -> None:
    taken = "name=BARACK  obama"
    asked = send_photo(client, photos / "biden.jpg", f"{taken}&taken=ask")
    assert code_of(asked) == (409, "name_taken")
    assert asked.get_json()["error"]["performers"] == [1]
    assert code_of(send_photo(client, photos / "biden.jpg", f"{taken}&taken=yes")) == (
        400,
        "bad_parameter",
    )
    namesake = send_photo(client, photos / "biden.jpg", f"{taken}&taken=new").get_json()
    assert namesake["added"]
    assert namesake["id"] != 1


def test_what_a_captured_child_says_of_a_photo_is_not_enrolled(
    client: FlaskClient, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_face = Service.find_face

    def too_long(service: Service, content: bytes) -> Chosen:
        face = find_face(service, content).face
        return Chosen(replace(face, encoding=face.encoding * np.float32(20)))

    monkeypatch.setattr(Service, "find_face", too_long)
    refused = send_photo(client, photos / "biden.jpg", "name=Joe Biden")
    assert code_of(refused) == (422, "photo_unusable")
    assert client.get("/gallery?search=Biden").get_json()["performers"] == []


def test_an_endless_photo_is_refused(client: FlaskClient) -> None:
    response = client.post("/gallery/photos?id=1", headers=FROM_PAGE, data=bytes(64_000_001))
    assert code_of(response) == (413, "request_too_large")


def test_rename_merge_and_remove_change_what_is_listed(client: FlaskClient) -> None:
    post(client, "/gallery/rename", id=2, name="Amazing Grace")
    shown = client.get("/gallery/performer?id=2").get_json()
    assert (shown["name"], shown["aliases"]) == ("Amazing Grace", ["Grace Hopper"])
    assert post(client, "/gallery/merge", kept=2, absorbed=1).status_code == 200
    listed = client.get("/gallery").get_json()
    assert [(one["name"], one["photos"]) for one in listed["performers"]] == [("Amazing Grace", 3)]
    photo = client.get("/gallery/performer?id=2").get_json()["photos"][0]["hash"]
    assert post(client, "/gallery/remove-photo", id=2, photo=photo).get_json() == {"removed": 1}
    assert client.get("/gallery").get_json()["performers"][0]["photos"] == 2


def test_two_performers_have_one_name_only_if_that_is_said(client: FlaskClient) -> None:
    assert code_of(post(client, "/gallery/rename", id=1, name="Grace Hopper"))[1] == "name_taken"
    assert client.get("/gallery/performer?id=1").get_json()["name"] == "Barack Obama"
    assert post(client, "/gallery/rename", id=1, name="Grace Hopper", new=True).status_code == 200
    assert client.get("/gallery/performer?id=1").get_json()["name"] == "Grace Hopper"
    assert post(client, "/gallery/rename", id=2, name="Grace").status_code == 200


def test_an_alias_is_removed_and_the_others_stay(client: FlaskClient) -> None:
    post(client, "/gallery/rename", id=1, name="Barack")
    shown = client.get("/gallery/performer?id=1").get_json()
    assert set(shown["aliases"]) == {"44", "Barack Obama"}
    post(client, "/gallery/remove-alias", id=1, alias="44")
    assert client.get("/gallery/performer?id=1").get_json()["aliases"] == ["Barack Obama"]
    assert client.get("/gallery?search=44").get_json()["total"] == 0


def test_who_was_forgotten_is_gone_and_cannot_be_named_again(client: FlaskClient) -> None:
    result, _ = identify(client)
    assert post(client, "/gallery/forget", id=1).status_code == 200
    assert code_of(client.get("/gallery/performer?id=1")) == (404, "performer_not_found")
    fields = {"result": result, "person": 0, "name": "barack obama", "instead_of": 0}
    refused = post(client, "/corrections/name", **fields)
    assert code_of(refused) == (409, "correction_refused")
    assert "unforget" in refused.get_json()["error"]["message"]


def test_a_thumbnail_is_kept_by_no_browser(client: FlaskClient) -> None:
    response = client.get("/gallery/thumbnail?id=1")
    assert response.mimetype == "image/jpeg"
    # Where a browser keeps a copy, `forget` cannot reach it.
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers
    assert code_of(client.get("/gallery/thumbnail?id=9")) == (404, "performer_not_found")
    assert code_of(client.get("/gallery/thumbnail?id=x")) == (400, "bad_parameter")


def test_the_face_in_each_photo_is_shown_and_kept_by_no_browser(client: FlaskClient) -> None:
    photos = client.get("/gallery/performer?id=1").get_json()["photos"]
    assert len(photos) == 2
    for photo in photos:
        response = client.get(photo["face"])
        assert (response.status_code, response.mimetype) == (200, "image/jpeg")
        assert response.headers["Cache-Control"] == "no-store"
        with Image.open(io.BytesIO(response.data)) as shown:
            assert shown.size == (CHIP_PIXELS, CHIP_PIXELS)
        assert len(response.data) < 10_000
    assert code_of(client.get("/gallery/face?id=1&hash=none")) == (404, "performer_not_found")
    assert code_of(client.get("/gallery/face?hash=none")) == (400, "bad_parameter")


def test_ten_thousand_performers_are_listed_a_page_at_a_time(serve: Serve, tmp_path: Path) -> None:
    path = many_performers(tmp_path / "many.db", 10_000)
    client = serve(PERFORMERS_DB=str(path))
    first = client.get("/gallery").get_json()
    assert (len(first["performers"]), first["total"]) == (60, 10_000)
    last = client.get("/gallery?from=9960").get_json()["performers"]
    assert [one["name"] for one in last][-1] == "Performer 09999"
    found = client.get("/gallery?search=0123").get_json()
    assert found["performers"][0]["name"] == "Performer 00123"
    assert len(client.get("/gallery?limit=100000").get_json()["performers"]) == 200
    wild = client.get("/gallery?search=%25").get_json()
    assert wild["total"] == 0


def test_the_check_tells_what_is_well_and_names_no_folder(
    client: FlaskClient, own_gallery: Path
) -> None:
    answer = client.get("/gallery/check")
    findings = answer.get_json()["findings"]
    assert any(one["found"].startswith("Integrity") for one in findings)
    assert str(own_gallery.parent) not in answer.get_data(as_text=True)


def test_the_audit_names_each_flaw_and_follows_every_change(serve: Serve, tmp_path: Path) -> None:
    client = serve(PERFORMERS_DB=str(flawed_gallery(tmp_path / "flawed.db")))
    audit = client.get("/gallery/audit").get_json()
    assert (audit["performers"], audit["photos"]) == (6, 12)
    assert audit["total"] == len(audit["findings"]) == 4
    found = {
        one["kind"]: (one["performers"], [photo["number"] for photo in one["photos"]])
        for one in audit["findings"]
    }
    assert found["performers_too_alike"] == (["Jean", "Jeanne"], [])
    assert found["photo_nearer_to_another"] == (["Mary", "Ada"], [3])
    assert found["duplicate_photos"] == (["Grace"], [1, 3])
    assert found["no_photos"] == (["Nobody"], [])
    (alike,) = (one for one in audit["findings"] if one["kind"] == "performers_too_alike")
    kept, absorbed = alike["performer_ids"]
    post(client, "/gallery/merge", kept=kept, absorbed=absorbed)
    kinds = [one["kind"] for one in client.get("/gallery/audit").get_json()["findings"]]
    assert sorted(kinds) == ["duplicate_photos", "no_photos", "photo_nearer_to_another"]


def test_an_audit_is_made_once_for_each_state_of_the_gallery(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counting(*arguments: Any, **options: Any) -> Any:
        made.append(arguments)
        return audit_gallery(*arguments, **options)

    monkeypatch.setattr("function.web.page.audit.audit_gallery", counting)
    client = serve(PERFORMERS_DB=str(flawed_gallery(tmp_path / "flawed.db")))
    for _ in range(3):
        client.get("/gallery/audit")
    assert len(made) == 1
    post(client, "/gallery/rename", id=1, name="Somebody")
    client.get("/gallery/audit")
    assert len(made) == 2


def test_an_audit_that_would_take_too_long_is_refused_with_the_command_that_does_it(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("function.web.page.audit.MOST_PHOTOS", 11)
    client = serve(PERFORMERS_DB=str(flawed_gallery(tmp_path / "flawed.db")))
    refused = client.get("/gallery/audit")
    assert code_of(refused) == (422, "gallery_too_large")
    assert "python -m tools audit" in refused.get_json()["error"]["message"]


def test_only_the_worst_findings_are_listed_and_the_rest_counted(
    serve: Serve, tmp_path: Path
) -> None:
    client = serve(PERFORMERS_DB=str(many_performers(tmp_path / "many.db", 1000)))
    audit = client.get("/gallery/audit").get_json()
    assert (audit["total"], len(audit["findings"])) == (1000, 50)


def test_a_missing_gallery_can_be_made_from_the_page(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "fresh.db"
    client = serve(PERFORMERS_DB=str(path))
    for wanted in ("/gallery", "/gallery/check", "/gallery/audit", "/ready"):
        assert code_of(client.get(wanted)) == (503, "gallery_unavailable")
    assert post(client, "/gallery/create").status_code == 200
    assert client.get("/gallery").get_json() == {"performers": [], "total": 0}
