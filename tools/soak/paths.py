"""Paths that try to leave the media root, and a library with secrets next to it."""

import os
from itertools import product
from pathlib import Path
from urllib.parse import quote

CANARY = "canary-0d9f3c"
"""Stored in every file outside the root; it must not be in any answer or log."""

SCHEMES = (
    *("file:", "file://", "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "fd:", "pipe:"),
    *("tcp://127.0.0.1:{port}/", "udp://127.0.0.1:{port}/", "rtmp://127.0.0.1:{port}/", "data:,"),
    *("concat:", "subfile,,start,0,end,0,,:", "cache:", "async:", "crypto:", "gopher://", "ftp://"),
    *(
        "hls+http://127.0.0.1:{port}/",
        "tls://127.0.0.1:{port}/",
        "unix:",
        "rtsp://127.0.0.1:{port}/",
    ),
)


SYSTEM_PATHS = (
    *("/etc/passwd", "/proc/self/environ", "/proc/self/fd/0", "/dev/stdin", "/dev/zero"),
    *("/proc/self/mem", "/", "//", "/dev/fd/1"),
)

ODD_NAMES = (
    *("film%03d.mp4", "%2e%2e/secret.mp4", "..%c0%afsecret.mp4", "\uff0e\uff0e/secret.mp4"),
    *("~/secret.mp4", "~root", "$HOME", "`id`", "*.mp4", "?ilm.mp4"),
    *("a" * 5_000, "a/" * 3_000, "film.mp4/..", "film.mp4/../../secret.mp4", " ", "\n", "..", "."),
)


def lay_out_library(folder: Path) -> Path:
    """Make a media root with a film in it, a secret next to it, and links from one to the other."""
    root = folder / "library"
    (root / "sub").mkdir(parents=True)
    for place in ("film.mp4", "sub/in.mp4"):
        (root / place).write_bytes(b"a film")
    secret = folder / "secret.mp4"
    secret.write_text(CANARY)
    (folder / "library-two").mkdir()
    (folder / "library-two" / "secret.mp4").write_text(CANARY)
    (root / "link.mp4").symlink_to(root / "film.mp4")
    (root / "folder").symlink_to("sub")
    (root / "out.mp4").symlink_to(secret)
    (root / "out-relative.mp4").symlink_to("../secret.mp4")
    (root / "outside").symlink_to(folder)
    (root / "proc").symlink_to("/proc/self/root")
    (root / "loop.mp4").symlink_to("loop.mp4")
    os.mkfifo(root / "pipe.mp4")
    return root


def escape_paths(root: Path, port: int = 9) -> list[str]:
    """List paths that must open nothing: up and out, through links, by scheme, by encoding.

    A server on `port` of this machine would notice a connection.
    """
    paths = [*_ways_out(root), *_by_scheme(root, port)]
    paths += [quote(path, safe="") for path in paths[:30]]
    paths += [quote(quote(path, safe=""), safe="") for path in paths[:10]]
    paths += [path.replace("/", "\\") for path in paths[:20]]
    paths += [f"film.mp4\0{path}" for path in paths[:10]]
    return list(dict.fromkeys([*paths, *ODD_NAMES, f"film.mp4|{root.parent}/secret.mp4"]))


def _ways_out(root: Path) -> list[str]:
    """List paths that leave the media root: upwards, or through links and devices."""
    outside = root.parent / "secret.mp4"
    targets = ("secret.mp4", "library-two/secret.mp4", "etc/passwd", "proc/self/environ")
    ups = ("../", "sub/../../", "./../", "..//", "folder/../../", "sub/./../.././")
    paths = [up * times + target for up, times, target in product(ups, (1, 2, 8), targets)]
    paths += [f"{root}/../{target}" for target in targets] + [f"{root}-two/secret.mp4"]
    paths += [str(outside), f"/{outside}", f"{outside}/", *SYSTEM_PATHS]
    paths += ["out.mp4", "out-relative.mp4", "outside/secret.mp4", "outside", "outside/library-two"]
    paths += [f"proc{outside}", "proc/etc/passwd", "loop.mp4", "pipe.mp4", "folder/../out.mp4"]
    return paths


def _by_scheme(root: Path, port: int) -> list[str]:
    """List paths that FFmpeg would read as URLs."""
    plain = [scheme.format(port=port) for scheme in SCHEMES]
    places = (f"{root.parent}/secret.mp4", f"{root}/film.mp4", "film.mp4")
    return [scheme + place for place in places for scheme in plain]
