#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run test --kernels: brings the newest Debian cloud kernel of each series that
the mirror lists, and boots each to the line from the encrypted disk, in QEMU. One
whose modules the mirror no longer has boots an initramfs that needs none, and
only says whether the key is there.

Prints a table, then "N passed, N failed, N skipped". A series that the mirror no
longer lists, or whose package it does not hand out, is skipped: it keeps what is
superseded only for a while.
"""

import pathlib
import re
import subprocess
import sys
import time

import make_assets
from lab import initrd, process, programs, site

ROOT = make_assets.ROOT
FOLDER = ROOT / ".forelock/kernels-site"
# Series that have booted: where the mirror has none of them any more, it is said.
SHOWN = ["6.1", "6.12", "6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2", "7.3"]
PATIENCE = 300  # seconds for one boot; the machine may be loaded


def by_number(series):
    return [int(part) for part in series.split(".")]


def find():
    """{series: folder of a kernel, or why there is none}"""
    found = {series: "the mirror does not list it" for series in SHOWN}
    for path in make_assets.KERNELS.iterdir():
        if path.suffix == ".missing":
            found[path.stem] = path.read_text().strip()
        elif re.fullmatch(r"\d+\.\d+", path.name) and (path / "VERSION").exists():
            found[path.name] = path
    found.pop("newest", None)
    return {series: found[series] for series in sorted(found, key=by_number)}


class Table:
    def __init__(self):
        self._counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._rows = []

    def add(self, series, package, result, detail):
        self._counts[result] += 1
        self._rows.append((series, package, result, (detail.splitlines() or [""])[0]))
        print(f"{series}: {result}, {detail}", flush=True)

    def show(self):
        """Prints it, then the counts; returns whether nothing failed, and
        something was shown."""
        rows = [("series", "package", "result", ""), *sorted(self._rows, key=lambda row: by_number(row[0]))]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        print()
        for row in rows:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0])).rstrip())
        if not self._counts["passed"] + self._counts["failed"]:
            print("\nno kernel at all was there to boot", end="")
        print("\n" + ", ".join(f"{number} {result}" for result, number in self._counts.items()), flush=True)
        return self._counts["failed"] == 0 and self._counts["passed"] > 0


class Kernel:
    """One series' kernel and what shows that it booted."""

    def __init__(self, folder):
        self.package = " ".join((folder / "VERSION").read_text().split())
        self.whole = (folder / "modules").is_dir()
        if self.whole:
            make_assets.make(folder, folder / "assets")
            self.guest = site.GuestAssets(folder / "assets")
            return
        target = folder / "assets"
        target.mkdir(exist_ok=True)
        (target / "initrd.img").write_bytes(initrd.make("gzip", False, initrd.WORD))
        (target / "cmdline").write_text(initrd.COMMAND_LINE)
        (target / "VERSION").write_text(self.package)
        self.guest = site.GuestAssets(target).replace(kernel=folder / "vmlinuz")

    def boot(self, here):
        """(result, detail)"""
        started = time.monotonic()
        disk = here.disk if self.whole else None
        try:
            qemu = here.run(here.boot(here.image, disk, guest=self.guest), deadline=PATIENCE)
        except process.Failure as failure:
            return "failed", str(failure)
        seconds = f"{time.monotonic() - started:.0f} s"
        if self.whole:
            if qemu.find(f"guest: {site.WELCOME}$") and qemu.find("initramfs: done, powering off"):
                return "passed", f"{seconds}, to the line from the disk"
        elif qemu.find(initrd.key_line(here.key)):
            return "passed", f"{seconds}, to the key in the initramfs: the mirror has no modules for it"
        return "failed", f"not to its end:\n{qemu.tail(20)}"


def main():
    subprocess.run(["tools/fetch_kernel.sh", "each"], cwd=ROOT, check=True)
    table = Table()
    kernels = {}
    for series, found in find().items():
        if isinstance(found, str):
            table.add(series, "-", "skipped", found)
            continue
        try:
            kernels[series] = Kernel(found)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            table.add(series, (found / "VERSION").read_text().strip(), "failed", str(error))
    programs.build(ROOT)
    if kernels:
        guests = [kernel.guest for kernel in kernels.values()]
        here = site.Site(site.Tools(ROOT / "bazel-bin"), guests[0], FOLDER)
        try:
            here.prepare(site.WELCOME, also=guests[1:])
            for series, kernel in kernels.items():
                table.add(series, kernel.package, *kernel.boot(here))
        finally:
            here.close()
    sys.exit(0 if table.show() else 1)


if __name__ == "__main__":
    try:
        main()
    except (subprocess.CalledProcessError, process.Failure) as error:
        print(error, file=sys.stderr)
        print("0 passed, 1 failed, 0 skipped")
        sys.exit(1)
