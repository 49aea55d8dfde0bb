# SPDX-License-Identifier: Apache-2.0
"""Tests of the harness itself that need no machine."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zlib

from harness import assets, channel, cpio, luks2, process, testing


class CpioTest(unittest.TestCase):
    def test_same_input_same_bytes(self):
        def make(names):
            archive = cpio.Archive()
            for name in names:
                archive.file(name, name.encode())
            return archive.serialise()

        self.assertEqual(make(["b/c", "a"]), make(["a", "b/c"]))

    def test_layout(self):
        archive = cpio.Archive()
        archive.file("etc/x", b"12345", 0o400)
        data = archive.serialise()
        self.assertEqual(len(data) % 512, 0)
        self.assertTrue(data.startswith(b"070701"))
        # The folder first, then the file with its mode and size.
        self.assertLess(data.index(b"etc\0"), data.index(b"etc/x\0"))
        entry = data[data.index(b"etc/x\0") - 110 :]
        self.assertEqual(int(entry[14:22], 16), 0o100400)
        self.assertEqual(int(entry[54:62], 16), 5)


class DiskTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.disk = pathlib.Path(folder.name) / "disk.img"
        self.key = os.urandom(32)
        self.length, self.digest = assets.make_disk(self.disk, self.key, "welcome")

    def opens(self, disk):
        command = [assets.sbin("cryptsetup"), "open", "--test-passphrase", "--disable-locks",
                   "--key-file", "-", disk]  # fmt: skip
        return subprocess.run(command, input=self.key, capture_output=True).returncode == 0

    def test_opens_with_the_key(self):
        self.assertTrue(self.opens(self.disk))

    def test_header_is_small_and_content_is_not_plain(self):
        self.assertEqual(self.length, 288 << 10)
        data = self.disk.read_bytes()
        self.assertNotIn(b"welcome", data)
        self.assertNotIn(self.key, data)

    def test_cipher_null_edit_opens_with_the_genuine_key(self):
        """The attack is real: cryptsetup takes the edited header."""
        luks2.use_no_cipher(self.disk)
        self.assertTrue(self.opens(self.disk))
        dump = process.run([assets.sbin("cryptsetup"), "luksDump", self.disk]).stdout
        self.assertIn("cipher_null-ecb", dump)


class ChannelTest(unittest.TestCase):
    RECORD = b"FLCR" + bytes(20)
    RECORD += zlib.crc32(RECORD).to_bytes(4, "little")

    def test_counts_records_and_doorbells(self):
        self.assertEqual(channel.split(self.RECORD + b"DD" + self.RECORD + b"D"), (2, 3))

    def test_a_torn_record_counts_as_doorbells(self):
        self.assertEqual(channel.split(self.RECORD[:-1]), (0, 27))


class ProcessTest(unittest.TestCase):
    def start(self, text):
        log = tempfile.NamedTemporaryFile()
        self.addCleanup(log.close)
        child = process.Process("child", [sys.executable, "-c", text], log.name)
        self.addCleanup(child.stop)
        return child

    def test_waits_for_a_line(self):
        child = self.start("print('one'); print('two 2')")
        self.assertEqual(child.wait_for(r"two (\d)").group(1), "2")
        self.assertEqual(child.wait(), 0)

    def test_the_end_ends_the_wait(self):
        child = self.start("print('last words')")
        with self.assertRaisesRegex(process.Failure, "ended.*\n.*last words"):
            child.wait_for("never")

    def test_the_deadline_ends_the_wait(self):
        child = self.start("import signal; print('up', flush=True); signal.pause()")
        child.wait_for("up")
        with self.assertRaisesRegex(process.Failure, "within 0.1 s"):
            child.wait_for("never", deadline=0.1)
        child.stop()
        self.assertFalse(child.running())


if __name__ == "__main__":
    testing.main()
