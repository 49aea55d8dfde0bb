# SPDX-License-Identifier: Apache-2.0
"""Tests of the lab itself that need no machine."""

import gzip
import lzma
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zlib

from lab import assets, certificates, channel, cpio, initrd, luks2, process, testing


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


def module(name, depends=""):
    """What the lab reads of a kernel module."""
    return b"\x7fELF" + f"\0name={name}\0depends={depends}\0".encode()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True, capture_output=True).stdout


COMPRESS = {"": bytes, ".xz": lzma.compress, ".gz": gzip.compress, ".zst": zstd}


class ModulesTest(unittest.TestCase):
    def tree(self, files, builtin=""):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        tree = pathlib.Path(folder.name)
        (tree / "kernel/drivers").mkdir(parents=True)
        for name, data in files.items():
            (tree / "kernel/drivers" / name).write_bytes(data)
        (tree / "modules.builtin").write_text(builtin)
        return assets.Modules(tree)

    def test_each_compression_arrives_plain(self):
        plain = module("dm_crypt")
        for suffix, compress in COMPRESS.items():
            with self.subTest(suffix):
                modules = self.tree({f"dm-crypt.ko{suffix}": compress(plain)})
                self.assertEqual(modules.order(["dm-crypt"]), {"dm_crypt.ko": plain})

    def test_a_damaged_module_is_an_error_with_its_name(self):
        for suffix, compress in COMPRESS.items():
            whole = compress(module("dm_crypt", "a" * 100))
            for damaged in (whole[: len(whole) // 2], b"", b"x" + whole[1:]):
                if suffix == "" and damaged == whole[: len(whole) // 2]:
                    continue  # still a module, as far as is looked
                with self.subTest(suffix=suffix, size=len(damaged)):
                    modules = self.tree({f"dm-crypt.ko{suffix}": damaged})
                    with self.assertRaisesRegex(ValueError, f"dm-crypt.ko{suffix}: "):
                        modules.order(["dm_crypt"])

    def test_an_unknown_compression_is_an_error_with_its_name(self):
        modules = self.tree({"dm-crypt.ko.lz4": b"x"})
        with self.assertRaisesRegex(ValueError, r"dm-crypt\.ko\.lz4: .*\*\.lz4"):
            modules.order(["dm-crypt"])

    def test_what_is_no_module_is_left_alone(self):
        modules = self.tree({"dm-crypt.ko.xz.dpkg-new": b"x", "dm-crypt.kolon": b"x"})
        with self.assertRaises(FileNotFoundError):
            modules.order(["dm-crypt"])

    def test_dependencies_come_first_and_once(self):
        modules = self.tree({
            "a.ko.xz": lzma.compress(module("a", "b-b,c")),
            "b_b.ko.zst": zstd(module("b_b", "c")),
            "c.ko": module("c"),
            "d.ko.gz": gzip.compress(module("d", "c")),
        })  # fmt: skip
        self.assertEqual(list(modules.order(["a", "d", "a"])), ["c.ko", "b_b.ko", "a.ko", "d.ko"])

    def test_builtin_is_no_file(self):
        modules = self.tree({"a.ko": module("a", "b_b")}, "kernel/crypto/b-b.ko\nkernel/virtio/v_pci.ko\n")
        self.assertEqual(list(modules.order(["a", "v-pci"])), ["a.ko"])

    def test_missing_is_an_error_with_its_name(self):
        modules = self.tree({"a.ko": module("a")}, "kernel/crypto/bb.ko\n")
        with self.assertRaisesRegex(FileNotFoundError, "kernel module b is not in"):
            modules.order(["a", "b"])

    def test_a_missing_dependency_is_an_error_even_of_an_optional_one(self):
        modules = self.tree({"a.ko.xz": lzma.compress(module("a", "gone"))})
        with self.assertRaisesRegex(FileNotFoundError, "kernel module gone, which a needs, is not in"):
            modules.order(["a optional"])

    def test_missing_but_optional(self):
        modules = self.tree({"a.ko": module("a")})
        self.assertEqual(list(modules.order(["b optional", "a optional"])), ["a.ko"])

    def test_a_mistake_in_the_list_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "list of modules: a optionall"):
            self.tree({"a.ko": module("a")}).order(["a optionall"])


class InitrdTest(unittest.TestCase):
    def test_padding_is_as_asked_for(self):
        for padding, step in ((initrd.WORD, 4), (initrd.SECTOR, 512)):
            data = initrd.make("gzip", False, padding)
            self.assertEqual(len(data) % step, 0)
            self.assertIn(b"busybox sh", zlib.decompressobj(31).decompress(data))
        self.assertEqual(data[-1:], bytes(1))
        self.assertNotEqual(len(initrd.make("gzip", False, initrd.NOTHING)) % 4, 0)

    def test_the_early_archive_is_first_and_plain(self):
        data = initrd.make("lz4", True, initrd.NOTHING)
        self.assertTrue(data.startswith(b"070701"))
        self.assertIn(b"kernel/x86/microcode/AuthenticAMD.bin\0", data[:4096])
        self.assertIn(b"\x02\x21\x4c\x18", data)  # lz4's legacy frame


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


class CertificatesTest(unittest.TestCase):
    def test_a_table_as_the_specification_has_it(self):
        table = certificates.pack(vcek=b"leaf", ask=b"signer")
        self.assertEqual(len(table), 3 * 24 + 10)
        self.assertEqual(table[:24].hex(), "63da758de6644564adc5f4b93be8accd" "48000000" "04000000")
        self.assertEqual(table[48:72], bytes(24))
        self.assertEqual(table[72:], b"leafsigner")
        self.assertEqual(certificates.unpack(table), {"vcek": b"leaf", "ask": b"signer"})

    def test_is_written_in_place_of_another(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.certs"
            for leaf in (b"first", b"second"):
                certificates.write(path, vlek=leaf)
                self.assertEqual(certificates.unpack(path.read_bytes()), {"vlek": leaf})
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [path])


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
