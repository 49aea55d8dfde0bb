// SPDX-License-Identifier: Apache-2.0
#include "launch/kvm_vmsa.h"

#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "launch/vmsa.h"
#include "sev/vmsa.h"

namespace launch {
namespace {

// The image's own start: what KVM leaves as it is.
Vmsa Start() { return FlatStartVmsa(0x201234); }

std::string Found(const Vmsa& vmsa) {
  return absl::StrJoin(KvmVmsaFindings(vmsa), "\n");
}

TEST(KvmVmsa, OurOwnStartComesThrough) { EXPECT_EQ(Found(Start()), ""); }

struct Row {
  size_t offset;
  size_t size;
  uint64_t value;
  std::string finding;  // empty: none
};

constexpr char kPeer[] = " (says COCONUT-SVSM's igvmmeasure --check-kvm)";
constexpr char kNotHandedOn[] = ": QEMU refuses it: it hands no such field on";

TEST(KvmVmsa, EachValueIsNamedWithWhatKvmPuts) {
  const std::vector<Row> rows = {
      {0x158, 8, 0x10, std::string("CR0 is 0x10, KVM puts 0x30") + kPeer},
      {0x158, 8, 0x11, std::string("CR0 is 0x11, KVM puts 0x31") + kPeer},
      {0x158, 8, 0x30, ""},
      {0x158, 8, 0x31, ""},
      {0x158, 8, 0x21, "CR0 is 0x21, KVM puts 0x31"},
      {0x158, 8, 0x60000030, "CR0 is 0x60000030, KVM puts 0x30"},
      {0x158, 8, 0x100000031, "CR0 is 0x100000031, KVM puts 0x31"},
      {0x158, 8, 0x33,
       std::string("CR0 is 0x33: only 0x30 and 0x31 are known to come through "
                   "KVM") +
           kPeer},
      {0x148, 8, 0, "CR4 is 0x0, KVM puts 0x40"},
      {0x148, 8, 0x20, "CR4 is 0x20, KVM puts 0x60"},
      {0x148, 8, 0x60, ""},
      {0xD0, 8, 0, "EFER is 0x0, KVM puts 0x1000"},
      {0xD0, 8, 0x500,
       "EFER is 0x500, KVM puts 0x1500\n"
       "EFER is 0x500: KVM refuses LMA without paging"},
      {0xD0, 8, 0x1000, ""},
      {0x170, 8, 0, "RFLAGS is 0x0, KVM puts 0x2"},
      {0x410, 2, 0, "x87 FCW is 0x0, KVM puts 0x37f"},
      {0x408, 4, 0, "MXCSR is 0x0, KVM puts 0x1f80"},
      {0x3E8, 8, 0, "XCR0 is 0x0: KVM refuses it without bit 0, x87"},
      {0x168, 8, 0, ""},  // DR6: QEMU hands it on
      {0x168, 8, 0x1FFFF0FF0, "DR6 is 0x1ffff0ff0: KVM refuses the upper half"},
      {0x160, 8, 0, ""},
      {0x160, 8, 0x401, "DR7 is 0x401: KVM launches no guest with breakpoints"},
      {0x268, 8, 0x70106, ""},
      {0x268, 8, 0x0207, "PAT is 0x207: KVM refuses such memory types"},
      {0x12, 2, 0xC09B, "CS attributes is 0xc09b, KVM puts 0x9b"},
      {0x12, 2, 0xC9B, ""},
      {0x22, 2, 0xCF3, "CPL is 0x0, KVM puts 0x3"},
      {0x64, 4, 0x12345, "GDTR limit is 0x12345, KVM puts 0x2345"},
      {0x80, 2, 8, "IDTR selector is 0x8, KVM puts 0x0"},
      {0x62, 2, 0x93, "GDTR attributes is 0x93, KVM puts 0x0"},
      {0x98, 8, 0x5000, "TR base is 0x5000, KVM puts 0x0, LDTR's"},
      {0x3B0, 8, 0, "SEV_FEATURES is 0x0: QEMU refuses it without bit 0, SNP"},
      {0x3B0, 8, 0x1 | 0x20 | 0x200, ""},
      {0x3B0, 8, 0x29,
       "SEV_FEATURES is 0x29: mainline KVM does not offer restricted "
       "injection, QEMU refuses it"},
      {0x3B0, 8, 0x10003,
       "SEV_FEATURES is 0x10003: mainline KVM does not offer vTOM, 0x10000, "
       "QEMU refuses it"},
      {0xCA, 1, 2, std::string("VMPL is 0x2") + kNotHandedOn},
      {0xCB, 1, 3, std::string("CPL is 0x3") + kNotHandedOn},
      {0x140, 8, 1, std::string("XSS is 0x1") + kNotHandedOn},
      {0x240, 8, 1, std::string("CR2 is 0x1") + kNotHandedOn},
      {0x3C8, 8, 0x8000000000,
       std::string("VIRTUAL_TOM is 0x8000000000") + kNotHandedOn},
      {0x40C, 2, 0x5555, std::string("x87 FTW is 0x5555") + kNotHandedOn},
      {0x2E8, 1, 7, std::string("the byte at 0x2e8 is 0x7") + kNotHandedOn},
      {0xFFF, 1, 1, std::string("the byte at 0xfff is 0x1") + kNotHandedOn},
      // General registers are QEMU's to hand on.
      {0x1D8, 8, ~uint64_t{0}, ""},  // RSP
      {0x330, 8, ~uint64_t{0}, ""},  // RSI
      {0x378, 8, ~uint64_t{0}, ""},  // R15
      {0x178, 8, 0xFFF0, ""},        // RIP
      {0x150, 8, 0x1000, ""},        // CR3
  };
  for (const Row& row : rows) {
    Vmsa vmsa = Start();
    std::memcpy(vmsa.data() + row.offset, &row.value, row.size);
    EXPECT_EQ(Found(vmsa), row.finding) << std::hex << row.offset;
  }
}

TEST(KvmVmsa, LongModeIsActiveWherePagingIs) {
  Vmsa vmsa = Start();
  const uint64_t cr0 = 0x80000031, cr4 = 0x60, efer = 0x1100;
  std::memcpy(vmsa.data() + 0x158, &cr0, 8);
  std::memcpy(vmsa.data() + 0x148, &cr4, 8);
  std::memcpy(vmsa.data() + 0xD0, &efer, 8);
  EXPECT_NE(Found(vmsa).find("EFER is 0x1100, KVM puts 0x1500"),
            std::string::npos)
      << Found(vmsa);
}

// A wrong field never hides another, and the number of lines is bounded.
TEST(KvmVmsa, APageOfRubbishIsDescribed) {
  Vmsa vmsa;
  vmsa.fill(0xA5);
  const auto findings = KvmVmsaFindings(vmsa);
  EXPECT_GT(findings.size(), 20u);
  EXPECT_LT(findings.size(), 60u);
}

}  // namespace
}  // namespace launch
