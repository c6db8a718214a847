"""Opens a file as a Video, or raises an error that says why not. The file is not trusted."""

import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from av.codec.context import ThreadType
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from function.errors import UnreadableVideoError, VideoNotFoundError, VideoOverLimitError
from function.media.boxes import lacks_index
from function.media.broadcasts import Watch, find_faults
from function.media.decoders import DecoderName, name_decoders
from function.media.descriptors import size_of
from function.media.encryption import is_locked, read_head, scrambled_share, states_encryption
from function.media.endings import find_seconds_if_cut
from function.media.formats import TEXT_HEAD_BYTES, is_text
from function.media.gpu import Gpu, PictureDecoder, may_fit, open_gpu
from function.media.lengths import hides_all, marks_every_picture, measure_seconds
from function.media.limits import VideoLimits
from function.media.recycling import Recycler
from function.media.streams import AS_WRITTEN, WITHOUT_EDITS, open_stream, read_only, tell_choice
from function.media.surveys import Survey

SAMPLES_PER_VIDEO = 240
SHORTEST_INTERVAL_SECONDS = 0.5
LONGEST_INTERVAL_SECONDS = 5.0
UNKNOWN_LENGTH_INTERVAL_SECONDS = 1.0

ASKED_SLACK = 1.02
"""How much longer than a requested interval a gap may be, as frame rates do not divide evenly: a
keyframe every 250 frames serves an interval of 10 s even at 24.976 frames a second."""

CHOSEN_SLACK = 1.25
"""How much longer than an interval of our own choice a gap may be: a keyframe every 6 s serves one
of 5 s, where a sample in between would cost 3 s of decoding to come 2 s earlier."""

DECODER_THREADS = 1
"""A second one costs a quarter more CPU time where gaps are filled, and saves little wall time. And
at a damaged picture it may need the interpreter's lock, to release what travels with the picture,
while a thread that waits for it holds that lock: a deadlock."""


@dataclass(eq=False)
class Video:
    """A video that is open for reading; close it, or use it as a context manager.

    `seconds` is the best estimate of its length, for showing progress, 0.0 if nothing is known
    before it was read to its end;
    `width` and `height` are in pixels as stored, before the picture is rotated upright;
    `every_seconds` is the interval between samples, requested or chosen, and `gap_slack` how many
    intervals may lie between two samples. `keyframes_seconds` are the times of the keyframes that
    were read so far, in order of storage.

    Reading finds out the rest. `trusts_keyframes`: pictures that are marked as keyframes can be
    decoded alone. `is_encrypted`: some pictures are; `states_encryption` asks the file.
    `has_fields_apart`: both fields of a picture lie in packets of their own. `is_smeared`: the next
    picture depends on damage. `shown`: the latest picture, if its decoder gives none for what stays
    as it is.
    `watch` finds the scrambled packets of a broadcast.
    `late_beginnings`: how many groups in a row gave no picture at first. `packets_marked`: of
    `packets_read`, those that the container calls damaged. `leaps`: how often the file's clock
    leapt. `missing`: when nothing is stored, or it cannot be decoded, as starts and ends in
    seconds; `unreadable_seconds`: how long that is.

    `gpu` decodes as long as it can, then it is None; `decoders` are those that had a part in it.
    `recycler` keeps the memory of pictures, also from one stretch to the next.

    Whoever reads it in a thread does so in `reading`: closing it waits for that, as FFmpeg would
    use memory that was freed.
    """

    name: str
    container: InputContainer
    stream: VideoStream
    limits: VideoLimits
    seconds: float
    width: int
    height: int
    every_seconds: float
    gap_slack: float
    survey: Survey
    reopen: Callable[[], tuple[InputContainer, VideoStream]]
    keyframes_seconds: list[float] = field(default_factory=list)
    trusts_keyframes: bool = True
    is_encrypted: bool = False
    states_encryption: Callable[[], bool] = bool
    watch: Watch | None = None
    has_fields_apart: bool = False
    is_smeared: bool = False
    shown: VideoFrame | None = None
    late_beginnings: int = 0
    packets_read: int = 0
    packets_marked: int = 0
    leaps: int = 0
    missing: list[tuple[float, float]] = field(default_factory=list)
    unreadable_seconds: float = 0.0
    gpu: Gpu | None = None
    decoders: set[DecoderName] = field(default_factory=set)
    recycler: Recycler = field(default_factory=Recycler)
    is_closed: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the decoder, once nobody reads it.

        Whoever is interrupted while waiting for that leaves it open, until nobody knows of it.
        """
        with self._lock:
            self.is_closed = True
            self.container.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the video open.

        Raises:
            ValueError: it was closed.
        """
        with self._lock:
            if self.is_closed:
                raise ValueError(f"{self.name} is closed")
            yield

    @property
    def decoder(self) -> PictureDecoder:
        """The processor's decoder of its pictures."""
        return self.stream.codec_context

    def leave_blocky(self) -> None:
        """Let the processor leave out the filter that smooths the edges of blocks, from now on.

        A picture that others depend on must not be left so: its errors add up in them. Without
        effect once something was decoded.
        """
        decoder = self.stream.codec_context
        if not decoder.is_open:
            decoder.options = {**decoder.options, "skip_loop_filter": "all"}

    @property
    def decoded_by(self) -> str:
        """What decoded the pictures that were read so far, like `cpu` or `cuda+cpu`."""
        return name_decoders(self.decoders)

    @property
    def believes_marks_of_damage(self) -> bool:
        """Whether what the container calls damaged is; not if that is most of the file.

        Unless some of it is scrambled: then the rest of those pictures is called that.
        """
        return self.survey.is_scrambled or self.packets_marked * 2 <= self.packets_read

    def refusal(self) -> UnreadableVideoError:
        """Return the error that says why not one of its pictures can be decoded."""
        if self.is_encrypted or self.states_encryption():
            return UnreadableVideoError(encryption_message(self.name))
        return UnreadableVideoError(
            f"Not one picture of {self.name} can be decoded. Check that it plays; it may be "
            "damaged, or only partly copied."
        )

    def begin_again(self) -> None:
        """Go back to the first packet, and believe no mark of a keyframe any more.

        A GPU is no longer used.
        """
        self.gpu = None
        self.trusts_keyframes = False
        self.keyframes_seconds.clear()
        self.missing.clear()
        self.open_again()

    def open_again(self) -> None:
        """Go back to the first packet, with a decoder that has decoded nothing."""
        self.container.close()
        self.container, self.stream = self.reopen()

    def forget(self) -> None:
        """Forget what reading found out, as if nothing had been read."""
        self.keyframes_seconds.clear()
        self.missing.clear()
        self.has_fields_apart = self.is_smeared = False
        self.late_beginnings = self.packets_read = self.packets_marked = self.leaps = 0


