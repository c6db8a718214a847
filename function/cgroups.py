"""Linux's control groups that this process is in, by which a container is limited."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def find_groups(controller: str, cgroups: Path, own: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the folders of the groups that limit something, and whether version 2 is used.

    `controller` is what they limit, like `cpu`. In a container the root may be its own group, and
    the path that of the machine.
    """
    lines: list[str] = []
    with suppress(OSError):
        lines = own.read_text().splitlines()
    for line in ("0::/", f"1:{controller}:/", *lines):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        is_second = number == "0" and not controllers
        if is_second or controller in controllers.split(","):
            root = cgroups if is_second else cgroups / controller
            inside = Path(path.lstrip("/"))
            for group in (inside, *inside.parents):
                yield root / group, is_second
