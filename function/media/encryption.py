"""Notices copy protection: what is encrypted looks like damage, and some of it like pictures."""

import os
import re
from pathlib import Path

from av.packet import Packet
from av.video.stream import VideoStream

HEAD_BYTES = 256 * 1024
TS_PACKET = re.compile(
    rb"\x47[\x00-\xff]{2}([\x00-\xff])(?=[\x00-\xff]{184}(?:[\x00-\xff]{4})?\x47)"
)
PS_PACKET = re.compile(rb"\x00\x00\x01\xe0[\x00-\xff]{2}([\x80-\xbf])")
SCRAMBLED_SHARE = 0.2
"""Of the packets of a broadcast at least this share is scrambled, if its pictures are."""

CONTENT_ENCRYPTION = (
    bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e"),  # Content Encryption Object
    bytes.fromhex("14e68a292226174cb935dae07ee9289c"),  # Extended Content Encryption Object
)
"""The GUIDs by which the header of an ASF file says that its data are encrypted (ASF 1.2, 3.14)."""

LOCKED_TAGS = ("drmi", "encv")
"""Codec tags of pictures from a shop's player, which only that player can decrypt."""


def read_head(source: Path | int) -> bytes:
    """Read the beginning of a file."""
    if isinstance(source, int):
        return os.pread(source, HEAD_BYTES, 0)
    with source.open("rb") as file:
        return file.read(HEAD_BYTES)


def is_locked(stream: VideoStream, format_name: str, head: bytes) -> bool:
    """Say whether the header of a file states that its pictures are encrypted."""
    if format_name == "asf" and any(guid in head for guid in CONTENT_ENCRYPTION):
        return True
    return stream.codec_context.codec_tag in LOCKED_TAGS or "enc_key_id" in stream.metadata


def is_scrambled(format_name: str, head: bytes) -> bool:
    """Say whether many packets at the beginning are marked as scrambled, as on discs and pay TV."""
    if format_name == "mpegts":
        marks = [bool(one[0] & 0xC0) for one in TS_PACKET.findall(head)]
    elif format_name == "mpeg":
        marks = [bool(one[0] & 0x30) for one in PS_PACKET.findall(head)]
    else:
        return False
    return sum(marks) > SCRAMBLED_SHARE * max(len(marks), 1)


def is_encrypted(packet: "Packet[VideoStream]") -> bool:
    """Say whether a packet comes with what a player with the key would need to decrypt it."""
    for _ in packet.iter_sidedata():  # hardly any have some; asking for one kind takes longer
        return packet.has_sidedata("encryption_info")
    return False
