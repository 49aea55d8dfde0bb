# SPDX-License-Identifier: Apache-2.0
"""The image as built: its size and layout, and what it does unconfigured."""

import unittest

from svsm import guest

from lab import testing

IMAGE = "svsm/forelock-svsm.elf"
BUDGET = 512 * 1024  # design section 9, bytes in the file
EXECUTE, WRITE, READ = 1, 2, 4
ALLOCATED = 2  # SHF_ALLOC
SECTIONS = {".text", ".note.Xen", ".note.Forelock", ".rodata", ".config", ".data", ".bss", ".snp"}


class Layout(unittest.TestCase):
    def setUp(self):
        self.elf = guest.Elf(IMAGE)
        self.loads = list(self.elf.loads())

    def test_size(self):
        size = sum(in_file for _, _, _, in_file, _ in self.loads)
        print(f"image: {size} bytes of {BUDGET}")
        self.assertLessEqual(size, BUDGET)

    def test_segments_are_page_aligned_ascending_and_of_one_kind(self):
        end = 0
        for flags, offset, address, _, in_memory in self.loads:
            self.assertEqual(address % 4096, 0)
            self.assertEqual(offset % 4096, 0)
            self.assertGreaterEqual(address, end)
            self.assertIn(flags, (READ | EXECUTE, READ, READ | WRITE))
            end = address + in_memory
        self.assertEqual(self.loads[0][2], 0x200000)

    def test_no_section_that_image_ld_does_not_name(self):
        """A linker finds a place of its own for each, beside what is measured or in it."""
        loaded = {name for name, flags, *_ in self.elf.sections() if flags & ALLOCATED}
        self.assertEqual(loaded, SECTIONS)

    def test_config_is_a_segment_of_its_own_and_empty(self):
        offset, address, size = self.elf.section(".config")
        self.assertEqual(size, guest.CONFIG_SIZE)
        self.assertIn((READ, offset, address, size, size), self.loads)
        self.assertFalse(any(self.elf.bytes[offset:offset + size]))  # fmt: skip


class Refusals(unittest.TestCase):
    def fails(self, image, reason):
        qemu = guest.boot(image)
        self.assertIsNotNone(qemu.find(f"^forelock: failed: {reason} "), qemu.tail())
        self.assertIsNotNone(qemu.find("^forelock: powering off$"), qemu.tail())

    def with_config(self, section):
        return guest.Elf(IMAGE).with_config(section, guest.scratch("image.elf"))

    def test_no_configuration(self):
        self.fails(IMAGE, "PR1")

    def test_version_is_the_first_line_whatever_fails(self):
        """Of what tests run, no commit: //base:version."""
        console = guest.boot(IMAGE).text()
        first = next(line for line in console.splitlines() if line.startswith("forelock: "))
        self.assertRegex(first, r"^forelock: version [0-9]+\.[0-9]+\.[0-9]+(-dev)?, commit unknown$")
        self.assertEqual(console.count("forelock: version "), 1)

    def test_section_without_magic(self):
        self.fails(self.with_config(b"\x01"), "PR2")

    def test_length_over_the_section(self):
        self.fails(self.with_config(b"FLCONFIG\xff\xff\xff\xff\0\0\0\0"), r"PR\d+")

    def test_bytes_that_are_no_configuration(self):
        self.fails(self.with_config(b"FLCONFIG\x04\0\0\0\0\0\0\0\xff\xff\xff\xff"), "PR4")


if __name__ == "__main__":
    testing.main()
