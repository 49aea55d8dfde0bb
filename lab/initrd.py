# SPDX-License-Identifier: Apache-2.0
"""An initrd of each form that Linux takes: seven compressors or none, with or
without an early archive before it, with or without padding behind it.

Source: Linux usr/Kconfig (RD_GZIP and the rest), init/initramfs.c,
Documentation/driver-api/early-userspace/buffer-format.rst and
Documentation/arch/x86/microcode.rst.
"""

import hashlib
import subprocess

from . import assets, cpio

# As mkinitramfs and dracut call them; the kernel has no decoder for other
# options: CRC32 is all that it knows of xz, the legacy frame all of lz4.
COMPRESSORS = {
    "plain": None,
    "gzip": ["gzip", "-n"],
    "bzip2": ["bzip2"],
    "lzma": ["xz", "--format=lzma"],
    "xz": ["xz", "--check=crc32"],
    "lzo": ["lzop"],
    "lz4": ["lz4", "-l", "-9", "-q"],
    "zstd": ["zstd", "-19", "-q"],
}

# The whole user space: says whether the key is there, and ends. Needs no modules.
_INIT = """#!/bin/busybox sh
key=/etc/forelock/keys.d/root.key
if [ -f $key ]; then
  set -- $(busybox sha256sum $key)
  echo "initramfs: key file present, $(busybox stat -c %s $key) bytes, sha256 $1"
else
  echo "initramfs: no key file"
fi
busybox poweroff -f
"""

# Linux's errors, too: they say what it could not unpack.
COMMAND_LINE = "console=ttyS0 quiet loglevel=4 panic=-1 no_timer_check"


def key_line(key):
    """The line of a guest that got `key`, as a pattern."""
    digest = hashlib.sha256(key).hexdigest()
    return f"initramfs: key file present, {len(key)} bytes, sha256 {digest}$"


# What stands behind the last byte of the compressed data.
NOTHING, WORD, SECTOR = "no padding", "padded to 4", "padded to 512"

# Their formats end at a multiple of 4 by themselves.
_ALIGNED = ("plain", "xz")
_ATTEMPTS = 16


def compress(name, data):
    command = COMPRESSORS[name]
    if command is None:
        return data
    return subprocess.run([assets.sbin(command[0]), *command[1:], "-c"], input=data, check=True,
                          capture_output=True).stdout  # fmt: skip


def microcode():
    """An early archive whose content no processor takes: the loader finds no
    header that it knows."""
    archive = cpio.Archive()
    for name in ("AuthenticAMD", "GenuineIntel"):
        archive.file(f"kernel/x86/microcode/{name}.bin", b"no microcode at all. " * 1000)
    return archive.serialise()


def make(compressor, early, padding):
    """The initrd's bytes. `early`: with an archive of microcode before it."""
    data = b""
    # Content decides the length. That of NOTHING is to be no multiple of 4: what
    # follows cannot begin there, and WORD is the case in which it can.
    for extra in range(_ATTEMPTS):
        archive = cpio.Archive()
        for folder in ("dev", "etc"):
            archive.directory(folder)
        archive.character_device("dev/console", 5, 1)
        archive.file("init", _INIT.encode(), 0o755)
        with open(assets.sbin("busybox"), "rb") as busybox:
            archive.file("bin/busybox", busybox.read(), 0o755)
        archive.file("etc/extra", bytes(range(extra)))
        data = compress(compressor, archive.serialise())
        if padding != NOTHING or compressor in _ALIGNED or len(data) % 4:
            break
    else:
        raise ValueError(f"the length of what {compressor} makes is always a multiple of 4")
    if padding == WORD:
        data += bytes(-len(data) % 4)
    elif padding == SECTOR:
        data += bytes(512 - len(data) % 512)
    return (microcode() if early else b"") + data
