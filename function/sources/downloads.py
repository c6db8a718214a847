"""Fetches photos by URL, from public addresses and the user's own servers only."""

import ipaddress
import socket
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from db.names import show_text
from function.media.photos import MAX_PHOTO_BYTES, PhotoNotFetchedError, PhotoRefusedError
from function.sources.clients import make_client
from function.sources.graphql import read_limited
from function.sources.records import UnusableSourceError
from function.sources.retries import WORTH_ASKING_AGAIN, answer_to

MAX_REDIRECTS = 4


@dataclass(frozen=True)
class OwnServer:
    """A server the user named: it may have a private address, and its key is sent to it."""

    url: httpx.URL
    api_key: str = field(default="", repr=False)

    def is_home_of(self, url: httpx.URL) -> bool:
        """Say whether a URL is on exactly this host and port."""
        return (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)


class Downloads:
    """Fetches photos. Safe to call from several threads.

    A URL from a list may point anywhere: at a router, at a cloud's metadata, at a service on this
    machine. So its host must resolve to public addresses, checked again at every redirect, and the
    connection goes to the address that was checked.
    """

    def __init__(self, own: Iterable[OwnServer] = ()) -> None:
        """Remember which servers are the user's own."""
        self._own = tuple(own)
        self._client = make_client()
        weakref.finalize(self, self._client.close)

    def fetch(self, address: str) -> bytes:
        """Fetch one photo.

        Raises:
            PhotoRefusedError: it cannot be fetched, or must not be.
        """
        url = _parse(address)
        for _ in range(MAX_REDIRECTS + 1):
            request = self._request(url)
            try:
                with answer_to(self._client, request) as response:
                    if not response.is_redirect:
                        return _content_of(response)
                    url = url.join(response.headers.get("Location", ""))
            except UnusableSourceError as error:
                raise PhotoNotFetchedError(f"not fetched: {error}") from error
            except (httpx.InvalidURL, UnicodeError) as error:
                raise PhotoRefusedError(f"not fetched: {error}") from error
        raise PhotoRefusedError(f"not fetched: more than {MAX_REDIRECTS} redirects")

    def _request(self, url: httpx.URL) -> httpx.Request:
        if url.scheme not in ("http", "https") or not url.host:
            raise PhotoRefusedError(
                f"not fetched: {url.scheme or 'no'} address; http or https only"
            )
        for own in self._own:
            if own.is_home_of(url):
                headers = {"ApiKey": own.api_key} if own.api_key else {}
                return self._client.build_request("GET", url, headers=headers)
        address = find_public_address(url.host, url.port or (443 if url.scheme == "https" else 80))
        return self._client.build_request(
            "GET",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii").rpartition("@")[2]},
            extensions={"sni_hostname": url.host},
        )


def without_key(address: str) -> str:
    """Return a URL without `apikey`, user and password, because it is stored and shown."""
    try:
        url = httpx.URL(address).copy_remove_param("apikey")
        return str(url.copy_with(userinfo=b"") if url.userinfo else url)
    except (httpx.InvalidURL, UnicodeError):
        return show_text(address)


def find_public_address(host: str, port: int) -> str:
    """Resolve a host to an address that is public.

    Raises:
        PhotoRefusedError: it does not resolve, or to a private, local or reserved address.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise PhotoRefusedError(f"not fetched: there is no host {host}") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not is_public(address):
            raise PhotoRefusedError(
                f"not fetched: {host} is the private address {address}; photos come only from "
                "public addresses and servers you named"
            )
    return addresses[0]


def is_public(address: str) -> bool:
    """Say whether an IP address is on the internet; IPv4 inside IPv6 is judged as IPv4.

    Of IPv6 only 2000::/3 is given out (IANA's registry); what else there is leads into networks.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        hidden = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            hidden = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if hidden:
            return is_public(str(hidden))
        if ip not in _GIVEN_OUT:
            return False
    is_reserved = any(ip in network for network in _RESERVED)
    return ip.is_global and not ip.is_multicast and not is_reserved


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_RESERVED = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "2001:db8::/32"),
    )
)
"""Protocols' own, relays, and examples of manuals; not every Python knows them."""


def _parse(address: str) -> httpx.URL:
    try:
        return httpx.URL(address)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise PhotoRefusedError(f"not fetched: {error}") from error


def _content_of(response: httpx.Response) -> bytes:
    if response.status_code != httpx.codes.OK:
        may_come = response.status_code in WORTH_ASKING_AGAIN
        kind = PhotoNotFetchedError if may_come else PhotoRefusedError
        raise kind(f"not fetched: the server answered {response.status_code}")
    media_type = response.headers.get("Content-Type", "").split(";")[0]
    if media_type in ("text/html", "application/json"):
        raise PhotoRefusedError(f"not a picture: the server answered {media_type}")
    content = read_limited(response, MAX_PHOTO_BYTES)
    if content is None:
        raise PhotoRefusedError(f"too large: over {MAX_PHOTO_BYTES // 1_000_000} MB")
    return content
