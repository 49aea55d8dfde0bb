#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes .forelock/assets: the kernel, initramfs and command line that the demo
and the end-to-end tests boot, and .forelock/bazelrc, which tells the tests
where they are. Does nothing when they are current."""

import hashlib
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness import assets  # noqa: E402


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
    for name in ("vmlinuz", "initrd.img", "cmdline"):
        digest.update(hashlib.sha256((target / name).read_bytes()).digest())
    text = (
        "# Written by tools/make_assets.py.\n"
        f"test --test_env=FORELOCK_ASSETS={target}\n"
        f"test --test_env=FORELOCK_ASSETS_SHA256={digest.hexdigest()}\n"
    )
    path = ROOT / ".forelock/bazelrc"
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    kernel = ROOT / ".forelock/kernel"
    source = ROOT / "demo/initramfs"
    target = ROOT / ".forelock/assets"
    inputs = [
        kernel / "VERSION",
        source / "init",
        source / "modules.txt",
        ROOT / "tests/harness/assets.py",
        ROOT / "tests/harness/cpio.py",
        assets.sbin("busybox"),
        assets.sbin("cryptsetup"),
    ]
    digest = inputs_digest(inputs)
    stamp = target / "stamp"
    if not stamp.exists() or stamp.read_text() != digest:
        print("setup: making the initramfs", flush=True)
        target.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
        assets.make_initramfs(source, kernel / "modules", target / "initrd.img")
        (target / "vmlinuz").write_bytes((kernel / "vmlinuz").read_bytes())
        (target / "cmdline").write_text(assets.COMMAND_LINE)
        (target / "VERSION").write_text((kernel / "VERSION").read_text())
        stamp.write_text(digest)
    write_bazelrc(target)


if __name__ == "__main__":
    main()
