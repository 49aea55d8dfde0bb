# SPDX-License-Identifier: Apache-2.0
"""One attestation on the SNP machine, from the launch to the kernel's entry:
that it succeeds, what it costs, and what the host sees of it."""

import os
import pathlib
import tempfile
import unittest

from lab import acpi, machine, process, snp, testing

PHASES = ["started", "measured", "connected", "attested", "granted", "handing-over"]
# Design section 9.
EXITS, INSTRUCTIONS = 40, 60_000_000


class SnpTest(unittest.TestCase):
    """Tests that share one site with boot files that cost nothing to hash."""

    processor = {}
    sign = False

    @classmethod
    def acpi_files(cls, folder):
        return None

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp()) / cls.__name__
        cls.site = snp.SnpSite(snp.Tools(pathlib.Path.cwd()), snp.TinyGuest(folder / "guest"),
                               folder / "site")  # fmt: skip
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare_snp(processor=cls.processor, sign=cls.sign, acpi=cls.acpi_files(folder / "acpi"))

    def assert_attested(self, run):
        for phase in PHASES:
            self.assertIsNotNone(run.find(rf"^forelock: \[.*\] {phase}\b"), f"no {phase}:\n{run.tail()}")
        self.assertEqual(run.ending, "kernel-reached", run.tail())

    def assert_granted_last(self):
        decision, outcome = self.site.verifier.decisions()[0]
        self.assertEqual(outcome, "granted")
        return self.site.verifier.audit(decision)


