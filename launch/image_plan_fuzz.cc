// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "launch/elf_for_tests.h"
#include "launch/image_plan.h"
#include "launch/launch_plan.h"
#include "sev/page_info.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto plan = launch::PlanOfImage({data, size});
  if (!plan.ok()) return 0;
  size_t special = 0;
  for (const launch::PlanPage& page : plan->pages) {
    const bool hashed = sev::IsHashed(page.type);
    if (page.gpa % 4096 != 0) __builtin_trap();
    if (page.contents.size() != (hashed ? 4096 : 0)) __builtin_trap();
    if (!hashed) ++special;
  }
  if (special != 3) __builtin_trap();
  // Measuring 64 MiB of zeros is right, and slow.
  if (plan->pages.size() < 64) launch::MeasurePlan(*plan);
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0) return 0;
  const auto file = launch::TestElf().Bytes();
  if (file.size() > capacity) return 0;
  std::copy(file.begin(), file.end(), out);
  return file.size();
}
