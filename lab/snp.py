# SPDX-License-Identifier: Apache-2.0
"""A site whose VM is an SNP guest on the software machine
(machine/): no QEMU, no second channel, and otherwise the same owner,
verifier, proxy and key hierarchy."""

import json
import os
import pathlib
import re
import shutil
import struct

from . import cpio, machine, process, site

SECRET = "demo/vm1/key"
SECRET_PATH = "/etc/forelock-key"


class Tools(site.Tools):
    def __init__(self, root):
        super().__init__(root)
        self.machine = pathlib.Path(root) / "machine/snp_machine"
        if not self.machine.exists():
            raise process.Failure(f"not built: {self.machine}")


def tiny_kernel(code, size=0x2000):
    """A bzImage whose 64-bit entry is `code`: boot.rst, "Details of Header
    Fields"."""
    setup = bytearray(5 * 512)
    for offset, layout, value in (
            (0x1F1, "<B", 4), (0x1F4, "<I", size // 16), (0x1FE, "<H", 0xAA55), (0x200, "<H", 0x6AEB),
            (0x202, "<I", 0x53726448), (0x206, "<H", 0x020F), (0x211, "<B", 1), (0x22C, "<I", 0x7FFFFFFF),
            (0x230, "<I", 0x200000), (0x234, "<B", 1), (0x236, "<H", 0x7F), (0x238, "<I", 2047),
            (0x258, "<Q", 0x1000000), (0x260, "<I", 0x400000)):  # fmt: skip
        struct.pack_into(layout, setup, offset, value)
    payload = bytearray(size)
    payload[0x200 : 0x200 + len(code)] = code
    return bytes(setup + payload)


class TinyGuest:
    """Boot files that cost nothing to hash. The kernel only halts."""

    version = "tiny"

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.kernel = folder / "vmlinuz"
        self.initrd = folder / "initrd.img"
        self.command_line = folder / "cmdline"
        self.kernel.write_bytes(tiny_kernel(b"\xf4\xeb\xfd"))
        self.initrd.write_bytes(cpio.Archive().serialise())
        self.command_line.write_text("console=ttyS0")


class Run:
    """One ended run: its console, how it ended, what it cost."""

    def __init__(self, child, folder):
        self.child = child
        self.folder = folder
        path = folder / "result.json"
        text = path.read_text() if path.exists() else ""
        if not text:
            raise process.Failure(f"the machine wrote no result:\n{child.tail(60)}")
        self.result = json.loads(text)
        # No rule of the machine, and still nothing that the image may do.
        if self.result["ciphertext_reads"]:
            raise process.Failure(f"a private page was read through C=0:\n{child.tail(60)}")

    def __getattr__(self, name):
        try:
            return self.result[name]
        except KeyError:
            raise AttributeError(name) from None

    def find(self, pattern):
        return self.child.find(pattern)

    def tail(self, count=40):
        return self.child.tail(count)

    def mark(self, pattern):
        """What had been spent when this line of the console ended."""
        for mark in self.marks:
            if re.search(pattern, mark["text"]):
                return mark
        raise process.Failure(f"no line of the console matches /{pattern}/:\n{self.tail()}")


class SnpSite(site.Site):
    def configure(self, name, pins, resources=True, build=(), **changes):
        """Makes an image for SNP; returns its path: an IGVM file, with the ELF
        file that it was made of beside it. `build`: options of image build."""
        elf = self.configure_elf(name, pins, resources, **changes)
        return self.build(elf, build)

    def configure_elf(self, name, pins, resources=True, **changes):
        settings = {"acpi": "none", "platform": "snp"}
        settings.update(changes)
        resource = (["[[resource]]", f'name = "{SECRET}"', 'kind = "file"',
                     f'path = "{SECRET_PATH}"', "max_size = 64"] if resources else [])  # fmt: skip
        text = [
            "version = 1",
            f'platform = "{settings["platform"]}"',
            f'vm = "{site.VM}"',
            'verifier = "verifier"',
            f"verifier_pins = {json.dumps(list(pins))}",
            f'acpi = "{settings["acpi"]}"',
            f"tsc_khz = {site.tsc_khz()}",
            *resource,
            "[deadlines]", "proxy_ms = 30000", "verifier_ms = 30000", "secure_processor_ms = 30000",
        ]  # fmt: skip
        config = self.owner / f"{name}.toml"
        config.write_text("\n".join(text) + "\n")
        elf = self.host / f"{name}.elf"
        process.run([self.tools.cli, "image", "configure", "--config", config,
                     "--output", elf, self.tools.image])  # fmt: skip
        return elf

    def build(self, elf, options=()):
        igvm = elf.with_suffix(".igvm")
        process.run([self.tools.cli, "image", "build", "--output", igvm, *options, elf])
        return igvm

    def measure(self, image):
        return process.run([self.tools.cli, "image", "measure", image]).stdout.strip()

    def prepare_snp(self, processor=(), acpi=None, sign=False):
        """Fresh keys and a fresh image; ends with verifier and proxy running.
        `acpi`: fw_cfg files that the host offers. `sign`: with an ID block, and a
        policy that names its key instead of the image."""
        processor = dict(processor)
        root = self.make_processor(**processor)
        self.verifier = self.make_verifier()
        self.pin = self.verifier.pin()
        self.verifier.call("roots", "add", root, "--emulated")
        self.secret = os.urandom(32)
        self.verifier.call("secret", "add", SECRET, "--file", "-", "--emulated", stdin=self.secret)
        self.files = dict(acpi or {})
        self.image = self.configure("vm1", [self.pin], acpi="from-host" if acpi else "none")
        digest = self.learn_acpi_digest() if acpi else "none"
        policy = self.write_policy([self.image.with_suffix(".elf")], root, digest, **processor)
        if sign:
            self.image = self.sign(self.image)
            text = policy.read_text()
            text = re.sub(r'(?s)^measurement = \[.*?^\]', 'measurement = "any"', text, count=1, flags=re.M)
            text = re.sub(r'^id_key_digest = "any"', f'id_key_digest = ["{self.id_key_digest}"]', text, flags=re.M)
            text = re.sub(r'^minimum_guest_svn = "any"', "minimum_guest_svn = 3", text, flags=re.M)
            policy.write_text(text)
        self.verifier.call("policy", "add", policy)
        self.verifier.start()
        self.endpoints = {"verifier": self.verifier.address}
        self.start_proxy()

    def _id_key(self):
        key = self.owner / "id-key.pem"
        if not key.exists():
            process.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", key])
        self.id_key_digest = re.search(
            r"[0-9a-f]{96}", process.run([self.tools.cli, "image", "id-key", key]).stdout).group(0)  # fmt: skip
        return key

    def sign(self, image, svn=3):
        """The same image with an ID block by a key of this site."""
        signed = self.host / f"{image.stem}-svn{svn}.igvm"
        process.run([self.tools.cli, "image", "sign", image, "--output", signed,
                     "--svn", str(svn), "--id-key", self._id_key()])  # fmt: skip
        # Its symbols, for the machine.
        shutil.copyfile(image.with_suffix(".elf"), signed.with_suffix(".elf"))
        return signed

    def sign_digest(self, digest):
        """ID block and authentication of any launch, as files."""
        block, auth = self.owner / "id-block", self.owner / "id-auth"
        process.run([self.tools.cli, "image", "sign", "--digest", digest, "--id-key", self._id_key(),
                     "--id-block-out", block, "--id-auth-out", auth])  # fmt: skip
        return block, auth

    def _command(self, image, folder, options, memory):
        command = [self.tools.machine, "run", "--hierarchy", self.processor,
                   "--ram", self.wiring.ram, "--memory", memory,
                   "--doorbell-socket", self.wiring.proxy_socket,
                   "--trace", folder / "trace", "--json", folder / "result.json", *options]  # fmt: skip
        if image.suffix == ".igvm":
            command += ["--igvm", image]
        command += ["--elf", image.with_suffix(".elf")]
        named = {"opt/org.forelock/kernel": self.guest.kernel,
                 "opt/org.forelock/initrd": self.guest.initrd,
                 "opt/org.forelock/cmdline": self.guest.command_line}  # fmt: skip
        for name, path in {**named, **self.files}.items():
            command += ["--fw-cfg", f"{name}={path}"]
        return command

    def _start(self, image, options=(), memory=machine.MEMORY_MIB):
        self._runs += 1
        folder = self.logs / f"run{self._runs}"
        folder.mkdir()
        self.wiring.fresh_ram()
        child = process.Process("snp", self._command(image, folder, options, memory), folder / "console.log")
        self._processes.append(child)
        return child, folder

    def learn_acpi_digest(self):
        """As the guest itself prints it, before it opens its channel."""
        child, _ = self._start(self.image)
        digest = child.wait_for(r"boot manifest: acpi sha384:([0-9a-f]{96})").group(1)
        child.kill()
        return digest

    def start(self, image, options=(), memory=machine.MEMORY_MIB):
        """For a run that a test ends itself."""
        return self._start(image, options, memory)[0]

    def start_and_wait(self, image, options=(), memory=machine.MEMORY_MIB, deadline=120):
        """One run to its end. `memory` in MiB."""
        child, folder = self._start(image, options, memory)
        child.wait(deadline)
        return Run(child, folder)
