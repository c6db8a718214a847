"""Decodes videos on a GPU, whole groups at a time; what it cannot decode is left to the processor.

Only the pictures that are sampled are brought to memory. They are scaled there: PyAV's wheels have
no filter that scales on an NVIDIA, Intel or AMD GPU.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, Protocol, TypeAlias

import av
from av.codec.context import CodecContext
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from function.errors import EngineUnavailableError, RecognitionError
from function.media.decoders import DecodeName, DecoderName, GpuDecoderName

log = logging.getLogger(__name__)

GPU_CODECS = ("h264", "hevc", "vp9")
"""Codecs whose pictures are the same to the bit whoever decodes them, and costly to decode.

MPEG-2 and its kin may be rounded differently, and the checks of their keyframes rely on FFmpeg's
own decoders. AV1 is decoded by dav1d, which uses no GPU.
"""

GPU_FORMATS = ("yuv420p", "yuvj420p", "yuv420p10le")
"""The formats of pictures that GPUs decode; 4:2:2, 4:4:4 and 12 bits are left to the processor."""

PLANAR_FORMATS = {"nv12": "yuv420p", "p010le": "yuv420p10le"}
"""In which format the processor would have decoded what lies on a GPU in another."""

MOST_VIDEO_STREAMS = 3
"""Each video stream of a file takes a context on the GPU; covers are streams too."""

TRIAL_PIXELS = (640, 360)
"""Width and height of the picture that is decoded as a trial; GPUs refuse very small ones."""

CHECKS: dict[GpuDecoderName, str] = {
    "cuda": "nvidia-smi shows a GPU here, and that a container has the driver's part for video "
    "(NVIDIA_DRIVER_CAPABILITIES=compute,utility,video)",
    "vaapi": "/dev/dri/renderD128 may be opened here, and that vainfo lists H.264",
}
"""What to look at where a GPU's decoder does not work."""

FAILURES = (av.FFmpegError, NotImplementedError, RuntimeError, ValueError)
"""What PyAV raises where a GPU or its driver cannot be used."""


Skipped: TypeAlias = Literal["NONE", "DEFAULT", "NONREF", "BIDIR", "NONINTRA", "NONKEY", "ALL"]
"""FFmpeg's names of what a decoder may leave out."""


