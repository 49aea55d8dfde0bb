# SPDX-License-Identifier: Apache-2.0
"""What the demo guest boots: initramfs, command line and disks.

Needs no root, no loop device and no network. The kernel comes from
tools/fetch_kernel.sh.
"""

import gzip
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import zlib

from . import cpio

# Nothing that the host can reach after the hand-over may give it a way in:
# no credentials from fw_cfg or SMBIOS, no shell, no getty, no magic keys
# (docs/guest-os.md). no_timer_check: on a busy host TCG is late with the timer,
# and Linux panics because "IO-APIC + timer doesn't work".
COMMAND_LINE = (
    "console=ttyS0 quiet loglevel=3 panic=-1 no_timer_check "
    "systemd.import_credentials=no rd.shell=0 rd.emergency=poweroff "
    "systemd.mask=serial-getty@ttyS0.service module_blacklist=qemu_fw_cfg "
    "sysctl.kernel.sysrq=0"
)

WELCOME_PATH = "etc/forelock-welcome"

MIB = 1 << 20
# Of a header made by make_disk: two 16 KiB metadata areas, 256 KiB of slots.
HEADER_LENGTH = 288 << 10
_DATA_OFFSET = 1 * MIB


def sbin(name):
    """A program that Debian keeps out of an ordinary user's PATH."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        raise FileNotFoundError(f"{name} is not installed; ./run demo installs it")
    return path


# --- Initramfs.


# Module files as they may be named, and who decompresses them.
_MODULE_NAME = re.compile(r"(.+)\.ko(\.[a-z0-9]+)?")


def _zstd(data):
    return subprocess.run([sbin("zstd"), "-d", "-c"], input=data, check=True, capture_output=True).stdout


_DECOMPRESS = {None: bytes, ".xz": lzma.decompress, ".gz": gzip.decompress, ".zst": _zstd}


def _same(name):
    """The kernel treats - and _ in module names as equal."""
    return name.replace("-", "_")


def read_module(path):
    """A module's bytes, decompressed: insmod of the initramfs takes no others."""
    suffix = _MODULE_NAME.fullmatch(path.name).group(2)
    if suffix not in _DECOMPRESS:
        raise ValueError(f"{path}: kernel modules compressed as *{suffix} cannot be read")
    try:
        data = _DECOMPRESS[suffix](path.read_bytes())
    except (lzma.LZMAError, zlib.error, EOFError, OSError, subprocess.CalledProcessError) as error:
        raise ValueError(f"{path}: kernel module does not decompress: {error}") from error
    if not data.startswith(b"\x7fELF"):
        raise ValueError(f"{path}: is no kernel module")
    return data


class Modules:
    """The modules that one kernel has, as files or built in."""

    def __init__(self, tree):
        self._tree = tree
        found = ((_MODULE_NAME.fullmatch(path.name), path) for path in sorted(tree.rglob("*.ko*")))
        self._files = {_same(match.group(1)): path for match, path in found if match}
        builtin = tree / "modules.builtin"
        lines = builtin.read_text().split() if builtin.exists() else []
        self._builtin = {_same(pathlib.PurePath(line).name.removesuffix(".ko")) for line in lines}

    def order(self, wanted):
        """{file name for the initramfs: bytes} of `wanted` and of all that they
        depend on, dependencies first. What is neither a file nor built in is an
        error, unless `wanted` says "NAME optional"."""
        order = {}

        def visit(name, optional, wanted_by):
            path = self._files.get(name)
            if path is None:
                if not optional and name not in self._builtin:
                    raise FileNotFoundError(f"kernel module {name}{wanted_by} is not in {self._tree}")
                return
            if f"{name}.ko" in order:
                return
            data = read_module(path)
            depends = re.search(rb"\0depends=([^\0]*)\0", data)
            for dependency in (depends.group(1).decode().split(",") if depends else []):
                if dependency:
                    visit(_same(dependency), False, f", which {name} needs,")
            order[f"{name}.ko"] = data

        for line in wanted:
            name, *options = line.split()
            if options not in ([], ["optional"]):
                raise ValueError(f"list of modules: {line}")
            visit(_same(name), bool(options), "")
        return order


def _libraries(program):
    """Shared libraries of a program, the loader among them."""
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", listing)
    # glibc loads it with dlopen when a thread is cancelled.
    for library in list(libraries):
        unwinder = pathlib.Path(library).parent / "libgcc_s.so.1"
        if unwinder.exists() and str(unwinder) not in libraries:
            libraries.append(str(unwinder))
    return libraries


