"""Where a file is stored: on a local disk, or on a share that other machines also write."""

import glob
import re
from pathlib import Path

from db.errors import GalleryReadOnlyError

MOUNTS = Path("/proc/mounts")

NETWORK_SHARES = {
    *("afs", "ceph", "cifs", "davfs", "ncpfs", "nfs", "nfs4", "smb2", "smb3", "smbfs"),
    *("fuse.cephfs", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    *("fuse.gcsfuse", "fuse.goofys", "fuse.juicefs", "fuse.blobfuse", "fuse.blobfuse2", "gcsfuse"),
    *("lustre", "gpfs", "beegfs", "glusterfs", "orangefs", "fuse.mount-s3"),
    *("afpfs", "gfs2", "ocfs2", "pvfs2", "fuse.afpfs", "fuse.curlftpfs", "fuse.gvfsd-fuse"),
    *("fuse.kio-fuse", "fuse.mfs", "fuse.objectivefs", "fuse.ossfs", "fuse.smbnetfs"),
}
"""Kinds of filesystem on which SQLite's write-ahead log is not safe (sqlite.org/wal.html)."""

FROM_THE_HOST = {
    *("9p", "virtiofs", "drvfs", "vboxsf", "prl_fs", "vmhgfs", "fuse.vmhgfs-fuse"),
    *("fuse.osxfs", "fuse.grpcfuse", "fakeowner"),
}
"""Kinds by which a virtual machine, or a container on a Mac or Windows, sees its host's folders.
Some machines have their own disk that way too, as `/`: that is as good as local."""


SIDE_FILES = ("-journal", "-wal", "-shm")
"""What SQLite adds to a file's name for the files it keeps beside it while it is open."""

UNFINISHED_BUNDLE = ".{name}.bundle"
"""What a bundle is called while it is written."""

_OF_UPGRADE = re.compile(r"\.before-\d{1,3}(\.\d+)?")
"""What an upgrade adds to a file's name for its copy: the step that followed, of which there are
few, and a number if that name was taken. A name with a date or a word is the user's own."""

_ESCAPED = re.compile(r"\\([01][0-7]{2})")
"""How a blank, a line break or a backslash in the name of a folder is written in `MOUNTS`."""


def find_network_share(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Name the kind of network share that holds `path`; None on a local disk.

    Only Linux can tell (in /proc/mounts); elsewhere the answer is None.
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError:
        return None
    resolved = path.resolve()
    parents = {str(parent) for parent in (resolved, *resolved.parents)}
    kind, longest = "", 0
    for line in lines:
        _, mount_point, filesystem, *_ = (*line.split(" "), "", "", "")
        folder = _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), mount_point)
        # The deepest mount holds the file; of two on the same folder, the later one.
        if folder in parents and len(folder) >= longest:
            kind, longest = filesystem, len(folder)
    is_share = kind in NETWORK_SHARES or (kind in FROM_THE_HOST and longest > len("/"))
    return kind if is_share else None


def is_there(path: Path, noun: str = "gallery") -> bool:
    """Say whether there is a file or folder at `path`.

    Raises: GalleryReadOnlyError: there is no telling: a folder above may not be searched, for
    example.
    """
    try:
        return path.exists()
    except OSError as error:
        raise GalleryReadOnlyError(
            f"The {noun} {path.name} cannot be reached ({error.strerror}). Check the owner and "
            "the permissions of the folders above it."
        ) from error


def beside(path: Path, ending: str, before: str = "") -> list[Path]:
    """List the files next to `path` whose names begin like its own; `ending` is a glob pattern."""
    return sorted(path.parent.glob(f"{before}{glob.escape(path.name)}{ending}"))


def backups_of(path: Path) -> list[Path]:
    """List the copies of a gallery or library at `path` that were made before upgrades.

    A copy with a name that no upgrade gives is the user's own.
    """
    return [one for one in beside(path, ".before-*") if _OF_UPGRADE.fullmatch(_ending(one, path))]


def kept_beside_backups_of(path: Path) -> list[Path]:
    """List what SQLite keeps, or kept, beside such copies."""
    files = (one for one in beside(path, ".before-*") if one.name.endswith(SIDE_FILES))
    return [one for one in files if _OF_UPGRADE.fullmatch(_ending(one, path).rpartition("-")[0])]


def _ending(file: Path, path: Path) -> str:
    return file.name[len(path.name) :]


def left_over_from(path: Path) -> list[Path]:
    """List what is of no use beside a gallery at `path`: backups that were interrupted.

    So is what SQLite kept beside a backup that has been deleted since.
    """
    backups = {one.name for one in backups_of(path)}
    sides = kept_beside_backups_of(path)
    partial = beside(path, ".before-*.partial*", before=".")
    return [
        *(one for one in partial if _OF_UPGRADE.fullmatch(_before_partial(one, path))),
        *(one for one in sides if one.name.rpartition("-")[0] not in backups),
    ]


def _before_partial(file: Path, path: Path) -> str:
    """Return the ending of the name that an interrupted backup was to have."""
    return file.name[len(f".{path.name}") :].partition(".partial")[0]


def left_over_from_exports(folder: Path) -> list[Path]:
    """List the bundles in a folder that were not written to their end, with what is beside them."""
    unfinished = UNFINISHED_BUNDLE.format(name="*")
    return sorted(
        {one for ending in ("", *SIDE_FILES) for one in folder.glob(unfinished + ending)}
        | {*folder.glob(f".{unfinished}.partial*")}
    )
