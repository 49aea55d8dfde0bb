# SPDX-License-Identifier: Apache-2.0
"""Searches a guest's RAM file, and knows where Linux was told things are."""

import mmap
import os
import struct
import subprocess


class Ram:
    """File offset is guest-physical address (machines below 2 GiB)."""

    def __init__(self, path):
        self._file = open(path, "rb")
        self._map = mmap.mmap(self._file.fileno(), 0, prot=mmap.PROT_READ)
        self._extents = None

    def close(self):
        self._map.close()
        self._file.close()

    def __getitem__(self, key):
        return self._map[key]

    def extents(self):
        """(address, bytes) of what was ever written, copied once: the machine
        must stand still from the first call on."""
        if self._extents is None:
            self._extents = []
            end, size = 0, len(self._map)
            while end < size:
                try:
                    start = os.lseek(self._file.fileno(), end, os.SEEK_DATA)
                except OSError:  # nothing but a hole is left
                    break
                end = os.lseek(self._file.fileno(), start, os.SEEK_HOLE)
                self._extents.append((start, self._map[start:end]))
        return self._extents

    def find_all(self, needle):
        found = []
        for start, data in self.extents():
            at = data.find(needle)
            while at >= 0:
                found.append(start + at)
                at = data.find(needle, at + 1)
        return found

    def pieces(self, secret, size=16):
        """Where each 16-byte piece of `secret` stands: a partial copy is one."""
        assert len(secret) >= size
        starts = list(range(0, len(secret) - size + 1, size))
        if starts[-1] + size < len(secret):
            starts.append(len(secret) - size)
        return {start: self.find_all(secret[start : start + size]) for start in starts}


def is_random(piece):
    """16 bytes that are hardly anything but key, digest or ciphertext."""
    return len(set(piece)) >= 12


def generator_state(memory, address):
    """The state of CTR_DRBG in the crypto::Rng at `address`: counter and round
    keys, whatever their places, in pieces of 16 bytes."""
    state = memory[address : address + 384]
    pieces = (state[at : at + 16] for at in range(0, len(state), 8))
    return [piece for piece in pieces if len(piece) == 16 and is_random(piece)]


class ZeroPage:
    """Linux Documentation/arch/x86/zero-page.rst."""

    def __init__(self, ram, address):
        page = ram[address : address + 4096]

        def number(form, offset):
            return struct.unpack_from(form, page, offset)[0]

        self.acpi_rsdp = number("<Q", 0x070)
        self.initrd = number("<I", 0x218)
        self.initrd_size = number("<I", 0x21C)
        self.command_line = number("<I", 0x228)
        self.setup_data = number("<Q", 0x250)
        self.e820 = [
            struct.unpack_from("<QQI", page, 0x2D0 + 20 * i) for i in range(page[0x1E8])
        ]


class Symbols:
    """Addresses in an ELF file, by the start of a C++ name."""

    def __init__(self, elf):
        text = subprocess.run(
            ["nm", "--demangle", str(elf)], check=True, stdout=subprocess.PIPE
        ).stdout.decode()
        self._names = {}
        for line in text.splitlines():
            parts = line.split(" ", 2)
            if len(parts) == 3 and parts[0] and "[clone" not in parts[2]:
                self._names[parts[2]] = int(parts[0], 16)

    def __getitem__(self, start):
        found = {at for name, at in self._names.items() if name.startswith(start)}
        if len(found) != 1:
            raise KeyError(f"{start}: {len(found)} symbols")
        return found.pop()
