#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes of each kernel what the demo and the end-to-end tests boot: kernel,
initramfs and command line. Of the oldest kernel in .forelock/assets, of the
others in .forelock/kernels/NAME/assets. Writes .forelock/bazelrc, which tells
the tests where they are, and each build which packages are installed; with
--bazelrc nothing else. Does nothing when they are current."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KERNELS = ROOT / ".forelock/kernels"
STOCK = ROOT / ".forelock/stock"
sys.path.insert(0, str(ROOT))

from lab import assets, stock  # noqa: E402


def inputs_digest(files):
    digest = hashlib.sha256()
    for path in files:
        status = os.stat(path)
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def write_bazelrc(target):
    """The tests' environment. The digest makes Bazel run them again when the
    assets change: it does not see the files themselves."""
    digest = hashlib.sha256()
    newest = KERNELS / "newest/assets"
    files = [folder / name for folder in (target, newest) for name in ("vmlinuz", "initrd.img", "cmdline")]
    for path in [*files, STOCK / "initrd.img", KERNELS / "newest.missing", KERNELS / "newest/failed"]:
        if path.exists():
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    text = (
        "# Written by tools/make_assets.py.\n"
        f"test --test_env=FORELOCK_ASSETS={target}\n"
        f"test --test_env=FORELOCK_KERNELS={KERNELS}\n"
        f"test --test_env=FORELOCK_STOCK={STOCK}\n"
        f"test --test_env=FORELOCK_ASSETS_SHA256={digest.hexdigest()}\n"
    )
    # Precompiled headers have the system's inside, which Bazel does not watch.
    packages = ROOT / ".forelock/packages"
    if packages.exists():
        text += f"build --define=system_packages={packages.read_text().split()[0]}\n"
    path = ROOT / ".forelock/bazelrc"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def make(kernel, target):
    """Assets in `target` from `kernel`, a folder of tools/fetch_kernel.sh."""
    source = ROOT / "demo/initramfs"
    inputs = [
        kernel / "VERSION",
        source / "init",
        source / "modules.txt",
        ROOT / "lab/assets.py",
        ROOT / "lab/cpio.py",
        assets.sbin("busybox"),
        assets.sbin("cryptsetup"),
    ]
    digest = inputs_digest(inputs)
    stamp = target / "stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    version = (kernel / "VERSION").read_text()
    print(f"setup: making the initramfs for {version.split()[0]}", flush=True)
    target.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    assets.make_initramfs(source, kernel / "modules", target / "initrd.img")
    (target / "vmlinuz").write_bytes((kernel / "vmlinuz").read_bytes())
    (target / "cmdline").write_text(assets.COMMAND_LINE)
    (target / "VERSION").write_text(version)
    stamp.write_text(digest)


def make_stock(kernel):
    """The initrd of tools/fetch_stock.sh's packages, with the modules of `kernel`."""
    if not (STOCK / "VERSION").exists():
        return
    inputs = [kernel / "VERSION", STOCK / "VERSION", ROOT / "lab/assets.py", ROOT / "lab/cpio.py",
              ROOT / "lab/stock.py", assets.sbin("busybox")]  # fmt: skip
    digest = inputs_digest(inputs)
    stamp = STOCK / "stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    print("setup: making an initrd of Debian's systemd", flush=True)
    stamp.unlink(missing_ok=True)
    (STOCK / "initrd.img").write_bytes(stock.make(STOCK / "root", kernel / "modules"))
    stamp.write_text(digest)


def make_newest():
    """The newest kernel is the mirror's choice: one that no initramfs can be
    made for must stop nothing but the test that boots it."""
    newest = KERNELS / "newest"
    if not (newest / "VERSION").exists():
        return
    failed = newest / "failed"
    try:
        make(newest, newest / "assets")
        failed.unlink(missing_ok=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        shutil.rmtree(newest / "assets", ignore_errors=True)
        failed.write_text(f"no initramfs for {(newest / 'VERSION').read_text().strip()}: {error}\n")
        print(f"setup: kernels: {failed.read_text().strip()}; its test will fail", flush=True)


def main():
    target = ROOT / ".forelock/assets"
    if sys.argv[1:] != ["--bazelrc"]:
        make(ROOT / ".forelock/kernel", target)
        make_newest()
        make_stock(ROOT / ".forelock/kernel")
    write_bazelrc(target)


if __name__ == "__main__":
    main()
