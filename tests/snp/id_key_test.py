# SPDX-License-Identifier: Apache-2.0
"""A policy by ID key, as `policy from-image --id-key` begins it, and images that
`image sign` signed: by this key, by another, not at all, or not as they are."""

import os
import pathlib
import tempfile
import unittest

from lab import process, snp, testing


class IdKeyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(os.environ.get("TEST_TMPDIR") or tempfile.mkdtemp())
        cls.site = snp.SnpSite(snp.Tools(pathlib.Path.cwd()), snp.TinyGuest(folder / "guest"),
                               folder / "site")  # fmt: skip
        cls.addClassCleanup(cls.site.close)
        cls.site.prepare_snp()
        cls.key = cls.make_key("id-key")
        cls.igvm = cls.site.image
        cls.elf = cls.igvm.with_suffix(".elf")
        policy = cls.site.write_policy([cls.elf], cls.site.processor / "public" / "ark.der", "none",
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
        return self.site.start_and_wait(self.elf, ["--igvm", igvm])

    def assert_denied(self, run, *reasons):
        self.assertIsNotNone(run.find("forelock: refused: not_authorised decision"), run.tail())
        decision, _ = self.site.verifier.decisions()[0]
        found = {finding["reason"] for finding in self.site.verifier.findings(decision)}
        self.assertEqual(found, set(reasons))

    def test_what_the_key_signed_attests(self):
        run = self.start(self.signed(5))
        self.assertIsNotNone(run.find(r"^forelock: \[.*\] granted\b"), run.tail())
        self.assertEqual(run.ending, "kernel-reached", run.tail())

    def test_another_key_is_denied(self):
        self.assert_denied(self.start(self.signed(5, self.make_key("other"))), "VP27")

    def test_the_same_image_without_its_id_block_is_denied(self):
        self.assert_denied(self.start(self.igvm), "VP27", "VP32")

    def test_a_changed_page_does_not_start(self):
        image = self.signed(5)
        data = bytearray(image.read_bytes())
        data[-1] ^= 1  # of the last page's data
        image.write_bytes(data)
        # No result: nothing ran.
        with self.assertRaisesRegex(process.Failure, "the ID block is for another launch digest"):
            self.start(image)


if __name__ == "__main__":
    testing.main()