ARCHIVE_MARK = b"PK\x03\x04"
"""How a zip archive begins."""


def open_video(
    source: Path | int,
    every_seconds: float | None = None,
    limits: VideoLimits = VideoLimits(),
    *,
    name: str | None = None,
    decoder: DecoderName = "cpu",
    survey: Survey | None = None,
) -> Video:
    """Open a file as a video, trusting as little of it as possible.

    `source` is a path, or the descriptor of an open file; its position in the file moves, and it
    must stay open as long as the video. `every_seconds` is the time between samples; None chooses
    it by the length: about 240 samples a video, 0.5 to 5 seconds apart. Messages call the video
    `name` (the file's name unless given), never by its full path. A GPU's `decoder` is used for
    what it can decode. `survey` is what another process found out about it.

    Raises:
        VideoNotFoundError: there is nothing at the path.
        UnreadableVideoError: it is not a file, or not a video that can be decoded.
        VideoOverLimitError: its picture, its length or its number of streams is over `limits`.
    """
    name = _check_file(source, name)
    if read_head(source).startswith(ARCHIVE_MARK):  # FFmpeg finds the first picture in it
        raise UnreadableVideoError(
            f"{name} is an archive, not a video. If it holds pictures, scan it as an album: "
            "python -m tools scan --pictures."
        )
    # One after the other: containers open on one descriptor share its position in the file.
    survey = survey or _look_into(source, name, limits)
    extra = WITHOUT_EDITS if survey.hides_all else AS_WRITTEN
    reopen = partial(_open_decoder, source, name, limits, extra, cleaned_pid=survey.cleaned_pid)
    gpu = open_gpu(decoder, reopen) if decoder != "cpu" and survey.may_fit_gpu else None
    video = _start(reopen, name, limits, survey, every_seconds)
    video.states_encryption = partial(states_encryption, source)
    if video.container.format.name == "mpegts" and not survey.cleaned_pid:
        video.watch = Watch(source, video.stream.id)
    video.gpu = gpu
    return video


def _look_into(source: Path | int, name: str, limits: VideoLimits) -> Survey:
    """Look at a video, and if that fails say why: it is text, encrypted, or lacks its index."""
    try:
        return _look_at(source, name, limits)
    except UnreadableVideoError:
        if is_text(read_head(source)[:TEXT_HEAD_BYTES]):
            raise UnreadableVideoError(
                f"{name} was found, but it is not a video: it holds text, as of a web page or a "
                "playlist. Download the video itself."
            ) from None
        if states_encryption(source):
            raise UnreadableVideoError(encryption_message(name)) from None
        if not lacks_index(source):
            raise
    raise UnreadableVideoError(
        f"{name} lacks its index (moov), as if copying or recording it was broken off. "
        "Copy it again; if there is no whole copy, tools such as untrunc can often repair it."
    )


def _look_at(source: Path | int, name: str, limits: VideoLimits) -> Survey:
    """Find out how long a video is, within the limits, and what is to be left out of it.

    One over them that the file is too small for, as after a leap of its clock, is not believed.
    """
    container, stream = open_stream(source, name, limits, AS_WRITTEN)
    tell_choice(container, stream, name)
    read_only(container, stream)
    is_hidden = hides_all(container, stream)
    if is_hidden:
        container.close()
        container, stream = open_stream(source, name, limits, WITHOUT_EDITS)
        read_only(container, stream)
    with container:
        may_fit_gpu = may_fit(container, stream)
        start_seconds, seconds = measure_seconds(
            container,
            stream,
            limits.max_seconds,
            seconds_if_cut=find_seconds_if_cut(source, container),
        )
        marks_all = marks_every_picture(container, stream)
        pid = stream.id if container.format.name == "mpegts" else 0
    survey = Survey(start_seconds, seconds, may_fit_gpu, is_hidden, marks_all)
    survey = _look_at_broadcast(source, name, survey, pid) if pid else survey
    check_length(survey.seconds, name, limits)
    return survey


