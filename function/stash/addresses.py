"""Says where we reach what Stash names by its own idea of its address."""

import re

import httpx

_ROUTE = re.compile(r"/(?:performer|image|scene|gallery)/\d+(?:/.*)?$")
"""Where Stash keeps pictures; before it comes the sub-path under which somebody reaches it."""


def at_home(url: str, address: str) -> str:
    """Return the URL by which we reach what Stash, which we reach at `url`, calls `address`.

    Behind a proxy Stash may use another host, and another sub-path or none.
    """
    home = httpx.URL(url)
    base = _path_of(home).rstrip("/")
    try:
        named = home.join(address)
        route = _ROUTE.search(_path_of(named))
        path = route[0] if route else _path_of(named).removeprefix(base)
        query = b"?" + named.query if named.query else b""
        return str(home.copy_with(raw_path=f"{base}{path}".encode() + query))
    except (httpx.InvalidURL, UnicodeError):
        return address  # fetching it says what is wrong


def _path_of(url: httpx.URL) -> str:
    """Return the path of a URL as it is sent, with its escapes: decoded, it may be no path."""
    return url.raw_path.decode("ascii").partition("?")[0]
