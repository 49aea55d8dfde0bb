# SPDX-License-Identifier: Apache-2.0
"""What the tools say of IGVM files that KVM, or another loader, launches in its
own way."""

import hashlib
import os
import pathlib
import struct
import unittest
import zlib

from lab import process, testing

FORELOCK = "cli/forelock"
IMAGE = "svsm/forelock-svsm.elf"
PIN = "sha256:" + "5a" * 32
CR0, FEATURES = 0x158, 0x3B0
LAST = "warning: the launch digest of this file is of its own values"


def scratch(name):
    return pathlib.Path(os.environ["TEST_TMPDIR"]) / name


def forelock(*arguments, check=True):
    return process.run([FORELOCK, *arguments], check=check)


def headers(data):
    """(type, content) of each variable header."""
    offset, size = struct.unpack_from("<II", data, 8)
    end = offset + size
    while offset < end:
        kind, length = struct.unpack_from("<II", data, offset)
        yield kind, data[offset + 8 : offset + 8 + length]
        offset += 8 + (length + 7) // 8 * 8


def with_vmsa(data, changes):
    """The file with other values in its VMSA, which the checksum is not of."""
    (context,) = [content for kind, content in headers(data) if kind == 0x304]
    (at,) = struct.unpack_from("<I", context, 12)
    changed = bytearray(data)
    for offset, value in changes.items():
        struct.pack_into("<Q", changed, at + offset, value)
    return bytes(changed)


class KvmReplaces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        toml, elf, cls.own = scratch("vm1.toml"), scratch("vm1.elf"), scratch("vm1.igvm")
        toml.write_text(
            f'version = 1\nplatform = "snp"\nvm = "demo/vm1"\nverifier = "verifier"\n'
            f'verifier_pins = ["{PIN}"]\nacpi = "none"\n'
        )
        forelock("image", "configure", "--config", toml, "--output", elf, IMAGE)
        forelock("image", "build", "--output", cls.own, elf)
        cls.other = scratch("other.igvm")
        cls.other.write_bytes(with_vmsa(cls.own.read_bytes(), {CR0: 0x10, FEATURES: 9}))

    def commands(self, image):
        digest = forelock("image", "measure", image).stdout.strip()
        key = scratch("id.pem")
        if not key.exists():
            process.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384",
                         "-out", key])  # fmt: skip
        return (
            ["measure", image],
            ["verify", "--digest", digest, image],
            ["qemu-args", "--ram", "R", "--proxy-socket", "S", image],
            ["sign", "--id-key", key, "--output", scratch("signed.igvm"), image],
        )

    def test_is_said_by_every_command_that_means_a_launch_by_qemu(self):
        for command in self.commands(self.other):
            with self.subTest(command[0]):
                said = forelock("image", *command).stderr  # the exit code is 0
                self.assertIn("warning: VMSA of CPU 0: CR0 is 0x10, KVM puts 0x30 (", said)
                self.assertIn("SEV_FEATURES is 0x9: mainline KVM does not offer restricted injection", said)
                self.assertIn(LAST, said)

    def test_is_not_said_of_our_own_files(self):
        for command in self.commands(self.own):
            with self.subTest(command[0]):
                said = forelock("image", *command).stderr
                self.assertNotIn("VMSA", said)
                self.assertNotIn(LAST, said)

    def test_is_no_matter_to_another_loader(self):
        result = forelock("image", "measure", "--loader", "in-order", "--check-kvm", self.other)
        self.assertEqual(result.stderr, "")

    def test_fails_if_asked_to(self):
        for image, code in ((self.other, 3), (self.own, 0)):
            digest = forelock("image", "measure", image).stdout.strip()
            for command in (["measure"], ["measure", "--json"], ["verify", "--digest", digest]):
                with self.subTest(command, image=image):
                    result = forelock("image", *command, "--check-kvm", image, check=False)
                    self.assertEqual(result.returncode, code)


class ZeroPages(unittest.TestCase):
    """--zero-pages native: as COCONUT-SVSM measures its target "vanadium"."""

    def test_are_measured_as_such(self):
        pages = [bytes([7]) * 4096, None, bytes(4096)]  # zeros with data stay NORMAL
        vmsa = bytes(4096)
        image = scratch("zero.igvm")
        image.write_bytes(self.file(pages, vmsa))
        digest = bytes(48)
        for gpa, (page, kind) in enumerate(((pages[0], 1), (None, 3), (pages[2], 1), (vmsa, 2))):
            contents = bytes(48) if page is None else hashlib.sha384(page).digest()
            where = 0xFFFFFFFFF000 if kind == 2 else 0x100000 + gpa * 4096
            digest = hashlib.sha384(digest + contents + struct.pack("<HBB4BQ", 0x70, kind, 0, 0, 0, 0, 0, where)).digest()
        for loader in ([], ["--loader", "in-order"]):
            said = forelock("image", "measure", *loader, "--zero-pages", "native", image)
            self.assertEqual(said.stdout.strip(), digest.hex())
            self.assertEqual(said.stderr, "")
        forelock("image", "verify", "--zero-pages", "native", "--digest", digest.hex(), image)
        normal = forelock("image", "measure", image).stdout
        self.assertNotEqual(normal.strip(), digest.hex())
        self.assertEqual(forelock("image", "measure", "--zero-pages", "normal", image).stdout, normal)

    def test_are_not_qemus(self):
        for words in (["--loader", "qemu", "--zero-pages", "native"], ["--zero-pages", "some"]):
            result = forelock("image", "measure", *words, IMAGE, check=False)
            self.assertEqual(result.returncode, 2)
            self.assertIn("--zero-pages", result.stderr)

    def file(self, pages, vmsa):
        """An IGVM file, version 1, for SEV-SNP alone."""
        kinds = [(0x1, struct.pack("<IBBHQ", 1, 0, 2, 1, 0))]
        data, blob = [], b""
        for index, page in enumerate(pages):
            data.append((0x302, [0x100000 + index * 4096, page]))
        size = 8 + 16 + (8 + 24) * len(pages) + 8 + 24  # the last one padded
        start = 24 + size
        for kind, (gpa, page) in data:
            kinds.append((kind, struct.pack("<QIIIHH", gpa, 1, start + len(blob) if page is not None else 0, 0, 0, 0)))
            blob += page or b""
        kinds.append((0x304, struct.pack("<QIIHH", 0xFFFFFFFFF000, 1, start + len(blob), 0, 0)))
        blob += vmsa
        variable = b"".join(
            struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8) for kind, content in kinds
        )
        self.assertEqual(len(variable), size)
        fixed = struct.pack("<4s4I", b"IGVM", 1, 24, size, start + len(blob))
        crc = zlib.crc32(fixed + bytes(4) + variable)
        return fixed + struct.pack("<I", crc) + variable + blob


if __name__ == "__main__":
    testing.main()