class PictureDecoder(Protocol):
    """What decodes packets to pictures: the part of PyAV's CodecContext that is used."""

    skip_frame: Skipped

    @property
    def width(self) -> int:
        """Pixels from left to right of what a picture shows."""

    @property
    def height(self) -> int:
        """Pixels from top to bottom of what a picture shows."""

    def decode(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        """Decode a packet; None gives what is left."""

    def flush_buffers(self) -> None:
        """Forget everything, to begin at another keyframe."""


class NotOnGpuError(ValueError):
    """A picture was decoded by the processor after all, or is not what it would have decoded."""


@dataclass(eq=False)
class Gpu:
    """A GPU's decoder for one video."""

    name: GpuDecoderName
    decoder: PictureDecoder
    _reformatter: VideoReformatter = field(default_factory=VideoReformatter)

    def fetch(self, picture: VideoFrame) -> VideoFrame:
        """Bring a picture to memory, as the processor would have decoded it.

        The format matters: FFmpeg's scaler turns nv12 into other colours than yuv420p. So does the
        size: what a file crops from the left or the top of a picture, FFmpeg leaves on a GPU.

        Raises:
            NotOnGpuError: it is not on the GPU, or of another size than shown, or in a format that
                GPUs are not known to use.
            av.FFmpegError: the GPU does not give it.
        """
        if (picture.width, picture.height) != (self.decoder.width, self.decoder.height):
            raise NotOnGpuError(f"a picture of {picture.width}x{picture.height}")
        held = format_on_gpu(picture)
        if held not in PLANAR_FORMATS:
            raise NotOnGpuError(f"a picture of the format {picture.format.name} ({held})")
        return self._reformatter.reformat(picture, format=PLANAR_FORMATS[held], threads=1)


def format_on_gpu(picture: VideoFrame) -> str | None:
    """Name the format of a picture's pixels on the GPU; None for a picture in memory."""
    return picture.sw_format.name if picture.sw_format else None


def may_fit(container: InputContainer, stream: VideoStream) -> bool:
    """Say whether it is worth trying to decode a stream on a GPU."""
    codec = stream.codec_context
    return (
        codec.name in GPU_CODECS
        and codec.pix_fmt in GPU_FORMATS
        and len(container.streams.video) <= MOST_VIDEO_STREAMS
    )


_HELD: dict[GpuDecoderName, PictureDecoder] = {}
"""The decoders of trials: while one is open, others share its context on the GPU. To make one takes
0.2 s, and processes that do so wait for each other: with 16 of them a video began after 3 s."""


def accelerate(name: GpuDecoderName, *, is_shared: bool = False) -> HWAccel:
    """Say to PyAV that a GPU shall decode, and keep the pictures until they are asked for.

    With CUDA `is_shared` takes the context that all of a process can share. Not where onnxruntime
    has taken it: FFmpeg refuses the flags it gives it.
    """
    options: dict[str, object] = {"primary_ctx": f"{is_shared:d}"} if name == "cuda" else {}
    return HWAccel(name, allow_software_fallback=True, options=options, is_hw_owned=True)


def open_gpu(
    name: GpuDecoderName, open_stream: Callable[[HWAccel], tuple[InputContainer, VideoStream]]
) -> Gpu | None:
    """Open a GPU's decoder for a video, or return None if that fails.

    `open_stream` opens the video; only its decoder is kept. What is wrong with the file itself will
    be found again when it is opened without a GPU.
    """
    try:
        container, stream = open_stream(accelerate(name, is_shared=name in _HELD))
    except (RecognitionError, *FAILURES) as error:
        log.warning("The GPU cannot be used (%s); the processor decodes.", describe(error))
        return None
    with container:
        decoder = stream.codec_context
    return Gpu(name, decoder) if decoder.is_hwaccel else None


def choose_decoder(decode: DecodeName, *, nets_on_cuda: bool) -> DecoderName:
    """Choose what decodes videos, and open it once, so that its driver is loaded.

    `auto` takes a GPU only if the nets run on CUDA too, because the driver of a GPU leaves files
    open to the process that reads videos.

    Raises:
        EngineUnavailableError: `decode` names a GPU's decoder that cannot be used here.
    """
    if decode == "cpu" or (decode == "auto" and not nets_on_cuda):
        return "cpu"
    name: GpuDecoderName = "cuda" if decode == "auto" else decode
    trouble = _find_trouble(name)
    if not trouble:
        return name
    if decode != "auto":
        raise EngineUnavailableError(f"DECODE is {name}, but {trouble} Or set DECODE=cpu or auto.")
    log.warning("The processor decodes videos, not the GPU: %s", trouble)
    return "cpu"


def _find_trouble(name: GpuDecoderName) -> str:
    """Say why a GPU's decoder cannot be used here; empty if it can."""
    if name not in hwdevices_available():
        known = ", ".join(hwdevices_available()) or "nothing"
        return (
            f"the installed PyAV can use {known} only. Build it with a FFmpeg that has {name}: "
            "pip install --no-binary av av."
        )
    try:
        _hold(name)
    except FAILURES as error:
        return f"FFmpeg cannot decode on it ({describe(error)}). Check that {CHECKS[name]}."
    return ""


def _hold(name: GpuDecoderName) -> None:
    """Try a GPU's decoder, and keep it open if its context can be shared."""
    try:
        _HELD[name] = _try_out(name, accelerate(name, is_shared=True))
    except FAILURES:
        if name != "cuda":
            raise
        _try_out(name, accelerate(name))


def _try_out(name: GpuDecoderName, device: HWAccel) -> PictureDecoder:
    """Decode one small picture on a GPU: to open it is not enough, as decoders have own drivers."""
    encoder = CodecContext.create("libx264", "w")
    encoder.width, encoder.height = TRIAL_PIXELS
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    encoder.thread_count = 1
    encoder.options = {"x264-params": "log=-1"}
    picture = VideoFrame(*TRIAL_PIXELS, encoder.pix_fmt)
    decoder = CodecContext.create("h264", "r", hwaccel=device)
    gpu = Gpu(name, decoder)
    for packet in (*encoder.encode(picture), *encoder.encode(None), None):
        for decoded in decoder.decode(packet):
            gpu.fetch(decoded)
            return decoder
    raise NotOnGpuError("no picture came")


def describe(error: Exception) -> str:
    """Say what an error is, for the log and for messages."""
    return f"{type(error).__name__}: {error}"
