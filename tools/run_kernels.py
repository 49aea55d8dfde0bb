#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run test --kernels: brings the newest Debian cloud kernel of each series that
the mirror lists, and boots each to the line from the encrypted disk, in QEMU.

Prints a table, then "N passed, N failed, N skipped". A series that the mirror no
longer lists, or whose package it does not hand out, is skipped: it keeps what is
superseded only for a while.
"""

import pathlib
import subprocess
import sys
import time

import make_assets
from harness import process, site

ROOT = make_assets.ROOT
FOLDER = ROOT / ".forelock/kernels-site"
WELCOME = "this line stands in a file on the encrypted disk"
TARGETS = [
    "//svsm:forelock-svsm", "//host-proxy:forelock-proxy", "//verifier:forelock-verifier",
    "//emulator:forelock-emulator", "//cli:forelock",
]  # fmt: skip
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
        elif path.name[0].isdigit() and (path / "VERSION").exists():
            found[path.name] = path
    found.pop("newest", None)
    return {series: found[series] for series in sorted(found, key=by_number)}


class Table:
    def __init__(self):
        self._counts = {"passed": 0, "failed": 0, "skipped": 0}
        self._rows = []

    def add(self, series, package, result, detail):
        self._counts[result] += 1
        self._rows.append((series, package, result, detail))
        print(f"{series}: {result}, {detail}", flush=True)

    def show(self):
        """Prints it, then the counts; returns whether nothing failed."""
        rows = [("series", "package", "result", ""), *self._rows]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        print()
        for row in rows:
            print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0])).rstrip())
        print("\n" + ", ".join(f"{number} {result}" for result, number in self._counts.items()), flush=True)
        return self._counts["failed"] == 0 and self._counts["passed"] > 0


def boot(here, guest):
    """(result, detail)"""
    started = time.monotonic()
    try:
        qemu = here.run(here.boot(here.image, here.disk, guest=guest), deadline=PATIENCE)
    except process.Failure as failure:
        return "failed", str(failure)
    finally:
        here.stop_emulator()
    if qemu.find(f"guest: {WELCOME}$") and qemu.find("initramfs: done, powering off"):
        return "passed", f"{time.monotonic() - started:.0f} s"
    return "failed", f"no line from the disk:\n{qemu.tail(20)}"


def main():
    subprocess.run(["tools/fetch_kernel.sh", "each"], cwd=ROOT, check=True)
    table = Table()
    guests, packages = {}, {}
    for series, found in find().items():
        if isinstance(found, str):
            table.add(series, "-", "skipped", found)
            continue
        packages[series] = " ".join((found / "VERSION").read_text().split())
        try:
            make_assets.make(found, found / "assets")
            guests[series] = site.GuestAssets(found / "assets")
        except (OSError, ValueError) as error:
            table.add(series, packages[series], "failed", str(error))
    command = ["bazel", "build", "--noshow_progress", "--ui_event_filters=-info", *TARGETS]
    subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    if guests:
        here = site.Site(site.Tools(ROOT / "bazel-bin"), next(iter(guests.values())), FOLDER)
        try:
            here.prepare(WELCOME, also=guests.values())
            for series, guest in guests.items():
                table.add(series, packages[series], *boot(here, guest))
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
