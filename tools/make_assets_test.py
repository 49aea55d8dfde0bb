#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_assets: a newest kernel that no initramfs can be made for stops nothing
but the test that boots it."""

import contextlib
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import make_assets  # noqa: E402


class MakeNewestTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.newest = pathlib.Path(folder.name) / "newest"
        for name, value in (("KERNELS", self.newest.parent), ("make", self.make)):
            self.addCleanup(setattr, make_assets, name, getattr(make_assets, name))
            setattr(make_assets, name, value)
        self.error = None

    def make(self, kernel, target):
        self.assertEqual(kernel, self.newest)
        target.mkdir(exist_ok=True)
        (target / "vmlinuz").touch()
        if self.error is not None:
            raise self.error

    def make_newest(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            make_assets.make_newest()
        return said.getvalue()

    def test_none_there(self):
        self.error = AssertionError("nothing to make")
        self.assertEqual(self.make_newest(), "")

    def test_whole(self):
        self.newest.mkdir()
        (self.newest / "VERSION").write_text("7.3.4 ")
        (self.newest / "failed").write_text("of the one before")
        self.assertEqual(self.make_newest(), "")
        self.assertFalse((self.newest / "failed").exists())
        self.assertTrue((self.newest / "assets/vmlinuz").exists())

    def test_each_way_to_fail_is_written_down(self):
        self.newest.mkdir()
        (self.newest / "VERSION").write_text("7.3.4\n")
        for error in (
            FileNotFoundError("modules/kernel"),
            ValueError("modules.dep: a line without a colon"),
            subprocess.CalledProcessError(1, "xz"),
        ):
            with self.subTest(error):
                self.error = error
                said = self.make_newest()
                failed = (self.newest / "failed").read_text()
                self.assertRegex(failed, r"\Ano initramfs for 7\.3\.4: [^\n]+\n\Z")
                self.assertIn(failed.strip(), said)
                self.assertIn("its test will fail", said)
                self.assertFalse((self.newest / "assets").exists())

    def test_a_fault_of_our_own_is_not_hidden(self):
        self.newest.mkdir()
        (self.newest / "VERSION").write_text("7.3.4")
        self.error = TypeError("a bug")
        self.assertRaises(TypeError, self.make_newest)


class BazelrcTest(unittest.TestCase):
    """Who only builds the programs has no kernel, and the same precompiled headers."""

    def test_alone(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        (root / ".forelock").mkdir()
        (root / ".forelock/packages").write_text("0123abcd  -\n")
        for name, value in (("ROOT", root), ("KERNELS", root / ".forelock/kernels")):
            self.addCleanup(setattr, make_assets, name, getattr(make_assets, name))
            setattr(make_assets, name, value)
        arguments, sys.argv = sys.argv, ["make_assets.py", "--bazelrc"]
        self.addCleanup(setattr, sys, "argv", arguments)
        make_assets.main()
        text = (root / ".forelock/bazelrc").read_text()
        self.assertIn("build --define=system_packages=0123abcd\n", text)
        self.assertFalse((root / ".forelock/assets").exists())


if __name__ == "__main__":
    unittest.main()
