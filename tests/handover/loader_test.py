# SPDX-License-Identifier: Apache-2.0
"""The way out, by itself: //svsm/linux/testing:loader_guest hands a kernel over
with secrets we know, and QEMU is stopped at the kernel's first instruction.

Everything is read from the RAM file: what Linux was told, where the secrets
are, and that nothing is left of the SVSM.
"""

import os
import pathlib
import struct
import tempfile
import time
import unittest

from handover import gdb, ram
from lab import machine, process, testing

IMAGE = "svsm/linux/testing/loader_guest.elf"
IMAGE_START = 0x200000
# no_timer_check: as lab/assets.py.
COMMAND_LINE = b"console=ttyS0 panic=-1 no_timer_check"
PATIENCE = 300  # seconds; the machine may be loaded


def pattern(size, seed):
    """As loader_guest.cc."""
    out = bytearray()
    for _ in range(size):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(seed >> 24)
    return bytes(out)


KEY = pattern(64, 1)
FILE = pattern(300, 2)
HEADER_DIGEST = pattern(32, 3)
RNG_SEED = pattern(32, 4)
VMPCK0 = pattern(32, 5)


def read_newc(archive):
    """Name to (mode, content), of a newc archive that ends with its trailer."""
    entries, at = {}, 0
    while True:
        assert archive[at : at + 6] == b"070701", at
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + name_size - 1].decode()
        at = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            assert at == len(archive)
            return entries
        entries[name] = (mode, archive[at : at + size])
        at = (at + size + 3) & ~3


class Machine:
    """One stopped QEMU; kernel and initrd are made by the test or real."""

    def __init__(self, kernel, initrd, command_line, extra=()):
        self._folder = tempfile.TemporaryDirectory(prefix="fl-", dir="/tmp")
        self._memory = tempfile.TemporaryDirectory(prefix="forelock-", dir=machine.ram_folder())
        folder = pathlib.Path(self._folder.name)
        self.ram_file = pathlib.Path(self._memory.name) / "ram"
        with open(self.ram_file, "xb") as file:
            file.truncate(machine.MEMORY_MIB << 20)
        (folder / "cmdline").write_bytes(command_line)
        line = [
            *machine.bare(self.ram_file), "-kernel", IMAGE,
            "-S", "-gdb", f"unix:{folder}/gdb,server=on,wait=off",
            *machine.boot_files(kernel, initrd, folder / "cmdline"),
        ]  # fmt: skip
        logs = pathlib.Path(os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR", self._folder.name))
        self.qemu = process.Process("qemu", line + list(extra), logs / "console.log")
        self.gdb = self._connect(folder / "gdb")
        self.ram = None

    def _connect(self, path):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return gdb.Connection(path, PATIENCE)
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)  # until QEMU has made its socket

    def run_to(self, address):
        self.gdb.break_at(address)
        self.gdb.resume()
        self.ram = ram.Ram(self.ram_file)
        return self.gdb.registers()

    def close(self):
        self.gdb.close()
        self.qemu.kill()
        if self.ram:
            self.ram.close()
        self._folder.cleanup()
        self._memory.cleanup()


