# SPDX-License-Identifier: Apache-2.0
"""An owner's initrd without any hook of ours: Debian's systemd with a crypttab that
says `root /dev/vda none luks`. As released, systemd finds no key and opens nothing.
That the same initrd would otherwise open the host's disk is shown by one link that
leads it to the key.
"""

from e2e import stock_guest
from lab import stock, testing


class StockInitrdTest(stock_guest.StockGuest):
    archives = {"released": b"", "linked": stock.keys_where_systemd_looks()}

    def test_finds_no_key_and_opens_nothing(self):
        qemu = self.start("released", self.hosts_disk)
        self.assert_line(qemu, "^stock: asks for a passphrase$")
        self.assert_line(qemu, "^stock: mapped: No devices found$")
        self.assert_line(qemu, "^stock: mounted: $")
        self.assert_key_in_its_folder(qemu)

    def test_would_open_the_hosts_content_if_it_found_the_key(self):
        qemu = self.start("linked", self.hosts_disk)
        self.assert_opened(qemu, "cipher_null-ecb", stock_guest.HOSTS_LINE)
        self.assert_key_in_its_folder(qemu)


if __name__ == "__main__":
    testing.main()
