"""What the images and manifests say, and that their steps work in an empty place."""

import http.client
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
from distributed.cli import dask_scheduler, dask_worker
from ruamel.yaml import YAML

from db.sqlite.store import StoredGallery
from function.settings import Settings
from tools.verbs import scanning

ROOT = Path(__file__).parents[1]
DOCKERFILES = [ROOT / "Dockerfile", ROOT / "Dockerfile.gpu"]
SERVICES = [ROOT / "deploy" / "service.yaml", ROOT / "deploy" / "service-gpu.yaml"]
COMPOSE = ROOT / "deploy" / "compose.yaml"
DASK = ROOT / "deploy" / "compose-dask.yaml"
PYTHONS_OWN = {"PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
DRIVERS_OWN = {"NVIDIA_DRIVER_CAPABILITIES"}


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n\s*", " ", dockerfile.read_text()).splitlines()
    return [tuple(line.split(" ", 1)) for line in lines if re.match("[A-Z]+ ", line)]  # type: ignore[misc]


def environment(dockerfile: Path) -> dict[str, str]:
    (pairs,) = (rest for word, rest in instructions(dockerfile) if word == "ENV")
    return dict(pair.split("=", 1) for pair in pairs.split())


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_starts_the_server_itself_as_nobody_special(dockerfile: Path) -> None:
    said = dict(instructions(dockerfile))
    assert json.loads(said["CMD"]) == ["python", "-m", "function.server"]
    assert int(said["USER"]) > 0
    assert "function.healthcheck" in said["HEALTHCHECK"]
    assert "org.opencontainers.image.title" in said["LABEL"]
    assert not re.search(r"\b(gcc|g\+\+|cmake|build-essential)\b", dockerfile.read_text())


def test_the_image_for_a_gpu_is_given_the_drivers_part_for_video() -> None:
    given = environment(ROOT / "Dockerfile.gpu")["NVIDIA_DRIVER_CAPABILITIES"]
    assert set(given.split(",")) == {"compute", "utility", "video"}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_sets_settings_that_exist_and_no_secret(dockerfile: Path) -> None:
    given = environment(dockerfile)
    known = {field.name.upper() for field in fields(Settings)}
    assert set(given) - PYTHONS_OWN - DRIVERS_OWN <= known
    assert "TOKEN" not in given
    settings = Settings.from_env(given)
    assert settings.media_root == (Path("/data"),)
    assert settings.performers_db.path == Path("/db/performers.db")
    assert settings.library_db.path.parent == settings.performers_db.path.parent


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_what_an_image_copies_is_there_and_let_through(dockerfile: Path) -> None:
    let_through = {
        line.strip("!/\n")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copies = [rest.split() for word, rest in instructions(dockerfile) if word == "COPY"]
    sources = {one for copy in copies if not copy[0].startswith("--") for one in copy[:-1]}
    for source in sources:
        assert (ROOT / source).exists()
        assert source.split("/")[0] in let_through
    assert [copy for copy in copies if copy[0].startswith("--from")] == [
        ["--from=built", "/opt", "/opt"]
    ]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_compiles_what_it_copies_before_nobody_may_write_there(dockerfile: Path) -> None:
    said = instructions(dockerfile)
    last_copy = max(number for number, (word, _) in enumerate(said) if word == "COPY")
    compiling = ("RUN", "/opt/venv/bin/python -m compileall -q db function tools")
    assert last_copy < said.index(compiling) < said.index(("USER", "10001"))


def test_both_images_install_with_the_same_script() -> None:
    runs = [
        rest
        for dockerfile in DOCKERFILES
        for word, rest in instructions(dockerfile)
        if word == "RUN" and "install.sh" in rest
    ]
    assert runs == [f"deploy/install.sh /opt/venv /opt/nets {device}" for device in ("cpu", "gpu")]


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def read_compose(path: Path) -> Any:
    """Read a compose file that its schema allows, and whose services can do as little as may be."""
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*checker, str(path)], check=True, capture_output=True)
    composed = read_yaml(path)
    for service in composed["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        for folder in service.get("volumes", []):
            assert isinstance(folder, str) or folder["read_only"] is True
    return composed


def test_the_compose_file_is_one_and_gives_nothing_away() -> None:
    composed = read_compose(COMPOSE)
    service = composed["services"]["recognition"]
    assert [one["target"] for one in service["volumes"] if isinstance(one, dict)] == ["/data"]
    assert all(composed["networks"][name]["internal"] for name in service["networks"])
    assert composed["services"]["gate"]["ports"] == ["127.0.0.1:8080:8080"]


def test_the_compose_file_for_several_machines_has_options_that_exist_and_speaks_tls() -> None:
    services = read_compose(DASK)["services"]
    known = {
        "scheduler": dask_scheduler.main,
        "worker": dask_worker.main,
        "scan": scanning.scan,
    }
    assert services.keys() == known.keys()
    for name, command in known.items():
        service = services[name]
        given = [word for word in service["command"] if word.startswith("--")]
        named = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
        assert set(given) <= named, name
        assert {one.split("-file")[0] for one in given} >= {"--tls-ca", "--tls-cert", "--tls-key"}
        assert "tls" in " ".join(service["command"]).replace("--tls", "")
        targets = {one["target"] for one in service["volumes"] if isinstance(one, dict)}
        assert targets == ({"/certificates"} if name == "scheduler" else {"/certificates", "/data"})
        assert service["build"]["args"] == {"EXTRA": "dask"}
        assert set(service.get("environment", {})) <= {one.name.upper() for one in fields(Settings)}
    assert not any("/db" in str(one) for one in services["worker"]["volumes"]), "no gallery there"


def test_stash_and_the_server_see_the_same_videos_as_the_same_user() -> None:
    path = ROOT / "deploy" / "compose-stash.yaml"
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    subprocess.run([*checker, str(path)], check=True, capture_output=True)
    composed = read_yaml(path)
    stash, ours = composed["services"]["stash"], composed["services"]["recognition"]
    assert stash["user"] == ours["user"]
    assert stash["networks"] == ours["networks"]
    videos = [service["volumes"][0] for service in (stash, ours)]
    assert videos[0]["target"] == videos[1]["target"] == environment(DOCKERFILES[0])["MEDIA_ROOT"]
    assert videos[1]["read_only"] is True
    assert all(port.startswith("127.0.0.1:") for one in (stash, ours) for port in one["ports"])
    said = ours["environment"]
    assert set(said) - {"STASH_URL", "STASH_API_KEY"} <= {f.name.upper() for f in fields(Settings)}


KUBERNETES = "1.33"

KNATIVES_OWN = {
    "containerConcurrency": {"type": "integer", "minimum": 0},
    "timeoutSeconds": {"type": "integer", "minimum": 1},
    "responseStartTimeoutSeconds": {"type": "integer", "minimum": 1},
    "idleTimeoutSeconds": {"type": "integer", "minimum": 1},
}
"""What the spec of a revision has beside a pod's."""

PODS_THAT_KNATIVE_TAKES = (
    *("containers", "volumes", "serviceAccountName", "imagePullSecrets", "enableServiceLinks"),
    *("automountServiceAccountToken", "nodeSelector"),
)
"""Of a pod's own fields; the last one only with the feature that docs/deploy.md names."""


def closed(*required: str, **properties: Any) -> dict[str, Any]:
    """Write the schema of an object that has these fields and no other."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


WORDS = {"type": "object", "additionalProperties": {"type": "string"}}
REVISION = closed(
    *("containers", "containerConcurrency", "timeoutSeconds"),
    **KNATIVES_OWN,
    **dict.fromkeys(PODS_THAT_KNATIVE_TAKES, True),
)
KNATIVE_SERVICE = closed(
    *("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "serving.knative.dev/v1"},
    kind={"const": "Service"},
    metadata=closed("name", name={"type": "string"}, labels=WORDS, annotations=WORDS),
    spec=closed(
        "template",
        template=closed("spec", metadata=closed(labels=WORDS, annotations=WORDS), spec=REVISION),
        traffic={"type": "array"},
    ),
)
"""serving.knative.dev/v1 Service, as its documentation describes it."""


def pod_of(service: Any) -> dict[str, Any]:
    """Make the pod that Knative makes: its own fields gone, the container named."""
    spec = service["spec"]["template"]["spec"]
    pod = {name: value for name, value in spec.items() if name not in KNATIVES_OWN}
    pod["containers"] = [{"name": "user-container", **one} for one in spec["containers"]]
    metadata = {"name": "a-pod", **service["spec"]["template"]["metadata"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}


def check_manifest(service: Any) -> None:
    jsonschema.validate(service, KNATIVE_SERVICE)
    kubernetes_validate.validate(pod_of(service), KUBERNETES, strict=True)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_knative_service_and_its_pod_are_what_their_schemas_say(path: Path) -> None:
    check_manifest(read_yaml(path))


@pytest.mark.parametrize(
    ("place", "field", "wrong"),
    [
        ([], "knd", "Service"),
        (["spec"], "replicas", 2),
        (["spec", "template", "spec"], "containerConcurrency", "2"),
        (["spec", "template", "spec"], "hostNetwork", True),
        (["spec", "template", "spec", "containers", 0], "command", "python"),
        (["spec", "template", "spec", "containers", 0, "securityContext"], "runAsNobody", True),
        (["spec", "template", "spec", "containers", 0, "readinessProbe"], "periodSecond", 1),
        (["spec", "template", "spec", "containers", 0, "env", 0], "value", 2),
        (["spec", "template", "spec", "volumes", 0], "persistentVolumeClaim", {"claim": "videos"}),
    ],
)
def test_a_mistake_in_a_manifest_is_seen(place: list[str | int], field: str, wrong: object) -> None:
    service = read_yaml(SERVICES[0])
    found = service
    for step in place:
        found = found[step]
    found[field] = wrong
    with pytest.raises(jsonschema.ValidationError):
        check_manifest(service)


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_a_knative_service_takes_what_it_has_slots_for(path: Path) -> None:
    service = read_yaml(path)
    pod = service["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    given = {one["name"]: one.get("value") for one in container["env"]}
    assert pod["containerConcurrency"] == int(given["SLOTS"])
    assert float(given["TIME_LIMIT_SECONDS"]) < pod["timeoutSeconds"]
    assert given["TOKEN"] is None, "it comes from a secret"
    assert set(given) <= {field.name.upper() for field in fields(Settings)}
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert security["runAsNonRoot"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": 8080}
    assert {one["name"] for one in container["volumeMounts"]} == {
        one["name"] for one in pod["volumes"]
    }
    has_gpu = "nvidia.com/gpu" in container["resources"]["limits"]
    assert has_gpu == ("gpu" in path.name)


BUILD_AND_RUN = re.compile(r"docker build -t (\S+)(?: -f (\S+))? \.\n(?:# )?docker run (.+)")
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "deploy.md"]


@pytest.mark.parametrize("document", [*DOCUMENTS, *DOCKERFILES], ids=lambda path: path.name)
def test_the_lines_that_build_and_run_an_image_fit_it(document: Path) -> None:
    lines = BUILD_AND_RUN.findall(document.read_text())
    assert lines
    for image, file, arguments in lines:
        dockerfile = ROOT / (file or "Dockerfile")
        given = environment(dockerfile)
        *options, started = shlex.split(arguments)
        assert started == image == read_yaml(COMPOSE)["services"]["recognition"]["image"]
        assert dict(instructions(dockerfile))["EXPOSE"] == given["PORT"]
        assert f"-p{given['PORT']}:{given['PORT']}" in options
        mounted = {one.split(":")[1] for one in options if one.startswith("$PWD/")}
        assert mounted == {given["MEDIA_ROOT"], str(Path(given["PERFORMERS_DB"]).parent)}
        assert ("--gpus" in options) == (dockerfile.suffix == ".gpu")


def test_the_documentation_tells_how_to_run_both_images_with_settings_that_exist() -> None:
    text = DOCUMENTS[1].read_text()
    built = {file or "Dockerfile" for _, file, _ in BUILD_AND_RUN.findall(text)}
    assert built == {dockerfile.name for dockerfile in DOCKERFILES}
    settings = set(re.findall(r"-e (\w+)=", text))
    assert {"TOKEN"} <= settings <= {field.name.upper() for field in fields(Settings)}


def test_the_health_check_fails_where_nothing_answers() -> None:
    command = [sys.executable, "-m", "function.healthcheck"]
    done = subprocess.run(command, cwd=ROOT, env={"PORT": "9"}, check=False, capture_output=True)
    assert done.returncode != 0


@pytest.mark.skipif("CI" not in os.environ, reason="takes minutes; set CI=1 to run it")
def test_the_steps_of_the_image_work_in_an_empty_place(tmp_path: Path) -> None:
    """The image's own script in a new virtual environment, then its start and health check."""
    app, opt = tmp_path / "app", tmp_path / "opt"
    for name in ("db", "function", "tools", "stash", "deploy"):
        shutil.copytree(ROOT / name, app / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "requirements-dask.txt"):
        shutil.copy(ROOT / name, app)
    script = [str(app / "deploy" / "install.sh"), str(opt / "venv"), str(opt / "nets"), "cpu"]
    subprocess.run(script, check=True, env=os.environ | {"PYTHON": sys.executable})
    assert not (opt / "venv" / "bin" / "pip").exists()
    StoredGallery(tmp_path / "performers.db", create=True).close()
    (tmp_path / "data").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = environment(DOCKERFILES[0]) | {
        "PATH": f"{opt}/venv/bin:/usr/bin:/bin",
        "PYTHONPATH": str(app),
        "CACHE_FOLDER": str(opt / "nets"),
        "MEDIA_ROOT": str(tmp_path / "data"),
        "PERFORMERS_DB": str(tmp_path / "performers.db"),
        "PORT": str(port),
    }
    command = json.loads(dict(instructions(DOCKERFILES[0]))["CMD"])
    nets = {path: path.stat().st_mtime_ns for path in (opt / "nets").iterdir()}
    assert len(nets) == 8, (
        "dlib's encoder and Light CNN in floats and bytes, SFace, three detectors"
    )
    before = set(app.rglob("*"))
    python = str(opt / "venv" / "bin" / "python")
    with subprocess.Popen([python, *command[1:]], cwd=app, env=said) as server:
        try:
            assert wait_for_ready(port) == 200
            check = [python, "-m", "function.healthcheck"]
            subprocess.run(check, cwd=app, env=said, check=True)
        finally:
            server.terminate()
    assert server.returncode == 0
    assert set(app.rglob("*")) == before, "the root file system may be read-only"
    assert {path: path.stat().st_mtime_ns for path in (opt / "nets").iterdir()} == nets


def wait_for_ready(port: int) -> int:
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            with closing(connection):
                connection.request("GET", "/ready")
                return connection.getresponse().status
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_actions_are_named_by_what_they_are_and_not_by_a_tag_that_may_move() -> None:
    uses = [
        line.split("uses:")[1].split("#")[0].strip()
        for path in (ROOT / ".github" / "workflows").iterdir()
        for line in path.read_text().splitlines()
        if "uses:" in line
    ]
    assert uses
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in uses), uses
