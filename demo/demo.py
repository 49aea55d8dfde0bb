#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run demo: a virtual machine attests itself before its operating system
starts, receives its disk key, boots; then four things that must not boot."""

import argparse
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lab import acpi, luks2, machine, process, programs, site  # noqa: E402

FOLDER = ROOT / ".forelock/demo"
# Not bazel-bin, which goes where the last build was (tools/install.py).
OUT = ROOT / "out"

BOLD, DIM, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m")
    if sys.stdout.isatty() else ("",) * 5
)  # fmt: skip


def title(text):
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def row(name, text, colour=""):
    name_width = 12
    lines = textwrap.wrap(text, 100 - name_width, break_long_words=False) or [""]
    print(f"  {name:<{name_width}}{colour}{lines[0]}{PLAIN if colour else ''}")
    for line in lines[1:]:
        print(f"  {'':<{name_width}}{colour}{line}{PLAIN if colour else ''}")
    sys.stdout.flush()


def build():
    title("Building")
    started = time.monotonic()
    print(f"  {DIM}./run build{PLAIN}", flush=True)
    # What Bazel says goes to standard error.
    built = subprocess.run([sys.executable, ROOT / "tools/install.py", "build"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL)  # fmt: skip
    if built.returncode != 0:
        raise process.Failure("the build failed")
    version = process.run([OUT / "bin/forelock", "--version"]).stdout.strip()
    row("built", f"{version}; in out/, in {time.monotonic() - started:.0f} s")


class Demo:
    def __init__(self):
        tools = site.Tools(OUT, programs.installed(OUT))
        guest = site.GuestAssets(ROOT / ".forelock/assets")
        self.site = site.Site(tools, guest, FOLDER)

    def prepare(self):
        title("Preparing")
        self.site.prepare(site.WELCOME, say=row)
        self.verifier = self.site.verifier
        self.disk = self.site.disk

    def boot(self, disk=None, on_line=None, deadline=120, **changes):
        return self.site.run(self.site.boot(self.site.image, disk or self.disk, **changes),
                             deadline=deadline, on_line=on_line)  # fmt: skip

    # --- The happy path.

    def show_boot(self):
        title(f"{site.VM} boots")
        print(f"  {DIM}   total     step{PLAIN}")
        before = [0.0]

        def show(now, text, colour=""):
            print(f"  {now:6.2f} s  {now - before[0]:5.2f} s  {colour}{text}{PLAIN if colour else ''}", flush=True)
            before[0] = now

        def on_line(now, text):
            phase = re.match(r"forelock: \[[^]]*\] ([a-z-]+)", text)
            if phase and phase[1] in PHASES:
                show(now, PHASES[phase[1]])
            elif text.startswith("initramfs: "):
                show(now, text.replace("initramfs: ", "Linux, initramfs: ", 1))
            elif text.startswith("guest: "):
                show(now, text, BOLD + GREEN)
            elif re.match("forelock: (refused|failed)", text):
                show(now, text, RED)

        qemu = self.boot(on_line=on_line)
        if not qemu.find(f"^guest: {re.escape(site.WELCOME)}$"):
            raise process.Failure(f"the guest did not show the line from its disk:\n{qemu.tail(30)}")

    # --- What must not boot.

    def refused(self, qemu, reason):
        """Of a boot that the verifier denied: what each party saw."""
        match = qemu.find(r"forelock: refused: (\S+) decision ([0-9a-f]{32})")
        if not match:
            raise process.Failure(f"the guest was not refused:\n{qemu.tail(30)}")
        if qemu.find("^guest: ") or qemu.find("^initramfs: "):
            raise process.Failure("a refused guest booted")
        row("guest", f"refused: {match[1]}, decision {match[2]}; powered off", RED)
        findings = self.verifier.findings(match[2])
        if [finding["reason"] for finding in findings] != [reason]:
            raise process.Failure(f"the owner's log gives another reason: {findings}")
        for finding in findings:
            row("owner's log", f"{finding['reason']} {finding['what']}")
            row("", short_digests(finding["detail"]), DIM)

    def refuse_command_line(self):
        row("the host", "adds init=/bin/sh to the kernel command line")
        changed = self.site.host / "cmdline"
        changed.write_text(self.site.guest.command_line.read_text() + " init=/bin/sh")
        self.refused(self.boot(command_line=changed), "VP14")

    def refuse_acpi(self):
        row("the host", "adds an ACPI table of its own (AML is a program that the kernel runs)")
        table = self.site.host / "host.aml"
        table.write_bytes(acpi.empty_ssdt())
        self.refused(self.boot(extra=["-acpitable", f"file={table}"]), "VP15")

    def refuse_verifier(self):
        row("the host", "connects the guest to a verifier of its own")
        other = self.site.make_verifier("other-verifier")
        other.start()
        try:
            self.site.start_proxy({"verifier": other.address})
            qemu = self.boot()
        finally:
            other.stop()
            self.site.start_proxy()
        match = qemu.find(r"forelock: failed: (CR\d+ .*)")
        if not match or other.decisions():
            raise process.Failure(f"the guest did not refuse the verifier:\n{qemu.tail(30)}")
        row("guest", f"failed: {match[1]}; powered off", RED)
        row("other's log", "no decision: the guest sent that verifier nothing, not even its request")

    def refuse_header(self):
        row("the host", "edits the disk's LUKS2 header: cipher_null, so that any plaintext is accepted")
        edited = self.site.host / "edited.img"
        shutil.copyfile(self.disk, edited)
        luks2.use_no_cipher(edited)
        qemu = self.boot(disk=edited)
        match = qemu.find(r"initramfs: refused: (the disk's header is not the one that the key came with)")
        if not match or qemu.find("^guest: "):
            raise process.Failure(f"the initramfs did not refuse the disk's header:\n{qemu.tail(30)}")
        row("guest", f"{match[1]}; powered off", RED)
        decision, outcome = self.verifier.decisions()[0]
        if outcome != "granted":
            raise process.Failure(f"the verifier said {outcome}, so the header was not what was refused")
        row("owner's log", f"decision {decision}: {outcome}. The image and the boot files were the right "
            "ones; the header's digest came with the key")  # fmt: skip

    # --- At the end.

    def search_for_key(self):
        count = self.site.search_for_key()
        row("disk key", f"in none of the {count} files that this demo left in {FOLDER.relative_to(ROOT)}")

    def keep(self):
        title("Still running (Ctrl-C ends everything)")
        here = self.site
        row("verifier", f"pid {self.verifier.server.pid}, {self.verifier.address}")
        row("proxy", f"pid {here.proxy.pid}, {here.proxy_configuration}")
        row("emulator", f"pid {here.emulator.pid}, {here.wiring.emulator_socket}")
        print("\n  Read the owner's log:\n"
              f"    {here.tools.verifier} audit list --state {self.verifier.state}\n"
              "\n  Boot the VM again (the emulated secure processor measures anew):\n")  # fmt: skip
        boot = here.boot(here.image, here.disk)
        print("    " + shell_line(machine.command(boot, here.wiring)), flush=True)
        signal.pause()

    def close(self):
        self.site.close()


def short_digests(text):
    return re.sub(r"\b(sha384:)?([0-9a-f]{12})[0-9a-f]{52,}", r"\1\2...", text)


def shell_line(command):
    """One option a line, to be pasted."""
    out = shlex.quote(str(command[0]))
    for part in command[1:]:
        out += (" \\\n      " if str(part).startswith("-") else " ") + shlex.quote(str(part))
    return out


PHASES = {
    "started": f"SVSM: started, for {site.VM}",
    "measured": "SVSM: kernel, initramfs, command line and ACPI files copied and hashed",
    "connected": "SVSM: TLS to the verifier, whose key is the pinned one",
    "attested": "SVSM: attestation report sent",
    "granted": "SVSM: granted, the disk key is here",
    "handing-over": "SVSM: overwrites its memory, starts the kernel",
}

REFUSALS = {
    "command-line": (Demo.refuse_command_line, "a changed kernel command line"),
    "acpi-table": (Demo.refuse_acpi, "an ACPI table added by the host"),
    "verifier": (Demo.refuse_verifier, "a verifier with another key"),
    "disk-header": (Demo.refuse_header, "an edited disk header"),
}


def arguments():
    names = "\n".join(f"  {name:<14}{text}" for name, (_, text) in REFUSALS.items())
    parser = argparse.ArgumentParser(
        prog="./run demo", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="A virtual machine attests itself, receives its disk key and boots; then four\n"
                    "things that must not boot, and why. Everything is in .forelock/demo; each run\n"
                    "starts afresh.",
        epilog=f"NAME is one of:\n  boot          the successful boot\n{names}")  # fmt: skip
    parser.add_argument("--only", metavar="NAME", action="append", choices=["boot", *REFUSALS],
                        help="run just this part (may be given more than once)")
    parser.add_argument("--keep", action="store_true",
                        help="keep verifier, proxy and emulator running at the end, and say how to "
                             "talk to them")
    parser.add_argument("--no-build", action="store_true", help="use what out/ holds, where ./run build puts it")
    return parser.parse_args()


def main():
    options = arguments()
    parts = options.only or ["boot", *REFUSALS]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends the children too
    print(f"{BOLD}Forelock: attest first, boot then.{PLAIN}\n"
          "This demo needs no SEV-SNP: QEMU emulates the CPU and forelock-emulator the secure\n"
          "processor. It shows the protocol; against its own host it protects nothing.")  # fmt: skip
    demo = None
    try:
        if not options.no_build:
            build()
        demo = Demo()
        demo.prepare()
        if "boot" in parts:
            demo.show_boot()
        refusals = [name for name in REFUSALS if name in parts]
        for number, name in enumerate(refusals, 1):
            title(f"Refusal {number} of {len(refusals)}: {REFUSALS[name][1]}")
            REFUSALS[name][0](demo)
        title("Done")
        demo.search_for_key()
        if options.keep:
            demo.keep()
    except process.Failure as failure:
        print(f"\n{RED}The demo failed:{PLAIN} {failure}\nLogs: {FOLDER / 'logs'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 0 if options.keep else 130
    finally:
        if demo is not None:
            demo.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
