# SPDX-License-Identifier: Apache-2.0
"""Everything around one demo VM: an owner with a verifier, a host with proxy
and emulated secure processor, and the VM's image, disk and policy.

The folder of a site has one folder for each party, so that one can see who
holds what: owner/, host/, processor/, logs/.
"""

import base64
import copy
import hashlib
import json
import os
import pathlib
import re
import shutil

from . import assets, machine, process

VM = "demo/vm1"
DISK_SECRET = "demo/vm1/root"
LABEL = "vm1"
# What a boot that goes well prints of the encrypted disk.
WELCOME = "this line stands in a file on the encrypted disk"


class Tools:
    """The programs under test, from bazel-bin or from a test's runfiles; or,
    with `places`, from where they are installed (programs.installed)."""

    def __init__(self, root, places=None):
        root = pathlib.Path(root)
        place = (places or {}).get
        self.verifier = place("verifier/forelock-verifier", root / "verifier/forelock-verifier")
        self.proxy = place("host-proxy/forelock-proxy", root / "host-proxy/forelock-proxy")
        self.emulator = place("psp/forelock-emulator", root / "psp/forelock-emulator")
        self.cli = place("cli/forelock", root / "cli/forelock")
        self.image = place("svsm/forelock-svsm.elf", root / "svsm/forelock-svsm.elf")
        missing = [str(path) for path in vars(self).values() if not path.exists()]
        if missing:
            raise process.Failure(f"not built: {', '.join(missing)}")


class GuestAssets:
    """Kernel, initramfs and command line, made by tools/make_assets.py."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.kernel = folder / "vmlinuz"
        self.initrd = folder / "initrd.img"
        self.command_line = folder / "cmdline"
        self.version = (folder / "VERSION").read_text().strip()

    def replace(self, **changes):
        """The same with other files."""
        other = copy.copy(self)
        for name, path in changes.items():
            if not hasattr(other, name):
                raise AttributeError(name)
            setattr(other, name, path)
        return other


def sha384(path):
    return hashlib.sha384(pathlib.Path(path).read_bytes()).hexdigest()


def tsc_khz():
    """Of this host; the guest's clock under TCG. Informs the timeline only."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        return round(float(re.search(r"^cpu MHz\s*: ([0-9.]+)", text, re.M).group(1)) * 1000)
    except (OSError, AttributeError):
        return 0


class Verifier:
    """One owner's verifier: its state, and its server while it runs."""

    def __init__(self, tools, state, logs):
        self._program = tools.verifier
        self._logs = logs
        self.state = state
        self.server = None
        self.address = None
        self._runs = 0
        self.call("init")

    def call(self, *arguments, stdin=None, check=True):
        command = [self._program, *arguments, "--state", self.state]
        return process.run(command, stdin=stdin, check=check)

    def pin(self):
        return self.call("pin").stdout.strip()

    def start(self, listen="127.0.0.1:0", arguments=("--allow-emulated",)):
        self._runs += 1
        log = self._logs / f"{self.state.name}.{self._runs}.log"
        command = [self._program, "serve", "--state", self.state, "--listen", listen, *arguments]
        self.server = process.Process("verifier", command, log)
        self.address = self.server.wait_for(r"listening on (127\.0\.0\.1:\d+)").group(1)

    def audit(self, decision):
        """The owner's record of one decision, as people read it."""
        return self.call("audit", "show", decision).stdout

    def findings(self, decision):
        """Why: the reasons of one decision, each with reason, what, detail."""
        return json.loads(self.call("audit", "show", decision, "--json").stdout)["findings"]

    def decisions(self):
        """[(decision id, outcome)], newest first."""
        listing = self.call("audit", "list").stdout
        return re.findall(r"^\S+ ([0-9a-f]{32}) (\S+)", listing, re.M)

    def stop(self):
        if self.server is not None:
            self.server.stop()
            self.server = None


