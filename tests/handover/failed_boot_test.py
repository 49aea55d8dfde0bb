# SPDX-License-Identifier: Apache-2.0
"""Promise P8 when no kernel starts: a boot that ends early leaves no key either.

A debugger stops the guest where its failure begins, to show that the search
finds the key then; the guest goes on to power off, QEMU keeps its memory, and
all of it is searched again.
"""

from handover import gdb, ram
from lab import testing

PATIENCE = 300  # seconds; the machine may be loaded
SHARED_RANGE = 4096 + 2 * 65536  # proxy/page_layout.h


class NoKeyOutlivesAFailedBoot(testing.EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.symbols = ram.Symbols(cls.site.tools.image)

    def start(self, image, stop_at, **changes):
        """Runs `image` to the function `stop_at`; self.vmpck0 is its key."""
        site = self.site
        socket = site.wiring.monitor_socket
        socket.unlink(missing_ok=True)
        dump = site.folder / "vmpck0"
        boot = site.boot(image, site.disk, **changes).replace(
            extra=["-S", "-no-shutdown", "-gdb", f"unix:{socket},server=on,wait=off"]
        )
        site.wiring.fresh_ram()
        site.start_emulator(boot.image, dump_vmpck=dump)
        self.qemu = site.start_machine(boot)
        self.addCleanup(self.qemu.stop)
        self.debugger = gdb.connect(socket, PATIENCE, self.qemu.running)
        self.addCleanup(self.debugger.close)
        generator = self.run_to("crypto::Rng::Seed(")["rdi"]
        self.run_to(stop_at)
        self.generator = ram.generator_state(self.memory(), generator)
        # Pieces of another object, or of none, would be found nowhere at the end.
        # At the very last step there is no generator any more.
        self.assertEqual(len(self.generator) > 10, stop_at != "svsm::Leave(")
        self.vmpck0 = dump.read_bytes()
        self.assertEqual(len(self.vmpck0), 32)

    def run_to(self, function):
        address = self.symbols[function]
        self.debugger.break_at(address)
        self.debugger.resume()
        self.debugger.remove_break(address)
        return self.debugger.registers()

    def memory(self):
        """Guest RAM as it is now: the machine stands still."""
        memory = ram.Ram(self.site.wiring.ram)
        self.addCleanup(memory.close)
        return memory

    def find(self, secret):
        """Where 16 bytes of `secret` stand in guest RAM."""
        return [at for places in self.memory().pieces(secret).values() for at in places]

    def end(self, line):
        """Lets the guest power off; nothing may be left."""
        self.debugger.run_to_power_off()
        self.qemu.wait_for("^forelock: powering off", PATIENCE)
        self.assert_line(self.qemu, line)
        self.assert_linux_not_started(self.qemu)
        memory = self.memory()
        secrets = {"VMPCK0": [self.vmpck0], "disk key": [self.site.key],
                   "state of the random generator": self.generator}  # fmt: skip
        for name, values in secrets.items():
            for value in values:
                for start, places in memory.pieces(value).items():
                    self.assertEqual(places, [], f"{name}, from byte {start} on")
        for pages in ("proxy_pages", "processor_pages"):
            at = self.symbols[f"svsm::(anonymous namespace)::{pages}"]
            self.assertFalse(any(memory[at : at + SHARED_RANGE]), pages)

    def test_verifier_with_another_key(self):
        image, _ = self.site.configure_image("pin", ["sha256:" + "0" * 64])
        self.start(image, "svsm::Fail(")
        self.assertNotEqual(self.find(self.vmpck0), [])
        self.end(r"failed: CR\d+ ")

    def test_no_kernel_and_no_proxy(self):
        self.site.stop_proxy()
        image, _ = self.site.configure_image("short", [self.site.pin], **testing.SHORT)
        self.start(image, "svsm::Fail(", kernel=None)
        self.assertNotEqual(self.find(self.vmpck0), [])
        self.end(r"failed: SL\d+ ")

    def test_refusal(self):
        """The image is in no policy."""
        image, _ = self.site.configure_image("unknown", [self.site.pin, "sha256:" + "0" * 64])
        self.start(image, "svsm::PowerOff(")
        self.assertNotEqual(self.find(self.vmpck0), [])
        self.end("refused: not_authorised ")

    def raise_exception(self):
        self.debugger.jump(0)  # is not mapped

    def test_exception_with_the_secrets_in_place(self):
        """As if a bug struck on the last steps before the kernel."""
        self.start(self.site.image, "svsm::BootSequence::CloseChannels(")
        self.assertNotEqual(self.find(self.vmpck0), [])
        self.assertNotEqual(self.find(self.site.key), [])
        self.raise_exception()
        self.end("failed: SM3 ")

    def test_exception_at_the_very_last_step(self):
        self.start(self.site.image, "svsm::Leave(")
        self.assertNotEqual(self.find(self.site.key), [])
        self.raise_exception()
        self.end("failed: SM3 ")


if __name__ == "__main__":
    testing.main()
