# SPDX-License-Identifier: Apache-2.0
"""At the kernel's first instruction: one copy of the placed key in all guest
RAM, and nothing of the SVSM."""

import mmap
import struct

from harness import gdb, testing

PT_LOAD = 1


def kernel_entry(vmlinuz):
    """Where the loader puts the 64-bit entry point: pref_address + 0x200
    (Linux boot protocol, setup header)."""
    with open(vmlinuz, "rb") as file:
        file.seek(0x258)
        return struct.unpack("<Q", file.read(8))[0] + 0x200


def image_ranges(elf):
    """[first, last) of the image's memory, bss included."""
    data = elf.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, _, _, physical, _, memory, _ = struct.unpack_from("<IIQQQQQQ", data, offset + i * size)
        if kind == PT_LOAD:
            yield physical, physical + memory


def count(haystack, needle):
    found = at = 0
    while (at := haystack.find(needle, at)) >= 0:
        found, at = found + 1, at + 1
    return found


def vmpck0(memory):
    """The key out of the secrets page, as this host sees it pass by in the
    shared ring: the emulated platform hides nothing. The frame's body is field 1
    of FirmwareSecrets with 4096 bytes; VMPCK0 is at 0x20 (AMD 56860, Secrets
    Page)."""
    at = -1
    while (at := memory.find(b"\x0a\x80\x20", at + 1)) >= 0:
        page = memory[at + 3 : at + 3 + 4096]
        key = page[0x20:0x40]
        if 2 <= int.from_bytes(page[:4], "little") <= 4 and len(set(key)) > 8:
            return key
    return None


class FirstInstructionTest(testing.EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        here = cls.site
        debugger = here.wiring.monitor_socket
        boot = here.boot(here.image, here.disk,
                         extra=["-S", "-chardev", f"socket,id=gdb,path={debugger},server=on,wait=off",
                                "-gdb", "chardev:gdb"])  # fmt: skip
        here.wiring.fresh_ram()
        here.start_emulator(boot.image)
        qemu = here.start_machine(boot)
        cls.wait_for_socket(debugger, qemu)
        connection = gdb.Gdb(debugger)
        connection.start_to(kernel_entry(here.guest.kernel))
        qemu.wait_for(r"^forelock: \[[^]]*\] measured")
        cls.vmpck0 = vmpck0(here.wiring.ram.read_bytes())
        cls.rip = connection.wait_stopped()
        with open(here.wiring.ram, "rb") as file:
            cls.memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        cls.addClassCleanup(cls.memory.close)
        cls.addClassCleanup(connection.close)
        cls.qemu = qemu

    @staticmethod
    def wait_for_socket(path, qemu):
        """QEMU prints nothing when it listens."""
        import time

        end = time.monotonic() + 30
        while not path.exists():
            if not qemu.running() or time.monotonic() > end:
                raise testing.process.Failure(f"QEMU does not listen:\n{qemu.tail()}")
            time.sleep(0.01)

    def test_stopped_at_the_kernels_entry(self):
        self.assertEqual(self.rip, kernel_entry(self.site.guest.kernel))
        self.assert_line(self.qemu, "handing-over")

    def test_one_copy_of_the_key(self):
        self.assertEqual(count(self.memory, self.site.key), 1)

    def test_no_image_memory_is_left(self):
        """Text, data, heap, stacks, generator state, VMPCK0, TLS secrets: all of
        the image's memory is one value, page for page."""
        for first, last in image_ranges(self.site.image):
            left = {bytes([byte]) for byte in set(self.memory[first:last])}
            self.assertEqual(left, {b"\0"}, f"{first:#x}..{last:#x}")

    def test_no_vmpck0(self):
        self.assertIsNotNone(self.vmpck0, "the secrets page was not seen on its way")
        self.assertEqual(count(self.memory, self.vmpck0), 0)


if __name__ == "__main__":
    testing.main()