def make_initramfs(source, modules, output):
    """Writes the initramfs. `source` is demo/initramfs, `modules` the tree of
    the kernel's modules (lib/modules/VERSION)."""
    archive = cpio.Archive()
    for folder in ("dev", "proc", "run", "mnt", "sys", "etc"):
        archive.directory(folder)
    archive.character_device("dev/console", 5, 1)
    archive.character_device("dev/null", 1, 3, 0o666)
    archive.file("init", (source / "init").read_bytes(), 0o755)
    archive.file("bin/busybox", pathlib.Path(sbin("busybox")).read_bytes(), 0o755)
    cryptsetup = sbin("cryptsetup")
    archive.file("bin/cryptsetup", pathlib.Path(cryptsetup).read_bytes(), 0o755)
    for library in _libraries(cryptsetup):
        archive.file(library, pathlib.Path(library).read_bytes(), 0o755)
    text = (source / "modules.txt").read_text()
    wanted = [line for line in text.splitlines() if line and not line.startswith("#")]
    order = Modules(modules).order(wanted)
    for name, data in order.items():
        archive.file(f"lib/modules/{name}", data)
    archive.file("lib/modules/order", "".join(f"{name}\n" for name in order).encode())
    data = archive.serialise()
    # Boots as fast as an uncompressed one, and less is measured.
    output.write_bytes(gzip.compress(data, 9, mtime=0))


# --- Disks.


def memory_file(data):
    """Bytes that stand in no file system, for programs that want a key in a
    file. Returns (descriptor, path that works for a child)."""
    descriptor = os.memfd_create("key")
    os.write(descriptor, data)
    return descriptor, f"/proc/{os.getpid()}/fd/{descriptor}"


def make_disk(output, key, welcome, size=16 * MIB):
    """Makes a LUKS2 disk image whose small header can be sent as a digest.

    No device mapper is at hand, so the file system is encrypted in place by an
    offline reencryption. That leaves a header with a large key-slot area; a
    second header of the wanted size for the same volume key replaces it. `key`
    is bytes; neither it nor the volume key is ever in a file.

    Returns (header length in bytes, header SHA-256 in hex).
    """
    scratch = output.parent / (output.name + ".make")
    shutil.rmtree(scratch, ignore_errors=True)
    (scratch / "root/etc").mkdir(parents=True)
    (scratch / "root" / WELCOME_PATH).write_text(welcome + "\n")
    keys = [memory_file(data) for data in (key, os.urandom(64))]
    header = scratch / "header.img"
    environment = dict(os.environ, SOURCE_DATE_EPOCH="0")
    # AES-XTS with a random 256-bit passphrase: stretching adds nothing, so the
    # smallest number of iterations that cryptsetup takes.
    common = [
        "--batch-mode", "--disable-locks", "--type", "luks2",
        "--cipher", "aes-xts-plain64", "--key-size", "512", "--sector-size", "512",
        "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
        "--key-file", keys[0][1], "--volume-key-file", keys[1][1],
    ]  # fmt: skip

    def run(*command):
        subprocess.run(command, check=True, capture_output=True, text=True, env=environment)

    try:
        with open(output, "wb") as image:
            image.truncate(size)
        run(sbin("mkfs.ext4"), "-q", "-F", "-d", scratch / "root", "-b", "4096",
            "-O", "^has_journal", output, f"{(size - 2 * _DATA_OFFSET) // 1024}k")
        run(sbin("cryptsetup"), "reencrypt", "--encrypt", "--force-offline-reencrypt",
            "--reduce-device-size", str(2 * _DATA_OFFSET), *common, output)
        with open(header, "wb") as image:
            image.truncate(size)
        run(sbin("cryptsetup"), "luksFormat", "--luks2-metadata-size", "16k",
            "--luks2-keyslots-size", "256k", "--offset", str(_DATA_OFFSET // 512),
            *common, header)
        with open(header, "rb") as new, open(output, "r+b") as image:
            head = new.read(HEADER_LENGTH)
            image.write(head + bytes(_DATA_OFFSET - HEADER_LENGTH))
    finally:
        for descriptor, _ in keys:
            os.close(descriptor)
        shutil.rmtree(scratch, ignore_errors=True)
    return HEADER_LENGTH, hashlib.sha256(head).hexdigest()
