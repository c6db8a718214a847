"""Settings: every environment variable, with its type, default and meaning, in one table."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_type_hints

from db.addresses import StoreAddress
from function.cores import count_cores
from function.engines.cuda import may_use_cuda
from function.engines.protocol import DETECTORS, DEVICES, DetectorName, DeviceName, EngineOptions
from function.media.decoders import GPU_DECODERS, DecodeName
from function.memory import count_memory_megabytes
from function.setting_kinds import (
    ALL_DAY,
    FILE,
    HOST,
    HOURS,
    INTERVAL,
    NETWORKS,
    ORIGINS,
    PAIRS,
    PERCENT,
    PERIOD,
    PLUGIN_TOKEN,
    PORT,
    ROOTS,
    SECOND_ENCODER,
    SECONDS,
    SHIPPED_SECOND,
    STORE,
    STRANGERS,
    TEXT,
    TOKEN,
    WORDS,
    Hours,
    Kind,
    Network,
    SettingError,
    choice,
    count_or,
    count_to,
)

SandboxName: TypeAlias = Literal["on", "strict", "off"]

MOST_THREADS = 16
"""A video of 20 minutes has 15 stretches that can be searched apart."""

FEWEST_HELPER_MEGABYTES = 256
"""What a helper may take at least. Films of 1080p take 80."""

HELPERS_SHARE = 2
"""All helpers of a video have at most this many times MEMORY_MEGABYTES: enough for 16 by
default."""

MOST_NET_THREADS = 3
"""In one process: the nets are small, and their layers soon wait for each other."""

CORES_PER_SLOT, MOST_SLOTS = 4, 4
"""One video uses all cores, so a second slot is there for the short request behind a long one."""

MOST_SCANNED_AT_ONCE = 8
"""A scan reads at most this many videos at once unless told otherwise."""

SLOT_MEGABYTES, SCANNED_MEGABYTES = 2048, 1024
"""How much memory the machine has for each slot, and for each video that a scan reads at once."""

WITHOUT_HELPERS_MEGABYTES, HELPER_MEGABYTES = 1024, 256
"""The first of these megabytes are for everything else; from what is left each helper gets the
second.

