# SPDX-License-Identifier: Apache-2.0
"""`secret add-disk` on disks that cryptsetup made: a key that does not open its
disk is refused, and what could not be tried is said."""

import os
import pathlib
import shutil
import unittest

from lab import luks2, process, testing

VERIFIER = "verifier/forelock-verifier"
CRYPTSETUP = shutil.which("cryptsetup") or shutil.which("cryptsetup", path="/usr/sbin:/sbin")
SECRET = "demo/vm1/root"
HEX = "5a" * 32


def scratch(name):
    return pathlib.Path(os.environ["TEST_TMPDIR"]) / name


def written(name, data):
    path = scratch(name)
    path.write_bytes(data)
    return path


def cryptsetup(*words, stdin=None):
    return process.run([CRYPTSETUP, "--batch-mode", *words], stdin=stdin)


def make_disk(name, key, *options):
    disk = scratch(name)
    with open(disk, "wb") as file:
        file.truncate(8 << 20)
    cryptsetup("luksFormat", "--type", "luks2", "--luks2-metadata-size", "16k", "--luks2-keyslots-size", "512k",
               *(options or PBKDF2), "--key-file", "-", disk, stdin=key)  # fmt: skip
    return disk


PBKDF2 = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]
ARGON2 = ["--pbkdf", "argon2id", "--pbkdf-memory", "65536", "--pbkdf-force-iterations", "4", "--pbkdf-parallel", "1"]


