# SPDX-License-Identifier: Apache-2.0
"""The four refusals of the demo, and their neighbours."""

import shutil

from lab import acpi, luks2, testing


class RefusalTest(testing.EndToEnd):
    def changed(self, name, data):
        path = self.site.host / name
        path.write_bytes(data)
        return path

    def test_command_line(self):
        text = self.site.guest.command_line.read_bytes() + b" init=/bin/sh"
        qemu = self.boot(command_line=self.changed("cmdline", text))
        self.assert_denied(qemu, "VP14")

    def test_initrd(self):
        data = bytearray(self.site.guest.initrd.read_bytes())
        data[-1] ^= 1
        qemu = self.boot(initrd=self.changed("initrd", bytes(data)))
        self.assert_denied(qemu, "VP13")

    def test_kernel(self):
        data = bytearray(self.site.guest.kernel.read_bytes())
        data[-1] ^= 1
        qemu = self.boot(kernel=self.changed("kernel", bytes(data)))
        self.assert_denied(qemu, "VP12")

    def test_acpi_table_of_the_host(self):
        table = self.changed("host.aml", acpi.empty_ssdt())
        qemu = self.boot(extra=["-acpitable", f"file={table}"])
        self.assert_denied(qemu, "VP15")

    def test_image_that_is_not_in_the_policy(self):
        image, _ = self.site.configure_image("unknown", [self.site.pin, "sha256:" + "0" * 64])
        qemu = self.site.run(self.site.boot(image, self.site.disk))
        self.assert_denied(qemu, "VP11")

    def test_verifier_with_another_key(self):
        other = self.site.make_verifier("other")
        other.start()
        self.addCleanup(other.stop)
        self.site.start_proxy({"verifier": other.address})
        self.addCleanup(self.site.stop_proxy)
        qemu = self.boot()
        self.assert_failed(qemu, "CR5")
        self.assertEqual(other.decisions(), [])
        other.server.wait_for(r"VS14 TLS failed: .*access denied.*; a guest says so if no pin")

    def test_disk_header_with_cipher_null(self):
        edited = self.site.host / "edited.img"
        shutil.copyfile(self.site.disk, edited)
        luks2.use_no_cipher(edited)
        self.assert_initramfs_refused(self.boot(disk=edited), "header")


if __name__ == "__main__":
    testing.main()
