# SPDX-License-Identifier: Apache-2.0
"""Promise P8, on the image as it is: no key outlives the SVSM.

A debugger stops the guest wherever a key comes into being, notes it, and stops
it again at the kernel's first instruction. Then all guest RAM is searched: each
placed secret stands once, where Linux was told, and nothing else does. The
image needs no test build for that: its symbols say where to stop.
"""

import struct

from handover import gdb, ram
from lab import testing

PATIENCE = 300  # seconds; the machine may be loaded


class Spy:
    """Notes secrets while the guest runs: name to set of bytes."""

    def __init__(self, memory, symbols):
        self._memory = memory
        self.symbols = symbols
        self._pending = {}  # stack pointer after a call -> what it will have written
        self.secrets = {}
        self.snapshot = b""
        self.handlers = {
            symbols["mbedtls_ssl_tls13_hkdf_expand_label"]: self.on_expand_label,
            symbols["mbedtls_ssl_tls13_exporter"]: self.on_exporter,
            symbols["crypto::TlsClient::Export("]: self.on_export,
            symbols["crypto::Rng::Generate("]: self.on_generator,
            symbols["crypto::Rng::Wipe("]: self.on_generator,
            symbols["svsm::GuestRequestDriver::GetReport("]: self.on_report,
            symbols["svsm::BootSequence::HandOver("]: self.on_hand_over,
        }

    def read(self, address, size):
        return self._memory[address : address + size]

    def word(self, address):
        return struct.unpack("<Q", self.read(address, 8))[0]

    def note(self, name, secret):
        if len(secret) >= 16 and any(secret):
            self.secrets.setdefault(name, set()).add(secret)

    # Arguments as the System V ABI passes them: rdi rsi rdx rcx r8 r9, stack.

    def note_on_return(self, registers, name, address, size):
        stack = registers["rsp"]
        self._pending[stack + 8] = (name, address, size)
        self.handlers.setdefault(self.word(stack), self.on_return)

    def on_return(self, registers):
        if registers["rsp"] in self._pending:
            name, address, size = self._pending.pop(registers["rsp"])
            self.note(name, self.read(address, size))

    def on_expand_label(self, registers):
        """(hash, secret, size, label, size, context, size, out, size)"""
        label = self.read(registers["rcx"], registers["r8"]).decode()
        self.note("TLS secret", self.read(registers["rsi"], registers["rdx"]))
        stack = registers["rsp"]
        out, size = self.word(stack + 16), self.word(stack + 24)
        self.note_on_return(registers, f"TLS {label}", out, size)

    def on_exporter(self, registers):
        self.note("TLS exporter master", self.read(registers["rsi"], registers["rdx"]))

    def on_export(self, registers):
        """(this, label, context, size, out, size)"""
        self.note_on_return(registers, "exported value", registers["r8"], registers["r9"])

    def on_generator(self, registers):
        for piece in ram.generator_state(self._memory, registers["rdi"]):
            self.note("generator state", piece)

    def on_report(self, registers):
        # The first member is the key's buffer.
        self.note("VMPCK0", self.read(registers["rdi"], 32))

    def on_hand_over(self, _):
        start, end = self.symbols["__data_start"], self.symbols["__image_end"]
        self.snapshot = self.read(start, end - start)


class NoKeyOutlivesTheSvsm(testing.EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        site = cls.site
        header = site.guest.kernel.read_bytes()[:1024]
        cls.entry = struct.unpack_from("<Q", header, 0x258)[0] + 0x200
        socket = site.wiring.monitor_socket
        boot = site.boot(
            site.image, site.disk, extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"]
        )
        site.wiring.fresh_ram()
        site.start_emulator(boot.image)
        cls.qemu = site.start_machine(boot)
        debugger = gdb.connect(socket, PATIENCE, cls.qemu.running)
        cls.addClassCleanup(debugger.close)
        cls.ram = ram.Ram(site.wiring.ram)
        cls.addClassCleanup(cls.ram.close)
        # A configured image keeps the addresses of the one it was made from.
        cls.spy = Spy(cls.ram, ram.Symbols(site.tools.image))
        cls.spy.handlers[cls.entry] = lambda registers: True
        registers = debugger.run(cls.spy.handlers)
        cls.told = ram.ZeroPage(cls.ram, registers["rsi"])
        cls.registers = registers

    def in_initrd(self, address):
        return 0 <= address - self.told.initrd < self.told.initrd_size

    def in_seed(self, address):
        return 0 <= address - self.told.setup_data < 48

    def test_the_guest_got_its_secret(self):
        self.assert_line(self.qemu, "forelock: .*granted")
        self.assert_line(self.qemu, "forelock: .*handing-over")

    def test_every_kind_of_secret_was_seen(self):
        for name in ("TLS secret", "TLS key", "TLS exporter master", "exported value",
                     "generator state", "VMPCK0"):  # fmt: skip
            self.assertTrue(self.spy.secrets.get(name), f"no {name}")
        self.assertGreater(len(self.spy.snapshot), 64 << 10)
        # It holds the key at that moment, so it is the right memory.
        self.assertIn(self.site.key, self.spy.snapshot)

    def test_one_copy_of_the_disk_key(self):
        for start, places in self.ram.pieces(self.site.key).items():
            self.assertEqual(len(places), 1, f"from byte {start} on: {places}")
            self.assertTrue(self.in_initrd(places[0]), hex(places[0]))

    def test_no_copy_of_any_other_secret(self):
        for name, secrets in self.spy.secrets.items():
            for secret in secrets:
                for start, places in self.ram.pieces(secret).items():
                    self.assertEqual(places, [], f"{name}, from byte {start} on")

    def test_nothing_the_svsm_computed_is_left(self):
        """Whatever looked random in data, bss, heap and stack before the keys
        were destroyed: of all that, RAM has the placed secrets only."""
        pieces = {
            piece
            for at in range(0, len(self.spy.snapshot) - 15, 8)
            if ram.is_random(piece := self.spy.snapshot[at : at + 16])
        }
        self.assertGreater(len(pieces), 100)
        # Object identifiers in certificates, names in fw_cfg: Linux and the
        # firmware know them as well.
        kernel = self.site.guest.kernel.read_bytes()
        left = []
        for start, data in self.ram.extents():
            for at in range(0, len(data) - 15, 4):
                address = start + at
                piece = data[at : at + 16]
                if piece not in pieces or piece.isascii() or piece in kernel:
                    continue
                if not self.in_initrd(address) and not self.in_seed(address):
                    left.append((hex(address), piece))
        self.assertEqual(left, [])

    def test_the_image_is_zeros(self):
        reserved = [(at, size) for at, size, kind in self.told.e820 if kind == 2]
        start, end = self.spy.symbols["__image_start"], self.spy.symbols["__image_end"]
        self.assertTrue(any(at <= start and end <= at + size for at, size in reserved))
        self.assertFalse(any(self.ram[start:end]))

    def test_registers_are_clear(self):
        for name in "rax rbx rcx rdx rdi rbp r8 r9 r10 r11 r12 r13 r14 r15".split():
            self.assertEqual(self.registers[name], 0, name)
        for i in range(16):
            self.assertEqual(self.registers[f"xmm{i}"], bytes(16), f"xmm{i}")


if __name__ == "__main__":
    testing.main()
