// SPDX-License-Identifier: Apache-2.0
//
// What the kernel finds is defined byte for byte: two machines whose fresh
// pages hold different noise give it the same memory. A page is either as fresh
// or the same on both, and fresh is only what is free RAM to Linux.
#include <stdint.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "machine/machine.h"
#include "machine/memory.h"
#include "machine/rmp.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/guest.h"

namespace hostile {
namespace {

using machine::GuestMemory;
using machine::kPageSize;
using machine::RmpEntry;

constexpr uint64_t kRomArea = 0xC0000, kOneMiB = 0x100000;

BenchOptions WithNoise(uint64_t noise) {
  return {
      .machine =
          [noise](MachineOptions& options) { options.memory.noise = noise; },
      .seed = 1};
}

uint64_t Load(Machine& machine, uint64_t gpa, size_t size) {
  uint64_t value = 0;
  for (size_t i = size; i-- > 0;) {
    value = value << 8 | machine.memory().Private(gpa, size)[i];
  }
  return value;
}

struct Span {
  const char* name;
  uint64_t begin, end;
};

// By Linux's boot protocol, from the zero page on.
std::vector<Span> HandedOver(Machine& machine, const MachineResult& result) {
  const uint64_t zero_page = result.kernel_boot_params;
  const uint64_t load = result.kernel_entry - kKernelEntry;
  const uint64_t initrd = Load(machine, zero_page + 0x218, 4);
  const uint64_t line = Load(machine, zero_page + 0x228, 4);
  const uint64_t rsdp = Load(machine, zero_page + 0x70, 8);
  const uint64_t seed = Load(machine, zero_page + 0x250, 8);
  const uint64_t node = Load(machine, seed, 8);
  const uint64_t blob = Load(machine, node + 16, 4);
  const uint64_t secrets = Load(machine, blob + 8, 8);
  const uint64_t cpuid = Load(machine, blob + 24, 8);
  const uint64_t tables = machine.cpu().cr(3) & 0xFFFFF000;
  std::vector<Span> spans = {
      {"low memory", 0, 0xA0000},
      {"the ROM area", kRomArea, kOneMiB},
      {"the kernel", load, load + Load(machine, zero_page + 0x260, 4)},
      {"the zero page", zero_page, zero_page + kPageSize},
      {"setup_data", seed, seed + kPageSize},
      {"the initrd", initrd, initrd + Load(machine, zero_page + 0x21C, 4)},
      {"the command line", line, line + 1},
      {"the ACPI root", rsdp, rsdp + 1},
      {"the blob", blob, blob + 1},
      {"the secrets page", secrets, secrets + 1},
      {"the CPUID page", cpuid, cpuid + 1},
      {"trampoline and page tables", tables - kPageSize,
       tables + 6 * kPageSize},
  };
  for (Span& span : spans) {
    span.begin &= ~(kPageSize - 1);
    span.end = (span.end + kPageSize - 1) & ~(kPageSize - 1);
  }
  return spans;
}

TEST(DefinedMemoryTest, NoByteThatIsHandedOverIsNoise) {
  Bench one(nullptr, WithNoise(1));
  const Outcome first = one.Run();
  ASSERT_EQ(first.end, "kernel") << first.ToString();
  Bench two(nullptr, WithNoise(2));
  const Outcome second = two.Run();
  ASSERT_EQ(second.end, "kernel") << second.ToString();

  const auto fresh = *GuestMemory::Create({.below_4g = kBenchRam, .noise = 1});
  size_t defined = 0, noise = 0;
  std::vector<bool> is_noise(kBenchRam / kPageSize);
  for (uint64_t gpa = 0; gpa < kBenchRam; gpa += kPageSize) {
    const RmpEntry entry = one.machine().rmp().Get(gpa);
    ASSERT_EQ(entry, two.machine().rmp().Get(gpa)) << std::hex << gpa;
    if (!entry.assigned) continue;
    const base::Bytes a = one.machine().memory().Private(gpa, kPageSize);
    const base::Bytes b = two.machine().memory().Private(gpa, kPageSize);
    fresh->Garble(gpa);
    const bool untouched =
        entry.stale || base::Equal(a, fresh->Private(gpa, kPageSize));
    is_noise[gpa / kPageSize] = untouched;
    ++(untouched ? noise : defined);
    if (untouched || base::Equal(a, b)) continue;
    // A page that the image wrote, but not whole.
    const auto differ = std::ranges::mismatch(a, b);
    ADD_FAILURE() << std::hex
                  << gpa + static_cast<uint64_t>(differ.in1 - a.begin());
  }
  for (const Span& span : HandedOver(one.machine(), first.result)) {
    for (uint64_t gpa = span.begin; gpa < span.end; gpa += kPageSize) {
      EXPECT_TRUE(one.machine().rmp().Get(gpa).validated)
          << span.name << " at " << std::hex << gpa;
      EXPECT_FALSE(is_noise[gpa / kPageSize])
          << span.name << " at " << std::hex << gpa;
    }
  }
  // Fresh pages do hold noise, and some stay so.
  EXPECT_GT(defined, 0x400000 / kPageSize);
  EXPECT_GT(noise, 0x400000 / kPageSize);
}

}  // namespace
}  // namespace hostile
