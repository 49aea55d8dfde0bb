# SPDX-License-Identifier: Apache-2.0
"""From power-on to the line from the encrypted disk."""

import re
import unittest

from lab import channel, machine, process, testing

PHASES = ["started", "measured", "connected", "attested", "granted", "handing-over"]
# Design section 9, emulated platform; registrations aside.
PORT_WRITES = 32
HEAP, STACK, IMAGE = 128 << 10, 64 << 10, 512 << 10


class BootTest(testing.EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.qemu = cls.site.run(cls.site.boot(cls.site.image, cls.site.disk))

    def test_boots_from_the_encrypted_disk(self):
        self.assert_booted(self.qemu)
        self.assert_line(self.qemu, "initramfs: done, powering off")
        self.assert_no_shell(self.qemu)

    def test_console_shows_each_phase_once_in_order(self):
        pattern = r"^forelock: \[ *[0-9.]+ ms\] ([a-z-]+)"
        found = [m[1] for m in map(re.compile(pattern).match, self.qemu.lines()) if m]
        self.assertEqual([phase for phase in found if phase in PHASES], PHASES)

    def test_boot_manifest_shows_what_the_owner_can_compute(self):
        for name, path in (("kernel", self.site.guest.kernel), ("initrd", self.site.guest.initrd),
                           ("cmdline", self.site.guest.command_line)):  # fmt: skip
            digest = testing.site.sha384(path)
            self.assert_line(self.qemu, f"boot manifest: {name} sha384:{digest} {path.stat().st_size}")

    def test_proxy_shows_each_phase(self):
        for phase in PHASES:
            self.assert_line(self.site.proxy, rf"vm1: {phase}\b")

    def test_owners_log_says_granted_and_emulated(self):
        ((decision, outcome),) = self.site.verifier.decisions()
        self.assertEqual(outcome, "granted")
        self.assertIn("EMULATED", self.site.verifier.audit(decision))

    def test_key_is_in_no_file(self):
        """Logs, sockets, the verifier's state, the proxy's configuration. Of memory
        it says nothing: on this platform RAM is the host's, and holds the key."""
        self.assertGreater(self.site.search_for_key(), 10)
        leak = self.site.folder / "leak"
        self.addCleanup(leak.unlink)
        leak.write_bytes(b"x" + self.site.key)
        self.assertRaisesRegex(process.Failure, "leak", self.site.search_for_key)

    def test_guest_memory_is_discarded_at_the_end(self):
        """discard-data=on; what a running guest's memory holds is the subject of
        tests/handover."""
        self.assertEqual(self.site.wiring.ram.stat().st_blocks, 0)

    def test_heap_and_stack_are_within_the_budget(self):
        peaks = self.assert_line(self.qemu, r"memory: heap peak (\d+), stack peak (\d+)$")
        for peak, budget in zip(map(int, peaks.groups()), (HEAP, STACK)):
            self.assertGreater(peak, 0)
            # Half of it is left for what a boot in a test does not meet.
            self.assertLessEqual(peak, budget // 2)

    def test_image_is_within_the_budget(self):
        self.assertLessEqual(machine.image_bytes(self.site.tools.image), IMAGE)

    def test_port_writes_are_within_the_budget(self):
        registrations, doorbells = channel.split((self.qemu.logs / "forelock.port").read_bytes())
        self.assertGreater(registrations, 0)
        self.assertGreater(doorbells, 0)
        self.assertLessEqual(doorbells, PORT_WRITES)


class SecondBootTest(testing.EndToEnd):
    images = {"short": testing.SHORT}

    @classmethod
    def more_guests(cls):
        try:
            cls.newest = testing.newest_guest()
        except unittest.SkipTest as reason:
            cls.newest, cls.no_newest = None, str(reason)
            return []
        return [cls.newest]

    def test_a_second_boot_counts_up_and_boots(self):
        for _ in range(2):
            self.assert_booted(self.boot())
        (latest, _), _ = self.site.verifier.decisions()
        self.assertRegex(self.site.verifier.audit(latest), r"(?m)^boot +number 2$")

    # The name sorts it last: the first test counts the boots of its site.
    def test_the_newest_kernel_boots_from_the_encrypted_disk(self):
        if self.newest is None:
            self.skipTest(self.no_newest)
        qemu = self.boot(guest=self.newest)
        self.assert_booted(qemu)
        self.assert_line(qemu, "initramfs: done, powering off")

    def test_an_interrupted_verifier_is_denied_service_only(self):
        self.site.verifier.stop()
        self.assert_failed(self.boot("short"), "PC8")


if __name__ == "__main__":
    testing.main()
