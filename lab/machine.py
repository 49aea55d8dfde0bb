# SPDX-License-Identifier: Apache-2.0
"""A QEMU virtual machine with the proxy channel's and the emulated secure
processor's devices (docs/operate-host.md has the same line)."""

import functools
import os
import pathlib
import re
import struct
import subprocess
import tempfile

from . import process

MEMORY_MIB = 512

# The tests' only copy of QEMU's line. command() is what `forelock image qemu-args`
# prints: tests/launch/qemu_args_test.py compares. The lab does not call the tool,
# because it starts machines that nobody should: with files left out, ports recorded,
# a locked disk used twice.
HEADLESS = ["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot"]
PROXY_PORT = "0x5f0"
# Port and read-back of each doorbell (docs/channel.md), by its chardev's name.
DOORBELLS = {"forelock": (PROXY_PORT, "0x53"), "sp": ("0x5f8", "0x54")}


def ram_folder():
    """/dev/shm if it has room for a guest's memory: containers may have none."""
    try:
        status = os.statvfs("/dev/shm")
        if status.f_bavail * status.f_frsize > (MEMORY_MIB + 64) << 20:
            return pathlib.Path("/dev/shm")
    except OSError:
        pass
    return pathlib.Path(tempfile.gettempdir())


def image_bytes(elf):
    """File bytes of the PT_LOAD segments; bss is not in them."""
    data = elf.read_bytes()
    (offset,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", data, offset + i * size) for i in range(count)]
    return sum(header[5] for header in headers if header[0] == 1)


class Wiring:
    """What one VM and its host daemons agree on: two sockets, a RAM file. The
    folder is a short one: a socket's path has 107 bytes at most."""

    def __init__(self):
        self._sockets = tempfile.TemporaryDirectory(prefix="fl-", dir="/tmp")
        self._memory = tempfile.TemporaryDirectory(prefix="forelock-", dir=ram_folder())
        self.proxy_socket = pathlib.Path(self._sockets.name) / "proxy"
        self.emulator_socket = pathlib.Path(self._sockets.name) / "sp"
        self.monitor_socket = pathlib.Path(self._sockets.name) / "qmp"
        self.ram = pathlib.Path(self._memory.name) / "ram"
        self.fresh_ram()

    def fresh_ram(self):
        """A new RAM file: the content of an old one would be visible to the next
        boot, keys included. QEMU connects before it creates the file, so it is
        made here."""
        self.ram.unlink(missing_ok=True)
        with open(self.ram, "xb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.truncate(MEMORY_MIB << 20)

    def close(self):
        self._sockets.cleanup()
        self._memory.cleanup()


class Boot:
    """What the host hands to a machine; tests replace parts of it."""

    def __init__(self, image, kernel, initrd, command_line, disk=None, extra=()):
        self.image = image
        self.kernel = kernel  # None: no such fw_cfg file
        self.initrd = initrd
        self.command_line = command_line  # a file
        self.disk = disk
        self.extra = list(extra)
        self.cpu = "max"
        self.rom = None  # of the image, instead of QEMU's firmware and -kernel

    def replace(self, **changes):
        copy = Boot(self.image, self.kernel, self.initrd, self.command_line, self.disk, self.extra)
        copy.cpu, copy.rom = self.cpu, self.rom
        for name, value in changes.items():
            if not hasattr(copy, name):
                raise AttributeError(name)
            setattr(copy, name, value)
        return copy


QEMU = "qemu-system-x86_64"


def version_in(text):
    """(major, minor) of what `qemu-system-x86_64 --version` prints."""
    found = re.match(r"QEMU emulator version (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (7, 2)


@functools.cache
def qemu_version():
    """Of the QEMU on the PATH."""
    said = subprocess.run([QEMU, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60)
    return version_in(said.stdout.decode("utf-8", "replace"))


def socket(name, path, version=None):
    """A -chardev that finds its daemon again. 9.2 renamed the option, and later
    versions know the new name only."""
    new = (version or qemu_version()) >= (9, 2)
    return f"socket,id={name},path={path},reconnect" + ("-ms=1000" if new else "=1")


def bare(ram, cpu="max"):
    """The words for a machine with `ram`, a file, and nothing to boot."""
    return [
        QEMU,
        "-accel", "tcg", "-cpu", cpu, "-m", str(MEMORY_MIB), *HEADLESS,
        "-object", f"memory-backend-file,id=ram,size={MEMORY_MIB}M,mem-path={ram},share=on,discard-data=on",
        "-machine", "q35,memory-backend=ram",
    ]  # fmt: skip


def doorbell(name, chardev):
    port, read_back = DOORBELLS[name]
    return ["-chardev", chardev,
            "-device", f"isa-debugcon,iobase={port},chardev={name},readback={read_back}"]  # fmt: skip


def boot_files(kernel, initrd, command_line):
    """fw_cfg's, of three files; None: no such file."""
    line = []
    for name, path in (("kernel", kernel), ("initrd", initrd), ("cmdline", command_line)):
        if path is not None:
            line += ["-fw_cfg", f"name=opt/org.forelock/{name},file={path}"]
    return line


def command(boot, wiring, logs=None):
    """The QEMU command line. `logs`: a folder where the channels' port writes
    are recorded, byte for byte."""

    def chardev(name, path):
        record = f",logfile={logs}/{name}.port,logappend=off" if logs else ""
        return socket(name, path) + record

    line = [
        *bare(wiring.ram, boot.cpu),
        *doorbell("forelock", chardev("forelock", wiring.proxy_socket)),
        *doorbell("sp", chardev("sp", wiring.emulator_socket)),
        *(["-bios", boot.rom] if boot.rom else ["-kernel", boot.image]),
        *boot_files(boot.kernel, boot.initrd, boot.command_line),
    ]
    if boot.disk is not None:
        line += ["-drive", f"file={boot.disk},if=none,id=d0,format=raw,file.locking=off",
                 "-device", "virtio-blk-pci,drive=d0"]  # fmt: skip
    else:
        # The same devices in the same slots: the ACPI tables do not change.
        line += ["-device", "virtio-rng-pci"]
    return line + boot.extra


def start(boot, wiring, logs, on_line=None, typing=False):
    """Starts QEMU; the process's lines are the guest's console."""
    return process.Process("qemu", command(boot, wiring, logs), logs / "console.log",
                           stdin=subprocess.PIPE if typing else subprocess.DEVNULL,
                           on_line=on_line)  # fmt: skip