class DiskKey(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.count = 0
        if CRYPTSETUP:
            cls.key = os.urandom(32)
            cls.disk = make_disk("disk", cls.key)

    def setUp(self):
        if not CRYPTSETUP:
            self.skipTest("cryptsetup is not installed")
        DiskKey.count += 1
        self.state = scratch(f"state{self.count}")
        self.call("init")

    def call(self, *words, stdin=None, check=True):
        return process.run([VERIFIER, *words, "--state", self.state], stdin=stdin, check=check)

    def add(self, key, disk=None, *options, command="add-disk", check=True):
        return self.call("secret", command, SECRET, "--key-file", "-", "--device", disk or self.disk, *options,
                         stdin=key, check=check)  # fmt: skip

    def secrets(self):
        return self.call("secret", "list").stdout

    def assert_refused(self, words, key, disk=None, command="add-disk"):
        before = self.secrets()
        result = self.add(key, disk, command=command, check=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, rf"\Aforelock-verifier: VS20[ :][^\n]*{words}[^\n]*\n\Z")
        self.assertEqual(self.secrets(), before)

    def test_a_key_that_opens_its_disk(self):
        self.assertEqual(self.add(self.key).stderr, "")
        self.assertIn(f"{SECRET} luks2 hardware version 1", self.secrets())
        key = written("key", self.key)
        replaced = self.call("secret", "replace-disk", SECRET, "--key-file", key, "--device", self.disk)
        self.assertEqual(replaced.stderr, "")
        self.assertIn("version 2", self.secrets())

    def test_a_wrong_key_is_refused(self):
        self.assert_refused("no keyslot takes it", os.urandom(32))
        self.add(self.key)
        self.assert_refused("no keyslot takes it", os.urandom(32), command="replace-disk")
        self.assertIn("version 1", self.secrets())

    def test_untested(self):
        self.assertEqual(self.add(b"wrong", None, "--untested").stderr, "")
        self.assertIn(SECRET, self.secrets())

    def test_a_newline_at_the_end(self):
        self.assert_refused("the newline at the end of standard input is too much", self.key + b"\n")
        self.assert_refused("the newline at the end of standard input is too much", self.key + b"\r\n")
        echoed = make_disk("echoed", b"passphrase\n")
        self.assert_refused("the disk's key has a newline at its end, and standard input has none", b"passphrase",
                            echoed)  # fmt: skip
        self.assertEqual(self.add(b"passphrase\n", echoed).stderr, "")
        file = written("newline", self.key + b"\n")
        said = self.call("secret", "add-disk", "a/b/c", "--key-file", file, "--device", self.disk, check=False)
        self.assertIn(f"the newline at the end of {file} is too much", said.stderr)

    def test_the_key_is_not_tried(self):
        header = ["--header-length", "294912", "--header-sha256", HEX]
        said = self.call("secret", "add-disk", SECRET, "--key-file", "-", *header, stdin=b"key").stderr
        self.assertRegex(said, r"\Awarning: the key was not tried on the disk: that wants --device\n\Z")
        # A header that this program reads and cryptsetup does not.
        odd = scratch("odd")
        shutil.copy(self.disk, odd)
        with open(odd, "r+b") as file:
            for area in (0, 16384):
                file.seek(area + 448)
                file.write(bytes(64))
        said = self.add(self.key, odd, command="replace-disk").stderr
        self.assertRegex(said, r"\Awarning: the key was not tried on the disk: /\S*cryptsetup: [^\n]+\n\Z")

    def test_memory_of_argon2(self):
        first, second = os.urandom(32), os.urandom(32)
        disk = make_disk("argon2", first)
        new = written("second", second)
        cryptsetup("luksAddKey", *ARGON2, "--key-file", written("first", first), disk, new)
        # The first keyslot, which needs none, is tried first.
        self.assertEqual(self.add(first, disk, "--memory", "32").stderr, "")
        for memory, warned in (("32", True), ("64", True), ("65", False), ("512", False)):
            with self.subTest(memory):
                said = self.add(second, disk, "--memory", memory, command="replace-disk").stderr
                if warned:
                    self.assertRegex(said, rf"\Awarning: opening the disk takes 64 MiB for argon2, and a VM of {memory} "
                                           r"MiB has no more: [^\n]*\n\Z")  # fmt: skip
                else:
                    self.assertEqual(said, "")
        # What cryptsetup writes on a machine with much memory.
        luks2.edit(disk, lambda metadata: [slot["kdf"].update(type="argon2id", memory=1048576)
                                           for slot in metadata["keyslots"].values()])  # fmt: skip
        said = self.add(second, disk, "--untested", command="replace-disk").stderr
        self.assertRegex(said, r"\Awarning: opening the disk takes 1024 MiB for argon2, and a VM of 512 MiB \(what image "
                               r"qemu-args gives; --memory names another\) has no more: ")  # fmt: skip
        self.assertEqual(self.add(second, disk, "--untested", "--memory", "2048", command="replace-disk").stderr, "")

    def assert_no_header(self, words, disk):
        result = self.add(self.key, disk, check=False)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, rf"\Aforelock-verifier: VS10 [^\n]*{disk}: {words}[^\n]*\n\Z")

    def test_what_cryptsetup_makes_and_a_guest_does_not_take(self):
        def empty(name):
            disk = scratch(name)
            disk.write_bytes(bytes(8 << 20))
            return disk

        common = [*PBKDF2, "--key-file", "-"]
        disk = empty("luks1")
        cryptsetup("luksFormat", "--type", "luks1", "--pbkdf-force-iterations", "1000", "--key-file", "-", disk,
                   stdin=self.key)  # fmt: skip
        self.assert_no_header("LUKS version 1; cryptsetup convert --type luks2 makes it version 2", disk)
        disk, header = empty("detached"), scratch("header")
        cryptsetup("luksFormat", "--type", "luks2", *common, "--header", header, disk, stdin=self.key)
        self.assert_no_header("no LUKS magic at its start", disk)
        self.assert_no_header("its data begins at 0: a header in a file of its own", header)
        disk = scratch("null")
        shutil.copy(self.disk, disk)
        luks2.use_no_cipher(disk)
        self.assert_no_header("a segment without encryption", disk)
        disk = empty("plain")
        self.assert_no_header("no LUKS magic at its start: it is not encrypted with LUKS", disk)

    def test_integrity_is_said(self):
        disk = scratch("integrity")
        shutil.copy(self.disk, disk)
        luks2.edit(disk, lambda metadata: [segment.update(integrity={"type": "hmac(sha256)"})
                                           for segment in metadata["segments"].values()])  # fmt: skip
        said = self.add(self.key, disk, "--untested").stderr
        self.assertRegex(said, r"\Awarning: the disk has dm-integrity below it: [^\n]*\n\Z")

    def test_a_header_over_the_limit(self):
        disk = scratch("large")
        with open(disk, "wb") as file:
            file.truncate(128 << 20)
        cryptsetup("luksFormat", "--type", "luks2", *PBKDF2, "--luks2-keyslots-size", "66m", "--key-file", "-", disk,
                   stdin=self.key)  # fmt: skip
        result = self.add(self.key, disk, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "VS10 .*its keyslots area has 66 MiB, and a guest takes a header of 64 MiB")


if __name__ == "__main__":
    testing.main()
