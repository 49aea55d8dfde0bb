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

    def stub(self, name, script):
        program = guest.scratch(name)
        program.write_text("#!/bin/sh\n" + script + "\n")
        program.chmod(0o755)
        return program

    def test_reconnect_is_what_this_qemu_calls_it(self):
        for version, wanted in (("7.2.22 (Debian 1:7.2)", ",reconnect=1"), ("9.1.0", ",reconnect=1"),
                                ("9.2.0", ",reconnect-ms=1000"), ("10.0.13", ",reconnect-ms=1000"),
                                ("11.1.3", ",reconnect-ms=1000")):  # fmt: skip
            with self.subTest(version):
                qemu = self.stub("qemu", f"echo 'QEMU emulator version {version}'")
                words = self.emulated("--lines", "--qemu", qemu).stdout.splitlines()
                self.assertEqual(words[0], str(qemu))
                self.assertEqual([word for word in words if word.endswith(wanted)][0].count(wanted), 1)
                short = version.split(" ")[0]
                asked = self.emulated("--lines", "--qemu-version", short).stdout.splitlines()
                self.assertEqual(asked[1:], words[1:])
                number = tuple(int(part) for part in short.split(".")[:2])
                boot = machine.socket("forelock", self.wiring.proxy_socket, number)
                self.assertIn(boot, words)

    def test_a_qemu_that_does_not_answer(self):
        for what, script in (("another program", "echo hello; printf '\\033[31m'"), ("one that fails", "exit 1"),
                             ("one that prints much", "yes | head -c 1000000")):  # fmt: skip
            with self.subTest(what):
                arguments = ["--processor-socket", "x", "--qemu", self.stub("no-qemu", script)]
                result = self.run_it(self.image, *arguments, check=False)
                self.assertEqual(result.returncode, 1)
                self.assertIn("CL9 ", result.stderr)
                self.assertNotIn("\033", result.stderr)
                self.assertLess(len(result.stderr), 1000)
                self.assertEqual(result.stdout, "")
        missing = ["--processor-socket", "x", "--qemu", "/nonexistent/qemu"]
        self.assertEqual(self.run_it(self.image, *missing, check=False).returncode, 1)
        for version in ("", "nine", "9", "QEMU emulator version 9.2.0"):
            wrong = ["--processor-socket", "x", "--qemu-version", version]
            self.assertEqual(self.run_it(self.image, *wrong, check=False).returncode, 2)

    def test_without_any_qemu_the_line_is_for_the_first_that_can(self):
        result = process.run(["env", "PATH=/nonexistent", os.path.abspath(FORELOCK), "image", "qemu-args", self.image,
                              "--ram", "R", "--proxy-socket", "S", "--processor-socket", "P"])  # fmt: skip
        self.assertIn("path=S,reconnect=1 ", result.stdout)
        self.assertIn("warning: the line is for QEMU 7.2: ", result.stderr)
        # The owner's machine may have an older one than the host.
        image = guest.scratch("old.igvm")
        process.run([FORELOCK, "image", "build", "--output", image, configured("snp")])
        result = self.run_it(image, "--qemu-version", "7.2")
        self.assertIn(",reconnect-ms=1000 ", result.stdout)
        self.assertIn("QEMU 7.2 cannot launch this image: the line is for 10.1", result.stderr)

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
        given = re.search(r"policy=0x430000,id-block=([^,\n]*),id-auth=([^,\n]*)\n", words)
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