class Site:
    def __init__(self, tools, guest, folder):
        self.tools = tools
        self.guest = guest
        self.folder = pathlib.Path(folder).absolute()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.owner = self.folder / "owner"
        self.host = self.folder / "host"
        self.processor = self.folder / "processor"
        self.logs = self.folder / "logs"
        for path in (self.owner, self.host, self.logs):
            path.mkdir(parents=True)
        self.wiring = machine.Wiring()
        self._processes = []
        self._verifiers = []
        self._runs = 0
        self.proxy = self.emulator = None

    # --- The parties.

    def make_verifier(self, name="verifier"):
        verifier = Verifier(self.tools, self.owner / name, self.logs)
        self._verifiers.append(verifier)
        return verifier

    def make_processor(self, product=None, csp_id=None):
        command = [self.tools.emulator, "init", "--hierarchy", self.processor]
        if product:
            command += ["--product", product]
        if csp_id:
            command += ["--vlek", csp_id]
        process.run(command)
        return self.processor / "public" / "ark.der"

    def configure_image(self, name, pins, **changes):
        """Makes the VM's image; returns (path, launch digest in hex)."""
        settings = {
            "acpi": "from-host", "on_failure": "halt", "resources": True, "expected_boot": {},
            "deadlines": {"proxy_ms": 30000, "verifier_ms": 30000, "secure_processor_ms": 30000},
        }  # fmt: skip
        settings.update(changes)
        text = [
            "version = 1",
            'platform = "emulated"',
            f'vm = "{VM}"',
            'verifier = "verifier"',
            f"verifier_pins = {json.dumps(list(pins))}",
            f'acpi = "{settings["acpi"]}"',
            f'on_failure = "{settings["on_failure"]}"',
            f"tsc_khz = {tsc_khz()}",
        ]
        if settings["resources"]:
            text += ["", "[[resource]]", f'name = "{DISK_SECRET}"', 'kind = "luks2"',
                     'volume = "root"', "max_size = 64"]  # fmt: skip
        text += ["", "[channel]", 'transport = "page"', f"port = {machine.PROXY_PORT}", "", "[deadlines]"]
        text += [f"{key} = {value}" for key, value in settings["deadlines"].items()]
        if settings["expected_boot"]:
            text += ["", "[expected_boot]"]
            text += [f'{key} = "{value}"' for key, value in settings["expected_boot"].items()]
        config = self.owner / f"{name}.toml"
        config.write_text("\n".join(text) + "\n")
        image = self.host / f"{name}.elf"
        process.run([self.tools.cli, "image", "configure", "--config", config,
                     "--output", image, self.tools.image])  # fmt: skip
        measured = process.run([self.tools.cli, "image", "measure", image, "--json"]).stdout
        return image, re.search(r"\b[0-9a-f]{96}\b", measured).group(0)

    def make_disk(self, verifier, welcome):
        """A disk with a fresh key that only the verifier gets: the key is in no
        file. Returns (disk, key)."""
        key = os.urandom(32)
        disk = self.host / "disk.img"
        length, digest = assets.make_disk(disk, key, welcome)
        verifier.call("secret", "add-disk", DISK_SECRET, "--key-file", "-",
                      "--header-length", str(length), "--header-sha256", digest, "--emulated",
                      stdin=key)  # fmt: skip
        return disk, key

    def write_policy(self, images, root_der, acpi, product=None, csp_id=None, options=(), also=()):
        """As an owner begins: what `forelock policy from-image` prints; by hand
        only the provider whose VLEK is allowed, and the boot files of the guests
        in `also`."""
        root = hashlib.sha256(root_der.read_bytes()).hexdigest()
        text = process.run([self.tools.cli, "policy", "from-image", *images,
                            "--emulated", "--root-sha256", root, "--acpi", acpi if acpi == "none" else f"sha384:{acpi}",
                            "--kernel", self.guest.kernel, "--initrd", self.guest.initrd,
                            "--command-line", self.guest.command_line,
                            *(["--product", product] if product else []), *options]).stdout  # fmt: skip
        if csp_id:
            text = re.sub(r'^vlek = "refused"', f'vlek = ["{csp_id}"]', text, flags=re.M)
        for guest in also:
            for name, path in (("kernel", guest.kernel), ("initrd", guest.initrd),
                               ("command_line", guest.command_line)):  # fmt: skip
                text = re.sub(rf'^{name} = \["', f'{name} = ["sha384:{sha384(path)}", "', text, flags=re.M)
        policy = self.owner / "policy.toml"
        policy.write_text(text)
        process.run([self.tools.cli, "policy", "check", policy])
        return policy

    def prepare(self, welcome, say=lambda name, text: None, images=(), processor=(), also=()):
        """Fresh keys, a fresh disk and fresh images; ends with verifier and proxy
        running. `images`: name -> configure_image's changes, besides "vm1".
        `processor`: the arguments of make_processor. `also`: GuestAssets whose
        boot files the policy allows, besides those of this site."""
        processor = dict(processor)
        root = self.make_processor(**processor)
        say("processor", "an emulated secure processor with a fresh test root of its own (not AMD's)")
        self.verifier = self.make_verifier()
        self.pin = self.verifier.pin()
        self.verifier.call("roots", "add", root, "--emulated")
        say("verifier", f"TLS key {self.pin[:31]}...")
        self.image, measurement = self.configure_image("vm1", [self.pin])
        self.images = {"vm1": self.image}
        for name, changes in dict(images).items():
            self.images[name], _ = self.configure_image(name, [self.pin], **changes)
        say("image", f"forelock-svsm.elf configured for {VM}, launch digest {measurement[:24]}...")
        self.disk, self.key = self.make_disk(self.verifier, welcome)
        say("disk", "LUKS2, aes-xts-plain64, a random 256-bit key that only the verifier has")
        say("kernel", f"Debian's {self.guest.version}")
        self.acpi = self.learn_acpi(self.boot(self.image, self.disk))
        self.verifier.call("policy", "add", self.write_policy(self.images.values(), root, self.acpi, also=also, **processor))
        say("policy", "names this image, kernel, initramfs, command line and ACPI tables by digest")
        self.verifier.start()
        self.endpoints = {"verifier": self.verifier.address}
        self.start_proxy()
        say("running", f"forelock-verifier at {self.verifier.address}, forelock-proxy")

    def search_for_key(self):
        """Fails if the disk key stands in any file of the site: the verifier's
        store has it encrypted. Returns how many files were searched."""
        forms = {self.key, self.key.hex().encode(), base64.b64encode(self.key)}
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        for path in paths:
            data = path.read_bytes()
            if any(form in data for form in forms):
                raise process.Failure(f"the disk key stands in {path}")
        return len(paths)

    def expected_boot(self):
        """For configure_image: the digests of exactly this boot."""
        return {"kernel": f"sha384:{sha384(self.guest.kernel)}",
                "initrd": f"sha384:{sha384(self.guest.initrd)}",
                "command_line": f"sha384:{sha384(self.guest.command_line)}",
                "acpi": f"sha384:{self.acpi}"}  # fmt: skip

    # --- Daemons.

    def _spawn(self, name, command):
        self._runs += 1
        child = process.Process(name, command, self.logs / f"{name}.{self._runs}.log")
        self._processes.append(child)
        return child

    def start_emulator(self, image, fault=None, dump_vmpck=None):
        self.stop_emulator()
        command = [self.tools.emulator, "serve", "--hierarchy", self.processor,
                   "--socket", self.wiring.emulator_socket, "--ram", self.wiring.ram,
                   "--image", image]  # fmt: skip
        if fault:
            command += ["--fault", fault]
        if dump_vmpck:
            command += ["--dump-vmpck", dump_vmpck]
        self.emulator = self._spawn("emulator", command)
        self.emulator.wait_for("^listening on ")

    def stop_emulator(self):
        if self.emulator is not None:
            self.emulator.stop()
            self.emulator = None

    def write_proxy_configuration(self, endpoints, certificates=None):
        text = [
            "[[vm]]",
            f'label = "{LABEL}"',
            f'socket = "{self.wiring.proxy_socket}"',
            f'ram = "{self.wiring.ram}"',
        ]
        text.append(f'certificates = "{certificates or self.processor / "public"}"')
        text += ["[vm.endpoints]"] + [f'{name} = "{to}"' for name, to in endpoints.items()]
        path = self.host / "proxy.toml"
        path.write_text("\n".join(text) + "\n")
        return path

    def start_proxy(self, endpoints=None, certificates=None):
        self.stop_proxy()
        path = self.write_proxy_configuration(endpoints or self.endpoints, certificates)
        self.proxy_configuration = path
        self.proxy = self._spawn("proxy", [self.tools.proxy, "--config", path])
        self.proxy.wait_for("^ready$")

    def stop_proxy(self):
        if self.proxy is not None:
            self.proxy.stop()
            self.proxy = None

    # --- The machine.

    def boot(self, image, disk, guest=None, **changes):
        guest = guest or self.guest
        boot = machine.Boot(image, guest.kernel, guest.initrd, guest.command_line, disk)
        return boot.replace(**changes)

    def start_machine(self, boot, on_line=None, typing=False):
        self._runs += 1
        logs = self.logs / f"run{self._runs}"
        logs.mkdir()
        qemu = machine.start(boot, self.wiring, logs, on_line, typing)
        qemu.logs = logs
        self._processes.append(qemu)
        return qemu

    def learn_acpi(self, boot):
        """The digest of the ACPI files that this QEMU makes for this machine, as
        the guest itself prints it before it opens the channel. An owner does this
        once, on a machine they trust."""
        self.start_emulator(boot.image)
        qemu = self.start_machine(boot)
        digest = qemu.wait_for(r"boot manifest: acpi sha384:([0-9a-f]{96})").group(1)
        qemu.kill()
        self.wiring.fresh_ram()
        return digest

    def run(self, boot, fault=None, deadline=120, on_line=None):
        """One boot to its end: fresh memory, fresh processor, power off."""
        self.wiring.fresh_ram()
        self.start_emulator(boot.image, fault)
        qemu = self.start_machine(boot, on_line)
        qemu.wait(deadline)
        return qemu

    def close(self):
        for child in reversed(self._processes):
            child.stop()
        for verifier in self._verifiers:
            verifier.stop()
        self.wiring.close()
