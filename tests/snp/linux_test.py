# SPDX-License-Identifier: Apache-2.0
"""Linux on the SNP machine: Debian's oldest and newest kernel, unmodified, find
the confidential-computing blob and go on from there."""

import os
import pathlib
import tempfile
import unittest

from lab import process, site, snp, testing


# The early console; no timer interrupt will ever come to calibrate with; little
# to share, for each shared page costs an exit or two.
COMMAND_LINE = "console=ttyS0 earlyprintk=serial lpj=5000000 tsc_early_khz=2600000 swiotlb=512"
MEMORY = 192  # MiB


class OldestKernelTest(unittest.TestCase):
    @classmethod
    def guest(cls):
        assets = os.environ.get("FORELOCK_ASSETS")
        if not assets or not pathlib.Path(assets, "VERSION").exists():
            raise process.Failure(testing.NO_ASSETS)
        return site.GuestAssets(assets)

    @classmethod
    def setUpClass(cls):
        guest = cls.guest()
        folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp()) / cls.__name__
        folder.mkdir()
        guest.command_line = folder / "cmdline"
        guest.command_line.write_text(COMMAND_LINE)
        cls.site = snp.SnpSite(snp.Tools(pathlib.Path.cwd()), guest, folder / "site")
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare_snp()

    def test_kernel_loads_its_page_tables_and_has_found_the_blob(self):
        run = self.site.start_and_wait(self.site.image, ["--kernel-limit", "page-tables"], MEMORY, deadline=240)
        self.assertEqual(run.ending, "kernel-reached", run.tail())
        self.assertTrue(run.kernel_page_tables)
        self.assertNotEqual(run.kernel_cc_blob, 0)

    def test_kernel_knows_where_it_runs(self):
        """Its own #VC handlers, its own GHCB, its own page states: far beyond what
        the image had to prepare, and the machine finds nothing to object to."""
        child = self.site.start(self.site.image, ["--kernel-limit", "none"], MEMORY)
        child.wait_for("Linux version", deadline=240)
        child.wait_for("Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP", deadline=240)
        child.kill()


class NewestKernelTest(OldestKernelTest):
    # The other test goes through it.
    test_kernel_loads_its_page_tables_and_has_found_the_blob = None

    @classmethod
    def guest(cls):
        return testing.newest_guest()


if __name__ == "__main__":
    testing.main()
