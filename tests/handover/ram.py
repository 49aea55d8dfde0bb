# SPDX-License-Identifier: Apache-2.0
"""Searches a guest's RAM file, and knows where Linux was told things are."""

import mmap
import struct


class Ram:
    """File offset is guest-physical address (machines below 2 GiB)."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def close(self):
        self._map.close()

    def __getitem__(self, key):
        return self._map[key]

    def find_all(self, needle):
        found = []
        at = self._map.find(needle)
        while at >= 0:
            found.append(at)
            at = self._map.find(needle, at + 1)
        return found

    def pieces(self, secret, size=16):
        """Where each 16-byte piece of `secret` stands: a partial copy is one."""
        assert len(secret) >= size
        starts = list(range(0, len(secret) - size + 1, size))
        if starts[-1] + size < len(secret):
            starts.append(len(secret) - size)
        return {start: self.find_all(secret[start : start + size]) for start in starts}


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
