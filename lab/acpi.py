# SPDX-License-Identifier: Apache-2.0
"""ACPI tables that a host offers its guest."""

import struct


def empty_ssdt():
    """A minimal, valid SSDT for -acpitable: a header and no code."""
    table = bytearray(b"SSDT" + (36).to_bytes(4, "little") + b"\x02\x00")
    table += b"HOST  " + b"HOSTHOST" + bytes(4) + b"HOST" + bytes(4)
    table[9] = -sum(table) & 0xFF
    return bytes(table)


_RSDP, _TABLES = b"etc/acpi/rsdp", b"etc/acpi/tables"


def fw_cfg_files(folder):
    """Writes RSDP, tables (RSDT, FADT, FACS, DSDT) and a table loader such as
    QEMU's q35 makes (QEMU, hw/acpi/bios-linker-loader.c); returns fw_cfg names
    and paths."""
    facs, dsdt, fadt, rsdt = 0, 64, 128, 256
    tables = bytearray(1024)
    for place, name, length in ((facs, b"FACS", 64), (dsdt, b"DSDT", 36), (fadt, b"FACP", 116), (rsdt, b"RSDT", 40)):
        tables[place : place + 8] = name + struct.pack("<I", length)
    struct.pack_into("<II", tables, fadt + 36, facs, dsdt)
    struct.pack_into("<I", tables, rsdt + 36, fadt)
    rsdp = bytearray(b"RSD PTR " + bytes(12))
    struct.pack_into("<I", rsdp, 16, rsdt)

    def command(kind, layout, *fields):
        return (struct.pack("<I", kind) + struct.pack(layout, *fields)).ljust(128, b"\0")

    def allocate(name, alignment, zone):
        return command(1, "<56sIB", name, alignment, zone)

    def pointer(destination, offset):
        return command(2, "<56s56sIB", destination, _TABLES, offset, 4)

    def checksum(name, offset, start, length):
        return command(3, "<56sIII", name, offset, start, length)

    loader = b"".join([
        allocate(_RSDP, 16, 2), allocate(_TABLES, 64, 1),
        pointer(_TABLES, fadt + 36), pointer(_TABLES, fadt + 40), checksum(_TABLES, fadt + 9, fadt, 116),
        pointer(_TABLES, rsdt + 36), checksum(_TABLES, rsdt + 9, rsdt, 40),
        pointer(_RSDP, 16), checksum(_RSDP, 8, 0, 20),
    ])  # fmt: skip
    files = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in ((_RSDP, rsdp), (_TABLES, tables), (b"etc/table-loader", loader)):
        path = folder / name.decode().replace("/", "-")
        path.write_bytes(data)
        files[name.decode()] = path
    return files
