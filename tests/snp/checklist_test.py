# SPDX-License-Identifier: Apache-2.0
"""tools/hardware_checklist.sh on what the SNP machine and its daemons print: the
lines that it judges by are those of the code. A machine is no hardware: every
claim stays open, until a made-up kernel log says that this host has SEV-SNP."""

import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import unittest

from lab import snp, testing

SCRIPT = "tools/hardware_checklist.sh"
CLAIMS = range(1, 16)
SNP_HOST = "kvm_amd: SEV-SNP enabled (ASIDs 1 - 99)\n"


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

    def verdicts(self, *options, log=""):
        """By number, and the summary. `log`: the host's kernel log."""
        kernel_log = self.folder / "kernel.log"
        kernel_log.write_text(log)
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
        options = ("--console", self.console(run), "--ram", self.site.wiring.ram, "--marker", self.marker)
        seen, summary = self.verdicts(*options)
        self.assertEqual(seen, dict.fromkeys(CLAIMS, "not seen"), summary)
        # What the lines would say on an SNP host. No report that AMD signed: 9 stays open.
        seen, summary = self.verdicts(*options, log=SNP_HOST)
        for claim in (4, 5, 6, 7, 15):
            self.assertEqual(seen[claim], "confirmed", summary)
        for claim in (3, 8, 9, 10, 11, 12, 13, 14):
            self.assertEqual(seen[claim], "not seen", summary)

    def test_a_boot_that_was_refused(self):
        image = self.site.configure("other", [self.site.pin, "sha256:" + "0" * 64])
        run = self.site.start_and_wait(image)
        options = ("--console", self.console(run), "--refused", self.console(run))
        seen, summary = self.verdicts(*options)
        self.assertEqual(seen, dict.fromkeys(CLAIMS, "not seen"), summary)
        seen, summary = self.verdicts(*options, log=SNP_HOST)
        self.assertEqual(seen[9], "refuted", summary)
        self.assertEqual(seen[12], "confirmed", summary)

    def test_a_boot_that_failed(self):
        run = self.site.start_and_wait(self.site.image, memory=8)
        self.assertEqual(run.ending, "terminated", run.tail())
        # As KVM prints what the machine saw in the GHCB MSR.
        ended = f"kvm_amd: SEV-ES guest requested termination: {run.reason_set:#x}:{run.reason_code:#x}\n"
        seen, summary = self.verdicts("--console", self.console(run), log=ended)
        self.assertEqual(seen, dict.fromkeys(CLAIMS, "not seen"), summary)
        seen, summary = self.verdicts("--console", self.console(run), log=SNP_HOST + ended)
        self.assertEqual(seen[13], "confirmed", summary)


if __name__ == "__main__":
    testing.main()
