# SPDX-License-Identifier: Apache-2.0
"""A configured image on machines that it must not go on with."""

import pathlib
import unittest

from svsm import guest

from lab import machine, process, testing

IMAGE = "svsm/forelock-svsm.elf"
FORELOCK = "cli/forelock"

CONFIG = """\
version = 1
platform = "{platform}"
vm = "demo/vm1"
verifier = "verifier"
verifier_pins = ["sha256:{pin}"]
acpi = "from-host"
on_failure = "halt"

[[resource]]
name = "demo/vm1/disk"
kind = "luks2"
max_size = 64
volume = "root"

[channel]
transport = "page"
port = 0x5f0

[deadlines]
proxy_ms = 1000
verifier_ms = 1000
secure_processor_ms = {processor_ms}
boot_ms = 8000
"""


def configured(platform, processor_ms=1000):
    config = guest.scratch("guest.toml")
    config.write_text(CONFIG.format(platform=platform, pin="5a" * 32, processor_ms=processor_ms))
    output = guest.scratch(f"{platform}.elf")
    process.run([FORELOCK, "image", "configure", "--config", config, "--output", output, IMAGE])
    return output


def device(name, log=None):
    """A doorbell whose daemon is not there; `log` gets the bytes written to it."""
    record = f",logfile={log},logappend=off" if log else ""
    path = guest.scratch("nobody-listens-here")
    return machine.doorbell(name, machine.socket(name, path) + record)


class Refusals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.emulated = configured("emulated")

    def fails(self, reason, image, *extra, **options):
        qemu = guest.boot(image, *extra, **options)
        self.assertIsNotNone(qemu.find(f"^forelock: failed: {reason} "), qemu.tail())
        self.assertIsNotNone(qemu.find("^forelock: powering off$"), qemu.tail())
        return qemu

    def test_cpu_without_random_numbers(self):
        self.fails("SM6", self.emulated, cpu="qemu64")

    def test_cpu_without_aes(self):
        self.fails("SM7", self.emulated, cpu="max,-aes")

    def test_cpu_without_nx_cannot_say_more_than_why(self):
        with guest.start(self.emulated, cpu="max,-nx") as qemu:
            qemu.wait_for("forelock: failed: SM2 ", 120)

    def test_snp_image_is_not_entered_by_pvh(self):
        self.fails("SM10", configured("snp"))

    def test_no_doorbell_devices(self):
        qemu = self.fails("SM14", self.emulated)
        self.assertIsNotNone(qemu.find("started: platform emulated, vm demo/vm1"), qemu.tail())

    def test_daemons_that_never_answer(self):
        """Waits end at their deadlines, and QEMU's buffer is never filled."""
        logs = [guest.scratch("proxy.port"), guest.scratch("processor.port")]
        self.fails("SM12", self.emulated, *device("forelock", logs[0]), *device("sp", logs[1]))
        for log in logs:
            written = pathlib.Path(log).stat().st_size
            self.assertGreater(written, 0)
            self.assertLessEqual(written, 256)

    def test_no_deadline_outlives_the_boots(self):
        """Ten minutes for the secure processor, eight seconds for the boot."""
        patient = configured("emulated", processor_ms=600000)
        self.fails("SM12", patient, *device("forelock"), *device("sp"))


if __name__ == "__main__":
    testing.main()
