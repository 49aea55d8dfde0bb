#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`forelock host check` on copies of hosts that others describe, with stub QEMUs."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

FORELOCK = os.path.abspath(sys.argv.pop(1))

GENOA_CPUID = "   0x8000001f 0x00: eax=0x0101fd7f ebx=0x00004173 ecx=0x000003ee edx=0x00000080\n"
DEBIAN_12 = ("7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)", ["memory-backend-file", "sev-guest"])
DEBIAN_13 = ("10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)", ["memory-backend-file", "sev-guest", "sev-snp-guest"])
FEDORA = ("10.1.5 (qemu-10.1.5-1.fc43)", ["igvm-cfg", "memory-backend-file", "sev-guest", "sev-snp-guest"])


def processor(vendor, family, model, flags):
    return (f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n"
            f"model name\t: some\nstepping\t: 1\nflags\t\t: {flags}\n\n")  # fmt: skip


GENOA = processor("AuthenticAMD", 25, 17, "fpu svm sev sev_es sev_snp")
TURIN = processor("AuthenticAMD", 26, 2, "fpu svm sev sev_es sev_snp")


class Machine:
    """A copy of a host, below a folder."""

    def __init__(self, cpuinfo, release, cpuid=GENOA_CPUID, sev="YYY", smt="0", iommu=True, qemu=DEBIAN_13):
        self._folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        self.root = pathlib.Path(self._folder.name) / "host"
        self.write("proc/cpuinfo", cpuinfo)
        self.write("proc/sys/kernel/osrelease", release + "\n")
        self.write("proc/cmdline", "BOOT_IMAGE=/vmlinuz quiet\n")
        self.write("sys/devices/system/cpu/smt/active", smt + "\n")
        if cpuid:
            self.write("cpuid", cpuid)
        for name, value in zip(("sev", "sev_es", "sev_snp"), sev):
            self.write(f"sys/module/kvm_amd/parameters/{name}", value + "\n")
        for folder in ("dev/shm", "run/forelock", "sys/class/iommu", "var/lib/forelock/certs"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        if iommu:
            self.write("sys/class/iommu/ivhd0", "")
        self.write("dev/kvm", "")
        if sev:
            self.write("dev/sev", "")
        self.qemu = self.stub(f"case $1 in --version) echo 'QEMU emulator version {qemu[0]}';; -object) "
                              f"printf 'List of user creatable objects:\\n'; printf '  %s\\n' {' '.join(qemu[1])};; "
                              f"*) exit 1;; esac")  # fmt: skip

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def stub(self, script):
        program = self.root.parent / "qemu"
        program.write_text("#!/bin/sh\n" + script + "\n")
        program.chmod(0o755)
        return program

    def check(self, *more):
        command = [FORELOCK, "host", "check", "--root", self.root, "--qemu", self.qemu, *more]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def report(self):
        result = self.check("--json")
        report = json.loads(result.stdout)
        self.rows = {row["name"]: row for row in report["checks"]}
        return result.returncode, report["snp_guest"], report["launch"]


class Hosts(unittest.TestCase):
    def test_debian_12(self):
        host = Machine(GENOA, "6.1.0-50-amd64", sev="YY", qemu=DEBIAN_12)
        self.assertEqual(host.report(), (3, "no", "none"))
        for name in ("kernel", "kvm_amd", "QEMU for SNP"):
            self.assertEqual(host.rows[name]["state"], "no", name)
        self.assertIn("emulated guests  yes", host.check().stdout)

    def test_debian_13_on_an_epyc(self):
        host = Machine(GENOA, "6.12.94+deb13-amd64")
        self.assertEqual(host.report(), (0, "yes", "rom"))
        said = host.check().stdout
        self.assertIn("EPYC 9004 (Genoa)", said)
        self.assertIn("10.0: sev-snp-guest, no IGVM", said)
        self.assertIn("SNP guests       yes", said)
        self.assertIn("launched by      a ROM, by -bios (forelock image rom)", said)

    def test_fedora_with_igvm(self):
        host = Machine(TURIN, "6.17.8-300.fc43.x86_64", qemu=FEDORA)
        self.assertEqual(host.report(), (0, "yes", "igvm"))
        self.assertIn("EPYC 9005 (Turin)", host.rows["processor"]["seen"])

    def test_an_intel_laptop(self):
        host = Machine(processor("GenuineIntel", 6, 154, "fpu vmx"), "6.12.94+deb13-amd64", cpuid="", sev="")
        self.assertEqual(host.report(), (3, "no", "rom"))
        self.assertIn("GenuineIntel", host.rows["processor"]["seen"])
        self.assertNotIn("kvm_amd", host.rows)

    def test_snp_off_in_the_bios(self):
        host = Machine(GENOA.replace(" sev_snp", ""), "6.12.94+deb13-amd64", sev="YYN", iommu=False)
        self.assertEqual(host.report(), (3, "no", "rom"))
        self.assertIn("RMP table", host.rows["SEV-SNP in Linux"]["advice"])
        self.assertEqual(host.rows["IOMMU"]["state"], "no")

    def test_what_cannot_be_read_is_unknown(self):
        host = Machine(GENOA, "6.12.94+deb13-amd64")
        (host.root / "proc/cpuinfo").unlink()
        self.assertEqual(host.report(), (4, "unknown", "rom"))

    def test_hostile_words_are_shown_safely_and_cut(self):
        for name in ("proc/cpuinfo", "proc/sys/kernel/osrelease", "proc/cmdline", "cpuid",
                     "sys/module/kvm_amd/parameters/sev_snp", "sys/devices/system/cpu/smt/active"):  # fmt: skip
            with self.subTest(name):
                host = Machine(GENOA, "6.12.94+deb13-amd64")
                host.write(name, b"\x1b[2J\xff\n:\n" * 100000)
                said = host.check()
                self.assertIn(said.returncode, (0, 3, 4))
                self.assertTrue(said.stdout.isascii() and "\x1b" not in said.stdout)
                self.assertLess(len(said.stdout), 8000)
                json.loads(host.check("--json").stdout)

    def test_a_qemu_that_prints_much_or_rubbish(self):
        host = Machine(GENOA, "6.12.94+deb13-amd64")
        for script in ("yes | head -c 3000000", "printf '\\033[2J\\377'", "exit 1", "kill -9 $$"):
            with self.subTest(script):
                host.stub(script)
                said = host.check()
                self.assertEqual(said.returncode, 3)
                self.assertIn("QEMU for SNP", said.stdout)
                self.assertTrue(said.stdout.isascii() and "\x1b" not in said.stdout)
                self.assertLess(len(said.stdout), 8000)

    def test_this_machine_whatever_it_is(self):
        result = subprocess.run([FORELOCK, "host", "check"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertIn(result.returncode, (0, 3, 4), result.stderr)
        self.assertIn("SNP guests ", result.stdout)


if __name__ == "__main__":
    unittest.main()
