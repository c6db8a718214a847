"""Who a request comes from: its address and the host name it asked for, also behind a proxy."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from flask import Request

from function.setting_kinds import Network

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_OF_PROXIES = re.compile(
    r"forwarded|via|cdn-loop|cf-connecting-ip|x-(original-)?forwarded(-.*)?|x-original-(host|url)"
    r"|x-real-ip|x-envoy-.*|x-proxyuser-ip|(.*-)?client-?ip",
    re.IGNORECASE,
)
"""A header with such a name says that a proxy passed the request on, whoever sent it."""


@dataclass(frozen=True)
class Caller:
    """Who asks: their address, the `host` they asked for, and whether no proxy is in between."""

    address: str
    host: str
    is_direct: bool

    @property
    def name(self) -> str:
        """The host without its port, in lower case; "" if it is none."""
        return host_name(self.host)


def find_caller(request: Request, proxies: Sequence[Network]) -> Caller:
    """Say who asks; what proxies say counts only if the nearest is one of `proxies`."""
    nearest = request.remote_addr or "localhost"
    is_direct = not any(map(_OF_PROXIES.fullmatch, request.headers.keys()))
    if not is_in(nearest, proxies):
        return Caller(nearest, request.host, is_direct)
    passed = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    host = request.headers.get("X-Forwarded-Host", "").rpartition(",")[2].strip()
    return Caller(_first_stranger(nearest, passed, proxies), host or request.host, is_direct=False)


def host_name(host: str) -> str:
    """Return the name in a Host header, without the port and in lower case; "" if it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def origin_host(origin: str) -> str:
    """Return the host and port of an Origin header; "" if there is none in it."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _first_stranger(nearest: str, passed: Sequence[str], proxies: Sequence[Network]) -> str:
    """Follow the addresses back, last first, to the first that is no trusted proxy's."""
    found = nearest
    for address in reversed(passed):
        plain = _without_port(address)
        if _address(plain) is None:
            break
        found = plain
        if not is_in(plain, proxies):
            break
    return found


def _without_port(address: str) -> str:
    """Return an address without the port that some proxies add: `1.2.3.4:567`, `[::1]:567`."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def is_in(text: str, networks: Sequence[Network]) -> bool:
    """Say whether an address is in one of some networks; other text is not."""
    address = _address(text)
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