class HandOver(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = os.environ.get("FORELOCK_ASSETS")
        if not folder or not pathlib.Path(folder, "VERSION").exists():
            raise process.Failure("run ./run setup first: it makes kernel and initramfs")
        cls.kernel = pathlib.Path(folder, "vmlinuz")
        cls.initrd = pathlib.Path(folder, "initrd.img")
        header = cls.kernel.read_bytes()[:1024]
        cls.load = struct.unpack_from("<Q", header, 0x258)[0]
        cls.setup_size = (header[0x1F1] + 1) * 512

    def start(self, **changes):
        settings = {"kernel": self.kernel, "initrd": self.initrd,
                    "command_line": COMMAND_LINE, **changes}  # fmt: skip
        vm = Machine(**settings)
        self.addCleanup(vm.close)
        return vm

    def only_in(self, vm, secret, begin, size):
        for start, places in vm.ram.pieces(secret).items():
            self.assertEqual(len(places), 1, f"copies of bytes {start}...: {places}")
            self.assertTrue(begin <= places[0] < begin + size, hex(places[0]))

    def test_first_instruction(self):
        vm = self.start()
        registers = vm.run_to(self.load + 0x200)

        with self.subTest("registers are as boot.rst says, and clear"):
            self.assertEqual(registers["cs"], 0x10)
            for name in ("ds", "es", "ss"):
                self.assertEqual(registers[name], 0x18, name)
            self.assertEqual(registers["eflags"] & 0x200, 0, "interrupts are on")
            zero = "rax rbx rcx rdx rdi rbp r8 r9 r10 r11 r12 r13 r14 r15".split()
            for name in zero:
                self.assertEqual(registers[name], 0, name)
            for i in range(16):
                self.assertEqual(registers[f"xmm{i}"], bytes(16), f"xmm{i}")

        told = ram.ZeroPage(vm.ram, registers["rsi"])
        with self.subTest("each secret stands in one place"):
            self.only_in(vm, KEY, told.initrd, told.initrd_size)
            self.only_in(vm, FILE, told.initrd, told.initrd_size)
            self.only_in(vm, RNG_SEED, told.setup_data, 48)
        with self.subTest("what the SVSM kept is nowhere"):
            for secret in (VMPCK0, HEADER_DIGEST):
                for start, places in vm.ram.pieces(secret).items():
                    self.assertEqual(places, [], start)
        with self.subTest("the image is overwritten, and reserved"):
            reserved = [(at, size) for at, size, kind in told.e820 if kind == 2]
            at, size = next(entry for entry in reserved if entry[0] == IMAGE_START)
            self.assertGreater(size, 64 << 10)
            self.assertFalse(any(vm.ram[at : at + size]))
        with self.subTest("nothing of the host's firmware is in low RAM"):
            low = [(at, size) for at, size, kind in told.e820 if kind == 1 and at < 0xA0000]
            self.assertTrue(low)
            for at, size in [(0, 0x1000)] + low:
                self.assertFalse(any(vm.ram[at : at + size]), hex(at))
        with self.subTest("kernel and command line are the files' bytes"):
            kernel = self.kernel.read_bytes()[self.setup_size :]
            self.assertEqual(vm.ram[self.load : self.load + 4096], kernel[:4096])
            line = vm.ram[told.command_line : told.command_line + 256]
            self.assertEqual(line.split(b"\0")[0], COMMAND_LINE)
        with self.subTest("Linux is told of RAM that is not in use"):
            self.check_e820(told, registers)
        with self.subTest("the initrd ends in our archive"):
            initrd = vm.ram[told.initrd : told.initrd + told.initrd_size]
            original = self.initrd.read_bytes()
            self.assertTrue(initrd.startswith(original))
            start = (len(original) + 8 + 3) & ~3
            self.assertFalse(any(initrd[len(original) : start]))
            self.check_archive(initrd[start:])

    def check_e820(self, told, registers):
        end = 0
        for at, size, kind in told.e820:
            self.assertGreaterEqual(at, end)
            end = at + size
            if kind == 1:
                self.assertGreaterEqual(at, 0x1000)
                self.assertTrue(end <= 0xA0000 or at >= 0x100000)
        for address in (registers["rsi"], told.initrd, told.command_line, told.setup_data):
            self.assertTrue(
                any(at <= address < at + size and kind == 1 for at, size, kind in told.e820)
            )
        self.assertTrue(
            any(at <= told.acpi_rsdp < at + size and kind == 4 for at, size, kind in told.e820)
        )

    def check_archive(self, archive):
        entries = read_newc(archive)
        header = f"length=294912\nsha256={HEADER_DIGEST.hex()}\n".encode()
        self.assertEqual(entries, {
            "etc": (0o040755, b""),
            "etc/forelock": (0o040755, b""),
            "etc/forelock/keys.d": (0o040700, b""),
            "etc/forelock/keys.d/root.key": (0o100400, KEY),
            "etc/forelock/keys.d/root.header": (0o100400, header),
            "etc/forelock-test": (0o040755, b""),
            "etc/forelock-test/secret": (0o100400, FILE),
        })  # fmt: skip

    def test_linux_takes_it(self):
        for name, extra, expected in (
            ("none", (), r"ACPI: XSDT .* FRLOCK NOTABLES"),
            ("host", ("-fw_cfg", "name=opt/test/acpi,string=1"), r"ACPI: DSDT .* BOCHS"),
        ):
            with self.subTest(acpi=name):
                vm = self.start(extra=extra)
                vm.gdb.resume_and_detach()
                vm.qemu.wait_for(r"Linux version", PATIENCE)
                vm.qemu.wait_for(r"crng init done", PATIENCE)
                vm.qemu.wait_for(expected, PATIENCE)
                vm.qemu.wait_for(r"Run /init as init process|initramfs: ", PATIENCE)


if __name__ == "__main__":
    testing.main()
