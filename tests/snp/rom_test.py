# SPDX-License-Identifier: Apache-2.0
"""The image as a flat ROM on the SNP machine: it starts at the reset vector,
its launch has no memory map, and another digest than the IGVM file's."""

import os
import pathlib
import re
import tempfile
import unittest

from lab import process, snp, testing


class RomTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp())
        cls.site = snp.SnpSite(snp.Tools(pathlib.Path.cwd()), snp.TinyGuest(folder / "guest"),
                               folder / "site")  # fmt: skip
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare_snp()
        cls.elf = cls.site.image.with_suffix(".elf")
        cls.rom = cls.site.image.with_suffix(".rom")
        said = process.run([cls.site.tools.cli, "image", "rom", cls.elf, "--output", cls.rom]).stdout
        cls.digest = re.search(r"launch digest \(snp, by -bios\) ([0-9a-f]{96})", said).group(1)

    def start(self):
        return self.site.start_and_wait(self.elf, ["--rom", self.rom])

    def test_attests_by_the_digest_of_the_rom(self):
        policy = self.site.owner / "policy.toml"
        of_igvm = self.site.measure(self.site.image)
        self.assertNotEqual(self.digest, of_igvm)
        run = self.start()
        self.assertEqual(run.launch_digest, self.digest)
        self.assertIsNotNone(run.find("forelock: refused: not_authorised decision"), run.tail())

        policy.write_text(policy.read_text().replace(of_igvm, self.digest))
        self.site.verifier.call("policy", "replace", policy)
        run = self.start()
        self.assertIsNotNone(run.find(r"^forelock: \[.*\] granted\b"), run.tail())
        self.assertEqual(run.ending, "kernel-reached", run.tail())


if __name__ == "__main__":
    testing.main()
