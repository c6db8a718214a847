"""Which containers and codecs are read, and the suffixes by which videos are found in a folder.

FFmpeg has hundreds more, and hostile files find overflows in those that nobody uses. So what is
here is what cameras, editors, broadcasts and discs of the last thirty years have left in libraries.
"""

import codecs
from unicodedata import category

SUFFIXES_BY_FORMAT = {
    "mov": (
        *(".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".3gpp", ".3gp2"),
        *(".f4v", ".ismv", ".mj2", ".insv"),
    ),
    "matroska": (".mkv", ".webm", ".mk3d"),
    "avi": (".avi", ".divx", ".amv"),
    "mpegts": (".ts", ".m2ts", ".mts", ".m2t", ".trp", ".tod"),
    "mpeg": (".mpg", ".mpeg", ".vob", ".mod", ".m2p", ".vro", ".dat", ".mpe", ".evo"),
    "mpegvideo": (".m1v", ".m2v", ".mpv"),
    "asf": (".wmv", ".asf", ".wm", ".dvr-ms"),
    "flv": (".flv",),
    "ogg": (".ogv", ".ogm"),
    "rm": (".rm", ".rmvb"),
    "mxf": (".mxf",),
    "dv": (".dv", ".dif"),
    "wtv": (".wtv",),
    "pva": (".pva",),
    "nut": (".nut",),
    "gif": (".gif",),
    "apng": (),
    "ivf": (".ivf",),
    "obu": (".obu",),
    "h264": (".h264", ".264", ".avc"),
    "hevc": (".hevc", ".h265", ".265"),
    "m4v": (),
    "mjpeg": (".mjpeg", ".mjpg"),
    "vc1": (".vc1",),
    "h263": (".h263",),
}
"""FFmpeg's readers of plain containers, each with the suffixes of files that it is for. A suffix
decides nothing but which files are found. Readers of playlists and scripts are left out, because
they open further files and URLs, also from a playlist named .mp4. `protocol_whitelist` is a second
safeguard; alone it would let a playlist read files next to it."""

FORMATS = tuple(SUFFIXES_BY_FORMAT)

VIDEO_SUFFIXES = frozenset(
    suffix for suffixes in SUFFIXES_BY_FORMAT.values() for suffix in suffixes
) - {".gif", ".dat", ".mod", ".avc"}
"""The suffixes by which videos are found in a folder; one with another can still be named. Those
left out belong to pictures, to music and to data more often than to videos."""

TEXT_SUFFIXES = (b".ts", b".mts")
"""Suffixes of videos that programs in TypeScript and translations have too."""

TEXT_HEAD_BYTES = 1024

_IN_CODE_PAGES = "\t\n\r\f" + bytes(range(0x80, 0xA0)).decode("latin-1")


def is_text(head: bytes) -> bool:
    """Say whether a file that begins so is text, and so no broadcast: they are full of zeros."""
    if _is_text_in(head, "utf-8"):
        return True
    # Whatever has no control characters could be one of these: at least markup and code are ASCII.
    wide = next((name for mark, name in _MARKS_OF_WIDE if head.startswith(mark)), "")
    others = [wide] if wide else [name for name in _DECODERS if name != "utf-8"]
    return any(_is_text_in(head, one, least_ascii=0.5) for one in others)


_DECODERS = {
    name: codecs.getincrementaldecoder(name)
    for name in ("utf-8", "utf-16-le", "utf-16-be", "latin-1")
}
"""Found now: Python reads each from a file of its own, which a locked process may not open."""

_MARKS_OF_WIDE = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def _is_text_in(head: bytes, encoding: str, least_ascii: float = 0.0) -> bool:
    """Say whether a head has only letters and the like, so large a share of them in ASCII.

    In one byte each, what Latin-1 has no letter for may be one of another code page.
    """
    try:
        text = _DECODERS[encoding]().decode(head)  # it may end within a letter
    except UnicodeDecodeError:
        return False
    ascii_share = sum(one.isascii() for one in text) / max(1, len(text))
    others = "\t\n\r\f" if encoding != "latin-1" else _IN_CODE_PAGES
    are_letters = all(category(one) != "Cc" or one in others for one in text)
    return bool(text) and are_letters and ascii_share >= least_ascii


CODECS = (
    # what players, cameras and sites use
    *("h264", "hevc", "av1", "libdav1d", "vp8", "libvpx", "vp9", "libvpx-vp9", "vvc"),
    *("mpeg1video", "mpeg2video", "mpegvideo", "mpeg4", "theora", "vc1", "wmv1", "wmv2", "wmv3"),
    *("msmpeg4v1", "msmpeg4v2", "msmpeg4", "h261", "h263", "h263i", "h263p", "flv"),
    *("vp3", "vp5", "vp6", "vp6a", "vp6f", "vp7", "rv10", "rv20", "rv30", "rv40", "rv60"),
    *("svq1", "svq3", "dirac", "dvvideo", "mjpeg", "mjpegb", "amv"),
    # what editors use
    *("prores", "dnxhd", "cfhd", "aic", "png", "apng", "gif", "jpeg2000", "qtrle", "rawvideo"),
    *("ffv1", "huffyuv", "ffvhuff", "utvideo", "lagarith", "magicyuv", "v210", "v410", "r210"),
    *("hap", "pixlet", "hqx", "hq_hqa", "cllc", "snow", "yuv4", "v308", "v408", "zlib", "mszh"),
    # what discs and early downloads used
    *("cinepak", "indeo2", "indeo3", "indeo4", "indeo5", "msvideo1", "msrle", "rpza", "smc"),
    *("8bps", "asv1", "asv2", "fraps", "truemotion1", "truemotion2", "cyuv", "loco", "vble"),
    # what records a screen
    *("camtasia", "tscc2", "camstudio", "zmbv", "flashsv", "flashsv2", "g2m", "mss1", "mss2"),
    *("msa1", "mts2", "wmv3image", "vc1image"),
)
"""FFmpeg's decoders for these files."""

KINDLESS_CODECS = (
    *("cinepak", "msvideo1", "msrle", "rpza", "smc", "qtrle", "camtasia", "tscc2", "camstudio"),
    *("flashsv", "flashsv2", "g2m", "mss1", "mss2", "msa1", "mts2", "indeo2", "indeo3"),
    *("truemotion1", "truemotion2"),
)
"""Codecs that store what has changed, and whose decoders do not say of what kind a picture is."""

SPARING_CODECS = ("camtasia", "tscc2", "g2m", "mss1", "mss2", "msa1", "mts2")
"""Codecs of screens whose decoders give no picture where nothing has changed."""

WAITING_CODECS = ("rv20",)
"""Codecs whose decoders give a picture only with the packet after it, and do not give the last."""

SOUND_CODECS = ("aac", "mp3", "mp3float", "ac3", "eac3", "opus", "vorbis", "flac", "wmav2")
"""Opened only while FFmpeg probes a file, never to decode; others it leaves unknown."""

STILL_CODECS = ("png", "apng", "gif", "mjpeg", "jpeg2000", "rawvideo", "bmp", "webp")
"""Codecs in which a picture is also put on a sleeve: beside another track they are not the film."""
