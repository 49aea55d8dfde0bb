// SPDX-License-Identifier: Apache-2.0
//
// The input is the end of a ROM. A plan of it launches no page twice in the
// ROM, and stays in its bounds.
#include <stddef.h>
#include <stdint.h>

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "launch/elf_for_tests.h"
#include "launch/image.h"
#include "launch/launch_plan.h"
#include "launch/rom.h"
#include "proto/config.h"
#include "sev/page_info.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> rom(64 << 10);
  const size_t used = std::min(size, rom.size());
  std::copy_n(data, used, rom.end() - static_cast<ptrdiff_t>(used));
  const auto plan = launch::PlanOfRom(rom, launch::kEpycSignature);
  if (!plan.ok()) return 0;
  const uint64_t start = (uint64_t{1} << 32) - rom.size();
  for (const auto& page : plan->pages) {
    const bool in_rom = page.gpa >= start && page.gpa < start + rom.size();
    if (page.gpa % 4096 != 0 ||
        in_rom != (page.type == sev::PageType::kNormal)) {
      __builtin_trap();
    }
  }
  return 0;
}

// The last two pages of a ROM with one section of each kind.
extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr size_t kSize = 8192;
  if (index > 0 || capacity < kSize) return 0;
  auto image = launch::TestElf().Bytes();
  proto::Config config;
  config.platform = proto::Platform::kSnp;
  config.vm.Assign("vm");
  config.verifier_endpoint.Assign("verifier");
  config.verifier_pins.Add({1});
  if (!launch::ConfigureImage(image, config, launch::Reconfigure::kRefuse)
           .ok()) {
    __builtin_trap();
  }
  const auto rom = launch::MakeRom(image);
  if (!rom.ok()) __builtin_trap();
  std::copy(rom->end() - kSize, rom->end(), out);
  return kSize;
}
