"""Which container a recording is in, told from its first bytes.

ffmpeg opens whatever a file tells it to open: a playlist, a concat script or an SVG can name other
files and addresses. So it is told the one demuxer, and what is in no container here is not audio.
"""

from __future__ import annotations

import re
from typing import BinaryIO

LIBSNDFILE = frozenset({"wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64", "nistsphere"})
"""Containers that libsndfile reads; ffmpeg the rest."""

_HEAD_BYTES = 64

# As coded in a frame's header: MPEG 2.5 layer III, MPEG 2 and MPEG 1 layers III and II.
_MPEG_VERSIONS_AND_LAYERS = {(0, 1), (2, 1), (2, 2), (3, 1), (3, 2)}

# ffmpeg's name of the demuxer, by what the first bytes are
_MAGIC = {
    "wav": rb"(RIFF|RIFX|RF64|BW64)....WAVE",
    "aiff": rb"FORM....AIF[FC]",
    "flac": rb"fLaC",
    "ogg": rb"OggS",
    "caf": rb"caff",
    "au": rb"\.snd",
    "wv": rb"wvpk",
    "nistsphere": rb"NIST_1A",
    "amr": rb"#!AMR",
    "w64": rb"riff\x2e\x91\xcf\x11",
    "matroska": rb"\x1a\x45\xdf\xa3",
    "asf": rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    "mov": rb"....(ftyp|moov|mdat|wide)",
}


def container_of(file: BinaryIO, suffix: str = "") -> str | None:
    """The container of a file, in ffmpeg's name of its demuxer.

    Parameters
    ----------
    file
        A seekable binary file; it is left at its start.
    suffix
        The file's suffix. Only headerless `.g722` needs it.

    Returns
    -------
    str or None
        None where the bytes are of no audio container that is let through.
    """
    head = _head_at(file, 0)
    if head[:3] == b"ID3" and len(head) >= 10:
        tag_bytes = sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True)
        )
        inner = _head_at(file, 10 + tag_bytes)
        return _by_magic(inner) or _by_mpeg_sync(inner) or "mp3"
    if container := _by_magic(head):
        return container
    if suffix.lower() == ".g722" and not re.fullmatch(rb"[\t\r\n -~]+", head):
        return "g722"
    return _by_mpeg_sync(head)


def _head_at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    return head


def _by_magic(head: bytes) -> str | None:
    return next((name for name, magic in _MAGIC.items() if re.match(magic, head, re.DOTALL)), None)


def _by_mpeg_sync(head: bytes) -> str | None:
    """Tell bare ADTS AAC and MPEG layer II and III by the header of the first frame."""
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    # Layer I is left out: nobody records in it, and UTF-16 text begins with the same FF FE.
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    valid = head[1] & 0xE0 == 0xE0 and (version, layer) in _MPEG_VERSIONS_AND_LAYERS
    return "mp3" if valid and 0 < head[2] >> 4 < 15 and head[2] >> 2 & 3 != 3 else None
