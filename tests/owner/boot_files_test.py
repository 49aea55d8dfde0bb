# SPDX-License-Identifier: Apache-2.0
"""Boot files that the guest, or Linux in it, always refuses: `policy from-image`
and `image qemu-args` say so, end with 0, and print what they always print."""

import bz2
import gzip
import lzma
import os
import pathlib
import shutil
import struct
import subprocess
import unittest

from lab import cpio, process, testing

FORELOCK = "cli/forelock"
IMAGE = "svsm/forelock-svsm.elf"
HEX = "5a" * 32

CONFIG = f"""\
version = 1
platform = "PLATFORM"
vm = "demo/vm1"
verifier = "verifier"
verifier_pins = ["sha256:{HEX}"]
acpi = "none"
[[resource]]
name = "demo/vm1/root"
kind = "luks2"
volume = "root"
[channel]
transport = "page"
"""


def scratch(name):
    return pathlib.Path(os.environ["TEST_TMPDIR"]) / name


def written(name, data):
    path = scratch(name)
    path.write_bytes(data)
    return path


def configured(platform, config=CONFIG):
    toml, image = scratch("guest.toml"), scratch(f"{platform}.elf")
    toml.write_text(config.replace("PLATFORM", platform))
    result = process.run([FORELOCK, "image", "configure", "--force", "--config", toml, "--output", image, IMAGE])
    return image, result.stderr