def _look_at_broadcast(source: Path | int, name: str, survey: Survey, pid: int) -> Survey:
    """Find out what is the matter with a broadcast whose pictures are in stream `pid`."""
    faults, share = find_faults(source, pid), scrambled_share(source, pid)
    if faults.is_locked or share == 1:
        raise UnreadableVideoError(encryption_message(name))
    cleaned_pid = pid if faults.repeats or faults.scrambled else 0
    return replace(
        survey,
        seconds=survey.seconds / (1 - share),
        cleaned_pid=cleaned_pid,
        is_scrambled=faults.scrambled,
    )


def _start(
    reopen: Callable[[], tuple[InputContainer, VideoStream]],
    name: str,
    limits: VideoLimits,
    survey: Survey,
    every_seconds: float | None,
) -> Video:
    """Open a video whose length is known at its beginning."""
    container, stream = reopen()
    usual_seconds = every_seconds or _choose_interval(survey.seconds)
    interval = max(usual_seconds, survey.seconds / limits.max_frames)
    return Video(
        name=name,
        container=container,
        stream=stream,
        limits=limits,
        seconds=survey.seconds,
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        every_seconds=interval,
        gap_slack=ASKED_SLACK if interval == every_seconds else CHOSEN_SLACK,
        survey=survey,
        reopen=reopen,
        trusts_keyframes=not survey.marks_all,
        is_encrypted=survey.is_scrambled,
    )


def _open_decoder(
    source: Path | int,
    name: str,
    limits: VideoLimits,
    extra: Mapping[str, str],
    hwaccel: HWAccel | None = None,
    *,
    cleaned_pid: int,
) -> tuple[InputContainer, VideoStream]:
    """Open a file to decode its pictures, if they are not encrypted."""
    container, stream = open_stream(source, name, limits, extra, hwaccel, cleaned_pid=cleaned_pid)
    if is_locked(stream, source):
        container.close()
        raise UnreadableVideoError(encryption_message(name))
    _prepare_decoder(container, stream, limits)
    return container, stream


def encryption_message(name: str) -> str:
    """Return what to say of a video whose pictures are encrypted."""
    return (
        f"The pictures of {name} are encrypted (copy protection), and cannot be read without the "
        "key. Give a copy that plays everywhere."
    )


def check_length(seconds: float, name: str, limits: VideoLimits) -> None:
    """Refuse a video that is, or turns out to be, longer than the limit.

    Raises:
        VideoOverLimitError: it is longer.
    """
    if seconds > limits.max_seconds:
        raise VideoOverLimitError(
            f"{name} lasts {seconds:.0f} s; the limit is {limits.max_seconds:.0f} s. "
            "Give a shorter video."
        )


def _check_file(source: Path | int, name: str | None) -> str:
    """Return what to call a file, if it is one that has content."""
    name = name or (source.name if isinstance(source, Path) else "The video")
    if (_size_of(source, name) if isinstance(source, Path) else _size_open(source, name)) == 0:
        raise UnreadableVideoError(f"{name} is empty. Copy or download it again.")
    return name


def _size_open(descriptor: int, name: str) -> int:
    try:
        return size_of(descriptor)
    except OSError:
        raise UnreadableVideoError(
            f"{name} is not an ordinary file. Give the path of a video."
        ) from None


def _size_of(path: Path, name: str) -> int:
    try:
        found = path.stat()
    except PermissionError:
        raise UnreadableVideoError(f"{name} may not be read. Check its permissions.") from None
    except (OSError, ValueError):
        raise VideoNotFoundError(f"There is no video {name}. Check the path.") from None
    if stat.S_ISDIR(found.st_mode):
        raise UnreadableVideoError(f"{name} is a folder. Give the path of a video in it.")
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableVideoError(f"{name} is not an ordinary file. Give the path of a video.")
    return found.st_size


def _prepare_decoder(container: InputContainer, stream: VideoStream, limits: VideoLimits) -> None:
    read_only(container, stream)
    decoder = stream.codec_context
    decoder.options = {"max_pixels": str(limits.max_pixels)}
    decoder.thread_type, decoder.thread_count = ThreadType.NONE, DECODER_THREADS
    decoder.copy_opaque = True  # a packet's time travels on it to the frame


def _choose_interval(seconds: float) -> float:
    if not seconds:
        return UNKNOWN_LENGTH_INTERVAL_SECONDS
    interval = seconds / SAMPLES_PER_VIDEO
    return min(max(interval, SHORTEST_INTERVAL_SECONDS), LONGEST_INTERVAL_SECONDS)
