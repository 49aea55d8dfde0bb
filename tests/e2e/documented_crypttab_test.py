# SPDX-License-Identifier: Apache-2.0
"""Debian's systemd with the files that docs/guest-os.md shows, as they stand there:
it opens the genuine disk, and only that one."""

import pathlib

from e2e import stock_guest
from lab import site, stock, testing


class DocumentedCrypttabTest(stock_guest.StockGuest):
    archives = {"documented": stock.files_of(pathlib.Path("docs/guest-os.md").read_text())}

    def test_opens_the_genuine_disk(self):
        qemu = self.start("documented", self.site.disk)
        self.assert_opened(qemu, "aes-xts-plain64", site.WELCOME)
        # keyfile-erase
        self.assert_line(qemu, "^stock: key in place, sha256 $")

    def test_refuses_the_hosts_disk(self):
        qemu = self.start("documented", self.hosts_disk)
        self.assert_line(qemu, "^the disk's header is not the one that the key came with$")
        self.assert_line(qemu, "reboot: Power down")
        self.assert_no_line(qemu, "^stock: ")


if __name__ == "__main__":
    testing.main()
