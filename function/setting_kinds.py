"""Kinds of settings: how the text of an environment variable becomes a value, or is refused."""

import ipaddress
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

from db.addresses import StoreAddress, at_home
from function.engines.protocol import ShippedName

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingError(ValueError):
    """An environment variable holds a value that cannot be used."""


@dataclass(frozen=True)
class Kind:
    """A kind of value: how to parse it from text, and a description of its form for people."""

    parse: Callable[[str], Any]
    form: str
    show: Callable[[str], str] = str
    """How an error message shows the value: without a password, if it holds one."""


@dataclass(frozen=True)
class Hours:
    """Hours of the day by the machine's clock, from the beginning of one to that of another."""

    begin: int
    end: int

    def hold(self, hour: int) -> bool:
        """Say whether an hour, 0 to 23, is one of them; they may pass midnight."""
        if self.begin < self.end:
            return self.begin <= hour < self.end
        return hour >= self.begin or hour < self.end

    def __str__(self) -> str:
        return f"{self.begin}-{self.end}"


ALL_DAY = Hours(0, 24)

OFF = "off"

HIGHEST_PORT = 65_535

MOST_SECONDS = 1_000_000_000
"""Thirty years. No clock waits much longer, and a child that is told of 1e16 ends."""

MOST_DAYS = 36_500
"""A century; no calendar reaches back as far as some numbers of days."""

_PERIOD = re.compile(r"(\d{1,4})\s*([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if not 0 < value <= MOST_SECONDS:
        raise ValueError(text)
    return value


def _percent(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 100:  # noqa: PLR2004  # percent
        raise ValueError(text)
    return value


def _count(text: str, most: int) -> int:
    value = int(text)
    if not 1 <= value <= most:
        raise ValueError(text)
    return value


def _host(text: str) -> str:
    host = text.removeprefix("[").removesuffix("]")
    if ":" in host:
        ipaddress.ip_address(host)  # raises ValueError if it is something else, like a:8080
    return host


def _port(text: str) -> int:
    return _count(text, HIGHEST_PORT)


def _hours(text: str) -> Hours:
    begin, end = (int(part) for part in text.split("-"))
    if not (0 <= begin < 24 and 0 < end <= 24 and begin != end):  # noqa: PLR2004  # of a day
        raise ValueError(text)
    return Hours(begin, end)


def _period(text: str) -> timedelta | str:
    if text == "off":
        return text
    found = _PERIOD.fullmatch(text)
    if not found or not int(found[1]):
        raise ValueError(text)
    return int(found[1]) * _UNITS[found[2]]


def choice(*choices: str) -> Kind:
    """Make the kind that takes one of a few words."""
    return Kind(lambda text: choices[choices.index(text)], " or ".join(choices))


def _roots(text: str) -> tuple[Path, ...]:
    return tuple(at_home(Path(part)) for part in text.split(os.pathsep) if part)


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = tuple(
        (theirs.strip(), ours.strip())
        for theirs, ours in (pair.split("=") for pair in text.split(";") if pair.strip())
    )
    if not all(theirs and ours for theirs, ours in pairs):
        raise ValueError(text)
    return pairs


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip().rstrip("/").lower() for word in text.split(",") if word.strip())


def _origins(text: str) -> tuple[str, ...]:
    """Read origins as browsers send them; `null` is refused, as any page can have it."""
    origins = _words(text)
    if not all(map(_ORIGIN.fullmatch, origins)):
        raise ValueError(text)
    return origins


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#@*]+")


def _token(text: str) -> str:
    """Read a secret that a header can carry; a word that means `off` is no secret."""
    is_meant_as_off = text.lower() == OFF and text != OFF
    if not (text.isascii() and text.isprintable()) or is_meant_as_off:
        raise ValueError(text)
    return text


def _plugin_token(text: str) -> str:
    """Read a second secret; `off` says that there is none."""
    return "" if text.lower() == OFF else _token(text)


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(word, strict=False) for word in _words(text))


SHIPPED_SECOND: Mapping[str, ShippedName | None] = {
    "on": "lightcnn",
    "sface": "sface",
    "off": None,
}
"""The second encoders that SECOND_ENCODER names, by its values."""


def _second_encoder(text: str) -> str | Path:
    if text in SHIPPED_SECOND:
        return text
    if Path(text).suffix != ".toml":
        raise ValueError(text)
    return at_home(Path(text))


def _strangers(text: str) -> str:
    if text not in ("keep", "off"):
        _count(text[:-1] if text.endswith("d") else "", MOST_DAYS)
    return text


def _store(text: str) -> StoreAddress:
    address = StoreAddress(text)
    if not address.is_file:
        raise ValueError(str(address))
    return address


def days_of(strangers: str) -> int:
    """Return for how many days strangers are kept, given a setting like 90d."""
    return min(int(strangers.removesuffix("d")), MOST_DAYS)


TEXT = Kind(str, "text")
HOST = Kind(_host, "an address like 0.0.0.0 or ::, or a host name; the port is PORT")
PORT = Kind(_port, f"a whole number from 1 to {HIGHEST_PORT}")
ROOTS = Kind(_roots, f"paths separated by {os.pathsep}")
PAIRS = Kind(_pairs, "pairs like /theirs=/ours separated by ;")
WORDS = Kind(_words, "words separated by commas")
ORIGINS = Kind(_origins, "origins like https://stash.example:9999, separated by commas")
TOKEN = Kind(_token, "letters and signs of ASCII, or off", lambda _: "...")
PLUGIN_TOKEN = replace(TOKEN, parse=_plugin_token)
NETWORKS = Kind(_networks, "IP addresses or networks like 10.0.0.0/8, separated by commas")
FILE = Kind(Path, "a path")
STORE = Kind(_store, "the path of a file, or sqlite:///PATH", lambda text: str(StoreAddress(text)))
STRANGERS = Kind(_strangers, f"keep, off, or days like 90d, {MOST_DAYS}d at most")
SECOND_ENCODER = Kind(_second_encoder, "on, sface, off, or the path of a .toml file")
PERCENT = Kind(_percent, "a number from 0 to 100")
SECONDS = Kind(_positive, f"a number of seconds above 0, {MOST_SECONDS} at most")
INTERVAL = Kind(
    lambda text: None if text == "auto" else _positive(text), f"{SECONDS.form}, or auto"
)
HOURS = Kind(_hours, "two hours of the day like 1-7")
PERIOD = Kind(_period, "a time like 30m, 1h or 1d, or off")


def count_to(most: int) -> Kind:
    """Make the kind that takes a whole number, `most` at most."""
    return Kind(lambda text: _count(text, most), f"a whole number from 1 to {most}")


def count_or(choose: Callable[[], int], most: int) -> Kind:
    """Make the kind that takes a whole number, or `auto` for what `choose` says."""
    count = count_to(most)
    return Kind(
        lambda text: choose() if text == "auto" else count.parse(text), f"{count.form}, or auto"
    )
