"""Settings: every environment variable, with its type, default and meaning, in one table."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from function.engines import DetectorName, DeviceName


class SettingError(ValueError):
    """An environment variable holds a value that cannot be used."""


@dataclass(frozen=True)
class Kind:
    """A kind of value: how it is read from text, and how a person would say what it must be."""

    parse: Callable[[str], Any]
    form: str


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise ValueError(text)
    return value


def _percent(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 100:  # noqa: PLR2004  # percent
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _choice(*choices: str) -> Kind:
    return Kind(lambda text: choices[choices.index(text)], " or ".join(choices))


TEXT = Kind(str, "text")
FILE = Kind(Path, "a path")
COUNT = Kind(_count, "a whole number, 1 or more")
PERCENT = Kind(_percent, "a number from 0 to 100")
INTERVAL = Kind(
    lambda text: None if text == "auto" else _positive(text), "a number of seconds above 0, or auto"
)


@dataclass(frozen=True)
class Settings:
    """What the function may be told by its environment; field `name` is read from variable NAME."""

    media_root: Annotated[Path, FILE, "the only folder whose videos are looked at"] = Path("/data")
    performers_db: Annotated[Path, FILE, "the gallery, one SQLite file"] = Path("performers.db")
    every_seconds: Annotated[
        float | None, INTERVAL, "seconds between samples; auto: about 240 a video, 0.5 to 5 s apart"
    ] = None
    min_score: Annotated[float, PERCENT, "matches with a lower score are left out"] = 20.0
    max_matches: Annotated[int, COUNT, "matches listed for each person"] = 5
    engine: Annotated[str, TEXT, "onnx (fast), dlib (reference), or auto: the first that runs"] = (
        "auto"
    )
    detector: Annotated[
        DetectorName,
        _choice("both", "cnn", "hog"),
        "cnn sees turned heads, hog frontal faces; both: hog at a larger picture, cnn in turns",
    ] = "both"
    device: Annotated[
        DeviceName,
        _choice("auto", "cpu", "cuda"),
        "where the nets run; cuda refuses to start without a GPU, auto takes one that is there",
    ] = "auto"
    detection_pixels: Annotated[
        int,
        COUNT,
        "longest side of the picture the CNN looks at; 1280 sees half the size at 4 times the cost",
    ] = 640
    threads: Annotated[int, COUNT, "CPU threads for each video in work"] = 2
    slots: Annotated[int, COUNT, "videos in work at once; one more request gets 429"] = 1
    cache_folder: Annotated[
        Path | None, FILE, "where the nets are kept ready; the user's cache folder if not set"
    ] = None
    host: Annotated[str, TEXT, "address that `make run` binds"] = "127.0.0.1"
    port: Annotated[int, COUNT, "port that `make run` binds"] = 8080
    log_level: Annotated[
        str, _choice("DEBUG", "INFO", "WARNING", "ERROR"), "how much the log says"
    ] = "INFO"

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings from `environment`; an unset or empty variable means its default.

        Raises:
            SettingError: a variable holds something that cannot be used; the message names it.
        """
        hints = get_type_hints(cls, include_extras=True)
        values = {}
        for setting in fields(cls):
            variable = setting.name.upper()
            text = environment.get(variable, "").strip()
            if text:
                values[setting.name] = parse_value(variable, text, hints[setting.name])
        return cls(**values)


def parse_value(variable: str, text: str, hint: Any) -> Any:
    """Read `text` as the Kind that a field's annotation names.

    Raises:
        SettingError: the text is no such value.
    """
    kind: Kind = hint.__metadata__[0]
    try:
        return kind.parse(text)
    except ValueError:
        raise SettingError(f"{variable} is {text!r}; it must be {kind.form}.") from None


def settings_table() -> str:
    """Render every setting as a Markdown table, for the README."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = [
        f"| `{setting.name.upper()}` | {_shown(setting.default)} "
        f"| {hints[setting.name].__metadata__[1]} |"
        for setting in fields(Settings)
    ]
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *rows])


def _shown(default: Any) -> str:
    if default is None:
        return "auto"
    return f"{default:g}" if isinstance(default, float) else f"{default}"
