# SPDX-License-Identifier: Apache-2.0
"""Linux on the SNP machine, up to its own page tables: the demo's kernel finds
the confidential-computing blob."""

import os
import pathlib
import tempfile
import unittest

from harness import process, site, snp, testing


class LinuxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assets = os.environ.get("FORELOCK_ASSETS")
        if not assets or not pathlib.Path(assets, "VERSION").exists():
            raise process.Failure(testing.NO_ASSETS)
        folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp()) / "site"
        cls.site = snp.SnpSite(snp.Tools(pathlib.Path.cwd()), site.GuestAssets(assets), folder)
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare_snp()

    def test_kernel_loads_its_page_tables_and_has_found_the_blob(self):
        run = self.site.start_and_wait(self.site.image, ["--kernel-limit", "page-tables"], deadline=240)
        self.assertEqual(run.ending, "kernel-reached", run.tail())
        self.assertTrue(run.kernel_page_tables)
        self.assertNotEqual(run.kernel_cc_blob, 0)


if __name__ == "__main__":
    testing.main()
