# SPDX-License-Identifier: Apache-2.0
"""What a person begins with: a disk made by the words of docs/own-a-guest.md,
booted by the demo's initramfs, and an image that asks for no secret."""

import os
import pathlib
import re
import shutil

from lab import machine, process, testing

ROOT = pathlib.Path(os.environ["TEST_SRCDIR"]) / os.environ["TEST_WORKSPACE"]


def commands_of(section):
    """The first block of commands under a heading of docs/own-a-guest.md."""
    text = (ROOT / "docs/own-a-guest.md").read_text()
    return re.search(rf"^## {section}\n.*?^```\n(.*?)^```", text, re.M | re.S).group(1)


class FirstGuestTest(testing.EndToEnd):
    images = {"bare": {"resources": False}}

    def make_disk(self, fill):
        """As an owner does; `fill` is given the folder of what goes in."""
        folder = self.site.owner / self.id().rsplit(".")[-1]
        self.addCleanup(shutil.rmtree, folder)
        (folder / "root").mkdir(parents=True)
        fill(folder / "root")
        process.run(["sh", "-euc", f"cd '{folder}'\nPATH=$PATH:/usr/sbin:/sbin\n" + commands_of("3. The disk")])
        self.site.verifier.call("secret", "replace-disk", "demo/vm1/root", "--key-file", folder / "KEY",
                                "--device", folder / "disk.img")  # fmt: skip
        return folder / "disk.img"

    def test_a_disk_by_the_document(self):
        disk = self.make_disk(lambda root: (root / "secret-name").write_text("secret content\n"))
        qemu = self.boot(disk=disk)
        # With lost+found.
        self.assert_line(qemu, "initramfs: the disk is open: an ext4 file system, 2 names at its top$")
        self.assert_line(qemu, "initramfs: a line in its /etc/forelock-welcome would be shown here$")
        self.assert_line(qemu, "initramfs: done, powering off")
        # The console is the host's.
        self.assert_no_line(qemu, "secret-name|secret content|refused|/sbin/init")

    def test_a_disk_with_a_system(self):
        def fill(root):
            (root / "sbin").mkdir()
            (root / "sbin/init").symlink_to("/lib/systemd/systemd")

        qemu = self.boot(disk=self.make_disk(fill))
        self.assert_line(qemu, "initramfs: its /sbin/init is not started")
        self.assert_line(qemu, "initramfs: done, powering off")

    def acpi_digest(self, *words):
        return process.run([self.site.tools.cli, "image", "acpi-digest", self.site.image, *words]).stdout

    def test_the_acpi_digest_before_the_first_boot(self):
        """What the guest itself printed of the same machine (Site.learn_acpi)."""
        said = self.acpi_digest("--kernel", self.site.guest.kernel, "--disk", "anything")
        self.assertEqual(said, f"sha384:{self.site.acpi}\n")
        boot = self.site.boot(self.site.image, self.site.disk, extra=["-smp", "2", "-device", "virtio-rng-pci"])
        seen = self.site.learn_acpi(boot)
        self.assertNotEqual(seen, self.site.acpi)
        # Nothing that the line names is there any more.
        boot.disk, wiring = "/nowhere/disk.img", machine.Wiring()
        wiring.close()
        self.assertEqual(self.acpi_digest("--", *machine.command(boot, wiring)), f"sha384:{seen}\n")

    def test_an_image_without_secrets_is_attested(self):
        """To Linux, with nothing but the verifier's word; the owner's record has it."""
        qemu = self.boot("bare")
        self.assert_line(qemu, "granted: 0 secrets, boot ")
        self.assert_initramfs_refused(qemu, "no disk key was delivered")
        decision, outcome = self.site.verifier.decisions()[0]
        self.assertEqual(outcome, "granted")
        record = self.site.verifier.audit(decision)
        self.assertRegex(record, r"(?m)^asked for +no secret, only to boot, policy demo/vm1$")
        self.assertRegex(record, r"(?m)^boot +number \d+$")
        self.assertRegex(record, r"(?m)^receipt +accepted$")

    def test_an_image_without_secrets_boots_nothing_else(self):
        command_line = self.site.host / "other.cmdline"
        command_line.write_text(self.site.guest.command_line.read_text() + " quiet")
        self.assert_denied(self.boot("bare", command_line=command_line), "VP14")

    def test_an_image_without_secrets_needs_its_verifier(self):
        self.site.verifier.stop()
        image, _ = self.site.configure_image("short", [self.site.pin], resources=False, **testing.SHORT)
        qemu = self.site.run(self.site.boot(image, self.site.disk))
        self.assert_line(qemu, "forelock: failed: ")
        self.assert_linux_not_started(qemu)


if __name__ == "__main__":
    testing.main()
