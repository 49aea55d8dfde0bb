# SPDX-License-Identifier: Apache-2.0
"""Boots an image alone in QEMU: no daemons, no disk."""

import contextlib
import os
import pathlib
import struct
import subprocess

from lab import machine, process

CONFIG_SIZE = 16384


def scratch(name):
    return pathlib.Path(os.environ["TEST_TMPDIR"]) / name


@contextlib.contextmanager
def start(image, *extra, cpu="max", typing=False):
    """A running QEMU, killed at the end of the block if it still runs."""
    line = [
        "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", cpu, "-m", "128",
        *machine.HEADLESS, "-kernel", image, *extra,
    ]  # fmt: skip
    stdin = subprocess.PIPE if typing else subprocess.DEVNULL
    qemu = process.Process("qemu", line, scratch("console.log"), stdin)
    try:
        yield qemu
    finally:
        if qemu.running():
            qemu.kill()


def boot(image, *extra, cpu="max", deadline=120):
    """Runs to power-off; returns the ended process."""
    with start(image, *extra, cpu=cpu) as qemu:
        qemu.wait(deadline)
        return qemu


class Elf:
    """As much of an ELF64 file as the tests look at."""

    def __init__(self, path):
        self.bytes = bytearray(pathlib.Path(path).read_bytes())
        assert self.bytes[:6] == b"\x7fELF\x02\x01"

    def _table(self, offset_at, count_at, entry_at, layout):
        offset = struct.unpack_from("<Q", self.bytes, offset_at)[0]
        size, count = struct.unpack_from("<HH", self.bytes, entry_at)
        assert count_at == entry_at + 2
        for i in range(count):
            yield struct.unpack_from(layout, self.bytes, offset + i * size)

    def loads(self):
        """(flags, file offset, address, file size, memory size) of each PT_LOAD."""
        for kind, flags, offset, _, address, in_file, in_memory, _ in self._table(
                0x20, 0x38, 0x36, "<IIQQQQQQ"):  # fmt: skip
            if kind == 1:
                yield flags, offset, address, in_file, in_memory

    def sections(self):
        """(name, flags, file offset, address, size) of each section."""
        sections = list(self._table(0x28, 0x3C, 0x3A, "<IIQQQQ"))
        names = sections[struct.unpack_from("<H", self.bytes, 0x3E)[0]][4]
        for at, _, flags, address, offset, size in sections:
            end = self.bytes.index(0, names + at)
            yield self.bytes[names + at:end].decode(), flags, offset, address, size  # fmt: skip

    def section(self, name):
        """(file offset, address, size) of a section."""
        for found, _, offset, address, size in self.sections():
            if found == name:
                return offset, address, size
        raise KeyError(name)

    def with_config(self, section, to):
        """Writes a copy whose .config section starts with these bytes."""
        offset, _, size = self.section(".config")
        assert size == CONFIG_SIZE and len(section) <= size
        changed = bytearray(self.bytes)
        changed[offset:offset + size] = section.ljust(size, b"\0")  # fmt: skip
        pathlib.Path(to).write_bytes(changed)
        return to
