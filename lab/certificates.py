# SPDX-License-Identifier: Apache-2.0
"""The certificate table that a host's daemon sends to a guest, made of any
bytes, right or wrong: AMD 56421 (GHCB) rev. 2.03, 4.1.8.1."""

import os
import pathlib
import struct
import tempfile
import uuid

GUIDS = {
    "vcek": uuid.UUID("63da758d-e664-4564-adc5-f4b93be8accd"),
    "vlek": uuid.UUID("a8074bc2-a25a-483e-aae6-39c045a0b8a1"),
    "ask": uuid.UUID("4ab7b379-bbac-4fe4-a02f-05aef327c782"),  # or the ASVK, beside a VLEK
    "ark": uuid.UUID("c0b406a4-a803-4952-9743-3fb6014cd0ae"),
    "crl": uuid.UUID("92f81bc3-5811-4d3d-97ff-d19f88dc67ea"),
}
_ENTRY = struct.Struct("<16sII")  # GUID as in RFC 4122, offset from the table's start, length


def pack(**certificates):
    """The table of these, by the names of GUIDS, in DER."""
    offset = (len(certificates) + 1) * _ENTRY.size
    header = b""
    for name, der in certificates.items():
        header += _ENTRY.pack(GUIDS[name].bytes, offset, len(der))
        offset += len(der)
    return header + bytes(_ENTRY.size) + b"".join(certificates.values())


def unpack(table):
    """What pack() was given."""
    names = {guid.bytes: name for name, guid in GUIDS.items()}
    certificates = {}
    for at in range(0, len(table), _ENTRY.size):
        guid, offset, length = _ENTRY.unpack_from(table, at)
        if guid == bytes(16):
            break
        certificates[names[guid]] = table[offset : offset + length]
    return certificates


def write(path, **certificates):
    """pack() in place of `path`; a daemon that reads it meanwhile has one or the other."""
    path = pathlib.Path(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(pack(**certificates))
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
