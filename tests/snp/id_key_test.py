# SPDX-License-Identifier: Apache-2.0
"""A signed image on the SNP machine: the secure processor checks the ID block,
and the verifier's policy goes by the key and the SVN."""

import os
import pathlib
import tempfile
import unittest

from harness import process, snp, testing


class IdKeyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp())
        cls.site = snp.SnpSite(snp.Tools(pathlib.Path.cwd()), snp.TinyGuest(folder / "guest"),
                               folder / "site")  # fmt: skip
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare_snp()
        cls.key = cls.make_key("id-key")
        cls.igvm = cls.site.host / "vm1.igvm"
        cls.forelock("image", "build", "--output", cls.igvm, cls.site.image)
        policy = cls.site.write_policy([cls.site.image], cls.site.processor / "public" / "ark.der", "none",
                                       options=["--id-key", cls.key, "--svn", "5"])  # fmt: skip
        cls.site.verifier.call("policy", "replace", policy)

    @classmethod
    def forelock(cls, *arguments):
        return process.run([cls.site.tools.cli, *arguments]).stdout

    @classmethod
    def make_key(cls, name):
        key = cls.site.owner / f"{name}.pem"
        process.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384",
                     "-out", key])  # fmt: skip
        return key

    def signed(self, svn, key=None):
        image = self.site.host / f"signed-{svn}.igvm"
        self.forelock("image", "sign", self.igvm, "--id-key", key or self.key, "--svn", svn, "--output", image)
        return image

    def start(self, igvm):
        return self.site.start_and_wait(self.site.image, ["--igvm", igvm])

    def assert_denied(self, run, *reasons):
        self.assertIsNotNone(run.find("forelock: refused: not_authorised decision"), run.tail())
        decision, _ = self.site.verifier.decisions()[0]
        found = {finding["reason"] for finding in self.site.verifier.findings(decision)}
        self.assertEqual(found, set(reasons))

    def test_what_the_key_signed_attests(self):
        for svn in (5, 6):
            run = self.start(self.signed(svn))
            self.assertIsNotNone(run.find(r"^forelock: \[.*\] granted\b"), run.tail())
            self.assertEqual(run.ending, "kernel-reached", run.tail())

    def test_a_lower_svn_is_denied(self):
        self.assert_denied(self.start(self.signed(4)), "VP32")

    def test_another_key_is_denied(self):
        self.assert_denied(self.start(self.signed(5, self.make_key("other"))), "VP27")

    def test_the_same_image_without_its_id_block_is_denied(self):
        self.assert_denied(self.start(self.igvm), "VP27", "VP32")

    def test_a_changed_page_does_not_start(self):
        image = self.signed(5)
        data = bytearray(image.read_bytes())
        data[-1] ^= 1  # of the last page's data
        image.write_bytes(data)
        with self.assertRaises(process.Failure):  # no result: nothing ran
            self.start(image)


if __name__ == "__main__":
    testing.main()
