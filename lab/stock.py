# SPDX-License-Identifier: Apache-2.0
"""An initrd whose programs, units and rules are Debian's: systemd opens what a
crypttab names. Ours are three things: the crypttab that a naive administrator would
write, a first step that loads the kernel's modules, and two units that say what
came of it and end the machine.

The packages come from tools/fetch_stock.sh, unpacked and never installed.
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

from . import assets, cpio, luks2

# By the header on the disk, with whatever key is found.
CRYPTTAB = "root /dev/vda none luks\n"
COMMAND_LINE = assets.COMMAND_LINE + " root=/dev/mapper/root ro"

# What no initrd has: it would only be hashed and unpacked.
_LEFT_OUT = (
    "usr/share/", "usr/include/", "var/", "usr/lib/udev/hwdb.d/", "usr/lib/systemd/catalog/",
    "usr/lib/systemd/user", "usr/lib/x86_64-linux-gnu/gconv/", "usr/share/doc/",
)  # fmt: skip

# What an initrd starts of sysinit.target's units, as dracut's do: the rest would
# take most of the time.
_SYSINIT = "usr/lib/systemd/system/sysinit.target.wants/"
_STARTED = {
    "cryptsetup.target", "kmod-static-nodes.service", "systemd-ask-password-console.path",
    "systemd-journald.service", "systemd-modules-load.service", "systemd-sysctl.service",
    "systemd-tmpfiles-setup-dev.service", "systemd-udev-trigger.service", "systemd-udevd.service",
}  # fmt: skip

# insmod: Debian's packages have no modules.dep, their installation makes it.
_INIT = """#!/bin/busybox sh
while read -r module; do
  busybox insmod "/lib/modules/$module"
done < /lib/modules/order
exec /usr/lib/systemd/systemd
"""

_OPENED = """[Unit]
DefaultDependencies=no
Requires=sysroot.mount
After=sysroot.mount
[Service]
Type=oneshot
ExecStart=/bin/busybox sh /etc/say-opened
"""
# Whoever is asked for a passphrase found no key.
_ASKED_PATH = """[Unit]
DefaultDependencies=no
Before=cryptsetup.target
[Path]
PathExistsGlob=/run/systemd/ask-password/ask.*
Unit=say-asked.service
"""
_ASKED = """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/busybox sh /etc/say-asked
"""
_SAY = """exec > /dev/console 2>&1
set -- $(busybox sha256sum /etc/forelock/keys.d/root.key)
echo "stock: key in place, sha256 $1"
echo "stock: {what}"
echo "stock: mapped: $(dmsetup table | busybox tr -s ' ' | busybox cut -d ' ' -f 1-5)"
echo "stock: mounted: $(busybox head -n 1 /sysroot/etc/forelock-welcome 2> /dev/null)"
busybox poweroff -f
"""


def _merged(path):
    """Where Debian's initrds have it: /lib and the like are links into /usr."""
    return f"usr/{path}" if path.split("/")[0] in ("bin", "sbin", "lib", "lib64") else path


def _add_packages(archive, root):
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = pathlib.Path(folder, name)
            target = _merged(str(path.relative_to(root)))
            if target.startswith(_LEFT_OUT) or (target.startswith(_SYSINIT) and name not in _STARTED):
                continue
            if path.is_symlink():
                archive.symlink(target, os.readlink(path))
            else:
                archive.file(target, path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    for name in ("bin", "sbin", "lib", "lib64"):
        archive.symlink(name, f"usr/{name}")


def make(root, modules):
    """The initrd's bytes. `root`: of tools/fetch_stock.sh; `modules`: of the kernel."""
    archive = cpio.Archive()
    for folder in ("dev", "proc", "run", "sys", "sysroot", "tmp", "var", "usr/bin", "usr/sbin"):
        archive.directory(folder)
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3, 0o666)
    _add_packages(archive, root)
    master = root / "usr/share/base-passwd"
    for name in ("passwd", "group"):
        archive.file(f"etc/{name}", (master / f"{name}.master").read_bytes())
    archive.file("usr/bin/busybox", pathlib.Path(assets.sbin("busybox")).read_bytes(), 0o755)
    for name in ("sh", "sed", "head", "mkdir", "rm", "sha256sum", "poweroff"):
        archive.symlink(f"usr/bin/{name}", "busybox")
    order = assets.Modules(modules).order(["virtio_pci", "virtio_blk", "dm-crypt", "xts", "ecb optional"])
    for name, data in order.items():
        archive.file(f"usr/lib/modules/{name}", data)
    archive.file("usr/lib/modules/order", "".join(f"{name}\n" for name in order).encode())
    archive.file("init", _INIT.encode(), 0o755)
    # What makes systemd behave as in an initrd; dracut writes it, too.
    archive.file("etc/initrd-release", (root / "usr/lib/os-release").read_bytes())
    archive.symlink("etc/systemd/system/default.target", "/usr/lib/systemd/system/initrd.target")
    archive.file("etc/crypttab", CRYPTTAB.encode())
    units = "etc/systemd/system"
    archive.file(f"{units}/say-opened.service", _OPENED.encode())
    archive.file(f"{units}/say-asked.service", _ASKED.encode())
    archive.file(f"{units}/say-asked.path", _ASKED_PATH.encode())
    archive.symlink(f"{units}/initrd.target.wants/say-opened.service", "../say-opened.service")
    archive.symlink(f"{units}/sysinit.target.wants/say-asked.path", "../say-asked.path")
    archive.file("etc/say-opened", _SAY.format(what="opened").encode())
    archive.file("etc/say-asked", _SAY.format(what="asks for a passphrase").encode())
    data = subprocess.run([assets.sbin("zstd"), "-10", "-q", "-c"], input=archive.serialise(),
                          check=True, capture_output=True).stdout  # fmt: skip
    return data + bytes(-len(data) % 4)  # An archive behind it has to begin there.


def keys_where_systemd_looks():
    """An archive to stand behind the initrd: systemd's folder of keys leads to ours."""
    archive = cpio.Archive()
    archive.symlink("etc/cryptsetup-keys.d", "forelock/keys.d")
    return archive.serialise()


def files_of(document):
    """An archive of the files that a document shows: of each code block that begins
    with a comment that is a path."""
    archive = cpio.Archive()
    for path, text in re.findall(r"^```\n# (/\S+)\n(.*?)^```$", document, re.M | re.S):
        archive.file(path.strip("/"), text.encode())
    return archive.serialise()


def make_disk_of_the_host(genuine, output, line):
    """A copy of `genuine` as a hostile host would change it: the key that opens it
    stays, the content is a file system that the host wrote, with `line` where the
    genuine one has its own."""
    shutil.copyfile(genuine, output)
    luks2.use_no_cipher(output)
    data = assets.MIB  # where assets.make_disk has it
    with tempfile.TemporaryDirectory() as folder:
        welcome = pathlib.Path(folder, assets.WELCOME_PATH)
        welcome.parent.mkdir()
        welcome.write_text(line + "\n")
        size = output.stat().st_size - 2 * data
        subprocess.run([assets.sbin("mkfs.ext4"), "-q", "-F", "-d", folder, "-b", "4096", "-O", "^has_journal",
                        "-E", f"offset={data}", output, f"{size >> 10}k"], check=True, capture_output=True)  # fmt: skip
