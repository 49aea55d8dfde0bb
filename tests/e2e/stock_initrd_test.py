# SPDX-License-Identifier: Apache-2.0
"""An owner's initrd of stock programs, without any hook of ours: Debian's systemd
with a crypttab that says `root /dev/vda none luks`. The host offers a disk whose
header is the genuine one but for the cipher, and whose content it wrote. The guest
is attested and gets the genuine key.

As released, systemd finds no key and opens nothing. That the same initrd would
otherwise open the disk is shown by one link that leads it to the key.
"""

import hashlib
import os
import pathlib

from lab import process, stock, testing

HOSTS_LINE = "the host wrote this"
PATIENCE = 300  # systemd and udev under TCG, on a loaded machine


class StockInitrdTest(testing.EndToEnd):
    @classmethod
    def more_guests(cls):
        initrd = pathlib.Path(os.environ.get("FORELOCK_STOCK", "/nonexistent"), "initrd.img")
        if not initrd.exists():
            raise process.Failure(testing.NO_ASSETS)
        host = cls.site.host
        command_line = host / "stock.cmdline"
        command_line.write_text(stock.COMMAND_LINE)
        linked = host / "linked.initrd"
        linked.write_bytes(initrd.read_bytes() + stock.keys_where_systemd_looks())
        guest = cls.site.guest.replace(command_line=command_line)
        cls.as_released = guest.replace(initrd=initrd)
        cls.with_link = guest.replace(initrd=linked)
        return [cls.as_released, cls.with_link]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hosts_disk = cls.site.host / "host.img"
        stock.make_disk_of_the_host(cls.site.disk, cls.hosts_disk, HOSTS_LINE)

    def start(self, guest):
        return self.boot(disk=self.hosts_disk, guest=guest, deadline=PATIENCE)

    def assert_key_in_its_folder(self, qemu):
        digest = hashlib.sha256(self.site.key).hexdigest()
        self.assert_line(qemu, f"^stock: key in place, sha256 {digest}$")

    def test_finds_no_key_and_opens_nothing(self):
        qemu = self.start(self.as_released)
        self.assert_line(qemu, "^stock: asks for a passphrase$")
        self.assert_line(qemu, "^stock: mapped: No devices found$")
        self.assert_line(qemu, "^stock: mounted: $")
        self.assert_key_in_its_folder(qemu)

    def test_would_open_the_hosts_content_if_it_found_the_key(self):
        qemu = self.start(self.with_link)
        self.assert_line(qemu, "^stock: opened$")
        self.assert_line(qemu, "^stock: mapped: root: 0 [0-9]+ crypt cipher_null-ecb$")
        self.assert_line(qemu, f"^stock: mounted: {HOSTS_LINE}$")
        self.assert_key_in_its_folder(qemu)


if __name__ == "__main__":
    testing.main()