class AttestationTest(SnpTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_once = cls.site.start_and_wait(cls.site.image)
        # As on KVM: guest_memfd has no large pages (docs/hardware.md).
        cls.run_split = cls.site.start_and_wait(cls.site.image, ["--split-large-pages"])
        cls.runs = {"large pages": cls.run_once, "split": cls.run_split}

    def test_attests_and_hands_over(self):
        self.assert_attested(self.run_once)
        self.assertIn("EMULATED", self.assert_granted_last())

    def test_proxy_shows_each_phase(self):
        for phase in PHASES:
            self.assertIsNotNone(self.site.proxy.find(rf"vm1: {phase}\b"), phase)

    def test_machine_measures_what_the_tool_measures(self):
        self.assertEqual(self.run_once.launch_digest, self.site.measure(self.site.image))
        self.assertEqual(self.run_once.launch_digest, self.site.measure(self.site.image.with_suffix(".elf")))

    def test_exits_are_within_the_budget(self):
        for what, run in self.runs.items():
            with self.subTest(what):
                spent = run.mark(r"\] granted")["budget_exits"]
                print(f"VMGEXITs of one attestation, {what}: {spent}, all: {run.exits}")
                self.assertGreater(spent, 0)
                self.assertLessEqual(spent, EXITS, run.exits)

    def test_instructions_are_within_the_budget(self):
        for what, run in self.runs.items():
            with self.subTest(what):
                spent = run.mark(r"\] granted")["instructions"]
                print(f"instructions from the entry to the secret, {what}: {spent}")
                self.assertGreater(spent, 1_000_000)
                self.assertLessEqual(spent, INSTRUCTIONS)

    def test_trace_lists_each_exit(self):
        lines = (self.run_once.folder / "trace").read_text().splitlines()
        exits = [line for line in lines if not line.startswith("#")]
        self.assertEqual(len(exits), sum(self.run_once.exits.values()))
        self.assertTrue(any("guest-request" in line for line in exits))

    def test_shared_memory_is_empty_at_the_end(self):
        """What its own run leaves there, the judges of the hostile suite look at each exit."""
        self.assert_attested(self.site.start_and_wait(self.site.image))
        shared = self.site.wiring.ram.read_bytes()
        self.assertEqual(len(shared), machine.MEMORY_MIB << 20)
        self.assertEqual(shared.strip(b"\0"), b"")

    def test_a_host_that_splits_large_pages(self):
        self.assert_attested(self.run_split)
        self.assertGreater(self.run_once.large_pages, 0)
        self.assertEqual(self.run_split.large_pages, 0)
        self.assertEqual(self.run_split.validated_pages, self.run_once.validated_pages)

    def test_memory_above_4_gib(self):
        run = self.site.start_and_wait(self.site.image, ["--above-4g", "64"])
        self.assert_attested(run)
        self.assertEqual(run.validated_pages, self.run_once.validated_pages + 64 * 256)

    def test_certificates_from_the_host(self):
        """The proxy has none."""
        empty = self.site.host / "no-certificates"
        empty.mkdir()
        self.site.start_proxy(certificates=empty)
        self.addCleanup(self.site.start_proxy)
        without = self.site.start_and_wait(self.site.image)
        self.assertEqual(without.kernel_entry, 0, without.tail())
        self.assert_attested(self.site.start_and_wait(self.site.image, ["--host-certificates"]))


class RefusalTest(SnpTest):
    def test_image_that_is_not_in_the_policy(self):
        image = self.site.configure("other", [self.site.pin, "sha256:" + "0" * 64])
        run = self.site.start_and_wait(image)
        self.assertIsNotNone(run.find("forelock: refused: not_authorised decision"), run.tail())
        self.assertEqual(run.kernel_entry, 0)
        decision, _ = self.site.verifier.decisions()[0]
        self.assertEqual([finding["reason"] for finding in self.site.verifier.findings(decision)], ["VP11"])

    def test_image_for_the_emulated_platform(self):
        image = self.site.configure_elf("emulated", [self.site.pin], platform="emulated")
        run = self.site.start_and_wait(image)
        self.assertEqual(run.ending, "terminated", run.tail())
        self.assertEqual(run.kernel_entry, 0)

    def test_less_memory_than_the_image_wants(self):
        """Nobody is asked for a secret that no kernel could use."""
        decided = self.site.verifier.decisions()
        run = self.site.start_and_wait(self.site.image, memory=8)
        self.assertEqual(run.ending, "terminated", run.tail())
        self.assertIsNotNone(run.find("^forelock: failed: SL36 "), run.tail())
        self.assertEqual((run.reason_set, run.reason_code), (13, 36), run.tail())
        self.assertIsNone(run.find(r"^forelock: \[.*\] connected\b"), run.tail())
        self.assertEqual(self.site.verifier.decisions(), decided)


class SignedTest(SnpTest):
    """The policy names the key that signed the ID block, and no image."""

    sign = True

    def test_attests(self):
        self.assert_attested(self.site.start_and_wait(self.site.image))
        self.assertRegex(self.assert_granted_last(), r"(?m)^guest_svn +3$")

    def test_an_older_version_is_refused(self):
        run = self.site.start_and_wait(self.site.sign(self.site.image, svn=2))
        self.assertIsNotNone(run.find("forelock: refused: not_authorised decision"), run.tail())
        self.assertEqual(run.kernel_entry, 0)

    def test_an_id_block_of_another_image_is_not_packed(self):
        block, auth = self.site.sign_digest("0" * 96)
        with self.assertRaisesRegex(process.Failure, "LA17"):
            self.site.build(self.site.image.with_suffix(".elf"), ["--id-block", block, "--id-auth", auth])


class AcpiTest(SnpTest):
    """ACPI by the image's own run of the host's table loader."""

    @classmethod
    def acpi_files(cls, folder):
        return acpi.fw_cfg_files(folder)

    def test_attests(self):
        self.assert_attested(self.site.start_and_wait(self.site.image))
        self.assert_granted_last()

    def test_a_table_of_the_host_that_the_policy_does_not_name(self):
        path = self.site.files["etc/acpi/tables"]
        good = path.read_bytes()
        self.addCleanup(path.write_bytes, good)
        path.write_bytes(good[:-1] + b"\x01")
        run = self.site.start_and_wait(self.site.image)
        self.assertIsNotNone(run.find("forelock: refused: not_authorised decision"), run.tail())
        decision, _ = self.site.verifier.decisions()[0]
        self.assertEqual([finding["reason"] for finding in self.site.verifier.findings(decision)], ["VP15"])


class VlekTest(SnpTest):
    processor = {"csp_id": "CN=cc.example.com"}

    def test_attests(self):
        self.assert_attested(self.site.start_and_wait(self.site.image))
        self.assertRegex(self.assert_granted_last(), r"(?m)^signer +VLEK of CN=cc.example.com$")


if __name__ == "__main__":
    testing.main()
