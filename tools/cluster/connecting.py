"""Connects to a Dask scheduler: by TLS, or within this machine."""

import ipaddress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from function.errors import EngineUnavailableError

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

CONNECTED_WITHIN_SECONDS = 15.0

INSTALL = "pip install --no-deps --require-hashes --requirement requirements-dask.txt"


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority that everyone's certificate is from, our certificate, and its key.

    What is None is taken from Dask's own configuration.
    """

    tls_ca_file: Path | None = None
    tls_client_cert: Path | None = None
    tls_client_key: Path | None = None


def is_safe(address: str) -> bool:
    """Say whether what goes to an address stays in this machine, or is encrypted."""
    found = urlsplit(address)
    if found.scheme == "tls":
        return True
    if found.scheme != "tcp":
        return False
    if found.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(found.hostname or "").is_loopback
    except ValueError:
        return False


def connect(address: str, certificates: Certificates) -> "Client":
    """Connect to the scheduler at an address like tls://HOST:8786.

    Raises:
        EngineUnavailableError: Dask is not installed, nobody answers, the certificates are missing
            or not accepted, or the connection would leave this machine unencrypted.
    """
    _require_safe(address)
    try:
        from distributed import Client  # noqa: PLC0415  # only there with requirements-dask.txt
    except ImportError as error:
        raise EngineUnavailableError(f"--dask needs Dask. Run: {INSTALL}") from error
    security = _security(certificates, encrypted=address.startswith("tls://"))
    try:
        return Client(
            address, security=security, timeout=CONNECTED_WITHIN_SECONDS, set_as_default=False
        )
    except (OSError, TimeoutError) as error:
        raise EngineUnavailableError(
            f"No Dask scheduler can be reached at {address} ({_cause(error)}). Start one; check "
            "the address and, with tls, that its certificate and yours are from the same authority."
        ) from error


def _require_safe(address: str) -> None:
    found = urlsplit(address)
    if found.scheme not in ("tls", "tcp") or not found.hostname or not _port(address):
        raise EngineUnavailableError(
            f"--dask is {address!r}; it must be the address of a Dask scheduler, like "
            "tls://HOST:8786."
        )
    if not is_safe(address):
        raise EngineUnavailableError(
            f"--dask is {address}, and faces would go there unencrypted. Use tls://, with "
            "certificates; plain tcp:// is for this machine alone, as tcp://127.0.0.1:8786."
        )


def _port(address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError:
        return None


def _security(certificates: Certificates, *, encrypted: bool) -> "Security":
    """Return Dask's TLS settings, with the given files in place of its own."""
    from distributed.security import Security  # noqa: PLC0415  # as above

    given = {name: str(path) for name, path in asdict(certificates).items() if path}
    if not encrypted:
        return Security(require_encryption=False)
    try:
        security = Security(require_encryption=True, **given)
        has_context = bool(security.get_connection_args("client").get("ssl_context"))
    except OSError as error:  # a file that is missing or holds no certificate
        raise EngineUnavailableError(
            f"The certificates cannot be used ({error}). Check --tls-ca, --tls-cert and --tls-key."
        ) from error
    if not has_context:
        raise EngineUnavailableError(
            "tls:// needs certificates. Give --tls-ca, --tls-cert and --tls-key, or set them in "
            "Dask's configuration (distributed.comm.tls)."
        )
    return security


def _cause(error: BaseException) -> str:
    while error.__cause__:
        error = error.__cause__
    return str(error) or type(error).__name__
