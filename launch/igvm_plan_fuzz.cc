// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "launch/igvm/read_write.h"
#include "launch/igvm/sample_file.h"
#include "launch/igvm_plan.h"
#include "launch/launch_plan.h"
#include "sev/page_info.h"
#include "sev/vmsa.h"
#include "tools/fuzz_seed.h"

namespace {

// With the right size and checksum, or hardly any input would be read.
void Fix(std::vector<uint8_t>& bytes) {
  const std::span<uint8_t> all(bytes);
  const auto begin = base::LoadLe<uint32_t>(all.subspan(8).first<4>());
  const auto headers = base::LoadLe<uint32_t>(all.subspan(12).first<4>());
  base::StoreLe(static_cast<uint32_t>(bytes.size()),
                all.subspan(16).first<4>());
  if (begin != 24 || headers > bytes.size() - begin) return;
  base::StoreLe(uint32_t{0}, all.subspan(20).first<4>());
  base::StoreLe(igvm::Crc32(all.first(24 + headers)),
                all.subspan(20).first<4>());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 24) return 0;
  std::vector<uint8_t> bytes(data, data + size);
  Fix(bytes);
  const auto file = igvm::Read(bytes);
  if (!file.ok()) return 0;
  for (const auto loader : {launch::Loader::kQemu, launch::Loader::kInOrder}) {
    const auto plan = launch::PlanOfIgvm(*file, loader);
    if (!plan.ok()) continue;
    if (plan->pages.size() > launch::kMaxPlanPages) __builtin_trap();
    for (const launch::PlanPage& page : plan->pages) {
      if (page.contents.size() != (sev::IsHashed(page.type) ? 4096 : 0)) {
        __builtin_trap();
      }
    }
    if (plan->pages.size() < 64) launch::MeasurePlan(*plan);
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  std::vector<uint8_t> bytes;
  if (index == 0) {
    bytes = *igvm::Write(igvm::SampleFile().WithoutPages());
  } else if (index == 1) {
    launch::LaunchPlan plan;
    plan.memory_map = launch::ParameterArea{.gpa = 0x3000, .size = 0x1000};
    plan.pages = {
        {.gpa = 0x3000, .type = sev::PageType::kUnmeasured},
        {.gpa = 0x1000, .contents = std::vector<uint8_t>(4096)},
        {.gpa = 0x2000, .type = sev::PageType::kSecrets},
        {.gpa = sev::kKvmVmsaGpa,
         .type = sev::PageType::kVmsa,
         .contents = std::vector<uint8_t>(4096, 0x5A)},
    };
    bytes = *launch::IgvmOfPlan(plan);
  }
  if (bytes.empty() || bytes.size() > capacity) return 0;
  std::copy(bytes.begin(), bytes.end(), out);
  return bytes.size();
}