def bzimage(payload=8192, **changes):
    """The header of Debian's 6.1 cloud kernel, and nothing behind it."""
    fields = {0x1F1: ("B", 39), 0x1F4: ("<I", payload // 16), 0x1FE: ("<H", 0xAA55), 0x200: ("<H", 0x6AEB),
              0x202: ("<I", 0x53726448), 0x206: ("<H", 0x020F), 0x211: ("B", 1), 0x22C: ("<I", 0x7FFFFFFF),
              0x230: ("<I", 0x200000), 0x234: ("B", 1), 0x236: ("<H", 0x7F), 0x238: ("<I", 2047),
              0x258: ("<Q", 0x1000000), 0x260: ("<I", 0x400000)}  # fmt: skip
    data = bytearray(40 * 512 + payload)
    for offset, (form, value) in fields.items():
        struct.pack_into(form, data, offset, changes.get(f"x{offset:x}", value))
    return bytes(data)


def archive(size=10000):
    made = cpio.Archive()
    made.file("file", os.urandom(size // 2) + bytes(size - size // 2), 0o644)
    return made.serialise()


class BootFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image, _ = configured("emulated")
        cls.good = {"kernel": written("vmlinuz", bzimage()), "initrd": written("initrd.img", archive()),
                    "command-line": written("cmdline", b"console=ttyS0 quiet")}  # fmt: skip
        cls.policy = cls.from_image(cls.good).stdout
        cls.line = cls.qemu_args(cls.good).stdout

    @classmethod
    def options(cls, files):
        return [word for name, path in files.items() for word in (f"--{name}", path)]

    @classmethod
    def from_image(cls, files):
        return process.run([FORELOCK, "policy", "from-image", cls.image, "--emulated", "--root-sha256", HEX,
                            *cls.options(files)])  # fmt: skip

    @classmethod
    def qemu_args(cls, files, *more):
        return process.run([FORELOCK, "image", "qemu-args", cls.image, "--ram", "r", "--proxy-socket", "p",
                            "--processor-socket", "s", *cls.options(files), *more])  # fmt: skip

    def assert_warns(self, words, **files):
        """Both commands, once each, for these files in place of the good ones."""
        given = {**self.good, **{name.replace("_", "-"): path for name, path in files.items()}}
        for result in (self.from_image(given), self.qemu_args(given)):
            self.assertRegex(result.stderr, rf"\Awarning: [^\n]*{words}[^\n]*\n\Z")
        self.assertEqual(self.qemu_args(given).stdout.count("\n"), self.line.count("\n"))
        self.assertEqual(self.from_image(given).stdout.count("\n"), self.policy.count("\n"))

    def test_nothing_of_what_boots(self):
        self.assertEqual(self.from_image(self.good).stderr, "")
        self.assertEqual(self.qemu_args(self.good).stderr, "")

    def test_a_kernel_and_a_command_line_that_the_guest_refuses(self):
        """As met: vmlinuz.gz, and a command line by echo."""
        kernel = written("k.gz", gzip.compress(bzimage(), 0))
        line = written("c-nl", b"console=ttyS0 quiet\n")
        files = {**self.good, "kernel": kernel, "command-line": line}
        for result in (self.from_image(files), self.qemu_args(files)):
            said = result.stderr.splitlines()
            self.assertEqual(len(said), 2, said)
            self.assertIn("SL30 the kernel is no x86 bzImage: it looks like a gzip file", said[0])
            self.assertIn("SL24 the command line has a byte that is no text: the newline at its end", said[1])

    def test_kernels(self):
        for name, data, words in (
            ("random", os.urandom(100) + bytes(1 << 20), "k-random: the guest refuses it: SL30"),
            ("short", b"linux", "SL31 the kernel file ends too early: it looks like a text file"),
            ("elf", pathlib.Path("/bin/true").read_bytes(), "SL30 .*an ELF file"),
            ("xz", lzma.compress(bzimage()) + bytes(1000), "SL30 .*an xz file"),
            ("initrd", archive(), "SL30 .*kernel and initrd mixed up"),
            ("old", bzimage(x206=0x20B), "SL32"),
            ("32-bit", bzimage(x236=0x7E), "SL33"),
            ("cut", bzimage()[:-1], "SL31"),
            ("empty", b"", "SL21"),
        ):  # fmt: skip
            with self.subTest(name):
                self.assert_warns(words, kernel=written(f"k-{name}", data))

    def test_command_lines(self):
        for name, data, words in (
            ("long", b"x" * 70000, "SL23 .* it has 70000 bytes"),
            ("for this kernel", b"x" * 2048, "SL35"),
            ("two lines", b"quiet\nro", "SL24 .*byte 5 is 0x0a"),
            ("empty", b"", "an empty command line"),
        ):  # fmt: skip
            with self.subTest(name):
                self.assert_warns(words, command_line=written(f"c-{name}", data))

    def test_initrds_by_python(self):
        plain = archive()
        for name, data, words in (
            ("xz", lzma.compress(plain), "xz --check=crc32"),
            ("xz behind microcode", plain + bytes(512) + lzma.compress(plain), "xz --check=crc32"),
            ("misaligned", plain + bytes(2) + gzip.compress(plain), "a multiple of 4"),
            ("cut off", plain[:9000], "in the middle of a cpio archive"),
            ("empty", b"", "SL22"),
            ("kernel", bzimage(), "nothing but zeros|neither a cpio"),
        ):  # fmt: skip
            with self.subTest(name):
                self.assert_warns(words, initrd=written(f"i-{name}", data))
        for name, data in (
            ("gzip", gzip.compress(plain)), ("bzip2", bz2.compress(plain)),
            ("lzma", lzma.compress(plain, lzma.FORMAT_ALONE)),
            ("xz", lzma.compress(plain, check=lzma.CHECK_CRC32)),
            ("no check", lzma.compress(plain, check=lzma.CHECK_NONE)),
        ):  # fmt: skip
            for early in (b"", plain, plain + bytes(512)):
                with self.subTest(name, early=len(early)):
                    files = {**self.good, "initrd": written("i", early + data)}
                    self.assertEqual(self.from_image(files).stderr, "")

    def test_initrds_by_compressors(self):
        plain = archive()
        for command, words in (
            (["zstd", "-19", "-T0"], None), (["zstd", "--long=27"], None), (["zstd", "--long=28"], "--long=27"),
            (["lz4", "-l", "-9"], None), (["lz4", "-9"], "lz4 -l"), (["lzop"], None),
            (["xz", "--check=crc32"], None), (["xz"], "xz --check=crc32"), (["gzip", "-n"], None),
        ):  # fmt: skip
            with self.subTest(" ".join(command)):
                if not shutil.which(command[0]):
                    self.skipTest(f"{command[0]} is not installed")
                data = subprocess.run([*command, "-c"], input=plain, stdout=subprocess.PIPE, check=True).stdout
                initrd = written("i", data)
                if words:
                    self.assert_warns(words, initrd=initrd)
                else:
                    self.assertEqual(self.from_image({**self.good, "initrd": initrd}).stderr, "")

    def test_memory(self):
        kernel = written("k-big", bzimage(x260=0x3000000))  # 48 MiB from 16 MiB on
        files = {**self.good, "kernel": kernel}
        self.assertRegex(self.qemu_args(files, "--memory", "48").stderr, r"\Awarning: .*need 64 MiB .*SL36.*\n\Z")
        self.assertEqual(self.qemu_args(files).stderr, "")
        files = dict(self.good)
        del files["kernel"]
        self.assertRegex(self.qemu_args(files).stderr, r"\Awarning: without --kernel .*SL20.*\n\Z")
        files = {**self.good, "initrd": written("i-big", archive(60 << 20))}
        self.assertRegex(self.qemu_args(files, "--memory", "100").stderr, "unpacks to 60 MiB")
        self.assertEqual(self.qemu_args(files).stderr, "")
        # Nothing of the memory where nobody says how much there is.
        self.assertEqual(self.from_image(files).stderr, "")

    def test_files_that_are_elsewhere(self):
        files = {**self.good, "kernel": scratch("none")}
        self.assertRegex(self.qemu_args(files).stderr, r"\Awarning: .*none: not looked at: no such file\n\Z")

    def test_platforms(self):
        snp, _ = configured("snp")
        root = ["--emulated", "--root-sha256", HEX]
        for images, options, words in (
            ([self.image], [], "emulated.elf, platform emulated: no AMD processor reports its digest"),
            ([snp, self.image], [], "emulated.elf, platform emulated: no AMD processor"),
            ([snp], root, "snp.elf, platform snp: only a machine that emulates SNP"),
            ([snp], [], None),
            ([self.image], root, None),
        ):  # fmt: skip
            said = process.run([FORELOCK, "policy", "from-image", *images, *options]).stderr
            if words:
                self.assertRegex(said, rf"\Awarning: {words}[^\n]*\n\Z")
            else:
                self.assertEqual(said, "")

    def test_an_image_that_asks_for_nothing(self):
        nothing = CONFIG[:CONFIG.index("[[resource]]")] + CONFIG[CONFIG.index("[channel]"):]
        image, said = configured("snp", nothing)
        self.assertRegex(said, r"\Avm demo/vm1 asks for no secret [^\n]* vms allows this image\n\Z")
        built = process.run([FORELOCK, "image", "build", "--output", scratch("x.igvm"), image])
        self.assertIn("vm demo/vm1 asks for no secret", built.stderr)
        self.assertEqual(configured("snp")[1], "")

    def test_the_kernel_and_initramfs_of_the_demo(self):
        assets = pathlib.Path(os.environ.get("FORELOCK_ASSETS", "/nowhere"))
        if not (assets / "vmlinuz").exists():
            self.skipTest("the assets of ./run setup are not there")
        files = {"kernel": assets / "vmlinuz", "initrd": assets / "initrd.img", "command-line": assets / "cmdline"}
        self.assertEqual(self.qemu_args(files).stderr, "")
        self.assertIn("warning: the VM has 40 MiB", self.qemu_args(files, "--memory", "40").stderr)


if __name__ == "__main__":
    testing.main()
