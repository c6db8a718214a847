"""Everything that can go wrong in a request, each with an HTTP status and a code.

RecognitionError                   500 internal_error
├── BadParameterError              400 bad_parameter
│   ├── MissingParameterError      400 missing_parameter
│   └── RepeatedParameterError     400 repeated_parameter
├── UnauthorizedError              401 unauthorized
├── NotFromPageError               403 not_from_page
├── OutsideMediaRootError          403 outside_media_root
├── UntrustedOriginError           403 untrusted_origin
├── VideoNotFoundError             404 video_not_found
│   └── DiskMissingError           404 video_not_found
├── RouteNotFoundError             404 not_found
├── UnknownPerformerError          404 performer_not_found
├── UnknownPersonError             404 person_not_found
├── UnknownPictureError            404 picture_not_found
├── UnknownStrangerError           404 stranger_not_found
├── MethodNotAllowedError          405 method_not_allowed
├── CorrectionRefusedError         409 correction_refused
├── NameTakenError                 409 name_taken
├── ResultGoneError                410 result_gone
├── RequestTooLargeError           413 request_too_large
├── VideoOverLimitError            413 video_over_limit
├── UntrustedHostError             421 untrusted_host
├── UnreadableVideoError           422 unreadable_video
│   └── CrashedVideoError          422 unreadable_video
├── PhotoUnusableError             422 photo_unusable
├── GalleryTooLargeError           422 gallery_too_large
├── BusyError                      429 busy
├── TooManyGuessesError            429 too_many_guesses
├── ClientGoneError                499 client_gone
├── EngineUnavailableError         503 engine_unavailable
├── GalleryUnavailableError        503 gallery_unavailable
├── StashUnavailableError          503 stash_unavailable
├── StoppingError                  503 stopping
└── TimeLimitError                 504 time_limit

A message says what was asked, what was found and what to do. It may reach a stranger on the
network, so it never holds a path outside the media root.
"""

from typing import ClassVar


class RecognitionError(Exception):
    """A request could not be answered; the subclasses say why."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"


class BadParameterError(RecognitionError):
    """A parameter has an unusable value."""

    status = 400
    code = "bad_parameter"


class MissingParameterError(BadParameterError):
    """A required parameter was not given."""

    code = "missing_parameter"


class RepeatedParameterError(BadParameterError):
    """A parameter was given more than once, and picking one would be a guess."""

    code = "repeated_parameter"


class UnauthorizedError(RecognitionError):
    """The request carries no token, or the wrong one."""

    status = 401
    code = "unauthorized"


class NotFromPageError(RecognitionError):
    """A write lacks the header that only the page's own script can set."""

    status = 403
    code = "not_from_page"


class OutsideMediaRootError(RecognitionError):
    """The path leads outside the media root."""

    status = 403
    code = "outside_media_root"


class UntrustedOriginError(RecognitionError):
    """A web page of another server sent the request, and ORIGINS does not list it."""

    status = 403
    code = "untrusted_origin"


class VideoNotFoundError(RecognitionError):
    """There is no file at the path."""

    status = 404
    code = "video_not_found"


class DiskMissingError(VideoNotFoundError):
    """The folder that holds some queued videos is not there, or empty: they stay queued."""


class RouteNotFoundError(RecognitionError):
    """The URL does not exist here."""

    status = 404
    code = "not_found"


class UnknownPerformerError(RecognitionError):
    """The gallery has no such performer, or no longer."""

    status = 404
    code = "performer_not_found"


class UnknownPersonError(RecognitionError):
    """Nobody in the video has this position."""

    status = 404
    code = "person_not_found"


class UnknownPictureError(RecognitionError):
    """The album has no picture of this number."""

    status = 404
    code = "picture_not_found"


class UnknownStrangerError(RecognitionError):
    """The library has no such stranger or sighting, or no longer."""

    status = 404
    code = "stranger_not_found"


class MethodNotAllowedError(RecognitionError):
    """The URL exists, but not for this HTTP method; `allowed` lists the ones it has."""

    def __init__(self, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed

    status = 405
    code = "method_not_allowed"


class CorrectionRefusedError(RecognitionError):
    """A change conflicts with what is in the gallery."""

    status = 409
    code = "correction_refused"


class NameTakenError(RecognitionError):
    """Somebody enrolled has the name: it must be said whether it is the same person.

    `performers` are their ids.
    """

    def __init__(self, message: str, performers: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.performers = performers

    status = 409
    code = "name_taken"


class ResultGoneError(RecognitionError):
    """A result that the page wants to correct or play is no longer kept."""

    status = 410
    code = "result_gone"


class RequestTooLargeError(RecognitionError):
    """The request's body is larger than we accept."""

    status = 413
    code = "request_too_large"


class VideoOverLimitError(RecognitionError):
    """The video is larger or longer than the limits."""

    status = 413
    code = "video_over_limit"


class UntrustedHostError(RecognitionError):
    """The request uses a host name that is not trusted."""

    status = 421
    code = "untrusted_host"


class UnreadableVideoError(RecognitionError):
    """The file cannot be read as a video."""

    status = 422
    code = "unreadable_video"


class CrashedVideoError(UnreadableVideoError):
    """Reading it ended the process that read it; it may be malicious, or memory was short."""


class PhotoUnusableError(RecognitionError):
    """A photo shows no face or several, or cannot be read."""

    status = 422
    code = "photo_unusable"


class GalleryTooLargeError(RecognitionError):
    """The gallery has more photos than can be compared while somebody waits."""

    status = 422
    code = "gallery_too_large"


class BusyError(RecognitionError):
    """Every slot, or every place for what is asked, is in use."""

    status = 429
    code = "busy"


class TooManyGuessesError(RecognitionError):
    """Too many wrong tokens came from one address."""

    status = 429
    code = "too_many_guesses"


class ClientGoneError(RecognitionError):
    """The client disconnected before the answer; only the log ever sees this."""

    status = 499
    code = "client_gone"


class EngineUnavailableError(RecognitionError):
    """The engine cannot run here as configured."""

    status = 503
    code = "engine_unavailable"


class GalleryUnavailableError(RecognitionError):
    """The gallery cannot be opened or read; if it `is_missing`, one can be made."""

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message)
        self.is_missing = is_missing

    status = 503
    code = "gallery_unavailable"


class StashUnavailableError(RecognitionError):
    """Stash is not connected, or does not answer."""

    status = 503
    code = "stash_unavailable"


class StoppingError(RecognitionError):
    """The server is shutting down."""

    status = 503
    code = "stopping"


class TimeLimitError(RecognitionError):
    """The video took longer than the time limit allows."""

    status = 504
    code = "time_limit"
