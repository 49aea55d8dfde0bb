# SPDX-License-Identifier: Apache-2.0
"""A table for -acpitable."""


def empty_ssdt():
    """A minimal, valid SSDT: a header and no code."""
    table = bytearray(b"SSDT" + (36).to_bytes(4, "little") + b"\x02\x00")
    table += b"HOST  " + b"HOSTHOST" + bytes(4) + b"HOST" + bytes(4)
    table[9] = -sum(table) & 0xFF
    return bytes(table)
