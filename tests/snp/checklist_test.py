# SPDX-License-Identifier: Apache-2.0
"""tools/hardware_checklist.sh on what the SNP machine and its daemons print: the
lines that it judges by are those of the code. (A machine, not hardware: the
claims stay open.)"""

import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import unittest

from harness import snp, testing

SCRIPT = "tools/hardware_checklist.sh"


class ChecklistTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp()) / cls.__name__
        cls.site = snp.SnpSite(snp.Tools(pathlib.Path.cwd()), snp.TinyGuest(cls.folder / "guest"),
                               cls.folder / "site")  # fmt: skip
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare_snp()
        # What people do: a secret that holds a text made for this.
        cls.marker = "forelock-marker-" + os.urandom(16).hex()
        cls.site.verifier.call("secret", "replace", snp.SECRET, "--file", "-", stdin=cls.marker.encode())

    def verdicts(self, *options):
        """By number, and the summary."""
        kernel_log = self.folder / "kernel.log"
        if not kernel_log.exists():
            kernel_log.write_text("")
        tar = self.folder / "all.tar"
        subprocess.run([SCRIPT, "--output", tar, "--kernel-log", kernel_log, *options],
                       check=True, capture_output=True, timeout=120)  # fmt: skip
        with tarfile.open(tar) as file:
            summary = file.extractfile("forelock-hardware/summary.txt").read().decode()
        rows = re.findall(r"(?m)^ *(\d+)\. (confirmed|refuted|not seen)", summary)
        return {int(number): verdict for number, verdict in rows}, summary

    def console(self, run):
        return run.folder / "console.log"

    def test_a_boot_that_was_granted(self):
        run = self.site.start_and_wait(self.site.image)
        seen, summary = self.verdicts("--console", self.console(run), "--ram", self.site.wiring.ram,
                                      "--marker", self.marker)
        for claim in (1, 2, 4, 5, 6, 7, 9, 15):
            self.assertEqual(seen[claim], "confirmed", summary)
        for claim in (3, 8, 10, 11, 12, 13, 14):
            self.assertEqual(seen[claim], "not seen", summary)

    def test_a_boot_that_was_refused(self):
        image = self.site.configure("other", [self.site.pin, "sha256:" + "0" * 64])
        run = self.site.start_and_wait(image)
        seen, summary = self.verdicts("--console", self.console(run), "--refused", self.console(run))
        self.assertEqual(seen[9], "refuted", summary)
        self.assertEqual(seen[12], "confirmed", summary)

    def test_a_boot_that_failed(self):
        run = self.site.start_and_wait(self.site.image, memory=8)
        self.assertEqual(run.ending, "terminated", run.tail())
        # As KVM prints what the machine saw in the GHCB MSR.
        kernel_log = self.folder / "kernel.log"
        kernel_log.write_text("kvm_amd: SEV-ES guest requested termination: "
                              f"{run.reason_set:#x}:{run.reason_code:#x}\n")  # fmt: skip
        self.addCleanup(kernel_log.unlink)
        seen, summary = self.verdicts("--console", self.console(run))
        self.assertEqual(seen[13], "confirmed", summary)


if __name__ == "__main__":
    testing.main()
