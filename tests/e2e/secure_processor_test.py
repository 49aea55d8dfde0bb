# SPDX-License-Identifier: Apache-2.0
"""A secure processor, or a host between it and the guest, that misbehaves."""

from lab import testing


class SecureProcessorTest(testing.EndToEnd):
    """The names are those of psp/fault.h."""

    images = {"short": testing.SHORT}

    def fails(self, fault, reason):
        self.assert_failed(self.boot("short", fault=fault), reason)

    def test_busy_once(self):
        """The same bytes are sent again, and the boot goes on."""
        self.assert_booted(self.boot(fault="busy-once"))

    def test_busy_forever(self):
        self.fails("busy-forever", "SR2")

    def test_garbage(self):
        self.fails("garbage", "SV6")

    def test_stale_answer(self):
        self.fails("stale", "SR6")

    def test_wrong_sequence_number(self):
        self.fails("wrong-sequence", "SR6")

    def test_report_over_other_data(self):
        self.fails("wrong-report-data", "SR10")

    def test_report_of_another_vmpl(self):
        self.fails("wrong-vmpl", "SR11")

    def test_firmware_error(self):
        self.fails("firmware-error", "SR4")

    def test_silent(self):
        self.fails("silent", "SM12")

    def test_closes_the_channel(self):
        self.fails("close", "SM12")


if __name__ == "__main__":
    testing.main()
