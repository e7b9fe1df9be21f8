"""How a block's lines lie in the file: as they are, or, where that is shorter, as one frame of Zstandard (RFC 8878).

Lines of journals say much the same: a block of 2,000 takes a tenth of their size, of calls that are alike a thirtieth.
That is what is written twice and synced, so that packing takes less time than it saves. Chain, checksums and audit are
about the lines themselves.
"""

from __future__ import annotations

import zstandard

_LEVEL = 1
_MAGIC = b"\x28\xb5\x2f\xfd"  # no line begins so: it begins with a checksum in hex
_TEXT_BYTES_MAX = 10**9  # SQLite keeps no larger value, so that no block has more

Packer = zstandard.ZstdCompressor


def new_packer() -> Packer:
    """What `packed` needs. It is for one thread at a time. Frames have a checksum: a changed one is not unpacked."""
    return Packer(level=_LEVEL, write_checksum=True)


def packed(text: bytes, packer: Packer) -> bytes:
    """Lines, joined by line feeds, as they are stored."""
    frame = packer.compress(text)
    return frame if len(frame) < len(text) else text


def text_of(stored: object) -> bytes:
    """The lines of what is stored. What is no whole frame is given as it is: none of its lines has its checksum."""
    if not isinstance(stored, bytes):  # somebody's own hand
        return str(stored).encode()
    if not is_packed(stored):
        return stored
    try:
        if not 0 <= zstandard.frame_content_size(stored) <= _TEXT_BYTES_MAX:
            return stored
        return zstandard.decompress(stored)
    except zstandard.ZstdError:
        return stored


def is_packed(text: bytes) -> bool:
    """Whether it is a frame and no lines; what `text_of` gives is one where it is damaged."""
    return text.startswith(_MAGIC)
