"""Over TLS, with real faces and locked children, a scan finds what it finds here."""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from db.sqlite.ledger import SqliteLedger
from function.errors import EngineUnavailableError
from tests.support.clusters import HELD, ROOT, DaskCluster, wait_until
from tests.support.scans import make_gallery, write_many
from tools.cluster.connecting import Certificates, connect

DASKS = ("--tls-ca-file", "--tls-cert", "--tls-key")
OURS = ("--tls-ca", "--tls-cert", "--tls-key")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    return make_certificates(folder)


def make_certificates(folder: Path) -> Certificates:
    authority = trustme.CA()
    ours = authority.issue_cert("localhost")
    made = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(made.tls_ca_file))
    ours.cert_chain_pems[0].write_to_path(str(made.tls_client_cert))
    ours.private_key_pem.write_to_path(str(made.tls_client_key))
    return made


@pytest.fixture
def cluster(tmp_path: Path, certificates: Certificates) -> Iterator[DaskCluster]:
    with DaskCluster(tmp_path, *options_for(certificates, *DASKS)) as cluster:
        yield cluster


def options_for(made: Certificates, *names: str) -> list[str]:
    files = map(str, vars(made).values())
    return [part for pair in zip(names, files, strict=True) for part in pair]


def scan(media: Path, library: Path, gallery: Path, *options: str) -> "subprocess.Popen[str]":
    """Start the verb in a process of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tools", "scan", "--library", str(library)),
            *("--db", str(gallery), "--strangers", "keep", *options),
        ],
        cwd=ROOT,
        env=os.environ | {"MEDIA_ROOT": str(media)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def asking(cluster: DaskCluster, certificates: Certificates) -> list[str]:
    return ["--dask", cluster.address, *options_for(certificates, *OURS)]


def people_in(path: Path) -> list[tuple[object, ...]]:
    with SqliteLedger(path) as ledger:
        videos = [one.id for one in ledger.iterate("done")]
        return [
            (
                sighting.video,
                sighting.position,
                sighting.person.seen,
                len(sighting.person.picture),
                tuple(vector.tobytes() for v in sighting.person.views for vector in v.encodings),
            )
            for people in ledger.sightings(videos).values()
            for sighting in people
        ]


def test_real_faces_are_found_over_tls_as_they_are_here(
    cluster: DaskCluster,
    certificates: Certificates,
    clip_folder: Path,
    gallery_path: Path,
    tmp_path: Path,
) -> None:
    cluster.worker(clip_folder, (), SECOND_ENCODER="on")
    there, here = tmp_path / "there.db", tmp_path / "here.db"
    done = scan(clip_folder, there, gallery_path, *asking(cluster, certificates))
    out, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    report = json.loads(out)
    assert (report["scanned"], report["failed"]) == (4, 0)
    assert report["named"] == 3
    scan(clip_folder, here, gallery_path).communicate(timeout=300)
    assert len(people_in(here)) == 4
    assert people_in(there) == people_in(here)


def test_ctrl_c_ends_it_cleanly_and_frees_the_workers(
    cluster: DaskCluster, certificates: Certificates, tmp_path: Path
) -> None:
    media, library = tmp_path / "media", tmp_path / "l.db"
    write_many(media, 2)
    cluster.hold.touch()
    cluster.worker(media, HELD, SECOND_ENCODER="off")
    options = asking(cluster, certificates)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SECOND_ENCODER", "off")
        started = scan(media, library, make_gallery(tmp_path / "g.db"), *options)
    wait_until(lambda: len(cluster.lines()) == 1)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 1
    assert "Run it again to go on." in err
    assert "Traceback" not in err
    with SqliteLedger(library) as ledger:
        assert ledger.counts() == (2, 0, 0, 0, 0)
        assert [one.tries for one in ledger.iterate()] == [0, 0]
    wait_until(lambda: len(cluster.lines("ended")) == 1)


def test_a_shell_that_is_killed_frees_the_workers(
    cluster: DaskCluster, certificates: Certificates, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    write_many(media, 2)
    cluster.hold.touch()
    cluster.worker(media, HELD)
    options = asking(cluster, certificates)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SECOND_ENCODER", "off")
        started = scan(media, tmp_path / "l.db", make_gallery(tmp_path / "g.db"), *options)
    wait_until(lambda: len(cluster.lines()) == 1)
    started.kill()
    started.communicate()
    wait_until(lambda: len(cluster.lines("ended")) == 1)


def test_certificates_of_another_authority_are_refused(
    cluster: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.cluster.connecting.CONNECTED_WITHIN_SECONDS", 3.0)
    (tmp_path / "strange").mkdir()
    with pytest.raises(EngineUnavailableError, match="from the same authority"):
        connect(cluster.address, make_certificates(tmp_path / "strange"))


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
def test_the_certificate_that_the_documentation_makes_is_good(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "cluster.md").read_text()
    (lines,) = re.findall(r"^(openssl .*?)^```", text, re.DOTALL | re.MULTILINE)
    subprocess.run(["sh", "-ec", lines], cwd=tmp_path, check=True, capture_output=True)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = Certificates(cert, cert, key)
    with DaskCluster(tmp_path, *options_for(made, *DASKS)) as cluster:
        connect(cluster.address, made).close()
    strict = ssl.create_default_context(cafile=str(cert))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    strict.check_hostname = False
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    shake_hands(strict, server)


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    """Connect both ends in memory; raises SSLError if they do not trust each other."""
    one, two = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(one, two), server.wrap_bio(two, one, server_side=True)]
    for end in ends * 4:
        with suppress(ssl.SSLWantReadError):
            end.do_handshake()
    assert ends[0].version()


def test_places_that_workers_cannot_see_and_a_library_in_use_are_refused(tmp_path: Path) -> None:
    media, gallery = tmp_path / "media", make_gallery(tmp_path / "g.db")
    write_many(media, 1)
    (tmp_path / "elsewhere").mkdir()
    options = ("--dask", "tcp://127.0.0.1:1")
    outside = scan(media, tmp_path / "l.db", gallery, str(tmp_path / "elsewhere"), *options)
    assert "is not inside MEDIA_ROOT" in outside.communicate(timeout=60)[1]
    assert outside.returncode == 1
    with SqliteLedger(tmp_path / "l.db") as ledger, ledger.working() as is_ours:
        assert is_ours
        second = scan(media, tmp_path / "l.db", gallery, *options)
        assert "Another process scans for this library" in second.communicate(timeout=60)[1]
        assert ledger.counts() == (0, 0, 0, 0, 0), "nothing was queued for the other"
