# SPDX-License-Identifier: Apache-2.0
"""`forelock image qemu-args`: what the lab starts, and QEMU understands."""

import base64
import os
import pathlib
import re
import shlex
import unittest

from lab import machine, process, testing
from svsm import guest

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
[channel]
transport = "page"
"""


def configured(platform):
    config, output = guest.scratch("guest.toml"), guest.scratch(f"{platform} image.elf")
    config.write_text(CONFIG.replace("PLATFORM", platform))
    process.run([FORELOCK, "image", "configure", "--force", "--config", config, "--output", output, IMAGE])
    return output


class QemuArgs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = configured("emulated")
        cls.files = {}
        for name in ("kernel", "initrd", "command-line", "disk"):
            cls.files[name] = guest.scratch(f"{name}, a file")
            cls.files[name].write_bytes(bytes(1 << 20))
        cls.wiring = machine.Wiring()
        cls.addClassCleanup(cls.wiring.close)

    def run_it(self, image, *more, check=True):
        return process.run([FORELOCK, "image", "qemu-args", image, "--ram", self.wiring.ram,
                            "--proxy-socket", self.wiring.proxy_socket, *more], check=check)  # fmt: skip

    def emulated(self, *more):
        files = [word for name, path in self.files.items() for word in (f"--{name}", path)]
        return self.run_it(self.image, "--processor-socket", self.wiring.emulator_socket, *files, *more)

    def test_it_is_what_the_lab_starts(self):
        boot = machine.Boot(self.image, *(self.files[name] for name in ("kernel", "initrd", "command-line")),
                            disk=self.files["disk"])  # fmt: skip
        # The lab's scratch files are shared among tests, and have no comma.
        wanted = [str(word).replace(",file.locking=off", "") for word in machine.command(boot, self.wiring)]
        printed = [word.replace(",, a file", ", a file")
                   for word in self.emulated("--lines").stdout.splitlines()]  # fmt: skip
        self.assertEqual(printed, wanted)

    def test_one_line_reads_back_as_the_same_arguments(self):
        line = self.emulated().stdout
        self.assertEqual(line.count("\n"), 1)
        self.assertEqual(shlex.split(line), self.emulated("--lines").stdout.splitlines())

    def test_qemu_takes_it(self):
        """It starts; the image ends it, for want of a proxy."""
        line = shlex.split(self.emulated().stdout)
        qemu = process.Process("qemu", line, guest.scratch("console.log"))
        try:
            qemu.wait_for("^forelock: ", 120)
            qemu.wait(120)
        finally:
            if qemu.running():
                qemu.kill()
        self.assertIsNotNone(qemu.find("forelock: powering off"), qemu.tail())

    def test_options(self):
        words = self.emulated("--lines", "--memory", "1024", "--cpu", "EPYC", "--accel", "kvm").stdout
        self.assertIn("\n-m\n1024\n", words)
        self.assertIn(",size=1024M,", words)
        self.assertIn("\n-cpu\nEPYC\n", words)
        self.assertIn("\n-accel\nkvm\n", words)

    def test_igvm_is_launched_by_snp(self):
        image = guest.scratch("vm1.igvm")
        process.run([FORELOCK, "image", "build", "--output", image, "--clear", "smt", configured("snp")])
        result = self.run_it(image, "--lines")
        self.assertIn(f"igvm-cfg,id=igvm0,file={image}\n", result.stdout)
        # QEMU starts the launch with this one, before it has read the file's.
        self.assertIn("sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=0x20000\n", result.stdout)
        self.assertIn("nobody has run it yet", result.stderr)

    def test_id_block_of_a_rom(self):
        rom, key = guest.scratch("snp.rom"), guest.scratch("id.pem")
        process.run([FORELOCK, "image", "rom", configured("snp"), "--output", rom])
        process.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384",
                     "-out", key])  # fmt: skip
        block, auth = guest.scratch("block"), guest.scratch("auth")
        process.run([FORELOCK, "image", "sign", rom, "--id-key", key, "--guest-policy", "0x430000",
                     "--id-block-out", block, "--id-auth-out", auth])  # fmt: skip
        ids = ["--id-block", block, "--id-auth", auth]
        words = self.run_it(rom, "--lines", *ids).stdout
        given = re.search(r"policy=0x430000,id-block=([^,]*),id-auth=([^,]*)\n", words)
        self.assertEqual(base64.b64decode(given.group(1)), block.read_bytes())
        self.assertEqual(base64.b64decode(given.group(2)), auth.read_bytes())
        # The digest in it is the ROM's.
        digest = process.run([FORELOCK, "image", "measure", rom]).stdout.strip()
        self.assertEqual(block.read_bytes()[:48].hex(), digest)
        block.write_bytes(bytes(96))
        self.assertEqual(self.run_it(rom, *ids, check=False).returncode, 2)
        self.assertEqual(self.run_it(self.image, "--processor-socket", "x", *ids, check=False).returncode, 2)

    def test_roms_are_firmware(self):
        for platform, image in (("emulated", self.image), ("snp", configured("snp"))):
            rom = guest.scratch(f"{platform}.rom")
            process.run([FORELOCK, "image", "rom", image, "--output", rom])
            more = ["--processor-socket", "x"] if platform == "emulated" else []
            words = self.run_it(rom, "--lines", *more).stdout
            self.assertIn(f"\n-bios\n{rom}\n", words)
            self.assertNotIn("\n-kernel\n", words)
            self.assertEqual("sev-snp-guest," in words, platform == "snp")

    def test_refusals(self):
        snp = configured("snp")
        for what, image, more in (
            ("an SNP image's ELF file", snp, []),
            ("no processor's socket", self.image, []),
            ("memory", self.image, ["--processor-socket", "x", "--memory", "1"]),
            ("accelerator", self.image, ["--processor-socket", "x", "--accel", "hax"]),
        ):
            with self.subTest(what):
                result = self.run_it(image, *more, check=False)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertEqual(result.stdout, "")
        self.assertEqual(self.run_it(os.devnull, check=False).returncode, 1)
        self.assertEqual(self.run_it(pathlib.Path("nothing"), check=False).returncode, 1)


if __name__ == "__main__":
    testing.main()
