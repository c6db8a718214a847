"""Slows down whoever tries tokens: an address has a few tries, then waits."""

import hashlib
import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from function.errors import TooManyGuessesError

MOST_GUESSES = 10
FORGOTTEN_AFTER_SECONDS = 60.0
"""An address has 10 tries a minute: a word of six letters takes decades."""

MOST_ADDRESSES = 1000
HOME_BITS = 64
"""Bits of an IPv6 address; one customer has all that begin with these."""


class Guesses:
    """Counts the different wrong tokens of each address. Safe to use from threads.

    A page that still has an old token sends it again and again, which tries nothing new.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start empty; `clock` returns seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, tuple[frozenset[bytes], float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Refuse to look at a token, right or wrong, from an address that sent too many wrong ones.

        Raises: TooManyGuessesError: it did, within the last minute.
        """
        with self._lock:
            if len(self._known(home_of(address))) >= MOST_GUESSES:
                raise TooManyGuessesError(
                    f"{MOST_GUESSES} wrong tokens came from this address. Try again in a minute, "
                    "with the right one."
                )

    def note(self, address: str, token: str) -> None:
        """Count a wrong token."""
        home, digest = home_of(address), hashlib.sha256(token.encode()).digest()
        with self._lock:
            known = self._known(home)
            if digest in known:
                return
            self._wrong[home] = (known | {digest}, self._clock())
            self._wrong.move_to_end(home)
            while len(self._wrong) > MOST_ADDRESSES:
                self._wrong.popitem(last=False)

    def _known(self, home: str) -> frozenset[bytes]:
        tokens, at = self._wrong.get(home, (frozenset(), 0.0))
        return tokens if self._clock() - at < FORGOTTEN_AFTER_SECONDS else frozenset()


def home_of(address: str) -> str:
    """Return what one customer has: an address, or all those of IPv6 with the same beginning."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address) or ip.ipv4_mapped:
        return str(getattr(ip, "ipv4_mapped", None) or ip)
    return str(ipaddress.ip_network((int(ip) >> HOME_BITS << HOME_BITS, HOME_BITS)))