On 1080p a child takes 300 MB at work, a helper 100, and the server 200. By these rules all of them
together, in every slot and in a scan, take at most 92 % of any memory from 1 GB on. A helper that
searches crowds in 4K takes 186 MB; with fewer for each, four slots would fill all of 8 GB.
"""


def default_threads() -> int:
    """Return how many processes search a video, unless the user says so."""
    left = max(count_memory_megabytes() - WITHOUT_HELPERS_MEGABYTES, 0)
    helpers = left // (HELPER_MEGABYTES * default_slots())
    return min(count_cores(), MOST_THREADS, 1 + helpers)


def default_slots() -> int:
    """Return how many videos are processed at once, unless the user says so."""
    fitting = count_memory_megabytes() // SLOT_MEGABYTES
    return max(1, min(count_cores() // CORES_PER_SLOT, fitting, MOST_SLOTS))


MOST_MATCHES = 1_000
MOST_DETECTION_PIXELS = 16_384
"""No picture that is read has a longer side, and no copy is larger than its picture."""

MOST_THREADS_SET, MOST_SLOTS_SET, MOST_MEGABYTES = 256, 64, 1_048_576
"""More than any machine is given for this; each thread and slot is a process, or several."""

USUAL_STORE = StoreAddress("performers.db")
USUAL_LIBRARY = StoreAddress("library.db")


@dataclass(frozen=True)
class Settings:
    """Configuration from the environment; field `name` is read from variable NAME."""

    media_root: Annotated[
        tuple[Path, ...], ROOTS, "the only folders videos are read from, separated by `:`"
    ] = (Path("/data"),)
    path_map: Annotated[
        tuple[tuple[str, str], ...],
        PAIRS,
        "how callers see these folders: `/theirs=/ours`, pairs separated by `;`",
    ] = ()
    performers_db: Annotated[StoreAddress, STORE, "the gallery, one SQLite file"] = USUAL_STORE
    library_db: Annotated[
        StoreAddress,
        STORE,
        "the ledger: what scans found, one SQLite file of faces and times that only you can read",
    ] = USUAL_LIBRARY
    strangers: Annotated[
        str,
        STRANGERS,
        "whether a scan keeps people you did not enrol, to name them later without "
        "another scan: keep, off, or for how many days, as in 90d (each scan erases older ones); "
        "if not set: as chosen at the first scan, and off until then",
    ] = ""
    scan_hours: Annotated[
        Hours,
        HOURS,
        "the hours in which the server scans, like `1-7`; a video in work is finished",
    ] = ALL_DAY
    scan_every: Annotated[
        timedelta | Literal["off"],
        PERIOD,
        "how often the server looks for new videos in the media root, like `1h`, and scans them",
    ] = "off"
    scan_pictures: Annotated[
        Literal["on", "off"],
        choice("on", "off"),
        "whether scans of folders also look for albums: folders of pictures, and zip archives",
    ] = "off"
    stash_url: Annotated[
        str,
        TEXT,
        "your Stash, as this machine reaches it, like `http://localhost:9999`; if not set: the one "
        "that `tools stash connect`, or Connect in Stash, named",
    ] = ""
    stash_api_key: Annotated[
        str,
        TEXT,
        "the API key of `STASH_URL`, from Stash's settings under Security; needed if it has a "
        "password",
    ] = field(default="", repr=False)
    every_seconds: Annotated[
        float | None,
        INTERVAL,
        "seconds between samples; auto: about 240 a video, 0.5 to 5 s apart. Shots that begin in "
        "between are sampled too, if the file marks them",
    ] = None
    min_score: Annotated[float, PERCENT, "matches with a lower score are left out"] = 20.0
    max_matches: Annotated[int, count_to(MOST_MATCHES), "most matches listed for one person"] = 5
    engine: Annotated[str, TEXT, "onnx (fast), dlib (reference), or auto: the first that works"] = (
        "auto"
    )
    detector: Annotated[
        DetectorName,
        choice(*DETECTORS),
        "yunet: faces of any size, at any angle; cnn: dlib's, upright faces at least a twelfth of "
        "the picture wide, at 5 to 10 times the cost; hog: dlib's, frontal faces at least half as "
        "wide as for cnn, at the same cost",
    ] = "yunet"
    second_encoder: Annotated[
        Literal["on", "sface", "off"] | Path,
        SECOND_ENCODER,
        "compares each person's best views by a second net, Light CNN, as well: more are named, "
        "and fewer strangers; takes `DETECTOR=yunet`. sface: by SFace, which earlier versions "
        "used; off: by dlib's net alone. Or the path of a TOML file that describes "
        "[your own net](own-encoder.md)",
    ] = "on"
    hints: Annotated[
        Literal["on", "off"],
        choice("on", "off"),
        "a performer whose name or alias is in the video's path, or whom you tagged on it in "
        "Stash, is likelier; never named unless the face agrees",
    ] = "on"
    device: Annotated[
        DeviceName,
        choice(*DEVICES),
        "where the nets run; cuda (NVIDIA), openvino (Intel) and migraphx (AMD; both without "
        "`DETECTOR=yunet` and the second net, which stay on the CPU) refuse to start without a "
        "GPU, auto uses an NVIDIA one if there is one",
    ] = "auto"
    decode: Annotated[
        DecodeName,
        choice("auto", "cpu", *GPU_DECODERS),
        "what decodes videos: auto takes an NVIDIA GPU's decoder if the nets run on CUDA; cuda and "
        "vaapi (Intel, AMD) refuse to start without one; what a GPU cannot decode, the processor "
        "does. cpu keeps every lock of the sandbox",
    ] = "auto"
    detection_pixels: Annotated[
        int,
        count_to(MOST_DETECTION_PIXELS),
        "longest side of the copy of each picture that is searched for distant faces; in the copy "
        "yunet finds faces of 11 pixels or more, cnn of 80, hog of 40. On CUDA at most 6400",
    ] = 960
    threads: Annotated[
        int,
        count_or(default_threads, MOST_THREADS_SET),
        "processes that search a long video together, on Linux; where there can be no others "
        "(an Intel or AMD GPU, `DETECTOR=cnn` on CUDA, macOS, `SANDBOX=off`), threads that run the "
        "nets, one less and at most 3; auto: one for each core that the machine or the container "
        "has, at most 16, and fewer if it has little memory; on an NVIDIA GPU 16 need 6 GB of its "
        "memory for the nets, and 9 GB to decode",
    ] = field(default_factory=default_threads)
    slots: Annotated[
        int,
        count_or(default_slots, MOST_SLOTS_SET),
        "videos processed at once; other requests wait in line, the page's as long as it takes, "
        "others 5 s, then they get 429; auto: one for each four cores and 2 GB, at most 4",
    ] = field(default_factory=default_slots)
    time_limit_seconds: Annotated[float, SECONDS, "time limit for one video; then 504"] = 600.0
    memory_megabytes: Annotated[
        int,
        count_to(MOST_MEGABYTES),
        "most memory for one video, besides the nets; above that, 413. Those that help with a long "
        "one share as much again; they have 256 each at least, and twice as much together at most",
    ] = 2048
    sandbox: Annotated[
        SandboxName,
        choice("on", "strict", "off"),
        "on: videos and photos are read in a locked child process; strict: refuses to run where "
        "the kernel cannot lock it; off: the server reads them itself",
    ] = "on"
    cache_folder: Annotated[
        Path | None, FILE, "where the converted nets are kept; the user's cache folder if not set"
    ] = None
    host: Annotated[str, HOST, "address to listen on"] = "127.0.0.1"
    port: Annotated[int, PORT, "port to listen on"] = 8080
    token: Annotated[
        str,
        TOKEN,
        "the secret that callers send; not needed if only this machine can connect. If needed and "
        "not set, one is generated and logged; `off`: anyone who can reach the port may call",
    ] = field(default="", repr=False)
    plugin_token: Annotated[
        str,
        PLUGIN_TOKEN,
        "a second secret, for Stash's plugin: it opens `/stash` and `/library` only, and can "
        "neither forget nor export anybody; others who use your Stash may be able to read it; "
        "`off`, or not set: there is none",
    ] = field(default="", repr=False)
    trusted_hosts: Annotated[
        tuple[str, ...],
        WORDS,
        "the only host names callers may use; if not set: `localhost`, IP addresses and, with the "
        "token, any name",
    ] = ()
    trusted_proxies: Annotated[
        tuple[Network, ...],
        NETWORKS,
        "addresses of proxies in front, or networks like `10.0.0.0/8`: their `X-Forwarded-For` and "
        "`X-Forwarded-Host` are believed; whoever comes through any proxy needs the token",
    ] = ()
    origins: Annotated[
        tuple[str, ...],
        ORIGINS,
        "other servers whose web pages may send requests, as `https://name:port`",
    ] = ()
    log_level: Annotated[
        str, choice("DEBUG", "INFO", "WARNING", "ERROR"), "how detailed the log is"
    ] = "INFO"

    @property
    def helpers(self) -> int:
        """How many processes search a long video together with the first: THREADS, less that one.

        There are no more than have enough memory each. With an Intel or AMD GPU, with dlib's CNN on
        CUDA, and other than on Linux, a process cannot be copied.
        """
        is_copied = {self.device, self.decode} <= {"auto", "cpu", "cuda"} and not (
            self.detector == "cnn" and may_use_cuda(self.device)
        )
        if sys.platform != "linux" or not is_copied:
            return 0
        fitting = HELPERS_SHARE * (self.memory_megabytes // FEWEST_HELPER_MEGABYTES)
        return min(self.threads - 1, fitting)

    @property
    def helper_megabytes(self) -> int:
        """The memory that each helper may take at most; a few share as much as the first has."""
        return max(FEWEST_HELPER_MEGABYTES, self.memory_megabytes // max(1, self.helpers))

    @property
    def net_threads(self) -> int:
        """Threads that run the nets in each process: one where helpers use the other cores."""
        return 1 if self.helpers and self.sandbox != "off" else self.net_threads_alone

    @property
    def net_threads_alone(self) -> int:
        """Threads that run the nets in a process that turns out to have no helpers."""
        return max(1, min(self.threads, MOST_NET_THREADS + 1) - 1)

    def for_scanning(self, at_once: int | None = None) -> "Settings":
        """Return these settings for a scan: as many processes, but most of them on separate videos.

        SLOTS is how many videos to read at once: `at_once`, or else as many as keep the cores busy
        and the memory holds. Several separate ones use the cores better than one shared one, whose
        processes wait for each other at its end.
        """
        fitting = count_memory_megabytes() // SCANNED_MEGABYTES
        slots = at_once or max(self.slots, min(self.threads, fitting, MOST_SCANNED_AT_ONCE))
        return replace(self, slots=slots, threads=max(1, self.threads // slots))

    @property
    def finds_pictures(self) -> bool:
        """Whether a scan looks for albums unless it is told otherwise."""
        return self.scan_pictures == "on"

    @property
    def engine_options(self) -> EngineOptions:
        """The settings for the engine."""
        return EngineOptions(
            detector=self.detector,
            device=self.device,
            threads=self.net_threads,
            cache_folder=self.cache_folder,
            second_encoder=(
                self.second_encoder
                if isinstance(self.second_encoder, Path)
                else SHIPPED_SECOND[self.second_encoder]
            ),
            detection_pixels=self.detection_pixels,
        )

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings from `environment`; an unset or empty variable means its default.

        Raises: SettingError: a variable holds an unusable value, or two do not go together; the
        message names the variables.
        """
        hints = get_type_hints(cls, include_extras=True)
        values = {}
        for setting in fields(cls):
            variable = setting.name.upper()
            text = environment.get(variable, "").strip()
            if text:
                values[setting.name] = parse_value(variable, text, hints[setting.name])
        return _require_together(cls(**values))


def _require_together(settings: Settings) -> Settings:
    if isinstance(settings.second_encoder, Path) and settings.detector != "yunet":
        raise SettingError(
            f"SECOND_ENCODER names a net, and DETECTOR is {settings.detector!r}, which finds no "
            "points to cut its chips by. Set DETECTOR=yunet, or SECOND_ENCODER=off."
        )
    return settings


def parse_value(variable: str, text: str, hint: Any) -> Any:
    """Read `text` as the Kind that a field's annotation names.

    Raises:
        SettingError: the text is not a valid value.
    """
    kind: Kind = hint.__metadata__[0]
    try:
        return kind.parse(text)
    except ValueError:
        raise SettingError(f"{variable} is {kind.show(text)!r}; it must be {kind.form}.") from None
