# SPDX-License-Identifier: Apache-2.0
"""Tests whose guest has an initrd of stock programs (lab/stock.py) and a disk that
the host rewrote: its header is the genuine one but for the cipher, its content is the
host's. The guest is attested and gets the genuine key."""

import hashlib
import os
import pathlib

from lab import process, stock, testing

HOSTS_LINE = "the host wrote this"
PATIENCE = 300  # systemd and udev under TCG, on a loaded machine


class StockGuest(testing.EndToEnd):
    # Initrd's name to the archive that stands behind the stock one.
    archives = {}

    @classmethod
    def more_guests(cls):
        initrd = pathlib.Path(os.environ.get("FORELOCK_STOCK", "/nonexistent"), "initrd.img")
        if not initrd.exists():
            raise process.Failure(testing.NO_ASSETS)
        command_line = cls.site.host / "stock.cmdline"
        command_line.write_text(stock.COMMAND_LINE)
        cls.guests = {}
        for name, archive in cls.archives.items():
            path = cls.site.host / f"{name}.initrd"
            path.write_bytes(initrd.read_bytes() + archive)
            cls.guests[name] = cls.site.guest.replace(initrd=path, command_line=command_line)
        return cls.guests.values()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hosts_disk = cls.site.host / "host.img"
        stock.make_disk_of_the_host(cls.site.disk, cls.hosts_disk, HOSTS_LINE)

    def start(self, name, disk):
        return self.boot(disk=disk, guest=self.guests[name], deadline=PATIENCE)

    def assert_opened(self, qemu, cipher, line):
        self.assert_line(qemu, "^stock: opened$")
        self.assert_line(qemu, f"^stock: mapped: root: 0 [0-9]+ crypt {cipher}$")
        self.assert_line(qemu, f"^stock: mounted: {line}$")

    def assert_key_in_its_folder(self, qemu):
        digest = hashlib.sha256(self.site.key).hexdigest()
        self.assert_line(qemu, f"^stock: key in place, sha256 {digest}$")
