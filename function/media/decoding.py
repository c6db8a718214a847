"""Decodes groups of packets to whole pictures, and notices what a file says wrongly about them."""

import logging
from collections.abc import Iterator

import av
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from function.media.formats import SPARING_CODECS
from function.media.gpu import Gpu, PictureDecoder, describe
from function.media.packets import FIELD_SECONDS, Group, TimedPacket
from function.media.videos import Video

log = logging.getLogger(__name__)


class DamageError(Exception):
    """A picture is damaged, or depends on one that is."""


DAMAGE = (av.FFmpegError, ValueError, DamageError)
"""What ends a group; the first two are what PyAV raises on invalid packets. PyAV's MemoryError is
one of them too, but says nothing about the file: let it pass first."""

INVENTING_CODECS = (
    *("mpeg1video", "mpeg2video", "mpeg4", "h263", "h263i", "flv", "rv10", "rv20"),
    *("msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "wmv3", "vc1"),
)
"""Codecs whose decoders invent a grey picture, of no kind, where one that is needed is missing."""

REFRESHING_CODECS = ("h264", "hevc")
"""Codecs in which a keyframe may be only where refreshing begins, strip by strip."""

LATE_BEGINNINGS = 2
"""If so many groups in a row give no picture until some time after their keyframe, it is that."""

WHOLE_ALONE = (PictureType.NONE, PictureType.I, PictureType.SI, PictureType.BI)
"""The kinds of picture that a keyframe can be; NONE where the decoder does not say."""

FIELD_CODECS = ("h264", "hevc", "mpeg2video", "vc1", "wmv3", "jpeg2000", "vvc")
"""Codecs that may code the two fields of a picture apart."""


class FalseKeyframeError(Exception):
    """A picture that is marked as a keyframe needs others: no mark in this file can be believed."""


def decode_group(video: Video, group: Group) -> Iterator[VideoFrame]:
    """Decode a group; of the pictures that no sample needs, at most those that others depend on.

    At the first damage the rest of the group is dropped, because it would show smears that pass for
    faces. Where no mark of a keyframe can be believed, only what depends on the damage is. What a
    GPU could not decode is decoded again by the processor, and may come twice.

    Raises:
        FalseKeyframeError: the group's keyframe is none; begin again without trusting the marks.
        MemoryError: a picture takes more than this process may have.
    """
    is_whole = group.begins and group.ends and group.packets[0].packet.is_keyframe
    if video.gpu and is_whole:
        yield from _decode_on_gpu(video, video.gpu, group)
        if video.gpu:
            return
    video.decoders.add("cpu")
    yield from _decode_here(video, group)


def _decode_on_gpu(video: Video, gpu: Gpu, group: Group) -> Iterator[VideoFrame]:
    """Decode a whole group on a GPU, and give what samples need.

    At any trouble the GPU is left for good. GPUs decode damaged pictures and pictures that need
    missing ones without a word, so a file that is seen to hold any is none for them.
    """
    late_beginnings = video.late_beginnings
    due = sorted(group.wanted_seconds)
    gpu.decoder.flush_buffers()
    try:
        pictures = _decode(video, gpu.decoder, group, group.packets)
        for picture in _check_first(pictures, group, video):
            if picture.is_corrupt:
                raise DamageError("a picture is damaged")
            seconds = shown_at(picture)
            if due and seconds >= due[0]:
                due = [moment for moment in due if moment > seconds]
                yield gpu.fetch(picture)
                video.decoders.add(gpu.name)
        if due:
            raise DamageError("a picture did not come")
    except (FalseKeyframeError, MemoryError, *DAMAGE) as error:
        log.info(
            "The processor goes on with %s, as the GPU could not (%s).", video.name, describe(error)
        )
        video.gpu, video.late_beginnings = None, late_beginnings


def _decode_here(video: Video, group: Group) -> Iterator[VideoFrame]:
    """Decode a group, or part of one, on the processor."""
    if group.begins:
        video.decoder.flush_buffers()
        video.shown = None
        video.is_smeared = _may_begin_with_changes(video, group)
    if not video.trusts_keyframes:
        yield from _decode_through(video, group)
        return
    packets = group.packets
    if video.has_fields_apart and group.ends and group.next_packet:
        packets = [*packets, group.next_packet]
    latest, is_damaged = -1.0, False
    try:
        pictures = _decode(video, video.decoder, group, packets)
        for picture in _check_first(pictures, group, video):
            if picture.is_corrupt:
                raise DamageError
            video.is_smeared = video.is_smeared and not _is_whole(picture)
            if video.is_smeared:
                continue
            latest = max(latest, shown_at(picture))
            yield picture
    except MemoryError:
        raise
    except DAMAGE as error:
        log.debug("%s is damaged (%s); a group is cut off.", video.name, type(error).__name__)
        is_damaged = True
    if not is_damaged and not video.is_smeared and _may_lack_a_field(video, group, latest):
        yield from _decode_with_next(video, group)


def shown_at(picture: VideoFrame) -> float:
    """Return the time that came with its packet, in seconds; decoders that lose it give -1."""
    return picture.opaque if isinstance(picture.opaque, float) else -1.0


def _decode(
    video: Video, decoder: PictureDecoder, group: Group, packets: list[TimedPacket]
) -> Iterator[VideoFrame]:
    """Decode packets until one is damaged; decoders do not notice every missing part.

    Raises:
        DamageError, or what PyAV raises: the rest cannot be decoded.
        MemoryError: this process may not have as much as that takes.
    """
    wanted = set(group.wanted_seconds)
    for number, (seconds, packet) in enumerate(packets):
        if packet.is_corrupt and video.believes_marks_of_damage:
            raise DamageError
        later = packets[number + 1] if number + 1 < len(packets) else group.next_packet
        if _is_scrambled(video, packet, later):
            raise DamageError
        is_needed = seconds in wanted or video.has_fields_apart
        decoder.skip_frame = "DEFAULT" if is_needed else "NONREF"
        packet.opaque = seconds
        yield from _pictures_of(video, decoder, packet)
    if group.ends:
        yield from decoder.decode(None)


def _is_scrambled(video: Video, packet: "Packet[VideoStream]", later: TimedPacket | None) -> bool:
    """Say whether parts of a picture of a broadcast are scrambled: they lie before the `later`."""
    place = packet.pos
    if not video.watch or place is None:
        return False
    next_place = later.packet.pos if later else None
    end = place + 2 * packet.size if next_place is None or next_place <= place else next_place
    if not video.watch.finds_scrambled(place, end):
        return False
    video.is_encrypted = True
    return True


def _pictures_of(
    video: Video, decoder: PictureDecoder, packet: "Packet[VideoStream]"
) -> Iterator[VideoFrame]:
    """Decode a packet; where it says that nothing has changed, the picture before is shown on."""
    if video.stream.codec_context.name not in SPARING_CODECS:
        yield from decoder.decode(packet)
        return
    pictures = decoder.decode(packet)
    if pictures:
        video.shown = pictures[-1]
    elif video.shown:
        video.shown.opaque = packet.opaque
        pictures = [video.shown]
    yield from pictures


def _decode_through(video: Video, group: Group) -> Iterator[VideoFrame]:
    """Decode every packet, after damage too: pictures are whole again from the next keyframe on."""
    wanted = set(group.wanted_seconds)
    decoder = video.decoder
    for seconds, packet in group.packets:
        decoder.skip_frame = "DEFAULT" if seconds in wanted else "NONREF"
        packet.opaque = seconds
        yield from _decode_one(video, packet)
    if group.ends:
        yield from _decode_one(video, None)


def _decode_one(video: Video, packet: "Packet[VideoStream] | None") -> Iterator[VideoFrame]:
    try:
        pictures = (
            _pictures_of(video, video.decoder, packet) if packet else video.decoder.decode(None)
        )
        for picture in pictures:
            video.is_smeared = picture.is_corrupt or (video.is_smeared and not _is_whole(picture))
            if not video.is_smeared:
                yield picture
    except MemoryError:
        raise
    except DAMAGE:
        video.is_smeared, video.shown = True, None


def _may_begin_with_changes(video: Video, group: Group) -> bool:
    """Say whether the first pictures may need others, and the decoder invents those it lacks.

    So begins a film that was cut between keyframes. Where no mark is believed, any may.
    """
    is_known = video.trusts_keyframes and group.packets[0].packet.is_keyframe
    return not is_known and video.stream.codec_context.name in INVENTING_CODECS


def _is_whole(picture: VideoFrame) -> bool:
    """Say whether a picture needs no other."""
    return picture.key_frame or picture.pict_type in WHOLE_ALONE[1:]


def _check_first(
    pictures: Iterator[VideoFrame], group: Group, video: Video
) -> Iterator[VideoFrame]:
    """Make sure that the first picture of a group is one that needs no other."""
    key = group.packets[0]
    is_unchecked = group.begins and key.packet.is_keyframe and not key.packet.is_discard
    for picture in pictures:
        if is_unchecked and shown_at(picture) >= key.seconds:
            _require_keyframe(picture, key.seconds, video)
            is_unchecked = False
        yield picture


def _require_keyframe(picture: VideoFrame, key_seconds: float, video: Video) -> None:
    """Refuse the first picture from a keyframe on, if there was none or it needed others."""
    codec = video.stream.codec_context.name
    if picture.pict_type in WHOLE_ALONE[1:]:
        video.late_beginnings = 0
        return
    is_late = shown_at(picture) > key_seconds
    video.late_beginnings = video.late_beginnings + 1 if is_late else 0
    is_invented = codec in INVENTING_CODECS and picture.pict_type == PictureType.NONE
    needs_others = picture.pict_type != PictureType.NONE and not picture.key_frame
    is_refreshed = codec in REFRESHING_CODECS and video.late_beginnings == LATE_BEGINNINGS
    if is_invented or is_refreshed or (needs_others and not is_late):
        raise FalseKeyframeError


def _may_lack_a_field(video: Video, group: Group, latest_seconds: float) -> bool:
    """Say whether a picture that should have come may be waiting for its second field."""
    is_whole = group.begins and group.ends and group.wanted_seconds and group.next_packet
    return (
        bool(is_whole)
        and not video.has_fields_apart
        and latest_seconds < group.wanted_seconds[-1]
        and video.stream.codec_context.name in FIELD_CODECS
    )


def _decode_with_next(video: Video, group: Group) -> Iterator[VideoFrame]:
    """Decode a group again, with the packet after it; if that helps, do so from now on."""
    video.decoder.flush_buffers()
    video.has_fields_apart, came = True, False
    packets = [*group.packets, *filter(None, [group.next_packet])]
    try:
        for picture in _decode(video, video.decoder, group, packets):
            if picture.is_corrupt:
                break
            came = came or shown_at(picture) >= group.wanted_seconds[-1] - FIELD_SECONDS
            yield picture
    except MemoryError:
        raise
    except DAMAGE:
        came = False
    video.has_fields_apart = came
