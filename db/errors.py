"""What can go wrong with a gallery; every message says what was found and what to do.

GalleryError
├── GalleryMissingError       there is no file
├── NotAGalleryError          the file is something else, or damaged
├── GalleryTooNewError        a newer version of the software wrote it
├── GalleryLockedError        another process is writing
├── GalleryReadOnlyError      the file or its folder cannot be written
├── ErasureUnfinishedError    what was erased may still be in the bytes of a file
├── NetworkShareError         the file is where SQLite's locks cannot be trusted
├── IdentityConflictError     one record carries the ids of two performers
├── ForgottenError            the user asked never to enrol this performer again
├── UnknownStoreError         no store has an address of this kind
├── DamagedBundleError        a bundle is not what its manifest says
├── OtherModelError           its encodings come from a model other than the engine's
├── DamagedVectorError        a blob is not the vector it should be
├── StrangerNotFoundError     the library has no stranger of that id
├── NothingToEnrolError       nothing that is known of a stranger is good enough
└── PerformerNotFoundError    no performer has that name or id
    └── AmbiguousNameError    several do
"""

from pathlib import Path


class GalleryError(Exception):
    """Something is wrong with the gallery."""


class GalleryMissingError(GalleryError):
    """There is no gallery, or no library (`noun`), at `path`, which its message does not name."""

    def __init__(self, message: str, path: Path | None = None, noun: str = "gallery") -> None:
        super().__init__(message)
        self.path = path
        self.noun = noun


class NotAGalleryError(GalleryError):
    """The file is not a gallery, or too damaged to read."""


class GalleryTooNewError(GalleryError):
    """A newer version wrote the file; reading it could lose what this version does not know."""


class GalleryLockedError(GalleryError):
    """Another process held the gallery for longer than we wait."""


class GalleryReadOnlyError(GalleryError):
    """The gallery cannot be written."""


class ErasureUnfinishedError(GalleryError):
    """Something was erased, but its bytes may remain until the file can be rewritten."""


class NetworkShareError(GalleryError):
    """A write-ahead log needs memory that processes share, and a network share has none."""


class IdentityConflictError(GalleryError):
    """A record would merge two performers that the gallery keeps apart."""


class ForgottenError(GalleryError):
    """The performer was forgotten, and stays forgotten until `unforget`."""


class UnknownStoreError(GalleryError):
    """No store has an address of this kind."""


class DamagedBundleError(GalleryError):
    """A bundle is incomplete, or was changed after it was written."""


class OtherModelError(GalleryError):
    """Encodings are of different models and cannot be compared, or lack the primary model."""


class DamagedVectorError(GalleryError):
    """A blob has the wrong length, or holds something that is not a number."""


class StrangerNotFoundError(GalleryError):
    """The library has no stranger of the given id, or no longer."""


class NothingToEnrolError(GalleryError):
    """Nothing that the library holds of a stranger is good enough for a gallery."""


class PerformerNotFoundError(GalleryError):
    """No performer has the given name or id."""


class AmbiguousNameError(PerformerNotFoundError):
    """Several performers have the name; an id tells them apart."""
