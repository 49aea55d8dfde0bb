#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run test --foreign: firmware that nobody here wrote, on the SNP machine.

Debian's OVMF for AMD (package ovmf-amdsev, in sid) is fetched by an apt of its
own, unpacked under .forelock/foreign and run until a named point. The package
is pinned: where the mirror has another version, the test says so and is
skipped. How far it comes, and why it stops there, is told in
machine/README.md, "Foreign guests".
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".forelock/foreign"

PACKAGE, VERSION = "ovmf-amdsev", "2026.08+ds-2"
FIRMWARE = "usr/share/ovmf/OVMF.amdsev.fd"
FIRMWARE_SHA256 = "3e4fd0b3fe3b2dbe481c3d9e99418a034174f26cbe1f55aa212b0f18c12d2d6f"
# What QEMU 11.1 launches for it with one CPU of -cpu EPYC, by sev-snp-measure.
LAUNCH_DIGEST = "d74bd3ea40b240c3228edc5177ce6193561ebff633dbd0be76d6c143b876d65102425c0e2e8a930857c48daa5eacda58"


class Skipped(Exception):
    pass


class Broken(Exception):
    pass


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch():
    """The firmware's path."""
    firmware = FOLDER / FIRMWARE
    if firmware.exists() and sha256(firmware) == FIRMWARE_SHA256:
        return firmware
    script = f"""
set -eu
. tools/apt.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
private_apt "$work/apt" "deb @MIRROR sid main"
candidate=$(apt-cache policy {PACKAGE} | sed -n 's/^ *Candidate: //p')
echo "the mirror has $candidate"
[ "$candidate" = "{VERSION}" ]
(cd "$work" && apt-get -qq download "{PACKAGE}={VERSION}")
rm -rf "{FOLDER}"
mkdir -p "{FOLDER}"
dpkg-deb -x "$work"/{PACKAGE}_*.deb "{FOLDER}"
"""
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    if done.returncode != 0:
        said = done.stdout.strip().splitlines()
        raise Skipped(f"{PACKAGE} {VERSION} cannot be had: {said[-1] if said else 'apt failed'}")
    if sha256(firmware) != FIRMWARE_SHA256:
        raise Broken(f"{PACKAGE} {VERSION} has another {FIRMWARE}: SHA-256 {sha256(firmware)}")
    return firmware


class Ovmf:
    """One run of the firmware, and what its trace shows. Numbers are the
    machine's: it is deterministic but for the clock."""

    MEMORY_MIB = 256
    INSTRUCTIONS = 560_000_000

    def __init__(self, firmware):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            subprocess.run([ROOT / "bazel-bin/psp/forelock-emulator", "init", "--hierarchy", folder / "keys"],
                           check=True, stdout=subprocess.DEVNULL)  # fmt: skip
            command = [ROOT / "bazel-bin/machine/snp_machine", "run", "--rom", firmware,
                       "--hierarchy", folder / "keys", "--memory", str(self.MEMORY_MIB),
                       "--instructions", str(self.INSTRUCTIONS),
                       "--trace", folder / "trace", "--json", folder / "result"]  # fmt: skip
            done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)  # fmt: skip
            result = folder / "result"
            self.result = json.loads(result.read_text()) if result.exists() else {}
            self.output = done.stdout
            trace = folder / "trace"
            self.trace = trace.read_text(errors="replace") if trace.exists() else ""

    def has(self, pattern):
        return re.search(pattern, self.trace, re.M) is not None

    def checks(self):
        """What must hold, and whether it does, in the order of the run."""
        result = self.result
        yield "is launched with QEMU's digest", result.get("launch_digest") == LAUNCH_DIGEST
        yield "asks for its GHCB by the MSR protocol", self.has(r" ghcb-registration ")
        yield "is answered CPUID through its GHCB page", self.has(r" cpuid +code 0x72 .*-> 0 0")
        yield "makes its GHCB page shared", self.has(r" page-state ")
        yield "reads QEMU's configuration", result.get("exits", {}).get("fw-cfg", 0) > 0
        # Some of it is shared again later: buffers for devices.
        yield ("validates its memory",
               result.get("validated_pages", 0) >= self.MEMORY_MIB * 256 - 1024)  # fmt: skip
        # The named point.
        yield "wakes the other processors (INIT to the local APIC)", self.has(r"code 0x80000002 info 0xfee00300 ")
        yield ("asks for configuration space by memory, and waits for the wrong port",
               self.has(r" in32 0x6 = 0xffffffff"))  # fmt: skip
        # It looks for flash through C=0 where its own code is.
        yield ("reads ciphertext where it takes its ROM for flash, and goes on",
               result.get("ciphertext_reads") == 1 and self.has(r"C=0 read of the private page 0xffc0"))  # fmt: skip
        yield ("breaks no rule until the limit",
               result.get("ending") == "stopped" and "instruction limit" in result.get("text", ""))  # fmt: skip


def main():
    try:
        firmware = fetch()
    except Skipped as why:
        print(f"SKIPPED  {why}\n0 passed, 0 failed, 1 skipped", flush=True)
        return 0
    except Broken as why:
        print(f"FAILED  {why}\n0 passed, 1 failed", flush=True)
        return 1
    try:
        subprocess.run(["bazel", "build", "--noshow_progress", "//psp:forelock-emulator",
                        "//machine:snp_machine"], cwd=ROOT, check=True)  # fmt: skip
        run = Ovmf(firmware)
    except subprocess.TimeoutExpired as late:
        print(f"FAILED  no end after {late.timeout} s\n{(late.stdout or b'')[-2000:]}\n0 passed, 1 failed", flush=True)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"FAILED  {error}\n0 passed, 1 failed", flush=True)
        return 1
    passed = failed = 0
    for what, good in run.checks():
        print(f"{'ok     ' if good else 'FAILED '} {PACKAGE} {VERSION} {what}", flush=True)
        passed += good
        failed += not good
    if failed:
        print(run.output[-2000:])
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
