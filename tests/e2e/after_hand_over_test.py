# SPDX-License-Identifier: Apache-2.0
"""What the host may still try once the kernel runs: no shell, no effect, power
off. Each guest here was attested and has its key."""

import os
import threading

from lab import assets, testing

KEYS = b"\n\x03\x04root\nsh\n/bin/sh\n\x1b[A\x1b\n"


class AfterHandOverTest(testing.EndToEnd):
    def image(self, name):
        return self.site.host / name

    def test_no_disk(self):
        boot = self.site.boot(self.site.image, None)
        self.assert_initramfs_refused(self.site.run(boot), "there is no disk")

    def test_disk_of_somebody_else(self):
        disk = self.image("other.img")
        assets.make_disk(disk, os.urandom(32), "the host's line")
        self.assert_initramfs_refused(self.boot(disk=disk), "header")

    def test_disk_shorter_than_its_header(self):
        disk = self.image("short.img")
        disk.write_bytes(self.site.disk.read_bytes()[:65536])
        self.assert_initramfs_refused(self.boot(disk=disk), "shorter")

    def test_disk_without_luks(self):
        disk = self.image("plain.img")
        disk.write_bytes(bytes(4 << 20))
        self.assert_initramfs_refused(self.boot(disk=disk), "header")

    def test_genuine_header_before_another_file_system(self):
        disk = self.image("content.img")
        data = bytearray(self.site.disk.read_bytes())
        data[1 << 20 :] = os.urandom(len(data) - (1 << 20))
        disk.write_bytes(data)
        self.assert_initramfs_refused(self.boot(disk=disk), "no ext4 file system")

    def type_keys(self, boot):
        """Boots while somebody types without a pause."""
        self.site.wiring.fresh_ram()
        self.site.start_emulator(boot.image)
        qemu = self.site.start_machine(boot, typing=True)
        done = threading.Event()

        def type_all():
            while not done.wait(0.05):  # the pace of the typing
                try:
                    os.write(qemu.stdin.fileno(), KEYS)
                except OSError:
                    return

        typist = threading.Thread(target=type_all, daemon=True)
        typist.start()
        try:
            qemu.wait(120)
        finally:
            done.set()
            typist.join(10)
        return qemu

    def test_keys_typed_at_the_console(self):
        qemu = self.type_keys(self.site.boot(self.site.image, self.site.disk))
        self.assert_booted(qemu)
        self.assert_no_shell(qemu)

    def test_keys_typed_at_the_console_after_a_failure(self):
        qemu = self.type_keys(self.site.boot(self.site.image, None))
        self.assert_initramfs_refused(qemu, "there is no disk")

    # The initramfs refuses to go on where fw_cfg is visible in /sys, so a boot to
    # the end says that the kernel took no module for it. Nothing in it reads
    # credentials; for guests that have systemd, the command line says no.
    def test_command_line_shuts_what_the_host_could_open(self):
        words = assets.COMMAND_LINE.split()
        for word in ("systemd.import_credentials=no", "panic=-1", "rd.shell=0", "rd.emergency=poweroff",
                     "systemd.mask=serial-getty@ttyS0.service", "module_blacklist=qemu_fw_cfg"):  # fmt: skip
            self.assertIn(word, words)

    CREDENTIAL = "io.systemd.credential:passwd.hashed-password.root="

    def test_credentials_by_fw_cfg(self):
        qemu = self.boot(extra=[
            "-fw_cfg", "name=opt/io.systemd.credentials/passwd.hashed-password.root,string=x",
            "-fw_cfg", "name=opt/org.forelock/root.key,string=x",
        ])  # fmt: skip
        self.assert_booted(qemu)
        self.assert_no_shell(qemu)

    def test_credentials_by_smbios(self):
        qemu = self.boot(extra=["-smbios", f"type=11,value={self.CREDENTIAL}"])
        self.assert_booted(qemu)
        self.assert_no_shell(qemu)


if __name__ == "__main__":
    testing.main()
