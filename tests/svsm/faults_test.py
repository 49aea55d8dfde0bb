# SPDX-License-Identifier: Apache-2.0
"""Every forbidden thing is noticed, reported and ends the machine."""

import unittest

from svsm import guest

from lab import testing

IMAGE = "svsm/testing/faults.elf"
PRESENT, WRITE, FETCH = 1, 2, 16  # page fault error codes


class Faults(unittest.TestCase):
    def commit(self, fault):
        qemu = guest.boot(IMAGE, "-append", fault)
        self.assertIsNone(qemu.find("survived"), qemu.tail())
        self.assertIsNotNone(qemu.find("^forelock: powering off$"), qemu.tail())
        return qemu

    def raises(self, fault, vector):
        qemu = self.commit(fault)
        what = qemu.find(rf"exception: vector {vector} \(.*error code (0x[0-9a-f]+), rip 0x[0-9a-f]+")
        self.assertIsNotNone(what, qemu.tail())
        self.assertIsNotNone(qemu.find(r"backtrace: 0x[0-9a-f]+"), qemu.tail())
        self.assertIsNotNone(qemu.find("failed: SM3 the CPU raised an exception"), qemu.tail())
        return qemu, int(what.group(1), 16)

    def page_faults(self, fault, error_code):
        qemu, found = self.raises(fault, 14)
        self.assertEqual(found, error_code)
        return int(qemu.find(r"address (0x[0-9a-f]+)").group(1), 16)

    def test_null_pointer(self):
        self.assertLess(self.page_faults("null", 0), 4096)

    def test_write_to_code(self):
        self.page_faults("write-text", PRESENT | WRITE)

    def test_write_to_constants(self):
        self.page_faults("write-rodata", PRESENT | WRITE)

    def test_write_to_configuration(self):
        self.page_faults("write-config", PRESENT | WRITE)

    def test_execute_data(self):
        self.page_faults("execute-data", PRESENT | FETCH)

    def test_execute_other_memory(self):
        self.page_faults("execute-ram", PRESENT | FETCH)

    def test_stack_overflow_meets_the_guard_page(self):
        self.page_faults("overflow", WRITE)

    def test_lost_stack_is_still_reported(self):
        self.page_faults("lose-stack", WRITE)

    def test_undefined_instruction(self):
        self.raises("undefined", 6)

    def test_divide_error(self):
        self.raises("divide", 0)

    def test_bounds_checks_trap(self):
        self.raises("bounds", 6)

    def test_double_free_traps(self):
        self.raises("free-twice", 6)

    def test_last_act_that_traps_hides_no_reason(self):
        for fault, reason in (("fail-badly", "SM4"), ("trap-badly", "SM3")):
            qemu = guest.boot(IMAGE, "-append", fault)  # ends, so it powered off
            self.assertIsNotNone(qemu.find(f"failed: {reason} "), qemu.tail())

    def test_last_act_that_traps_keeps_no_other_from_happening(self):
        qemu = guest.boot(IMAGE, "-append", "clear-badly")
        self.assertIsNotNone(qemu.find("failed: SM3 "), qemu.tail())
        self.assertIsNotNone(qemu.find("first wipe"), qemu.tail())
        self.assertIsNotNone(qemu.find("last wipe"), qemu.tail())

    def test_last_act_that_is_interrupted_is_done_all_the_same(self):
        qemu = guest.boot(IMAGE, "-append", "interrupt-wipe")
        self.assertIsNotNone(qemu.find("failed: SM3 "), qemu.tail())
        self.assertIsNotNone(qemu.find("wiped at last"), qemu.tail())
        self.assertIsNotNone(qemu.find("last wipe"), qemu.tail())

    def test_nmi(self):
        self.raises("nmi", 2)

    def test_interrupt(self):
        self.raises("interrupt", 128)

    def test_second_cpu_halts_with_a_reason(self):
        with guest.start(IMAGE, "-append", "enter-again") as qemu:
            qemu.wait_for("failed: SM1 a second CPU entered the image", 120)
            self.assertIsNone(qemu.find("survived"), qemu.tail())

    def test_second_cpu_leaves_the_first_one_alone(self):
        """The host starts it while the first one runs."""
        with guest.start(IMAGE, "-append", "second-cpu", "-smp", "2", typing=True) as qemu:
            qemu.wait_for("failed: SM1 a second CPU entered the image", 120)
            qemu.stdin.write(b"\r")
            qemu.stdin.flush()
            qemu.wait(120)
            self.assertIsNotNone(qemu.find("^forelock: the first CPU goes on$"), qemu.tail())
            self.assertIsNotNone(qemu.find("^forelock: powering off$"), qemu.tail())


if __name__ == "__main__":
    testing.main()
