# SPDX-License-Identifier: Apache-2.0
"""The image as a flat ROM: no firmware of QEMU's runs before it."""

from lab import process, testing


class RomTest(testing.EndToEnd):
    def rom(self, image):
        rom = image.with_suffix(".rom")
        process.run([self.site.tools.cli, "image", "rom", image, "--output", rom])
        return rom

    def test_boots_from_the_encrypted_disk(self):
        image = self.site.images["vm1"]
        qemu = self.boot(rom=self.rom(image))
        self.assert_booted(qemu)
        self.assert_line(qemu, "initramfs: done, powering off")
        # The same ACPI tables as under QEMU's firmware: one policy for both.
        self.assert_line(qemu, f"boot manifest: acpi sha384:{self.site.acpi}")


if __name__ == "__main__":
    testing.main()
