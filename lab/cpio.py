# SPDX-License-Identifier: Apache-2.0
"""Writes newc cpio archives: the same input gives the same bytes."""

import stat


class Archive:
    """Entries in memory; owner root, time 0, whoever runs this and when."""

    def __init__(self):
        self._entries = {}

    def directory(self, path, mode=0o755):
        self._entries.setdefault(path.strip("/"), (stat.S_IFDIR | mode, b"", 0))

    def _parents(self, path):
        parts = path.strip("/").split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            self.directory("/".join(parts[:depth]))

    def file(self, path, data, mode=0o644):
        self._parents(path)
        self._entries[path.strip("/")] = (stat.S_IFREG | mode, data, 0)

    def symlink(self, path, target):
        self._parents(path)
        self._entries[path.strip("/")] = (stat.S_IFLNK | 0o777, target.encode(), 0)

    def character_device(self, path, major, minor, mode=0o600):
        self._parents(path)
        self._entries[path.strip("/")] = (stat.S_IFCHR | mode, b"", major << 8 | minor)

    def serialise(self):
        out = bytearray()
        for number, (name, (mode, data, device)) in enumerate(sorted(self._entries.items()), 1):
            _append(out, number, name, mode, data, device)
        _append(out, 0, "TRAILER!!!", 0, b"", 0)
        # A multiple of 512, as cpio -o writes it.
        out += bytes(-len(out) % 512)
        return bytes(out)


def _append(out, number, name, mode, data, device):
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0,
              device >> 8, device & 0xFF, len(encoded), 0)
    out += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    out += bytes(-len(out) % 4)
    out += data
    out += bytes(-len(out) % 4)
