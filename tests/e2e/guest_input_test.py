# SPDX-License-Identifier: Apache-2.0
"""Broken or hostile input to the guest: a reason is printed, nothing boots."""

from lab import testing


class GuestInputTest(testing.EndToEnd):
    images = {"short": testing.SHORT}

    def host_file(self, name, data=b""):
        path = self.site.host / name
        path.write_bytes(data)
        return path

    def test_no_kernel(self):
        self.assert_failed(self.boot(kernel=None), "SL20")

    def test_no_initrd(self):
        """Is an empty one: the manifest says so and the owner decides."""
        self.assert_denied(self.boot(initrd=None), "VP13")

    def test_no_command_line(self):
        self.assert_denied(self.boot(command_line=None), "VP14")

    def test_truncated_kernel(self):
        kernel = self.host_file("truncated", self.site.guest.kernel.read_bytes()[:100_000])
        self.assert_failed(self.boot(kernel=kernel), "SL31")

    def test_kernel_of_a_few_bytes(self):
        self.assert_failed(self.boot(kernel=self.host_file("tiny", b"MZ")), "SL31")

    def test_empty_kernel(self):
        self.assert_failed(self.boot(kernel=self.host_file("empty")), "SL21")

    def test_initrd_larger_than_memory(self):
        initrd = self.host_file("huge")
        with open(initrd, "r+b") as file:
            file.truncate(600 << 20)
        self.assert_failed(self.boot(initrd=initrd), "SL6")

    def test_no_place_for_the_kernel(self):
        """The policy accepts these files, but they cannot boot in so little
        memory: nobody is asked for the secret, and no boot is counted."""
        decided = self.site.verifier.decisions()
        # QEMU takes the last of each option.
        small = f"memory-backend-file,id=small,size=64M,mem-path={self.site.wiring.ram},share=on"
        qemu = self.boot(extra=["-m", "64", "-object", small, "-machine", "memory-backend=small"])
        self.assert_failed(qemu, "SL36")
        self.assert_line(qemu, r"measured: boot files copied")
        self.assert_no_line(qemu, r"\] connected\b")
        self.assertEqual(self.site.verifier.decisions(), decided)
        self.assertIsNotNone(self.site.proxy.find(r"failed: SL36 "))

    def test_command_line_too_long(self):
        self.assert_failed(self.boot(command_line=self.host_file("long", b"a" * 100_000)), "SL23")

    def unattestable(self, image):
        """An image that its own secure processor has nothing to measure for."""
        self.site.wiring.fresh_ram()
        self.site.start_emulator(self.site.image)
        qemu = self.site.start_machine(self.site.boot(image, self.site.disk))
        qemu.wait(120)
        return qemu

    def test_image_without_configuration(self):
        self.assert_failed(self.unattestable(self.site.tools.image), "PR1")

    def configured(self):
        """The image's bytes, and where its .config section is in them."""
        data = bytearray(self.site.image.read_bytes())
        at = data.rindex(b"FLCONFIG")
        self.assertEqual(at % 4096, 0)
        return data, at

    def test_image_with_a_broken_configuration(self):
        data, at = self.configured()
        data[at + 16 : at + 24] = b"\xff" * 8
        self.assert_failed(self.unattestable(self.host_file("broken.elf", bytes(data))), "PR4")

    def test_image_with_a_wild_configuration_size(self):
        data, at = self.configured()
        data[at + 8 : at + 12] = b"\xff" * 4
        self.assert_failed(self.unattestable(self.host_file("size.elf", bytes(data))), "PR2")

    def test_image_that_the_processor_did_not_measure(self):
        """The host swaps the image after the launch: the report tells."""
        image, _ = self.site.configure_image("swapped", [self.site.pin], on_failure="halt",
                                             acpi="none")  # fmt: skip
        self.site.wiring.fresh_ram()
        self.site.start_emulator(image)
        qemu = self.site.start_machine(self.site.boot(self.site.image, self.site.disk))
        qemu.wait(120)
        self.assert_denied(qemu, "VP11")

    def test_cpu_without_entropy(self):
        self.assert_failed(self.boot(cpu="qemu64"), "SM6")

    def test_a_second_processor_shows_in_the_acpi_tables(self):
        self.assert_denied(self.boot(extra=["-smp", "2"]), "VP15")

    def test_no_secure_processor(self):
        self.site.stop_emulator()
        self.site.wiring.fresh_ram()
        qemu = self.site.start_machine(self.site.boot(self.site.images["short"], self.site.disk))
        qemu.wait(120)
        self.assert_failed(qemu, "SM12")


if __name__ == "__main__":
    testing.main()
