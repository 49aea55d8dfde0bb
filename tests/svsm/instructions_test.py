# SPDX-License-Identifier: Apache-2.0
"""Instructions that a hypervisor may intercept stand only where they are meant
to: a library that asks CPUID by itself would believe the host."""

import re
import subprocess
import unittest

from lab import testing

IMAGE = "svsm/forelock-svsm.elf"

NATIVE = r"svsm::NativePlatform::"
PVH_ENTRY = r"ForelockEntry|stop"
SNP_ENTRY = r"ForelockSnpEntry|terminate"
SNP = (
    r"(non-virtual thunk to )?svsm::SnpPlatform::(Msr|Page|Stop|Start|tsc_kilohertz)\b"
    r"|svsm::\(anonymous namespace\)::Terminate\("
)
# Mnemonic: functions that may have it; None: nothing may.
ALLOWED = {
    "cpuid": f"{NATIVE}|{PVH_ENTRY}",
    "in": f"{NATIVE}|{PVH_ENTRY}",
    "out": f"{NATIVE}|{PVH_ENTRY}",
    "rdmsr": f"{PVH_ENTRY}|{SNP_ENTRY}|{SNP}|read_msr_instruction",
    "wrmsr": f"{PVH_ENTRY}|{SNP_ENTRY}|{SNP}",
    "vmgexit": f"{SNP_ENTRY}|{SNP}",
    "pvalidate": r"(non-virtual thunk to )?svsm::SnpPlatform::Pvalidate\b",
    "rdtsc": r"svsm::hw::ReadTsc\b|SvsmMain$",
    "rdrand": r"svsm::CpuRandom::|ForelockSnpEntry",
    "rdseed": r"svsm::CpuRandom::",
    **dict.fromkeys(
        (
            "ins", "outs", "insb", "insw", "insl", "outsb", "outsw", "outsl", "vmmcall", "vmcall",
            "rdtscp", "rdpmc", "xsetbv", "wbinvd", "invd", "monitor", "mwait", "rmpadjust",
            "psmash", "sti", "syscall", "sysenter",
        ),
        None,
    ),
}  # fmt: skip
# What a boot on SNP cannot do without; if one is not found, the parser is wrong.
FOUND = ("cpuid", "in", "out", "rdmsr", "wrmsr", "vmgexit", "pvalidate", "rdtsc", "rdrand")

# The trampoline clears them, Mbed TLS computes AES in them; protobuf-c compares
# floating-point fields with 0, of which no message has any.
VECTOR_REGISTERS = r"ForelockTrampoline|mbedtls_aesni_|protobuf_c_message_"
# Empties x87 and MXCSR.
X87 = r"ForelockTrampoline"

LABEL = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^ +[0-9a-f]+:\t(?:(?:rep|repz|repnz|data16|lock|cs|ds|es) )*([a-z0-9]+) *(.*)")


def instructions(image):
    """Mnemonic, operands, and the function that it stands in."""
    listing = subprocess.run(
        ["objdump", "--disassemble", "--demangle", "--no-show-raw-insn", image],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout  # fmt: skip
    function = ""
    for line in listing.splitlines():
        if label := LABEL.match(line):
            function = label[1]
        elif found := INSTRUCTION.match(line):
            yield found[1], found[2], function


class Instructions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        listing = list(instructions(IMAGE))
        cls.found = {(mnemonic, function) for mnemonic, _, function in listing}
        cls.vectors = {function for _, operands, function in listing if re.search(r"%[xyz]?mm", operands)}

    def test_only_where_they_are_meant_to_be(self):
        wrong = sorted(
            f"{mnemonic} in {function}"
            for mnemonic, function in self.found
            if mnemonic in ALLOWED
            and (ALLOWED[mnemonic] is None or not re.match(ALLOWED[mnemonic], function))
        )
        self.assertEqual(wrong, [])

    def test_the_listing_is_understood(self):
        self.assertEqual(set(FOUND) - {mnemonic for mnemonic, _ in self.found}, set())

    def test_vector_registers_only_where_nothing_interrupts(self):
        """No handler saves them, and a secret that passes through stays there."""
        self.assertEqual({f for f in self.vectors if not re.match(VECTOR_REGISTERS, f)}, set())
        for part in VECTOR_REGISTERS.split("|"):
            self.assertTrue(any(re.match(part, f) for f in self.vectors), part)

    def test_no_x87(self):
        x87 = {function for mnemonic, function in self.found if mnemonic.startswith("f")}
        self.assertEqual({f for f in x87 if not re.match(X87, f)}, set())

    def test_no_avx(self):
        """The image saves no YMM state, and no machine that runs it in tests
        executes AVX faithfully."""
        others = {"vmgexit", "verr", "verw"}
        found = {mnemonic for mnemonic, _ in self.found if mnemonic.startswith("v")}
        self.assertEqual(found - others, set())

    def test_aes_by_instructions_alone(self):
        """MBEDTLS_AES_USE_HARDWARE_ONLY: no CPUID lie makes it use tables."""
        functions = {function for _, function in self.found}
        self.assertTrue(any(mnemonic == "aesenc" for mnemonic, _ in self.found))
        for function in ("mbedtls_internal_aes_encrypt", "mbedtls_aesni_has_support"):
            self.assertNotIn(function, functions)


if __name__ == "__main__":
    testing.main()
